/* SPDX-License-Identifier: BSD-3-Clause */
/* Exit nodes: listing them, their priorities, and who uses which. App connectors: the policy's apps, the connectors,
 * and what they learned. */
#include "base/array.h"
#include "base/buf.h"
#include "cli/command.h"
#include "model/api_health.h"

#define USERS_NAMED 5

static void exit_row(struct text_table *t, const void *object)
{
    const struct api_exit *x = object;

    table_number(t, x->node);
    table_text(t, x->name, COLOR_PLAIN);
    table_text(t, route_state_name(x->state), cli_state_color(x->state));
    table_number(t, x->priority);
    table_text(t, x->draining ? "drained" : x->suggested ? "yes" : "no", x->suggested ? COLOR_GOOD : COLOR_WARN);
    table_number(t, x->used_by);
    table_text(t, x->reason, COLOR_PLAIN);
}

static const char *const heads[] = {"ID", "Node", "State", "Priority", "Suggested", "Used by", "Reason"};
static const struct listing exit_listing = {"exits", &api_exit_shape,  sizeof(struct api_exit),
                                            heads,   ARRAY_LEN(heads), exit_row};

static int list(struct cli *c)
{
    return cli_show_list(c, cli_call(c, "GET", NULL, "/api/headway/exits"), &exit_listing);
}

static void note_users(const struct cli *c, const struct api_exit *x)
{
    struct buf text = BUF_INIT(0);
    size_t named = 0;

    buf_addf(&text, "%s is the exit node of %llu %s now", x->name, (unsigned long long)x->used_by,
             x->used_by == 1 ? "node" : "nodes");
    for (size_t i = 0; i < x->users.len && named < USERS_NAMED; i++) {
        const struct api_exit_user *user = api_at(&x->users, struct api_exit_user, i);
        if (user->online)
            buf_addf(&text, "%s%s", named++ ? ", " : ": ", user->name);
    }
    if (x->used_by > named)
        buf_addf(&text, " and %llu more", (unsigned long long)(x->used_by - named));
    cli_note(c, "warning", buf_text(&text));
    buf_release(&text);
}

void cli_note_exit_users(struct cli *c, uint64_t node)
{
    json_t *answer = NULL;
    struct api_list exits = {0};

    /* Only a warning: if this fails, the change itself reports the error. */
    if (client_json(c->client, "GET", "/api/headway/exits", NULL, &answer, NULL) == 0 &&
        api_read_list(&api_exit_shape, json_object_get(answer, "exits"), &exits, API_FOR_TERMINAL, NULL) == 0) {
        for (size_t i = 0; i < exits.len; i++) {
            const struct api_exit *x = api_at(&exits, struct api_exit, i);
            if (x->node == node && x->used_by)
                note_users(c, x);
        }
        api_release_list(&api_exit_shape, &exits);
    }
    json_decref(answer);
}

/* ---- app connectors ---- */

static void app_row(struct text_table *t, const void *object)
{
    const struct api_app *app = object;
    struct strs who = {0};
    size_t learned = 0;

    for (size_t i = 0; i < app->connectors.len; i++) {
        const struct api_app_connector *c = api_at(&app->connectors, struct api_app_connector, i);
        struct buf text = BUF_INIT(0);
        buf_addf(&text, "%s (%s)", c->name, c->ready ? "ready" : c->trouble);
        strs_push(&who, buf_text(&text));
        buf_release(&text);
        learned += c->learned.len;
    }
    if (!who.len)
        strs_push(&who, "none: no node has one of its tags");
    table_text(t, app->name, COLOR_PLAIN);
    table_texts(t, &app->domains);
    table_prefixes(t, &app->routes);
    table_texts(t, &app->tags);
    table_texts(t, &who);
    table_number(t, learned);
    table_number(t, app->users);
    strs_release(&who);
}

static const char *const app_heads[] = {"App", "Domains", "Routes", "Tags", "Connectors", "Learned", "Used by"};
static const struct listing app_listing = {"apps",    &api_app_shape,       sizeof(struct api_app),
                                           app_heads, ARRAY_LEN(app_heads), app_row};

static int list_apps(struct cli *c)
{
    return cli_show_list(c, cli_call(c, "GET", NULL, "/api/headway/app-connectors"), &app_listing);
}

/* clang-format off */
static const struct flag priority_flags[] = {
    {"dry-run", 0, FLAG_SWITCH, .help = "report what would change, and change nothing"},
    FLAGS_END};

const struct command exit_commands[] = {
    {"exits", "exit", .bits = CMD_GROUP, .brief = "Manage exit nodes"},
    {"exits list", "ls|show", .brief = "List exit nodes, and how many nodes use each",
     .text = "List exit nodes, approved or not, and how many nodes that are online use each now: clients from 1.86 on say so, and -o json names them. Clients that choose for themselves (tailscale set --exit-node=auto:any) choose among those that are suggested", .run = list},
    {"exits priority", NULL, "NODE PRIORITY", priority_flags, "Set the priority of an exit node",
     .text = "Set the priority of an exit node: a number from 0 to 1000, or 'default' for 100. While any exit node has another priority than the default, clients that choose for themselves use the one with the highest, spread over those that share it; else they choose by the distance to relays. It is the priority of 'routes priority': a node that is a subnet router too has one for both", .run = cli_set_priority},
    {0}};

const struct command app_connector_commands[] = {
    {"app-connectors", "app-connector|appc", .bits = CMD_GROUP, .brief = "Inspect app connectors"},
    {"app-connectors list", "ls|show", .brief = "List the apps of the policy, their connectors and what these learned",
     .text = "List the apps that nodeAttrs of the policy name, with their domains, the nodes that have their tags, whether each is ready to connect or what it lacks, how many addresses they have learned (-o json names them), and how many nodes resolve the domains through them", .run = list_apps},
    {0}};
/* clang-format on */

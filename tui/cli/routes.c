/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes one prefix at a time, where `nodes approve-routes` replaces a whole set. */
#include <stdlib.h>

#include "base/mem.h"
#include "cli/command.h"
#include "net/prefixes.h"

static enum cell_color state_color(const char *state)
{
    if (str_eq(state, "serving"))
        return CELL_GOOD;
    if (str_eq(state, "available") || str_eq(state, "standby"))
        return CELL_WARN;
    return str_eq(state, "offline") || str_eq(state, "unhealthy") ? CELL_BAD : CELL_PLAIN;
}

static int list(struct cli *c)
{
    static const char *const heads[] = {"Prefix", "ID", "Node", "State", "Primary", "Reason"};
    const char *wanted = flags_text(&c->flags, "state");
    json_t *answer, *routes, *route, *node = NULL;
    struct table t;
    size_t i;

    if (flags_given(&c->flags, "node") && !(node = cli_find_node(c, flags_text(&c->flags, "node"))))
        return 1;
    answer = cli_call(c, "GET", NULL, "/api/headway/routes");
    if (!answer) {
        json_decref(node);
        return 1;
    }
    routes = json_array();
    json_array_foreach(json_object_get(answer, "routes"), i, route)
    {
        if ((!*wanted || str_eq(json_text(route, "state", ""), wanted)) &&
            (!node || str_eq(json_text(route, "node", ""), json_text(node, "id", ""))))
            json_array_append(routes, route);
    }
    if (c->out.form != OUTPUT_HUMAN) {
        output_value(&c->out, routes, SHAPE_PLAIN);
    } else {
        table_init(&t, heads, 6);
        json_array_foreach(routes, i, route)
        {
            const char *state = json_text(route, "state", "");
            table_cell(&t, json_text(route, "prefix", ""), CELL_PLAIN);
            table_cell(&t, json_text(route, "node", ""), CELL_PLAIN);
            table_cell(&t, json_text(route, "name", ""), CELL_PLAIN);
            table_cell(&t, state, state_color(state));
            table_cell(&t, json_text(route, "primaryName", ""), CELL_PLAIN);
            table_cell(&t, json_text(route, "reason", ""), CELL_PLAIN);
        }
        table_print(&t, &c->out);
        table_release(&t);
    }
    json_decref(routes);
    json_decref(answer);
    json_decref(node);
    return 0;
}

/* What a change answered, as a sentence; releases it. */
static int changed(struct cli *c, json_t *answer, const char *line)
{
    bool dry = flags_switch(&c->flags, "dry-run");

    if (!answer)
        return 1;
    if (dry)
        line = "Nothing was changed: this was a dry run";
    else if (!json_is_string(json_object_get(answer, "event")))
        line = "Nothing to change";
    output_result(&c->out, line, answer, SHAPE_PLAIN);
    json_decref(answer);
    return 0;
}

/* NODE PREFIX...: the prefixes go to the member of the body. */
static int edit(struct cli *c, const char *member, const char *line)
{
    json_t *prefixes = json_array(), *node, *answer;
    struct prefix prefix;

    for (size_t i = 1; i < c->args->len; i++) {
        const char *text = c->args->items[i];
        if (!strchr(text, '/') || prefix_parse(text, &prefix, NULL, NULL) < 0) {
            json_decref(prefixes);
            return cli_failf(c, "parsing route: '%s' is not a prefix such as 10.0.0.0/8", text);
        }
        json_array_append_new(prefixes, json_string(text));
    }
    node = cli_find_node(c, c->args->items[0]);
    if (!node) {
        json_decref(prefixes);
        return 1;
    }
    answer = cli_call(c, "POST", json_pack("{s:o}", member, prefixes), "/api/headway/nodes/%s/routes%s",
                      json_text(node, "id", ""), flags_switch(&c->flags, "dry-run") ? "?dry_run=true" : "");
    json_decref(node);
    return changed(c, answer, line);
}

static int approve(struct cli *c)
{
    return edit(c, "approve", "Routes approved");
}

static int revoke(struct cli *c)
{
    return edit(c, "revoke", "Routes revoked");
}

static int primary(struct cli *c)
{
    const char *text = c->args->items[0];
    struct prefix prefix;
    char canonical[PREFIX_TEXT_MAX], *segment;
    json_t *node, *answer;

    if (!strchr(text, '/') || prefix_parse(text, &prefix, NULL, NULL) < 0)
        return cli_failf(c, "parsing route: '%s' is not a prefix such as 10.0.0.0/8", text);
    node = cli_find_node(c, c->args->items[1]);
    if (!node)
        return 1;
    segment = cli_segment(prefix_format(&prefix, canonical));
    answer =
        cli_call(c, "POST", json_pack("{s:s}", "node", json_text(node, "id", "")), "/api/headway/prefixes/%s/primary%s",
                 segment, flags_switch(&c->flags, "dry-run") ? "?dry_run=true" : "");
    free(segment);
    json_decref(node);
    return changed(c, answer, "Primary moved");
}

/* clang-format off */
#define DRY {"dry-run", 0, FLAG_SWITCH, .help = "only say what would change"}

static const struct flag list_flags[] = {
    {"node", 0, FLAG_TEXT, .value = "NODE", .help = "only routes of this node (id, name or address)"},
    {"state", 0, FLAG_TEXT, .value = "STATE", .words = "available|approved|standby|serving|offline|unhealthy", .help = "only routes in this state"},
    FLAGS_END};
static const struct flag edit_flags[] = {DRY, FLAGS_END};

const struct command route_commands[] = {
    {"routes", "route", .bits = CMD_GROUP, .brief = "Routes: one prefix at a time"},
    {"routes list", "ls|show", NULL, list_flags, "List routes with their state and its reason", .run = list},
    {"routes approve", NULL, "NODE PREFIX...", edit_flags, "Approve prefixes of a node, keeping what is approved",
     .text = "Approve prefixes of a node, keeping what is approved. NODE is an id, a name or an address. 0.0.0.0/0 and ::/0 are approved together", .run = approve},
    {"routes revoke", NULL, "NODE PREFIX...", edit_flags, "Take back the approval of prefixes of a node", .run = revoke},
    {"routes primary", NULL, "PREFIX NODE", edit_flags, "Let a node serve a prefix that several nodes can serve", .run = primary},
    {0}};
/* clang-format on */

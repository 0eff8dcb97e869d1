/* SPDX-License-Identifier: BSD-3-Clause */
/* App connectors: the apps of the policy, who connects to them, what was learned. */
#include "base/array.h"
#include "base/buf.h"
#include "cli/command.h"

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

static int list(struct cli *c)
{
    return cli_show_list(c, cli_call(c, "GET", NULL, "/api/headway/app-connectors"), &app_listing);
}

/* clang-format off */
const struct command app_connector_commands[] = {
    {"app-connectors", "app-connector|appc", .bits = CMD_GROUP, .brief = "Inspect app connectors"},
    {"app-connectors list", "ls|show", .brief = "List the apps of the policy, their connectors and what these learned",
     .text = "List the apps that nodeAttrs of the policy name, with their domains, the nodes that have their tags, whether each is ready to connect or what it lacks, how many addresses they have learned (-o json names them), and how many nodes resolve the domains through them", .run = list},
    {0}};
/* clang-format on */

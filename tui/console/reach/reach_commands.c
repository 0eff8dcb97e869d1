/* SPDX-License-Identifier: BSD-3-Clause */
/* What is done in the view, and what leads to it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "console/app/app.h"
#include "console/dialogs/dialog.h"
#include "console/policy/policy_page.h"
#include "console/reach/reach.h"

static void ask(struct app *app, const char *text)
{
    if (!reach_path_read(&reach_of(app)->path, text)) {
        dialog_refuse(app,
                      "give a source and a destination, such as: laptop db:5432 (nodes, users, tags or addresses)");
        return;
    }
    app_go(app, &reach_view, 0, NULL);
    reach_path_ask(app);
}

/* What the row under the cursor is to a policy; as_destination: it is where one wants to get. */
static const char *end_of(const struct app *app, bool *as_destination)
{
    const struct row *row = app_list(app)->cursor;
    const struct m_node *n = app_node(app);

    *as_destination = row && (row->kind == ROW_PREFIX || row->kind == ROW_ROUTE);
    if (row && row->kind == ROW_ROUTE && ((const struct m_route *)row)->api.exit)
        return "autogroup:internet";
    if (row && (row->kind == ROW_NODE || row->kind == ROW_USER || *as_destination))
        return row_label(row);
    return n ? n->api.given_name : "";
}

static void cmd_explain(struct app *app, const char *arg)
{
    const struct reach_path *p = &reach_of(app)->path;
    bool as_destination = false;
    const char *end = app->place.view == &reach_view ? "" : end_of(app, &as_destination);
    char *start;

    if (*arg) {
        ask(app, arg);
        return;
    }
    if (app->place.view == &reach_view && *p->src)
        start = p->port ? mem_format("%s %s:%u", p->src, p->dst, p->port) : mem_format("%s %s", p->src, p->dst);
    else
        start = mem_format(as_destination ? " %s" : *end ? "%s " : "%s", end);
    dialog_input(app, "does SRC reach DST? SRC DST[:PORT]", "Enter ask   Esc cancel", start, ask);
    if (as_destination)
        app->dialog->line.at = 0; /* the source is what lacks */
    free(start);
}

static void cmd_swap(struct app *app, const char *arg)
{
    struct reach_path *p = &reach_of(app)->path;
    char *src = p->src;

    (void)arg;
    p->src = p->dst;
    p->dst = src;
    reach_path_ask(app);
}

static const char *refuse_swap(struct app *app)
{
    return *reach_of(app)->path.src ? NULL : "there is no source yet: = asks";
}

/* ---- the policy's line ---- */

static const struct reach_row *row_with_line(struct app *app)
{
    const struct reach_row *row = (const struct reach_row *)app_list(app)->cursor;

    return row && row->line ? row : NULL;
}

static const char *refuse_line(struct app *app)
{
    return row_with_line(app) ? NULL : "this step is not about a line of the policy";
}

static void cmd_rule(struct app *app, const char *arg)
{
    (void)arg;
    policy_page_show_line(app, row_with_line(app)->line);
}

static const struct console_command commands[] = {
    {.name = "reach", .keys = "3", .help = "who reaches what", .args = "[PART]", .where = IN_ANY, .opens = &reach_view},
    {.name = "explain",
     .keys = "=",
     .hint = "reach",
     .help = "explain whether one reaches another",
     .args = "SRC DST[:PORT]",
     .where = IN_ANY,
     .rank = 14,
     .run = cmd_explain},
    {.name = "rule",
     .keys = "Enter e",
     .hint = "go to line",
     .help = "show the line of the policy that the step comes from",
     .where = IN_REACH,
     .needs = NEED_ROW,
     .rank = 1,
     .run = cmd_rule,
     .refuse = refuse_line},
    {.name = "swap",
     .keys = "i",
     .hint = "swap",
     .help = "ask the other way round",
     .where = IN_REACH,
     .rank = 2,
     .run = cmd_swap,
     .refuse = refuse_swap},
};

const struct command_table reach_commands = {.items = commands, .len = sizeof(commands) / sizeof(*commands)};

/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands of the view, and those that lead to it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "console/app/app.h"
#include "console/dialogs/dialog.h"
#include "console/past/past.h"
#include "console/policy/policy_page.h"
#include "console/reach/reach.h"
#include "console/views/events.h"

/* ---- asking ---- */

/* A source that was set before is easily overlooked, so the message says how the words were understood. */
static void refuse_words(struct app *app, const char *text)
{
    const char *src = text + strspn(text, " "), *dst = src + strcspn(src, " ");

    dst += strspn(dst, " ");
    if (*dst)
        dialog_refuse(app, "too many words: '%.*s' is the source, '%.*s' the destination; take out what is too much",
                      (int)strcspn(src, " "), src, (int)strcspn(dst, " "), dst);
    else
        dialog_refuse(app,
                      "give a source and a destination, such as: laptop db:5432 (nodes, users, tags or addresses)");
}

static void ask(struct app *app, const char *text)
{
    struct reach_path *p = &reach_of(app)->path;
    enum reach_part part = app->place.view == &reach_view ? (enum reach_part)app->place.part : REACH_PATH;
    size_t len = strcspn(text, " ");

    /* A list concerns one of the two. */
    if ((part == REACH_FROM || part == REACH_TO || part == REACH_NEIGHBOURS) && len &&
        !text[len + strspn(text + len, " ")]) {
        char *name = mem_strndup(text, len);
        mem_replace(part == REACH_TO ? &p->dst : &p->src, name);
        free(name);
        reach_table_ask(app, part, true);
        return;
    }
    if (!reach_path_read(p, text)) {
        refuse_words(app, text);
        return;
    }
    if (part == REACH_FROM || part == REACH_TO || part == REACH_NEIGHBOURS) {
        reach_table_ask(app, part, true);
        return;
    }
    if (part == REACH_HISTORY) {
        reach_history_ask(app, true);
        return;
    }
    app_go(app, &reach_view, REACH_PATH, NULL);
    reach_path_ask(app);
}

bool reach_words(struct app *app, bool named, const char *text)
{
    int part = app->place.part;

    if (part != REACH_PATH && part != REACH_HISTORY) {
        if (named || !strchr(text, ' '))
            return false;
        app_go(app, &reach_view, REACH_PATH, NULL);
    }
    ask(app, text);
    return true;
}

/* The row under the cursor as an end of a policy; as_destination: the end to be reached. */
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

static char *typed_before(const struct app *app)
{
    const struct reach_path *p = &reach_of(app)->path;

    if (app->place.part == REACH_FROM || app->place.part == REACH_NEIGHBOURS)
        return mem_strdup(p->src);
    if (app->place.part == REACH_TO)
        return mem_strdup(p->dst);
    if (!*p->src)
        return mem_strdup("");
    return p->port ? mem_format("%s %s:%u", p->src, p->dst, p->port) : mem_format("%s %s", p->src, p->dst);
}

static void cmd_explain(struct app *app, const char *arg)
{
    bool as_destination = false, here = app->place.view == &reach_view;
    const char *end = here ? "" : end_of(app, &as_destination), *title = "does SRC reach DST? SRC DST[:PORT]";

    if (*arg) {
        ask(app, arg);
        return;
    }
    if (here && app->place.part == REACH_FROM)
        title = "what does SRC reach? SRC";
    else if (here && app->place.part == REACH_NEIGHBOURS)
        title = "whom does NAME reach, and who reaches it? NAME";
    else if (here && app->place.part == REACH_TO)
        title = "who reaches DST? DST";
    char *start = here ? typed_before(app) : mem_format(as_destination ? " %s" : *end ? "%s " : "%s", end);
    dialog_input(app, title, "Enter ask   Esc cancel", start, ask);
    if (as_destination)
        app->dialog->line.at = 0; /* the source is missing */
    free(start);
}

static void cmd_again(struct app *app, const char *arg)
{
    (void)arg;
    if (app->place.part == REACH_PATH)
        reach_path_ask(app);
    else if (app->place.part == REACH_HISTORY)
        reach_history_ask(app, true);
    else
        reach_table_ask(app, (enum reach_part)app->place.part, true);
}

static void cmd_neighbours(struct app *app, const char *arg)
{
    bool as_destination;
    const char *name = *arg ? arg : app->place.view == &reach_view ? "" : end_of(app, &as_destination);

    if (*name)
        mem_replace(&reach_of(app)->path.src, name);
    app_go(app, &reach_view, REACH_NEIGHBOURS, NULL);
    reach_table_ask(app, REACH_NEIGHBOURS, *name != '\0');
}

/* ---- the history ---- */

static void cmd_entry(struct app *app, const char *arg)
{
    const struct reach_row *row = (const struct reach_row *)app_list(app)->cursor;

    (void)arg;
    app_jump(app, &events_view, "", row->event);
}

static const char *refuse_entry(struct app *app)
{
    const struct reach_row *row = (const struct reach_row *)app_list(app)->cursor;

    return row && row->event ? NULL : "no entry of the journal belongs to it";
}

/* The state before the change. */
static void cmd_before(struct app *app, const char *arg)
{
    const struct reach_row *row = (const struct reach_row *)app_list(app)->cursor;

    (void)arg;
    past_go(app, row->time_ns - NS_PER_MS);
    app_go(app, app->tables->views[0], 0, NULL);
}

static const char *refuse_again(struct app *app)
{
    return app->conn.state == CONN_LIVE ? NULL : "not connected";
}

/* ---- the path ---- */

static void cmd_swap(struct app *app, const char *arg)
{
    struct reach_path *p = &reach_of(app)->path;
    char *src = p->src;

    (void)arg;
    p->src = p->dst;
    p->dst = src;
    reach_path_ask(app);
}

static const char *refuse_path(struct app *app)
{
    const struct reach_path *p = &reach_of(app)->path;

    return *p->src && *p->dst ? NULL : "there is no source and destination yet: {explain} asks";
}

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

/* An entry of the policy's section tests that expects the present state. */
static void cmd_copy_test(struct app *app, const char *arg)
{
    const struct reach_path *p = &reach_of(app)->path;
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);
    char *dst = mem_format(strchr(p->dst, ':') && !str_starts(p->dst, "tag:") && !str_starts(p->dst, "group:") &&
                                   !str_starts(p->dst, "autogroup:")
                               ? "[%s]:%u"
                               : "%s:%u",
                           p->dst, p->port);

    (void)arg;
    json_open(&o, '{');
    json_put_str(&o, "src", p->src);
    json_key(&o, p->allowed ? "accept" : "deny");
    json_open(&o, '[');
    json_str(&o, dst);
    json_close(&o, ']');
    json_close(&o, '}');
    app_copy(app, buf_text(&b), buf_text(&b));
    buf_release(&b);
    free(dst);
}

static const char *refuse_copy_test(struct app *app)
{
    const struct reach_path *p = &reach_of(app)->path;

    if (!p->at_ns || p->trouble)
        return "there is no answer to copy yet";
    return p->port ? NULL : "a test of the policy needs a port: {explain} asks with one, as in db:5432";
}

/* ---- matrix and lists ---- */

static void show_path(struct app *app)
{
    struct reach_path *p = &reach_of(app)->path;
    const struct reach_answer *a;
    const char *from, *to;

    if (!reach_table_cell(app, &from, &to, &a))
        return;
    /* If something is reached, by the pair it holds for: an explanation tries only some of many nodes. */
    mem_replace(&p->src, a && a->from ? a->from : from);
    mem_replace(&p->dst, reach_table_leads_out(app) ? "autogroup:internet" : to);
    p->port = 0;
    app_go(app, &reach_view, REACH_PATH, NULL);
    reach_path_ask(app);
}

static const char *refuse_cell(struct app *app)
{
    const struct reach_answer *a;
    const char *from, *to;

    return reach_table_cell(app, &from, &to, &a) ? NULL : "there is no cell under the cursor";
}

static void cmd_why(struct app *app, const char *arg)
{
    (void)arg;
    show_path(app);
}

static void cmd_members(struct app *app, const char *arg)
{
    (void)arg;
    if (app->place.part != REACH_MATRIX || !reach_table_members(app))
        show_path(app);
}

static void cmd_line(struct app *app, const char *arg)
{
    const struct reach_answer *a;
    const char *from, *to;

    (void)arg;
    if (reach_table_cell(app, &from, &to, &a) && a && a->line)
        policy_page_show_line(app, a->line);
}

static const char *refuse_table_line(struct app *app)
{
    const struct reach_answer *a;
    const char *from, *to;

    return reach_table_cell(app, &from, &to, &a) && a && a->line ? NULL : "no line of the policy opens it";
}

static const char *refuse_matrix(struct app *app)
{
    return app->place.part == REACH_MATRIX ? NULL : "only the matrix has columns";
}

static void cmd_group(struct app *app, const char *arg)
{
    (void)arg;
    reach_table_group(app);
}

static void cmd_left(struct app *app, const char *arg)
{
    (void)arg;
    reach_table_column(reach_table_shown(app), -1);
}

static void cmd_right(struct app *app, const char *arg)
{
    (void)arg;
    reach_table_column(reach_table_shown(app), 1);
}

static const struct console_command commands[] = {
    {.name = "reach",
     .keys = "3",
     .help = "who reaches what: a path, all against all, from one, to one",
     .args = "[path|matrix|from|to] [SRC DST[:PORT]|FILTER]",
     .where = IN_ANY,
     .opens = &reach_view},
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
     .refuse = refuse_path},
    {.name = "copy-test",
     .keys = "y",
     .hint = "copy as test",
     .help = "copy the answer as an entry of the policy's section tests",
     .where = IN_REACH,
     .rank = 7,
     .run = cmd_copy_test,
     .refuse = refuse_copy_test},
    {.name = "members",
     .keys = "Enter",
     .hint = "members",
     .help = "open the cell under the cursor: the nodes of its ends; of nodes, the path",
     .where = IN_REACH_TABLE,
     .rank = 1,
     .run = cmd_members,
     .refuse = refuse_cell},
    {.name = "path",
     .keys = "w",
     .hint = "why",
     .help = "explain what is under the cursor: rule, route and router, or the rule that comes closest",
     .where = IN_REACH_TABLE,
     .rank = 2,
     .run = cmd_why,
     .refuse = refuse_cell},
    {.name = "opened-by",
     .keys = "e",
     .hint = "go to line",
     .help = "show the line of the policy that opens what is under the cursor",
     .where = IN_REACH_TABLE,
     .rank = 3,
     .run = cmd_line,
     .refuse = refuse_table_line},
    {.name = "group-by",
     .keys = "b",
     .hint = "group by",
     .help = "the matrix by other ends: groups, tags, users or nodes",
     .where = IN_REACH_TABLE,
     .rank = 4,
     .run = cmd_group,
     .refuse = refuse_matrix},
    {.name = "column-left",
     .keys = "h Left",
     .help = "a column to the left",
     .where = IN_REACH_TABLE,
     .run = cmd_left,
     .refuse = refuse_matrix},
    {.name = "column-right",
     .keys = "l Right",
     .help = "a column to the right",
     .where = IN_REACH_TABLE,
     .run = cmd_right,
     .refuse = refuse_matrix},
    {.name = "neighbours",
     .keys = "e",
     .hint = "neighbours",
     .help = "whom one reaches, and who reaches it, each on which ports",
     .args = "[NAME]",
     .where = IN_NODES | IN_NODE | IN_USERS,
     .rank = 30,
     .run = cmd_neighbours},
    {.name = "entry",
     .keys = "Enter",
     .hint = "entry",
     .help = "show the entry of the journal by which that changed",
     .where = IN_REACH_HISTORY,
     .needs = NEED_ROW,
     .rank = 1,
     .run = cmd_entry,
     .refuse = refuse_entry},
    {.name = "before",
     .keys = "b",
     .hint = "as before",
     .help = "show everything as it was just before that changed",
     .where = IN_REACH_HISTORY,
     .needs = NEED_ROW,
     .rank = 2,
     .run = cmd_before},
    {.name = "ask-again",
     .keys = "r",
     .hint = "ask again",
     .help = "ask the server again: the answer is as of when it was asked",
     .where = IN_REACH | IN_REACH_TABLE | IN_REACH_HISTORY,
     .rank = 8,
     .run = cmd_again,
     .refuse = refuse_again},
};

const struct command_table reach_commands = {.items = commands, .len = sizeof(commands) / sizeof(*commands)};

/* SPDX-License-Identifier: BSD-3-Clause */
/* Moving around: rows, groups, previous views. */
#include "console/commands/movement.h"

#include "console/app/app.h"
#include "console/dialogs/plan.h"
#include "console/past/past.h"
#include "console/routes/prefixes.h"

#define FAR 1000000000L /* farther than any list is long */

static void move(struct app *app, long rows)
{
    const struct console_view *view = app->place.view;
    struct list *l = app_list(app);

    if (view->move) {
        view->move(app, rows);
        return;
    }
    list_move(l, rows, app->at.now_ms);
    list_mark_range(l);
    if (view->moved)
        view->moved(app);
}

static long page(struct app *app)
{
    long height = app->place.view->move ? app->layout.body.rows : (long)app_list(app)->height;

    return height > 2 ? height - 1 : 1;
}

static void cmd_down(struct app *app, const char *arg)
{
    (void)arg;
    move(app, 1);
}

static void cmd_up(struct app *app, const char *arg)
{
    (void)arg;
    move(app, -1);
}

static void cmd_first(struct app *app, const char *arg)
{
    (void)arg;
    move(app, -FAR);
}

static void cmd_last_row(struct app *app, const char *arg)
{
    (void)arg;
    move(app, FAR);
}

static void cmd_half_down(struct app *app, const char *arg)
{
    (void)arg;
    move(app, page(app) / 2 + 1);
}

static void cmd_half_up(struct app *app, const char *arg)
{
    (void)arg;
    move(app, -(page(app) / 2 + 1));
}

static void cmd_page_down(struct app *app, const char *arg)
{
    (void)arg;
    move(app, page(app));
}

static void cmd_page_up(struct app *app, const char *arg)
{
    (void)arg;
    move(app, -page(app));
}

static void set_folded(struct app *app, bool folded)
{
    struct list *l = app_list(app);
    struct row *row = l->cursor;

    if (!l->def->folds)
        return;
    if (row && row->kind == ROW_PREFIX) {
        prefixes_fold(l, row, folded);
        return;
    }
    if (row && row->kind == ROW_ROUTE) {
        struct m_node *n = ((struct m_route *)row)->node;
        bool address = route_is_address((struct m_route *)row);

        /* The innermost fold first. */
        if (address && (folded ? n->row.opened : ((struct m_route *)row)->stands_for > 0)) {
            n->row.opened = !folded;
            l->forced = true;
            return;
        }
        row = &n->row;
    }
    if (app_node(app))
        return;
    if (!row || row->kind != ROW_NODE)
        return;
    row->folded = folded;
    l->cursor = folded ? row : l->cursor;
    l->forced = true;
}

static void cmd_fold(struct app *app, const char *arg)
{
    (void)arg;
    set_folded(app, true);
}

static void cmd_unfold(struct app *app, const char *arg)
{
    (void)arg;
    set_folded(app, false);
}

static const char *no_fold(struct app *app)
{
    const struct list *l = app_list(app);

    if (!l->def->folds)
        return "nothing folds in this list: prefixes do in :routes prefix, routes in :routes node";
    return l->cursor && l->cursor->kind == ROW_PREFIX ? prefixes_no_fold(l) : NULL;
}

/* Esc steps back, topmost state first. Dialogs and prompts handle Esc themselves. */
static void cmd_escape(struct app *app, const char *arg)
{
    struct list *l = app_list(app);

    (void)arg;
    if (app->place.view->escape && app->place.view->escape(app))
        return;
    if (app->flash.text && !app->flash.until_ms) {
        app->flash.until_ms = 1;
    } else if (app->plan_mode) {
        app->plan_mode = false;
    } else if (l->anchor) {
        l->anchor = NULL;
    } else if (app->then.on || app->then.request) {
        past_leave(app);
    } else if (app->frozen) {
        app_thaw(app);
    } else if (app->place.node || app->place.filter) {
        app_back(app);
    } else if (*l->filter_text) {
        if (list_filter(l, "", NULL, NULL) < 0)
            l->forced = true;
    }
}

static void cmd_close(struct app *app, const char *arg)
{
    (void)arg;
    if (app->place.view->escape && app->place.view->escape(app))
        return;
    if (app->plans)
        app_flash(app, ROLE_WARN, "a change is still being sent to the server; {quit} quits anyway");
    else if (app->place.view != app->tables->views[0] && app_back(app))
        return;
    else if (app_unsaved(app))
        app_flash(app, ROLE_WARN, "%s; {quit} quits, and the next console offers them", app_unsaved(app));
    else
        app->quit = true;
}

static void turn_part(struct app *app, int step)
{
    int count = view_part_count(app->place.view);

    if (count > 1)
        app_go(app, app->place.view, (app->place.part + step + count) % count, NULL);
}

static void cmd_previous_sub(struct app *app, const char *arg)
{
    (void)arg;
    turn_part(app, -1);
}

static void cmd_next_sub(struct app *app, const char *arg)
{
    (void)arg;
    turn_part(app, 1);
}

static void cmd_last_view(struct app *app, const char *arg)
{
    (void)arg;
    app_last(app);
}

static void cmd_back(struct app *app, const char *arg)
{
    (void)arg;
    if (!app_back(app))
        app_flash(app, ROLE_INFO, "there is no earlier view");
}

static void cmd_forward(struct app *app, const char *arg)
{
    (void)arg;
    app_forward(app);
}

static const char *no_pane(struct app *app)
{
    return app->pane.rows && app->pane.over && app->pane.part == app_part(app)
               ? NULL
               : "nothing below the list is out of sight";
}

static void scroll_pane(struct app *app, int step)
{
    int by = app->pane.rows > 3 ? app->pane.rows / 2 : 1, top = app->pane.top + step * by;

    app->pane.top = top < 0 ? 0 : top > app->pane.over ? app->pane.over : top;
}

static void cmd_pane_down(struct app *app, const char *arg)
{
    (void)arg;
    scroll_pane(app, 1);
}

static void cmd_pane_up(struct app *app, const char *arg)
{
    (void)arg;
    scroll_pane(app, -1);
}

static const struct console_command commands[] = {
    {.name = "down", .keys = "j Down", .help = "one row down", .where = IN_ANY, .run = cmd_down},
    {.name = "up", .keys = "k Up", .help = "one row up", .where = IN_ANY, .run = cmd_up},
    {.name = "first", .keys = "g Home", .help = "the first row", .where = IN_ANY, .run = cmd_first},
    {.name = "last-row", .keys = "G End", .help = "the last row", .where = IN_ANY, .run = cmd_last_row},
    {.name = "half-down", .keys = "Ctrl-D", .help = "half a screen down", .where = IN_ANY, .run = cmd_half_down},
    {.name = "half-up", .keys = "Ctrl-U", .help = "half a screen up", .where = IN_ANY, .run = cmd_half_up},
    {.name = "page-down", .keys = "PgDn Ctrl-F", .help = "a screen down", .where = IN_ANY, .run = cmd_page_down},
    {.name = "page-up", .keys = "PgUp Ctrl-B", .help = "a screen up", .where = IN_ANY, .run = cmd_page_up},
    {.name = "pane-down",
     .keys = "J",
     .help = "scroll the pane below the list down",
     .where = IN_LISTS,
     .run = cmd_pane_down,
     .refuse = no_pane},
    {.name = "pane-up",
     .keys = "K",
     .help = "scroll the pane below the list up",
     .where = IN_LISTS,
     .run = cmd_pane_up,
     .refuse = no_pane},
    {.name = "fold",
     .keys = "h Left",
     .help = "fold the group, what lies within a prefix, or the addresses of a node",
     .where = IN_ROUTES | IN_NODE | IN_PREFIXES,
     .run = cmd_fold,
     .refuse = no_fold},
    {.name = "unfold",
     .keys = "l Right",
     .help = "open the group, what lies within a prefix, or the addresses of a node",
     .where = IN_ROUTES | IN_NODE | IN_PREFIXES,
     .run = cmd_unfold,
     .refuse = no_fold},
    {.name = "escape",
     .keys = "Esc",
     .help = "step back: end the range, leave what was opened, clear the filter",
     .where = IN_ANY,
     .run = cmd_escape},
    {.name = "close",
     .keys = "q",
     .help = "close the view; quit from the first one",
     .where = IN_ANY,
     .run = cmd_close},
    {.name = "next",
     .keys = "Tab",
     .hint = "next",
     .help = "next part of the view",
     .where = IN_ROUTES | IN_PREFIXES | IN_KEYS | IN_CLIENTS | IN_USERS | IN_LOGINS | IN_PENDING | IN_MACHINES |
              IN_REACH | IN_REACH_TABLE | IN_REACH_HISTORY,
     .rank = 6,
     .run = cmd_next_sub},
    {.name = "previous",
     .keys = "Shift-Tab",
     .help = "previous part of the view",
     .where = IN_ROUTES | IN_PREFIXES | IN_KEYS | IN_CLIENTS | IN_USERS | IN_LOGINS | IN_PENDING | IN_MACHINES |
              IN_REACH | IN_REACH_TABLE | IN_REACH_HISTORY,
     .run = cmd_previous_sub},
    {.name = "last", .keys = "-", .help = "the last view", .where = IN_ANY, .run = cmd_last_view},
    {.name = "back", .keys = "[", .help = "back through the views", .where = IN_ANY, .run = cmd_back},
    {.name = "forward", .keys = "]", .help = "forward again", .where = IN_ANY, .run = cmd_forward},
};

const struct command_table movement_commands = {.items = commands, .len = sizeof(commands) / sizeof(*commands)};

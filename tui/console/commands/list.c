/* SPDX-License-Identifier: BSD-3-Clause */
/* What changes how a list is shown, and what concerns the console itself. */
#include "base/mem.h"
#include "console/commands/commands.h"

void cmd_filter(struct app *app, const char *arg)
{
    struct list *l = app_list(app);
    struct err e;

    if (!*arg)
        prompt_open(app, PROMPT_FILTER, l->filter_text);
    else if (list_filter(l, arg, NULL, &e) < 0)
        app_flash(app, ROLE_WARN, "%s", e.message);
}

void cmd_narrow(struct app *app, const char *arg)
{
    struct list *l = app_list(app);
    const struct row *row = l->cursor;
    struct buf filter = BUF_INIT(0);
    struct err e;

    (void)arg;
    if (row->kind == ROW_NODE && ((const struct m_node *)row)->tagged)
        buf_adds(&filter, ((const struct m_node *)row)->owner);
    else if (row->kind == ROW_NODE)
        buf_addf(&filter, "user:%s", ((const struct m_node *)row)->owner);
    else if (row->kind == ROW_ROUTE)
        buf_addf(&filter, "prefix:%s", row->key);
    else if (row->kind == ROW_EVENT)
        buf_addf(&filter, "kind:%s", ((const struct m_event *)row)->api.kind);
    else if (row->kind == ROW_PREAUTH_KEY && ((const struct m_preauth_key *)row)->api.user)
        buf_adds(&filter, ((const struct m_preauth_key *)row)->api.user->name);
    if (filter.len && list_filter(l, filter.data, NULL, &e) < 0)
        app_flash(app, ROLE_WARN, "%s", e.message);
    buf_release(&filter);
}

static void say_sort(struct app *app, const struct list *l)
{
    app_flash(app, ROLE_INFO, "sorted by %s%s", l->def->columns[l->sort].key, l->reverse ? ", reversed" : "");
}

void cmd_sort(struct app *app, const char *arg)
{
    struct list *l = app_list(app);

    if (l->def->tree) {
        app_flash(app, ROLE_WARN, "this list is in the order of nodes and prefixes");
        return;
    }
    for (int i = 0, column = l->sort; i < l->def->column_count; i++) {
        column = (column + 1) % l->def->column_count;
        const struct list_column *c = &l->def->columns[column];
        if (!c->compare || (*arg && !str_eq(c->key, arg)))
            continue;
        list_sort(l, column, false);
        say_sort(app, l);
        return;
    }
    app_flash(app, ROLE_WARN, "there is no column '%s' to sort by", arg);
}

void cmd_reverse(struct app *app, const char *arg)
{
    struct list *l = app_list(app);

    (void)arg;
    if (l->def->tree)
        return;
    list_sort(l, l->sort, !l->reverse);
    say_sort(app, l);
}

static void mark_row(struct app *app, struct row *row, bool marked)
{
    if (app_list(app)->def->kinds & 1U << ROW_ROUTE && row->kind == ROW_NODE) {
        struct m_node *n = (struct m_node *)row;

        for (size_t i = 0; i < n->routes.len; i++)
            n->routes.items[i]->row.marked = marked;
    } else {
        row->marked = marked && !row->gone_ms;
    }
}

static bool is_marked(struct app *app, const struct row *row)
{
    if (!(app_list(app)->def->kinds & 1U << ROW_ROUTE) || row->kind != ROW_NODE)
        return row->marked;
    const struct m_node *n = (const struct m_node *)row;
    for (size_t i = 0; i < n->routes.len; i++)
        if (!n->routes.items[i]->row.marked)
            return false;
    return true;
}

void cmd_mark(struct app *app, const char *arg)
{
    struct list *l = app_list(app);

    (void)arg;
    if (!l->cursor)
        return;
    mark_row(app, l->cursor, !is_marked(app, l->cursor));
    list_move(l, 1, app->at.now_ms);
}

void cmd_range(struct app *app, const char *arg)
{
    struct list *l = app_list(app);

    (void)arg;
    l->anchor = l->anchor ? NULL : l->cursor;
    list_mark_range(l);
}

void cmd_invert(struct app *app, const char *arg)
{
    struct list *l = app_list(app);
    bool routes = l->def->kinds & 1U << ROW_ROUTE;

    (void)arg;
    for (size_t i = 0; i < l->order.len; i++)
        if (!routes || l->order.items[i]->kind == ROW_ROUTE)
            mark_row(app, l->order.items[i], !l->order.items[i]->marked);
}

void cmd_mark_by(struct app *app, const char *arg)
{
    struct list *l = app_list(app);
    struct filter f = {0};
    struct err e;
    size_t count = 0;

    if (!*arg) {
        prompt_open(app, PROMPT_MARK, "");
        return;
    }
    if (filter_parse(arg, &l->def->fields, &f, NULL, &e) < 0) {
        app_flash(app, ROLE_WARN, "%s", e.message);
        return;
    }
    for (size_t i = 0; i < l->order.len; i++) {
        struct row *row = l->order.items[i];

        if ((l->def->tree && row->kind == ROW_NODE) || !filter_match(&f, &l->def->fields, row, app->at.now_ns))
            continue;
        mark_row(app, row, true);
        count++;
    }
    filter_release(&f);
    app_flash(app, ROLE_INFO, "%zu marked", count);
}

void cmd_clear_marks(struct app *app, const char *arg)
{
    struct rows marked = {0};
    size_t hidden;

    (void)arg;
    app_marked(app, &marked, &hidden);
    for (size_t i = 0; i < marked.len; i++) {
        marked.items[i]->marked = false;
        free(marked.items[i]->failure);
        marked.items[i]->failure = NULL;
    }
    vec_release(&marked);
    app_list(app)->anchor = NULL;
}

void cmd_prompt(struct app *app, const char *arg)
{
    (void)arg;
    prompt_open(app, PROMPT_COMMAND, "");
}

void cmd_help(struct app *app, const char *arg)
{
    (void)arg;
    dialog_help(app);
}

void cmd_why(struct app *app, const char *arg)
{
    struct buf text = BUF_INIT(0);
    const struct row *row = app_list(app)->cursor;

    (void)arg;
    if (!row && app_node(app))
        row = &app_node(app)->row;
    if (!row)
        return;
    why_lines(app, row, &text);
    dialog_text(app, "why", buf_take(&text));
}

void cmd_peek(struct app *app, const char *arg)
{
    (void)arg;
    app->peek = app->peek_chosen ? !app->peek : app->layout.peek.cols == 0;
    app->peek_chosen = true;
    if (view_get(app->place.view)->panes[app->place.sub])
        app_flash(app, ROLE_INFO, "here the pane below says it");
    else if (app->canvas.cols < LAYOUT_PEEK_COLS)
        app_flash(app, ROLE_WARN, "the pane needs %d columns", LAYOUT_PEEK_COLS);
}

void cmd_freeze(struct app *app, const char *arg)
{
    (void)arg;
    if (app->frozen)
        app_thaw(app);
    else
        app->frozen = true;
}

void cmd_follow(struct app *app, const char *arg)
{
    (void)arg;
    app->follow = !app->follow;
}

void cmd_messages(struct app *app, const char *arg)
{
    struct buf text = BUF_INIT(0);

    (void)arg;
    for (size_t i = 0; i < app->messages.len; i++)
        buf_addf(&text, "%s\n", app->messages.items[i]);
    if (!text.len)
        buf_adds(&text, "nothing was said yet\n");
    dialog_text(app, "messages", buf_take(&text));
}

static void go_to_server(struct app *app, const char *name)
{
    for (size_t i = 0; i < app->servers.len; i++)
        if (str_eq(app->servers.items[i], name)) {
            app->want_server = i != app->server;
            app->server = i;
            return;
        }
    app_flash(app, ROLE_WARN, "no server of your list is called '%s'", name);
}

void cmd_server(struct app *app, const char *arg)
{
    if (app->plans) {
        app_flash(app, ROLE_WARN, "server: a change is still on its way");
    } else if (policy_page_modified(app)) {
        app_flash(app, ROLE_WARN, "server: the policy's text is not saved; save it or take it back first");
    } else if (*arg) {
        go_to_server(app, arg);
    } else if (app->servers.len < 2) {
        app_flash(app, ROLE_INFO, "your list names no other server: headway-console(1) says how it is written");
    } else {
        dialog_choice(app, "servers", "Enter go there   Esc cancel", go_to_server);
        app->dialog.label = "server: ";
        for (size_t i = 0; i < app->servers.len; i++) {
            char *line = mem_format("%s%s", app->servers.items[i], i == app->server ? "  (here)" : "");

            dialog_add_choice(app, app->servers.items[i], line);
            free(line);
        }
    }
}

void cmd_set(struct app *app, const char *arg)
{
    const char *value = arg + strcspn(arg, " ");
    size_t len = (size_t)(value - arg);

    value += strspn(value, " ");
    if (len == 5 && strncmp(arg, "theme", 5) == 0 && theme_find(value) >= 0) {
        app->theme = theme_find(value);
        app->colour_changes++;
    } else if (len == 5 && strncmp(arg, "mouse", 5) == 0 && (str_eq(value, "on") || str_eq(value, "off"))) {
        app->mouse = str_eq(value, "on");
    } else {
        app_flash(app, ROLE_WARN, "set takes: theme dark, theme light, theme mono, mouse on, mouse off");
    }
}

void cmd_retry(struct app *app, const char *arg)
{
    (void)arg;
    if (app->conn.state == CONN_LIVE && !app_late(app))
        app_flash(app, ROLE_INFO, "the connection is live: what you see is current");
    else if (app->net.retry)
        app->net.retry(app->net.context);
}

void cmd_repaint(struct app *app, const char *arg)
{
    (void)arg;
    app->want_repaint = true;
}

void cmd_suspend(struct app *app, const char *arg)
{
    (void)arg;
    app->want_suspend = true;
}

void cmd_quit(struct app *app, const char *arg)
{
    (void)arg;
    app->quit = true;
}

void cmd_plan(struct app *app, const char *arg)
{
    (void)arg;
    app->plan_mode = !app->plan_mode;
}

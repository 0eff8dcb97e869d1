/* SPDX-License-Identifier: BSD-3-Clause */
/* Getting around: rows, groups, views. */
#include "base/mem.h"
#include "console/commands/commands.h"

static void move(struct app *app, long rows)
{
    struct list *l = app_list(app);

    if (app->place.view == VIEW_POLICY) {
        policy_page_move(app, rows);
        return;
    }
    if (app->place.view == VIEW_EVENTS)
        app->follow = false;
    list_move(l, rows, app->at.now_ms);
    list_mark_range(l);
}

static long rows_of(struct app *app)
{
    if (app->place.view != VIEW_POLICY)
        return (long)app_list(app)->order.len;
    return (long)(app->policy.editor.text.lines.len + app->policy.panes[app->policy.pane].len);
}

static long page(struct app *app)
{
    long height = app->place.view == VIEW_POLICY ? app->layout.body.rows : (long)app_list(app)->height;

    return height > 2 ? height - 1 : 1;
}

void cmd_down(struct app *app, const char *arg)
{
    (void)arg;
    move(app, 1);
}

void cmd_up(struct app *app, const char *arg)
{
    (void)arg;
    move(app, -1);
}

void cmd_first(struct app *app, const char *arg)
{
    (void)arg;
    move(app, -rows_of(app));
}

void cmd_last_row(struct app *app, const char *arg)
{
    (void)arg;
    move(app, rows_of(app));
}

void cmd_half_down(struct app *app, const char *arg)
{
    (void)arg;
    move(app, page(app) / 2 + 1);
}

void cmd_half_up(struct app *app, const char *arg)
{
    (void)arg;
    move(app, -(page(app) / 2 + 1));
}

void cmd_page_down(struct app *app, const char *arg)
{
    (void)arg;
    move(app, page(app));
}

void cmd_page_up(struct app *app, const char *arg)
{
    (void)arg;
    move(app, -page(app));
}

static void set_folded(struct app *app, bool folded)
{
    if (app_list_id(app) != LIST_ROUTES)
        return;
    struct list *l = app_list(app);
    struct row *row = l->cursor;

    if (row && row->kind == ROW_ROUTE)
        row = &((struct m_route *)row)->node->row;
    if (!row || row->kind != ROW_NODE)
        return;
    row->folded = folded;
    l->cursor = folded ? row : l->cursor;
    l->forced = true;
}

void cmd_fold(struct app *app, const char *arg)
{
    (void)arg;
    set_folded(app, true);
}

void cmd_unfold(struct app *app, const char *arg)
{
    (void)arg;
    set_folded(app, false);
}

static void open_event(struct app *app, const struct m_event *e)
{
    const struct m_node *node = str_eq(e->api.object, "node") ? model_node(&app->model, e->api.object_id) : NULL;

    if (node)
        app_go(app, VIEW_NODE, 0, node->row.key);
    else if (str_eq(e->api.object, "prefix"))
        cmd_routes(app, "prefix");
    else
        cmd_why(app, "");
}

void cmd_open(struct app *app, const char *arg)
{
    struct row *row = app_list(app)->cursor;

    (void)arg;
    if (!row)
        return;
    switch (row->kind) {
    case ROW_NODE:
        if (!row->gone_ms)
            app_go(app, VIEW_NODE, 0, row->key);
        break;
    case ROW_ROUTE:
        if (app->place.view == VIEW_NODE)
            cmd_why(app, "");
        else
            app_go(app, VIEW_NODE, 0, ((struct m_route *)row)->node->row.key);
        break;
    case ROW_PREFIX:
        cmd_routes(app, "node");
        if (list_filter(app_list(app), row->key, NULL, NULL) < 0)
            app_flash(app, ROLE_WARN, "no routes of %s", row->key);
        break;
    case ROW_EVENT:
        open_event(app, (struct m_event *)row);
        break;
    case ROW_PENDING:
        cmd_admit(app, "");
        break;
    case ROW_USER: {
        char *filter = mem_format("user:%s", ((struct m_user *)row)->api.name);

        cmd_nodes(app, filter);
        free(filter);
        break;
    }
    case ROW_PREAUTH_KEY:
    case ROW_API_KEY:
        cmd_why(app, "");
        break;
    case ROW_KINDS:
        break;
    }
}

/* The ladder: what lies on top goes first. Dialogs and prompts take Esc themselves. */
void cmd_escape(struct app *app, const char *arg)
{
    struct list *l = app_list(app);

    (void)arg;
    if (policy_page_escape(app))
        return;
    if (app->flash.text && !app->flash.until_ms) {
        app->flash.until_ms = 1;
    } else if (app->plan_mode) {
        app->plan_mode = false;
    } else if (l->anchor) {
        l->anchor = NULL;
    } else if (app->frozen) {
        app_thaw(app);
    } else if (*l->filter_text) {
        if (list_filter(l, "", NULL, NULL) < 0)
            l->forced = true;
    } else if (app->place.view == VIEW_NODE) {
        app_back(app);
    }
}

void cmd_close(struct app *app, const char *arg)
{
    (void)arg;
    if (policy_page_escape(app))
        return;
    if (app->plans)
        app_flash(app, ROLE_WARN, "a change is still on its way to the server; Ctrl-C quits all the same");
    else if (app->place.view != VIEW_NODES && app_back(app))
        return;
    else if (policy_page_modified(app))
        app_flash(app, ROLE_WARN,
                  "the policy (4) has changes that are not saved; Ctrl-C quits, they are offered again");
    else
        app->quit = true;
}

static void turn_sub(struct app *app, int step)
{
    const struct console_view *v = view_get(app->place.view);
    int count = 0;

    while (count < SUBS_MAX && v->subs[count])
        count++;
    if (count)
        app_go(app, app->place.view, (app->place.sub + step + count) % count, NULL);
}

void cmd_previous_sub(struct app *app, const char *arg)
{
    (void)arg;
    turn_sub(app, -1);
}

void cmd_next_sub(struct app *app, const char *arg)
{
    (void)arg;
    turn_sub(app, 1);
}

static void show(struct app *app, enum view_id view, int sub, const char *filter)
{
    struct err e;

    app_go(app, view, sub, NULL);
    if (*filter && list_filter(app_list(app), filter, NULL, &e) < 0)
        app_flash(app, ROLE_WARN, "%s", e.message);
}

/* The number of the view's half that arg begins with, and what follows it. */
static const char *sub_of(enum view_id view, const char *arg, int *sub)
{
    const struct console_view *v = view_get(view);
    size_t len = strcspn(arg, " ");

    for (int i = 0; i < SUBS_MAX && v->subs[i]; i++)
        if (len && strlen(v->subs[i]) == len && strncmp(v->subs[i], arg, len) == 0) {
            *sub = i;
            return arg + len + strspn(arg + len, " ");
        }
    return arg;
}

void cmd_nodes(struct app *app, const char *arg)
{
    show(app, VIEW_NODES, 0, arg);
}

void cmd_routes(struct app *app, const char *arg)
{
    int sub = app->place.view == VIEW_ROUTES ? app->place.sub : 0;
    const char *filter = sub_of(VIEW_ROUTES, arg, &sub);

    show(app, VIEW_ROUTES, sub, filter);
}

void cmd_events(struct app *app, const char *arg)
{
    show(app, VIEW_EVENTS, 0, arg);
}

void cmd_users(struct app *app, const char *arg)
{
    show(app, VIEW_USERS, 0, arg);
}

void cmd_keys(struct app *app, const char *arg)
{
    int sub = app->place.view == VIEW_KEYS ? app->place.sub : 0;
    const char *filter = sub_of(VIEW_KEYS, arg, &sub);

    show(app, VIEW_KEYS, sub, filter);
}

void cmd_pending(struct app *app, const char *arg)
{
    show(app, VIEW_PENDING, 0, arg);
}

void cmd_node(struct app *app, const char *arg)
{
    const struct row_table *t = model_table(&app->model, ROW_NODE);

    for (size_t i = 0; i < t->rows.len; i++) {
        const struct m_node *n = (const struct m_node *)t->rows.items[i];

        if (!n->row.gone_ms && (str_eq(n->api.given_name, arg) || str_eq(n->row.key, arg))) {
            app_go(app, VIEW_NODE, 0, n->row.key);
            return;
        }
    }
    app_flash(app, ROLE_WARN, "no node is called '%s'", arg);
}

void cmd_last_view(struct app *app, const char *arg)
{
    (void)arg;
    app_last(app);
}

void cmd_back(struct app *app, const char *arg)
{
    (void)arg;
    if (!app_back(app))
        app_flash(app, ROLE_INFO, "this is the first view");
}

void cmd_forward(struct app *app, const char *arg)
{
    (void)arg;
    app_forward(app);
}

static struct m_node *node_under_cursor(struct app *app)
{
    struct row *row = app->place.view == VIEW_NODE ? NULL : app_list(app)->cursor;

    if (row && row->kind == ROW_ROUTE)
        return ((struct m_route *)row)->node;
    return row && row->kind == ROW_NODE ? (struct m_node *)row : app_node(app);
}

void cmd_routes_of(struct app *app, const char *arg)
{
    struct m_node *n = node_under_cursor(app);

    (void)arg;
    if (!n || !n->routes.len) {
        app_flash(app, ROLE_WARN, "%s advertises no routes", n ? n->api.given_name : "it");
        return;
    }
    cmd_routes(app, "node");
    struct list *l = app_list(app);
    /* An older filter may hide what was asked for. */
    if (*l->filter_text && list_filter(l, "", NULL, NULL) < 0)
        l->forced = true;
    list_refresh(l, &app->model, &app->at);
    n->row.folded = false;
    l->cursor = &n->routes.items[0]->row;
    l->forced = true;
}

void cmd_events_of(struct app *app, const char *arg)
{
    struct m_node *n = node_under_cursor(app);
    const struct row *row = app_list(app)->cursor;
    const char *name = n                              ? n->api.given_name
                       : row && row->kind == ROW_USER ? ((const struct m_user *)row)->api.name
                                                      : NULL;

    (void)arg;
    if (!name)
        name = row ? row->key : "";
    char *filter = mem_format("object:%s", name);
    cmd_events(app, filter);
    free(filter);
}

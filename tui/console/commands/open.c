/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands that lead from one object to another view: open it, its routes, its events, why it is in this state. */
#include "console/commands/open.h"

#include "base/mem.h"
#include "console/app/app.h"
#include "console/commands/object_changes.h"
#include "console/dialogs/dialog.h"
#include "console/pulse/pulse.h"
#include "console/routes/routes.h"
#include "console/views/events.h"
#include "console/views/node.h"
#include "console/views/nodes.h"
#include "console/views/why.h"

static void why(struct app *app)
{
    struct buf text = BUF_INIT(0);
    const struct row *row = app_list(app)->cursor;

    if (!row && app_node(app))
        row = &app_node(app)->row;
    if (!row)
        return;
    why_lines(app, row, &text);
    dialog_text(app, "why", buf_take(&text));
}

/* Jumps to the rows with exactly this value of a field. */
static void jump_to(struct app *app, const struct console_view *view, const char *part, const char *field,
                    const char *value)
{
    struct buf filter = BUF_INIT(0);

    filter_exactly(field, value, &filter);
    app_jump(app, view, part, buf_text(&filter));
    buf_release(&filter);
}

static void open_event(struct app *app, const struct m_event *e)
{
    const struct m_node *node = str_eq(e->api.object, "node") ? model_node(&app->model, e->api.object_id) : NULL;

    if (node)
        app_go(app, &node_view, 0, node->row.key);
    else if (str_eq(e->api.object, "prefix"))
        jump_to(app, &routes_view, "prefix", "prefix", e->api.object_name);
    else
        why(app);
}

static void cmd_open(struct app *app, const char *arg)
{
    struct row *row = app_list(app)->cursor;

    (void)arg;
    if (!row)
        return;
    switch (row->kind) {
    case ROW_NODE:
        if (!row->gone_ms)
            app_go(app, &node_view, 0, row->key);
        break;
    case ROW_ROUTE:
        if (app->place.node)
            why(app);
        else
            app_go(app, &node_view, 0, ((struct m_route *)row)->node->row.key);
        break;
    case ROW_PREFIX:
        jump_to(app, &routes_view, "node", "prefix", row->key);
        break;
    case ROW_EVENT:
        open_event(app, (struct m_event *)row);
        break;
    case ROW_PENDING:
        admit(app, "");
        break;
    case ROW_USER:
        jump_to(app, &nodes_view, "", "user", ((struct m_user *)row)->api.name);
        break;
    case ROW_PREAUTH_KEY:
    case ROW_API_KEY:
    case ROW_OAUTH_CLIENT:
    case ROW_WEBHOOK:
    case ROW_DNS:
    case ROW_LOGIN:
        why(app);
        break;
    case ROW_NEED:
        pulse_open(app, (const struct m_need *)row);
        break;
    case ROW_KINDS:
        break;
    }
}

static void cmd_node(struct app *app, const char *arg)
{
    const struct row_table *t = model_table(&app->model, ROW_NODE);

    for (size_t i = 0; i < t->rows.len; i++) {
        const struct m_node *n = (const struct m_node *)t->rows.items[i];

        if (!n->row.gone_ms && (str_eq(n->api.given_name, arg) || str_eq(n->row.key, arg))) {
            app_go(app, &node_view, 0, n->row.key);
            return;
        }
    }
    if (*arg)
        app_flash(app, ROLE_WARN, "no node is called '%.80s'", arg);
    else
        app_flash(app, ROLE_WARN, "node: which one? :node NAME");
}

static struct m_node *node_under_cursor(struct app *app)
{
    struct row *row = app->place.node ? NULL : app_list(app)->cursor;

    if (row && row->kind == ROW_ROUTE)
        return ((struct m_route *)row)->node;
    return row && row->kind == ROW_NODE ? (struct m_node *)row : app_node(app);
}

static void cmd_routes_of(struct app *app, const char *arg)
{
    struct m_node *n = node_under_cursor(app);

    (void)arg;
    if (!n || !n->routes.len) {
        app_flash(app, ROLE_WARN, "%s advertises no routes", n ? n->api.given_name : "it");
        return;
    }
    app_jump(app, &routes_view, "node", ""); /* an older filter might hide it */
    struct list *l = app_list(app);
    list_refresh(l, &app->model, &app->at);
    n->row.folded = false;
    l->cursor = &n->routes.items[0]->row;
    l->forced = true;
}

/* The journal uses the same names as the list. */
static bool has_events(enum row_kind kind)
{
    return kind == ROW_USER || kind == ROW_OAUTH_CLIENT || kind == ROW_WEBHOOK;
}

static void cmd_events_of(struct app *app, const char *arg)
{
    struct m_node *n = node_under_cursor(app);
    const struct row *row = app_list(app)->cursor;
    const char *name = n ? n->api.given_name : row && has_events(row->kind) ? row_label(row) : NULL;

    (void)arg;
    if (!name)
        name = row ? row->key : "";
    jump_to(app, &events_view, "", "object", name);
}

static void cmd_why(struct app *app, const char *arg)
{
    (void)arg;
    why(app);
}

static const char *node_names(struct app *app, size_t index)
{
    const struct row_table *t = model_table(&app->model, ROW_NODE);

    return index < t->rows.len ? ((const struct m_node *)t->rows.items[index])->api.given_name : NULL;
}

static const struct console_command commands[] = {
    {.name = "open",
     .keys = "Enter",
     .hint = "open",
     .help = "open the selected object",
     .where = IN_LISTS | IN_NODE,
     .needs = NEED_ROW,
     .rank = 1,
     .run = cmd_open},
    {.name = "node",
     .keys = "",
     .help = "open a node by its name",
     .args = "NAME",
     .where = IN_ANY,
     .run = cmd_node,
     .complete = node_names},
    {.name = "routes-of",
     .keys = "r",
     .hint = "routes",
     .help = "show the node's routes",
     .where = IN_NODES | IN_NODE,
     .needs = NEED_ROW,
     .rank = 5,
     .run = cmd_routes_of},
    {.name = "events-of",
     .keys = "L",
     .hint = "events",
     .help = "show the object's events",
     .where = ROUTES_OF_ANY | IN_USERS | IN_CLIENTS | IN_WEBHOOKS,
     .needs = NEED_ROW,
     .rank = 12,
     .run = cmd_events_of},
    {.name = "why",
     .keys = "w",
     .hint = "why",
     .help = "explain why it is in this state",
     .where = IN_LISTS | IN_NODE,
     .needs = NEED_ROW,
     .rank = 5,
     .run = cmd_why},
};

const struct command_table open_commands = {.items = commands, .len = sizeof(commands) / sizeof(*commands)};

/* SPDX-License-Identifier: BSD-3-Clause */
/* What is done to routes: each action becomes a plan, one call for each node. */
#include "console/commands/route_changes.h"

#include <stdio.h>

#include "base/map.h"
#include "base/mem.h"
#include "console/app/app.h"
#include "console/commands/node_changes.h"
#include "console/commands/object_changes.h"
#include "console/commands/targets.h"
#include "console/dialogs/dialog.h"
#include "console/dialogs/plan.h"
#include "console/model/findings.h"
#include "json/json.h"

typedef VEC(struct m_route *) route_list;

static struct m_route *route_on(struct m_node *n, const char *prefix)
{
    for (size_t i = 0; n && i < n->routes.len; i++)
        if (str_eq(n->routes.items[i]->row.key, prefix))
            return n->routes.items[i];
    return NULL;
}

static bool waits(const struct m_route *r)
{
    return r->api.state == ROUTE_AVAILABLE;
}

static bool is_approved(const struct m_route *r)
{
    return r->api.state != ROUTE_AVAILABLE;
}

static void add_route(route_list *out, struct m_route *r, bool (*wanted)(const struct m_route *))
{
    if (!r || r->row.gone_ms || !r->node || !wanted(r))
        return;
    for (size_t i = 0; i < out->len; i++)
        if (out->items[i] == r)
            return;
    vec_push(out, r);
    /* Both exit routes of a node are approved and revoked together. */
    for (size_t i = 0; r->api.exit && i < r->node->routes.len; i++)
        if (r->node->routes.items[i]->api.exit)
            add_route(out, r->node->routes.items[i], wanted);
}

/* A row that stands for many addresses is all of them. */
static void add_folded(route_list *out, struct m_route *r, bool (*wanted)(const struct m_route *))
{
    add_route(out, r, wanted);
    for (size_t i = 0; r->stands_for && r->node && i < r->node->routes.len; i++) {
        struct m_route *other = r->node->routes.items[i];

        if (other->row.folded && other->api.state == r->api.state)
            add_route(out, other, wanted);
    }
}

/* The routes that rows stand for: a node's are all of its, a prefix's are those of all its routers. */
static void expand(struct app *app, const struct rows *rows, bool (*wanted)(const struct m_route *), route_list *out)
{
    for (size_t i = 0; i < rows->len; i++) {
        struct row *row = rows->items[i];

        if (row->kind == ROW_ROUTE) {
            add_folded(out, (struct m_route *)row, wanted);
        } else if (row->kind == ROW_NODE) {
            struct m_node *n = (struct m_node *)row;

            for (size_t j = 0; j < n->routes.len; j++)
                add_route(out, n->routes.items[j], wanted);
        } else if (row->kind == ROW_PREFIX) {
            const struct m_prefix *p = (const struct m_prefix *)row;

            for (size_t j = 0; j < p->api.routers.len; j++)
                add_route(out, route_on(model_node(&app->model, router_at(p, j)->node), row->key), wanted);
        }
    }
}

/* ranks: of nodes, by their ids: where they come first. */
static int by_node(const void *a, const void *b, void *ranks)
{
    const struct m_route *p = *(struct m_route *const *)a, *q = *(struct m_route *const *)b;

    if (p->node != q->node)
        return (uintptr_t)map_getu(ranks, p->node->api.id) < (uintptr_t)map_getu(ranks, q->node->api.id) ? -1 : 1;
    return prefix_cmp(&p->api.prefix, &q->api.prefix);
}

/* One request for each node: its routes stand together, nodes in the order in which they are shown. */
static void group_by_node(route_list *routes)
{
    struct map ranks = {0};

    for (size_t i = 0; i < routes->len; i++)
        if (!map_getu(&ranks, routes->items[i]->node->api.id))
            map_putu(&ranks, routes->items[i]->node->api.id, (void *)(uintptr_t)(i + 1));
    if (routes->len > 1)
        qsort_r(routes->items, routes->len, sizeof(*routes->items), by_node, &ranks);
    map_release(&ranks);
}

static void targets_of(struct app *app, bool (*wanted)(const struct m_route *), route_list *out)
{
    struct rows rows = {0};

    app_targets(app, &rows);
    if (!rows.len && app_node(app))
        vec_push(&rows, &app_node(app)->row);
    expand(app, &rows, wanted, out);
    vec_release(&rows);
    group_by_node(out);
}

static char *routes_body(const route_list *routes, size_t from, size_t to, const char *verb)
{
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);

    json_open(&o, '{');
    json_key(&o, verb);
    json_open(&o, '[');
    for (size_t i = from; i < to; i++)
        json_str(&o, routes->items[i]->row.key);
    json_close(&o, ']');
    json_close(&o, '}');
    return buf_take(&b);
}

/* What the last check of all routes found wrong with these; NULL: nothing. The dry run has the last word. */
static char *known_warnings(const struct app *app, const route_list *routes, size_t from, size_t to)
{
    struct buf b = BUF_INIT(0);

    for (size_t i = from; i < to; i++) {
        const struct row *row = &routes->items[i]->row;

        if (row->facts && row->facts->warnings)
            findings_of(&app->model, routes->items[i]->node->api.id, row->key, &b);
    }
    return b.len ? buf_take(&b) : NULL;
}

#define NODES_NAMED 3 /* in one line */

/* The routes of one exit node, which are approved and revoked together whichever it advertises; NULL: they are not. */
static const char *exit_pair(const route_list *routes)
{
    for (size_t i = 0; i < routes->len; i++)
        if (!routes->items[i]->api.exit || routes->items[i]->node != routes->items[0]->node)
            return NULL;
    return "exit node (0.0.0.0/0, ::/0)";
}

static void describe(struct plan *p, const route_list *routes, const char *verb, const char *past)
{
    struct buf names = BUF_INIT(0);
    size_t count = routes->len, nodes = p->calls.len, named = 0, most = nodes > NODES_NAMED ? NODES_NAMED - 1 : nodes;

    for (size_t i = 0; i < count && named < most; i++)
        if (!i || routes->items[i]->node != routes->items[i - 1]->node)
            buf_addf(&names, "%s%s", named++ ? ", " : "", routes->items[i]->node->api.given_name);
    if (named < nodes)
        buf_addf(&names, " and %zu more nodes", nodes - named);
    const char *exit = exit_pair(routes);
    if (exit) {
        p->title = mem_format("%s %s as %s", verb, names.data, exit);
        p->done = mem_format("%s %s as %s", names.data, past, exit);
    } else if (count == 1) {
        p->title = mem_format("%s %s on %s", verb, routes->items[0]->row.key, names.data);
        p->done = mem_format("%s %s on %s", routes->items[0]->row.key, past, names.data);
    } else {
        p->title = mem_format("%s %zu routes on %zu node%s", verb, count, nodes, nodes == 1 ? "" : "s");
        p->done = mem_format("%zu routes %s on %s", count, past, names.data);
    }
    buf_release(&names);
}

static void plan_routes(struct app *app, route_list *routes, bool approve)
{
    const char *verb = approve ? "approve" : "revoke";
    struct plan *p = plan_new(approve ? RISK_NONE : RISK_ASK, verb);

    p->undoable = true;
    for (size_t from = 0, to; from < routes->len; from = to) {
        struct m_node *n = routes->items[from]->node;

        for (to = from; to < routes->len && routes->items[to]->node == n; to++)
            ;
        size_t call = plan_add_request(p, "POST", mem_format("/api/headway/nodes/%s/routes", n->row.key),
                                       routes_body(routes, from, to, verb), n->api.version, ROW_NODE);
        for (size_t i = from; i < to; i++) {
            const struct m_route *r = routes->items[i];
            char *what = mem_format("%s\t%s", n->api.given_name, r->row.key);
            plan_add_step(p, call, &r->row, n->row.key, what,
                          approve ? "not approved" : glyph_word(route_state_glyph(r->api.state)),
                          approve ? "approved" : "not approved");
            free(what);
        }
        if (approve)
            p->calls.items[call].warnings = known_warnings(app, routes, from, to);
    }
    describe(p, routes, verb, approve ? "approved" : "revoked");
    plan_submit(app, p);
}

static void approve_or_revoke(struct app *app, bool approve)
{
    route_list routes = {0};

    targets_of(app, approve ? waits : is_approved, &routes);
    if (routes.len)
        plan_routes(app, &routes, approve);
    vec_release(&routes);
}

static void cmd_approve(struct app *app, const char *arg)
{
    const struct row *row = app_list(app)->cursor;
    route_list routes = {0};

    (void)arg;
    if (row && row->kind == ROW_NODE && !row->gone_ms && approval_waits(app)) {
        approve_machines(app);
        return;
    }
    targets_of(app, waits, &routes);
    if (row && row->kind == ROW_PENDING && !row->gone_ms && !routes.len)
        admit(app, "");
    else
        approve_or_revoke(app, true);
    vec_release(&routes);
}

static void cmd_approve_all(struct app *app, const char *arg)
{
    struct row *row = app_list(app)->cursor;
    struct rows rows = {0};
    route_list routes = {0};

    (void)arg;
    if (row && row->kind == ROW_ROUTE)
        row = &((struct m_route *)row)->node->row;
    if (!row && app_node(app))
        row = &app_node(app)->row;
    if (row)
        vec_push(&rows, row);
    expand(app, &rows, waits, &routes);
    if (routes.len)
        plan_routes(app, &routes, true);
    else
        app_flash(app, ROLE_INFO, "no route is waiting for approval there");
    vec_release(&rows);
    vec_release(&routes);
}

static void cmd_revoke(struct app *app, const char *arg)
{
    (void)arg;
    approve_or_revoke(app, false);
}

static const char *refuse_approve(struct app *app)
{
    const struct row *row = app_list(app)->cursor;
    route_list routes = {0};

    if (row && (row->kind == ROW_PENDING || (row->kind == ROW_NODE && approval_waits(app))))
        return NULL;
    targets_of(app, waits, &routes);
    size_t count = routes.len;
    vec_release(&routes);
    return count ? NULL : "no route is waiting for approval";
}

static const char *refuse_revoke(struct app *app)
{
    route_list routes = {0};

    targets_of(app, is_approved, &routes);
    size_t count = routes.len;
    vec_release(&routes);
    return count ? NULL : "it is not approved";
}

/* ---- who serves ---- */

static void plan_primary(struct app *app, const char *prefix, const char *node)
{
    const struct m_route *r = route_on(model_find(&app->model, ROW_NODE, node), prefix);
    struct plan *p;

    if (!r) {
        app_flash(app, ROLE_WARN, "that node no longer routes %s", prefix);
        return;
    }
    p = plan_new(RISK_ASK, "make primary");
    p->undoable = true;
    size_t call = plan_add_request(p, "POST", prefix_path(prefix, "/primary"), mem_format("{\"node\":\"%s\"}", node), 0,
                                   ROW_PREFIX);
    char *after = mem_format("served by %s", r->node->api.given_name);
    char *before = mem_format("served by %s", *r->api.primary_name ? r->api.primary_name : "nobody");
    plan_add_step(p, call, &r->row, node, prefix, before, after);
    p->title = mem_format("make %s primary for %s", r->node->api.given_name, prefix);
    p->done = mem_format("%s serves %s", r->node->api.given_name, prefix);
    free(after);
    free(before);
    plan_submit(app, p);
}

static void primary_chosen(struct app *app, const char *node)
{
    plan_primary(app, app->dialog->row_key, node);
}

/* Who serves within a group of via can serve everybody else too. */
static bool may_become_primary(int state, bool serves_all)
{
    return state == ROUTE_STANDBY || state == ROUTE_UNHEALTHY || (state == ROUTE_SERVING && !serves_all);
}

static const char *refuse_route_primary(const struct m_route *r)
{
    if (r->api.exit)
        return "exit routes have no primary: every approved exit node serves";
    if (r->api.state == ROUTE_SERVING && r->api.primary == r->node->api.id)
        return "it is the primary already";
    if (r->api.state == ROUTE_AVAILABLE)
        return "it is not approved";
    if (r->api.state == ROUTE_APPROVED)
        return "the node does not advertise it";
    return r->api.state == ROUTE_OFFLINE ? "the node is offline" : NULL;
}

static const char *refuse_primary(struct app *app)
{
    const struct row *row = app_list(app)->cursor;

    if (row && row->kind == ROW_ROUTE)
        return refuse_route_primary((const struct m_route *)row);
    if (!row || row->kind != ROW_PREFIX)
        return "the selection is not a route";
    const struct m_prefix *p = (const struct m_prefix *)row;
    if (p->api.exit)
        return "exit routes have no primary: every approved exit node serves";
    for (size_t i = 0; i < p->api.routers.len; i++)
        if (may_become_primary(router_at(p, i)->state, router_at(p, i)->node == p->api.primary))
            return NULL;
    return "no other router can serve it";
}

static void cmd_primary(struct app *app, const char *arg)
{
    const struct row *row = app_list(app)->cursor;
    char id[24];

    (void)arg;
    if (row->kind == ROW_ROUTE) {
        plan_primary(app, row->key, ((const struct m_route *)row)->node->row.key);
        return;
    }
    const struct m_prefix *p = (const struct m_prefix *)row;
    dialog_choice(app, "choose the primary router", "Enter choose   Esc cancel", primary_chosen);
    app->dialog->label = "node: ";
    app->dialog->row_kind = ROW_PREFIX;
    app->dialog->row_key = mem_strdup(row->key);
    for (size_t i = 0; i < p->api.routers.len; i++) {
        const struct api_router *r = router_at(p, i);

        if (!may_become_primary(r->state, r->node == p->api.primary))
            continue;
        char *text = mem_format("%s  (%s%s%s)", r->name, route_state_name(r->state), r->via && *r->via ? " via " : "",
                                r->via ? r->via : "");
        snprintf(id, sizeof(id), "%llu", (unsigned long long)r->node);
        dialog_add_choice(app, id, text);
        free(text);
    }
}

static const struct console_command commands[] = {
    {.name = "approve",
     .keys = "a",
     .hint = "approve",
     .help = "approve the waiting routes, the machine, or the registration",
     .where = ROUTES_OF_ANY | IN_MACHINES,
     .needs = CHANGES | NEED_SHOWN,
     .rank = 2,
     .run = cmd_approve,
     .refuse = refuse_approve},
    {.name = "approve-all",
     .keys = "A",
     .hint = "all",
     .help = "approve all waiting routes of the node",
     .where = IN_ROUTES | IN_NODE,
     .needs = CHANGE | NEED_SHOWN,
     .rank = 4,
     .run = cmd_approve_all,
     .refuse = refuse_approve},
    {.name = "revoke",
     .keys = "x",
     .hint = "revoke",
     .help = "revoke the approval of a route",
     .where = IN_ROUTES | IN_PREFIXES | IN_NODE,
     .needs = CHANGES | NEED_SHOWN,
     .risk = RISK_ASK,
     .rank = 3,
     .run = cmd_revoke,
     .refuse = refuse_revoke},
    {.name = "primary",
     .keys = "f",
     .hint = "primary",
     .help = "make this node the primary router of the prefix",
     .where = IN_ROUTES | IN_PREFIXES | IN_NODE,
     .needs = CHANGE | NEED_SHOWN,
     .risk = RISK_ASK,
     .rank = 4,
     .run = cmd_primary,
     .refuse = refuse_primary},
};

const struct command_table route_change_commands = {.items = commands, .len = sizeof(commands) / sizeof(*commands)};

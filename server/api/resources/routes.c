/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes: by node, by prefix, approvals and routers. */
#include <stdlib.h>

#include "api/change/change.h"
#include "api/request/args.h"
#include "api/request/heavy.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/tables.h"
#include "api/view/objects.h"
#include "model/api_health.h"

static enum http_flow approved_replace(struct rest_request *r)
{
    bool given;

    if (arg_prefixes(r, "routes", &r->admin.prefixes, &given) < 0) {
        err_prefix(&r->err, "parsing route");
        return reply_error(r, &r->err);
    }
    if (!r->json) /* programs in Go leave an empty list out, but not the whole body */
        return reply_code(r, ERR_INVALID, "routes is missing: the routes to approve, an empty list for none");
    return change_id(r, ADMIN_NODE_ROUTES);
}

static int by_prefix(const void *key, const void *item)
{
    return prefix_cmp(key, &((const struct api_prefix *)item)->prefix);
}

static void write_node_routes(struct json_out *o, struct api_view *v, const struct tailnet_node *n,
                              const struct api_list *prefixes)
{
    struct arena a = ARENA_INIT(0);
    struct api_node out = {0};

    show_node_routes(v, n, &a, &out);
    for (size_t i = 0; i < out.routes.len; i++) {
        struct api_node_route row = {
            .route = *api_at(&out.routes, struct api_route, i), .node = n->record->r.id, .name = n->record->given_name};
        bool found;
        size_t at = array_search(&row.route.prefix, prefixes->items, prefixes->len, sizeof(struct api_prefix),
                                 by_prefix, &found);
        if (found) {
            row.next = api_at(prefixes, struct api_prefix, at)->next;
            row.next_name = api_at(prefixes, struct api_prefix, at)->next_name;
        }
        api_write(o, &api_node_route_shape, &row, API_HEADWAY);
    }
    arena_release(&a);
}

static void write_routes(struct json_out *o, struct api_view *v, enum api_scope scope)
{
    size_t count;
    const struct tailnet_node **nodes = show_nodes_by_id(v->s, &count);
    struct arena a = ARENA_INIT(0);
    struct api_list prefixes;

    (void)scope;
    show_prefixes(v, NULL, &a, &prefixes);
    json_open(o, '[');
    for (size_t i = 0; i < count; i++)
        write_node_routes(o, v, nodes[i], &prefixes);
    json_close(o, ']');
    arena_release(&a);
    free(nodes);
}

static enum http_flow routes_list(struct rest_request *r)
{
    return reply_list(r, "routes", write_routes);
}

static enum http_flow prefixes_list(struct rest_request *r)
{
    return reply_list(r, "prefixes", write_prefixes);
}

static void write_exits(struct json_out *o, struct api_view *v, enum api_scope scope)
{
    struct arena a = ARENA_INIT(0);
    struct api_list exits;

    (void)scope;
    show_exits(v, &a, &exits);
    json_open(o, '[');
    for (size_t i = 0; i < exits.len; i++)
        api_write(o, &api_exit_shape, api_at(&exits, struct api_exit, i), API_HEADWAY);
    json_close(o, ']');
    arena_release(&a);
}

static enum http_flow apps_list(struct rest_request *r)
{
    struct api_view v;
    struct api_list apps;

    show_init(&v, r->api, r->s);
    show_apps(&v, r->api->with.tailnet, &r->http.arena, &apps);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_key(&o, "apps");
    json_open(&o, '[');
    for (size_t i = 0; i < apps.len; i++)
        api_write(&o, &api_app_shape, api_at(&apps, struct api_app, i), API_HEADWAY);
    json_close(&o, ']');
    json_close(&o, '}');
    show_release(&v);
    return HTTP_DONE;
}

static enum http_flow exits_list(struct rest_request *r)
{
    return reply_list(r, "exits", write_exits);
}

static enum http_flow primary_set(struct rest_request *r)
{
    struct prefix p;

    if (prefix_parse_route(r->http.params[0], &p, &r->err) < 0 || arg_id(r, "node", &r->admin.id) < 0)
        return reply_error(r, &r->err);
    if (!r->admin.id) {
        err_field(&r->err, ERR_INVALID, "node", "name the node that shall serve the prefix, by its id");
        return reply_error(r, &r->err);
    }
    if (arg_text(r, "via", &r->admin.text) < 0 || arg_bool(r, "once", &r->admin.flag) < 0)
        return reply_error(r, &r->err);
    prefixes_add(&r->admin.prefixes, &p);
    return change(r, ADMIN_PRIMARY);
}

static enum http_flow priority_set(struct rest_request *r)
{
    r->admin.number = UINT64_MAX;
    if (arg_number(r, "priority", &r->admin.number) < 0)
        return reply_error(r, &r->err);
    if (r->admin.number == UINT64_MAX)
        r->admin.number = NODE_PRIORITY_DEFAULT;
    return change_id(r, ADMIN_NODE_PRIORITY);
}

static enum http_flow prefix_get(struct rest_request *r)
{
    struct prefix p;
    struct api_view v;

    if (prefix_parse_route(r->http.params[0], &p, &r->err) < 0)
        return reply_error(r, &r->err);
    struct json_out o = reply_json(r);
    show_init(&v, r->api, r->s);
    json_open(&o, '{');
    json_key(&o, "prefix");
    write_prefix(&o, &v, &p, snapshot_prefix_settings(r->s, &p));
    json_close(&o, '}');
    show_release(&v);
    return HTTP_DONE;
}

static enum http_flow drain_get(struct rest_request *r)
{
    struct api_drain out;
    struct api_view v;
    uint64_t id;

    if (param_id(r, 0, &id) < 0)
        return reply_error(r, &r->err);
    show_init(&v, r->api, r->s);
    const struct tailnet_node *n = show_find_node(&v, id);
    if (n) {
        struct json_out o = reply_json(r);
        struct readback_confirmation c = {0};
        if (r->api->with.readback)
            c = readback_confirmed(r->api->with.readback, id, r->s->seq);
        show_drain(&v, r->api->with.tailnet, n, &c, &r->http.arena, &out);
        api_write(&o, &api_drain_shape, &out, API_HEADWAY);
    } else {
        reply_code(r, ERR_MISSING, "node not found: %llu", (unsigned long long)id);
    }
    show_release(&v);
    return HTTP_DONE;
}

static enum http_flow prefix_set(struct rest_request *r)
{
    struct prefix p;

    if (prefix_parse_route(r->http.params[0], &p, &r->err) < 0 || core_rule_read(r->json, &r->admin, &r->err) < 0)
        return reply_error(r, &r->err);
    prefixes_add(&r->admin.prefixes, &p);
    return change(r, ADMIN_PREFIX_SET);
}

static void write_problems(struct json_out *o, struct rest_request *r, const struct tailnet_snapshot *s,
                           const struct route_question *q)
{
    struct arena a = ARENA_INIT(0);
    struct api_list list;
    struct api_view v;

    show_init(&v, r->api, s);
    show_route_problems(&v, r->api, q, &a, &list);
    json_open(o, '[');
    for (size_t i = 0; i < list.len; i++)
        api_write(o, &api_route_problem_shape, api_at(&list, struct api_route_problem, i), API_HEADWAY);
    json_close(o, ']');
    show_release(&v);
    arena_release(&a);
}

static int query_prefix(struct rest_request *r, const char *name, struct prefixes *out)
{
    const char *text = arg_query(r, name);
    struct prefix p;

    if (!text)
        return 0;
    if (prefix_parse_route(text, &p, &r->err) < 0)
        return r->err.code;
    prefixes_add(out, &p);
    return 0;
}

static enum http_flow routes_examined(struct rest_request *r)
{
    const char *node = arg_query(r, "node");
    struct prefixes prefixes = {0};
    struct route_question q = {.may_wait = true};

    if ((node && str_u64(node, 1, UINT64_MAX, &q.node, "node", &r->err) < 0) ||
        query_prefix(r, "prefix", &prefixes) < 0)
        return reply_error(r, &r->err);
    q.prefixes = prefixes.len ? &prefixes : NULL;
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_key(&o, "problems");
    write_problems(&o, r, r->s, &q);
    json_close(&o, '}');
    prefixes_release(&prefixes);
    return HTTP_DONE;
}

static enum http_flow routes_check(struct rest_request *r)
{
    return heavy_later(r, routes_examined);
}

/* Problems of the routes that were, or would be, approved. */
static void write_approval_warnings(struct json_out *o, struct rest_request *r)
{
    struct route_question q = {.node = r->admin.id, .prefixes = &r->admin.prefixes, .as_approved = true};

    json_key(o, "warnings");
    write_problems(o, r, r->after ? r->after : r->s, &q);
}

static enum http_flow many_edit(struct rest_request *r)
{
    bool given;

    if (arg_texts(r, "approve", &r->admin.approvals, &given) < 0 ||
        arg_texts(r, "revoke", &r->admin.revocations, &given) < 0 || arg_bool(r, "pending", &r->admin.flag) < 0)
        return reply_error(r, &r->err);
    return change(r, ADMIN_ROUTES_MANY);
}

static enum http_flow approved_edited(struct rest_request *r)
{
    return change_done_with(r, write_approval_warnings);
}

static enum http_flow approved_edit(struct rest_request *r)
{
    bool approve, revoke;

    if (arg_prefixes(r, "approve", &r->admin.prefixes, &approve) < 0 ||
        arg_prefixes(r, "revoke", &r->admin.revoke, &revoke) < 0)
        return reply_error(r, &r->err);
    if (param_id(r, 0, &r->admin.id) < 0)
        return reply_error(r, &r->err);
    r->admin.op = ADMIN_ROUTES_EDIT;
    return request_admin(r, approved_edited);
}

static const struct api_endpoint rows[] = {
    {V1("POST", "/node/{nodeId}/approve_routes"), .run = approved_replace, .need = NEED_ADMIN,
     .scope = SCOPE_DEVICES_ROUTES, .id = "setApprovedRoutes", .body = "routes:text[]", .answer = "node:Node",
     .help = "Replaces what is approved of a node's routes"},

    {HEADWAY("GET", "/routes"), .run = routes_list, .need = NEED_READ, .scope = SCOPE_DEVICES_ROUTES,
     .answer = "routes:NodeRoute[]", .help = "Routes by node, each with its state and the reason"},
    {HEADWAY("POST", "/routes"), .run = many_edit, .need = NEED_ADMIN, .scope = SCOPE_DEVICES_ROUTES,
     .body = "approve:text[] revoke:text[] pending:bool", .query = "dry_run:bool", .answer = "Change",
     .help =
         "Approves and revokes prefixes of several nodes, each as 'ID PREFIX', as one change that is undone as one; "
         "pending: all that are advertised and wait"},
    {HEADWAY("GET", "/routes/check"), .run = routes_check, .need = NEED_READ, .scope = SCOPE_ALL,
     .query = "node:id prefix:text", .answer = "problems:RouteProblem[]",
     .help = "What is wrong with routes, or may surprise, approved or not"},
    {HEADWAY("GET", "/prefixes"), .run = prefixes_list, .need = NEED_READ, .scope = SCOPE_DEVICES_ROUTES,
     .answer = "prefixes:Prefix[]",
     .help = "Routes by prefix: who serves, who could; and prefixes that are set and not routed"},
    {HEADWAY("GET", "/prefixes/{prefix}"), .run = prefix_get, .need = NEED_READ, .scope = SCOPE_DEVICES_ROUTES,
     .answer = "prefix:Prefix", .help = "One prefix, whether or not a node routes it"},
    {HEADWAY("POST", "/prefixes/{prefix}"), .run = prefix_set, .need = NEED_ADMIN, .scope = SCOPE_DEVICES_ROUTES,
     .body = "failback:text keep:bool holdDown:text failbackDelay:text probe:text nearest:bool reset:text[]",
     .query = "dry_run:bool", .answer = "Change result:Prefix",
     .help = "Sets how a prefix is served, or (reset) that it is served as configured for all"},
    {HEADWAY("GET", "/exits"), .run = exits_list, .need = NEED_READ, .scope = SCOPE_DEVICES_ROUTES,
     .answer = "exits:Exit[]", .help = "Exit nodes, offered or not, and who uses which"},
    {HEADWAY("GET", "/app-connectors"), .run = apps_list, .need = NEED_READ, .scope = SCOPE_DEVICES_ROUTES,
     .answer = "apps:App[]", .help = "Apps of the policy, their connectors, and what these have learned"},
    {HEADWAY("POST", "/prefixes/{prefix}/primary"), .run = primary_set, .need = NEED_ADMIN,
     .scope = SCOPE_DEVICES_ROUTES, .body = "node:id via:text once:bool", .query = "dry_run:bool",
     .answer = "Change result:Node",
     .help = "Makes a node serve a prefix, for everybody or (via) for those whom grants lead through its tags"},
    {HEADWAY("POST", "/nodes/{id}/routes"), .run = approved_edit, .need = NEED_ADMIN, .scope = SCOPE_DEVICES_ROUTES,
     .body = "approve:text[] revoke:text[]", .query = "dry_run:bool",
     .answer = "Change result:Node warnings:RouteProblem[]",
     .help = "Approves and revokes single prefixes; warnings says what is wrong with those to approve"},
    {HEADWAY("GET", "/nodes/{id}/drain"), .run = drain_get, .need = NEED_READ, .scope = SCOPE_DEVICES_ROUTES,
     .answer = "Drain", .help = "What a router serves, who would serve it otherwise, and whether it can be taken away"},
    {HEADWAY("POST", "/nodes/{id}/priority"), .run = priority_set, .need = NEED_ADMIN, .scope = SCOPE_DEVICES_ROUTES,
     .body = "priority:number", .query = "dry_run:bool", .answer = "Change result:Node",
     .help = "Sets the priority of a router or exit node, 0 to 1000; without one the default of 100"},
};
const struct http_table routes_table = API_TABLE(rows);

/* SPDX-License-Identifier: BSD-3-Clause */
/* Nodes. Their routes are in routes.c, pending registrations in pending.c. */
#include <stdlib.h>

#include "api/change/change.h"
#include "api/request/args.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/tables.h"
#include "api/view/objects.h"

static enum http_flow nodes_list(struct rest_request *r)
{
    const struct user *only = NULL;
    struct api_view v;
    size_t count;

    if (arg_user(r, "user", &only) < 0)
        return reply_error(r, &r->err);
    if (!only)
        return reply_list(r, "nodes", write_nodes);
    const struct tailnet_node **nodes = show_nodes_by_id(r->s, &count);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_key(&o, "nodes");
    json_open(&o, '[');
    show_init(&v, r->api, r->s);
    for (size_t i = 0; i < count; i++)
        if (nodes[i]->record->user_id == only->r.id)
            write_node(&o, &v, nodes[i], scope_of(r));
    show_release(&v);
    json_close(&o, ']');
    json_close(&o, '}');
    free(nodes);
    return HTTP_DONE;
}

static enum http_flow node_get(struct rest_request *r)
{
    uint64_t id;
    struct api_view v;

    if (param_id(r, 0, &id) < 0)
        return reply_error(r, &r->err);
    show_init(&v, r->api, r->s);
    const struct tailnet_node *n = show_find_node(&v, id);
    if (n) {
        struct json_out o = reply_json(r);
        json_open(&o, '{');
        json_key(&o, "node");
        write_node(&o, &v, n, scope_of(r));
        json_close(&o, '}');
    } else {
        reply_code(r, ERR_MISSING, "node not found: %llu", (unsigned long long)id);
    }
    show_release(&v);
    return HTTP_DONE;
}

static enum http_flow node_delete(struct rest_request *r)
{
    return change_id(r, ADMIN_NODE_DELETE);
}

/* The new name is in the path, or in the body. */
static enum http_flow node_rename(struct rest_request *r)
{
    r->admin.name = r->http.params[1] ? r->http.params[1] : "";
    if (!r->http.params[1] && arg_text(r, "name", &r->admin.name) < 0)
        return reply_error(r, &r->err);
    return change_id(r, ADMIN_NODE_RENAME);
}

static enum http_flow node_expire(struct rest_request *r)
{
    bool v1 = r->endpoint->dialect == DIALECT_V1;
    const char *disable = v1 ? "disableExpiry" : "disable";

    if (arg_time(r, "expiry", &r->admin.time_ns) < 0 || arg_bool(r, disable, &r->admin.flag) < 0)
        return reply_error(r, &r->err);
    if (r->admin.flag && r->admin.time_ns) {
        err_field(&r->err, ERR_INVALID, disable,
                  v1 ? "cannot set both disable_expiry and expiry" : "give expiry or disable, not both");
        return reply_error(r, &r->err);
    }
    return change_id(r, ADMIN_NODE_EXPIRE);
}

static enum http_flow node_tags(struct rest_request *r)
{
    bool given;

    if (arg_texts(r, "tags", &r->admin.tags, &given) < 0)
        return reply_error(r, &r->err);
    return change_id(r, ADMIN_NODE_TAGS);
}

static enum http_flow node_authorize(struct rest_request *r)
{
    r->admin.flag = true;
    if (arg_bool(r, "authorized", &r->admin.flag) < 0)
        return reply_error(r, &r->err);
    return change_id(r, ADMIN_NODE_AUTHORIZE);
}

static enum http_flow node_drain(struct rest_request *r)
{
    bool drained = true;

    if (arg_bool(r, "drained", &drained) < 0)
        return reply_error(r, &r->err);
    r->admin.flag = drained;
    return change_id(r, ADMIN_NODE_DRAIN);
}

static enum http_flow node_move(struct rest_request *r)
{
    return reply_code(r, ERR_GONE, "a node cannot be moved to another user: log it out and in again as that user");
}

static enum http_flow backfilled(struct rest_request *r)
{
    if (r->admin.call.code < 0)
        return reply_error(r, &r->admin.call.err);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_key(&o, "changes");
    json_open(&o, '[');
    for (const char *line = r->admin.secret; line && *line;) {
        size_t len = strcspn(line, "\n");
        json_strn(&o, line, len);
        line += len + (line[len] == '\n');
    }
    json_close(&o, ']');
    json_close(&o, '}');
    return HTTP_DONE;
}

static enum http_flow nodes_backfill(struct rest_request *r)
{
    bool confirmed = false;

    if (arg_bool(r, "confirmed", &confirmed) < 0)
        return reply_error(r, &r->err);
    if (!confirmed)
        return reply_code(r, ERR_INVALID, "not confirmed, aborting");
    r->admin.op = ADMIN_BACKFILL;
    return request_admin(r, backfilled);
}

/* A made-up node, which has no id. */
static enum http_flow made_up(struct rest_request *r)
{
    const struct core_admin *a = &r->admin;
    static char nothing[] = "";
    struct tailnet_node n = {.record = a->record, .live = {.net_info = nothing, .source = nothing}};
    struct api_view v;

    if (a->call.code < 0)
        return reply_error(r, &a->call.err);
    n.user = snapshot_user(r->s, a->user_id);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_key(&o, "node");
    show_init(&v, r->api, r->s);
    write_node(&o, &v, &n, API_V1);
    show_release(&v);
    json_close(&o, '}');
    return HTTP_DONE;
}

static enum http_flow node_make_up(struct rest_request *r)
{
    const struct user *user = NULL;
    const char *key = "";
    bool given;

    if (arg_text(r, "key", &key) < 0 || arg_text(r, "name", &r->admin.name) < 0 || arg_user(r, "user", &user) < 0 ||
        arg_prefixes(r, "routes", &r->admin.prefixes, &given) < 0)
        return reply_error(r, &r->err);
    if (!user)
        return reply_code(r, ERR_MISSING, "looking up user: user not found: no user is named");
    r->admin.op = ADMIN_DEBUG_NODE;
    r->admin.text = key;
    r->admin.user_id = user->r.id;
    return request_admin(r, made_up);
}

static const struct api_endpoint rows[] = {
    {V1("GET", "/node"), .run = nodes_list, .need = NEED_READ, .scope = SCOPE_DEVICES_CORE, .id = "listNodes",
     .query = "user:text", .answer = "nodes:Node[]", .help = "Nodes, of one user where one is named"},
    {V1("POST", "/node/backfillips"), .run = nodes_backfill, .need = NEED_ADMIN, .scope = SCOPE_ALL,
     .id = "backfillNodeIPs", .body = "confirmed:bool", .query = "confirmed:bool", .answer = "changes:text[]",
     .help = "Gives addresses to nodes that lack one"},
    {V1("GET", "/node/{nodeId}"), .run = node_get, .need = NEED_READ, .scope = SCOPE_DEVICES_CORE, .id = "getNode",
     .answer = "node:Node", .help = "One node"},
    {V1("DELETE", "/node/{nodeId}"), .run = node_delete, .need = NEED_ADMIN, .scope = SCOPE_DEVICES_CORE,
     .id = "deleteNode", .help = "Removes a node"},
    {V1("POST", "/node/{nodeId}/expire"), .run = node_expire, .need = NEED_ADMIN, .scope = SCOPE_DEVICES_CORE,
     .id = "expireNode", .body = "expiry:time disableExpiry:bool", .query = "expiry:time disableExpiry:bool",
     .answer = "node:Node", .help = "Ends a node's key now or at a time, or never"},
    {V1("POST", "/node/{nodeId}/rename/{newName}"), .run = node_rename, .need = NEED_ADMIN, .scope = SCOPE_DEVICES_CORE,
     .id = "renameNode", .answer = "node:Node", .help = "Gives a node another name"},
    {V1("POST", "/node/{nodeId}/tags"), .run = node_tags, .need = NEED_ADMIN, .scope = SCOPE_DEVICES_CORE,
     .id = "setTags", .body = "tags:text[]", .answer = "node:Node", .help = "Replaces a node's tags"},
    {V1("POST", "/node/{nodeId}/user"), .run = node_move, .need = NEED_ADMIN, .scope = SCOPE_ALL, .body = "user:id",
     .help = "Gone: moved nodes between users up to headscale 0.27"},
    {V1("POST", "/debug/node"), .run = node_make_up, .need = NEED_ADMIN, .scope = SCOPE_ALL, .id = "debugCreateNode",
     .body = "user:text key:text name:text routes:text[]", .answer = "node:Node",
     .help = "Makes a registration that no client stands behind"},

    {HEADWAY("GET", "/nodes"), .run = nodes_list, .need = NEED_READ, .scope = SCOPE_DEVICES_CORE,
     .answer = "nodes:Node[]", .help = "Nodes"},
    {HEADWAY("GET", "/nodes/{id}"), .run = node_get, .need = NEED_READ, .scope = SCOPE_DEVICES_CORE,
     .answer = "node:Node", .help = "One node"},
    {HEADWAY("DELETE", "/nodes/{id}"), .run = node_delete, .need = NEED_ADMIN, .scope = SCOPE_DEVICES_CORE,
     .query = "dry_run:bool", .answer = "Change result:Node", .help = "Removes a node"},
    {HEADWAY("POST", "/nodes/{id}/rename"), .run = node_rename, .need = NEED_ADMIN, .scope = SCOPE_DEVICES_CORE,
     .body = "name:text", .query = "dry_run:bool", .answer = "Change result:Node", .help = "Gives a node another name"},
    {HEADWAY("POST", "/nodes/{id}/expire"), .run = node_expire, .need = NEED_ADMIN, .scope = SCOPE_DEVICES_CORE,
     .body = "expiry:time disable:bool", .query = "dry_run:bool", .answer = "Change result:Node",
     .help = "Ends a node's key now or at a time, or never"},
    {HEADWAY("POST", "/nodes/{id}/tags"), .run = node_tags, .need = NEED_ADMIN, .scope = SCOPE_DEVICES_CORE,
     .body = "tags:text[]", .query = "dry_run:bool", .answer = "Change result:Node", .help = "Replaces a node's tags"},
    {HEADWAY("POST", "/nodes/{id}/authorized"), .run = node_authorize, .need = NEED_ADMIN, .scope = SCOPE_DEVICES_CORE,
     .body = "authorized:bool", .query = "dry_run:bool", .answer = "Change result:Node",
     .help = "Approves a machine, or takes its approval back (authorized: false)"},
    {HEADWAY("POST", "/nodes/{id}/drain"), .run = node_drain, .need = NEED_ADMIN, .scope = SCOPE_DEVICES_ROUTES,
     .body = "drained:bool", .query = "dry_run:bool", .answer = "Change result:Node",
     .help = "Moves a node's prefixes to others, or lets it serve again (drained: false)"},
};
const struct http_table nodes_table = API_TABLE(rows);

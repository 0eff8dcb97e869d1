/* SPDX-License-Identifier: BSD-3-Clause */
/* /api/v1/node and /api/v1/auth, as headscale serves them. */
#include <stdlib.h>

#include "http/private.h"

/* {"node": ...} of the node that a change answered with. */
static enum flow node_done(struct request *r)
{
    const struct core_admin *a = &r->admin;
    struct view v;

    if (a->call.code < 0)
        return reply_error(r, &a->call.err);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_key(&o, "node");
    show_init(&v, r->h, a->after ? a->after : r->s);
    const struct tailnet_node *n = a->record ? show_find_node(&v, ((const struct record *)a->record)->id) : NULL;
    if (n)
        write_node(&o, &v, n, API_V1);
    else
        json_nil(&o);
    show_release(&v);
    json_close(&o, '}');
    return DONE;
}

static enum flow empty_done(struct request *r)
{
    return r->admin.call.code < 0 ? reply_error(r, &r->admin.call.err) : reply_object(r);
}

static enum flow node_change(struct request *r, enum admin_op op)
{
    if (param_id(r, 0, "node_id", &r->admin.id) < 0)
        return reply_error(r, &r->err);
    r->admin.op = op;
    return request_admin(r, node_done);
}

static bool belongs(const struct tailnet_node *n, const struct user *only)
{
    return !only || n->record->user_id == only->r.id;
}

enum flow v1_nodes_list(struct request *r)
{
    const struct user *only = NULL;
    struct view v;
    size_t count;

    if (arg_user(r, "user", &only) < 0)
        return reply_error(r, &r->err);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_key(&o, "nodes");
    show_init(&v, r->h, r->s);
    if (!only) {
        write_nodes(&o, &v, API_V1);
    } else {
        const struct tailnet_node **nodes = show_nodes_by_id(r->s, &count);
        json_open(&o, '[');
        for (size_t i = 0; i < count; i++)
            if (belongs(nodes[i], only))
                write_node(&o, &v, nodes[i], API_V1);
        json_close(&o, ']');
        free(nodes);
    }
    show_release(&v);
    json_close(&o, '}');
    return DONE;
}

enum flow v1_nodes_get(struct request *r)
{
    uint64_t id;
    struct view v;

    if (param_id(r, 0, "node_id", &id) < 0)
        return reply_error(r, &r->err);
    show_init(&v, r->h, r->s);
    const struct tailnet_node *n = show_find_node(&v, id);
    if (n) {
        struct json_out o = reply_json(r);
        json_open(&o, '{');
        json_key(&o, "node");
        write_node(&o, &v, n, API_V1);
        json_close(&o, '}');
    } else {
        reply_code(r, ERR_MISSING, "node not found");
    }
    show_release(&v);
    return DONE;
}

enum flow v1_nodes_delete(struct request *r)
{
    if (param_id(r, 0, "node_id", &r->admin.id) < 0)
        return reply_error(r, &r->err);
    r->admin.op = ADMIN_NODE_DELETE;
    return request_admin(r, empty_done);
}

enum flow v1_nodes_expire(struct request *r)
{
    if (arg_time(r, "expiry", &r->admin.time_ns) < 0 || arg_bool(r, "disableExpiry", &r->admin.flag) < 0)
        return reply_error(r, &r->err);
    if (r->admin.flag && r->admin.time_ns)
        return reply_code(r, ERR_INVALID, "cannot set both disable_expiry and expiry");
    return node_change(r, ADMIN_NODE_EXPIRE);
}

enum flow v1_nodes_rename(struct request *r)
{
    r->admin.name = r->params[1];
    return node_change(r, ADMIN_NODE_RENAME);
}

enum flow v1_nodes_tags(struct request *r)
{
    bool given;

    if (arg_texts(r, "tags", &r->admin.tags, &given) < 0)
        return reply_error(r, &r->err);
    return node_change(r, ADMIN_NODE_TAGS);
}

enum flow v1_nodes_routes(struct request *r)
{
    bool given;

    if (arg_prefixes(r, "routes", &r->admin.prefixes, &given) < 0) {
        err_prefix(&r->err, "parsing route");
        return reply_error(r, &r->err);
    }
    return node_change(r, ADMIN_NODE_ROUTES);
}

/* Ids of headscale before 0.29 were the 24 digits alone. */
static const char *whole_auth_id(struct request *r, const char *id)
{
    struct buf b = BUF_INIT(0);

    if (strlen(id) != 24)
        return id;
    buf_addf(&b, "hskey-authreq-%s", id);
    const char *whole = arena_strdup(&r->arena, buf_text(&b));
    buf_release(&b);
    return whole;
}

static enum flow register_node(struct request *r, const char *key)
{
    const char *id = "";
    const struct user *user = NULL;

    if (arg_text(r, key, &id) < 0 || arg_user(r, "user", &user) < 0)
        return reply_error(r, &r->err);
    if (!user)
        return reply_code(r, ERR_MISSING, "looking up user: user not found: no user is named");
    r->admin.op = ADMIN_REGISTER;
    r->admin.text = whole_auth_id(r, id);
    r->admin.name = user->name;
    r->admin.user_id = user->r.id;
    return request_admin(r, node_done);
}

enum flow v1_nodes_register(struct request *r)
{
    return register_node(r, "key");
}

enum flow v1_auth_register(struct request *r)
{
    return register_node(r, "authId");
}

static enum flow decide(struct request *r, enum admin_op op)
{
    const char *id = "";

    if (arg_text(r, "authId", &id) < 0)
        return reply_error(r, &r->err);
    r->admin.op = op;
    r->admin.text = whole_auth_id(r, id);
    return request_admin(r, empty_done);
}

enum flow v1_auth_approve(struct request *r)
{
    return decide(r, ADMIN_AUTH_APPROVE);
}

enum flow v1_auth_reject(struct request *r)
{
    return decide(r, ADMIN_AUTH_REJECT);
}

static enum flow backfilled(struct request *r)
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
    return DONE;
}

enum flow v1_nodes_backfill(struct request *r)
{
    bool confirmed = false;

    if (arg_bool(r, "confirmed", &confirmed) < 0)
        return reply_error(r, &r->err);
    if (!confirmed)
        return reply_code(r, ERR_INVALID, "not confirmed, aborting");
    r->admin.op = ADMIN_BACKFILL;
    return request_admin(r, backfilled);
}

enum flow v1_nodes_move(struct request *r)
{
    return reply_code(r, ERR_GONE, "a node cannot be moved to another user: log it out and in again as that user");
}

/* A node that is none yet and has no id. */
static enum flow made_up_done(struct request *r)
{
    const struct core_admin *a = &r->admin;
    static char nothing[] = "";
    struct tailnet_node n = {.record = a->record, .live = {.net_info = nothing, .source = nothing}};
    struct view v;

    if (a->call.code < 0)
        return reply_error(r, &a->call.err);
    n.user = show_find_user(r->s, a->user_id);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_key(&o, "node");
    show_init(&v, r->h, r->s);
    write_node(&o, &v, &n, API_V1);
    show_release(&v);
    json_close(&o, '}');
    return DONE;
}

enum flow v1_debug_node(struct request *r)
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
    return request_admin(r, made_up_done);
}

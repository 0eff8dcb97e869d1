/* SPDX-License-Identifier: BSD-3-Clause */
/* Nodes. */
#include <stdlib.h>

#include "http/private.h"

/* {"node": ...} of the node that a change answered with. */
enum flow v1_node_done(struct request *r)
{
    const struct core_admin *a = &r->admin;
    struct view v;

    if (a->call.code < 0)
        return reply_error(r, &a->call.err);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_key(&o, "node");
    show_init(&v, r->h, r->after);
    const struct tailnet_node *n = a->record ? show_find_node(&v, ((const struct record *)a->record)->id) : NULL;
    if (n)
        write_node(&o, &v, n, API_V1);
    else
        json_nil(&o);
    show_release(&v);
    json_close(&o, '}');
    return DONE;
}

enum flow v1_node_change(struct request *r, enum admin_op op)
{
    if (param_id(r, 0, "node_id", &r->admin.id) < 0)
        return reply_error(r, &r->err);
    r->admin.op = op;
    return request_admin(r, v1_node_done);
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
    return request_admin(r, v1_empty_done);
}

enum flow v1_nodes_expire(struct request *r)
{
    if (arg_time(r, "expiry", &r->admin.time_ns) < 0 || arg_bool(r, "disableExpiry", &r->admin.flag) < 0)
        return reply_error(r, &r->err);
    if (r->admin.flag && r->admin.time_ns)
        return reply_code(r, ERR_INVALID, "cannot set both disable_expiry and expiry");
    return v1_node_change(r, ADMIN_NODE_EXPIRE);
}

enum flow v1_nodes_rename(struct request *r)
{
    r->admin.name = r->params[1];
    return v1_node_change(r, ADMIN_NODE_RENAME);
}

enum flow v1_nodes_tags(struct request *r)
{
    bool given;

    if (arg_texts(r, "tags", &r->admin.tags, &given) < 0)
        return reply_error(r, &r->err);
    return v1_node_change(r, ADMIN_NODE_TAGS);
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

/* ---- headway ---- */

enum flow headway_nodes(struct request *r)
{
    return reply_list(r, "nodes", LIST_NODES);
}

enum flow headway_node(struct request *r)
{
    uint64_t id;
    struct view v;

    if (param_id(r, 0, "id", &id) < 0)
        return reply_error(r, &r->err);
    show_init(&v, r->h, r->s);
    const struct tailnet_node *n = show_find_node(&v, id);
    if (n) {
        struct json_out o = reply_json(r);
        json_open(&o, '{');
        json_key(&o, "node");
        write_node(&o, &v, n, API_HEADWAY);
        json_close(&o, '}');
    } else {
        reply_code(r, ERR_MISSING, "node not found: %llu", (unsigned long long)id);
    }
    show_release(&v);
    return DONE;
}

enum flow headway_node_rename(struct request *r)
{
    r->admin.name = "";
    if (arg_text(r, "name", &r->admin.name) < 0)
        return reply_error(r, &r->err);
    return headway_change_id(r, ADMIN_NODE_RENAME);
}

enum flow headway_node_expire(struct request *r)
{
    if (arg_time(r, "expiry", &r->admin.time_ns) < 0 || arg_bool(r, "disable", &r->admin.flag) < 0)
        return reply_error(r, &r->err);
    if (r->admin.flag && r->admin.time_ns) {
        err_field(&r->err, ERR_INVALID, "disable", "give expiry or disable, not both");
        return reply_error(r, &r->err);
    }
    return headway_change_id(r, ADMIN_NODE_EXPIRE);
}

enum flow headway_node_tags(struct request *r)
{
    bool given;

    if (arg_texts(r, "tags", &r->admin.tags, &given) < 0)
        return reply_error(r, &r->err);
    return headway_change_id(r, ADMIN_NODE_TAGS);
}

enum flow headway_node_drain(struct request *r)
{
    bool drained = true;

    if (arg_bool(r, "drained", &drained) < 0)
        return reply_error(r, &r->err);
    r->admin.flag = drained;
    return headway_change_id(r, ADMIN_NODE_DRAIN);
}

enum flow headway_node_delete(struct request *r)
{
    return headway_change_id(r, ADMIN_NODE_DELETE);
}

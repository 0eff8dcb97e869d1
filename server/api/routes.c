/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes: by node, by prefix, what is approved and who serves. */
#include <stdlib.h>

#include "http/private.h"

enum flow v1_nodes_routes(struct request *r)
{
    bool given;

    if (arg_prefixes(r, "routes", &r->admin.prefixes, &given) < 0) {
        err_prefix(&r->err, "parsing route");
        return reply_error(r, &r->err);
    }
    return v1_node_change(r, ADMIN_NODE_ROUTES);
}

/* ---- headway ---- */

/* The members of a route stand beside the node's: {"node","name", ROUTE...}. */
static void write_node_routes(struct json_out *o, struct view *v, const struct tailnet_node *n)
{
    struct arena a = ARENA_INIT(0);
    struct api_node out = {0};
    struct buf route = BUF_INIT(0);

    show_node_routes(v, n, &a, &out);
    for (size_t i = 0; i < out.routes.len; i++) {
        struct json_out inner = JSON_OUT(&route);
        buf_clear(&route);
        api_write(&inner, &api_route_shape, api_at(&out.routes, struct api_route, i), API_HEADWAY);
        json_open(o, '{');
        json_put_id(o, "node", n->record->r.id);
        json_put_str(o, "name", n->record->given_name);
        json_raw(o, route.data + 1, route.len - 2);
        json_close(o, '}');
    }
    buf_release(&route);
    arena_release(&a);
}

enum flow headway_routes(struct request *r)
{
    struct json_out o = reply_json(r);
    struct view v;
    size_t count;
    const struct tailnet_node **nodes = show_nodes_by_id(r->s, &count);

    show_init(&v, r->h, r->s);
    json_open(&o, '{');
    json_key(&o, "routes");
    json_open(&o, '[');
    for (size_t i = 0; i < count; i++)
        write_node_routes(&o, &v, nodes[i]);
    json_close(&o, ']');
    json_close(&o, '}');
    show_release(&v);
    free(nodes);
    return DONE;
}

enum flow headway_prefixes(struct request *r)
{
    return reply_list(r, "prefixes", LIST_PREFIXES);
}

enum flow headway_node_routes(struct request *r)
{
    bool approve, revoke;

    if (arg_prefixes(r, "approve", &r->admin.prefixes, &approve) < 0 ||
        arg_prefixes(r, "revoke", &r->admin.revoke, &revoke) < 0)
        return reply_error(r, &r->err);
    return headway_change_id(r, ADMIN_ROUTES_EDIT);
}

enum flow headway_primary(struct request *r)
{
    struct prefix p;

    if (prefix_parse(r->params[0], &p, NULL, &r->err) < 0 || arg_id(r, "node", &r->admin.id) < 0)
        return reply_error(r, &r->err);
    if (!r->admin.id) {
        err_field(&r->err, ERR_INVALID, "node", "name the node that shall serve the prefix, by its id");
        return reply_error(r, &r->err);
    }
    prefixes_add(&r->admin.prefixes, &p);
    return headway_change(r, ADMIN_PRIMARY);
}

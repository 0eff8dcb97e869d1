/* SPDX-License-Identifier: BSD-3-Clause */
/* /api/headway: what is shown. */
#include <stdlib.h>

#include "http/private.h"

#define EVENTS_DEFAULT 100
#define EVENTS_MAX     1000

extern const char *const headway_version;

static const char *policy_mode(const struct config *c)
{
    return config_policy_is_file(c) ? "file" : "database";
}

enum flow ours_whoami(struct request *r)
{
    const struct config *c = http_config(r->h);
    struct json_out o = reply_json(r);

    json_open(&o, '{');
    json_put_str(&o, "actor", r->who.actor);
    json_put_str(&o, "scope", r->who.read_only ? "read" : "admin");
    json_put_str(&o, "version", headway_version);
    json_put_str(&o, "serverUrl", c->server_url);
    json_put_str(&o, "baseDomain", c->dns.base_domain);
    json_put_str(&o, "policyMode", policy_mode(c));
    json_put_time(&o, "time", clock_wall_ns());
    json_put_bool(&o, "readOnly", r->who.read_only);
    json_key(&o, "limits");
    json_open(&o, '{');
    json_put_u64(&o, "bodyBytes", BODY_MAX);
    json_put_u64(&o, "eventsPage", EVENTS_MAX);
    json_close(&o, '}');
    json_close(&o, '}');
    config_unref(c);
    return DONE;
}

enum flow ours_relay(struct request *r)
{
    if (!r->h->with.relay_status) {
        struct err e;
        err_set(&e, ERR_UNAVAILABLE, "this server has no relay");
        return reply_error(r, &e);
    }
    struct json_out o = reply_json(r);
    r->h->with.relay_status(r->h->with.arg, &o);
    return DONE;
}

/* ---- the snapshot ---- */

static void write_server(struct json_out *o, struct request *r, const struct config *c)
{
    struct api_server server = {.url = c->server_url,
                                .version = headway_version,
                                .base_domain = c->dns.base_domain,
                                .started_ns = r->h->started_ns,
                                .policy_mode = policy_mode(c),
                                .policy_path = config_policy_is_file(c) ? c->policy.path : ""};

    json_key(o, "server");
    api_write(o, &api_server_shape, &server, API_OURS);
}

static void write_relays(struct json_out *o, const struct relays *relays)
{
    json_key(o, "relays");
    json_open(o, '[');
    for (size_t i = 0; relays && i < relays->len; i++)
        api_write(o, &api_relay_shape,
                  &(struct api_relay){relays->items[i].id, relays->items[i].code, relays->items[i].name}, API_OURS);
    json_close(o, ']');
}

static void write_policy_mark(struct json_out *o, const struct tailnet_snapshot *s)
{
    bool present = s->policy && *s->policy->text;

    json_key(o, "policy");
    json_open(o, '{');
    json_put_bool(o, "present", present);
    json_put_time(o, "updatedAt", s->policy ? s->policy->updated_ns : 0);
    json_put_u64(o, "version", s->policy ? s->policy->r.version : 0);
    json_close(o, '}');
}

/* routesAvailable: advertised and not approved, what waits for an administrator. */
static void write_counts(struct json_out *o, const struct tailnet_snapshot *s, const struct api_list *prefixes)
{
    uint64_t available = 0, serving = 0;

    for (size_t i = 0; i < prefixes->len; i++) {
        const struct api_list *routers = &api_at(prefixes, struct api_prefix, i)->routers;
        for (size_t k = 0; k < routers->len; k++) {
            available += api_at(routers, struct api_router, k)->state == API_ROUTE_AVAILABLE;
            serving += api_at(routers, struct api_router, k)->state == API_ROUTE_SERVING;
        }
    }
    json_key(o, "counts");
    json_open(o, '{');
    json_put_u64(o, "nodes", s->node_count);
    json_put_u64(o, "online", s->online_count);
    json_put_u64(o, "routesAvailable", available);
    json_put_u64(o, "routesServing", serving);
    json_close(o, '}');
}

enum flow ours_snapshot(struct request *r)
{
    struct arena a = ARENA_INIT(0);
    struct api_list prefixes;
    struct view v;

    hub_expect(r->h->hub);
    tailnet_unpin(r->s); /* a snapshot that is at least as new as what the stream will begin with */
    r->s = tailnet_pin(r->h->with.tailnet);
    const struct config *c = http_config(r->h);
    struct json_out o = reply_json(r);
    show_init(&v, r->h, r->s);
    show_prefixes(&v, NULL, &a, &prefixes);
    json_open(&o, '{');
    write_event_id(&o, "event", r->s->event_run, r->s->event_seq);
    json_put_time(&o, "time", clock_wall_ns());
    write_server(&o, r, c);
    json_key(&o, "nodes");
    write_nodes(&o, &v, API_OURS);
    json_key(&o, "users");
    write_users(&o, &v);
    json_key(&o, "preAuthKeys");
    write_preauth_keys(&o, &v);
    json_key(&o, "apiKeys");
    write_api_keys(&o, r->s);
    json_key(&o, "pending");
    write_pendings(&o, &v);
    json_key(&o, "prefixes");
    json_open(&o, '[');
    for (size_t i = 0; i < prefixes.len; i++)
        api_write(&o, &api_prefix_shape, api_at(&prefixes, struct api_prefix, i), API_OURS);
    json_close(&o, ']');
    write_relays(&o, v.relays);
    write_policy_mark(&o, r->s);
    write_counts(&o, r->s, &prefixes);
    json_close(&o, '}');
    show_release(&v);
    arena_release(&a);
    config_unref(c);
    return DONE;
}

/* ---- lists ---- */

enum list { LIST_NODES, LIST_USERS, LIST_PREAUTH_KEYS, LIST_API_KEYS, LIST_PENDING, LIST_PREFIXES };

static enum flow reply_list(struct request *r, const char *name, enum list which)
{
    struct json_out o = reply_json(r);
    struct view v;

    show_init(&v, r->h, r->s);
    json_open(&o, '{');
    json_key(&o, name);
    switch (which) {
    case LIST_NODES:
        write_nodes(&o, &v, API_OURS);
        break;
    case LIST_USERS:
        write_users(&o, &v);
        break;
    case LIST_PREAUTH_KEYS:
        write_preauth_keys(&o, &v);
        break;
    case LIST_API_KEYS:
        write_api_keys(&o, r->s);
        break;
    case LIST_PENDING:
        write_pendings(&o, &v);
        break;
    case LIST_PREFIXES:
        write_prefixes(&o, &v, NULL);
        break;
    }
    json_close(&o, '}');
    show_release(&v);
    return DONE;
}

enum flow ours_nodes(struct request *r)
{
    return reply_list(r, "nodes", LIST_NODES);
}

enum flow ours_users(struct request *r)
{
    return reply_list(r, "users", LIST_USERS);
}

enum flow ours_preauthkeys(struct request *r)
{
    return reply_list(r, "preAuthKeys", LIST_PREAUTH_KEYS);
}

enum flow ours_apikeys(struct request *r)
{
    return reply_list(r, "apiKeys", LIST_API_KEYS);
}

enum flow ours_pending(struct request *r)
{
    return reply_list(r, "pending", LIST_PENDING);
}

enum flow ours_prefixes(struct request *r)
{
    return reply_list(r, "prefixes", LIST_PREFIXES);
}

enum flow ours_node(struct request *r)
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
        write_node(&o, &v, n, API_OURS);
        json_close(&o, '}');
    } else {
        reply_code(r, ERR_MISSING, "node not found: %llu", (unsigned long long)id);
    }
    show_release(&v);
    return DONE;
}

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
        api_write(&inner, &api_route_shape, api_at(&out.routes, struct api_route, i), API_OURS);
        json_open(o, '{');
        json_put_id(o, "node", n->record->r.id);
        json_put_str(o, "name", n->record->given_name);
        json_raw(o, route.data + 1, route.len - 2);
        json_close(o, '}');
    }
    buf_release(&route);
    arena_release(&a);
}

enum flow ours_routes(struct request *r)
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

/* ---- the journal ---- */

static enum flow read_page(struct request *r)
{
    struct event **events = NULL;
    size_t count = 0;
    bool gone = false;
    const struct api_event_id *at = r->owner_data;

    if (store_events(r->h->with.store, at[0].run, at[0].seq, at[1].seq, (size_t)at[1].run, &events, &count, &gone,
                     &r->err) < 0)
        return reply_error(r, &r->err);
    if (gone) {
        free(events);
        return reply_code(r, ERR_GONE, "the journal does not know that event any more");
    }
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_key(&o, "events");
    json_open(&o, '[');
    for (size_t i = 0; i < count; i++) {
        write_event(&o, events[i]);
        record_unref(events[i]);
    }
    json_close(&o, ']');
    write_event_id(&o, "event", r->s->event_run, r->s->event_seq);
    json_close(&o, '}');
    free(events);
    return DONE;
}

/* Without since and before: the newest. */
enum flow ours_events(struct request *r)
{
    const char *since = arg_query(r, "since"), *before = arg_query(r, "before"), *limit = arg_query(r, "limit");
    struct api_event_id *at = arena_alloc(&r->arena, 2 * sizeof(*at)), id;
    uint64_t count = EVENTS_DEFAULT;
    bool follow = false;

    if (arg_query(r, "follow") && arg_bool(r, "follow", &follow) < 0)
        return reply_error(r, &r->err);
    if (!since && r->last_event_id && follow)
        since = r->last_event_id;
    if (follow)
        return events_follow(r, since);
    if (limit && str_u64(limit, 1, EVENTS_MAX, &count, "limit", &r->err) < 0)
        return reply_error(r, &r->err);
    if (since && before)
        return reply_code(r, ERR_INVALID, "give since or before, not both");
    if (since && *since) {
        if (api_event_id_parse(since, &at[0], &r->err) < 0)
            return reply_error(r, &r->err);
    } else {
        id = (struct api_event_id){r->s->event_run, r->s->event_seq + 1};
        if (before && *before && api_event_id_parse(before, &id, &r->err) < 0)
            return reply_error(r, &r->err);
        at[0].run = id.run;
        at[1].seq = id.seq;
    }
    at[1].run = count;
    r->owner_data = at;
    return request_later(r, &r->h->disk, read_page);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Everything that a console shows, in one answer. */
#include <stdlib.h>

#include "api/change/change.h"
#include "api/change/events.h"
#include "api/request/args.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/policy.h"
#include "api/resources/tables.h"
#include "api/view/objects.h"

extern const char *const headway_version;

static void write_server(struct json_out *o, struct rest_request *r, const struct config *c)
{
    struct api_server server = {.url = c->server_url,
                                .version = headway_version,
                                .base_domain = c->dns.base_domain,
                                .started_ns = r->api->started_ns,
                                .policy_mode = policy_mode(c),
                                .policy_path = config_policy_is_file(c) ? c->policy.path : ""};

    json_key(o, "server");
    api_write(o, &api_server_shape, &server, API_HEADWAY);
}

static void write_relays(struct json_out *o, const struct relay_names *relays)
{
    json_key(o, "relays");
    json_open(o, '[');
    for (size_t i = 0; relays && i < relays->len; i++)
        api_write(o, &api_relay_shape,
                  &(struct api_relay){relays->items[i].id, relays->items[i].code, relays->items[i].name}, API_HEADWAY);
    json_close(o, ']');
}

static void write_policy_mark(struct json_out *o, const struct tailnet_snapshot *s)
{
    struct api_policy_mark mark = {.present = s->policy && *s->policy->text,
                                   .updated_ns = s->policy ? s->policy->updated_ns : 0,
                                   .version = s->policy ? s->policy->r.version : 0};

    json_key(o, "policy");
    api_write(o, &api_policy_mark_shape, &mark, API_HEADWAY);
}

/* routesAvailable: advertised but not approved, awaiting an administrator. */
static void write_counts(struct json_out *o, const struct tailnet_snapshot *s, const struct api_list *prefixes)
{
    struct api_counts counts = {.nodes = s->node_count, .online = s->online_count};

    for (size_t i = 0; i < prefixes->len; i++) {
        const struct api_list *routers = &api_at(prefixes, struct api_prefix, i)->routers;
        for (size_t k = 0; k < routers->len; k++) {
            counts.routes_available += api_at(routers, struct api_router, k)->state == ROUTE_AVAILABLE;
            counts.routes_serving += api_at(routers, struct api_router, k)->state == ROUTE_SERVING;
        }
    }
    json_key(o, "counts");
    api_write(o, &api_counts_shape, &counts, API_HEADWAY);
}

/* Clients read it while it arrives: first what the rest refers to, then what is seen first, in the order of the
 * screen. */
static enum http_flow snapshot(struct rest_request *r)
{
    struct arena a = ARENA_INIT(0);
    struct api_list prefixes;
    struct api_view v;

    events_expect(r->api->hub);
    tailnet_unpin(r->s); /* the snapshot must be at least as new as the start of the stream */
    r->s = tailnet_pin(r->api->with.tailnet);
    const struct config *c = api_config(r->api);
    struct json_out o = reply_json(r);
    show_init(&v, r->api, r->s);
    show_prefixes(&v, NULL, &a, &prefixes);
    json_open(&o, '{');
    write_event_id(&o, "event", r->s->event_run, r->s->event_seq);
    json_put_time(&o, "time", clock_wall_ns());
    write_server(&o, r, c);
    write_policy_mark(&o, r->s);
    write_counts(&o, r->s, &prefixes);
    json_key(&o, "nodes");
    write_nodes_by_name(&o, &v, API_HEADWAY);
    json_key(&o, "pending");
    write_pendings(&o, &v, API_HEADWAY);
    json_key(&o, "prefixes");
    json_open(&o, '[');
    for (size_t i = 0; i < prefixes.len; i++)
        api_write(&o, &api_prefix_shape, api_at(&prefixes, struct api_prefix, i), API_HEADWAY);
    json_close(&o, ']');
    json_key(&o, "users");
    write_users(&o, &v, API_HEADWAY);
    json_key(&o, "preAuthKeys");
    write_preauth_keys(&o, &v, API_HEADWAY);
    json_key(&o, "apiKeys");
    write_api_keys(&o, &v, API_HEADWAY);
    write_relays(&o, v.relays);
    json_close(&o, '}');
    show_release(&v);
    arena_release(&a);
    config_unref(c);
    return HTTP_DONE;
}

static const struct api_endpoint rows[] = {
    {HEADWAY("GET", "/snapshot"), .run = snapshot, .need = NEED_READ, .scope = SCOPE_ALL, .answer = "Snapshot",
     .help = "Everything that is shown, with the event it is true for"},
};
const struct http_table snapshot_table = API_TABLE(rows);

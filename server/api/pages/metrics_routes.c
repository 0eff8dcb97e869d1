/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics about routes, exit nodes and routes that await approval. */
#include "api/pages/metrics_routes.h"

#include "api/request/policy_watch.h"
#include "api/view/health_reasons.h"
#include "metrics/metrics.h"
#include "model/events.h"
#include "model/hostinfo.h"

#define PREFIXES_SHOWN 256 /* prefixes with a sample of their own */

struct route_counts {
    size_t standby, waiting, draining, nodes_waiting, exits, exits_usable, exit_users, learned;
};

/* How many of a router's prefixes it could take over at once. */
static size_t standbys(const struct tailnet_node *n)
{
    size_t count = 0;

    if (!n->live.online || !n->live.healthy || n->expired || n->record->draining)
        return 0;
    for (size_t i = 0; i < n->record->approved.len; i++) {
        const struct prefix *p = &n->record->approved.items[i];
        count += !prefix_is_exit(p) && prefixes_has(&n->record->available, p) && !prefixes_has(&n->serving, p) &&
                 !prefixes_has(&n->live.unreachable, p);
    }
    return count;
}

static void moves_figures(const struct tailnet_snapshot *s, struct buf *out)
{
    unsigned long long others = 0;
    size_t shown = 0;
    char text[PREFIX_TEXT_MAX];

    metrics_head(out, "headway_prefix_moves_total", "counter",
                 "How often a served prefix moved from one router to another since the start");
    for (size_t i = 0; i < s->primary_count; i++) {
        const struct primary *p = s->primaries[i];
        if (p->moves && shown++ < PREFIXES_SHOWN)
            buf_addf(out, "headway_prefix_moves_total{prefix=\"%s\"} %llu\n", prefix_format(&p->prefix, text),
                     (unsigned long long)p->moves);
        else
            others += p->moves;
    }
    buf_addf(out, "headway_prefix_moves_total{prefix=\"other\"} %llu\n", others);
}

static void count_node(const struct tailnet_node *n, struct route_counts *c)
{
    bool exit = node_is_exit(n->record), connector = peer_hostinfo_is_connector(n->record->peer_hostinfo);

    c->standby += standbys(n);
    c->draining += n->record->draining;
    c->nodes_waiting += !n->record->authorized && !n->record->authorized_ns;
    c->exits += exit;
    c->exits_usable += exit && n->live.online && n->live.healthy && !n->expired && !n->record->draining;
    c->exit_users += n->live.online && n->record->exit_node_id;
    for (size_t i = 0; i < n->record->available.len; i++) {
        const struct prefix *p = &n->record->available.items[i];
        c->waiting += !prefixes_has(&n->record->approved, p);
        c->learned += connector && p->bits == p->addr.bits;
    }
}

static void health_figures(struct rest_request *r, struct buf *out)
{
    struct api_view v;
    struct api_health found;
    size_t reasons[WEIGHT_ALARM + 1] = {0};
    struct policy_tests tests;

    show_init(&v, r->api, r->s);
    show_health(&v, r->api, true, &r->http.arena, &found);
    for (size_t i = 0; i < found.reasons.len; i++)
        reasons[api_at(&found.reasons, struct api_health_reason, i)->severity]++;
    show_release(&v);
    if (found.certificate)
        metrics_put(out, "headway_certificate_expiry_timestamp_seconds", "gauge",
                    "When the certificate of the public listener ends; 0: there is none yet",
                    (unsigned long long)(found.certificate->ends_ns / NS_PER_SECOND));
    metrics_head(out, "headway_health_reasons", "gauge",
                 "What is not well, as headway health lists it; without the database");
    for (int k = WEIGHT_WARN; k <= WEIGHT_ALARM; k++)
        buf_addf(out, "headway_health_reasons{severity=\"%s\"} %zu\n", event_weight_name(k), reasons[k]);
    policy_watch_read(r->api->policy_watch, &tests);
    metrics_put(out, "headway_policy_tests_failing", "gauge",
                "Expectations in the tests of the policy in force that do not hold", tests.failing);
    metrics_put(out, "headway_prefixes_unserved", "gauge",
                "Approved and advertised subnet prefixes that no router serves", found.unserved);
}

void put_route_figures(struct rest_request *r, struct buf *out)
{
    const struct tailnet_snapshot *s = r->s;
    struct route_counts c = {0};

    for (uint32_t slot = 0; slot < s->block_count * TAILNET_BLOCK; slot++) {
        const struct tailnet_node *n = snapshot_node(s, slot);
        if (n)
            count_node(n, &c);
    }
    const struct {
        const char *name, *help;
        size_t value;
    } gauges[] = {
        {"headway_routes_standby", "Subnet routes, by node, that could take over their prefix at once", c.standby},
        {"headway_routes_waiting", "Advertised routes, by node, that nobody has approved", c.waiting},
        {"headway_routes_via_serving",
         "Subnet prefixes that somebody serves within a group of routers that grants name with via",
         s->via_primary_count},
        {"headway_nodes_draining", "Nodes that are drained", c.draining},
        {"headway_nodes_waiting", "Nodes that wait for approval", c.nodes_waiting},
        {"headway_exit_nodes", "Approved exit nodes", c.exits},
        {"headway_exit_nodes_usable", "Approved exit nodes that are online and well, and not drained", c.exits_usable},
        {"headway_exit_node_users", "Nodes that are online and use an exit node", c.exit_users},
        {"headway_app_connector_addresses", "Addresses that app connectors have learned, by node", c.learned},
    };
    for (size_t i = 0; i < ARRAY_LEN(gauges); i++)
        metrics_put(out, gauges[i].name, "gauge", gauges[i].help, gauges[i].value);
    health_figures(r, out);
    moves_figures(s, out);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics in Prometheus' text form, under headscale's names where it has the same figure. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/change/events.h"
#include "api/pages/metrics_routes.h"
#include "api/pages/tables.h"
#include "api/request/args.h"
#include "api/request/counts.h"
#include "api/request/reply.h"
#include "metrics/metrics.h"

static void http_figures(struct api *api, struct buf *out)
{
    struct http_counts now;

    counts_write(api, out);
    http_counts(api->http, &now);
    metrics_put(out, "http_requests_inflight", "gauge", "Requests that are worked on", now.active);
    metrics_put(out, "headway_http_connections", "gauge", "Open connections of the public listener",
                now.public_connections);
    metrics_put(out, "headway_unix_connections", "gauge", "Open connections of the unix socket", now.unix_connections);
    metrics_put(out, "headway_event_streams", "gauge", "Open streams of events", events_stream_count(api->hub));
}

/* headscale's figures about its node store, as they apply here: durable changes of nodes, the groups they were written
 * in, and the snapshots published to readers. */
static void nodestore_figures(const struct core_counters *c, struct buf *out)
{
    static const char *const operations[CORE_NODE_OPERATIONS] = {
        [CORE_NODE_PUT] = "put", [CORE_NODE_UPDATE] = "update", [CORE_NODE_DELETE] = "delete"};
    char labels[32];

    metrics_head(out, "headscale_nodestore_operations_total", "counter", "Changes of nodes");
    for (int i = 0; i < CORE_NODE_OPERATIONS; i++) {
        unsigned long long count = 0;
        for (size_t k = 0; k <= METRICS_LIMITS; k++)
            count += c->node_times[i].counts[k];
        buf_addf(out, "headscale_nodestore_operations_total{operation=\"%s\"} %llu\n", operations[i], count);
    }
    metrics_head(out, "headscale_nodestore_operation_duration_seconds", "histogram",
                 "Time until a change of a node was durable");
    for (int i = 0; i < CORE_NODE_OPERATIONS; i++) {
        snprintf(labels, sizeof(labels), "operation=\"%s\"", operations[i]);
        metrics_put_series(out, "headscale_nodestore_operation_duration_seconds", labels, &metrics_fractions,
                           &c->node_times[i]);
    }
    metrics_put_times(out, "headscale_nodestore_batch_size", "Changes of any kind that were stored as one group",
                      &metrics_hundred, &c->batch_sizes);
    metrics_put_times(out, "headscale_nodestore_batch_duration_seconds", "Time until such a group was durable",
                      &metrics_fractions, &c->batch_times);
    metrics_put_times(out, "headscale_nodestore_snapshot_build_duration_seconds",
                      "Time to make the snapshot that readers get", &metrics_fractions, &c->snapshot_times);
    metrics_put_times(out, "headscale_nodestore_peers_calculation_duration_seconds",
                      "Time to find what the policy lets change among peers", &metrics_fractions, &c->peers_times);
    metrics_put(out, "headscale_nodestore_queue_depth", "gauge", "Calls that wait for the core", c->queue_length);
}

static void core_figures(struct api *api, struct buf *out)
{
    struct core_counters c;

    core_counters(api->with.core, &c);
    metrics_put(out, "headway_core_calls_total", "counter", "Calls to the core", c.calls);
    metrics_put(out, "headway_core_commits_total", "counter", "Groups of changes that were stored", c.commits);
    metrics_put(out, "headway_core_publishes_total", "counter", "Snapshots that were published", c.publishes);
    metrics_put(out, "headway_core_queue", "gauge", "Calls that wait for the core", c.queue_length);
    metrics_put(out, "headway_registrations_total", "counter", "Registrations", c.registrations);
    metrics_put(out, "headway_map_requests_total", "counter", "Map requests", c.map_requests);
    metrics_put(out, "headway_failovers_total", "counter", "Prefixes that moved from one router to another",
                c.failovers);
    metrics_put_times(
        out, "headway_failover_detection_seconds",
        "Time from the last sign of life of a router, or the first probe it lost, until it was found to be gone",
        &metrics_seconds, &c.detection);
    nodestore_figures(&c, out);
}

static void tailnet_figures(struct rest_request *r, struct buf *out)
{
    const struct tailnet_snapshot *s = r->s;
    size_t serving = 0, unhealthy = 0;

    for (size_t b = 0; b < s->block_count; b++)
        for (size_t i = 0; s->blocks[b] && i < TAILNET_BLOCK; i++) {
            const struct tailnet_node *n = s->blocks[b]->nodes[i];
            serving += n ? n->serving.len : 0;
            unhealthy += n && n->live.online && !n->live.healthy;
        }
    metrics_put(out, "headscale_nodestore_nodes", "gauge", "Nodes", s->node_count);
    metrics_put(out, "headway_nodes_online", "gauge", "Nodes that are connected and whose key is valid",
                s->online_count);
    metrics_put(out, "headway_nodes_unhealthy", "gauge", "Nodes that are online and answer no probe", unhealthy);
    metrics_put(out, "headway_routes_serving", "gauge", "Subnet prefixes that somebody serves", serving);
    put_route_figures(r, out);
    metrics_put(out, "headway_users", "gauge", "Users", s->user_count);
    metrics_put(out, "headway_pending", "gauge", "Registrations and sessions that wait for a decision",
                s->pending_count);
    metrics_put(out, "headway_events_total", "counter", "Number of the newest journal entry", s->event_seq);
}

static void webhook_figures(struct rest_request *r, struct buf *out)
{
    struct webhooks_counters c;
    size_t webhooks = 0, failing = 0;
    uint64_t dropped = 0;

    webhooks_counters(r->api->webhooks, &c);
    for (size_t i = 0; i < r->s->webhook_count; i++) {
        const struct webhook *w = r->s->webhooks[i];
        webhooks += !w->deleted_ns;
        failing += !w->deleted_ns && w->failures;
        dropped += w->dropped;
    }
    metrics_put(out, "headway_webhooks", "gauge", "Webhooks", webhooks);
    metrics_put(out, "headway_webhooks_failing", "gauge", "Webhooks whose last delivery failed", failing);
    metrics_put(out, "headway_webhook_deliveries_total", "counter", "Deliveries to webhooks that were tried",
                c.deliveries);
    metrics_put(out, "headway_webhook_failures_total", "counter", "Of these those that failed", c.failures);
    metrics_put(out, "headway_webhook_events_total", "counter", "Events that webhooks took", c.events);
    metrics_put(out, "headway_webhook_events_dropped", "gauge",
                "Events that the webhooks there are were never told of: they waited too long or were too many",
                dropped);
}

static size_t open_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    size_t count = 0;

    if (!d)
        return 0;
    while (readdir(d))
        count++;
    closedir(d);
    return count > 3 ? count - 3 : 0; /* ".", "..", and the directory's own */
}

static unsigned long long resident_bytes(void)
{
    FILE *f = fopen("/proc/self/statm", "re");
    char text[128] = "";
    char *end = text;

    if (f && !fgets(text, sizeof(text), f))
        text[0] = '\0';
    if (f)
        fclose(f);
    strtoull(text, &end, 10); /* the size comes first */
    return strtoull(end, NULL, 10) * (unsigned long long)sysconf(_SC_PAGESIZE);
}

static void store_figures(struct api *api, struct buf *out)
{
    metrics_put(out, "headway_database_log_bytes", "gauge",
                "Size of SQLite's write-ahead log; 0 with PostgreSQL, whose log is its server's",
                store_log_bytes(api->with.store));
    metrics_put(out, "headway_backup_time_seconds", "gauge",
                "When the newest backup since the start was made; 0: none was",
                (unsigned long long)(store_backup_ns(api->with.store) / NS_PER_SECOND));
}

static void process_figures(struct api *api, struct buf *out)
{
    struct rusage use;
    struct rlimit files;

    getrusage(RUSAGE_SELF, &use);
    buf_addf(out,
             "# HELP process_cpu_seconds_total Processor time\n# TYPE process_cpu_seconds_total counter\n"
             "process_cpu_seconds_total %.3f\n",
             (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
                 (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6);
    metrics_put(out, "process_resident_memory_bytes", "gauge", "Resident memory", resident_bytes());
    metrics_put(out, "process_open_fds", "gauge", "Open descriptors", open_descriptors());
    metrics_put(out, "process_max_fds", "gauge", "Descriptors that may be open",
                getrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_cur : 0);
    buf_addf(out,
             "# HELP process_start_time_seconds Start\n# TYPE process_start_time_seconds gauge\n"
             "process_start_time_seconds %.3f\n",
             (double)api->started_ns / 1e9);
}

static enum http_flow metrics_page(struct rest_request *r)
{
    struct buf *out = http_reply(&r->http, 200, "text/plain; version=0.0.4; charset=utf-8");

    webhook_figures(r, out);
    tailnet_figures(r, out);
    core_figures(r->api, out);
    http_figures(r->api, out);
    store_figures(r->api, out);
    if (r->api->with.metrics)
        r->api->with.metrics(r->api->with.arg, out);
    process_figures(r->api, out);
    return HTTP_DONE;
}

static const struct api_endpoint rows[] = {
    {PAGE("GET", "/metrics", HTTP_METRICS), .run = metrics_page, .help = "Figures for Prometheus"},
};
const struct http_table metrics_table = API_TABLE(rows);

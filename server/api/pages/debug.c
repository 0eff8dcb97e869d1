/* SPDX-License-Identifier: BSD-3-Clause */
/* What can be inspected from this machine without a key: /debug of the metrics listener. */
#include <stdio.h>
#include <stdlib.h>

#include "api/pages/tables.h"
#include "api/request/args.h"
#include "api/request/heavy.h"
#include "api/request/reply.h"
#include "api/view/objects.h"
#include "base/mem.h"
#include "config/config.h"
#include "policy/policy.h"

static bool may_look(struct rest_request *r)
{
    if (r->http.peer_is_local)
        return true;
    http_reply_text(&r->http, 403, "debug access denied\n");
    return false;
}

static enum http_flow index_page(struct rest_request *r)
{
    if (!may_look(r))
        return HTTP_DONE;
    struct buf *out = http_reply(&r->http, 200, HTTP_TEXT);
    for (size_t i = 0; i < endpoint_count(r->api); i++) {
        const struct api_endpoint *e = endpoint_at(r->api, i);
        if (e->http.listeners & HTTP_METRICS)
            buf_addf(out, "%-18s %s\n", e->http.path, e->help);
    }
    return HTTP_DONE;
}

static enum http_flow overview(struct rest_request *r)
{
    const struct tailnet_snapshot *s = r->s;
    size_t expired = 0, ephemeral = 0;

    if (!may_look(r))
        return HTTP_DONE;
    for (size_t b = 0; b < s->block_count; b++)
        for (size_t i = 0; s->blocks[b] && i < TAILNET_BLOCK; i++) {
            const struct tailnet_node *n = s->blocks[b]->nodes[i];
            expired += n && n->expired;
            ephemeral += n && n->record->ephemeral;
        }
    uint64_t *counts = show_node_counts(s);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_key(&o, "nodes");
    json_open(&o, '{');
    json_put_u64(&o, "total", s->node_count);
    json_put_u64(&o, "online", s->online_count);
    json_put_u64(&o, "expired", expired);
    json_put_u64(&o, "ephemeral", ephemeral);
    json_close(&o, '}');
    json_key(&o, "users");
    json_open(&o, '{');
    for (size_t i = 0; i < s->user_count; i++)
        json_put_u64(&o, s->users[i]->name, counts[i]);
    json_close(&o, '}');
    json_put_u64(&o, "total_users", s->user_count);
    json_put_u64(&o, "primary_routes", s->primary_count);
    write_event_id(&o, "event", s->event_run, s->event_seq);
    json_close(&o, '}');
    free(counts);
    return HTTP_DONE;
}

static enum http_flow prefixes(struct rest_request *r)
{
    return may_look(r) ? reply_list(r, "prefixes", write_prefixes) : HTTP_DONE;
}

static enum http_flow reply_raw(struct rest_request *r, const char *type, const char *text)
{
    buf_adds(http_reply(&r->http, 200, type), text);
    return HTTP_DONE;
}

static enum http_flow derp_map(struct rest_request *r)
{
    if (!may_look(r))
        return HTTP_DONE;
    return reply_raw(r, HTTP_JSON,
                     r->s->settings && r->s->settings->derp_json ? r->s->settings->derp_json : "{\"Regions\":{}}");
}

static enum http_flow policy(struct rest_request *r)
{
    if (!may_look(r))
        return HTTP_DONE;
    return reply_raw(r, HTTP_TEXT, r->s->policy ? r->s->policy->text : "");
}

static enum http_flow config(struct rest_request *r)
{
    if (!may_look(r))
        return HTTP_DONE;
    const struct config *c = api_config(r->api);
    struct json_out o = reply_json(r);
    config_describe(c, &o);
    config_unref(c);
    return HTTP_DONE;
}

static enum http_flow all_nodes(struct rest_request *r)
{
    return reply_list(r, "nodes", write_nodes);
}

static enum http_flow nodes(struct rest_request *r)
{
    return may_look(r) ? heavy_later(r, all_nodes) : HTTP_DONE;
}

static enum http_flow pendings(struct rest_request *r)
{
    return may_look(r) ? reply_list(r, "pending", write_pendings) : HTTP_DONE;
}

/* The nodes that have a stream; headscale counts several per node. */
static enum http_flow streams(struct rest_request *r)
{
    size_t count = 0;
    char id[24];

    if (!may_look(r))
        return HTTP_DONE;
    const struct tailnet_node **all = show_nodes_by_id(r->s, &count);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_key(&o, "connected_nodes");
    json_open(&o, '{');
    for (size_t i = 0; i < count; i++) {
        snprintf(id, sizeof(id), "%llu", (unsigned long long)all[i]->record->r.id);
        json_key(&o, id);
        json_open(&o, '{');
        json_put_bool(&o, "connected", all[i]->live.online);
        json_put_u64(&o, "active_connections", all[i]->live.online);
        json_close(&o, '}');
    }
    json_close(&o, '}');
    json_put_u64(&o, "total_nodes", count);
    json_close(&o, '}');
    free(all);
    return HTTP_DONE;
}

/* ---- what the policy makes of it ---- */

#define POLICY_NODES 100        /* shown at once; ?node=ID shows another */
#define POLICY_BYTES (4u << 20) /* after which no further node is begun */

static void write_filter(const struct policy_view *v, const struct tailnet_node *n, const char *base,
                         struct json_out *o)
{
    struct buf rules = BUF_INIT(0);

    (void)base;
    policy_filter(v, n->slot, &rules);
    json_raw(o, buf_text(&rules), rules.len);
    buf_release(&rules);
}

static void write_ssh(const struct policy_view *v, const struct tailnet_node *n, const char *base, struct json_out *o)
{
    struct buf rules = BUF_INIT(0);

    policy_ssh(v, n->slot, base, &rules);
    json_open(o, '{');
    json_key(o, "rules");
    json_raw(o, buf_text(&rules), rules.len);
    json_close(o, '}');
    buf_release(&rules);
}

typedef void write_rules(const struct policy_view *v, const struct tailnet_node *n, const char *base,
                         struct json_out *o);

/* By node, "ID NAME"; null without a policy, which allows everything. The lock is released between nodes, for those who
 * change the policy. */
static enum http_flow rules_by_node(struct rest_request *r, write_rules *write)
{
    uint64_t only = 0;
    size_t count = 0, shown = 0;

    if (arg_id(r, "node", &only) < 0)
        return reply_error(r, &r->err);
    const struct config *c = api_config(r->api);
    const struct tailnet_node **all = show_nodes_by_id(r->s, &count);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    for (size_t i = 0; i < count && shown < POLICY_NODES && o.b->len < POLICY_BYTES; i++) {
        if (only && all[i]->record->r.id != only)
            continue;
        char *name = mem_format("%llu %s", (unsigned long long)all[i]->record->r.id, all[i]->record->given_name);
        json_key(&o, name);
        const struct policy_view *v = tailnet_policy_read(r->api->with.tailnet);
        if (v)
            write(v, all[i], c->server_url, &o);
        else
            json_raw(&o, "null", 4);
        tailnet_policy_done(r->api->with.tailnet);
        free(name);
        shown++;
    }
    json_close(&o, '}');
    free(all);
    config_unref(c);
    return HTTP_DONE;
}

static enum http_flow all_filters(struct rest_request *r)
{
    return rules_by_node(r, write_filter);
}

static enum http_flow filters(struct rest_request *r)
{
    return may_look(r) ? heavy_later(r, all_filters) : HTTP_DONE;
}

static enum http_flow all_ssh(struct rest_request *r)
{
    return rules_by_node(r, write_ssh);
}

static enum http_flow ssh(struct rest_request *r)
{
    return may_look(r) ? heavy_later(r, all_ssh) : HTTP_DONE;
}

static enum http_flow policy_state(struct rest_request *r)
{
    if (!may_look(r))
        return HTTP_DONE;
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_put_id(&o, "policy", r->s->policy ? r->s->policy->r.id : 0);
    json_put_u64(&o, "bytes", r->s->policy ? strlen(r->s->policy->text) : 0);
    json_put_u64(&o, "users", r->s->user_count);
    json_put_u64(&o, "nodes", r->s->node_count);
    const struct policy_view *v = tailnet_policy_read(r->api->with.tailnet);
    json_put_u64(&o, "via_groups", v ? policy_via_groups(v) : 0);
    json_put_u64(&o, "app_connectors", v ? policy_connector_apps(v) : 0);
    tailnet_policy_done(r->api->with.tailnet);
    json_close(&o, '}');
    return HTTP_DONE;
}

static enum http_flow map_responses(struct rest_request *r)
{
    if (!may_look(r))
        return HTTP_DONE;
    return reply_raw(r, HTTP_TEXT,
                     "What clients are sent is not kept. 'headway nodes diff NODE' compares what a client holds with "
                     "what it should.\n");
}

static const struct api_endpoint rows[] = {
    {PAGE("GET", "/debug", HTTP_METRICS), .run = index_page, .help = "What can be looked into, from this machine only"},
    {PAGE("GET", "/debug/", HTTP_METRICS), .run = index_page, .help = "The same"},
    {PAGE("GET", "/debug/overview", HTTP_METRICS), .run = overview, .help = "Counts"},
    {PAGE("GET", "/debug/config", HTTP_METRICS), .run = config,
     .help = "The configuration in force, without its secrets"},
    {PAGE("GET", "/debug/nodestore", HTTP_METRICS), .run = nodes, .help = "Nodes"},
    {PAGE("GET", "/debug/registration-cache", HTTP_METRICS), .run = pendings,
     .help = "Registrations that wait for a decision"},
    {PAGE("GET", "/debug/batcher", HTTP_METRICS), .run = streams, .help = "Which nodes are connected"},
    {PAGE("GET", "/debug/filter", HTTP_METRICS), .run = filters, .query = "node:id",
     .help = "Packet filters of the first hundred nodes, or of ?node=ID"},
    {PAGE("GET", "/debug/ssh", HTTP_METRICS), .run = ssh, .query = "node:id", .help = "SSH rules of the same"},
    {PAGE("GET", "/debug/policy-manager", HTTP_METRICS), .run = policy_state, .help = "What the policy is applied to"},
    {PAGE("GET", "/debug/mapresponses", HTTP_METRICS), .run = map_responses, .help = "Where to look instead"},
    {PAGE("GET", "/debug/routes", HTTP_METRICS), .run = prefixes, .help = "Available, serving and unhealthy"},
    {PAGE("GET", "/debug/derp", HTTP_METRICS), .run = derp_map, .help = "The DERP map"},
    {PAGE("GET", "/debug/policy", HTTP_METRICS), .run = policy, .help = "The policy's text"},
};
const struct http_table debug_table = API_TABLE(rows);

/* SPDX-License-Identifier: BSD-3-Clause */
/* What can be looked into from this machine, without a key: /debug of the metrics listener. */
#include <stdlib.h>

#include "api/pages/tables.h"
#include "api/request/args.h"
#include "api/request/reply.h"
#include "api/view/objects.h"

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

static const struct api_endpoint rows[] = {
    {PAGE("GET", "/debug", HTTP_METRICS), .run = index_page, .help = "What can be looked into, from this machine only"},
    {PAGE("GET", "/debug/", HTTP_METRICS), .run = index_page, .help = "The same"},
    {PAGE("GET", "/debug/overview", HTTP_METRICS), .run = overview, .help = "Counts"},
    {PAGE("GET", "/debug/routes", HTTP_METRICS), .run = prefixes, .help = "Available, serving and unhealthy"},
    {PAGE("GET", "/debug/derp", HTTP_METRICS), .run = derp_map, .help = "The DERP map"},
    {PAGE("GET", "/debug/policy", HTTP_METRICS), .run = policy, .help = "The policy's text"},
};
const struct http_table debug_table = API_TABLE(rows);

/* SPDX-License-Identifier: BSD-3-Clause */
/* The health of the tailnet and its server: for probes, programs and people.
 *
 * One check of the database runs at a time, on a thread of its own; while it hangs, requests are answered with that at
 * once. */
#include "api/request/args.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/tables.h"
#include "api/view/health_reasons.h"
#include "api/view/objects.h"
#include "model/api_past.h"

#define FRESH_MS 1000 /* how long a result is reused */
#define HANG_MS  3000

static void ask(struct work *work)
{
    struct api *api = CONTAINER_OF(work, struct api, ping.work);
    struct err e;
    bool ok = store_ping(api->with.store, &e) == 0;
    static struct log_limit limit;

    if (!ok)
        log_limited(&limit, 2, LOG_LEVEL_ERROR, "http", "health: the database does not answer: %s", e.message);
    pthread_mutex_lock(&api->lock);
    api->ping.ok = ok;
    api->ping.known_ms = clock_mono_ms();
    api->ping.asking = false;
    struct rest_request *waiting = api->ping.waiting;
    api->ping.waiting = NULL;
    pthread_mutex_unlock(&api->lock);
    while (waiting) {
        struct rest_request *r = waiting;
        waiting = r->next;
        r->healthy = ok;
        request_later(r, HTTP_FAST, r->then);
    }
}

static enum http_flow with_health(struct rest_request *r, api_handler *then)
{
    struct api *api = r->api;
    int64_t now = clock_mono_ms();
    bool known, begin;

    pthread_mutex_lock(&api->lock);
    r->healthy = api->ping.ok;
    known = api->ping.known_ms && now - api->ping.known_ms < FRESH_MS;
    if (!known && api->ping.asking && now - api->ping.asked_ms > HANG_MS) {
        r->healthy = false;
        known = true;
    }
    begin = !known && !api->ping.asking;
    if (!known) {
        r->then = then;
        r->next = api->ping.waiting;
        api->ping.waiting = r;
    }
    if (begin) {
        api->ping.asking = true;
        api->ping.asked_ms = now;
        api->ping.work.run = ask;
    }
    pthread_mutex_unlock(&api->lock);
    if (begin)
        http_run(api->http, HTTP_HEALTH, &api->ping.work);
    return known ? then(r) : HTTP_LATER;
}

static void report(struct rest_request *r, struct api_health *out)
{
    struct api_view v;

    show_init(&v, r->api, r->s);
    show_health(&v, r->api, r->healthy, &r->http.arena, out);
    show_release(&v);
}

static enum http_flow v1_answer(struct rest_request *r)
{
    if (!r->healthy)
        return reply_code(r, ERR_INTERNAL, "the database does not answer");
    struct json_out o = reply_json(r);
    api_write(&o, &api_health_shape, &(struct api_health){.database = true}, API_V1);
    return HTTP_DONE;
}

static enum http_flow v1_health(struct rest_request *r)
{
    return with_health(r, v1_answer);
}

static enum http_flow headway_answer(struct rest_request *r)
{
    struct api_health found;

    report(r, &found);
    struct json_out o = reply_json(r);
    api_write(&o, &api_health_shape, &found, API_HEADWAY);
    return HTTP_DONE;
}

static enum http_flow headway_health(struct rest_request *r)
{
    return with_health(r, headway_answer);
}

/* headscale's answer and status: "pass" and 200 as long as the database works, degraded or not, so that nobody restarts
 * a server because a router is down. Strangers learn whether there are reasons, but not which. */
static enum http_flow page_answer(struct rest_request *r)
{
    struct api_health found;

    report(r, &found);
    /* A database on another machine may be away for a while: clients are still served, and another daemon would not
     * reach it either. */
    const struct config *c = api_config(r->api);
    bool away = !r->healthy && config_is_postgres(c);
    config_unref(c);
    struct json_out o =
        JSON_OUT(http_reply(&r->http, r->healthy || away ? 200 : 500, "application/health+json; charset=utf-8"));
    json_open(&o, '{');
    json_put_str(&o, "status", r->healthy ? "pass" : away ? "warn" : "fail");
    if (r->healthy && found.count)
        json_put_bool(&o, "degraded", true);
    if (found.certificate && r->http.listener != HTTP_PUBLIC) {
        json_key(&o, "certificate");
        api_write(&o, &api_certificate_shape, found.certificate, API_HEADWAY);
    }
    if (found.count && r->http.listener != HTTP_PUBLIC) {
        json_key(&o, "reasons");
        json_open(&o, '[');
        for (size_t i = 0; i < found.reasons.len; i++)
            api_write(&o, &api_health_reason_shape, api_at(&found.reasons, struct api_health_reason, i), API_HEADWAY);
        json_close(&o, ']');
    }
    json_close(&o, '}');
    return HTTP_DONE;
}

static enum http_flow health_page(struct rest_request *r)
{
    return with_health(r, page_answer);
}

/* ---- how far nodes are away ---- */

#define NODES_MAX 200 /* per call */

/* "3,4,5" */
static int read_ids(struct rest_request *r, const char *text, uint64_t ids[NODES_MAX], size_t *count)
{
    for (const char *p = text; *p;) {
        size_t len = strcspn(p, ",");
        char digits[24];

        if (*count == NODES_MAX)
            return err_field(&r->err, ERR_TOOBIG, "nodes", "more than %d nodes", NODES_MAX);
        snprintf(digits, sizeof(digits), "%.*s", len < sizeof(digits) ? (int)len : 0, p);
        if (str_u64(digits, 1, INT64_MAX, &ids[*count], "nodes", &r->err) < 0)
            return ERR_INVALID;
        ++*count;
        p += len + (p[len] == ',');
    }
    return 0;
}

static void add_round_trips(struct rest_request *r, struct api_view *v, const struct tailnet_node *n, bool all,
                            struct api_round_trips *out)
{
    if (n)
        show_round_trips(v, r->api->with.control, n, all, &r->http.arena,
                         api_at(&out->nodes, struct api_node_round_trips, out->nodes.len++));
}

static enum http_flow round_trips_get(struct rest_request *r)
{
    const char *asked = arg_query(r, "nodes");
    struct api_round_trips out = {0};
    uint64_t ids[NODES_MAX];
    size_t count = 0;
    struct api_view v;

    if (asked && read_ids(r, asked, ids, &count) < 0)
        return reply_error(r, &r->err);
    show_init(&v, r->api, r->s);
    out.nodes.items =
        arena_alloc(&r->http.arena, ((asked ? count : r->s->node_count) + 1) * sizeof(struct api_node_round_trips));
    for (size_t i = 0; i < count; i++)
        add_round_trips(r, &v, snapshot_node_by_id(r->s, ids[i]), true, &out);
    for (uint32_t slot = 0; !asked && slot < r->s->block_count * TAILNET_BLOCK; slot++)
        add_round_trips(r, &v, snapshot_node(r->s, slot), false, &out);
    struct json_out o = reply_json(r);
    api_write(&o, &api_round_trips_shape, &out, API_HEADWAY);
    show_release(&v);
    return HTTP_DONE;
}

static const struct api_endpoint rows[] = {
    {V1("GET", "/health"), .run = v1_health, .need = NEED_READ, .scope = SCOPE_ANY, .id = "health", .answer = "Health",
     .help = "Whether the database answers"},
    {HEADWAY("GET", "/health"), .run = headway_health, .need = NEED_READ, .scope = SCOPE_ANY, .answer = "Health",
     .help = "Whether all is well, and why not"},
    {HEADWAY("GET", "/roundtrips"), .run = round_trips_get, .need = NEED_READ, .scope = SCOPE_ALL,
     .query = "nodes:text", .answer = "RoundTrips",
     .help = "How long clients took to answer the last PINGs of their control connections; of the nodes with these ids "
             "(3,4,5) the last minutes, and what they measured to relays"},
    {PAGE("GET", "/health", HTTP_PUBLIC | HTTP_UNIX | HTTP_METRICS), .http.reserved = true, .run = health_page,
     .help = "Whether the database answers, for probes; who asks from inside is told of everything else too"},
};
const struct http_table health_table = API_TABLE(rows);

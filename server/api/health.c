/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether the database answers. One question at a time is put to it, on a thread of its own; while it hangs, whoever
 * asks is told so at once. */
#include "base/array.h"
#include "http/private.h"

#define FRESH_MS 1000 /* an answer that is good enough for the next */
#define HANG_MS  3000

static void ask(struct work *work)
{
    struct http *h = CONTAINER_OF(work, struct http, ping.work);
    struct err e;
    bool ok = store_ping(h->with.store, &e) == 0;
    static struct log_limit limit;

    if (!ok)
        log_limited(&limit, 2, LOG_LEVEL_ERROR, "http", "health: the database does not answer: %s", e.message);
    pthread_mutex_lock(&h->lock);
    h->ping.ok = ok;
    h->ping.known_ms = clock_mono_ms();
    h->ping.asking = false;
    struct request *waiting = h->ping.waiting;
    h->ping.waiting = NULL;
    pthread_mutex_unlock(&h->lock);
    while (waiting) {
        struct request *r = waiting;
        waiting = r->next;
        r->healthy = ok;
        request_later(r, &h->fast, r->then);
    }
}

static enum flow with_health(struct request *r, handler *then)
{
    struct http *h = r->h;
    int64_t now = clock_mono_ms();
    bool known, begin;

    pthread_mutex_lock(&h->lock);
    r->healthy = h->ping.ok;
    known = h->ping.known_ms && now - h->ping.known_ms < FRESH_MS;
    if (!known && h->ping.asking && now - h->ping.asked_ms > HANG_MS) {
        r->healthy = false;
        known = true;
    }
    begin = !known && !h->ping.asking;
    if (!known) {
        r->then = then;
        r->next = h->ping.waiting;
        h->ping.waiting = r;
    }
    if (begin) {
        h->ping.asking = true;
        h->ping.asked_ms = now;
        h->ping.work.run = ask;
    }
    pthread_mutex_unlock(&h->lock);
    if (begin)
        workers_add(&h->health, &h->ping.work);
    return known ? then(r) : LATER;
}

static enum flow v1_answer(struct request *r)
{
    struct json_out o;

    if (!r->healthy)
        return reply_code(r, ERR_INTERNAL, "the database does not answer");
    o = reply_json(r);
    json_open(&o, '{');
    json_put_bool(&o, "databaseConnectivity", true);
    json_close(&o, '}');
    return DONE;
}

enum flow v1_health(struct request *r)
{
    return with_health(r, v1_answer);
}

static enum flow page_answer(struct request *r)
{
    bool ok = r->healthy;

    reply_text(r, ok ? 200 : 500, "{\"status\":\"%s\"}", ok ? "pass" : "fail");
    r->content_type = "application/health+json; charset=utf-8";
    return DONE;
}

enum flow page_health(struct request *r)
{
    return with_health(r, page_answer);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* One delivery: reads the journal, sends, and reports the result to the core. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/random.h"
#include "client/client.h"
#include "net/sockaddr.h"
#include "webhook/state.h"

#define PAGE          1000  /* journal entries per read */
#define SURVEY_MS     60000 /* between counts of what is pending for a slow receiver */
#define QUIET_MS      1000  /* between deliveries, unless more is pending than one holds */
#define AGAIN_MS      2000  /* after the first failure; doubled after each further one */
#define AGAIN_MAX_MS  3600000
#define FAREWELLS     3 /* tries to notify a webhook of its own deletion */
#define NOTE_ENTRIES  1000
#define NOTE_MS       3600000
#define READ_AGAIN_MS 10000 /* after the database did not answer */

/* ---- what waits ---- */

struct webhook_place {
    uint64_t run, seq;
    int64_t time_ns;
};
struct survey {
    VEC(struct webhook_place) waiting; /* entries to be sent to it */
    bool gone;                         /* the journal does not reach back to the last delivery */
};

static int read_page(const struct target *t, uint64_t run, uint64_t seq, bool *gone, struct event ***page,
                     size_t *count)
{
    struct err e = {0};
    int rc = store_events(t->all->with.store, run, seq, 0, PAGE, page, count, gone, &e);

    if (rc == 0 && gone && *gone && *count == 0) /* what is left of the journal is sent */
        rc = store_events(t->all->with.store, run, seq, 0, PAGE, page, count, NULL, &e);
    if (rc < 0)
        log_warn("webhook", "the journal cannot be read: %s", e.message);
    return rc;
}

static void free_page(struct event **page, size_t count)
{
    for (size_t i = 0; i < count; i++)
        record_unref(page[i]);
    free(page);
}

static int survey_all(const struct target *t, struct survey *out)
{
    struct event **page;
    uint64_t run = t->run, seq = t->seq;
    size_t count = PAGE;
    bool *gone = &out->gone;

    while (count == PAGE && !atomic_load(&t->all->stopping)) {
        int rc = read_page(t, run, seq, gone, &page, &count);
        if (rc < 0)
            return rc;
        for (size_t i = 0; i < count; i++) {
            run = page[i]->run;
            seq = page[i]->r.id;
            if (compose_type(t->record, page[i]))
                vec_push(&out->waiting, ((struct webhook_place){run, seq, page[i]->time_ns}));
        }
        free_page(page, count);
        gone = NULL;
    }
    return 0;
}

static void tell_core(struct target *t, struct core_webhook *p)
{
    p->id = t->id;
    p->run = t->noted_run = t->run;
    p->seq = t->noted_seq = t->seq;
    t->noted_ms = clock_mono_ms();
    core_webhook_progress(t->all->with.core, p);
}

static void drop(struct target *t, uint64_t count, const char *why)
{
    t->dropped += count;
    tell_core(t, &(struct core_webhook){.dropped = count, .trouble = why});
}

/* Skips entries that are too old, or too many. */
static int bound_waiting(struct target *t)
{
    struct survey s = {.gone = false};
    int64_t oldest = clock_wall_ns() - t->config->webhooks.max_age;
    size_t max = (size_t)t->config->webhooks.max_events, cut = 0;
    int rc = survey_all(t, &s);

    if (rc == 0) {
        while (cut < s.waiting.len && s.waiting.items[cut].time_ns < oldest)
            cut++;
        bool old = cut > 0;
        if (s.waiting.len - cut > max)
            cut = s.waiting.len - max;
        if (cut) {
            t->run = s.waiting.items[cut - 1].run;
            t->seq = s.waiting.items[cut - 1].seq;
            drop(t, cut, old ? "they waited longer than webhooks.max_age" : "more waited than webhooks.max_events");
        }
        if (s.gone)
            drop(t, 1, "what the journal held after its last delivery was removed; counted as one");
        t->surveyed_ms = clock_mono_ms();
    }
    vec_release(&s.waiting);
    return rc;
}

/* ---- the batch ---- */

struct webhook_batch {
    VEC(struct compose_item) items;
    uint64_t run, seq; /* everything up to here was examined */
    bool end;          /* nothing follows */
};

static void release_batch(struct webhook_batch *b)
{
    for (size_t i = 0; i < b->items.len; i++)
        record_unref(b->items.items[i].event);
    vec_release(&b->items);
}

static void take_page(const struct target *t, struct event *const *page, size_t count, struct webhook_batch *b)
{
    for (size_t i = 0; i < count && b->items.len < COMPOSE_EVENTS_MAX; i++) {
        const struct webhook_type *type = compose_type(t->record, page[i]);
        b->run = page[i]->run;
        b->seq = page[i]->r.id;
        if (type)
            vec_push(&b->items, ((struct compose_item){record_ref(page[i]), type}));
    }
}

static int read_batch(const struct target *t, struct webhook_batch *b)
{
    struct event **page;
    size_t count;

    b->run = t->run;
    b->seq = t->seq;
    while (!b->end && b->items.len < COMPOSE_EVENTS_MAX && !atomic_load(&t->all->stopping)) {
        int rc = read_page(t, b->run, b->seq, NULL, &page, &count);
        if (rc < 0)
            return rc;
        take_page(t, page, count, b);
        free_page(page, count);
        b->end = count < PAGE && b->items.len < COMPOSE_EVENTS_MAX;
    }
    return 0;
}

/* ---- sending ---- */

static bool is_stopping(void *arg)
{
    return atomic_load(&((struct target *)arg)->all->stopping);
}

static int check_address(void *arg, const struct sockaddr *address, struct err *e)
{
    const struct target *t = arg;
    union address from = {0};
    struct addr_port to = {0};

    if (address->sa_family == AF_INET)
        memcpy(&from.in, address, sizeof(from.in));
    else if (address->sa_family == AF_INET6)
        memcpy(&from.in6, address, sizeof(from.in6));
    from_sockaddr(&from, &to);
    return to.addr.bits ? address_check(t->config, &to.addr, e)
                        : err_set(e, ERR_DENIED, "its address is neither IPv4 nor IPv6");
}

/* Signs t.body, as Tailscale does. */
static void sign(const char *secret, const struct buf *body, int64_t now_s, char header[160])
{
    uint8_t mac[CRYPTO_HASH_LEN];
    struct buf hex = BUF_INIT(0);
    char start[24];

    snprintf(start, sizeof(start), "%lld.", (long long)now_s);
    crypto_hmac_sha256(secret, strlen(secret), (struct crypto_part[]){{start, strlen(start)}, {body->data, body->len}},
                       2, mac);
    crypto_hex(&hex, mac, sizeof(mac));
    snprintf(header, 160, "Tailscale-Webhook-Signature: t=%lld,v1=%s", (long long)now_s, buf_text(&hex));
    buf_release(&hex);
}

/* 0: the receiver has accepted it. */
static int post(struct target *t, const struct buf *body, long *status, struct err *e)
{
    char *secret = crypto_text_open(t->all->key, t->record->secret), header[160];
    char *host = webhook_host(t->record->url);
    int rc;

    *status = 0;
    if (!secret) {
        free(host);
        return err_set(e, ERR_UNAVAILABLE,
                       "the secret cannot be read: webhooks_private.key is another one; rotate the secret");
    }
    sign(secret, body, clock_wall_ns() / NS_PER_SECOND, header);
    crypto_wipe(secret, strlen(secret));
    free(secret);
    rc = client_ask(&(struct client_question){.url = t->record->url,
                                              .name = host,
                                              .json = buf_text(body),
                                              .json_len = body->len,
                                              .header = header,
                                              .timeout_ms = t->config->webhooks.timeout / NS_PER_MS,
                                              .stop = is_stopping,
                                              .address = check_address,
                                              .arg = t},
                    NULL, status, e);
    if (rc == 0 && *status >= 300 && *status < 400)
        rc = err_set(e, ERR_UNAVAILABLE, "%.60s answered with status %ld: redirects are not followed", host, *status);
    else if (rc == 0 && (*status < 200 || *status >= 300))
        rc = err_set(e, ERR_UNAVAILABLE, "%.60s answered with status %ld", host, *status);
    free(host);
    return rc;
}

static int64_t again_ms(uint32_t failures)
{
    int64_t wait = failures > 12 ? AGAIN_MAX_MS : (int64_t)AGAIN_MS << (failures - 1);

    if (wait > AGAIN_MAX_MS)
        wait = AGAIN_MAX_MS;
    return wait + (int64_t)random_below((uint64_t)wait / 5); /* spread, for when their host is back */
}

static void took(struct target *t, const struct webhook_batch *b, const struct composed *c, long status)
{
    bool all = c->events == b->items.len;
    const struct compose_item *items = b->items.items;
    const struct event *last = !all && items && c->events ? items[c->events - 1].event : NULL;

    t->run = last ? last->run : b->run;
    t->seq = last ? last->r.id : b->seq;
    t->more = !all || !b->end;
    t->failures = 0;
    t->next_ns = 0;
    t->dropped_said = t->dropped;
    t->quiet_ms = t->more ? 0 : clock_mono_ms() + QUIET_MS;
    atomic_fetch_add(&t->all->events, c->events);
    tell_core(t, &(struct core_webhook){.delivered = c->events,
                                        .dropped_said = t->dropped,
                                        .tried = true,
                                        .tried_ns = clock_wall_ns(),
                                        .status = (uint32_t)status,
                                        .gone = t->record->deleted_ns != 0});
}

static void failed(struct target *t, long status, const struct err *e)
{
    int64_t now = clock_wall_ns();

    atomic_fetch_add(&t->all->failures, 1);
    t->failures++;
    t->surveyed_ms = 0;
    t->more = true;
    t->next_ns = now + again_ms(t->failures) * NS_PER_MS;
    if (t->failures == 1)
        log_warn("webhook", "webhook %llu: %s", (unsigned long long)t->id, e->message);
    tell_core(t, &(struct core_webhook){.tried = true,
                                        .tried_ns = now,
                                        .next_ns = t->next_ns,
                                        .status = (uint32_t)status,
                                        .trouble = e->message,
                                        .gone = t->record->deleted_ns && t->failures >= FAREWELLS});
}

static void send_batch(struct target *t, const struct webhook_batch *b)
{
    const struct tailnet_snapshot *s = tailnet_pin(t->all->with.tailnet);
    struct composed c = {.body = BUF_INIT(0)};
    struct err e = {0};
    long status;

    compose(t->record, t->config, s, b->items.items, b->items.len, t->dropped - t->dropped_said, &c);
    tailnet_unpin(s);
    atomic_fetch_add(&t->all->deliveries, 1);
    if (post(t, &c.body, &status, &e) == 0)
        took(t, b, &c, status);
    else if (!is_stopping(t))
        failed(t, status, &e);
    buf_release(&c.body);
}

/* Notes the position, so that a start does not examine old entries again. */
static void note_place(struct target *t)
{
    bool far = t->run != t->noted_run || t->seq - t->noted_seq >= NOTE_ENTRIES;

    if (t->seq != t->noted_seq && (far || clock_mono_ms() - t->noted_ms >= NOTE_MS))
        tell_core(t, &(struct core_webhook){0});
}

static int deliver(struct target *t)
{
    struct webhook_batch b = {.end = false};
    int rc = 0;

    if (!t->record->deleted_ns && (!t->surveyed_ms || (t->more && clock_mono_ms() - t->surveyed_ms > SURVEY_MS)))
        rc = bound_waiting(t);
    if (rc == 0)
        rc = read_batch(t, &b);
    if (rc == 0 && (b.items.len || t->dropped > t->dropped_said)) {
        send_batch(t, &b);
    } else if (rc == 0) {
        t->run = b.run;
        t->seq = b.seq;
        t->more = !b.end;
        if (t->record->deleted_ns && b.end)
            tell_core(t, &(struct core_webhook){.gone = true});
        else
            note_place(t);
    }
    release_batch(&b);
    return rc;
}

void deliver_run(struct work *work)
{
    struct target *t = (struct target *)work;
    struct webhooks *w = t->all;

    if (!is_stopping(t) && deliver(t) < 0) {
        t->more = true;
        t->quiet_ms = clock_mono_ms() + READ_AGAIN_MS;
    }
    pthread_mutex_lock(&w->lock);
    config_unref(t->config);
    t->config = NULL;
    t->busy = false;
    w->look = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

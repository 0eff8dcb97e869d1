/* SPDX-License-Identifier: BSD-3-Clause */
#include "health/health.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/random.h"
#include "config/config.h"
#include "control/control.h"
#include "core/core.h"
#include "health/client_health.h"
#include "health/forwarding.h"
#include "loop/loop.h"
#include "metrics/metrics.h"

#define TICK_MS      1000
#define ASK_MAX      8    /* per tick */
#define SETTLE_MS    2000 /* after a route became effective, so that the client has set it up */
#define UNDECIDED_MS 5000 /* before a node that could not be asked is tried again */

/* A node that advertises routes and is online. */
struct watched_router {
    uint64_t id;
    struct prefixes effective;
    bool well; /* it answers probes, as do the targets behind its prefixes */
    int64_t due_ms;
    uint64_t round; /* when it was last seen as a router */
};

struct health {
    struct health_options options; /* config: a reference, the loop's */
    struct loop *loop;
    struct loop_timer timer;
    struct map routers; /* id -> struct watched_router */
    uint64_t round;
    struct forwarding *forwarding;
    atomic_uint_fast64_t asked, warned, failed;
};

struct health_question {
    struct health *health;
    uint64_t node_id;
};

static void on_health(void *arg, const struct control_answer *answer)
{
    struct health_question *q = arg;
    struct node_warnings found = {0};
    struct err e;

    if (answer->code == 0 && answer->status == 200 && client_health_read(answer->body, answer->len, &found, &e) == 0) {
        core_node_warnings(q->health->options.core, q->node_id, &found);
        atomic_fetch_add(&q->health->warned, found.len);
    } else if (answer->code != ERR_UNSUPPORTED) {
        atomic_fetch_add(&q->health->failed, 1);
    }
    node_warnings_release(&found);
    free(q);
}

static void ask(struct health *h, struct watched_router *w, int64_t now)
{
    int64_t interval = h->options.config->node.probe.health_interval / 1000000;
    struct health_question *q = mem_alloc(sizeof(*q));

    *q = (struct health_question){h, w->id};
    const struct control_question question = {
        .node_id = w->id, .path = "/debug/health", .max = CLIENT_HEALTH_MAX, .done = on_health, .arg = q};
    atomic_fetch_add(&h->asked, 1);
    if (control_ask(h->options.control, &question, NULL) < 0) {
        free(q);
        w->due_ms = now + UNDECIDED_MS;
        return;
    }
    w->due_ms = interval ? now + interval - (int64_t)random_below((uint64_t)interval / 10 + 1) : INT64_MAX;
}

/* A change for the worse, or one that newly matters, is a reason to ask soon. */
static void follow(struct health *h, const struct tailnet_node *n, int64_t now)
{
    struct watched_router *w = map_getu(&h->routers, n->record->r.id);
    bool well = n->live.healthy && !n->live.unreachable.len;
    struct prefixes effective = {0};

    node_effective(n->record, &effective);
    if (!w) {
        w = mem_alloc(sizeof(*w));
        w->id = n->record->r.id;
        w->due_ms = now + SETTLE_MS + (int64_t)random_below(SETTLE_MS);
        map_putu(&h->routers, w->id, w);
    } else if (!prefixes_eq(&w->effective, &effective) || (w->well && !well)) {
        w->due_ms = now + SETTLE_MS;
    }
    w->well = well;
    prefixes_release(&w->effective);
    w->effective = effective;
    w->round = h->round;
}

static void router_free(struct watched_router *w)
{
    prefixes_release(&w->effective);
    free(w);
}

/* Forgets nodes that are no longer routers, or went offline. */
static void forget_gone(struct health *h)
{
    struct map kept = {0};

    for (struct map_entry *e = map_first(&h->routers); e; e = map_next(&h->routers, e)) {
        struct watched_router *w = e->value;
        if (w->round == h->round)
            map_putu(&kept, w->id, w);
        else
            router_free(w);
    }
    map_release(&h->routers);
    h->routers = kept;
}

static void look_at_all(struct health *h, const struct tailnet_snapshot *s, int64_t now)
{
    size_t seen = 0;

    h->round++;
    for (size_t b = 0; b < s->block_count; b++) {
        for (size_t i = 0; s->blocks[b] && i < TAILNET_BLOCK; i++) {
            const struct tailnet_node *n = s->blocks[b]->nodes[i];
            if (!n || !n->live.online || n->expired)
                continue;
            if (n->record->available.len) {
                follow(h, n, now);
                seen++;
            } else if (n->live.warnings.len && map_getu(&h->routers, n->record->r.id)) {
                core_node_warnings(h->options.core, n->record->r.id, &(struct node_warnings){0});
            }
        }
    }
    if (seen != h->routers.len)
        forget_gone(h);
}

static void on_tick(struct loop_timer *t)
{
    struct health *h = CONTAINER_OF(t, struct health, timer);
    int64_t now = loop_now(h->loop);
    const struct tailnet_snapshot *s = tailnet_pin(h->options.tailnet);
    unsigned asked = 0;

    forwarding_tick(h->forwarding, h->options.config, s);
    if (h->options.config->node.probe.enabled) {
        look_at_all(h, s, now);
        for (struct map_entry *e = map_first(&h->routers); e && asked < ASK_MAX; e = map_next(&h->routers, e)) {
            struct watched_router *w = e->value;
            if (w->due_ms > now)
                continue;
            ask(h, w, now);
            asked++;
        }
    }
    tailnet_unpin(s);
    loop_timer_set(h->loop, &h->timer, TICK_MS, on_tick);
}

/* ---- a router that lost its control connection ---- */

struct lost_router {
    struct health *health;
    uint64_t id;
};

static void run_lost(void *arg)
{
    struct lost_router *l = arg;

    forwarding_contact_lost(l->health->forwarding, l->id);
    free(l);
}

static void on_contact_lost(void *arg, uint64_t node_id)
{
    struct health *h = arg;
    struct lost_router *l = mem_alloc(sizeof(*l));

    *l = (struct lost_router){h, node_id};
    loop_post(h->loop, run_lost, l);
}

/* ---- start and end ---- */

static void begin(struct loop *l, void *arg)
{
    struct health *h = arg;

    loop_timer_set(l, &h->timer, TICK_MS, on_tick);
}

static void end(struct loop *l, void *arg)
{
    struct health *h = arg;

    loop_timer_stop(l, &h->timer);
}

struct health *health_start(const struct health_options *options)
{
    struct health *h = mem_alloc(sizeof(*h));

    h->options = *options;
    h->options.config = config_ref(options->config);
    h->loop = loops_at(options->loops, 0);
    h->forwarding = forwarding_new(&(struct forwarding_options){
        .loop = h->loop, .core = options->core, .control = options->control, .tailnet = options->tailnet});
    loop_run(h->loop, begin, h);
    core_listen(options->core, &(struct core_listener){.contact_lost = on_contact_lost, .arg = h});
    return h;
}

struct reload_call {
    struct health *health;
    const struct config *config;
};

static void run_reload(struct loop *l, void *arg)
{
    const struct reload_call *r = arg;
    struct health *h = r->health;

    config_unref(h->options.config);
    h->options.config = config_ref(r->config);
    for (struct map_entry *e = map_first(&h->routers); e; e = map_next(&h->routers, e)) {
        struct watched_router *w = e->value;
        w->due_ms = loop_now(l) + SETTLE_MS;
    }
}

void health_reload(struct health *h, const struct config *config)
{
    struct reload_call call = {h, config};

    loop_run(h->loop, run_reload, &call);
}

void health_metrics(struct health *h, struct buf *out)
{
    metrics_put(out, "headway_health_questions_total", "counter", "Questions to routers for their health",
                atomic_load(&h->asked));
    metrics_put(out, "headway_health_questions_failed_total", "counter", "Of these, those without a usable answer",
                atomic_load(&h->failed));
    metrics_put(out, "headway_health_warnings_total", "counter", "Warnings in the answers", atomic_load(&h->warned));
    forwarding_metrics(h->forwarding, out);
}

void health_stop(struct health *h)
{
    if (!h)
        return;
    core_unlisten(h->options.core, h);
    loop_run(h->loop, end, h);
}

static void nothing(struct loop *l, void *arg)
{
    (void)l;
    (void)arg;
}

void health_free(struct health *h)
{
    if (!h)
        return;
    loop_run(h->loop, nothing, NULL); /* the last answers were posted to it */
    for (struct map_entry *e = map_first(&h->routers); e; e = map_next(&h->routers, e))
        router_free(e->value);
    map_release(&h->routers);
    forwarding_free(h->forwarding);
    config_unref(h->options.config);
    free(h);
}

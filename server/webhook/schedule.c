/* SPDX-License-Identifier: BSD-3-Clause */
/* Decides which webhook is due, and when. */
#include <stdlib.h>

#include "base/log.h"
#include "webhook/state.h"

#define WORKERS 4 /* for webhooks that work; as many again for those that failed last */
#define LOOK_MS 60000

void schedule_wake(struct webhooks *w)
{
    pthread_mutex_lock(&w->lock);
    w->news = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

void target_free(struct target *t)
{
    record_unref(t->record);
    config_unref(t->config);
    free(t);
}

static struct target *find_target(struct webhooks *w, uint64_t id)
{
    for (size_t i = 0; i < w->targets.len; i++)
        if (w->targets.items[i]->id == id)
            return w->targets.items[i];
    return NULL;
}

/* The record holds earlier results; those known here may be newer. */
static void take_record(struct target *t, const struct webhook *record)
{
    const struct webhook *old = t->record;
    bool rotated = old && !str_eq(old->secret, record->secret), deleted = old && !old->deleted_ns && record->deleted_ns;

    t->record = record_ref(record);
    if (!old || deleted) {
        t->run = t->noted_run = record->run;
        t->seq = t->noted_seq = record->seq;
        t->failures = record->failures;
        t->next_ns = record->next_ns;
        t->surveyed_ms = 0;
        t->more = true;
    }
    if (!old) {
        t->dropped = record->dropped;
        t->dropped_said = record->dropped_said;
    }
    if (rotated)
        t->next_ns = 0;
    record_unref(old);
}

/* Adapts the targets to the webhooks of the newest snapshot; those that a worker has are adapted later. */
static void follow_snapshot(struct webhooks *w)
{
    const struct tailnet_snapshot *s = tailnet_pin(w->with.tailnet);

    for (size_t i = w->targets.len; i-- > 0;) {
        struct target *t = w->targets.items[i];
        if (t->busy || snapshot_webhook(s, t->id))
            continue;
        vec_remove(&w->targets, i);
        target_free(t);
    }
    for (size_t i = 0; i < s->webhook_count; i++) {
        const struct webhook *record = s->webhooks[i];
        struct target *t = find_target(w, record->r.id);
        if (!t) {
            t = mem_alloc(sizeof(*t));
            t->all = w;
            t->id = record->r.id;
            t->noted_ms = clock_mono_ms();
            vec_push(&w->targets, t);
        }
        if (!t->busy && t->record != record)
            take_record(t, record);
    }
    tailnet_unpin(s);
}

/* Milliseconds until its next delivery; 0: now, -1: nothing is known to be pending. */
static int64_t due_in(const struct target *t)
{
    int64_t wait = 0;

    if (t->busy || (!t->more && !t->news))
        return -1;
    int64_t quiet = t->quiet_ms - clock_mono_ms();
    if (t->next_ns)
        wait = (t->next_ns - clock_wall_ns()) / NS_PER_MS + 1;
    if (wait > 2 * 3600 * 1000) /* the clock was set back */
        wait = 0;
    if (quiet > wait)
        wait = quiet;
    return wait > 0 ? wait : 0;
}

static bool start_workers(struct webhooks *w)
{
    struct err e = {0};

    if (w->started_work)
        return true;
    if (workers_start(&w->well, "webhook", WORKERS, &e) < 0 ||
        workers_start(&w->failing, "webhook again", WORKERS, &e) < 0) {
        log_error("webhook", "%s", e.message);
        workers_stop(&w->well);
        return false;
    }
    w->started_work = true;
    return true;
}

/* Call with the lock held. Returns when to look again, in monotonic ms. */
static int64_t hand_out(struct webhooks *w)
{
    int64_t next = LOOK_MS;

    for (size_t i = 0; i < w->targets.len; i++) {
        struct target *t = w->targets.items[i];
        int64_t wait = due_in(t);
        if (wait == 0 && start_workers(w)) {
            t->busy = true;
            t->news = false;
            t->config = config_ref(w->with.config);
            t->work.run = deliver_run;
            workers_add(t->failures ? &w->failing : &w->well, &t->work);
        } else if (wait > 0 && wait < next) {
            next = wait;
        }
    }
    return clock_mono_ms() + next;
}

void *schedule_run(void *arg)
{
    struct webhooks *w = arg;

    pthread_mutex_lock(&w->lock);
    while (!atomic_load(&w->stopping)) {
        bool news = w->news;
        w->news = w->look = false;
        follow_snapshot(w);
        for (size_t i = 0; news && i < w->targets.len; i++)
            w->targets.items[i]->news = true;
        int64_t until = hand_out(w);
        while (!atomic_load(&w->stopping) && !w->news && !w->look && thread_cond_wait(&w->wake, &w->lock, until))
            ;
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

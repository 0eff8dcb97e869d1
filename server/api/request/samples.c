/* SPDX-License-Identifier: BSD-3-Clause */
/* Samples are taken on a thread of its own: one of them is the database's response time, which may be long. */
#include "api/request/samples.h"

#include <pthread.h>
#include <stdlib.h>

#include "api/request/state.h"
#include "base/thread.h"
#include "control/control.h"
#include "store/store.h"

struct sampler {
    struct api *api;
    struct thread thread;
    /* Used by the thread only: the counters at its last sample. */
    uint64_t events, failovers, pushes, sent_bytes;

    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t wake;
    bool stopping;
    struct api_sample ring[SAMPLES_KEPT];
    size_t count, next;
};

static void count(struct sampler *s, struct api_sample *out)
{
    const struct tailnet_snapshot *now = tailnet_pin(s->api->with.tailnet);
    struct control_figures control = {0};
    struct core_counters counters;

    core_counters(s->api->with.core, &counters);
    if (s->api->with.control)
        control_figures(s->api->with.control, &control);
    out->nodes = now->node_count;
    out->online = now->online_count;
    out->events = now->event_seq - s->events;
    out->failovers = counters.failovers - s->failovers;
    out->pushes = control.pushes - s->pushes;
    out->sent_bytes = control.sent_bytes - s->sent_bytes;
    out->median_us = control.median_us;
    s->events = now->event_seq;
    s->failovers = counters.failovers;
    s->pushes = control.pushes;
    s->sent_bytes = control.sent_bytes;
    tailnet_unpin(now);
}

static struct api_sample look(struct sampler *s)
{
    struct api_sample sample = {.time_ns = clock_wall_ns()};
    int64_t began_ms = clock_mono_ms();
    struct err e;

    count(s, &sample);
    sample.database_ok = store_ping(s->api->with.store, &e) == 0;
    sample.database_ms = (uint64_t)(clock_mono_ms() - began_ms);
    return sample;
}

static void *run(void *arg)
{
    struct sampler *s = arg;
    int64_t due_ms = clock_mono_ms();
    struct api_sample ignored;

    count(s, &ignored); /* counts from before the start are no change */
    pthread_mutex_lock(&s->lock);
    while (!s->stopping) {
        if (clock_mono_ms() < due_ms) {
            thread_cond_wait(&s->wake, &s->lock, due_ms);
            continue;
        }
        pthread_mutex_unlock(&s->lock);
        struct api_sample sample = look(s);
        pthread_mutex_lock(&s->lock);
        s->ring[s->next] = sample;
        s->next = (s->next + 1) % SAMPLES_KEPT;
        s->count += s->count < SAMPLES_KEPT;
        due_ms = clock_mono_ms() + SAMPLE_SECONDS * 1000;
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

int samples_start(struct api *api, struct sampler **out, struct err *e)
{
    struct sampler *s = mem_alloc(sizeof(*s));
    int code;

    s->api = api;
    pthread_mutex_init(&s->lock, NULL);
    thread_cond_init(&s->wake);
    if ((code = thread_start(&s->thread, "samples", run, s, e)) < 0) {
        pthread_cond_destroy(&s->wake);
        pthread_mutex_destroy(&s->lock);
        free(s);
        return code;
    }
    *out = s;
    return 0;
}

void samples_stop(struct sampler *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_broadcast(&s->wake);
    pthread_mutex_unlock(&s->lock);
    thread_join(&s->thread);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

size_t samples_copy(struct sampler *s, struct api_sample out[SAMPLES_KEPT])
{
    pthread_mutex_lock(&s->lock);
    size_t count = s->count, first = (s->next + SAMPLES_KEPT - count) % SAMPLES_KEPT;
    for (size_t i = 0; i < count; i++)
        out[i] = s->ring[(first + i) % SAMPLES_KEPT];
    pthread_mutex_unlock(&s->lock);
    return count;
}

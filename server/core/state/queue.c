/* SPDX-License-Identifier: BSD-3-Clause */
/* The queue of the core's thread. */
#include "core/state/queue.h"
#include "core/state/message.h"
#include "core/state/state.h"

void queue_init(struct call_queue *q)
{
    pthread_mutex_init(&q->lock, NULL);
    thread_cond_init(&q->wake);
    q->end = &q->first;
}

void queue_release(struct call_queue *q)
{
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->wake);
}

static void add(struct call_queue *q, struct core_call *call)
{
    bool wake = q->first == NULL;

    call->next = NULL;
    *q->end = call;
    q->end = &call->next;
    q->length++;
    if (wake)
        pthread_cond_signal(&q->wake);
}

void queue_post(struct call_queue *q, struct core_call *call, void (*run)(struct core_state *, struct core_call *))
{
    call->run = run;
    pthread_mutex_lock(&q->lock);
    add(q, call);
    pthread_mutex_unlock(&q->lock);
}

uint64_t queue_send(struct call_queue *q, struct core_call *call)
{
    call->run = call->kind->run;
    pthread_mutex_lock(&q->lock);
    uint64_t number = call->number = ++q->next_number;
    add(q, call);
    pthread_mutex_unlock(&q->lock);
    return number;
}

struct core_call *queue_take(struct call_queue *q, int64_t due_ms, bool idle, size_t max, bool *stop)
{
    pthread_mutex_lock(&q->lock);
    while (!q->first && !(q->stopping && idle))
        if (due_ms == INT64_MAX)
            pthread_cond_wait(&q->wake, &q->lock);
        else if (!thread_cond_wait(&q->wake, &q->lock, due_ms))
            break;
    struct core_call *first = q->first, *last = first;
    size_t count = first ? 1 : 0;
    for (; last && last->next && count < max; count++)
        last = last->next;
    if (last) {
        q->first = last->next;
        last->next = NULL;
        if (!q->first)
            q->end = &q->first;
    }
    q->length -= count;
    *stop = q->stopping && !first && idle;
    pthread_mutex_unlock(&q->lock);
    return first;
}

void queue_stop(struct call_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->stopping = true;
    pthread_cond_signal(&q->wake);
    pthread_mutex_unlock(&q->lock);
}

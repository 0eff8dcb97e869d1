/* SPDX-License-Identifier: BSD-3-Clause */
#include "rpc/queue.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "rpc/conn.h"
#include "rpc/handshake.h"

#define LOOK_MS 20

struct queued_client {
    struct rpc_queue *queue;
    struct stream *stream; /* NULL: gone */
    struct noise_handshake hs;
    int64_t since; /* mono ms */
};

/* Takes the client out of the queue; the list drops it at the next look. */
static struct stream *leave(struct queued_client *q)
{
    struct stream *stream = q->stream;

    limits_leave_queue(q->queue->server->limits, &stream_peer(stream)->addr);
    q->stream = NULL;
    return stream;
}

/* The client must not send now: bytes, like an end of stream, end it. */
static void readable(struct stream *s, void *arg)
{
    uint8_t byte;

    if (stream_read(s, &byte, 1, NULL) != 0)
        stream_close(leave(arg));
}

static void try_all(struct rpc_queue *queue)
{
    struct rpc_server *s = queue->server;
    enum rpc_standing standing;

    for (size_t i = 0; i < queue->list.len; i++) {
        struct queued_client *q = queue->list.items[i];
        if (q->stream && handshake_admit(s, &q->hs, &stream_peer(q->stream)->addr, &standing))
            handshake_finish(s, leave(q), &q->hs, standing);
    }
}

static void sweep(struct rpc_queue *queue)
{
    int64_t now = loop_now(queue->loop);
    size_t kept = 0;

    for (size_t i = 0; i < queue->list.len; i++) {
        struct queued_client *q = queue->list.items[i];
        /* By this time idle connections that had a place have lost it. */
        if (q->stream && now - q->since >= queue->server->options.times.idle_ms)
            handshake_refuse_full(leave(q));
        if (q->stream) {
            queue->list.items[kept++] = q;
        } else {
            crypto_wipe(&q->hs, sizeof(q->hs));
            free(q);
        }
    }
    queue->list.len = kept;
    if (!kept)
        vec_release(&queue->list);
}

static void look(struct loop_timer *timer)
{
    struct rpc_queue *queue = CONTAINER_OF(timer, struct rpc_queue, timer);
    uint64_t left = limits_left(queue->server->limits);

    if (left != queue->left)
        try_all(queue);
    queue->left = left;
    sweep(queue);
    if (queue->list.len)
        loop_timer_set(queue->loop, &queue->timer, LOOK_MS, look);
}

bool queue_add(struct rpc_server *s, struct stream *stream, const struct noise_handshake *hs)
{
    static const struct stream_handler handler = {readable, NULL};
    struct rpc_queue *queue = &s->queues[loop_index(stream_loop(stream))];

    if (!limits_enter_queue(s->limits, &stream_peer(stream)->addr))
        return false;
    queue->server = s;
    queue->loop = stream_loop(stream);
    struct queued_client *q = mem_alloc(sizeof(*q));
    *q = (struct queued_client){.queue = queue, .stream = stream, .hs = *hs, .since = loop_now(queue->loop)};
    vec_push(&queue->list, q);
    stream_handle(stream, &handler, q);
    queue->left = UINT64_MAX; /* a place may have become free since it was refused */
    if (!loop_timer_is_set(&queue->timer))
        loop_timer_set(queue->loop, &queue->timer, LOOK_MS, look);
    return true;
}

void queue_end(struct rpc_queue *queue)
{
    if (!queue->list.len)
        return;
    loop_timer_stop(queue->loop, &queue->timer);
    for (size_t i = 0; i < queue->list.len; i++) {
        struct queued_client *q = queue->list.items[i];
        if (q->stream)
            stream_close(leave(q));
    }
    sweep(queue);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Strangers for whom there is no place yet. A hundred machines behind one address that register in the same second come
 * in one after the other, as those before them become known; they are not sent away to try again. */
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "rpc/conn.h"

#define ARRIVAL_MS CONN_STRANGER_MS /* by then whoever had a place and was idle has lost it */
#define LOOK_MS    20

struct arrival {
    struct arrivals *all;
    struct stream *stream; /* NULL: gone */
    struct noise_handshake hs;
    int64_t since; /* mono ms */
};

/* It leaves the queue; the list forgets it with the next look. */
static struct stream *leave(struct arrival *a)
{
    struct stream *stream = a->stream;

    limits_leave_queue(a->all->server->limits, &stream_peer(stream)->addr);
    a->stream = NULL;
    return stream;
}

/* It is not the client's turn to speak: bytes, like an end, are the end. */
static void readable(struct stream *s, void *arg)
{
    uint8_t byte;

    if (stream_read(s, &byte, 1, NULL) != 0)
        stream_close(leave(arg));
}

static void try_all(struct arrivals *all)
{
    struct rpc_server *s = all->server;
    enum rpc_standing standing;

    for (size_t i = 0; i < all->list.len; i++) {
        struct arrival *a = all->list.items[i];
        if (a->stream && server_enter(s, &a->hs, &stream_peer(a->stream)->addr, &standing) == ENTER_IN)
            server_welcome(s, leave(a), &a->hs, standing);
    }
}

static void sweep(struct arrivals *all)
{
    int64_t now = loop_now(all->loop);
    size_t kept = 0;

    for (size_t i = 0; i < all->list.len; i++) {
        struct arrival *a = all->list.items[i];
        if (a->stream && now - a->since >= ARRIVAL_MS)
            server_refuse_full(leave(a));
        if (a->stream) {
            all->list.items[kept++] = a;
        } else {
            crypto_wipe(&a->hs, sizeof(a->hs));
            free(a);
        }
    }
    all->list.len = kept;
    if (!kept)
        vec_release(&all->list);
}

static void look(struct loop_timer *timer)
{
    struct arrivals *all = CONTAINER_OF(timer, struct arrivals, timer);
    uint64_t left = limits_left(all->server->limits);

    if (left != all->left)
        try_all(all);
    all->left = left;
    sweep(all);
    if (all->list.len)
        loop_timer_set(all->loop, &all->timer, LOOK_MS, look);
}

bool arrive(struct rpc_server *s, struct stream *stream, const struct noise_handshake *hs)
{
    static const struct stream_handler handler = {readable, NULL};
    struct arrivals *all = &s->arrivals[loop_index(stream_loop(stream))];

    if (!limits_enter_queue(s->limits, &stream_peer(stream)->addr))
        return false;
    all->server = s;
    all->loop = stream_loop(stream);
    struct arrival *a = mem_alloc(sizeof(*a));
    *a = (struct arrival){.all = all, .stream = stream, .hs = *hs, .since = loop_now(all->loop)};
    vec_push(&all->list, a);
    stream_handle(stream, &handler, a);
    all->left = UINT64_MAX; /* somebody may have left since it was refused */
    if (!loop_timer_is_set(&all->timer))
        loop_timer_set(all->loop, &all->timer, LOOK_MS, look);
    return true;
}

void arrivals_end(struct arrivals *all)
{
    if (!all->list.len)
        return;
    loop_timer_stop(all->loop, &all->timer);
    for (size_t i = 0; i < all->list.len; i++) {
        struct arrival *a = all->list.items[i];
        if (a->stream)
            stream_close(leave(a));
    }
    sweep(all);
}

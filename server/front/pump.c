/* SPDX-License-Identifier: BSD-3-Clause */
/* A TLS client on one side, a local socket with a plain HTTP server on the other. Each direction holds at most one
 * piece, and its source is not read while it does. */
#include "front/pump.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/mem.h"

#define PIECE     16384
#define LINGER_MS 2000

struct pump_side {
    struct stream *stream;
    uint8_t *held; /* bytes for this side that it did not take yet */
    size_t held_len, held_at;
};

struct front_pump {
    struct front *front;
    struct loop *loop;
    struct front_pump *next, *prev;
    struct pump_side client, local;
    struct loop_timer linger, stall;
    bool ending; /* the server is done: what it said is written, then the client is waited for */
};

void pump_close(struct front_pump *p)
{
    loop_timer_stop(p->loop, &p->linger);
    loop_timer_stop(p->loop, &p->stall);
    if (p->prev)
        p->prev->next = p->next;
    else
        p->front->pumps[loop_index(p->loop)] = p->next;
    if (p->next)
        p->next->prev = p->prev;
    stream_close(p->client.stream);
    stream_close(p->local.stream);
    free(p->client.held);
    free(p->local.held);
    free(p);
}

static void linger_due(struct loop_timer *timer)
{
    pump_close(CONTAINER_OF(timer, struct front_pump, linger));
}

static void stall_due(struct loop_timer *timer)
{
    pump_close(CONTAINER_OF(timer, struct front_pump, stall));
}

/* The client must read something of what waits for it, or the end of it. */
static void wait_for_client(struct front_pump *p)
{
    loop_timer_stop(p->loop, &p->stall);
    loop_timer_set(p->loop, &p->stall, p->front->o.stall_ms, stall_due);
}

/* The client is given time to read the end of the answer: a socket that is closed with bytes unread is reset. */
static void finish_client(struct front_pump *p)
{
    if (p->client.held || !stream_is_sent(p->client.stream)) {
        wait_for_client(p);
        return;
    }
    loop_timer_stop(p->loop, &p->stall);
    stream_shutdown(p->client.stream);
    stream_pause(p->client.stream, false);
    loop_timer_set(p->loop, &p->linger, LINGER_MS, linger_due);
}

/* false: the pump is closed. */
static bool give(struct front_pump *p, struct pump_side *to, const uint8_t *bytes, size_t len)
{
    long n = stream_write(to->stream, bytes, len, NULL);

    if (n < 0) {
        pump_close(p);
        return false;
    }
    if ((size_t)n < len) {
        to->held = mem_dup(bytes + n, len - (size_t)n);
        to->held_len = len - (size_t)n;
        to->held_at = 0;
        if (to == &p->client)
            wait_for_client(p);
    }
    return true;
}

static void move(struct front_pump *p, struct pump_side *from, struct pump_side *to)
{
    uint8_t *piece = loop_scratch_in(p->loop);
    long n = stream_read(from->stream, piece, PIECE, NULL);

    if (n < 0 && from == &p->local && !p->ending) {
        p->ending = true;
        stream_pause(p->local.stream, true);
        finish_client(p);
    } else if (n < 0) {
        pump_close(p);
    } else if (n > 0 && !p->ending) {
        if (give(p, to, piece, (size_t)n) && to->held)
            stream_pause(from->stream, true);
    }
}

/* Writes what was held; the other side is read again once it is gone. */
static void drain(struct front_pump *p, struct pump_side *to, struct pump_side *from)
{
    if (!to->held) {
        if (p->ending && to == &p->client)
            finish_client(p);
        return;
    }
    long n = stream_write(to->stream, to->held + to->held_at, to->held_len - to->held_at, NULL);
    if (n < 0) {
        pump_close(p);
        return;
    }
    to->held_at += (size_t)n;
    if (n && to == &p->client)
        wait_for_client(p);
    if (to->held_at < to->held_len)
        return;
    free(to->held);
    to->held = NULL;
    if (to == &p->client)
        loop_timer_stop(p->loop, &p->stall);
    if (p->ending)
        finish_client(p);
    else
        stream_pause(from->stream, false);
}

static void client_readable(struct stream *s, void *arg)
{
    struct front_pump *p = arg;

    (void)s;
    move(p, &p->client, &p->local);
}

static void client_writable(struct stream *s, void *arg)
{
    struct front_pump *p = arg;

    (void)s;
    drain(p, &p->client, &p->local);
}

static void local_readable(struct stream *s, void *arg)
{
    struct front_pump *p = arg;

    (void)s;
    move(p, &p->local, &p->client);
}

static void local_writable(struct stream *s, void *arg)
{
    struct front_pump *p = arg;

    (void)s;
    drain(p, &p->local, &p->client);
}

void pump_start(struct front *f, struct stream *client, int local)
{
    static const struct stream_handler to_client = {client_readable, client_writable},
                                       to_local = {local_readable, local_writable};
    struct loop *l = stream_loop(client);
    struct stream *other = stream_new(l, local, NULL, stream_peer(client), NULL);

    if (!other) {
        stream_close(client);
        return;
    }
    struct front_pump *p = mem_alloc(sizeof(*p));
    struct front_pump **list = &f->pumps[loop_index(l)];
    p->front = f;
    p->loop = l;
    p->client.stream = client;
    p->local.stream = other;
    p->next = *list;
    if (p->next)
        p->next->prev = p;
    *list = p;
    stream_handle(client, &to_client, p);
    stream_handle(other, &to_local, p);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* One client's connection: its login, its frames, and what it is sent. */
#include "relay/derp/link.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"

#define STALL_MS     2000 /* if the socket takes nothing for this long, the link is closed */
#define CONTROL_MAX  (64 * 1024)
#define FLUSH_ROUNDS 32

#define HAND_OVER_MIN 2048

static struct log_sources closed;

struct relay_link *link_ref(struct relay_link *l)
{
    atomic_fetch_add(&l->refs, 1);
    return l;
}

void link_unref(struct relay_link *l)
{
#ifdef __clang_analyzer__
    /* The analyzer cannot follow reference counts, and takes each release for the last one. */
    return;
#endif
    if (!l || atomic_fetch_sub(&l->refs, 1) != 1)
        return;
    packets_clear(&l->queues[0]);
    packets_clear(&l->queues[1]);
    buf_release(&l->control);
    buf_release(&l->partial);
    free(l->pending);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

void link_close(struct relay_link *l)
{
    unsigned waiting[2];

    if (l->state == LINK_CLOSED)
        return;
    l->state = LINK_CLOSED;
    pthread_mutex_lock(&l->lock);
    l->closed = true;
    for (unsigned i = 0; i < 2; i++) {
        waiting[i] = l->queues[i].count;
        packets_clear(&l->queues[i]);
    }
    pthread_mutex_unlock(&l->lock);
    for (unsigned i = 0; i < 2; i++)
        hub_dropped(l->hub, DROP_WRITE, i, waiting[i]);
    loop_timer_stop(l->loop, &l->timer);
    loop_timer_stop(l->loop, &l->stall);
    loop_timer_stop(l->loop, &l->thaw);
    loop_undefer(l->loop, &l->flush);
    stream_close(l->stream);
    l->stream = NULL;
    link_unref(l->to);
    l->to = NULL;
    hub_remove(l->hub, l);
    link_unref(l);
}

void link_close_because(struct relay_link *l, const char *why)
{
    char text[ADDR_PORT_TEXT_MAX];

    log_from(&closed, l->from.addr.bytes, addr_source_len(&l->from.addr), 20, LOG_LEVEL_INFO, "relay",
             "connection from %s closed: %s", addr_port_format(&l->from, text), why);
    link_close(l);
}

/* ---- Writing ---- */

static void stalled(struct loop_timer *timer)
{
    link_close_because(CONTAINER_OF(timer, struct relay_link, stall), "it reads nothing");
}

static void count_out(struct relay_link *l, unsigned packets)
{
    atomic_fetch_add(&l->packets_out, packets);
    atomic_fetch_add(&l->hub->counters.packets_out, packets);
}

/* The next block to write: first the relay's own frames, then peer discovery, then the rest. */
static struct packet_block *next_block(struct relay_link *l)
{
    struct packet_block *c;

    pthread_mutex_lock(&l->lock);
    l->woken = false;
    if (l->control.len) {
        c = packet_block_new(l->control.data, l->control.len);
        buf_release(&l->control);
        l->pong = false;
    } else {
        c = packets_take(&l->queues[1]);
        if (!c)
            c = packets_take(&l->queues[0]);
    }
    pthread_mutex_unlock(&l->lock);
    if (c && c->count)
        count_out(l, c->count);
    return c;
}

/* Returns the number of bytes taken, or a negative number: the link is now closed. The caller makes the rest
 * pending. */
static long write_out(struct relay_link *l, const uint8_t *bytes, size_t len)
{
    long n = stream_write(l->stream, bytes, len, NULL);

    if (n < 0) {
        link_close(l);
        return -1;
    }
    atomic_fetch_add(&l->bytes_out, (unsigned long long)n);
    atomic_fetch_add(&l->hub->counters.bytes_out, (unsigned long long)n);
    if ((size_t)n == len) {
        loop_timer_stop(l->loop, &l->stall);
    } else if (n > 0 || !loop_timer_is_set(&l->stall)) {
        loop_timer_stop(l->loop, &l->stall);
        loop_timer_set(l->loop, &l->stall, STALL_MS, stalled);
    }
    return n;
}

/* Writes the pending block; 1: all of it, 0: the rest must wait, negative: the link is now closed. */
static int write_pending(struct relay_link *l)
{
    struct packet_block *c = l->pending;
    long n = write_out(l, c->bytes + c->start, c->end - c->start);

    if (n < 0)
        return -1;
    c->start += (uint32_t)n;
    if (c->start < c->end)
        return 0;
    free(c);
    l->pending = NULL;
    return 1;
}

static void flush(struct relay_link *l)
{
    if (l->state == LINK_CLOSED)
        return;
    for (unsigned i = 0; i < FLUSH_ROUNDS; i++) {
        if (!l->pending && !(l->pending = next_block(l)))
            return;
        if (write_pending(l) <= 0)
            return;
    }
    loop_defer(l->loop, &l->flush);
}

void link_run_flush(struct loop_task *task)
{
    flush((struct relay_link *)task);
}

void link_run_mail(struct loop_task *task)
{
    struct relay_link *l = CONTAINER_OF(task, struct relay_link, mail);

    pthread_mutex_lock(&l->lock);
    bool kicked = l->kicked;
    pthread_mutex_unlock(&l->lock);
    flush(l);
    if (kicked)
        link_close(l);
    link_unref(l);
}

static void wake(struct relay_link *l)
{
    if (loop_is_here(l->loop)) {
        loop_defer(l->loop, &l->flush);
    } else {
        link_ref(l);
        if (!loop_post_task(l->loop, &l->mail))
            link_unref(l);
    }
}

/* Call with the lock held; releases it for a moment if that helps. */
static void push(struct relay_link *l, const uint8_t *frame, size_t len, bool disco, unsigned *dropped)
{
    if (l->queues[disco].count == QUEUE_PACKETS && !l->pending && loop_is_here(l->loop)) {
        /* The receiver is on this loop: a burst that was read in one turn need not lose packets. */
        pthread_mutex_unlock(&l->lock);
        flush(l);
        pthread_mutex_lock(&l->lock);
    }
    if (!l->closed)
        packets_push(&l->queues[disco], frame, len, dropped);
}

bool link_send(struct relay_link *l, const uint8_t *frames, size_t len, bool disco)
{
    unsigned dropped = 0;

    pthread_mutex_lock(&l->lock);
    for (size_t at = 0; at < len;) {
        size_t n = frame_len(frames + at);
        push(l, frames + at, n, disco, &dropped);
        at += n;
    }
    bool open = !l->closed;
    if (open && !l->woken) {
        l->woken = true;
        wake(l);
    }
    pthread_mutex_unlock(&l->lock);
    if (dropped) {
        hub_dropped(l->hub, DROP_QUEUE, disco, dropped);
        atomic_fetch_add(&l->dropped, dropped);
    }
    return open;
}

void link_tell(struct relay_link *l, enum frame_type type, const void *payload, size_t len)
{
    pthread_mutex_lock(&l->lock);
    if (!l->closed && l->control.len + FRAME_HEADER + len <= CONTROL_MAX) {
        frame_put(&l->control, type, payload, len);
        l->woken = true;
        wake(l);
    }
    pthread_mutex_unlock(&l->lock);
}

void link_kick(struct relay_link *l)
{
    pthread_mutex_lock(&l->lock);
    l->kicked = true;
    link_ref(l);
    if (!loop_post_task(l->loop, &l->mail))
        link_unref(l);
    pthread_mutex_unlock(&l->lock);
}

void link_pong(struct relay_link *l, const uint8_t *payload)
{
    pthread_mutex_lock(&l->lock);
    if (!l->pong && !l->closed && l->control.len < CONTROL_MAX / 2) {
        l->pong = true;
        frame_put(&l->control, FRAME_PONG, payload, 8);
        l->woken = true;
        wake(l);
    }
    pthread_mutex_unlock(&l->lock);
}

bool link_hand_over(struct relay_link *l, const uint8_t *frames, size_t len, unsigned count)
{
    if (len < HAND_OVER_MIN || !loop_is_here(l->loop) || l->state != LINK_READY || l->pending)
        return false;
    pthread_mutex_lock(&l->lock);
    bool waiting = l->control.len || l->queues[0].count || l->queues[1].count;
    pthread_mutex_unlock(&l->lock);
    if (waiting)
        return false;
    count_out(l, count);
    long n = write_out(l, frames, len);
    if (n >= 0 && (size_t)n < len)
        l->pending = packet_block_new(frames + n, len - (size_t)n);
    return n >= 0;
}

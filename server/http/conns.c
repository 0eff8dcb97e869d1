/* SPDX-License-Identifier: BSD-3-Clause */
#include "http/conns.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/thread.h"
#include "net/forwarded.h"

#define REQUEST_MS 60000 /* until a request is whole, or on a connection without one */
#define BOUND      2     /* times as many as there may be: with those that go, and have not gone yet */
#define RESERVE    8     /* one in so many places, beside them, is for reserved requests */
#define PER_SOURCE 128   /* of one IPv4 address or IPv6 /64, but for this machine's and those of proxies */

struct http_conn {
    struct http_conn *next, *prev; /* in waiting; the first for the longest */
    int fd;                        /* -1: shut down */
    struct addr from;
    bool waits, reserved;
    int64_t since; /* mono ms */
};

struct http_conns {
    pthread_mutex_t lock;
    struct thread ender; /* closes those whose time is over while nobody else comes */
    pthread_cond_t stop;
    bool stopping;
    const struct prefixes *proxies;
    unsigned max;
    unsigned count, closing; /* closing: those that are shut down and have not gone yet; reserved ones are in neither */
    unsigned reserved;
    struct map by_source;     /* counts as values */
    struct map coming;        /* by descriptor: entered, and not started */
    struct http_conn waiting; /* head of a ring */
};

/* ---- Under the lock ---- */

static void leave_waiting(struct http_conn *c)
{
    if (!c->waits)
        return;
    c->prev->next = c->next;
    c->next->prev = c->prev;
    c->waits = false;
}

/* libmicrohttpd sees the end of the connection, and then tells of it. */
static void shut_down(struct http_conns *all, struct http_conn *c)
{
    leave_waiting(c);
    shutdown(c->fd, SHUT_RDWR);
    c->fd = -1;
    all->closing++;
}

static void wait_for_request(struct http_conns *all, struct http_conn *c)
{
    leave_waiting(c);
    if (c->fd < 0 || c->reserved)
        return;
    c->since = clock_mono_ms();
    c->waits = true;
    c->next = &all->waiting;
    c->prev = all->waiting.prev;
    c->prev->next = c->next->prev = c;
}

static void close_overdue(struct http_conns *all)
{
    int64_t now = clock_mono_ms();

    for (struct http_conn *first; (first = all->waiting.next) != &all->waiting && now - first->since >= REQUEST_MS;)
        shut_down(all, first);
}

/* Closes those whose time is over, and then one more where there is no place for another one. */
static void make_room(struct http_conns *all)
{
    struct http_conn *first;

    close_overdue(all);
    first = all->waiting.next;
    if (first != &all->waiting && all->count - all->closing >= all->max)
        shut_down(all, first);
}

static void forget(struct http_conns *all, struct http_conn *c)
{
    size_t len = addr_source_len(&c->from);
    uintptr_t n = (uintptr_t)map_get(&all->by_source, c->from.bytes, len);

    leave_waiting(c);
    if (c->reserved) {
        all->reserved--;
    } else {
        all->count--;
        all->closing -= c->fd < 0;
    }
    if (n > 1)
        map_put(&all->by_source, c->from.bytes, len, (void *)(n - 1));
    else
        map_del(&all->by_source, c->from.bytes, len);
    free(c);
}

static bool has_place(struct http_conns *all, const struct addr *from, bool reserved)
{
    bool exempt = addr_is_loopback(from) || forwarded_is_trusted(all->proxies, from);

    if (!exempt && (uintptr_t)map_get(&all->by_source, from->bytes, addr_source_len(from)) >= PER_SOURCE)
        return false;
    if (reserved)
        return all->reserved < all->max / RESERVE;
    return all->count < BOUND * all->max && all->count - all->closing < all->max;
}

/* ---- From start to end ---- */

/* A second late at most: what trickles is no hurry. */
static void *end_overdue(void *arg)
{
    struct http_conns *all = arg;

    pthread_mutex_lock(&all->lock);
    while (!all->stopping) {
        close_overdue(all);
        thread_cond_wait(&all->stop, &all->lock, clock_mono_ms() + 1000);
    }
    pthread_mutex_unlock(&all->lock);
    return NULL;
}

int http_conns_new(unsigned max, const struct prefixes *proxies, struct http_conns **out, struct err *e)
{
    struct http_conns *all = mem_alloc(sizeof(*all));

    pthread_mutex_init(&all->lock, NULL);
    thread_cond_init(&all->stop);
    all->proxies = proxies;
    all->max = max;
    all->waiting.next = all->waiting.prev = &all->waiting;
    *out = all;
    return thread_start(&all->ender, "http-deadline", end_overdue, all, e);
}

void http_conns_free(struct http_conns *all)
{
    if (!all)
        return;
    pthread_mutex_lock(&all->lock);
    all->stopping = true;
    pthread_cond_signal(&all->stop);
    pthread_mutex_unlock(&all->lock);
    thread_join(&all->ender);
    pthread_cond_destroy(&all->stop);
    for (struct map_entry *e = map_first(&all->coming); e; e = map_next(&all->coming, e))
        free(e->value);
    map_release(&all->coming);
    map_release(&all->by_source);
    pthread_mutex_destroy(&all->lock);
    free(all);
}

/* ---- For the server ---- */

bool http_conns_enter(struct http_conns *all, int fd, const struct addr *from, bool reserved)
{
    size_t len = addr_source_len(from);

    pthread_mutex_lock(&all->lock);
    if (!reserved)
        make_room(all);
    bool in = has_place(all, from, reserved);
    if (in) {
        struct http_conn *c = mem_alloc(sizeof(*c));
        c->fd = fd;
        c->from = *from;
        c->reserved = reserved;
        all->reserved += reserved;
        all->count += !reserved;
        map_put(&all->by_source, from->bytes, len, (void *)((uintptr_t)map_get(&all->by_source, from->bytes, len) + 1));
        /* One that had the descriptor before and was never started is gone. */
        struct http_conn *before = map_putu(&all->coming, (uint64_t)fd, c);
        if (before)
            forget(all, before);
        wait_for_request(all, c);
    }
    pthread_mutex_unlock(&all->lock);
    return in;
}

struct http_conn *http_conns_started(struct http_conns *all, int fd)
{
    pthread_mutex_lock(&all->lock);
    struct http_conn *c = map_delu(&all->coming, (uint64_t)fd);
    pthread_mutex_unlock(&all->lock);
    return c;
}

void http_conns_failed(struct http_conns *all, int fd)
{
    pthread_mutex_lock(&all->lock);
    struct http_conn *c = map_delu(&all->coming, (uint64_t)fd);
    if (c)
        forget(all, c);
    pthread_mutex_unlock(&all->lock);
}

void http_conns_remove(struct http_conns *all, struct http_conn *c)
{
    pthread_mutex_lock(&all->lock);
    forget(all, c);
    pthread_mutex_unlock(&all->lock);
}

void http_conns_wait(struct http_conns *all, struct http_conn *c)
{
    pthread_mutex_lock(&all->lock);
    wait_for_request(all, c);
    pthread_mutex_unlock(&all->lock);
}

void http_conns_work(struct http_conns *all, struct http_conn *c)
{
    pthread_mutex_lock(&all->lock);
    leave_waiting(c);
    pthread_mutex_unlock(&all->lock);
}

void http_conns_answered(struct http_conns *all, struct http_conn *c)
{
    pthread_mutex_lock(&all->lock);
    if (c->reserved) {
        c->reserved = false;
        all->reserved--;
        make_room(all);
        all->count++;
    }
    wait_for_request(all, c);
    pthread_mutex_unlock(&all->lock);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "http/conns.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "net/forwarded.h"

#define REQUEST_MS 60000  /* for a whole request, or on a connection without one */
#define ANSWER_MS  300000 /* for reading an answer of known length */
#define BOUND      2      /* times the maximum: includes connections that are being closed */
#define RESERVE    8      /* one place more per this many, for reserved requests */
#define PER_SOURCE 128    /* per IPv4 address or IPv6 /64, except this machine and proxies */

/* What the other end has to do next. */
enum awaited { AWAITS_REQUEST, AWAITS_READING, AWAITED };

struct http_conn {
    struct http_conn *next, *prev; /* in waiting; the first has waited longest */
    int fd;                        /* -1: shut down */
    struct addr from;
    bool waits, reserved;
    int64_t since; /* mono ms */
};

struct http_conns {
    pthread_mutex_t lock;
    const struct prefixes *proxies;
    unsigned max;
    unsigned count, closing; /* closing: shut down but not gone yet; reserved ones count in neither */
    unsigned reserved;
    struct map by_source;              /* counts as values */
    struct map coming;                 /* by descriptor: entered, but not started */
    struct http_conn waiting[AWAITED]; /* heads of rings */
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

/* libmicrohttpd sees the end of the connection and reports it. */
static void shut_down(struct http_conns *all, struct http_conn *c)
{
    leave_waiting(c);
    shutdown(c->fd, SHUT_RDWR);
    c->fd = -1;
    all->closing++;
}

static void wait_for(struct http_conns *all, struct http_conn *c, enum awaited what)
{
    struct http_conn *ring = &all->waiting[what];

    leave_waiting(c);
    if (c->fd < 0 || c->reserved)
        return;
    c->since = clock_mono_ms();
    c->waits = true;
    c->next = ring;
    c->prev = ring->prev;
    c->prev->next = c->next->prev = c;
}

static void close_overdue(struct http_conns *all)
{
    static const int64_t time_ms[AWAITED] = {[AWAITS_REQUEST] = REQUEST_MS, [AWAITS_READING] = ANSWER_MS};
    int64_t now = clock_mono_ms();

    for (size_t what = 0; what < AWAITED; what++) {
        struct http_conn *ring = &all->waiting[what];
        while (ring->next != ring && now - ring->next->since >= time_ms[what])
            shut_down(all, ring->next);
    }
}

/* Closes the overdue connections, and one more if there is still no place. */
static void make_room(struct http_conns *all)
{
    close_overdue(all);
    for (size_t what = 0; what < AWAITED && all->count - all->closing >= all->max; what++) {
        struct http_conn *ring = &all->waiting[what];
        if (ring->next != ring)
            shut_down(all, ring->next);
    }
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

struct http_conns *http_conns_new(unsigned max, const struct prefixes *proxies)
{
    struct http_conns *all = mem_alloc(sizeof(*all));

    pthread_mutex_init(&all->lock, NULL);
    all->proxies = proxies;
    all->max = max;
    for (size_t what = 0; what < AWAITED; what++)
        all->waiting[what].next = all->waiting[what].prev = &all->waiting[what];
    return all;
}

void http_conns_free(struct http_conns *all)
{
    if (!all)
        return;
    for (struct map_entry *e = map_first(&all->coming); e; e = map_next(&all->coming, e))
        free(e->value);
    map_release(&all->coming);
    map_release(&all->by_source);
    pthread_mutex_destroy(&all->lock);
    free(all);
}

void http_conns_end_overdue(struct http_conns *all)
{
    pthread_mutex_lock(&all->lock);
    close_overdue(all);
    pthread_mutex_unlock(&all->lock);
}

/* ---- For the server ---- */

/* Call with the lock held. */
static struct http_conn *add(struct http_conns *all, int fd, const struct addr *from, bool reserved)
{
    size_t len = addr_source_len(from);
    struct http_conn *c = mem_alloc(sizeof(*c));

    c->fd = fd;
    c->from = *from;
    c->reserved = reserved;
    all->reserved += reserved;
    all->count += !reserved;
    map_put(&all->by_source, from->bytes, len, (void *)((uintptr_t)map_get(&all->by_source, from->bytes, len) + 1));
    wait_for(all, c, AWAITS_REQUEST);
    return c;
}

bool http_conns_enter(struct http_conns *all, int fd, const struct addr *from, bool reserved)
{
    pthread_mutex_lock(&all->lock);
    if (!reserved)
        make_room(all);
    bool in = has_place(all, from, reserved);
    if (in) {
        /* An earlier connection with this descriptor that was never started is gone. */
        struct http_conn *before = map_putu(&all->coming, (uint64_t)fd, add(all, fd, from, reserved));
        if (before)
            forget(all, before);
    }
    pthread_mutex_unlock(&all->lock);
    return in;
}

struct http_conn *http_conns_accepted(struct http_conns *all, int fd, const struct addr *from)
{
    pthread_mutex_lock(&all->lock);
    make_room(all);
    bool in = has_place(all, from, false);
    struct http_conn *c = add(all, fd, from, false);
    if (!in)
        shut_down(all, c);
    pthread_mutex_unlock(&all->lock);
    return c;
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

static void await(struct http_conns *all, struct http_conn *c, enum awaited what)
{
    pthread_mutex_lock(&all->lock);
    wait_for(all, c, what);
    pthread_mutex_unlock(&all->lock);
}

void http_conns_wait(struct http_conns *all, struct http_conn *c)
{
    await(all, c, AWAITS_REQUEST);
}

void http_conns_answer(struct http_conns *all, struct http_conn *c)
{
    await(all, c, AWAITS_READING);
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
    wait_for(all, c, AWAITS_REQUEST);
    pthread_mutex_unlock(&all->lock);
}

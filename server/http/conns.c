/* SPDX-License-Identifier: BSD-3-Clause */
#include "http/conns.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "net/forwarded.h"

#define REQUEST_MS 60000 /* until a request is whole, or on a connection without one */
#define PER_SOURCE 128   /* of one IPv4 address or IPv6 /64, but for this machine's and those of proxies */

struct http_conn {
    struct http_conn *next, *prev; /* in waiting; the first for the longest */
    int fd;                        /* -1: shut down */
    struct addr from;
    bool waits;
    int64_t since; /* mono ms */
};

struct http_conns {
    pthread_mutex_t lock;
    const struct prefixes *proxies;
    unsigned max, count;
    struct map by_source;     /* counts as values */
    struct http_conn waiting; /* head of a ring */
};

struct http_conns *http_conns_new(unsigned max, const struct prefixes *proxies)
{
    struct http_conns *all = mem_alloc(sizeof(*all));

    pthread_mutex_init(&all->lock, NULL);
    all->proxies = proxies;
    all->max = max;
    all->waiting.next = all->waiting.prev = &all->waiting;
    return all;
}

void http_conns_free(struct http_conns *all)
{
    if (!all)
        return;
    map_release(&all->by_source);
    pthread_mutex_destroy(&all->lock);
    free(all);
}

/* Under the lock. */
static void leave_waiting(struct http_conn *c)
{
    if (!c->waits)
        return;
    c->prev->next = c->next;
    c->next->prev = c->prev;
    c->waits = false;
}

/* Under the lock. libmicrohttpd sees the end of the connection, and then tells of it. */
static void shut_down(struct http_conn *c)
{
    leave_waiting(c);
    shutdown(c->fd, SHUT_RDWR);
    c->fd = -1;
}

bool http_conns_make_room(struct http_conns *all, const struct addr *from)
{
    int64_t now = clock_mono_ms();
    bool exempt = addr_is_loopback(from) || forwarded_is_trusted(all->proxies, from);

    pthread_mutex_lock(&all->lock);
    struct http_conn *first;
    while ((first = all->waiting.next) != &all->waiting &&
           (now - first->since >= REQUEST_MS || all->count >= all->max)) {
        bool was_late = now - first->since >= REQUEST_MS;
        shut_down(first);
        if (!was_late)
            break;
    }
    bool in = exempt || (uintptr_t)map_get(&all->by_source, from->bytes, addr_source_len(from)) < PER_SOURCE;
    pthread_mutex_unlock(&all->lock);
    return in;
}

struct http_conn *http_conns_add(struct http_conns *all, int fd, const struct addr *from)
{
    struct http_conn *c = mem_alloc(sizeof(*c));
    size_t len = addr_source_len(from);

    c->fd = fd;
    c->from = *from;
    pthread_mutex_lock(&all->lock);
    all->count++;
    map_put(&all->by_source, from->bytes, len, (void *)((uintptr_t)map_get(&all->by_source, from->bytes, len) + 1));
    pthread_mutex_unlock(&all->lock);
    http_conns_wait(all, c);
    return c;
}

void http_conns_remove(struct http_conns *all, struct http_conn *c)
{
    size_t len = addr_source_len(&c->from);

    pthread_mutex_lock(&all->lock);
    leave_waiting(c);
    all->count--;
    uintptr_t n = (uintptr_t)map_get(&all->by_source, c->from.bytes, len);
    if (n > 1)
        map_put(&all->by_source, c->from.bytes, len, (void *)(n - 1));
    else
        map_del(&all->by_source, c->from.bytes, len);
    pthread_mutex_unlock(&all->lock);
    free(c);
}

void http_conns_wait(struct http_conns *all, struct http_conn *c)
{
    pthread_mutex_lock(&all->lock);
    leave_waiting(c);
    if (c->fd >= 0) {
        c->since = clock_mono_ms();
        c->waits = true;
        c->next = &all->waiting;
        c->prev = all->waiting.prev;
        c->prev->next = c->next->prev = c;
    }
    pthread_mutex_unlock(&all->lock);
}

void http_conns_work(struct http_conns *all, struct http_conn *c)
{
    pthread_mutex_lock(&all->lock);
    leave_waiting(c);
    pthread_mutex_unlock(&all->lock);
}

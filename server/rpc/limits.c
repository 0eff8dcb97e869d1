/* SPDX-License-Identifier: BSD-3-Clause */
/* One lock suffices: it is taken once or twice per connection. */
#include "rpc/limits.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/file.h"
#include "base/map.h"
#include "base/mem.h"

/* By standing, the queue last. local: from this machine, counted apart: a proxy that is not configured as one carries
 * all clients. part: all and local are at most one in this many of the files that may be open. */
#define QUEUE RPC_STANDINGS
static const struct {
    unsigned all, each, local, part;
} bounds[] = {
    [RPC_STRANGER] = {1024, 64, 12288, 16}, [RPC_CLAIMED] = {8192, 512, 12288, 8},
    [RPC_WAITING] = {4096, 128, 4096, 16},  [RPC_KNOWN] = {UINT_MAX, UINT_MAX, UINT_MAX, 1},
    [QUEUE] = {4096, 2048, 4096, 16},
};

struct limits_pool {
    unsigned count, local;
    unsigned max, local_max;
    struct map by_source; /* counts as values */
};

struct rpc_limits {
    pthread_mutex_t lock;
    struct limits_pool pools[ARRAY_LEN(bounds)];
    uint64_t left;
    struct map by_machine;
};

struct rpc_limits *limits_new(void)
{
    struct rpc_limits *l = mem_alloc(sizeof(*l));

    pthread_mutex_init(&l->lock, NULL);
    for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
        bool bounded = bounds[i].each != UINT_MAX;
        l->pools[i].max = bounded ? file_share(bounds[i].all, bounds[i].part) : UINT_MAX;
        l->pools[i].local_max = bounded ? file_share(bounds[i].local, bounds[i].part) : UINT_MAX;
    }
    return l;
}

void limits_free(struct rpc_limits *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < ARRAY_LEN(l->pools); i++)
        map_release(&l->pools[i].by_source);
    map_release(&l->by_machine);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static bool count_up(struct map *m, const void *key, size_t len, uintptr_t max)
{
    uintptr_t n = (uintptr_t)map_get(m, key, len);

    if (n >= max)
        return false;
    map_put(m, key, len, (void *)(n + 1));
    return true;
}

static void count_down(struct map *m, const void *key, size_t len)
{
    uintptr_t n = (uintptr_t)map_get(m, key, len);

    if (n > 1)
        map_put(m, key, len, (void *)(n - 1));
    else
        map_del(m, key, len);
}

bool limits_enter_machine(struct rpc_limits *l, const uint8_t machine_key[CRYPTO_KEY_LEN])
{
    pthread_mutex_lock(&l->lock);
    bool in = count_up(&l->by_machine, machine_key, CRYPTO_KEY_LEN, LIMIT_PER_MACHINE);
    pthread_mutex_unlock(&l->lock);
    return in;
}

void limits_leave_machine(struct rpc_limits *l, const uint8_t machine_key[CRYPTO_KEY_LEN])
{
    pthread_mutex_lock(&l->lock);
    count_down(&l->by_machine, machine_key, CRYPTO_KEY_LEN);
    pthread_mutex_unlock(&l->lock);
}

/* Call with the lock held. */
static bool pool_enter(struct rpc_limits *l, unsigned which, const struct addr *from)
{
    struct limits_pool *p = &l->pools[which];

    if (addr_is_loopback(from)) {
        bool in = p->local < p->local_max;
        p->local += in;
        return in;
    }
    bool in = p->count < p->max && (bounds[which].each == UINT_MAX ||
                                    count_up(&p->by_source, from->bytes, addr_source_len(from), bounds[which].each));
    p->count += in;
    return in;
}

static void pool_leave(struct rpc_limits *l, unsigned which, const struct addr *from)
{
    struct limits_pool *p = &l->pools[which];

    if (addr_is_loopback(from)) {
        p->local--;
        return;
    }
    p->count--;
    if (bounds[which].each != UINT_MAX)
        count_down(&p->by_source, from->bytes, addr_source_len(from));
}

bool limits_enter(struct rpc_limits *l, enum rpc_standing standing, const struct addr *from)
{
    pthread_mutex_lock(&l->lock);
    bool in = pool_enter(l, standing, from);
    pthread_mutex_unlock(&l->lock);
    return in;
}

void limits_leave(struct rpc_limits *l, enum rpc_standing standing, const struct addr *from)
{
    pthread_mutex_lock(&l->lock);
    pool_leave(l, standing, from);
    l->left++;
    pthread_mutex_unlock(&l->lock);
}

bool limits_enter_queue(struct rpc_limits *l, const struct addr *from)
{
    pthread_mutex_lock(&l->lock);
    bool in = pool_enter(l, QUEUE, from);
    pthread_mutex_unlock(&l->lock);
    return in;
}

void limits_leave_queue(struct rpc_limits *l, const struct addr *from)
{
    pthread_mutex_lock(&l->lock);
    pool_leave(l, QUEUE, from);
    pthread_mutex_unlock(&l->lock);
}

uint64_t limits_left(struct rpc_limits *l)
{
    pthread_mutex_lock(&l->lock);
    uint64_t left = l->left;
    pthread_mutex_unlock(&l->lock);
    return left;
}

static unsigned pool_count(const struct rpc_limits *l, unsigned which)
{
    return l->pools[which].count + l->pools[which].local;
}

void limits_count(struct rpc_limits *l, struct rpc_counts *out)
{
    pthread_mutex_lock(&l->lock);
    out->strangers = pool_count(l, RPC_STRANGER) + pool_count(l, RPC_CLAIMED);
    out->waiting = pool_count(l, RPC_WAITING);
    out->queued = pool_count(l, QUEUE);
    pthread_mutex_unlock(&l->lock);
}

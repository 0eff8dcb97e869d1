/* SPDX-License-Identifier: BSD-3-Clause */
/* One lock: it is taken once or twice a connection. */
#include "rpc/limits.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

struct rpc_limits {
    pthread_mutex_t lock;
    unsigned strangers, local, waiting, queued;
    uint64_t left;
    struct map by_address; /* counts as values */
    struct map by_machine;
    struct map queued_by_address;
};

struct rpc_limits *limits_new(void)
{
    struct rpc_limits *l = mem_alloc(sizeof(*l));

    pthread_mutex_init(&l->lock, NULL);
    return l;
}

void limits_free(struct rpc_limits *l)
{
    if (!l)
        return;
    map_release(&l->by_address);
    map_release(&l->by_machine);
    map_release(&l->queued_by_address);
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

bool limits_enter(struct rpc_limits *l, enum rpc_standing standing, const struct addr *from)
{
    bool in = true;

    pthread_mutex_lock(&l->lock);
    if (standing == RPC_STRANGER && addr_is_loopback(from)) {
        in = l->local < LIMIT_LOCAL;
        l->local += in;
    } else if (standing == RPC_STRANGER) {
        in = l->strangers < LIMIT_STRANGERS &&
             count_up(&l->by_address, from->bytes, addr_source_len(from), LIMIT_PER_ADDRESS);
        l->strangers += in;
    } else if (standing == RPC_WAITING) {
        in = l->waiting < LIMIT_WAITING;
        l->waiting += in;
    }
    pthread_mutex_unlock(&l->lock);
    return in;
}

void limits_leave(struct rpc_limits *l, enum rpc_standing standing, const struct addr *from)
{
    pthread_mutex_lock(&l->lock);
    if (standing == RPC_STRANGER && addr_is_loopback(from)) {
        l->local--;
    } else if (standing == RPC_STRANGER) {
        l->strangers--;
        count_down(&l->by_address, from->bytes, addr_source_len(from));
    } else if (standing == RPC_WAITING) {
        l->waiting--;
    }
    l->left++;
    pthread_mutex_unlock(&l->lock);
}

bool limits_enter_queue(struct rpc_limits *l, const struct addr *from)
{
    pthread_mutex_lock(&l->lock);
    bool in = l->queued < LIMIT_QUEUE && count_up(&l->queued_by_address, from->bytes, addr_source_len(from),
                                                  addr_is_loopback(from) ? LIMIT_QUEUE : LIMIT_QUEUE / 2);
    l->queued += in;
    pthread_mutex_unlock(&l->lock);
    return in;
}

void limits_leave_queue(struct rpc_limits *l, const struct addr *from)
{
    pthread_mutex_lock(&l->lock);
    l->queued--;
    count_down(&l->queued_by_address, from->bytes, addr_source_len(from));
    pthread_mutex_unlock(&l->lock);
}

uint64_t limits_left(struct rpc_limits *l)
{
    pthread_mutex_lock(&l->lock);
    uint64_t left = l->left;
    pthread_mutex_unlock(&l->lock);
    return left;
}

void limits_count(struct rpc_limits *l, struct rpc_counts *out)
{
    pthread_mutex_lock(&l->lock);
    out->strangers = l->strangers + l->local;
    out->waiting = l->waiting;
    out->queued = l->queued;
    pthread_mutex_unlock(&l->lock);
}

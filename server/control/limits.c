/* SPDX-License-Identifier: BSD-3-Clause */
/* How many connections there may be of whom. One lock: it is taken once or twice a connection. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "control/conn.h"

struct limits {
    pthread_mutex_t lock;
    unsigned strangers, waiting;
    struct map by_address; /* counts as values */
    struct map by_machine;
};

struct limits *limits_new(void)
{
    struct limits *l = mem_alloc(sizeof(*l));

    pthread_mutex_init(&l->lock, NULL);
    return l;
}

void limits_free(struct limits *l)
{
    if (!l)
        return;
    map_release(&l->by_address);
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

bool limits_enter_machine(struct limits *l, const uint8_t machine_key[CONTROL_KEY_LEN])
{
    pthread_mutex_lock(&l->lock);
    bool in = count_up(&l->by_machine, machine_key, CONTROL_KEY_LEN, LIMIT_PER_MACHINE);
    pthread_mutex_unlock(&l->lock);
    return in;
}

void limits_leave_machine(struct limits *l, const uint8_t machine_key[CONTROL_KEY_LEN])
{
    pthread_mutex_lock(&l->lock);
    count_down(&l->by_machine, machine_key, CONTROL_KEY_LEN);
    pthread_mutex_unlock(&l->lock);
}

/* A subscriber usually has a whole IPv6 /64 for its own. */
static size_t address_len(const struct addr *from)
{
    return from->bits == 128 ? 8 : 4;
}

bool limits_enter(struct limits *l, enum rpc_standing standing, const struct addr *from)
{
    bool in = true;

    pthread_mutex_lock(&l->lock);
    if (standing == RPC_STRANGER) {
        in = l->strangers < LIMIT_STRANGERS &&
             count_up(&l->by_address, from->bytes, address_len(from), LIMIT_PER_ADDRESS);
        l->strangers += in;
    } else if (standing == RPC_WAITING) {
        in = l->waiting < LIMIT_WAITING;
        l->waiting += in;
    }
    pthread_mutex_unlock(&l->lock);
    return in;
}

void limits_leave(struct limits *l, enum rpc_standing standing, const struct addr *from)
{
    pthread_mutex_lock(&l->lock);
    if (standing == RPC_STRANGER) {
        l->strangers--;
        count_down(&l->by_address, from->bytes, address_len(from));
    } else if (standing == RPC_WAITING) {
        l->waiting--;
    }
    pthread_mutex_unlock(&l->lock);
}

void limits_count(struct limits *l, unsigned *strangers, unsigned *waiting)
{
    pthread_mutex_lock(&l->lock);
    *strangers = l->strangers;
    *waiting = l->waiting;
    pthread_mutex_unlock(&l->lock);
}

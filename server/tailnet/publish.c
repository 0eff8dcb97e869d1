/* SPDX-License-Identifier: BSD-3-Clause */
#include "tailnet/tailnet.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "policy/policy.h"
#include "tailnet/publish.h"

struct subscriber {
    void (*wake)(void *arg);
    void *arg;
};

struct tailnet {
    pthread_mutex_t lock; /* protects current and subscribers */
    struct tailnet_snapshot *current;
    VEC(struct subscriber) subscribers;

    pthread_rwlock_t log_lock; /* protects the ring */
    struct change *ring;       /* change number seq is at seq % TAILNET_LOG */
    uint64_t oldest, newest;   /* numbers in the ring; newest 0: empty */

    pthread_rwlock_t keys_lock; /* protects both maps */
    struct map node_keys;       /* key -> slot + 1 */
    struct map machine_keys;    /* key -> number of nodes */

    pthread_rwlock_t policy_lock;
    struct policy_view *policy;
};

struct tailnet *tailnet_new(void)
{
    struct tailnet *t = mem_alloc(sizeof(*t));

    pthread_mutex_init(&t->lock, NULL);
    pthread_rwlock_init(&t->log_lock, NULL);
    pthread_rwlock_init(&t->keys_lock, NULL);
    /* The writer is the core, which must not wait for a thousand readers in turn. */
    pthread_rwlockattr_t writer_first;
    pthread_rwlockattr_init(&writer_first);
    pthread_rwlockattr_setkind_np(&writer_first, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&t->policy_lock, &writer_first);
    pthread_rwlockattr_destroy(&writer_first);
    t->current = snapshot_edit(NULL);
    t->ring = mem_alloc(TAILNET_LOG * sizeof(*t->ring));
    t->oldest = 1;
    return t;
}

void tailnet_free(struct tailnet *t)
{
    if (!t)
        return;
    tailnet_unpin(t->current);
    vec_release(&t->subscribers);
    map_release(&t->node_keys);
    map_release(&t->machine_keys);
    free(t->ring);
    pthread_mutex_destroy(&t->lock);
    pthread_rwlock_destroy(&t->log_lock);
    pthread_rwlock_destroy(&t->keys_lock);
    pthread_rwlock_destroy(&t->policy_lock);
    policy_view_free(t->policy);
    free(t);
}

const struct tailnet_snapshot *tailnet_pin(struct tailnet *t)
{
    pthread_mutex_lock(&t->lock);
    const struct tailnet_snapshot *s = tailnet_ref(t->current);
    pthread_mutex_unlock(&t->lock);
    return s;
}

void tailnet_publish(struct tailnet *t, struct tailnet_snapshot *s, const struct change *changes, size_t count)
{
    pthread_rwlock_wrlock(&t->log_lock);
    for (size_t i = 0; i < count; i++) {
        t->ring[changes[i].seq % TAILNET_LOG] = changes[i];
        t->newest = changes[i].seq;
    }
    if (t->newest >= TAILNET_LOG && t->oldest <= t->newest - TAILNET_LOG)
        t->oldest = t->newest - TAILNET_LOG + 1;
    pthread_rwlock_unlock(&t->log_lock);

    pthread_mutex_lock(&t->lock);
    struct tailnet_snapshot *old = t->current;
    t->current = s;
    for (size_t i = 0; i < t->subscribers.len; i++)
        t->subscribers.items[i].wake(t->subscribers.items[i].arg);
    pthread_mutex_unlock(&t->lock);
    tailnet_unpin(old);
}

long tailnet_changes(struct tailnet *t, uint64_t after, uint64_t until, struct change *out, size_t max)
{
    long count = 0;

    pthread_rwlock_rdlock(&t->log_lock);
    if (until > t->newest)
        until = t->newest;
    if (after < until && after + 1 < t->oldest)
        count = -1;
    for (uint64_t seq = after + 1; count >= 0 && seq <= until && (size_t)count < max; seq++)
        out[count++] = t->ring[seq % TAILNET_LOG];
    pthread_rwlock_unlock(&t->log_lock);
    return count;
}

uint32_t tailnet_find_key(struct tailnet *t, const uint8_t node_key[KEY_LEN])
{
    pthread_rwlock_rdlock(&t->keys_lock);
    uintptr_t slot = (uintptr_t)map_get(&t->node_keys, node_key, KEY_LEN);
    pthread_rwlock_unlock(&t->keys_lock);
    return slot ? (uint32_t)(slot - 1) : TAILNET_SLOT_NONE;
}

bool tailnet_knows_machine(struct tailnet *t, const uint8_t machine_key[KEY_LEN])
{
    pthread_rwlock_rdlock(&t->keys_lock);
    bool known = map_get(&t->machine_keys, machine_key, KEY_LEN) != NULL;
    pthread_rwlock_unlock(&t->keys_lock);
    return known;
}

void tailnet_set_key(struct tailnet *t, const uint8_t node_key[KEY_LEN], uint32_t slot)
{
    pthread_rwlock_wrlock(&t->keys_lock);
    if (slot == TAILNET_SLOT_NONE)
        map_del(&t->node_keys, node_key, KEY_LEN);
    else
        map_put(&t->node_keys, node_key, KEY_LEN, (void *)((uintptr_t)slot + 1));
    pthread_rwlock_unlock(&t->keys_lock);
}

void tailnet_count_machine(struct tailnet *t, const uint8_t machine_key[KEY_LEN], int by)
{
    pthread_rwlock_wrlock(&t->keys_lock);
    intptr_t count = (intptr_t)map_get(&t->machine_keys, machine_key, KEY_LEN) + by;
    if (count > 0)
        map_put(&t->machine_keys, machine_key, KEY_LEN, (void *)count);
    else
        map_del(&t->machine_keys, machine_key, KEY_LEN);
    pthread_rwlock_unlock(&t->keys_lock);
}

const struct policy_view *tailnet_policy_read(struct tailnet *t)
{
    pthread_rwlock_rdlock(&t->policy_lock);
    return t->policy;
}

void tailnet_policy_done(struct tailnet *t)
{
    pthread_rwlock_unlock(&t->policy_lock);
}

struct policy_view **tailnet_policy_write(struct tailnet *t)
{
    pthread_rwlock_wrlock(&t->policy_lock);
    return &t->policy;
}

void tailnet_policy_written(struct tailnet *t)
{
    pthread_rwlock_unlock(&t->policy_lock);
}

void tailnet_subscribe(struct tailnet *t, void (*wake)(void *arg), void *arg)
{
    pthread_mutex_lock(&t->lock);
    vec_push(&t->subscribers, ((struct subscriber){wake, arg}));
    pthread_mutex_unlock(&t->lock);
}

void tailnet_unsubscribe(struct tailnet *t, void (*wake)(void *arg), void *arg)
{
    pthread_mutex_lock(&t->lock);
    for (size_t i = t->subscribers.len; i-- > 0;)
        if (t->subscribers.items[i].wake == wake && t->subscribers.items[i].arg == arg)
            vec_remove(&t->subscribers, i);
    pthread_mutex_unlock(&t->lock);
}

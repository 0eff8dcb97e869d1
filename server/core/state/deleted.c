/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/state/deleted.h"
#include "base/clock.h"
#include "core/state/addresses.h"
#include "core/state/state.h"
#include "core/state/transaction.h"

#define DELETED_MAX 4096

static void forget_oldest(struct core_state *s)
{
    const struct deleted_node *oldest = s->deleted.items[0];

    vec_remove(&s->deleted, 0);
    map_del(&s->deleted_keys, oldest->node_key, KEY_LEN);
    tx_remove(s, oldest);
    record_unref(oldest);
}

static void add(struct core_state *s, const struct deleted_node *d)
{
    int64_t age_ns = clock_wall_ns() - d->time_ns;

    address_free(s, &d->ipv4, age_ns);
    address_free(s, &d->ipv6, age_ns);
    if (s->deleted.len >= DELETED_MAX)
        forget_oldest(s);
    vec_push(&s->deleted, record_ref(d));
    map_put(&s->deleted_keys, d->node_key, KEY_LEN, (void *)1);
}

void deleted_note(struct core_state *s, const struct node *n)
{
    struct deleted_node *d = deleted_node_new();

    d->r.id = n->r.id;
    memcpy(d->node_key, n->node_key, KEY_LEN);
    d->ipv4 = n->ipv4;
    d->ipv6 = n->ipv6;
    d->time_ns = clock_wall_ns();
    add(s, d);
    tx_put(s, d);
}

bool deleted_lately(const struct core_state *s, const uint8_t node_key[KEY_LEN])
{
    return map_has(&s->deleted_keys, node_key, KEY_LEN);
}

void deleted_load(struct core_state *s, struct deleted_node *const *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add(s, items[i]);
}

void deleted_release(struct core_state *s)
{
    for (size_t i = 0; i < s->deleted.len; i++)
        record_unref(s->deleted.items[i]);
    vec_release(&s->deleted);
    map_release(&s->deleted_keys);
}

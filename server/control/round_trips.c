/* SPDX-License-Identifier: BSD-3-Clause */
/* A ring for each node with a PING answered or lost. Rings of deleted nodes are freed once there are twice as many
 * rings as there were nodes at the last sweep. */
#include "control/round_trips.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

#define SWEEP_LEAST 256

struct round_trip_ring {
    struct control_round_trip items[CONTROL_ROUND_TRIPS];
    size_t count, next;
};

void round_trips_init(struct round_trips *t)
{
    *t = (struct round_trips){.sweep_at = SWEEP_LEAST};
    pthread_mutex_init(&t->lock, NULL);
}

void round_trips_release(struct round_trips *t)
{
    for (struct map_entry *e = map_first(&t->nodes); e; e = map_next(&t->nodes, e))
        free(e->value);
    map_release(&t->nodes);
    pthread_mutex_destroy(&t->lock);
}

static uint64_t id_of(const struct map_entry *e)
{
    uint64_t id;

    memcpy(&id, e->key, sizeof(id));
    return id;
}

static void sweep(struct round_trips *t, struct tailnet *tailnet)
{
    const struct tailnet_snapshot *s = tailnet_pin(tailnet);
    struct map kept = {0};

    for (struct map_entry *e = map_first(&t->nodes); e; e = map_next(&t->nodes, e))
        if (snapshot_node_by_id(s, id_of(e)))
            map_putu(&kept, id_of(e), e->value);
        else
            free(e->value);
    tailnet_unpin(s);
    map_release(&t->nodes);
    t->nodes = kept;
    t->sweep_at = kept.len * 2 > SWEEP_LEAST ? kept.len * 2 : SWEEP_LEAST;
}

void round_trips_note(struct round_trips *t, struct tailnet *tailnet, uint64_t node, uint32_t us)
{
    pthread_mutex_lock(&t->lock);
    struct round_trip_ring *r = map_getu(&t->nodes, node);
    if (!r) {
        if (t->nodes.len >= t->sweep_at)
            sweep(t, tailnet);
        r = mem_alloc(sizeof(*r));
        map_putu(&t->nodes, node, r);
    }
    r->items[r->next] = (struct control_round_trip){.time_ns = clock_wall_ns(), .us = us};
    r->next = (r->next + 1) % CONTROL_ROUND_TRIPS;
    r->count += r->count < CONTROL_ROUND_TRIPS;
    pthread_mutex_unlock(&t->lock);
}

size_t round_trips_read(struct round_trips *t, uint64_t node, struct control_round_trip out[CONTROL_ROUND_TRIPS])
{
    size_t count = 0;

    pthread_mutex_lock(&t->lock);
    const struct round_trip_ring *r = map_getu(&t->nodes, node);
    for (; r && count < r->count; count++)
        out[count] = r->items[(r->next + CONTROL_ROUND_TRIPS - r->count + count) % CONTROL_ROUND_TRIPS];
    pthread_mutex_unlock(&t->lock);
    return count;
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

uint32_t round_trips_median(struct round_trips *t, int64_t since_ns)
{
    uint32_t *all, median;
    size_t count = 0;

    pthread_mutex_lock(&t->lock);
    all = mem_alloc((t->nodes.len + 1) * sizeof(*all));
    for (struct map_entry *e = map_first(&t->nodes); e; e = map_next(&t->nodes, e)) {
        const struct round_trip_ring *r = e->value;
        const struct control_round_trip *newest = &r->items[(r->next + CONTROL_ROUND_TRIPS - 1) % CONTROL_ROUND_TRIPS];
        if (newest->us != CONTROL_LOST && newest->time_ns >= since_ns)
            all[count++] = newest->us;
    }
    pthread_mutex_unlock(&t->lock);
    qsort(all, count, sizeof(*all), by_size);
    median = count ? all[count / 2] : 0;
    free(all);
    return median;
}

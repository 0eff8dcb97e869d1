/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/decide/nearest.h"

#include <stdlib.h>

#include "base/clock.h"
#include "core/state/state.h"
#include "core/state/timers.h"

void nearest_measured(struct core_state *s, struct slot *slot)
{
    slot->measured = false;
    if (!s->nearest.len)
        return;
    vec_push(&s->nearest_viewers, slot);
    s->nearest_all = s->nearest_all || (slot->published && node_has_subnet_route(slot->published));
}

static const struct relay_latencies *latencies_of(struct slot *slot)
{
    if (!slot->measured) {
        relay_latencies_read(slot->live.net_info, &slot->latencies);
        slot->measured = true;
    }
    return &slot->latencies;
}

/* ---- which prefixes, and which routers they have ---- */

static struct nearest_state *state_of(struct core_state *s, const struct prefix *p)
{
    size_t at = 0;

    while (at < s->nearest.len && prefix_cmp(&s->nearest.items[at].prefix, p) < 0)
        at++;
    if (at == s->nearest.len || prefix_cmp(&s->nearest.items[at].prefix, p) != 0)
        *vec_insert(&s->nearest, at) = (struct nearest_state){.prefix = *p, .primary = TAILNET_SLOT_NONE};
    return &s->nearest.items[at];
}

static uint32_t slot_of(struct core_state *s, uint64_t id)
{
    const struct slot *slot = map_getu(&s->by_id, id);

    return slot ? slot->index : TAILNET_SLOT_NONE;
}

static void see_prefix(void *arg, const struct prefix *p, uint64_t primary, const uint64_t *routers, size_t count)
{
    struct core_state *s = arg;
    struct nearest_state *n = state_of(s, p);
    bool same = n->routers.len == count && n->primary == slot_of(s, primary);

    for (size_t i = 0; i < count && same; i++)
        same = n->routers.items[i] == slot_of(s, routers[i]);
    n->seen = true;
    if (same)
        return;
    n->changed = true;
    n->primary = slot_of(s, primary);
    n->routers.len = 0;
    for (size_t i = 0; i < count; i++)
        vec_push(&n->routers, slot_of(s, routers[i]));
}

static void state_release(struct nearest_state *n)
{
    vec_release(&n->routers);
    vec_release(&n->viewers);
}

static void follow_elections(struct core_state *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->nearest.len; i++)
        s->nearest.items[i].seen = false;
    routes_nearest(s->routes, see_prefix, s);
    for (size_t i = 0; i < s->nearest.len; i++) {
        if (s->nearest.items[i].seen)
            s->nearest.items[kept++] = s->nearest.items[i];
        else
            state_release(&s->nearest.items[i]);
    }
    s->nearest_dirty = s->nearest_dirty || kept != s->nearest.len;
    s->nearest.len = kept;
}

/* ---- who serves a viewer ---- */

static struct nearest_viewer *viewer_of(struct nearest_state *n, const struct slot *slot)
{
    static const struct nearest_viewer nobody = {0, TAILNET_SLOT_NONE, INT64_MIN};

    while (n->viewers.len <= slot->index)
        vec_push(&n->viewers, nobody);
    struct nearest_viewer *v = &n->viewers.items[slot->index];
    if (v->id != slot->id) {
        *v = nobody;
        v->id = slot->id;
    }
    return v;
}

static size_t router_index(const struct nearest_state *n, uint32_t router)
{
    size_t i = 0;

    while (i < n->routers.len && n->routers.items[i] != router)
        i++;
    return i;
}

/* The distances of the routers from the viewer; false: what was measured tells nothing. */
static bool measure(struct core_state *s, const struct nearest_state *n, struct slot *viewer, uint32_t *distances)
{
    const struct relay_latencies **to = mem_alloc((n->routers.len + 1) * sizeof(void *));

    for (size_t i = 0; i < n->routers.len; i++)
        to[i] = latencies_of(s->slots.items[n->routers.items[i]]);
    bool tells = relay_distances(latencies_of(viewer), to, n->routers.len, distances);
    free((void *)to);
    return tells;
}

/* A router of the prefix needs no other one to it. */
static bool is_at_home(const struct node *n, const struct prefix *p)
{
    return prefixes_has(&n->available, p) && prefixes_has(&n->approved, p);
}

/* True: another router serves the viewer now. */
static bool choose(struct core_state *s, struct nearest_state *n, struct slot *slot, uint32_t *distances,
                   int64_t now_ms, int64_t *due_ms)
{
    struct nearest_viewer *v = viewer_of(n, slot);
    uint32_t before = v->router;

    if (!slot->published || is_at_home(slot->published, &n->prefix)) {
        v->router = TAILNET_SLOT_NONE;
        return before != v->router;
    }
    struct nearest_viewing viewing = {.distances = measure(s, n, slot, distances) ? distances : NULL,
                                      .count = n->routers.len,
                                      .present = router_index(n, before),
                                      .primary = router_index(n, n->primary),
                                      .had = before != TAILNET_SLOT_NONE};
    size_t to = nearest_serve(&viewing, &v->moved_ms, now_ms, due_ms);
    v->router = to < n->routers.len ? n->routers.items[to] : TAILNET_SLOT_NONE;
    return before != v->router;
}

static void choose_for_all(struct core_state *s, struct nearest_state *n, uint32_t *distances, int64_t now_ms,
                           int64_t *due_ms)
{
    for (size_t i = 0; i < s->slots.len; i++)
        if (s->slots.items[i]->id)
            s->nearest_dirty |= choose(s, n, s->slots.items[i], distances, now_ms, due_ms);
}

void nearest_follow(struct core_state *s, bool elected)
{
    int64_t now_ms = clock_mono_ms(), due_ms = INT64_MAX;

    if (elected)
        follow_elections(s);
    for (size_t i = 0; i < s->nearest.len; i++) {
        struct nearest_state *n = &s->nearest.items[i];
        if (!n->changed && !s->nearest_all && !s->nearest_viewers.len)
            continue;
        uint32_t *distances = mem_alloc((n->routers.len + 1) * sizeof(*distances));
        if (n->changed || s->nearest_all)
            choose_for_all(s, n, distances, now_ms, &due_ms);
        for (size_t k = 0; k < s->nearest_viewers.len; k++)
            if (s->nearest_viewers.items[k]->id)
                s->nearest_dirty |= choose(s, n, s->nearest_viewers.items[k], distances, now_ms, &due_ms);
        s->nearest_dirty |= n->changed;
        n->changed = false;
        free(distances);
    }
    s->nearest_viewers.len = 0;
    s->nearest_all = false;
    if (due_ms != INT64_MAX)
        timer_set(s, due_ms, TIMER_NEAREST, NULL);
}

struct tailnet_nearest *nearest_publish(struct core_state *s)
{
    if (!s->nearest.len)
        return NULL;
    struct tailnet_nearest *out = tailnet_nearest_new(s->nearest.len);
    for (size_t i = 0; i < s->nearest.len; i++) {
        const struct nearest_state *n = &s->nearest.items[i];
        out->items[i] = (struct nearest_prefix){.prefix = n->prefix,
                                                .primary = n->primary,
                                                .routers = mem_alloc((n->viewers.len + 1) * sizeof(uint32_t)),
                                                .moved_ms = mem_alloc((n->viewers.len + 1) * sizeof(int64_t)),
                                                .viewers = n->viewers.len};
        for (size_t k = 0; k < n->viewers.len; k++) {
            out->items[i].routers[k] = n->viewers.items[k].router;
            out->items[i].moved_ms[k] = n->viewers.items[k].moved_ms;
        }
    }
    return out;
}

void nearest_release(struct core_state *s)
{
    for (size_t i = 0; i < s->nearest.len; i++)
        state_release(&s->nearest.items[i]);
    vec_release(&s->nearest);
    vec_release(&s->nearest_viewers);
}

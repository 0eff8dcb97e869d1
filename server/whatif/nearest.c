/* SPDX-License-Identifier: BSD-3-Clause */
/* Which router would be nearest to each viewer: chosen as in the core, starting from the snapshot's choices. */
#include <stdlib.h>

#include "whatif/trial.h"

static void release(struct trial_nearests *list)
{
    for (size_t i = 0; i < list->len; i++) {
        vec_release(&list->items[i].well);
        free(list->items[i].routers);
    }
    vec_release(list);
}

void trial_nearest_release(struct trial *t)
{
    release(&t->nearest[0]);
    release(&t->nearest[1]);
    for (size_t i = 0; t->measured && i < t->nodes.len; i++)
        relay_latencies_release(&t->measured[i].latencies);
}

struct collecting {
    const struct trial *t;
    struct trial_nearests *list;
};

static void see(void *arg, const struct prefix *p, uint64_t primary, const uint64_t *routers, size_t count)
{
    struct collecting *c = arg;
    struct trial_nearest *n = vec_add(c->list);

    *n = (struct trial_nearest){.prefix = *p, .primary = trial_slot(c->t, primary)};
    for (size_t i = 0; i < count; i++)
        vec_push(&n->well, trial_slot(c->t, routers[i]));
}

void trial_nearest_list(struct trial *t, int side)
{
    struct collecting c = {t, &t->nearest[side]};

    routes_nearest(t->q->elections, see, &c);
}

static struct trial_nearest *find(const struct trial_nearests *list, const struct prefix *p)
{
    for (size_t i = 0; i < list->len; i++)
        if (prefix_cmp(&list->items[i].prefix, p) == 0)
            return &list->items[i];
    return NULL;
}

/* ---- choices ---- */

static const struct relay_latencies *latencies_of(struct trial *t, uint32_t slot)
{
    struct trial_measured *m = &t->measured[slot];
    const struct tailnet_node *n = m->read ? NULL : snapshot_node(t->q->s, slot);

    if (n)
        relay_latencies_read(n->live.net_info, &m->latencies);
    m->read = true;
    return &m->latencies;
}

static size_t index_of(const struct trial_nearest *n, uint32_t router)
{
    size_t i = 0;

    while (i < n->well.len && n->well.items[i] != router)
        i++;
    return i;
}

static bool is_same(const struct trial_nearest *a, const struct trial_nearest *b)
{
    bool same = a && b && a->primary == b->primary && a->well.len == b->well.len;

    for (size_t i = 0; same && i < a->well.len; i++)
        same = a->well.items[i] == b->well.items[i];
    return same;
}

struct choosing {
    struct trial_nearest *n;
    const struct nearest_prefix *now; /* NULL: it is not served in this way */
    const struct relay_latencies **to;
    uint32_t *distances;
};

static void choose(struct trial *t, const struct choosing *c, uint32_t viewer)
{
    struct trial_nearest *n = c->n;
    const struct node *record = t->nodes.items[viewer].record;
    bool known = c->now && viewer < c->now->viewers && c->now->routers[viewer] != TAILNET_SLOT_NONE;
    int64_t moved_ms = known && c->now->moved_ms ? c->now->moved_ms[viewer] : INT64_MIN, due_ms = INT64_MAX;

    if (!record || (prefixes_has(&record->available, &n->prefix) && prefixes_has(&record->approved, &n->prefix)))
        return;
    bool tells = relay_distances(latencies_of(t, viewer), c->to, n->well.len, c->distances);
    struct nearest_viewing viewing = {.distances = tells ? c->distances : NULL,
                                      .count = n->well.len,
                                      .present = known ? index_of(n, c->now->routers[viewer]) : n->well.len,
                                      .primary = index_of(n, n->primary),
                                      .had = known};
    size_t chosen = nearest_serve(&viewing, &moved_ms, t->now.mono_ms, &due_ms);
    n->routers[viewer] = chosen < n->well.len ? n->well.items[chosen] : POLICY_SLOT_NONE;
}

static void choose_for_all(struct trial *t, struct trial_nearest *n, const struct nearest_prefix *now)
{
    struct choosing c = {n, now, NULL, arena_alloc(t->arena, (n->well.len + 1) * sizeof(uint32_t))};

    c.to = arena_alloc(t->arena, (n->well.len + 1) * sizeof(void *));
    for (size_t i = 0; i < n->well.len; i++)
        c.to[i] = latencies_of(t, n->well.items[i]);
    for (uint32_t viewer = 0; viewer < t->nodes.len; viewer++)
        choose(t, &c, viewer);
}

static void follow(struct trial *t, struct trial_nearest *n)
{
    const struct nearest_prefix *now = tailnet_nearest_find(t->q->s->nearest, &n->prefix);

    n->routers = mem_alloc((t->nodes.len + 1) * sizeof(*n->routers));
    for (size_t i = 0; i < t->nodes.len; i++)
        n->routers[i] = now && i < now->viewers ? now->routers[i] : POLICY_SLOT_NONE;
    if (now && is_same(find(&t->nearest[0], &n->prefix), n))
        return;
    if (!t->measured)
        t->measured = arena_alloc(t->arena, (t->nodes.len + 1) * sizeof(*t->measured));
    choose_for_all(t, n, now);
}

void trial_nearest_follow(struct trial *t)
{
    trial_nearest_list(t, 1);
    for (size_t i = 0; i < t->nearest[1].len; i++)
        follow(t, &t->nearest[1].items[i]);
}

void trial_nearest_sides(const struct trial *t, struct policy_side *before, struct policy_side *after)
{
    const struct tailnet_nearest *now = t->q->s->nearest;
    size_t count = now ? now->len : 0;
    struct policy_nearest *was = arena_alloc(t->arena, (count + 1) * sizeof(*was)),
                          *is = arena_alloc(t->arena, (t->nearest[1].len + 1) * sizeof(*is));

    for (size_t i = 0; i < count; i++)
        was[i] = (struct policy_nearest){now->items[i].prefix, now->items[i].primary, now->items[i].routers,
                                         now->items[i].viewers};
    for (size_t i = 0; i < t->nearest[1].len; i++)
        is[i] = (struct policy_nearest){t->nearest[1].items[i].prefix, t->nearest[1].items[i].primary,
                                        t->nearest[1].items[i].routers, t->nodes.len};
    *before = (struct policy_side){t->q->before, was, count};
    *after = (struct policy_side){t->after, is, t->nearest[1].len};
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "base/array.h"
#include "base/bits.h"
#include "base/mem.h"
#include "policy/policy.h"
#include "tailnet/publish.h"

struct tailnet_nearest *tailnet_nearest_new(size_t len)
{
    struct tailnet_nearest *n = mem_alloc(sizeof(*n) + len * sizeof(n->items[0]));

    atomic_init(&n->refs, 1);
    n->len = len;
    return n;
}

struct tailnet_nearest *tailnet_nearest_ref(struct tailnet_nearest *n)
{
    if (n)
        atomic_fetch_add_explicit(&n->refs, 1, memory_order_relaxed);
    return n;
}

static void release(struct nearest_prefix *p)
{
    if (p->shares && atomic_fetch_sub_explicit(p->shares, 1, memory_order_acq_rel) != 1)
        return;
    free(p->shares);
    free(p->routers);
    free(p->moved_ms);
    free(p->serving);
    free(p->actor);
}

void tailnet_nearest_share(struct nearest_prefix *to, const struct nearest_prefix *from)
{
    *to = *from;
    atomic_fetch_add_explicit(to->shares, 1, memory_order_relaxed);
}

void tailnet_nearest_unref(struct tailnet_nearest *n)
{
    if (!n || atomic_fetch_sub_explicit(&n->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < n->len; i++)
        release(&n->items[i]);
    free(n->ended_by);
    free(n);
}

static int compare(const void *key, const void *item)
{
    return prefix_cmp(key, &((const struct nearest_prefix *)item)->prefix);
}

const struct nearest_prefix *tailnet_nearest_find(const struct tailnet_nearest *n, const struct prefix *p)
{
    bool found = false;
    size_t i = n ? array_search(p, n->items, n->len, sizeof(n->items[0]), compare, &found) : 0;

    return found ? &n->items[i] : NULL;
}

uint32_t nearest_router(const struct nearest_prefix *p, uint32_t viewer)
{
    return viewer < p->viewers && p->routers[viewer] != TAILNET_SLOT_NONE ? p->routers[viewer] : p->primary;
}

bool nearest_serves(const struct nearest_prefix *p, uint32_t router)
{
    return router / 64 < p->words && bit_has(p->serving, router);
}

void tailnet_nearest_serving(const struct tailnet_nearest *n, uint32_t router, struct prefixes *out)
{
    prefixes_release(out);
    for (size_t i = 0; n && i < n->len; i++)
        if (nearest_serves(&n->items[i], router))
            prefixes_add(out, &n->items[i].prefix);
}

static void note_serving(struct nearest_prefix *p)
{
    uint32_t highest = 0;

    if (p->serving)
        return; /* shared: already checked */
    for (size_t i = 0; i < p->viewers; i++)
        if (p->routers[i] != TAILNET_SLOT_NONE && p->routers[i] > highest)
            highest = p->routers[i];
    p->words = highest / 64 + 1;
    p->serving = bits_new(p->words);
    for (size_t i = 0; i < p->viewers; i++)
        if (p->routers[i] != TAILNET_SLOT_NONE)
            bit_set(p->serving, p->routers[i]);
}

void snapshot_set_nearest(struct tailnet_snapshot *s, struct tailnet_nearest *nearest)
{
    for (size_t i = 0; nearest && i < nearest->len; i++)
        note_serving(&nearest->items[i]);
    tailnet_nearest_unref(s->nearest);
    s->nearest = nearest;
}

uint32_t tailnet_nearer_router(const struct nearest_prefix *n, const struct policy_view *policy, uint32_t viewer)
{
    uint32_t router = nearest_router(n, viewer);
    struct prefixes shown = {0};

    if (router == n->primary)
        return TAILNET_SLOT_NONE;
    if (!policy)
        return router;
    if (!policy_sees(policy, viewer, router) || policy_leads(policy, viewer, &n->prefix))
        return TAILNET_SLOT_NONE;
    policy_routes(policy, viewer, n->primary, &shown);
    bool has = prefixes_has(&shown, &n->prefix);
    prefixes_release(&shown);
    return has ? router : TAILNET_SLOT_NONE;
}

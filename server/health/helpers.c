/* SPDX-License-Identifier: BSD-3-Clause */
#include "health/helpers.h"

#include "base/random.h"
#include "policy/policy.h"

#define BARRED_MS      (10 * 60 * 1000)
#define LOOK_AGAIN_MS  2000
#define UNPROVEN_TRIES 3

static bool routes_it(const struct tailnet_node *n, const struct prefix *prefix)
{
    return prefixes_has(&n->record->available, prefix);
}

/* Whether it reaches the prefix through the router, by the policy and its distance. */
static bool goes_through(const struct tailnet_snapshot *s, const struct policy_view *v, const struct tailnet_node *n,
                         const struct prefix *prefix, const struct tailnet_node *router)
{
    const struct nearest_prefix *nearest = tailnet_nearest_find(s->nearest, prefix);
    uint32_t nearer = nearest ? tailnet_nearer_router(nearest, v, n->slot) : TAILNET_SLOT_NONE;
    struct prefixes shown = {0};

    if (nearer != TAILNET_SLOT_NONE)
        return nearer == router->slot;
    if (!v)
        return !nearest || nearest->primary == router->slot;
    if (!policy_sees(v, n->slot, router->slot))
        return false;
    policy_routes(v, n->slot, router->slot, &shown);
    bool sees = prefixes_has(&shown, prefix);
    prefixes_release(&shown);
    return sees;
}

static bool can_help(const struct tailnet_snapshot *s, const struct policy_view *v, const struct tailnet_node *n,
                     const struct prefix *prefix, const struct tailnet_node *router)
{
    return n->live.online && !n->expired && n->record->authorized && n != router && !routes_it(n, prefix) &&
           goes_through(s, v, n, prefix, router);
}

static bool is_barred(const struct probe_helpers *h, uint64_t id, int64_t now_ms)
{
    for (size_t i = 0; i < HELPERS_BARRED; i++)
        if (h->barred[i].id == id && h->barred[i].until_ms > now_ms)
            return true;
    return false;
}

static bool is_chosen(const struct probe_helpers *h, uint64_t id)
{
    for (size_t i = 0; i < HELPERS; i++)
        if (h->items[i].id == id)
            return true;
    return false;
}

void helpers_bar(struct probe_helpers *h, size_t place, int64_t now_ms)
{
    h->barred[h->next_barred].id = h->items[place].id;
    h->barred[h->next_barred].until_ms = now_ms + BARRED_MS;
    h->next_barred = (h->next_barred + 1) % HELPERS_BARRED;
    h->items[place] = (struct probe_helper){0};
}

/* Each choice starts elsewhere, so that the same nodes do not help everywhere. */
static uint64_t choose(const struct probe_helpers *h, const struct policy_view *v, const struct tailnet_snapshot *s,
                       const struct prefix *prefix, const struct tailnet_node *router, int64_t now_ms)
{
    uint32_t slots = (uint32_t)(s->block_count * TAILNET_BLOCK), first = slots ? (uint32_t)random_below(slots) : 0;

    for (uint32_t i = 0; i < slots; i++) {
        const struct tailnet_node *n = snapshot_node(s, (first + i) % slots);
        if (n && !is_chosen(h, n->record->r.id) && !is_barred(h, n->record->r.id, now_ms) &&
            can_help(s, v, n, prefix, router))
            return n->record->r.id;
    }
    return 0;
}

/* The policy is not consulted again, unless the node's router may have changed. */
static bool still_helps(const struct tailnet_snapshot *s, struct tailnet *t, uint64_t id, const struct prefix *prefix,
                        const struct tailnet_node *router)
{
    const struct tailnet_node *n = id ? snapshot_node_by_id(s, id) : NULL;

    if (!n || !n->live.online || n->expired || n == router || routes_it(n, prefix))
        return false;
    if (!tailnet_nearest_find(s->nearest, prefix))
        return true;
    bool goes = goes_through(s, tailnet_policy_read(t), n, prefix, router);
    tailnet_policy_done(t);
    return goes;
}

void helpers_fill(struct probe_helpers *h, struct tailnet *t, const struct tailnet_snapshot *s,
                  const struct prefix *prefix, const struct tailnet_node *router, int64_t now_ms)
{
    size_t empty = 0;

    for (size_t i = 0; i < HELPERS; i++) {
        if (still_helps(s, t, h->items[i].id, prefix, router))
            continue;
        h->items[i] = (struct probe_helper){0};
        empty++;
    }
    if (!empty || now_ms < h->next_ms)
        return;
    const struct policy_view *v = tailnet_policy_read(t);
    for (size_t i = 0; i < HELPERS; i++)
        if (!h->items[i].id)
            h->items[i].id = choose(h, v, s, prefix, router, now_ms);
    tailnet_policy_done(t);
    h->next_ms = now_ms + LOOK_AGAIN_MS;
}

int helpers_vote(struct probe_helpers *h, size_t place, const struct helper_result *r, bool with_echo, int64_t now_ms)
{
    struct probe_helper *who = &h->items[place];

    if (!r->asked || r->helper != who->id) /* another one has taken its place meanwhile */
        return 0;
    if (r->passed) {
        who->proven = true;
        return 1;
    }
    if (r->unusable) {
        helpers_bar(h, place, now_ms);
        return 0;
    }
    if (with_echo && !r->alive)
        return 0;
    if (who->proven)
        return -1;
    if (++who->failures >= UNPROVEN_TRIES)
        helpers_bar(h, place, now_ms);
    return 0;
}

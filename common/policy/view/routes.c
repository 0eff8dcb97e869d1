/* SPDX-License-Identifier: BSD-3-Clause */
/* Subnet routes: which rules concern them, and which routers have them. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/view/view.h"

static void set_units(uint64_t *to, const struct id_list *units)
{
    for (size_t i = 0; i < units->len; i++)
        bit_set(to, units->items[i]);
}

static bool meets_ranges(const struct addr_range *ranges, size_t count, const struct prefix *p)
{
    for (size_t i = 0; i < count; i++)
        if (range_overlaps_prefix(&ranges[i], p))
            return true;
    return false;
}

static void vroute_match(const struct policy_view *v, struct vroute *r)
{
    const struct policy *p = v->p;

    for (uint32_t i = 0; i < p->principals.len; i++) {
        const struct policy_principal *q = &p->principals.items[i];
        bool hit = (q->kind == PRINCIPAL_PREFIX && prefix_overlaps(&q->prefix, &r->prefix)) ||
                   (q->kind == PRINCIPAL_INTERNET && meets_ranges(v->internet, INTERNET_RANGES, &r->prefix));
        bool any = q->kind == PRINCIPAL_ANY || q->kind == PRINCIPAL_DANGER;

        if (hit)
            bit_set(r->hits, i);
        if (hit || any) {
            set_units(r->dst, &v->principals[i].dst_units);
            set_units(r->src, &v->principals[i].src_units);
        }
    }
    /* In a grant with via, "*" means the tailnet's addresses, and autogroup:internet the exit routes. */
    bool inside = meets_ranges(v->tailnet, TAILNET_RANGES, &r->prefix);
    for (size_t i = 0; i < v->unit_words; i++)
        r->dst[i] &= ~(v->via_any_units[i] & (inside ? 0 : ~UINT64_C(0)));
    for (size_t i = 0; i < v->via_rules.len; i++)
        for (uint32_t u = v->via_rules.items[i].first; u < v->via_rules.items[i].first + v->via_rules.items[i].count;
             u++)
            if (p->units.items[u].internet)
                bit_clear(r->dst, u);
}

uint32_t vroute_acquire(struct policy_view *v, const struct prefix *p, uint32_t slot)
{
    uintptr_t known = (uintptr_t)map_get(&v->route_index, p, sizeof(*p));
    uint32_t id = known ? (uint32_t)(known - 1) : NONE;

    if (id == NONE) {
        struct vroute *r = mem_alloc(sizeof(*r));

        r->prefix = *p;
        r->hits = bits_new(v->principal_words);
        r->dst = bits_new(v->unit_words);
        r->src = bits_new(v->unit_words);
        r->winners = mem_resize(NULL, v->via_groups.len + 1, sizeof(*r->winners));
        for (size_t i = 0; i <= v->via_groups.len; i++)
            r->winners[i] = NONE;
        r->fixed = bits_new(BITS_WORDS(v->via_groups.len));
        size_t kept = v->principal_words + 2 * v->unit_words + v->via_groups.len;
        if (view_spend(v, WORD_COST * kept + v->p->principals.len + v->p->units.len))
            vroute_match(v, r);
        if (v->free_routes.len) {
            id = v->free_routes.items[--v->free_routes.len];
            v->routes.items[id] = r;
        } else {
            vec_push(&v->routes, r);
            id = (uint32_t)(v->routes.len - 1);
        }
        map_put(&v->route_index, p, sizeof(*p), (void *)(uintptr_t)(id + 1U));
        prefixes_add(&v->subnets, p);
        v->any_version = ++v->seq;
    }
    v->routes.items[id]->refs++;
    vec_push(&v->routes.items[id]->holders, slot);
    return id;
}

static void vroute_free(struct vroute *r)
{
    free(r->hits);
    free(r->dst);
    free(r->src);
    free(r->winners);
    free(r->fixed);
    vec_release(&r->holders);
    free(r);
}

void vroute_drop(struct policy_view *v, uint32_t id, uint32_t slot)
{
    struct vroute *r = v->routes.items[id];

    for (size_t i = 0; i < r->holders.len; i++)
        if (r->holders.items[i] == slot) {
            vec_remove(&r->holders, i);
            break;
        }
    if (--r->refs) {
        via_elect(v, id);
        return;
    }
    prefixes_del(&v->subnets, &r->prefix);
    map_del(&v->route_index, &r->prefix, sizeof(r->prefix));
    vroute_free(r);
    v->routes.items[id] = NULL;
    vec_push(&v->free_routes, id);
    v->any_version = ++v->seq;
}

bool policy_via_concerns(const struct policy_view *v, size_t group, const struct prefix *p)
{
    struct vroute r = {.prefix = *p,
                       .hits = bits_new(v->principal_words),
                       .dst = bits_new(v->unit_words),
                       .src = bits_new(v->unit_words)};
    bool concerns = false;

    vroute_match(v, &r);
    for (size_t i = 0; i < v->via_rules.len; i++)
        concerns |= v->via_rules.items[i].group == group && via_rule_matches(&r, &v->via_rules.items[i]);
    free(r.hits);
    free(r.dst);
    free(r.src);
    return concerns;
}

void vroutes_free(struct policy_view *v)
{
    for (size_t i = 0; i < v->routes.len; i++)
        if (v->routes.items[i])
            vroute_free(v->routes.items[i]);
    vec_release(&v->routes);
    vec_release(&v->free_routes);
    map_release(&v->route_index);
    prefixes_release(&v->subnets);
}

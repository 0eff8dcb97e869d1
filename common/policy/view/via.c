/* SPDX-License-Identifier: BSD-3-Clause */
/* Which router serves a prefix within a group of routers that grants name in via: the one that the owner of the view
 * sets or, in a view that is only used for comparison, the one that follows from its nodes. */
#include <stdlib.h>
#include <string.h>

#include "policy/view/view.h"

bool via_has_tag(const struct policy_view *v, const struct vnode *n, uint32_t group)
{
    const struct policy_via_group *g = &v->via_groups.items[group];

    for (size_t i = 0; i < g->tags.len; i++)
        if (strs_has(&n->tags, v->p->principals.items[g->tags.items[i]].text))
            return true;
    return false;
}

bool via_rule_matches(const struct vroute *r, const struct policy_via_rule *rule)
{
    for (uint32_t u = rule->first; u < rule->first + rule->count; u++)
        if (bit_has(r->dst, u))
            return true;
    return false;
}

/* ---- elections ---- */

static bool is_older(const struct vnode *a, const struct vnode *b)
{
    return a->order != b->order ? a->order < b->order : a->id < b->id;
}

/* The oldest router that is online and healthy: depends only on the present state of the nodes, never on the order in
 * which they were added. */
static uint32_t elect(const struct policy_view *v, const struct vroute *r, uint32_t group)
{
    uint32_t best = NONE;

    for (size_t i = 0; i < r->holders.len; i++) {
        const struct vnode *n = &v->nodes[r->holders.items[i]];

        if (n->online && n->healthy && via_has_tag(v, n, group) && (best == NONE || is_older(n, &v->nodes[best])))
            best = r->holders.items[i];
    }
    return best;
}

void via_elect(struct policy_view *v, uint32_t route)
{
    struct vroute *r = v->routes.items[route];

    if (v->building || v->directed || !view_spend(v, v->via_groups.len * (1 + r->holders.len)))
        return;
    for (uint32_t g = 0; g < v->via_groups.len; g++)
        if (!bit_has(r->fixed, g))
            r->winners[g] = elect(v, r, g);
}

void via_elect_all(struct policy_view *v)
{
    for (uint32_t i = 0; v->via_groups.len && i < v->routes.len; i++)
        if (v->routes.items[i])
            via_elect(v, i);
}

/* ---- what the owner says ---- */

static uint32_t group_by_key(const struct policy_view *v, const char *key)
{
    uintptr_t known = (uintptr_t)map_gets(&v->via_group_index, key);

    return known ? (uint32_t)(known - 1) : NONE;
}

static struct vroute *route_of(const struct policy_view *v, const struct prefix *p)
{
    uintptr_t known = (uintptr_t)map_get(&v->route_index, p, sizeof(*p));

    return known ? v->routes.items[known - 1] : NULL;
}

/* Do both views have the same node in this slot? */
static bool is_same_node(const struct policy_view *v, const struct policy_view *old, uint32_t slot)
{
    const struct vnode *a = view_node(v, slot), *b = view_node(old, slot);

    return a && b && a->id == b->id;
}

void via_inherit(struct policy_view *v, const struct policy_view *old)
{
    for (uint32_t k = 0; k < old->via_groups.len; k++) {
        uint32_t g = group_by_key(v, old->via_groups.items[k].key);
        for (size_t i = 0; g != NONE && i < old->routes.len; i++) {
            const struct vroute *from = old->routes.items[i];
            struct vroute *to = from ? route_of(v, &from->prefix) : NULL;
            bool fixed = from && (old->directed || bit_has(from->fixed, k));
            if (!fixed || !to || (from->winners[k] != NONE && !is_same_node(v, old, from->winners[k])))
                continue;
            to->winners[g] = from->winners[k];
            bit_set(to->fixed, g);
        }
    }
}

size_t policy_via_groups(const struct policy_view *v)
{
    return v->via_groups.len;
}

const char *policy_via_group(const struct policy_view *v, size_t group, struct strs *tags)
{
    const struct policy_via_group *g = &v->via_groups.items[group];

    strs_release(tags);
    for (size_t i = 0; i < g->tags.len; i++)
        strs_push(tags, v->p->principals.items[g->tags.items[i]].text);
    return g->key;
}

void policy_via_direct(struct policy_view *v)
{
    v->directed = true;
    for (size_t i = 0; i < v->routes.len; i++)
        for (size_t g = 0; v->routes.items[i] && g < v->via_groups.len; g++)
            v->routes.items[i]->winners[g] = NONE;
}

void policy_via_serve(struct policy_view *v, const char *group, const struct prefix *p, uint32_t slot)
{
    uint32_t g = group_by_key(v, group);
    struct vroute *r = route_of(v, p);

    if (g != NONE && r)
        r->winners[g] = slot;
}

void via_release(struct policy_view *v)
{
    for (size_t i = 0; i < v->via_groups.len; i++) {
        vec_release(&v->via_groups.items[i].tags);
        free(v->via_groups.items[i].key);
    }
    vec_release(&v->via_groups);
    map_release(&v->via_group_index);
    vec_release(&v->via_rules);
}

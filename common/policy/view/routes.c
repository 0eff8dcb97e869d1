/* SPDX-License-Identifier: BSD-3-Clause */
/* Subnet routes: which rules they concern, who serves them within a via group, and what a viewer is shown of them. */
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
        vroute_match(v, r);
        if (v->free_routes.len) {
            id = v->free_routes.items[--v->free_routes.len];
            v->routes.items[id] = r;
        } else {
            vec_push(&v->routes, r);
            id = (uint32_t)(v->routes.len - 1);
        }
        map_put(&v->route_index, p, sizeof(*p), (void *)(uintptr_t)(id + 1U));
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
        vroute_elect(v, id);
        return;
    }
    map_del(&v->route_index, &r->prefix, sizeof(r->prefix));
    vroute_free(r);
    v->routes.items[id] = NULL;
    vec_push(&v->free_routes, id);
    v->any_version = ++v->seq;
}

void vroutes_free(struct policy_view *v)
{
    for (size_t i = 0; i < v->routes.len; i++)
        if (v->routes.items[i])
            vroute_free(v->routes.items[i]);
    vec_release(&v->routes);
    vec_release(&v->free_routes);
    map_release(&v->route_index);
}

static bool carries(const struct policy_view *v, const struct vnode *n, const struct policy_via_group *g)
{
    for (size_t i = 0; i < g->tags.len; i++)
        if (strs_has(&n->tags, v->p->principals.items[g->tags.items[i]].text))
            return true;
    return false;
}

static bool is_meant(const struct vroute *r, const struct policy_via_rule *rule)
{
    for (uint32_t u = rule->first; u < rule->first + rule->count; u++)
        if (bit_has(r->dst, u))
            return true;
    return false;
}

void moves_forget(struct policy_view *v)
{
    for (size_t i = 0; i < v->moves.len; i++)
        free(v->moves.items[i].tags);
    v->moves.len = 0;
    v->moves_taken = false;
}

static void note_move(struct policy_view *v, const struct vroute *r, size_t group, uint32_t from)
{
    const struct policy_via_group *g = &v->via_groups.items[group];
    struct buf tags = BUF_INIT(0);
    bool meant = false;

    v->steering_version = ++v->seq;
    for (size_t i = 0; i < v->via_rules.len; i++)
        meant |= v->via_rules.items[i].group == group && is_meant(r, &v->via_rules.items[i]);
    if (!meant)
        return;
    if (v->moves_taken)
        moves_forget(v);
    for (size_t i = 0; i < g->tags.len; i++)
        buf_addf(&tags, "%s%s", i ? ", " : "", v->p->principals.items[g->tags.items[i]].text);
    vec_push(&v->moves, ((struct policy_move){r->prefix, from, r->winners[group], buf_take(&tags)}));
}

const struct policy_move *policy_moves(struct policy_view *v, size_t *count)
{
    if (v->moves_taken)
        moves_forget(v);
    v->moves_taken = true;
    *count = v->moves.len;
    return v->moves.items;
}

/* As everywhere: whoever serves goes on while online and healthy; else the oldest healthy one; while nobody is healthy
 * the old one if it is online. */
void vroute_elect(struct policy_view *v, uint32_t id)
{
    struct vroute *r = v->routes.items[id];

    for (size_t g = 0; g < v->via_groups.len; g++) {
        uint32_t old = r->winners[g], best = NONE;
        bool keep = false, old_online = false;

        for (size_t i = 0; i < r->holders.len; i++) {
            const struct vnode *n = &v->nodes[r->holders.items[i]];
            if (!n->online || !carries(v, n, &v->via_groups.items[g]))
                continue;
            bool is_old = r->holders.items[i] == old;
            old_online |= is_old;
            keep |= is_old && n->healthy;
            if (n->healthy && (best == NONE || n->order < v->nodes[best].order))
                best = r->holders.items[i];
        }
        r->winners[g] = keep ? old : best != NONE ? best : old_online ? old : NONE;
        if (r->winners[g] != old)
            note_move(v, r, g, old);
    }
}

uint64_t policy_steering_version(const struct policy_view *v)
{
    return v->steering_version;
}

static bool has_standby(const struct policy_view *v, const struct vroute *r, const struct policy_via_rule *rule,
                        uint32_t slot)
{
    if (!is_meant(r, rule) || r->winners[rule->group] != slot)
        return false;
    for (size_t i = 0; i < r->holders.len; i++) {
        const struct vnode *n = &v->nodes[r->holders.items[i]];
        if (r->holders.items[i] != slot && n->online && n->healthy && carries(v, n, &v->via_groups.items[rule->group]))
            return true;
    }
    return false;
}

bool policy_steers(const struct policy_view *v, uint32_t slot)
{
    const struct vnode *n = view_node(v, slot);

    for (size_t i = 0; n && i < n->route_ids.len; i++)
        for (size_t k = 0; k < v->via_rules.len; k++)
            if (has_standby(v, v->routes.items[n->route_ids.items[i]], &v->via_rules.items[k], slot))
                return true;
    return false;
}

/* ---- what a viewer is shown ---- */

struct via_steering {
    bool included, excluded;
};

/* What the grants with via say about a route (or, with NONE, the exit routes) of a peer. */
static struct via_steering steer(const struct policy_view *v, const struct vclass *a, const struct vclass *router,
                                 uint32_t peer, uint32_t route)
{
    struct via_steering s = {0};

    for (size_t i = 0; i < v->via_rules.len; i++) {
        const struct policy_via_rule *rule = &v->via_rules.items[i];
        const struct policy_via_group *g = &v->via_groups.items[rule->group];
        bool matched = route == NONE && rule->internet, tagged = false;

        if (!bit_has(a->src_addr, rule->first))
            continue;
        for (uint32_t u = rule->first; route != NONE && u < rule->first + rule->count; u++)
            matched |= bit_has(v->routes.items[route]->dst, u);
        if (!matched)
            continue;
        for (size_t j = 0; j < g->tags.len; j++)
            tagged |= bit_has(router->addr, g->tags.items[j]);
        if (tagged && (route == NONE || v->routes.items[route]->winners[rule->group] == peer))
            s.included = true;
        else
            s.excluded = true;
    }
    return s;
}

static bool route_shown(const struct policy_view *v, uint32_t viewer, uint32_t peer, uint32_t route)
{
    const struct vclass *a = &v->classes.items[v->nodes[viewer].class_id];
    const struct vclass *router = &v->classes.items[v->nodes[peer].class_id];
    const struct vroute *r = v->routes.items[route];
    bool primary = prefixes_has(&v->nodes[peer].serving, &r->prefix), plain = false, test = false;

    for (size_t i = 0; i < v->unit_words; i++) {
        uint64_t to = a->src[i] & r->dst[i], from = a->dst[i] & r->src[i];
        plain |= (to & v->plain_units[i]) != 0;
        test |= ((to | from) & (v->plain_units[i] | a->recv[i])) != 0;
    }
    if (primary)
        for (size_t i = 0; i < a->route_count; i++)
            if (a->routes[i] == route)
                return true;
    if (v->via_rules.len == 0)
        return primary && test;
    struct via_steering s = steer(v, a, router, peer, route);
    return (primary && test && (!s.excluded || plain)) || (s.included && (primary || !plain));
}

/* The older way to give somebody an exit node, by its own address (a literal, all ports): it counts only in a policy
 * that knows neither autogroup:internet nor via. */
bool unit_grants_exit(const struct policy_view *v, const struct policy_unit *u, const struct vclass *router)
{
    if (!router->exit || v->p->names_exit || !u->full || u->kind != UNIT_PLAIN || u->companion)
        return false;
    for (size_t i = 0; i < u->dst.len; i++) {
        const struct policy_principal *q = &v->p->principals.items[u->dst.items[i].alias.principal];
        if (q->kind == PRINCIPAL_PREFIX && q->prefix.bits == q->prefix.addr.bits &&
            bit_has(router->addr, u->dst.items[i].alias.principal) &&
            (u->rule->is_grant || ports_all(u->dst.items[i].ports, u->dst.items[i].port_count)))
            return true;
    }
    return false;
}

static bool exit_shown(const struct policy_view *v, uint32_t viewer, uint32_t peer)
{
    const struct vclass *a = &v->classes.items[v->nodes[viewer].class_id];
    const struct vclass *router = &v->classes.items[v->nodes[peer].class_id];
    bool plain = false, test = false;

    if (!router->exit)
        return false;
    for (size_t i = 0; i < v->unit_words; i++) {
        uint64_t to = a->src[i] & v->internet_units[i];
        plain |= (to & v->plain_units[i]) != 0;
        test |= (to & (v->plain_units[i] | a->recv[i])) != 0;
    }
    for (size_t i = 0; !plain && !v->p->names_exit && i < v->literal_units.len; i++) {
        uint32_t u = v->literal_units.items[i];
        if (bit_has(a->src, u) && unit_grants_exit(v, &v->p->units.items[u], router))
            plain = test = true;
    }
    struct via_steering s = steer(v, a, router, peer, NONE);
    return (test && (!s.excluded || plain)) || (s.included && !plain);
}

void policy_routes(const struct policy_view *v, uint32_t viewer, uint32_t peer, struct prefixes *out)
{
    const struct vnode *from = view_node(v, viewer), *to = view_node(v, peer);

    prefixes_release(out);
    if (!from || !to || viewer == peer)
        return;
    for (size_t i = 0; i < to->route_ids.len; i++)
        if (route_shown(v, viewer, peer, to->route_ids.items[i]))
            prefixes_add(out, &v->routes.items[to->route_ids.items[i]]->prefix);
    if (prefixes_has_exit(&to->routes) && exit_shown(v, viewer, peer))
        for (size_t i = 0; i < to->routes.len; i++)
            if (prefix_is_exit(&to->routes.items[i]))
                prefixes_add(out, &to->routes.items[i]);
}

uint64_t policy_routes_version(const struct policy_view *v)
{
    return v->routes_version;
}

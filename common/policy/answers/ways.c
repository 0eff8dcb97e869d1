/* SPDX-License-Identifier: BSD-3-Clause */
/* Which nodes use other routers than before. What cannot have changed is skipped: under the same policy an unchanged
 * node is only shown other routes if routers that have these routes changed or, with via, routes that overlap them. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "policy/view/view.h"

#define WAYS_BUDGET 60000000U /* routers examined, some seconds' worth */

static const struct prefix way_out = {.addr = {.bits = 32}};

/* Nodes that neither view distinguishes; each router is a group of its own. */
struct way_group {
    struct policy_slots nodes;
    bool same; /* its nodes are unchanged */
};

struct way_route {
    struct prefix prefix;
    uint32_t id[2]; /* in each view; NONE: no node has it there */
    const struct policy_nearest *nearest[2];
    bool touched;
};

struct way_key {
    uint32_t from, to;
    struct prefix route;
};

struct ways {
    const struct policy_view *v[2];
    const struct policy_side *sides[2];
    struct policy_ways *out;
    bool same_policy;
    VEC(struct way_group) groups;
    struct prefixes all, touched; /* subnet routes; touched: those that may have changed */
    VEC(struct way_route) routes;
    struct policy_slots exits, touched_exits;
    struct map change_index, row_index, cut_index;
    uint64_t left;
};

/* Returns false if the budget is used up or nobody waits for the answer. */
static bool goes_on(struct ways *w)
{
    if (view_is_cancelled(w->v[1]))
        w->left = 0;
    return w->left > 0;
}

/* ---- what changed ---- */

static bool same_node(const struct vnode *a, const struct vnode *b)
{
    return a->online == b->online && a->healthy == b->healthy && a->tagged == b->tagged && a->user_id == b->user_id &&
           addr_eq(&a->ipv4, &b->ipv4) && addr_eq(&a->ipv6, &b->ipv6) && ids_eq(&a->memberships, &b->memberships) &&
           prefixes_eq(&a->routes, &b->routes) && prefixes_eq(&a->serving, &b->serving);
}

static void add_subnets(struct prefixes *to, const struct vnode *n)
{
    for (size_t i = 0; n && i < n->routes.len; i++)
        if (!prefix_is_exit(&n->routes.items[i]))
            prefixes_add(to, &n->routes.items[i]);
}

static bool is_exit(const struct vnode *n)
{
    return n && prefixes_has_exit(&n->routes);
}

/* Marks routes whose router within a via group differs, in two views of one policy. */
static void touch_steered(struct ways *w)
{
    const struct policy_view *a = w->v[0], *b = w->v[1];

    for (size_t i = 0; i < b->routes.len; i++) {
        const struct vroute *r = b->routes.items[i];
        uintptr_t known = r ? (uintptr_t)map_get(&a->route_index, &r->prefix, sizeof(r->prefix)) : 0;
        for (size_t g = 0; known && g < b->via_groups.len; g++)
            if (a->routes.items[known - 1]->winners[g] != r->winners[g])
                prefixes_add(&w->touched, &r->prefix);
    }
}

static void touch_overlapping(struct ways *w)
{
    struct prefixes wider = {0};

    for (size_t i = 0; i < w->all.len && goes_on(w); i++)
        for (size_t k = 0; k < w->touched.len; k++)
            if (prefix_overlaps(&w->all.items[i], &w->touched.items[k])) {
                prefixes_add(&wider, &w->all.items[i]);
                break;
            }
    prefixes_release(&w->touched);
    w->touched = wider;
}

static const struct policy_nearest *nearest_of(const struct policy_side *side, const struct prefix *p)
{
    for (size_t i = 0; i < side->nearest_count; i++)
        if (prefix_cmp(&side->nearest[i].prefix, p) == 0)
            return &side->nearest[i];
    return NULL;
}

/* NONE: the primary, if any. */
static uint32_t nearest_to(const struct policy_nearest *n, uint32_t viewer)
{
    return n && viewer < n->viewers && n->routers[viewer] != n->primary ? n->routers[viewer] : NONE;
}

/* Marks prefixes that are served by the nearest router, if that has changed for any viewer. */
static void touch_nearest(struct ways *w)
{
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < w->sides[side]->nearest_count; i++) {
            const struct policy_nearest *n = &w->sides[side]->nearest[i],
                                        *other = nearest_of(w->sides[!side], &n->prefix);
            size_t k = 0, end = other && other->viewers > n->viewers ? other->viewers : n->viewers;
            while (k < end && nearest_to(n, (uint32_t)k) == nearest_to(other, (uint32_t)k))
                k++;
            if (k < end)
                prefixes_add(&w->touched, &n->prefix);
        }
}

static size_t slots_of(const struct ways *w)
{
    return w->v[0]->slots > w->v[1]->slots ? w->v[0]->slots : w->v[1]->slots;
}

static void find_touched(struct ways *w)
{
    for (uint32_t slot = 0; slot < slots_of(w); slot++) {
        const struct vnode *a = view_node(w->v[0], slot), *b = view_node(w->v[1], slot);
        bool changed = (a || b) && (!w->same_policy || !a || !b || !same_node(a, b));
        add_subnets(&w->all, a);
        add_subnets(&w->all, b);
        if (changed) {
            add_subnets(&w->touched, a);
            add_subnets(&w->touched, b);
        }
        if (is_exit(a) || is_exit(b)) {
            vec_push(&w->exits, slot);
            if (changed)
                vec_push(&w->touched_exits, slot);
        }
    }
    if (w->same_policy && w->v[1]->via_rules.len) {
        touch_steered(w);
        touch_overlapping(w);
    }
    touch_nearest(w);
}

static uint32_t route_id(const struct policy_view *v, const struct prefix *p)
{
    uintptr_t known = (uintptr_t)map_get(&v->route_index, p, sizeof(*p));

    return known ? (uint32_t)(known - 1) : NONE;
}

static void index_routes(struct ways *w)
{
    for (size_t i = 0; i < w->all.len; i++) {
        const struct prefix *p = &w->all.items[i];
        struct way_route r = {*p,
                              {route_id(w->v[0], p), route_id(w->v[1], p)},
                              {nearest_of(w->sides[0], p), nearest_of(w->sides[1], p)},
                              prefixes_has(&w->touched, p)};
        vec_push(&w->routes, r);
    }
}

/* ---- groups ---- */

/* The same number for all viewers with the same nearest routers, before and after. */
static uint32_t whereabouts(const struct ways *w, struct map *index, uint32_t viewer)
{
    struct buf key = BUF_INIT(0);
    bool any = false;

    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < w->sides[side]->nearest_count; i++) {
            uint32_t router = nearest_to(&w->sides[side]->nearest[i], viewer);
            any = any || router != NONE;
            buf_add(&key, &router, sizeof(router));
        }
    uintptr_t known = any ? (uintptr_t)map_get(index, key.data, key.len) : NONE;
    if (!known) {
        known = index->len + 1;
        map_put(index, key.data, key.len, (void *)known);
    }
    buf_release(&key);
    return (uint32_t)known;
}

static void build_groups(struct ways *w)
{
    struct map index = {0}, places = {0};

    for (uint32_t slot = 0; slot < slots_of(w); slot++) {
        const struct vnode *a = view_node(w->v[0], slot), *b = view_node(w->v[1], slot);
        if (!b)
            continue;
        uint32_t key[4] = {a ? a->class_id : NONE, b->class_id, b->routes.len || (a && a->routes.len) ? slot : NONE,
                           whereabouts(w, &places, slot)};
        uintptr_t known = (uintptr_t)map_get(&index, key, sizeof(key));
        if (!known) {
            struct way_group g = {.same = w->same_policy && a && same_node(a, b)};
            vec_push(&w->groups, g);
            known = w->groups.len;
            map_put(&index, key, sizeof(key), (void *)known);
        }
        struct way_group *g = &w->groups.items[known - 1];
        g->same = g->same && a && same_node(a, b);
        vec_push(&g->nodes, slot);
    }
    map_release(&index);
    map_release(&places);
}

/* ---- ways ---- */

static bool has_route(const struct policy_view *v, uint32_t slot, const struct prefix *p)
{
    const struct vnode *n = view_node(v, slot);

    return n && n->routes.len && prefixes_has(&n->routes, p);
}

static uint32_t plain_way(struct ways *w, int side, uint32_t viewer, uint32_t route)
{
    const struct policy_view *v = w->v[side];
    uint32_t best = NONE;

    if (route == NONE || !view_node(v, viewer))
        return NONE;
    const struct id_list *holders = &v->routes.items[route]->holders;
    for (size_t i = 0; i < holders->len && w->left; i++) {
        uint32_t peer = holders->items[i];
        w->left--;
        if (v->nodes[peer].online && (best == NONE || v->nodes[peer].id < v->nodes[best].id) &&
            policy_sees(v, viewer, peer) && view_route_shown(v, viewer, peer, route))
            best = peer;
    }
    return best;
}

/* As the netmap shows it: a grant with via takes precedence, and a viewer that is not shown the prefix at the primary
 * is not shown it at another router. */
static uint32_t way_to(struct ways *w, int side, uint32_t viewer, const struct way_route *r)
{
    const struct policy_view *v = w->v[side];
    uint32_t way = plain_way(w, side, viewer, r->id[side]), router = nearest_to(r->nearest[side], viewer);

    if (way == NONE || router == NONE || way != r->nearest[side]->primary || !view_node(v, router) ||
        !v->nodes[router].online || !policy_sees(v, viewer, router) || policy_leads(v, viewer, &r->prefix))
        return way;
    return router;
}

static bool leads_out(struct ways *w, int side, uint32_t viewer, uint32_t peer)
{
    const struct policy_view *v = w->v[side];
    const struct vnode *n = view_node(v, peer);

    w->left -= w->left > 0;
    return n && n->online && is_exit(n) && policy_sees(v, viewer, peer) && view_exit_shown(v, viewer, peer);
}

static bool has_exit(struct ways *w, int side, uint32_t viewer)
{
    for (size_t i = 0; i < w->exits.len && w->left; i++)
        if (leads_out(w, side, viewer, w->exits.items[i]))
            return true;
    return false;
}

/* ---- what is told ---- */

static uint32_t change_of(struct ways *w, const struct prefix *route, uint32_t from, uint32_t to, size_t viewers)
{
    struct way_key key;

    memset(&key, 0, sizeof(key));
    key.from = from;
    key.to = to;
    key.route = *route;
    uintptr_t known = (uintptr_t)map_get(&w->change_index, &key, sizeof(key));
    if (!known) {
        vec_push(&w->out->changes, ((struct policy_way_change){.route = *route, .from = from, .to = to}));
        known = w->out->changes.len;
        map_put(&w->change_index, &key, sizeof(key), (void *)known);
    }
    w->out->changes.items[known - 1].viewers += viewers;
    return (uint32_t)(known - 1);
}

static void add_row(struct ways *w, const struct way_group *g, const struct policy_slots *changes, bool no_exit)
{
    struct buf key = BUF_INIT(0);

    buf_add(&key, changes->items, changes->len * sizeof(*changes->items));
    buf_addc(&key, no_exit ? '1' : '0');
    uintptr_t known = (uintptr_t)map_get(&w->row_index, key.data, key.len);
    if (!known) {
        struct policy_way_viewers fresh = {.no_exit = no_exit};
        for (size_t i = 0; i < changes->len; i++)
            vec_push(&fresh.changes, changes->items[i]);
        vec_push(&w->out->rows, fresh);
        known = w->out->rows.len;
        map_put(&w->row_index, key.data, key.len, (void *)known);
    }
    buf_release(&key);
    for (size_t i = 0; i < g->nodes.len; i++)
        vec_push(&w->out->rows.items[known - 1].viewers, g->nodes.items[i]);
}

/* ---- who is cut off ---- */

static bool user_gets_there(struct ways *w, const struct vuser *u, const struct prefix *p)
{
    uint32_t route = route_id(w->v[1], p);

    for (size_t i = 0; i < u->devices.len; i++) {
        uint32_t slot = u->devices.items[i];
        if (prefix_is_exit(p) ? has_exit(w, 1, slot)
                              : has_route(w->v[1], slot, p) || plain_way(w, 1, slot, route) != NONE)
            return true;
    }
    return false;
}

struct cut_key {
    uint64_t user;
    struct prefix route;
};

static void cut_off(struct ways *w, const struct way_group *g, const struct prefix *p)
{
    for (size_t i = 0; i < g->nodes.len; i++) {
        const struct vnode *n = &w->v[1]->nodes[g->nodes.items[i]];
        struct cut_key key;

        memset(&key, 0, sizeof(key));
        key.user = n->user_id;
        key.route = *p;
        if (n->tagged || n->user == NONE || map_put(&w->cut_index, &key, sizeof(key), w))
            continue;
        if (!user_gets_there(w, &w->v[1]->users[n->user], p))
            vec_push(&w->out->cut_off, ((struct policy_cut_off){n->user_id, *p}));
    }
}

/* ---- comparing ---- */

static void compare_way(struct ways *w, const struct way_group *g, const struct way_route *r,
                        struct policy_slots *changes)
{
    const struct prefix *p = &r->prefix;
    uint32_t viewer = g->nodes.items[0];

    if (has_route(w->v[0], viewer, p) || has_route(w->v[1], viewer, p))
        return;
    uint32_t from = way_to(w, 0, viewer, r), to = way_to(w, 1, viewer, r);
    if (from == to)
        return;
    vec_push(changes, change_of(w, p, from, to, g->nodes.len));
    if (to == NONE)
        cut_off(w, g, p);
}

static bool compare_exits(struct ways *w, const struct way_group *g, const struct policy_slots *exits,
                          struct policy_slots *changes)
{
    uint32_t viewer = g->nodes.items[0];
    bool lost = false;

    for (size_t i = 0; i < exits->len && w->left; i++) {
        uint32_t x = exits->items[i];
        bool before = leads_out(w, 0, viewer, x), after = leads_out(w, 1, viewer, x);
        if (before == after)
            continue;
        vec_push(changes, change_of(w, &way_out, before ? x : NONE, after ? x : NONE, g->nodes.len));
        lost |= before;
    }
    if (!lost || has_exit(w, 1, viewer))
        return false;
    cut_off(w, g, &way_out);
    return true;
}

static void compare_group(struct ways *w, const struct way_group *g)
{
    struct policy_slots changes = {0};

    for (size_t i = 0; i < w->routes.len && w->left; i++)
        if (!g->same || w->routes.items[i].touched)
            compare_way(w, g, &w->routes.items[i], &changes);
    bool no_exit = compare_exits(w, g, g->same ? &w->touched_exits : &w->exits, &changes);
    if (changes.len)
        add_row(w, g, &changes, no_exit);
    vec_release(&changes);
}

void policy_compare_ways(const struct policy_side *before, const struct policy_side *after, struct policy_ways *out)
{
    struct ways w = {.v = {before->view, after->view},
                     .sides = {before, after},
                     .out = out,
                     .same_policy = before->view->p == after->view->p || (before->view->absent && after->view->absent),
                     .left = WAYS_BUDGET};

    find_touched(&w);
    index_routes(&w);
    build_groups(&w);
    for (size_t i = 0; i < w.groups.len; i++) {
        if (goes_on(&w))
            compare_group(&w, &w.groups.items[i]);
        vec_release(&w.groups.items[i].nodes);
    }
    out->incomplete = w.left == 0;
    vec_release(&w.groups);
    vec_release(&w.routes);
    prefixes_release(&w.all);
    prefixes_release(&w.touched);
    vec_release(&w.exits);
    vec_release(&w.touched_exits);
    map_release(&w.change_index);
    map_release(&w.row_index);
    map_release(&w.cut_index);
}

void policy_ways_release(struct policy_ways *w)
{
    for (size_t i = 0; i < w->rows.len; i++) {
        vec_release(&w->rows.items[i].viewers);
        vec_release(&w->rows.items[i].changes);
    }
    vec_release(&w->changes);
    vec_release(&w->rows);
    vec_release(&w->cut_off);
}

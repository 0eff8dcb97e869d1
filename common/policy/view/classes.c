/* SPDX-License-Identifier: BSD-3-Clause */
/* Classes: nodes with the same memberships, literals, routes and role. What the rules mean for a class, and which
 * classes see each other, is computed when its first node arrives and dropped with its last. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "policy/view/view.h"

/* ---- what a node is ---- */

static void hit_address(const struct policy_view *v, const struct addr *a, uint64_t *addr)
{
    for (size_t i = 0; a->bits && i < v->length_count; i++) {
        struct prefix p = {*a, a->bits};

        if (v->lengths[i].bits != a->bits)
            continue;
        prefix_shorten(&p, v->lengths[i].len);
        uintptr_t found = (uintptr_t)map_get(&v->literal_index, &p, sizeof(p));
        if (found)
            bit_set(addr, (uint32_t)(found - 1));
    }
}

static void node_principals(const struct policy_view *v, const struct vnode *n, uint64_t *addr, uint64_t *hits)
{
    static const enum policy_principal_kind general[] = {PRINCIPAL_ANY, PRINCIPAL_DANGER, PRINCIPAL_INTERNET};

    for (size_t i = 0; i < n->memberships.len; i++)
        bit_set(addr, n->memberships.items[i]);
    for (size_t i = 0; i < ARRAY_LEN(general); i++) {
        uint32_t id = principal_find(v->p, general[i], "");
        if (id != NONE && node_matches(v, n, &v->p->principals.items[id]))
            bit_set(addr, id);
    }
    hit_address(v, &n->ipv4, addr);
    hit_address(v, &n->ipv6, addr);
    for (size_t i = 0; i < n->route_ids.len; i++)
        bits_or(hits, v->routes.items[n->route_ids.items[i]]->hits, v->principal_words);
}

struct vclass_head {
    uint32_t user, exit;
};

/* The key: a header, both sets of principals, route ids. */
static uint64_t *class_key(const struct policy_view *v, const struct vnode *n, size_t *len)
{
    size_t bits = v->principal_words * sizeof(uint64_t);
    struct vclass_head head = {v->self_units.len && !n->tagged ? n->user : NONE, prefixes_has_exit(&n->routes)};

    *len = sizeof(head) + 2 * bits + n->route_ids.len * sizeof(uint32_t);
    uint64_t *key = bits_new(*len / sizeof(uint64_t) + 1);
    memcpy(key, &head, sizeof(head));
    node_principals(v, n, key + 1, key + 1 + v->principal_words);
    if (n->route_ids.len)
        memcpy(key + 1 + 2 * v->principal_words, n->route_ids.items, n->route_ids.len * sizeof(uint32_t));
    return key;
}

/* ---- what the rules mean for it ---- */

static void add_units(struct policy_view *v, uint64_t *to, const struct id_list *units)
{
    if (!view_spend(v, units->len))
        return;
    for (size_t i = 0; i < units->len; i++)
        bit_set(to, units->items[i]);
}

static void class_routers(struct policy_view *v, struct vclass *c)
{
    for (size_t i = 0; i < v->via_rules.len; i++) {
        const struct policy_via_rule *r = &v->via_rules.items[i];
        const struct policy_via_group *g = &v->via_groups.items[r->group];
        bool tagged = false;

        if (!view_spend(v, g->tags.len + r->count * c->route_count))
            return;

        for (size_t j = 0; j < g->tags.len; j++)
            tagged |= bit_has(c->addr, g->tags.items[j]);
        for (uint32_t u = r->first; tagged && u < r->first + r->count; u++) {
            bool mine = v->p->units.items[u].internet && c->exit;
            for (size_t k = 0; k < c->route_count; k++)
                mine |= bit_has(v->routes.items[c->routes[k]]->dst, u);
            if (!mine)
                continue;
            bit_set(c->recv, u);
            if (v->p->units.items[u].ip)
                bit_set(c->filter, u);
        }
    }
}

static bool class_has_attr(const struct policy_view *v, const struct vclass *c, const char *attr)
{
    for (size_t i = 0; i < v->p->attrs.len; i++) {
        const struct policy_attr *a = &v->p->attrs.items[i];
        bool target = false;

        for (size_t j = 0; j < a->target.len; j++)
            target |= bit_has(c->addr, a->target.items[j].principal);
        for (size_t j = 0; target && j < a->attrs.len; j++)
            if (str_eq(a->attrs.items[j], attr))
                return true;
    }
    return false;
}

static void class_units(struct policy_view *v, struct vclass *c)
{
    uint32_t any = principal_find(v->p, PRINCIPAL_ANY, "");

    for_bits(i, c->addr, v->principal_words)
    {
        const struct vprincipal *q = &v->principals[i];
        add_units(v, c->src_addr, &q->src_units);
        add_units(v, c->dst, &q->dst_units);
        add_units(v, c->filter, &q->filter_units);
        add_units(v, c->self_src, &q->self_units);
    }
    for_bits(i, c->hits, v->principal_words) add_units(v, c->filter, &v->principals[i].filter_units);
    if (any != NONE)
        add_units(v, c->filter, &v->principals[any].filter_units);
    bits_or(c->src, c->src_addr, v->unit_words);
    for (size_t i = 0; i < c->route_count; i++) {
        bits_or(c->src, v->routes.items[c->routes[i]]->src, v->unit_words);
        bits_or(c->dst, v->routes.items[c->routes[i]]->dst, v->unit_words);
    }
    if (c->exit) {
        bits_or(c->dst, v->internet_units, v->unit_words);
        bits_or(c->filter, v->exit_units, v->unit_words);
    }
    if (c->user == NONE)
        memset(c->self_src, 0, v->unit_words * sizeof(uint64_t));
    c->has_self = bits_next(c->self_src, v->unit_words, 0) < v->unit_words * 64;
    class_routers(v, c);
    c->hides_ipv4 = class_has_attr(v, c, "disable-ipv4");
}

/* ---- who sees whom ---- */

static void grow_classes(struct policy_view *v)
{
    size_t words = v->class_words ? v->class_words * 2 : 4;

    for (size_t i = 0; i < v->classes.len; i++)
        if (v->classes.items[i].serial) {
            uint64_t *row = bits_new(words);
            memcpy(row, v->classes.items[i].row, v->class_words * sizeof(uint64_t));
            free(v->classes.items[i].row);
            v->classes.items[i].row = row;
        }
    for (size_t u = 0; u < v->p->units.len; u++) {
        uint64_t **sets[3] = {&v->unit_src[u], &v->unit_dst[u], &v->unit_recv[u]};
        for (size_t k = 0; k < 3; k++) {
            uint64_t *more = bits_new(words);
            if (v->class_words)
                memcpy(more, *sets[k], v->class_words * sizeof(uint64_t));
            free(*sets[k]);
            *sets[k] = more;
        }
    }
    v->class_words = words;
}

static void or_masked(uint64_t *to, const uint64_t *from, const uint64_t *mask, size_t words)
{
    for (size_t i = 0; i < words; i++)
        to[i] |= from[i] & mask[i];
}

/* A sees B by a unit of which one is a source and the other a destination; a unit with via only counts if one of the
 * two is a router for it. */
static void class_row(struct policy_view *v, struct vclass *a)
{
    size_t words = v->class_words;

    for_bits(u, a->src, v->unit_words)
    {
        if (bit_has(v->plain_units, u) || bit_has(a->recv, u))
            bits_or(a->row, v->unit_dst[u], words);
        else
            or_masked(a->row, v->unit_dst[u], v->unit_recv[u], words);
    }
    for_bits(u, a->dst, v->unit_words)
    {
        if (bit_has(v->plain_units, u) || bit_has(a->recv, u))
            bits_or(a->row, v->unit_src[u], words);
        else
            or_masked(a->row, v->unit_src[u], v->unit_recv[u], words);
    }
    if (a->user == NONE)
        return;
    const struct id_list *own = &v->users[a->user].classes;
    for (size_t i = 0; i < own->len; i++) {
        const struct vclass *b = &v->classes.items[own->items[i]];
        if (a->has_self || b->has_self)
            bit_set(a->row, own->items[i]);
    }
}

static void index_units(struct policy_view *v, uint32_t id, const uint64_t *units, uint64_t **by_unit, bool set)
{
    for_bits(u, units, v->unit_words)
    {
        if (set)
            bit_set(by_unit[u], id);
        else
            bit_clear(by_unit[u], id);
    }
}

static void class_link(struct policy_view *v, uint32_t id)
{
    struct vclass *c = &v->classes.items[id];

    if (c->user != NONE)
        vec_push(&v->users[c->user].classes, id);
    if (v->building) /* then all rows are computed together at the end */
        return;
    index_units(v, id, c->src, v->unit_src, true);
    index_units(v, id, c->dst, v->unit_dst, true);
    index_units(v, id, c->recv, v->unit_recv, true);
    class_row(v, c);
    for_bits(other, c->row, v->class_words) bit_set(v->classes.items[other].row, id);
}

static uint32_t class_new(struct policy_view *v, uint64_t *key, size_t key_len, const struct vnode *n)
{
    uint32_t id;
    struct vclass_head head;

    if (v->free_classes.len) {
        id = v->free_classes.items[--v->free_classes.len];
    } else {
        (void)vec_add(&v->classes);
        id = (uint32_t)(v->classes.len - 1);
        v->classes.items[id] = (struct vclass){0};
    }
    if (!v->building && id >= v->class_words * 64)
        grow_classes(v);
    memcpy(&head, key, sizeof(head));
    struct vclass *c = &v->classes.items[id];
    size_t words = v->unit_words;
    uint64_t *units = bits_new(6 * words);

    (void)view_spend(v, WORD_COST * (6 * words + 2 * v->principal_words));

    *c = (struct vclass){.serial = ++v->seq,
                         .user = head.user,
                         .exit = head.exit,
                         .addr = key + 1,
                         .hits = key + 1 + v->principal_words,
                         .route_count = n->route_ids.len,
                         .src = units,
                         .src_addr = units + words,
                         .dst = units + 2 * words,
                         .recv = units + 3 * words,
                         .filter = units + 4 * words,
                         .self_src = units + 5 * words,
                         .row = v->building ? NULL : bits_new(v->class_words),
                         .key = key,
                         .key_len = key_len};
    if (n->route_ids.len)
        c->routes = mem_dup(n->route_ids.items, n->route_ids.len * sizeof(uint32_t));
    class_units(v, c);
    class_link(v, id);
    map_put(&v->class_index, key, key_len, (void *)(uintptr_t)(id + 1U));
    return id;
}

uint32_t class_acquire(struct policy_view *v, const struct vnode *n)
{
    size_t len;
    uint64_t *key = class_key(v, n, &len);
    uintptr_t known = (uintptr_t)map_get(&v->class_index, key, len);
    uint32_t id;

    if (known) {
        free(key);
        id = (uint32_t)(known - 1);
    } else {
        id = class_new(v, key, len, n);
    }
    v->classes.items[id].nodes++;
    return id;
}

static void class_release(struct vclass *c)
{
    free(c->src);
    free(c->row);
    free(c->routes);
    free(c->key);
    *c = (struct vclass){0};
}

void class_drop(struct policy_view *v, uint32_t id)
{
    struct vclass *c = &v->classes.items[id];

    if (--c->nodes)
        return;
    index_units(v, id, c->src, v->unit_src, false);
    index_units(v, id, c->dst, v->unit_dst, false);
    index_units(v, id, c->recv, v->unit_recv, false);
    for_bits(other, c->row, v->class_words) bit_clear(v->classes.items[other].row, id);
    if (c->user != NONE) {
        struct id_list *own = &v->users[c->user].classes;
        for (size_t i = 0; i < own->len; i++)
            if (own->items[i] == id) {
                vec_remove(own, i);
                break;
            }
    }
    map_del(&v->class_index, c->key, c->key_len);
    class_release(c);
    vec_push(&v->free_classes, id);
}

void classes_free(struct policy_view *v)
{
    for (size_t i = 0; i < v->classes.len; i++)
        if (v->classes.items[i].serial)
            class_release(&v->classes.items[i]);
    vec_release(&v->classes);
    vec_release(&v->free_classes);
    map_release(&v->class_index);
    for (size_t u = 0; u < v->p->units.len; u++) {
        free(v->unit_src[u]);
        free(v->unit_dst[u]);
        free(v->unit_recv[u]);
    }
    free(v->unit_src);
    free(v->unit_dst);
    free(v->unit_recv);
}

bool policy_sees(const struct policy_view *v, uint32_t viewer, uint32_t peer)
{
    const struct vnode *a = view_node(v, viewer), *b = view_node(v, peer);

    return a && b && a != b && bit_has(v->classes.items[a->class_id].row, b->class_id);
}

uint64_t policy_sees_mask(const struct policy_view *v, uint32_t viewer, uint32_t block)
{
    const struct vnode *a = view_node(v, viewer);
    uint64_t mask = 0;

    if (!a || block >= v->slots / 64)
        return 0;
    const uint64_t *row = v->classes.items[a->class_id].row;
    for (uint32_t i = 0; i < 64; i++) {
        const struct vnode *b = &v->nodes[block * 64 + i];
        if (b->used && b != a && bit_has(row, b->class_id))
            mask |= UINT64_C(1) << i;
    }
    return mask;
}

bool policy_hides_ipv4(const struct policy_view *v, uint32_t viewer, uint32_t peer)
{
    const struct vnode *a = view_node(v, viewer), *b = view_node(v, peer);

    return (a && v->classes.items[a->class_id].hides_ipv4) || (b && v->classes.items[b->class_id].hides_ipv4);
}

/* ---- attributes ---- */

void policy_attrs(const struct policy_view *v, uint32_t slot, struct strs *out)
{
    const struct vnode *n = view_node(v, slot);

    strs_release(out);
    if (!n)
        return;
    const struct vclass *c = &v->classes.items[n->class_id];
    for (size_t i = 0; i < v->p->attrs.len; i++) {
        const struct policy_attr *a = &v->p->attrs.items[i];
        bool target = false;

        for (size_t j = 0; j < a->target.len; j++)
            target |= bit_has(c->addr, a->target.items[j].principal);
        for (size_t j = 0; target && j < a->attrs.len; j++)
            strs_push(out, a->attrs.items[j]);
    }
    if (v->p->randomize_ports)
        strs_push(out, "randomize-client-port");
    strs_sort(out);
}

bool policy_has_attr(const struct policy_view *v, uint32_t slot, const char *attr)
{
    const struct vnode *n = view_node(v, slot);

    return n && ((v->p->randomize_ports && str_eq(attr, "randomize-client-port")) ||
                 class_has_attr(v, &v->classes.items[n->class_id], attr));
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Who serves a prefix within a group of routers that grants name with via. The answer follows from the nodes as they
 * are and from who is known to have served before, never from the order in which they came: it is settled when the
 * caller asks for the moves. */
#include <stdlib.h>
#include <string.h>

#include "policy/view/view.h"

struct via_key {
    uint32_t group;
    struct prefix prefix;
};
struct via_served {
    uint64_t id;
    uint32_t slot;
};

static struct via_key key_of(uint32_t group, const struct prefix *p)
{
    struct via_key key;

    memset(&key, 0, sizeof(key));
    key.group = group;
    key.prefix = *p;
    return key;
}

static struct via_served *served_by(const struct policy_view *v, uint32_t group, const struct prefix *p)
{
    struct via_key key = key_of(group, p);

    return map_get(&v->via_served, &key, sizeof(key));
}

/* id 0: nobody. */
static void set_served(struct policy_view *v, uint32_t group, const struct prefix *p, uint64_t id, uint32_t slot)
{
    struct via_key key = key_of(group, p);
    struct via_served *s = map_get(&v->via_served, &key, sizeof(key));

    if (id == 0) {
        map_del(&v->via_served, &key, sizeof(key));
        free(s);
        return;
    }
    if (!s) {
        s = mem_alloc(sizeof(*s));
        map_put(&v->via_served, &key, sizeof(key), s);
    }
    *s = (struct via_served){id, slot};
}

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

static void note_change(struct policy_view *v, struct vroute *r, uint32_t group)
{
    struct via_change change = {.group = group, .prefix = r->prefix};

    v->steering_version = ++v->seq;
    if (bit_has(r->changed, group))
        return;
    bit_set(r->changed, group);
    for (size_t i = 0; i < v->via_rules.len; i++)
        change.matches |= v->via_rules.items[i].group == group && via_rule_matches(r, &v->via_rules.items[i]);
    vec_push(&v->via_changes, change);
}

static bool is_older(const struct vnode *a, const struct vnode *b)
{
    return a->order != b->order ? a->order < b->order : a->id < b->id;
}

/* As for plain prefixes: whoever serves goes on while online and healthy; else the oldest healthy one; while nobody is
 * healthy the present one if it is online. */
static uint32_t elect(const struct policy_view *v, const struct vroute *r, uint32_t group)
{
    const struct via_served *present = served_by(v, group, &r->prefix);
    uint32_t best = NONE, unhealthy = NONE;

    for (size_t i = 0; i < r->holders.len; i++) {
        const struct vnode *n = &v->nodes[r->holders.items[i]];
        bool serves = present && present->id == n->id;

        if (!n->online || !via_has_tag(v, n, group))
            continue;
        if (serves && n->healthy)
            return r->holders.items[i];
        if (serves)
            unhealthy = r->holders.items[i];
        if (n->healthy && (best == NONE || is_older(n, &v->nodes[best])))
            best = r->holders.items[i];
    }
    return best != NONE ? best : unhealthy;
}

void via_elect(struct policy_view *v, uint32_t route)
{
    struct vroute *r = v->routes.items[route];

    if (v->building || !view_spend(v, v->via_groups.len * (4 + r->holders.len)))
        return;
    for (uint32_t g = 0; g < v->via_groups.len; g++) {
        uint32_t now = elect(v, r, g);
        if (now == r->winners[g])
            continue;
        r->winners[g] = now;
        note_change(v, r, g);
    }
}

void via_elect_all(struct policy_view *v)
{
    for (uint32_t i = 0; v->via_groups.len && i < v->routes.len; i++)
        if (v->routes.items[i])
            via_elect(v, i);
}

void via_forget(struct policy_view *v, uint32_t route)
{
    struct vroute *r = v->routes.items[route];

    for (uint32_t g = 0; g < v->via_groups.len; g++)
        if (r->winners[g] != NONE)
            note_change(v, r, g);
}

/* ---- what is known from before ---- */

static uint32_t group_by_key(const struct policy_view *v, const char *key)
{
    uintptr_t known = (uintptr_t)map_gets(&v->via_group_index, key);

    return known ? (uint32_t)(known - 1) : NONE;
}

void via_inherit(struct policy_view *v, const struct policy_view *old)
{
    for (const struct map_entry *e = map_first(&old->via_served); e; e = map_next(&old->via_served, e)) {
        const struct via_served *s = e->value;
        struct via_key key;
        memcpy(&key, e->key, sizeof(key));
        uint32_t g = group_by_key(v, old->via_groups.items[key.group].key);
        if (g != NONE)
            set_served(v, g, &key.prefix, s->id, s->slot);
    }
    for (uint32_t k = 0; k < old->via_groups.len; k++) {
        uint32_t g = group_by_key(v, old->via_groups.items[k].key);
        for (size_t i = 0; g != NONE && i < old->routes.len; i++) {
            const struct vroute *r = old->routes.items[i];
            if (r && r->winners[k] != NONE)
                set_served(v, g, &r->prefix, old->nodes[r->winners[k]].id, r->winners[k]);
        }
    }
}

void policy_view_set_servers(struct policy_view *v, const struct policy_via_server *servers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct vnode *n = view_node(v, servers[i].slot);
        uint32_t g = group_by_key(v, servers[i].tags);
        if (g != NONE && n)
            set_served(v, g, &servers[i].prefix, n->id, servers[i].slot);
    }
    via_elect_all(v);
}

/* ---- moves ---- */

static void moves_clear(struct policy_view *v)
{
    for (size_t i = 0; i < v->moves.len; i++)
        free(v->moves.items[i].tags);
    v->moves.len = 0;
}

static void settle(struct policy_view *v, const struct via_change *change)
{
    uintptr_t known = (uintptr_t)map_get(&v->route_index, &change->prefix, sizeof(change->prefix));
    struct vroute *r = known ? v->routes.items[known - 1] : NULL;
    const struct via_served *was = served_by(v, change->group, &change->prefix);
    struct policy_move m = {.prefix = change->prefix, .from = was ? was->slot : NONE, .to = NONE};

    if (r) {
        m.to = r->winners[change->group];
        bit_clear(r->changed, change->group);
    }
    uint64_t from = was ? was->id : 0, to = m.to == NONE ? 0 : v->nodes[m.to].id;
    set_served(v, change->group, &m.prefix, to, m.to);
    if (!change->matches || from == to)
        return;
    m.tags = mem_strdup(v->via_groups.items[change->group].key);
    vec_push(&v->moves, m);
}

const struct policy_move *policy_moves(struct policy_view *v, size_t *count)
{
    moves_clear(v);
    for (size_t i = 0; i < v->via_changes.len; i++)
        settle(v, &v->via_changes.items[i]);
    v->via_changes.len = 0;
    *count = v->moves.len;
    return v->moves.items;
}

uint64_t policy_steering_version(const struct policy_view *v)
{
    return v->steering_version;
}

static bool has_standby(const struct policy_view *v, const struct vroute *r, const struct policy_via_rule *rule,
                        uint32_t slot)
{
    if (!via_rule_matches(r, rule) || r->winners[rule->group] != slot)
        return false;
    for (size_t i = 0; i < r->holders.len; i++) {
        const struct vnode *n = &v->nodes[r->holders.items[i]];
        if (r->holders.items[i] != slot && n->online && n->healthy && via_has_tag(v, n, rule->group))
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

void via_release(struct policy_view *v)
{
    moves_clear(v);
    vec_release(&v->moves);
    vec_release(&v->via_changes);
    for (struct map_entry *e = map_first(&v->via_served); e; e = map_next(&v->via_served, e))
        free(e->value);
    map_release(&v->via_served);
    for (size_t i = 0; i < v->via_groups.len; i++) {
        vec_release(&v->via_groups.items[i].tags);
        free(v->via_groups.items[i].key);
    }
    vec_release(&v->via_groups);
    map_release(&v->via_group_index);
    vec_release(&v->via_rules);
}

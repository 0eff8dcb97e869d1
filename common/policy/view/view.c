/* SPDX-License-Identifier: BSD-3-Clause */
/* The life of a view: built from nothing by the same steps that keep it up to date. */
#include "policy/view/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const struct vnode *view_node(const struct policy_view *v, uint32_t slot)
{
    return slot < v->slots && v->nodes[slot].used ? &v->nodes[slot] : NULL;
}

/* ---- tables that depend on the policy alone ---- */

static void index_literals(struct policy_view *v)
{
    for (uint32_t i = 0; i < v->p->principals.len; i++) {
        const struct principal *q = &v->p->principals.items[i];
        size_t k = 0;

        if (q->kind != PRINCIPAL_PREFIX)
            continue;
        map_put(&v->literal_index, &q->prefix, sizeof(q->prefix), (void *)(uintptr_t)(i + 1U));
        while (k < v->length_count &&
               (v->lengths[k].bits != q->prefix.addr.bits || v->lengths[k].len != q->prefix.bits))
            k++;
        if (k == v->length_count) {
            v->lengths[k].bits = q->prefix.addr.bits;
            v->lengths[k].len = q->prefix.bits;
            v->length_count++;
        }
    }
}

/* The units that a list's principals are sources of. */
static void index_sources(struct policy_view *v, const struct unit *u, bool self)
{
    const struct source_list *l = &v->p->lists.items[u->sources];

    for (size_t i = 0; i < l->count; i++) {
        struct vprincipal *q = &v->principals[l->principals[i]];
        if (self)
            vec_push(&q->self_units, u->index);
        else
            vec_push(&q->src_units, u->index);
    }
}

static void index_plain_unit(struct policy_view *v, const struct unit *u)
{
    bool literal = false;

    for (size_t i = 0; i < u->dst.len; i++) {
        uint32_t id = u->dst.items[i].alias.principal;
        const struct principal *q = &v->p->principals.items[id];

        vec_push(&v->principals[id].filter_units, u->index);
        if (u->companion)
            continue;
        vec_push(&v->principals[id].dst_units, u->index);
        if (u->ip && (q->kind == PRINCIPAL_INTERNET || q->inside_internet))
            bit_set(v->exit_units, u->index);
        literal |= u->full && q->kind == PRINCIPAL_PREFIX && q->prefix.bits == q->prefix.addr.bits;
    }
    if (u->companion)
        return;
    index_sources(v, u, false);
    bit_set(v->plain_units, u->index);
    if (u->internet)
        bit_set(v->internet_units, u->index);
    if (literal)
        vec_push(&v->literal_units, u->index);
}

static uint32_t via_group(struct policy_view *v, const struct rule *r)
{
    struct via_group g = {0};
    struct strs names = {0};
    struct buf key = BUF_INIT(0);

    for (size_t i = 0; i < r->via.len; i++)
        strs_push(&names, r->via.items[i]);
    strs_sort(&names);
    for (size_t i = 0; i < names.len; i++) {
        vec_push(&g.tags, principal_find(v->p, PRINCIPAL_TAG, names.items[i]));
        buf_addf(&key, "%s\n", names.items[i]);
    }
    strs_release(&names);
    for (size_t i = 0; i < v->via_groups.len; i++)
        if (str_eq(v->via_groups.items[i].key, buf_text(&key))) {
            vec_release(&g.tags);
            buf_release(&key);
            return (uint32_t)i;
        }
    g.key = buf_take(&key);
    vec_push(&v->via_groups, g);
    return (uint32_t)(v->via_groups.len - 1);
}

static void index_via_unit(struct policy_view *v, const struct unit *u)
{
    struct via_rule *last = v->via_rules.len ? &v->via_rules.items[v->via_rules.len - 1] : NULL;
    uint32_t id = u->dst.items[0].alias.principal;

    index_sources(v, u, false);
    vec_push(&v->principals[id].dst_units, u->index);
    if (v->p->principals.items[id].kind == PRINCIPAL_ANY)
        bit_set(v->via_any_units, u->index);
    if (u->internet)
        bit_set(v->internet_units, u->index);
    if (last && v->p->units.items[last->first].rule == u->rule) {
        last->count++;
        last->internet |= u->internet;
        return;
    }
    struct via_rule r = {.first = u->index, .count = 1, .group = via_group(v, u->rule), .internet = u->internet};
    vec_push(&v->via_rules, r);
}

static void index_lists(struct policy_view *v)
{
    v->lists = mem_alloc((v->p->lists.len + 1) * sizeof(*v->lists));
    for (uint32_t i = 0; i < v->p->lists.len; i++) {
        const struct source_list *l = &v->p->lists.items[i];
        for (size_t j = 0; j < l->count; j++) {
            const struct principal *q = &v->p->principals.items[l->principals[j]];
            vec_push(&v->principals[l->principals[j]].lists, i);
            v->lists[i].any |= q->kind == PRINCIPAL_ANY;
            v->lists[i].danger |= q->kind == PRINCIPAL_DANGER;
            if (q->kind == PRINCIPAL_PREFIX || q->kind == PRINCIPAL_INTERNET)
                vec_push(&v->lists[i].literals, l->principals[j]);
        }
    }
}

static void index_policy(struct policy_view *v)
{
    const struct policy *p = v->p;

    v->unit_words = p->units.len / 64 + 1;
    v->principal_words = p->principals.len / 64 + 1;
    v->principals = mem_alloc((p->principals.len + 1) * sizeof(*v->principals));
    v->plain_units = bits_new(v->unit_words);
    v->internet_units = bits_new(v->unit_words);
    v->exit_units = bits_new(v->unit_words);
    v->via_any_units = bits_new(v->unit_words);
    v->unit_src = mem_alloc((p->units.len + 1) * sizeof(*v->unit_src));
    v->unit_dst = mem_alloc((p->units.len + 1) * sizeof(*v->unit_dst));
    v->unit_recv = mem_alloc((p->units.len + 1) * sizeof(*v->unit_recv));
    ranges_internet(v->internet);
    ranges_tailnet(v->tailnet);
    index_literals(v);
    index_lists(v);
    for (size_t i = 0; i < p->units.len; i++) {
        const struct unit *u = &p->units.items[i];
        switch (u->kind) {
        case UNIT_PLAIN:
            index_plain_unit(v, u);
            break;
        case UNIT_VIA:
            index_via_unit(v, u);
            break;
        case UNIT_SELF:
            vec_push(&v->self_units, u->index);
            if (!u->companion)
                index_sources(v, u, true);
            break;
        }
    }
}

/* The service's ranges name such a pool already, and leave out in it what is not the tailnet's. */
static bool in_service_space(const struct prefix *pool)
{
    static const char *const spaces[] = {"100.64.0.0/10", "fd7a:115c:a1e0::/48"};
    struct prefix space;

    for (size_t i = 0; i < 2; i++)
        if (prefix_parse(spaces[i], &space, NULL, NULL) == 0 && prefix_covers(&space, pool))
            return true;
    return false;
}

static void copy_tailnet(struct policy_view *v, const struct policy_tailnet *t)
{
    struct strs domains = {0};

    for (size_t i = 0; t->domains && i < t->domain_count; i++)
        strs_push(&domains, t->domains[i]);
    strs_sort(&domains);
    v->domains_given = t->domains != NULL;
    v->domains = domains.items;
    v->domain_count = domains.len;
    v->pools = mem_alloc((t->pool_count + 1) * sizeof(*v->pools));
    for (size_t i = 0; i < t->pool_count; i++)
        if (!in_service_space(&t->pools[i]))
            v->pools[v->pool_count++] = t->pools[i];
}

static void inherit_winners(struct policy_view *v, const struct policy_view *old)
{
    for (size_t i = 0; old && i < v->routes.len; i++) {
        struct vroute *r = v->routes.items[i];
        uintptr_t known = r ? (uintptr_t)map_get(&old->route_index, &r->prefix, sizeof(r->prefix)) : 0;

        for (size_t g = 0; known && g < v->via_groups.len; g++)
            for (size_t k = 0; k < old->via_groups.len; k++)
                if (str_eq(old->via_groups.items[k].key, v->via_groups.items[g].key))
                    r->winners[g] = old->routes.items[known - 1]->winners[k];
        if (r)
            vroute_elect(v, (uint32_t)i);
    }
}

struct policy_view *policy_view_new(const struct policy *p, const struct policy_tailnet *t,
                                    const struct policy_view *previous)
{
    struct policy_view *v = mem_alloc(sizeof(*v));

    v->absent = !p;
    v->p = p ? policy_ref(p) : policy_open();
    v->seq = previous ? previous->seq + 1 : 1; /* numbers are never used twice along a line of views */
    v->any_version = v->routes_version = v->steering_version = v->seq;
    copy_tailnet(v, t);
    index_policy(v);
    (void)policy_view_set_users(v, t->users, t->user_count);
    for (size_t i = 0; i < t->node_count; i++)
        policy_view_put(v, &t->nodes[i]);
    inherit_winners(v, previous);
    return v;
}

/* All numbers move up together, so that what was equal stays equal. */
void policy_view_succeed(struct policy_view *v, const struct policy_view *previous)
{
    uint64_t by = previous->seq;

    v->seq += by;
    v->any_version += by;
    v->routes_version += by;
    v->steering_version += by;
    for (size_t i = 0; i < v->slots; i++)
        v->nodes[i].version += by;
    for (size_t i = 0; i < v->user_count; i++)
        v->users[i].version += by;
    for (size_t i = 0; i < v->classes.len; i++)
        v->classes.items[i].serial += v->classes.items[i].serial ? by : 0;
    for (size_t i = 0; i < v->p->lists.len; i++) {
        v->lists[i].version += by;
        for (size_t k = 0; k < v->slots / 64; k++)
            v->lists[i].block_versions[k] += by;
    }
    inherit_winners(v, previous);
}

/* ---- nodes ---- */

static void grow_slots(struct policy_view *v, uint32_t slot)
{
    size_t slots = v->slots ? v->slots : 64;

    while (slots <= slot)
        slots *= 2;
    v->nodes = mem_resize(v->nodes, slots, sizeof(*v->nodes));
    memset(v->nodes + v->slots, 0, (slots - v->slots) * sizeof(*v->nodes));
    for (size_t i = 0; i < v->p->lists.len; i++) {
        struct vlist *l = &v->lists[i];
        size_t old = v->slots / 64, now = slots / 64;
        l->members = mem_resize(l->members, now, sizeof(uint64_t));
        l->block_versions = mem_resize(l->block_versions, now, sizeof(uint64_t));
        memset(l->members + old, 0, (now - old) * sizeof(uint64_t));
        memset(l->block_versions + old, 0, (now - old) * sizeof(uint64_t));
    }
    v->slots = slots;
}

static void add_membership(const struct policy_view *v, struct vnode *n, enum principal_kind kind, const char *text)
{
    uint32_t id = principal_find(v->p, kind, text);

    if (id != NONE)
        vec_push(&n->memberships, id);
}

static void node_fill(struct policy_view *v, struct vnode *n, const struct policy_node *from)
{
    *n = (struct vnode){.used = true,
                        .online = from->online,
                        .healthy = from->healthy,
                        .tagged = from->tag_count > 0,
                        .user = from->tag_count ? NONE : user_index(v, from->user_id),
                        .id = from->id,
                        .user_id = from->user_id,
                        .order = from->order,
                        .name = mem_strdup(from->name),
                        .ipv4 = from->ipv4,
                        .ipv6 = from->ipv6};
    for (size_t i = 0; i < from->tag_count; i++)
        strs_push(&n->tags, from->tags[i]);
    strs_sort(&n->tags);
    for (size_t i = 0; i < from->route_count; i++)
        prefixes_add(&n->routes, &from->routes[i]);
    for (size_t i = 0; i < from->serving_count; i++)
        prefixes_add(&n->serving, &from->serving[i]);
    add_membership(v, n, n->tagged ? PRINCIPAL_TAGGED : PRINCIPAL_MEMBER, "");
    for (size_t i = 0; i < n->tags.len; i++)
        add_membership(v, n, PRINCIPAL_TAG, n->tags.items[i]);
    for (size_t i = 0; n->user != NONE && i < v->users[n->user].principals.len; i++)
        vec_push(&n->memberships, v->users[n->user].principals.items[i]);
}

static void node_release(struct vnode *n)
{
    free(n->name);
    strs_release(&n->tags);
    prefixes_release(&n->routes);
    prefixes_release(&n->serving);
    vec_release(&n->route_ids);
    vec_release(&n->memberships);
    *n = (struct vnode){0};
}

/* In or out of the source lists that its memberships lead to. */
static void node_lists(struct policy_view *v, const struct vnode *n, uint32_t slot, bool in)
{
    for (size_t i = 0; i < n->memberships.len; i++) {
        const struct id_list *lists = &v->principals[n->memberships.items[i]].lists;
        for (size_t j = 0; j < lists->len; j++) {
            struct vlist *l = &v->lists[lists->items[j]];
            if (bit_has(l->members, slot) == in)
                continue;
            if (in)
                bit_set(l->members, slot);
            else
                bit_clear(l->members, slot);
            l->count = in ? l->count + 1 : l->count - 1;
            l->version = l->block_versions[slot / 64] = ++v->seq;
        }
    }
}

static void node_user(struct policy_view *v, const struct vnode *n, uint32_t slot, bool in)
{
    if (n->user == NONE)
        return;
    struct vuser *u = &v->users[n->user];
    size_t at = 0;

    while (at < u->devices.len && u->devices.items[at] != slot)
        at++;
    if (in && at == u->devices.len)
        vec_push(&u->devices, slot);
    else if (!in && at < u->devices.len)
        vec_remove(&u->devices, at);
    u->version = ++v->seq;
}

static bool ids_eq(const struct id_list *a, const struct id_list *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->items, b->items, a->len * sizeof(*a->items)) == 0);
}

static int by_id(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Takes the routes of the new record before those of the old are let go, so that what stays is not made anew. */
static void node_routes(struct policy_view *v, struct vnode *n, uint32_t slot)
{
    for (size_t i = 0; i < n->routes.len; i++)
        if (!prefix_is_exit(&n->routes.items[i]))
            vec_push(&n->route_ids, vroute_acquire(v, &n->routes.items[i], slot));
    if (n->route_ids.len)
        qsort(n->route_ids.items, n->route_ids.len, sizeof(uint32_t), by_id);
}

static void routes_drop(struct policy_view *v, const struct vnode *n, uint32_t slot)
{
    for (size_t i = 0; i < n->route_ids.len; i++)
        vroute_drop(v, n->route_ids.items[i], slot);
}

void policy_view_put(struct policy_view *v, const struct policy_node *from)
{
    if (from->slot >= v->slots)
        grow_slots(v, from->slot);
    struct vnode *n = &v->nodes[from->slot], old = *n;

    node_fill(v, n, from);
    node_routes(v, n, from->slot);
    n->class_id = class_acquire(v, n);
    bool same = old.used && addr_eq(&old.ipv4, &n->ipv4) && addr_eq(&old.ipv6, &n->ipv6) && old.user == n->user &&
                ids_eq(&old.memberships, &n->memberships);
    n->version = same ? old.version : ++v->seq;
    if (!same) {
        if (old.used) {
            node_lists(v, &old, from->slot, false);
            node_user(v, &old, from->slot, false);
        }
        node_lists(v, n, from->slot, true);
        node_user(v, n, from->slot, true);
    }
    if (old.routes.len || n->routes.len)
        v->routes_version = ++v->seq;
    if (old.used) {
        routes_drop(v, &old, from->slot);
        class_drop(v, old.class_id);
        node_release(&old);
    }
    for (size_t i = 0; i < n->route_ids.len && v->via_groups.len; i++)
        vroute_elect(v, n->route_ids.items[i]);
}

void view_refresh(struct policy_view *v, uint32_t slot)
{
    const struct vnode *n = &v->nodes[slot];
    struct policy_node same = {.slot = slot,
                               .id = n->id,
                               .user_id = n->user_id,
                               .order = n->order,
                               .name = n->name,
                               .tags = (const char *const *)n->tags.items,
                               .tag_count = n->tags.len,
                               .ipv4 = n->ipv4,
                               .ipv6 = n->ipv6,
                               .routes = n->routes.items,
                               .route_count = n->routes.len,
                               .serving = n->serving.items,
                               .serving_count = n->serving.len,
                               .online = n->online,
                               .healthy = n->healthy};

    policy_view_put(v, &same); /* copies before it lets the old go */
    node_lists(v, &v->nodes[slot], slot, false);
    node_lists(v, &v->nodes[slot], slot, true);
    v->nodes[slot].version = ++v->seq;
}

void policy_view_remove(struct policy_view *v, uint32_t slot)
{
    if (!view_node(v, slot))
        return;
    struct vnode *n = &v->nodes[slot];

    node_lists(v, n, slot, false);
    node_user(v, n, slot, false);
    if (n->routes.len)
        v->routes_version = ++v->seq;
    n->online = false; /* no winner of anything while its routes go */
    routes_drop(v, n, slot);
    class_drop(v, n->class_id);
    node_release(n);
}

void policy_view_free(struct policy_view *v)
{
    if (!v)
        return;
    for (size_t i = 0; i < v->slots; i++)
        if (v->nodes[i].used)
            node_release(&v->nodes[i]);
    free(v->nodes);
    moves_forget(v);
    vec_release(&v->moves);
    classes_free(v);
    vroutes_free(v);
    for (size_t i = 0; i < v->p->lists.len; i++) {
        free(v->lists[i].members);
        free(v->lists[i].block_versions);
        vec_release(&v->lists[i].literals);
    }
    free(v->lists);
    for (size_t i = 0; i < v->p->principals.len; i++) {
        struct vprincipal *q = &v->principals[i];
        struct id_list *all[] = {&q->src_units, &q->dst_units, &q->filter_units, &q->self_units, &q->lists, &q->users};
        for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++)
            vec_release(all[k]);
    }
    free(v->principals);
    for (size_t i = 0; i < v->user_count; i++) {
        struct vuser *u = &v->users[i];
        free(u->name);
        free(u->email);
        free(u->provider_id);
        vec_release(&u->principals);
        vec_release(&u->devices);
        vec_release(&u->classes);
    }
    free(v->users);
    map_release(&v->user_index);
    for (size_t i = 0; i < v->domain_count; i++)
        free(v->domains[i]);
    free(v->domains);
    free(v->pools);
    for (size_t i = 0; i < v->via_groups.len; i++) {
        vec_release(&v->via_groups.items[i].tags);
        free(v->via_groups.items[i].key);
    }
    vec_release(&v->via_groups);
    vec_release(&v->via_rules);
    vec_release(&v->self_units);
    vec_release(&v->literal_units);
    vec_release(&v->any_lists);
    map_release(&v->literal_index);
    free(v->plain_units);
    free(v->internet_units);
    free(v->exit_units);
    free(v->via_any_units);
    policy_unref(v->p);
    free(v);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Nodes of a view: add, change, remove. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/view/view.h"

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

static void add_membership(const struct policy_view *v, struct vnode *n, enum policy_principal_kind kind,
                           const char *text)
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
                        .connector = from->connector,
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

void vnode_release(struct vnode *n)
{
    free(n->name);
    strs_release(&n->tags);
    prefixes_release(&n->routes);
    prefixes_release(&n->serving);
    vec_release(&n->route_ids);
    vec_release(&n->memberships);
    *n = (struct vnode){0};
}

/* Adds the node to, or removes it from, the source lists of its memberships. */
static void node_lists(struct policy_view *v, const struct vnode *n, uint32_t slot, bool in)
{
    for (size_t i = 0; i < n->memberships.len; i++) {
        const struct id_list *lists = &v->principals[n->memberships.items[i]].lists;
        bool room = view_spend(v, lists->len);
        for (size_t j = 0; room && j < lists->len; j++) {
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

    while (at < u->devices.len && u->devices.items[at] < slot)
        at++;
    bool there = at < u->devices.len && u->devices.items[at] == slot;
    if (in && !there)
        ids_insert(&u->devices, at, slot);
    else if (!in && there)
        vec_remove(&u->devices, at);
    u->version = ++v->seq;
}

static int by_id(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Acquires the routes of the new record before dropping those of the old one, so that routes in both are not
 * rebuilt. */
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
    if (old.used) {
        routes_drop(v, &old, from->slot);
        class_drop(v, old.class_id);
        vnode_release(&old);
    }
    for (size_t i = 0; i < n->route_ids.len && v->via_groups.len; i++)
        via_elect(v, n->route_ids.items[i]);
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
                               .healthy = n->healthy,
                               .connector = n->connector};

    policy_view_put(v, &same); /* copies before it frees the old one */
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
    n->online = false; /* must not win an election while its routes are dropped */
    routes_drop(v, n, slot);
    class_drop(v, n->class_id);
    vnode_release(n);
}

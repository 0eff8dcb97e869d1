/* SPDX-License-Identifier: BSD-3-Clause */
/* A snapshot as input to a policy. */
#include "tailnet/policy_input.h"

#include <stdlib.h>

#include "base/mem.h"
#include "model/hostinfo.h"

static void add_node(struct tailnet_policy_input *w, const struct tailnet_node *n)
{
    struct prefixes *effective = &w->effective[w->tailnet.node_count];

    node_effective(n->record, effective);
    w->from[w->tailnet.node_count] = n;
    w->nodes[w->tailnet.node_count++] = tailnet_policy_node(n->slot, n->record, effective, &n->serving, &n->live);
}

struct policy_node tailnet_policy_node(uint32_t slot, const struct node *n, const struct prefixes *effective,
                                       const struct prefixes *serving, const struct node_live *live)
{
    return (struct policy_node){.slot = slot,
                                .id = n->r.id,
                                .user_id = n->user_id,
                                .order = (uint64_t)n->created_ns,
                                .name = n->given_name,
                                .tags = (const char *const *)n->tags.items,
                                .tag_count = n->tags.len,
                                .ipv4 = n->ipv4,
                                .ipv6 = n->ipv6,
                                .routes = effective->items,
                                .route_count = effective->len,
                                .serving = serving ? serving->items : NULL,
                                .serving_count = serving ? serving->len : 0,
                                .online = live && live->online,
                                .healthy = live && live->healthy && !n->draining,
                                .connector = peer_hostinfo_is_connector(n->peer_hostinfo)};
}

struct policy_user tailnet_policy_user(const struct user *u)
{
    static const enum policy_role roles[] = {
        [ROLE_MEMBER] = POLICY_MEMBER, [ROLE_ADMIN] = POLICY_ADMIN, [ROLE_OWNER] = POLICY_OWNER};

    return (struct policy_user){.id = u->r.id,
                                .name = u->name,
                                .email = u->email,
                                .provider_id = u->provider_id,
                                .role = roles[u->role],
                                .groups = (const char *const *)u->groups.items,
                                .group_count = u->groups.len};
}

void tailnet_policy_input_init(struct tailnet_policy_input *w, const struct tailnet_snapshot *s,
                               const struct prefix *v4, const struct prefix *v6)
{
    *w = (struct tailnet_policy_input){.users = mem_alloc((s->user_count + 1) * sizeof(*w->users)),
                                       .nodes = mem_alloc((s->node_count + 1) * sizeof(*w->nodes)),
                                       .from = mem_alloc((s->node_count + 1) * sizeof(*w->from)),
                                       .effective = mem_alloc((s->node_count + 1) * sizeof(*w->effective))};
    for (size_t i = 0; i < s->user_count; i++)
        w->users[i] = tailnet_policy_user(s->users[i]);
    for (uint32_t slot = 0; slot < s->block_count * TAILNET_BLOCK; slot++) {
        const struct tailnet_node *n = snapshot_node(s, slot);
        if (n && n->record->authorized)
            add_node(w, n);
    }
    if (v4->addr.bits)
        w->pools[w->tailnet.pool_count++] = *v4;
    if (v6->addr.bits)
        w->pools[w->tailnet.pool_count++] = *v6;
    w->tailnet.pools = w->pools;
    w->tailnet.users = w->users;
    w->tailnet.user_count = s->user_count;
    w->tailnet.nodes = w->nodes;
}

void tailnet_policy_input_release(struct tailnet_policy_input *w)
{
    for (size_t i = 0; i < w->tailnet.node_count; i++)
        prefixes_release(&w->effective[i]);
    free(w->effective);
    free(w->nodes);
    free(w->from);
    free(w->users);
}

/* ---- approvals ---- */

void tailnet_auto_approved(const struct policy_view *v, uint32_t slot, const struct node *n, struct prefixes *out)
{
    prefixes_release(out);
    for (size_t i = 0; i < n->available.len; i++) {
        const struct prefix *p = &n->available.items[i];
        if (!prefixes_has(&n->approved, p) && !prefixes_has(&n->removed, p) && policy_approves(v, slot, p))
            prefixes_add(out, p);
    }
    prefixes_pair_exit(out);
    for (size_t i = 0; i < n->approved.len; i++)
        prefixes_del(out, &n->approved.items[i]);
}

/* No one serves it yet: the oldest candidate will. */
static bool takes(struct prefixes *served, const struct policy_node *n, const struct prefix *p)
{
    return !prefix_is_exit(p) && n->online && n->healthy && prefixes_add(served, p);
}

static int by_order(const void *a, const void *b)
{
    const struct policy_node *x = *(const struct policy_node *const *)a, *y = *(const struct policy_node *const *)b;
    return (x->order > y->order) - (x->order < y->order);
}

void tailnet_policy_input_approve(const struct tailnet_policy_input *w, struct policy_view *v,
                                  struct policy_approvals *out)
{
    const struct policy_node **sorted = mem_alloc((w->tailnet.node_count + 1) * sizeof(*sorted));
    struct prefixes served = {0}, fresh = {0}, routes = {0}, serving = {0};

    for (size_t i = 0; i < w->tailnet.node_count; i++) {
        sorted[i] = &w->nodes[i];
        for (size_t k = 0; k < w->nodes[i].serving_count; k++)
            prefixes_add(&served, &w->nodes[i].serving[k]);
    }
    if (w->tailnet.node_count)
        qsort(sorted, w->tailnet.node_count, sizeof(*sorted), by_order);
    for (size_t i = 0; i < w->tailnet.node_count; i++) {
        const struct tailnet_node *from = w->from[sorted[i] - w->nodes];
        struct policy_node n = *sorted[i];
        tailnet_auto_approved(v, n.slot, from->record, &fresh);
        if (!fresh.len)
            continue;
        node_effective(from->record, &routes);
        prefixes_copy(&serving, &from->serving);
        for (size_t k = 0; k < fresh.len; k++) {
            vec_push(out, ((struct policy_approval){n.slot, fresh.items[k]}));
            if (prefixes_has(&from->record->available, &fresh.items[k]))
                prefixes_add(&routes, &fresh.items[k]);
            if (takes(&served, &n, &fresh.items[k]))
                prefixes_add(&serving, &fresh.items[k]);
        }
        n.routes = routes.items;
        n.route_count = routes.len;
        n.serving = serving.items;
        n.serving_count = serving.len;
        policy_view_put(v, &n);
    }
    prefixes_release(&served);
    prefixes_release(&fresh);
    prefixes_release(&routes);
    prefixes_release(&serving);
    free(sorted);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Exit nodes, and who uses which. */
#include <stdlib.h>

#include "api/view/view.h"
#include "base/vec.h"

struct user_of_exit {
    uint64_t exit;
    const struct tailnet_node *node;
};
typedef VEC(struct user_of_exit) user_list;

static int by_exit(const void *a, const void *b)
{
    const struct user_of_exit *x = a, *y = b;

    if (x->exit != y->exit)
        return x->exit < y->exit ? -1 : 1;
    return x->node->record->r.id < y->node->record->r.id ? -1 : 1;
}

static const struct api_route *exit_route(const struct api_node *n)
{
    for (size_t i = 0; i < n->routes.len; i++) {
        const struct api_route *r = api_at(&n->routes, struct api_route, i);
        if (r->exit)
            return r;
    }
    return NULL;
}

/* The users of one exit node, which are adjacent; returns how many of them are online. */
static size_t show_users(const user_list *users, uint64_t exit, struct arena *a, struct api_list *out)
{
    size_t begin = 0, count = 0, online = 0;

    while (begin < users->len && users->items[begin].exit != exit)
        begin++;
    while (begin + count < users->len && users->items[begin + count].exit == exit)
        count++;
    struct api_exit_user *list = arena_alloc(a, count * sizeof(*list) + 1);
    for (size_t i = 0; i < count; i++) {
        const struct tailnet_node *n = users->items[begin + i].node;
        list[i] = (struct api_exit_user){n->record->r.id, n->record->given_name, n->live.online};
        online += n->live.online;
    }
    *out = (struct api_list){list, count};
    return online;
}

static bool show_exit(struct api_view *v, const struct tailnet_node *n, const user_list *users, struct arena *a,
                      struct api_exit *out)
{
    struct api_node node = {0};

    show_node_routes(v, n, a, &node);
    const struct api_route *route = exit_route(&node);
    if (!route)
        return false;
    *out = (struct api_exit){.node = n->record->r.id,
                             .name = n->record->given_name,
                             .state = route->state,
                             .reason = route->reason,
                             .online = n->live.online,
                             .draining = n->record->draining,
                             .suggested = route->state == ROUTE_SERVING && !n->record->draining,
                             .priority = n->record->priority};
    out->used_by = show_users(users, out->node, a, &out->users);
    return true;
}

void show_exits(struct api_view *v, struct arena *a, struct api_list *out)
{
    size_t count, exits = 0;
    const struct tailnet_node **nodes = show_nodes_by_id(v->s, &count);
    user_list users = {0};

    for (size_t i = 0; i < count; i++) {
        if (nodes[i]->record->exit_node_id)
            vec_push(&users, ((struct user_of_exit){nodes[i]->record->exit_node_id, nodes[i]}));
        exits += prefixes_has_exit(&nodes[i]->record->available) || prefixes_has_exit(&nodes[i]->record->approved);
    }
    if (users.len)
        qsort(users.items, users.len, sizeof(*users.items), by_exit);
    struct api_exit *list = arena_alloc(a, exits * sizeof(*list) + 1);
    exits = 0;
    for (size_t i = 0; i < count; i++)
        exits += show_exit(v, nodes[i], &users, a, &list[exits]);
    *out = (struct api_list){list, exits};
    vec_release(&users);
    free(nodes);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Which routes another policy shows, hides and approves, by route and by viewer. */
#include <stdlib.h>
#include <string.h>

#include "policy/answers/preview.h"

#define ROUTES_SHOWN 20 /* of one viewer, in addition to their number */

struct preview_route_key {
    uint32_t hidden, router;
    struct prefix route;
};

static struct preview_route_key key_of(bool hidden, uint32_t router, const struct prefix *route)
{
    struct preview_route_key key;

    memset(&key, 0, sizeof(key));
    key.hidden = hidden;
    key.router = router;
    key.route = *route;
    return key;
}

static void add_route(struct preview *p, bool hidden, uint32_t router, const struct prefix *route, uint32_t viewers,
                      size_t count, struct id_list *seen)
{
    struct preview_route_key key = key_of(hidden, router, route);
    uintptr_t known = (uintptr_t)map_get(&p->route_index, &key, sizeof(key));

    if (!known) {
        struct preview_route r = {.hidden = hidden, .router = router, .route = *route};
        vec_push(&p->routes, r);
        known = p->routes.len;
        map_put(&p->route_index, &key, sizeof(key), (void *)known);
    }
    vec_push(&p->routes.items[known - 1].viewers, viewers);
    p->routes.items[known - 1].count += count;
    vec_push(seen, (uint32_t)(known - 1));
}

/* Groups with the same changes share a row. */
static void add_viewers(struct preview *p, uint32_t group, const struct id_list *seen)
{
    uintptr_t known = (uintptr_t)map_get(&p->viewer_index, seen->items, seen->len * sizeof(*seen->items));

    if (!known) {
        struct preview_viewer fresh = {0};
        for (size_t i = 0; i < seen->len; i++) {
            vec_push(&fresh.routes, seen->items[i]);
            fresh.hidden += p->routes.items[seen->items[i]].hidden;
        }
        vec_push(&p->viewers, fresh);
        known = p->viewers.len;
        map_put(&p->viewer_index, seen->items, seen->len * sizeof(*seen->items), (void *)known);
    }
    struct preview_viewer *r = &p->viewers.items[known - 1];
    vec_push(&r->viewers, group);
    r->count += p->groups.items[group].nodes.len;
}

/* A node of the group other than the router: all nodes of a group are shown the same. */
static uint32_t viewer_of(const struct preview_group *group, uint32_t router)
{
    return group->nodes.items[0] == router ? group->nodes.items[group->nodes.len - 1] : group->nodes.items[0];
}

static void compare_route(struct preview *p, uint32_t g, uint32_t router, struct id_list *seen)
{
    const struct preview_group *group = &p->groups.items[g];
    uint32_t viewer = viewer_of(group, router);
    bool among =
        p->v[0]->nodes[router].class_id == group->class_id[0] && p->v[1]->nodes[router].class_id == group->class_id[1];
    struct prefixes shown[2] = {0};

    for (int side = 0; side < 2 && viewer != router; side++)
        if (policy_sees(p->v[side], viewer, router))
            policy_routes(p->v[side], viewer, router, &shown[side]);
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < shown[side].len; i++)
            if (!prefixes_has(&shown[1 - side], &shown[side].items[i]))
                add_route(p, side == 0, router, &shown[side].items[i], g, group->nodes.len - among, seen);
    prefixes_release(&shown[0]);
    prefixes_release(&shown[1]);
}

/* Accounts for computing what a group is shown of a router by both policies: each of its routes may be compared with
 * each rule. */
static bool spend_on(struct preview *p, uint32_t router)
{
    size_t steps = 1;

    for (int side = 0; side < 2; side++) {
        const struct policy_view *v = p->v[side];
        steps += v->nodes[router].routes.len * (1 + v->unit_words + v->via_rules.len);
    }
    return preview_spend(p, steps);
}

void preview_compare_routes(struct preview *p)
{
    struct id_list routers = {0}, seen = {0};

    for (uint32_t slot = 0; slot < p->v[0]->slots; slot++) {
        const struct vnode *a = view_node(p->v[0], slot), *b = view_node(p->v[1], slot);
        if (a && b && (a->routes.len || b->routes.len))
            vec_push(&routers, slot);
    }
    for (uint32_t g = 0; g < p->groups.len; g++) {
        seen.len = 0;
        for (size_t i = 0; i < routers.len && spend_on(p, routers.items[i]); i++)
            compare_route(p, g, routers.items[i], &seen);
        if (seen.len)
            add_viewers(p, g, &seen);
    }
    vec_release(&routers);
    vec_release(&seen);
}

/* ---- telling ---- */

static int by_count(const void *a, const void *b)
{
    const struct preview_route *x = *(const struct preview_route *const *)a,
                               *y = *(const struct preview_route *const *)b;

    if (x->hidden != y->hidden)
        return x->hidden ? -1 : 1;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return (x > y) - (x < y);
}

static int by_hidden(const void *a, const void *b)
{
    const struct preview_viewer *x = a, *y = b;
    size_t losses[2] = {x->hidden * x->count, y->hidden * y->count};

    if (losses[0] != losses[1])
        return losses[0] > losses[1] ? -1 : 1;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return (x->viewers.items[0] > y->viewers.items[0]) - (x->viewers.items[0] < y->viewers.items[0]);
}

static void put_route(const struct preview *p, uint32_t router, const struct prefix *route, struct json_out *o)
{
    char text[PREFIX_TEXT_MAX];

    json_put_str(o, "router", p->v[0]->nodes[router].name);
    json_put_str(o, "route", prefix_format(route, text));
}

static void put_by_route(const struct preview *p, size_t max_rows, struct json_out *o)
{
    const struct preview_route **sorted = mem_alloc((p->routes.len + 1) * sizeof(const struct preview_route *));

    for (size_t i = 0; i < p->routes.len; i++)
        sorted[i] = &p->routes.items[i];
    if (p->routes.len)
        qsort(sorted, p->routes.len, sizeof(*sorted), by_count);
    json_key(o, "routes");
    json_open(o, '[');
    for (size_t i = 0; i < p->routes.len && i < max_rows; i++) {
        json_open(o, '{');
        json_put_str(o, "kind", sorted[i]->hidden ? "hidden" : "shown");
        put_route(p, sorted[i]->router, &sorted[i]->route, o);
        preview_names(p, "viewers", &sorted[i]->viewers, sorted[i]->count, o);
        json_close(o, '}');
    }
    json_close(o, ']');
    free(sorted);
}

static void put_by_viewer(struct preview *p, size_t max_rows, struct json_out *o)
{
    if (p->viewers.len)
        qsort(p->viewers.items, p->viewers.len, sizeof(*p->viewers.items), by_hidden);
    json_key(o, "viewers");
    json_open(o, '[');
    for (size_t i = 0; i < p->viewers.len && i < max_rows; i++) {
        const struct preview_viewer *r = &p->viewers.items[i];
        json_open(o, '{');
        preview_names(p, "viewers", &r->viewers, r->count, o);
        json_put_u64(o, "hidden", r->hidden);
        json_put_u64(o, "shown", r->routes.len - r->hidden);
        json_key(o, "routes");
        json_open(o, '[');
        for (size_t k = 0; k < r->routes.len && k < ROUTES_SHOWN; k++) {
            const struct preview_route *route = &p->routes.items[r->routes.items[k]];
            json_open(o, '{');
            json_put_str(o, "kind", route->hidden ? "hidden" : "shown");
            put_route(p, route->router, &route->route, o);
            json_close(o, '}');
        }
        json_close(o, ']');
        json_close(o, '}');
    }
    json_close(o, ']');
}

struct preview_approval {
    const struct policy_approval *approval;
    size_t viewers;
};

static int by_viewers(const void *a, const void *b)
{
    const struct preview_approval *x = a, *y = b;

    if (x->viewers != y->viewers)
        return x->viewers > y->viewers ? -1 : 1;
    return (x->approval > y->approval) - (x->approval < y->approval);
}

static void put_approvals(const struct preview *p, size_t max_rows, struct json_out *o)
{
    size_t count = 0;
    struct preview_approval *list = mem_alloc((p->approvals->len + 1) * sizeof(*list));

    for (size_t i = 0; i < p->approvals->len; i++) {
        const struct policy_approval *a = &p->approvals->items[i];
        struct preview_route_key key = key_of(false, a->slot, &a->route);
        uintptr_t row = (uintptr_t)map_get(&p->route_index, &key, sizeof(key));
        if (view_node(p->v[0], a->slot))
            list[count++] = (struct preview_approval){a, row ? p->routes.items[row - 1].count : 0};
    }
    if (count)
        qsort(list, count, sizeof(*list), by_viewers);
    json_key(o, "approvals");
    json_open(o, '[');
    for (size_t i = 0; i < count && i < max_rows; i++) {
        json_open(o, '{');
        put_route(p, list[i].approval->slot, &list[i].approval->route, o);
        json_put_u64(o, "viewers", list[i].viewers);
        json_close(o, '}');
    }
    json_close(o, ']');
    free(list);
}

void preview_put_routes(struct preview *p, size_t max_rows, struct json_out *o)
{
    put_by_route(p, max_rows, o);
    put_by_viewer(p, max_rows, o);
    put_approvals(p, max_rows, o);
}

void preview_release_routes(struct preview *p)
{
    for (size_t i = 0; i < p->routes.len; i++)
        vec_release(&p->routes.items[i].viewers);
    for (size_t i = 0; i < p->viewers.len; i++) {
        vec_release(&p->viewers.items[i].viewers);
        vec_release(&p->viewers.items[i].routes);
    }
    vec_release(&p->routes);
    vec_release(&p->viewers);
    map_release(&p->route_index);
    map_release(&p->viewer_index);
}

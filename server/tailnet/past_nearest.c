/* SPDX-License-Identifier: BSD-3-Clause */
/* Images of which router serves which viewer of a prefix, in a few bytes per viewer. */
#include "tailnet/past.h"

#include <stdlib.h>

#include "base/vec.h"
#include "json/json.h"

#define IMAGE_MAX (1u << 20)

struct by_router {
    uint64_t router, viewer;
};

static int by_router_order(const void *a, const void *b)
{
    const struct by_router *x = a, *y = b;

    if (x->router != y->router)
        return x->router < y->router ? -1 : 1;
    return x->viewer < y->viewer ? -1 : x->viewer > y->viewer;
}

static uint64_t id_in(const struct tailnet_snapshot *s, uint32_t slot)
{
    const struct tailnet_node *n = slot == TAILNET_SLOT_NONE ? NULL : snapshot_node(s, slot);

    return n ? n->record->r.id : 0;
}

/* {"routers":[{"node":3,"viewers":[17,1,5]}]}: viewers in ascending order, each after the first as the difference to
 * the one before. */
void past_nearest(const struct tailnet_snapshot *s, const struct nearest_prefix *p, struct buf *out)
{
    VEC(struct by_router) all = {0};
    struct json_out o = JSON_OUT(out);

    for (uint32_t slot = 0; slot < p->viewers; slot++) {
        struct by_router v = {id_in(s, p->routers[slot]), id_in(s, slot)};
        if (v.router && v.viewer)
            vec_push(&all, v);
    }
    if (all.len)
        qsort(all.items, all.len, sizeof(all.items[0]), by_router_order);
    json_open(&o, '{');
    json_key(&o, "routers");
    json_open(&o, '[');
    for (size_t i = 0; i < all.len;) {
        uint64_t router = all.items[i].router, last = 0;
        json_open(&o, '{');
        json_put_u64(&o, "node", router);
        json_key(&o, "viewers");
        json_open(&o, '[');
        for (; i < all.len && all.items[i].router == router; last = all.items[i++].viewer)
            json_u64(&o, all.items[i].viewer - last);
        json_close(&o, ']');
        json_close(&o, '}');
    }
    json_close(&o, ']');
    json_close(&o, '}');
    vec_release(&all);
}

/* {"moves":[[17,3],[18,0]]} */
void past_nearest_moves(const struct past_viewer *moves, size_t count, struct buf *out)
{
    struct json_out o = JSON_OUT(out);

    json_open(&o, '{');
    json_key(&o, "moves");
    json_open(&o, '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&o, '[');
        json_u64(&o, moves[i].viewer);
        json_u64(&o, moves[i].router);
        json_close(&o, ']');
    }
    json_close(&o, ']');
    json_close(&o, '}');
}

static bool positive(const json_t *value, uint64_t *out)
{
    json_int_t number = json_is_integer(value) ? json_integer_value(value) : -1;

    *out = number < 0 ? 0 : (uint64_t)number;
    return number >= 0;
}

static bool visit_router(const json_t *of, past_visit *visit, void *arg)
{
    const json_t *viewers = json_object_get(of, "viewers");
    uint64_t router, viewer = 0, step;

    if (!positive(json_object_get(of, "node"), &router) || !router)
        return false;
    for (size_t i = 0; i < json_array_size(viewers); i++) {
        if (!positive(json_array_get(viewers, i), &step) || step > INT64_MAX - viewer)
            return false;
        viewer += step;
        visit(arg, viewer, router);
    }
    return true;
}

static bool visit_all(const json_t *image, past_visit *visit, void *arg)
{
    const json_t *routers = json_object_get(image, "routers"), *moves = json_object_get(image, "moves");
    uint64_t viewer, router;

    for (size_t i = 0; i < json_array_size(routers); i++)
        if (!visit_router(json_array_get(routers, i), visit, arg))
            return false;
    for (size_t i = 0; i < json_array_size(moves); i++) {
        const json_t *pair = json_array_get(moves, i);
        if (!positive(json_array_get(pair, 0), &viewer) || !positive(json_array_get(pair, 1), &router))
            return false;
        visit(arg, viewer, router);
    }
    return json_is_array(routers) || json_is_array(moves);
}

int past_nearest_read(const char *image, past_visit *visit, void *arg, struct err *e)
{
    json_t *object = NULL;
    int code = json_read_large(image, strlen(image), IMAGE_MAX, "image", &object, e);

    if (code == 0 && !visit_all(object, visit, arg))
        code = err_field(e, ERR_IO, "viewers", "viewers holds what it cannot");
    json_decref(object);
    return code;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Why a viewer is served by the router that serves it. */
#include "api/view/view.h"
#include "routes/routes.h"

static uint32_t distance(const struct tailnet_node *a, const struct tailnet_node *b)
{
    struct relay_latencies x = {0}, y = {0};

    relay_latencies_read(a->live.net_info, &x);
    relay_latencies_read(b->live.net_info, &y);
    uint32_t us = relay_distance(&x, &y);
    relay_latencies_release(&x);
    relay_latencies_release(&y);
    return us;
}

static void add_distance(struct buf *out, const struct tailnet_node *viewer, const struct tailnet_node *router)
{
    uint32_t us = distance(viewer, router);

    if (us == DISTANCE_UNKNOWN)
        buf_addf(out, "%s at an unknown distance", router->record->given_name);
    else if (us == DISTANCE_FAR)
        buf_addf(out, "%s with no relay in common", router->record->given_name);
    else
        buf_addf(out, "%s %u.%u ms away", router->record->given_name, us / 1000, us % 1000 / 100);
}

const struct tailnet_node *show_nearest(const struct tailnet_snapshot *s, const struct tailnet_node *viewer,
                                        const struct prefix *p, struct buf *why)
{
    const struct nearest_prefix *n = tailnet_nearest_find(s->nearest, p);
    const struct tailnet_node *router = n ? snapshot_node(s, nearest_router(n, viewer->slot)) : NULL;
    const struct tailnet_node *primary = n ? snapshot_node(s, n->primary) : NULL;
    char text[PREFIX_TEXT_MAX];

    if (!router || !primary)
        return NULL;
    buf_addf(why, "%s is served by the nearest router, by what was measured to relays: for %s that is ",
             prefix_format(p, text), viewer->record->given_name);
    add_distance(why, viewer, router);
    if (router != primary) {
        buf_adds(why, ", instead of the primary, ");
        add_distance(why, viewer, primary);
    } else {
        buf_adds(why, ", the primary: none is nearer by a fifth and 10 ms, or there is too little to compare");
    }
    return router;
}

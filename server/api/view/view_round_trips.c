/* SPDX-License-Identifier: BSD-3-Clause */
/* How far away nodes are: the round trips of PINGs on their control connections, and their clients' measurements to
 * relays. */
#include "api/view/view.h"
#include "control/control.h"
#include "model/api_past.h"
#include "routes/routes.h"

static struct api_round_trip round_trip(const struct control_round_trip *t)
{
    bool lost = t->us == CONTROL_LOST;

    return (struct api_round_trip){.time_ns = t->time_ns, .us = lost ? 0 : t->us, .lost = lost};
}

static void show_relays(struct api_view *v, const struct tailnet_node *n, struct arena *a, struct api_list *out)
{
    struct relay_latencies found = {0};

    relay_latencies_read(n->live.net_info, &found);
    out->items = arena_alloc(a, (found.len + 1) * sizeof(struct api_relay_latency));
    for (size_t i = 0; i < found.len; i++)
        *api_at(out, struct api_relay_latency, out->len++) =
            (struct api_relay_latency){.region = found.items[i].region,
                                       .name = arena_strdup(a, show_relay_name(v, found.items[i].region)),
                                       .us = found.items[i].us};
    relay_latencies_release(&found);
}

void show_round_trips(struct api_view *v, struct control *control, const struct tailnet_node *n, bool all,
                      struct arena *a, struct api_node_round_trips *out)
{
    struct control_round_trip kept[CONTROL_ROUND_TRIPS];
    size_t count = control ? control_round_trips(control, n->record->r.id, kept) : 0;

    *out = (struct api_node_round_trips){.node = n->record->r.id};
    if (count)
        out->last = round_trip(&kept[count - 1]);
    if (!all)
        return;
    out->round_trips.items = arena_alloc(a, (count + 1) * sizeof(struct api_round_trip));
    for (; out->round_trips.len < count; out->round_trips.len++)
        *api_at(&out->round_trips, struct api_round_trip, out->round_trips.len) =
            round_trip(&kept[out->round_trips.len]);
    show_relays(v, n, a, &out->relays);
}

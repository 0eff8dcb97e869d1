/* SPDX-License-Identifier: BSD-3-Clause */
/* Which router is nearest to a viewer, judged by the latencies that both measured to relays: the server itself is not
 * on the path between them. */
#include <stdlib.h>

#include "base/mem.h"
#include "routes/candidates.h"
#include "json/json.h"

#define NET_INFO_MAX  65536u
#define REGIONS_MAX   256    /* per node */
#define LATENCY_MAX_S 60.0   /* a larger value is no measurement */
#define NEARER_US     10000u /* the least gain that is worth a move ... */
#define MOVE_EACH_MS  600000 /* ... and the least time between moves: connections through the old router break */

/* ---- prefixes ---- */

static bool is_well(const struct contender *c)
{
    const struct routes_flags *f = &c->router->flags;

    if (f->draining || c->unreachable)
        return false;
    return contender_is_candidate(c) && f->healthy ? true : c->carried && !f->expired;
}

void routes_nearest(const struct routes *r, routes_visit *visit, void *arg)
{
    VEC(uint64_t) well = {0};

    if (!r->nearest_rules && r->defaults.nearest != PREFIX_NEAREST)
        return;
    for (struct map_entry *m = map_first(&r->entries); m; m = map_next(&r->entries, m)) {
        const struct routed_prefix *entry = m->value;
        if (entry->key.group || entry_rule(r, entry)->nearest != PREFIX_NEAREST || entry->contenders.len < 2)
            continue;
        well.len = 0;
        for (size_t i = 0; i < entry->contenders.len; i++)
            if (is_well(&entry->contenders.items[i]))
                vec_push(&well, entry->contenders.items[i].router->record->r.id);
        visit(arg, &entry->key.prefix, entry->primary, well.items, well.len);
    }
    vec_release(&well);
}

/* ---- distances ---- */

void relay_latencies_release(struct relay_latencies *l)
{
    vec_release(l);
}

/* "12-v4": region 12. */
static bool read_region(const char *key, uint32_t *out)
{
    char *end;
    unsigned long region = *key >= '1' && *key <= '9' ? strtoul(key, &end, 10) : 0;

    if (!region || region > INT32_MAX || (!str_eq(end, "-v4") && !str_eq(end, "-v6")))
        return false;
    *out = (uint32_t)region;
    return true;
}

/* If both address families have an entry, the better one counts. */
static void add_latency(struct relay_latencies *l, uint32_t region, uint32_t us)
{
    size_t at = 0;

    while (at < l->len && l->items[at].region < region)
        at++;
    if (at < l->len && l->items[at].region == region) {
        if (us < l->items[at].us)
            l->items[at].us = us;
    } else if (l->len < REGIONS_MAX) {
        *vec_insert(l, at) = (struct relay_latency){region, us};
    }
}

void relay_latencies_read(const char *net_info, struct relay_latencies *out)
{
    json_t *root = NULL, *value;
    const char *key;
    uint32_t region;

    vec_release(out);
    if (!*net_info || json_read(net_info, strlen(net_info), NET_INFO_MAX, "NetInfo", &root, NULL) < 0)
        return;
    json_object_foreach(json_object_get(root, "DERPLatency"), key, value)
    {
        double seconds = json_number_value(value);
        if (json_is_number(value) && seconds >= 0 && seconds <= LATENCY_MAX_S && read_region(key, &region))
            add_latency(out, region, (uint32_t)(seconds * 1e6));
    }
    json_decref(root);
}

uint32_t relay_distance(const struct relay_latencies *a, const struct relay_latencies *b)
{
    uint32_t best = DISTANCE_FAR;

    if (!a->len || !b->len)
        return DISTANCE_UNKNOWN;
    for (size_t i = 0, k = 0; i < a->len && k < b->len;) {
        uint32_t x = a->items[i].region, y = b->items[k].region;
        if (x == y && a->items[i].us + b->items[k].us < best)
            best = a->items[i].us + b->items[k].us;
        i += x <= y;
        k += y <= x;
    }
    return best;
}

/* Both have measured one region, the same one: that does not tell which is nearer. */
static bool are_alike(const struct relay_latencies *a, const struct relay_latencies *b)
{
    return a->len == 1 && b->len == 1 && a->items->region == b->items->region;
}

bool relay_distances(const struct relay_latencies *from, const struct relay_latencies *const *to, size_t count,
                     uint32_t *out)
{
    bool tells = false;

    for (size_t i = 0; i < count; i++) {
        out[i] = relay_distance(from, to[i]);
        tells = tells || (to[i]->len && !are_alike(from, to[i]));
    }
    return tells && from->len;
}

size_t nearest_choose(const uint32_t *distances, size_t count, size_t present, int64_t moved_ms, int64_t now_ms,
                      int64_t *due_ms)
{
    size_t best = present;
    uint32_t here = distances[present];

    for (size_t i = 0; i < count; i++)
        if (distances[i] < distances[best])
            best = i;
    if (here == DISTANCE_UNKNOWN || distances[best] >= DISTANCE_FAR)
        return present;
    bool nearer = here == DISTANCE_FAR
                      ? distances[best] < DISTANCE_FAR
                      : here - distances[best] >= NEARER_US && (uint64_t)distances[best] * 5 <= (uint64_t)here * 4;
    if (!nearer)
        return present;
    if (moved_ms == INT64_MIN || now_ms - moved_ms >= MOVE_EACH_MS)
        return best;
    if (moved_ms + MOVE_EACH_MS < *due_ms)
        *due_ms = moved_ms + MOVE_EACH_MS;
    return present;
}

size_t nearest_serve(const struct nearest_viewing *v, int64_t *moved_ms, int64_t now_ms, int64_t *due_ms)
{
    bool lost = v->present == v->count && v->had; /* then the move need not wait */
    size_t from = v->present < v->count ? v->present : v->primary, to = v->present;

    if (v->distances && from < v->count) {
        to = nearest_choose(v->distances, v->count, from, lost ? INT64_MIN : *moved_ms, now_ms, due_ms);
        lost = lost || to != from;
    }
    if (lost)
        *moved_ms = now_ms;
    return to;
}

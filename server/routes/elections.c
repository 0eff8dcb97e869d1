/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs an election over what changed, and reports who serves. */
#include "routes/routes.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "routes/candidates.h"

static int by_prefix(const void *a, const void *b)
{
    const struct route_move *x = a, *y = b;
    int order = prefix_cmp(&x->prefix, &y->prefix);

    return order ? order : strcmp(x->via ? x->via : "", y->via ? y->via : "");
}

static void move(struct routes *r, struct routed_prefix *entry, uint64_t to, const struct routes_time *now,
                 struct route_moves *moves)
{
    struct move_cause cause = entry_cause(r, entry, to);
    struct route_move m = {entry->key.prefix, entry->via, entry->primary, to, cause.text, NULL};

    if (!cause.seen) {
        m.actor = entry->actor;
        entry->actor = NULL;
    }
    vec_push(moves, m);
    entry->primary = to;
    entry->since_ns = now->wall_ns;
    if (!to)
        return;
    if (entry->last && entry->last != to)
        entry->moved_ms = now->mono_ms;
    entry->last = to;
}

static void list_waiting(struct routes *r, struct routed_prefix *entry)
{
    if (!entry->due_ms)
        return;
    if (entry->due_ms < r->due_ms)
        r->due_ms = entry->due_ms;
    if (!entry->listed)
        vec_push(&r->waiting, entry);
    entry->listed = true;
}

/* Makes prefixes whose delay is over take part. */
static void end_waits(struct routes *r, int64_t now_ms)
{
    size_t kept = 0;

    if (r->due_ms > now_ms)
        return;
    r->due_ms = INT64_MAX;
    for (size_t i = 0; i < r->waiting.len; i++) {
        struct routed_prefix *entry = r->waiting.items[i];
        if (entry->due_ms && entry->due_ms > now_ms) {
            r->waiting.items[kept++] = entry;
            r->due_ms = entry->due_ms < r->due_ms ? entry->due_ms : r->due_ms;
            continue;
        }
        entry->listed = false;
        if (entry->due_ms)
            entry_touch(r, entry);
    }
    r->waiting.len = kept;
}

static void drop_entry(struct routes *r, struct routed_prefix *entry)
{
    for (size_t i = 0; entry->listed && i < r->waiting.len; i++)
        if (r->waiting.items[i] == entry) {
            vec_remove(&r->waiting, i);
            break;
        }
    map_del(&r->entries, &entry->key, sizeof(entry->key));
    entry_free(entry);
}

/* Failback applies again from here on: the next election decides when. */
static void end_choice(struct routes *r, struct routed_prefix *entry, int64_t now_ms)
{
    entry_choose(r, entry, 0);
    entry->once = false;
    entry->due_ms = now_ms + 1;
}

void routes_elect(struct routes *r, const struct routes_time *now, struct route_moves *moves)
{
    size_t first = moves->len;

    end_waits(r, now->mono_ms);
    for (size_t i = 0; i < r->dirty.len; i++) {
        struct routed_prefix *entry = r->dirty.items[i];
        uint64_t to = entry_decide(r, entry, now->mono_ms);

        entry->dirty = false;
        if (to != entry->primary)
            move(r, entry, to, now, moves);
        if (entry->once)
            end_choice(r, entry, now->mono_ms);
        if (!entry->due_ms) {
            free(entry->actor);
            entry->actor = NULL;
        }
        if (entry->contenders.len == 0 && entry->primary == 0)
            drop_entry(r, entry);
        else
            list_waiting(r, entry);
    }
    r->dirty.len = 0;
    r->round++;
    if (moves->len - first > 1)
        qsort(moves->items + first, moves->len - first, sizeof(moves->items[0]), by_prefix);
}

int64_t routes_due(const struct routes *r)
{
    return r->due_ms;
}

/* ---- queries ---- */

uint64_t routes_primary(const struct routes *r, const struct prefix *p, int64_t *since_ns)
{
    const struct routed_prefix *entry = entry_find(r, p);

    if (since_ns)
        *since_ns = entry && entry->primary ? entry->since_ns : 0;
    return entry ? entry->primary : 0;
}

void routes_serving(const struct routes *r, uint64_t node, struct prefixes *out)
{
    const struct routes_router *router = map_getu(&r->routers, node);

    prefixes_release(out);
    for (size_t i = 0; router && i < router->places.len; i++)
        if (!router->places.items[i]->key.group && router->places.items[i]->primary == node)
            prefixes_add(out, &router->places.items[i]->key.prefix);
}

bool routes_replaceable(const struct routes *r, uint64_t node)
{
    const struct routes_router *router = map_getu(&r->routers, node);

    for (size_t i = 0; router && i < router->places.len; i++) {
        const struct routed_prefix *entry = router->places.items[i];
        for (size_t k = 0; entry->primary == node && k < entry->contenders.len; k++)
            if (entry->contenders.items[k].router != router && contender_is_candidate(&entry->contenders.items[k]))
                return true;
    }
    return false;
}

void routes_count(const struct routes *r, const struct prefix *p, size_t *entitled, size_t *candidates)
{
    const struct routed_prefix *entry = entry_find(r, p);
    size_t count = 0;

    for (size_t i = 0; entry && i < entry->contenders.len; i++)
        count += contender_is_candidate(&entry->contenders.items[i]);
    if (entitled)
        *entitled = entry ? entry->contenders.len : 0;
    if (candidates)
        *candidates = count;
}

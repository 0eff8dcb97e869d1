/* SPDX-License-Identifier: BSD-3-Clause */
/* A copy to try things on. */
#include <stdlib.h>

#include "base/mem.h"
#include "routes/candidates.h"

struct routes_flags routes_flags_of(const struct node *n, const struct node_live *live, bool expired)
{
    return (struct routes_flags){.online = live->online,
                                 .healthy = live->healthy,
                                 .expired = expired,
                                 .draining = n->draining,
                                 .flapping = live->flapping,
                                 .priority = (int)n->priority};
}

static void copy_router(struct routes *copy, const struct routes_router *from)
{
    struct routes_router *router = mem_dup(from, sizeof(*from));

    router->record = record_ref(from->record);
    router->entitled = (struct prefixes){0};
    prefixes_copy(&router->entitled, &from->entitled);
    router->unreachable = (struct prefixes){0};
    prefixes_copy(&router->unreachable, &from->unreachable);
    map_putu(&copy->routers, router->record->r.id, router);
}

static void copy_entry(struct routes *copy, const struct routed_prefix *from)
{
    struct routed_prefix *entry = mem_dup(from, sizeof(*from));

    entry->contenders.items = NULL;
    entry->contenders.len = entry->contenders.cap = 0;
    for (size_t i = 0; i < from->contenders.len; i++) {
        struct contender c = from->contenders.items[i];
        c.router = map_getu(&copy->routers, c.router->record->r.id);
        vec_push(&entry->contenders, c);
    }
    map_put(&copy->entries, &entry->prefix, sizeof(entry->prefix), entry);
    if (entry->dirty)
        vec_push(&copy->dirty, entry);
    if (entry->listed)
        vec_push(&copy->waiting, entry);
}

struct routes *routes_copy(const struct routes *r)
{
    struct routes *copy = routes_new(&r->defaults);

    for (const struct map_entry *m = map_first(&r->routers); m; m = map_next(&r->routers, m))
        if (((const struct routes_router *)m->value)->entitled.len)
            copy_router(copy, m->value);
    for (const struct map_entry *m = map_first(&r->entries); m; m = map_next(&r->entries, m))
        copy_entry(copy, m->value);
    copy->due_ms = r->due_ms;
    copy->round = r->round;
    return copy;
}

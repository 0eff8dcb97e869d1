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

struct routes *routes_copy(const struct routes *r)
{
    struct routes *copy = routes_new(&r->defaults);

    copy->round = r->round;
    for (const struct map_entry *m = map_first(&r->entries); m; m = map_next(&r->entries, m)) {
        const struct routed_prefix *from = m->value;
        struct routed_prefix *entry = mem_dup(from, sizeof(*from));
        entry->contenders.items = NULL;
        entry->contenders.len = entry->contenders.cap = 0;
        entry->dirty = true;
        map_put(&copy->entries, &entry->prefix, sizeof(entry->prefix), entry);
        vec_push(&copy->dirty, entry);
    }
    return copy;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* A copy for what-if elections. */
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
    router->places.items = NULL;
    router->places.len = router->places.cap = 0;
    prefixes_copy(&router->entitled, &from->entitled);
    router->unreachable = (struct prefixes){0};
    prefixes_copy(&router->unreachable, &from->unreachable);
    router->carried = (struct prefixes){0};
    prefixes_copy(&router->carried, &from->carried);
    map_putu(&copy->routers, router->record->r.id, router);
}

static void copy_entry(struct routes *copy, const struct routed_prefix *from)
{
    struct routed_prefix *entry = mem_dup(from, sizeof(*from));

    entry->actor = NULL;
    entry->contenders.items = NULL;
    entry->contenders.len = entry->contenders.cap = 0;
    for (size_t i = 0; i < from->contenders.len; i++) {
        struct contender c = from->contenders.items[i];
        c.router = map_getu(&copy->routers, c.router->record->r.id);
        vec_push(&entry->contenders, c);
    }
    map_put(&copy->entries, &entry->key, sizeof(entry->key), entry);
    for (size_t i = 0; i < copy->groups.len; i++)
        if (copy->groups.items[i].number == entry->key.group)
            entry->via = copy->groups.items[i].name;
    if (entry->dirty)
        vec_push(&copy->dirty, entry);
    if (entry->listed)
        vec_push(&copy->waiting, entry);
}

static void copy_groups(struct routes *copy, const struct routes *r)
{
    for (size_t i = 0; i < r->groups.len; i++) {
        struct election_group g = r->groups.items[i];
        g.name = mem_strdup(g.name);
        g.tags = (struct strs){0};
        strs_copy(&g.tags, &r->groups.items[i].tags);
        vec_push(&copy->groups, g);
    }
    copy->next_group = r->next_group;
}

/* Copies the contenders, in the order of the original. */
static void copy_places(struct routes *copy, const struct routes_router *from)
{
    struct routes_router *router = map_getu(&copy->routers, from->record->r.id);

    for (size_t i = 0; i < from->places.len; i++) {
        const struct election_key *key = &from->places.items[i]->key;
        vec_push(&router->places, map_get(&copy->entries, key, sizeof(*key)));
    }
}

struct routes *routes_copy(const struct routes *r)
{
    struct routes *copy = routes_new(&r->defaults);

    for (const struct map_entry *m = map_first(&r->routers); m; m = map_next(&r->routers, m))
        if (((const struct routes_router *)m->value)->entitled.len)
            copy_router(copy, m->value);
    copy_groups(copy, r);
    for (const struct map_entry *m = map_first(&r->rules); m; m = map_next(&r->rules, m)) {
        const struct prefix p = *(const struct prefix *)m->key;
        map_put(&copy->rules, &p, sizeof(p), mem_dup(m->value, sizeof(struct prefix_rule)));
    }
    for (const struct map_entry *m = map_first(&r->entries); m; m = map_next(&r->entries, m))
        copy_entry(copy, m->value);
    for (const struct map_entry *m = map_first(&r->routers); m; m = map_next(&r->routers, m))
        if (((const struct routes_router *)m->value)->entitled.len)
            copy_places(copy, m->value);
    copy->nearest_rules = r->nearest_rules;
    copy->due_ms = r->due_ms;
    copy->round = r->round;
    return copy;
}

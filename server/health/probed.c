/* SPDX-License-Identifier: BSD-3-Clause */
#include "health/probed.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static struct probed_prefix *find_prefix(struct probed_set *set, const struct prefix *prefix, const char *via,
                                         uint64_t nearest)
{
    for (size_t i = 0; i < set->len; i++)
        if (prefix_cmp(&set->items[i]->prefix, prefix) == 0 && str_eq(set->items[i]->via, via) &&
            set->items[i]->nearest == nearest)
            return set->items[i];
    return NULL;
}

struct probed_prefix *probed_of_all(struct probed_set *set, const struct prefix *prefix)
{
    return find_prefix(set, prefix, "", 0);
}

struct probed_prefix *probed_by_number(struct probed_set *set, uint64_t number)
{
    for (size_t i = 0; i < set->len; i++)
        if (set->items[i]->number == number)
            return set->items[i];
    return NULL;
}

struct probed_path *probed_path_of(struct probed_prefix *p, uint64_t router)
{
    for (size_t i = 0; i < p->path_count; i++)
        if (p->paths[i].router == router)
            return &p->paths[i];
    return NULL;
}

struct probed_path *probed_path_make(struct probed_prefix *p, const struct tailnet_node *n)
{
    struct probed_path *path = probed_path_of(p, n->record->r.id);

    if (!path) {
        if (p->path_count == PATHS_MAX)
            return NULL;
        path = &p->paths[p->path_count++];
        *path = (struct probed_path){.router = n->record->r.id};
    }
    path->unreachable = prefixes_has(&n->live.unreachable, &p->prefix);
    return path;
}

/* A router is probed where it serves. */
static bool serves_elsewhere(const struct probed_set *set, const struct probed_prefix *p, uint64_t router)
{
    for (size_t i = 0; i < set->len; i++)
        if (set->items[i] != p && set->items[i]->primary == router &&
            prefix_cmp(&set->items[i]->prefix, &p->prefix) == 0)
            return true;
    return false;
}

static bool is_member(const struct tailnet_node *n, const char *via)
{
    for (size_t len; *via; via += len + strspn(via + len, ", ")) {
        len = strcspn(via, ",");
        for (size_t i = 0; i < n->record->tags.len; i++)
            if (strlen(n->record->tags.items[i]) == len && strncmp(n->record->tags.items[i], via, len) == 0)
                return true;
    }
    return false;
}

/* Two tests of one standby would disturb each other. */
bool probed_is_path(const struct probed_set *set, const struct probed_prefix *p, const struct tailnet_node *n)
{
    uint64_t id = n->record->r.id;

    return (n->live.online || prefixes_has(&n->live.carried, &p->prefix)) && !n->expired &&
           prefixes_has(&n->record->approved, &p->prefix) && prefixes_has(&n->record->available, &p->prefix) &&
           (id == p->primary || (!p->nearest && (!*p->via || is_member(n, p->via)) && !serves_elsewhere(set, p, id) &&
                                 (!n->live.probe_helper || id == p->standby)));
}

bool probed_goes_on(const struct probed_set *set, const struct prefix *prefix)
{
    for (size_t i = 0; i < set->len; i++)
        if (set->items[i]->seen == set->tick && prefix_cmp(&set->items[i]->prefix, prefix) == 0)
            return true;
    return false;
}

/* What is probed, and for whom. */
struct probed_part {
    const struct prefix *prefix;
    const char *via;
    uint64_t nearest, primary;
};

static void take_target(struct probed_set *set, const struct probed_part *part, const struct addr *target)
{
    struct probed_prefix *p = find_prefix(set, part->prefix, part->via, part->nearest);

    if (!target->bits || (p && !addr_eq(&p->target, target)))
        return; /* a changed target ends it in this tick, and begins a new one in the next */
    if (!p) {
        if (set->len == PROBED_MAX)
            return;
        p = mem_alloc(sizeof(*p));
        p->number = ++set->numbers;
        p->prefix = *part->prefix;
        p->via = mem_strdup(part->via);
        p->nearest = part->nearest;
        p->target = *target;
        set->items[set->len++] = p;
    }
    p->primary = part->primary;
    p->seen = set->tick;
}

static uint64_t primary_of(const struct tailnet_snapshot *s, const struct prefix *prefix)
{
    for (size_t i = 0; i < s->primary_count; i++)
        if (prefix_cmp(&s->primaries[i]->prefix, prefix) == 0)
            return s->primaries[i]->r.id;
    return 0;
}

/* Adds each router that serves only the viewers it is the nearest to. */
static void take_nearest(struct probed_set *set, const struct tailnet_snapshot *s, const struct prefix *prefix,
                         const struct addr *target)
{
    const struct nearest_prefix *n = tailnet_nearest_find(s->nearest, prefix);

    for (uint32_t slot = 0; n && slot < n->words * 64; slot++) {
        const struct tailnet_node *router =
            slot != n->primary && nearest_serves(n, slot) ? snapshot_node(s, slot) : NULL;
        if (router)
            take_target(set, &(struct probed_part){prefix, "", router->record->r.id, router->record->r.id}, target);
    }
}

/* Adds the prefix for everybody, and for each group whose router is not probed yet. */
static void take_prefix(struct probed_set *set, const struct tailnet_snapshot *s, const struct prefix *prefix,
                        const struct addr *target)
{
    uint64_t primary = primary_of(s, prefix);

    take_target(set, &(struct probed_part){prefix, "", 0, primary}, target);
    take_nearest(set, s, prefix, target);
    for (size_t i = 0; i < s->via_primary_count; i++) {
        const struct via_primary *v = s->via_primaries[i];
        bool probed = v->r.id == primary;
        for (size_t k = 0; k < i && !probed; k++)
            probed = s->via_primaries[k]->r.id == v->r.id && prefix_cmp(&s->via_primaries[k]->prefix, prefix) == 0;
        if (!probed && prefix_cmp(&v->prefix, prefix) == 0)
            take_target(set, &(struct probed_part){prefix, v->tags, 0, v->r.id}, target);
    }
}

/* Targets set for a prefix come before those of the configuration. */
void probed_take_targets(struct probed_set *set, const struct tailnet_snapshot *s)
{
    for (size_t i = 0; i < s->prefix_settings_count; i++)
        take_prefix(set, s, &s->prefix_settings[i]->prefix, &s->prefix_settings[i]->rule.probe);
    for (size_t i = 0; s->settings && i < s->settings->probe_count; i++) {
        const struct prefix_settings *own = snapshot_prefix_settings(s, &s->settings->probes[i].prefix);
        if (!own || !own->rule.probe.bits)
            take_prefix(set, s, &s->settings->probes[i].prefix, &s->settings->probes[i].target);
    }
}

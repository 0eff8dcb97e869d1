/* SPDX-License-Identifier: BSD-3-Clause */
/* The decision about one prefix, and its cause in words. */
#include "base/clock.h"
#include "routes/candidates.h"

enum class {
    CLASS_WELL,
    CLASS_DRAINING,
    CLASS_UNHEALTHY,
    CLASS_NONE,
};

const struct contender *entry_contender(const struct routed_prefix *entry, uint64_t node)
{
    for (size_t i = 0; i < entry->contenders.len; i++)
        if (entry->contenders.items[i].router->record->r.id == node)
            return &entry->contenders.items[i];
    return NULL;
}

bool contender_is_candidate(const struct contender *contender)
{
    return contender->router->flags.online && !contender->router->flags.expired;
}

static enum class class_of(const struct contender *contender) {
    const struct routes_flags *f = &contender->router->flags;

    if (!contender_is_candidate(contender)) return CLASS_NONE;
    return !f->healthy || contender->unreachable ? CLASS_UNHEALTHY
           : f->draining                         ? CLASS_DRAINING
                                                 : CLASS_WELL;
}

const struct prefix_rule *entry_rule(const struct routes *r, const struct routed_prefix *entry)
{
    const struct prefix_rule *rule = map_get(&r->rules, &entry->key.prefix, sizeof(entry->key.prefix));

    return rule ? rule : &r->defaults;
}

static bool is_better(enum route_failback failback, uint64_t primary, const struct routes_router *a,
                      const struct routes_router *b)
{
    if (a->flags.flapping != b->flags.flapping)
        return b->flags.flapping;
    if (failback != FAILBACK_OLDEST && a->flags.priority != b->flags.priority)
        return a->flags.priority > b->flags.priority;
    return failback == FAILBACK_PRIORITY && a->record->r.id == primary;
}

/* Contenders are ordered by age: the oldest of equals comes first. */
static uint64_t best_of(const struct routes *r, const struct routed_prefix *entry, enum class class)
{
    enum route_failback failback = entry_rule(r, entry)->failback;
    const struct routes_router *best = NULL;

    for (size_t i = 0; i < entry->contenders.len; i++) {
        const struct contender *c = &entry->contenders.items[i];
        if (class_of(c) == class && (!best || is_better(failback, entry->primary, c->router, best)))
            best = c->router;
    }
    return best ? best->record->r.id : 0;
}

/* The present primary is as good as any: another takes over if the rule says so, after the delay. */
static uint64_t fail_back(const struct routes *r, struct routed_prefix *entry, enum class class, int64_t now_ms)
{
    const struct prefix_rule *rule = entry_rule(r, entry);
    uint64_t best = rule->failback == FAILBACK_STICKY ? entry->primary : best_of(r, entry, class);
    const struct contender *next = entry_contender(entry, best);

    if (best == entry->primary || next->well_ms == NOT_WELL)
        return entry->primary;
    int64_t due_ms = next->well_ms ? next->well_ms + rule->failback_delay_ns / NS_PER_MS : 0;
    int64_t held_ms = entry->moved_ms ? entry->moved_ms + rule->hold_down_ns / NS_PER_MS : 0;
    if (due_ms < held_ms)
        due_ms = held_ms;
    if (due_ms <= now_ms)
        return best;
    entry->due_ms = due_ms;
    return entry->primary;
}

static void note_wellness(const struct routes *r, struct contender *c, int64_t now_ms)
{
    if (class_of(c) != CLASS_WELL || c->router->flags.flapping)
        c->well_ms = NOT_WELL;
    else if (c->well_ms == NOT_WELL)
        c->well_ms = c->approved && c->round == r->round ? 0 : now_ms;
}

/* Its control connection is lost but its packets still arrive, so a move would gain nothing. An administrator's choice
 * takes precedence. */
static bool carries_on(const struct contender *present, const struct contender *chosen)
{
    const struct routes_flags *f = present ? &present->router->flags : NULL;

    return present && present->carried && (!f->online || !f->healthy) && !f->expired && !f->draining &&
           (!chosen || chosen == present || class_of(chosen) != CLASS_WELL);
}

uint64_t entry_decide(struct routes *r, struct routed_prefix *entry, int64_t now_ms)
{
    const struct contender *present = entry_contender(entry, entry->primary),
                           *chosen = entry_contender(entry, entry->chosen);
    bool keep = entry_rule(r, entry)->keep == PREFIX_KEEP;
    enum class best = CLASS_NONE;

    entry->due_ms = 0;
    for (size_t i = 0; i < entry->contenders.len; i++) {
        note_wellness(r, &entry->contenders.items[i], now_ms);
        if (class_of(&entry->contenders.items[i]) < best)
            best = class_of(&entry->contenders.items[i]);
    }
    if (entry->settling && present && !present->router->flags.expired && !present->router->flags.online)
        return entry->primary;
    if (carries_on(present, chosen))
        return entry->primary;
    entry->settling = false;
    if (!chosen || best == CLASS_NONE || class_of(chosen) != best)
        entry_choose(r, entry, 0);
    if (best <= CLASS_DRAINING) {
        if (entry->chosen)
            return entry->chosen;
        return present && class_of(present) == best ? fail_back(r, entry, best, now_ms) : best_of(r, entry, best);
    }
    if (best == CLASS_UNHEALTHY) {
        if (present && contender_is_candidate(present))
            return entry->primary;
        return keep ? best_of(r, entry, best) : 0;
    }
    return keep && present && !present->router->flags.expired ? entry->primary : 0;
}

/* Why the primary lost the prefix; no text if nothing is wrong with it. */
static struct move_cause loss(const struct routes *r, const struct routed_prefix *entry)
{
    const struct routes_router *from = map_getu(&r->routers, entry->primary);

    if (!from)
        return (struct move_cause){"deleted", false};
    if (!prefixes_has(&from->record->available, &entry->key.prefix))
        return (struct move_cause){"withdrawn", true};
    if (!prefixes_has(&from->record->approved, &entry->key.prefix))
        return (struct move_cause){"approval revoked", false};
    if (!from->record->authorized)
        return (struct move_cause){"no longer approved as a device", false};
    if (!entry_contender(entry, entry->primary))
        return (struct move_cause){"no longer has the tag", false};
    if (from->flags.expired)
        return (struct move_cause){from->record->logged_out ? "logged out" : "expired", from->record->logged_out};
    if (!from->flags.online)
        return (struct move_cause){
            entry->settled_round == r->round ? "did not come back after the restart" : "went offline", true};
    if (!from->flags.healthy)
        return (struct move_cause){"answers no probe", true};
    if (prefixes_has(&from->unreachable, &entry->key.prefix))
        return (struct move_cause){"does not forward, its probe target does not answer", true};
    return (struct move_cause){from->flags.draining ? "drained" : NULL, false};
}

struct move_cause entry_cause(const struct routes *r, const struct routed_prefix *entry, uint64_t to)
{
    const struct contender *contender = entry_contender(entry, to);
    struct move_cause lost = entry->primary ? loss(r, entry) : (struct move_cause){NULL, false};

    if (entry->regroup_round == r->round)
        return (struct move_cause){NULL, false};
    if (entry->chosen && entry->chosen == to && entry->chosen_round == r->round)
        return (struct move_cause){"by administrator", false};
    if (lost.text)
        return lost;
    if (entry->primary)
        return (struct move_cause){entry_rule(r, entry)->failback == FAILBACK_PRIORITY ? "higher priority"
                                                                                       : "the oldest router serves",
                                   false};
    if (entry->rule_round == r->round)
        return (struct move_cause){"rule changed", false};
    if (contender && contender->joined && contender->round == r->round)
        return (struct move_cause){contender->joined, false};
    if (contender && contender->router->rise.text && contender->router->round == r->round)
        return contender->router->rise;
    return (struct move_cause){"elected", false};
}

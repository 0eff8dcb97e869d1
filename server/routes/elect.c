/* SPDX-License-Identifier: BSD-3-Clause */
/* The decision about one prefix, and the words for it. */
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
    return !f->healthy   ? CLASS_UNHEALTHY
           : f->draining ? CLASS_DRAINING
                         : CLASS_WELL;
}

static const struct routes_rule *rule_of(const struct routes *r, const struct routed_prefix *entry)
{
    return entry->has_rule ? &entry->rule : &r->defaults;
}

/* The oldest, unless it comes and goes. */
static uint64_t first_of(const struct routed_prefix *entry, enum class class)
{
    const struct routes_router *first = NULL;

    for (size_t i = 0; i < entry->contenders.len; i++) {
        const struct routes_router *r = entry->contenders.items[i].router;
        if (class_of(&entry->contenders.items[i]) == class && (!first || (first->flags.flapping && !r->flags.flapping)))
            first = r;
    }
    return first ? first->record->r.id : 0;
}

static bool is_better(const struct routed_prefix *entry, const struct routes_router *a, const struct routes_router *b)
{
    if (a->flags.flapping != b->flags.flapping)
        return b->flags.flapping;
    if (a->flags.priority != b->flags.priority)
        return a->flags.priority > b->flags.priority;
    return a->record->r.id == entry->primary;
}

/* The highest priority; among equals the present primary, else the oldest. */
static uint64_t highest_of(const struct routed_prefix *entry, enum class class)
{
    const struct routes_router *best = NULL;

    for (size_t i = 0; i < entry->contenders.len; i++) {
        const struct contender *s = &entry->contenders.items[i];
        if (class_of(s) == class && (!best || is_better(entry, s->router, best)))
            best = s->router;
    }
    return best ? best->record->r.id : 0;
}

static uint64_t choose(const struct routes *r, const struct routed_prefix *entry, enum class class)
{
    const struct contender *present = entry_contender(entry, entry->primary);

    switch (rule_of(r, entry)->failback) {
    case FAILBACK_OLDEST:
        return first_of(entry, class);
    case FAILBACK_PRIORITY:
        return highest_of(entry, class);
    case FAILBACK_STICKY:
        break;
    }
    return present && class_of(present) == class ? entry->primary : first_of(entry, class);
}

uint64_t entry_decide(struct routes *r, struct routed_prefix *entry)
{
    const struct contender *present = entry_contender(entry, entry->primary),
                           *chosen = entry_contender(entry, entry->chosen);
    bool keep = rule_of(r, entry)->keep;
    enum class best = CLASS_NONE;

    if (entry->settling && present && !present->router->flags.expired && !present->router->flags.online)
        return entry->primary;
    entry->settling = false;
    for (size_t i = 0; i < entry->contenders.len; i++)
        if (class_of(&entry->contenders.items[i]) < best)
            best = class_of(&entry->contenders.items[i]);
    if (!chosen || best == CLASS_NONE || class_of(chosen) != best)
        entry->chosen = 0;
    if (best <= CLASS_DRAINING)
        return entry->chosen ? entry->chosen : choose(r, entry, best);
    if (best == CLASS_UNHEALTHY) {
        if (present && contender_is_candidate(present))
            return entry->primary;
        return keep ? first_of(entry, best) : 0;
    }
    return keep && present && !present->router->flags.expired ? entry->primary : 0;
}

/* Why the primary lost the prefix, or NULL where nothing is wrong with it. */
static const char *loss(const struct routes *r, const struct routed_prefix *entry)
{
    const struct routes_router *from = map_getu(&r->routers, entry->primary);

    if (!from)
        return "deleted";
    if (!prefixes_has(&from->record->available, &entry->prefix))
        return "withdrawn";
    if (!prefixes_has(&from->record->approved, &entry->prefix))
        return "approval revoked";
    if (!from->record->authorized)
        return "no longer approved as a device";
    if (from->flags.expired)
        return from->record->logged_out ? "logged out" : "expired";
    if (!from->flags.online)
        return entry->settled_round == r->round ? "did not come back after the restart" : "went offline";
    if (!from->flags.healthy)
        return "answers no probe";
    return from->flags.draining ? "drained" : NULL;
}

const char *entry_cause(const struct routes *r, const struct routed_prefix *entry, uint64_t to)
{
    const struct contender *contender = entry_contender(entry, to);
    const char *lost = entry->primary ? loss(r, entry) : NULL;

    if (entry->chosen && entry->chosen == to && entry->chosen_round == r->round)
        return "by administrator";
    if (lost)
        return lost;
    if (entry->primary)
        return rule_of(r, entry)->failback == FAILBACK_PRIORITY ? "higher priority" : "the oldest router serves";
    if (entry->rule_round == r->round)
        return "rule changed";
    if (contender && contender->joined && contender->round == r->round)
        return contender->joined;
    if (contender && contender->router->rise && contender->router->round == r->round)
        return contender->router->rise;
    return "elected";
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* The decision about one prefix, and the words for it. */
#include "routes/private.h"

enum class {
    CLASS_WELL,
    CLASS_DRAINING,
    CLASS_UNHEALTHY,
    CLASS_NONE,
};

const struct seat *entry_seat(const struct entry *entry, uint64_t node)
{
    for (size_t i = 0; i < entry->seats.len; i++)
        if (entry->seats.items[i].router->record->r.id == node)
            return &entry->seats.items[i];
    return NULL;
}

bool seat_is_candidate(const struct seat *seat)
{
    return seat->router->flags.online && !seat->router->flags.expired;
}

static enum class class_of(const struct seat *seat) {
    const struct routes_flags *f = &seat->router->flags;

    if (!seat_is_candidate(seat)) return CLASS_NONE;
    return !f->healthy   ? CLASS_UNHEALTHY
           : f->draining ? CLASS_DRAINING
                         : CLASS_WELL;
}

static const struct routes_rule *rule_of(const struct routes *r, const struct entry *entry)
{
    return entry->has_rule ? &entry->rule : &r->defaults;
}

/* The oldest, unless it comes and goes. */
static uint64_t first_of(const struct entry *entry, enum class class)
{
    const struct router *first = NULL;

    for (size_t i = 0; i < entry->seats.len; i++) {
        const struct router *r = entry->seats.items[i].router;
        if (class_of(&entry->seats.items[i]) == class && (!first || (first->flags.flapping && !r->flags.flapping)))
            first = r;
    }
    return first ? first->record->r.id : 0;
}

static bool is_better(const struct entry *entry, const struct router *a, const struct router *b)
{
    if (a->flags.flapping != b->flags.flapping)
        return b->flags.flapping;
    if (a->flags.priority != b->flags.priority)
        return a->flags.priority > b->flags.priority;
    return a->record->r.id == entry->primary;
}

/* The highest priority; among equals the present primary, else the oldest. */
static uint64_t highest_of(const struct entry *entry, enum class class)
{
    const struct router *best = NULL;

    for (size_t i = 0; i < entry->seats.len; i++) {
        const struct seat *s = &entry->seats.items[i];
        if (class_of(s) == class && (!best || is_better(entry, s->router, best)))
            best = s->router;
    }
    return best ? best->record->r.id : 0;
}

static uint64_t choose(const struct routes *r, const struct entry *entry, enum class class)
{
    const struct seat *present = entry_seat(entry, entry->primary);

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

uint64_t entry_decide(struct routes *r, struct entry *entry)
{
    const struct seat *present = entry_seat(entry, entry->primary), *chosen = entry_seat(entry, entry->chosen);
    bool keep = rule_of(r, entry)->keep;
    enum class best = CLASS_NONE;

    if (entry->settling && present && !present->router->flags.expired && !present->router->flags.online)
        return entry->primary;
    entry->settling = false;
    for (size_t i = 0; i < entry->seats.len; i++)
        if (class_of(&entry->seats.items[i]) < best)
            best = class_of(&entry->seats.items[i]);
    if (!chosen || best == CLASS_NONE || class_of(chosen) != best)
        entry->chosen = 0;
    if (best <= CLASS_DRAINING)
        return entry->chosen ? entry->chosen : choose(r, entry, best);
    if (best == CLASS_UNHEALTHY) {
        if (present && seat_is_candidate(present))
            return entry->primary;
        return keep ? first_of(entry, best) : 0;
    }
    return keep && present && !present->router->flags.expired ? entry->primary : 0;
}

/* Why the primary lost the prefix, or NULL where nothing is wrong with it. */
static const char *loss(const struct routes *r, const struct entry *entry)
{
    const struct router *from = map_getu(&r->routers, entry->primary);

    if (!from)
        return "deleted";
    if (!prefixes_has(&from->record->available, &entry->prefix))
        return "withdrawn";
    if (!prefixes_has(&from->record->approved, &entry->prefix))
        return "approval revoked";
    if (from->flags.expired)
        return from->record->logged_out ? "logged out" : "expired";
    if (!from->flags.online)
        return entry->settled_round == r->round ? "did not come back after the restart" : "went offline";
    if (!from->flags.healthy)
        return "answers no probe";
    return from->flags.draining ? "drained" : NULL;
}

const char *entry_cause(const struct routes *r, const struct entry *entry, uint64_t to)
{
    const struct seat *seat = entry_seat(entry, to);
    const char *lost = entry->primary ? loss(r, entry) : NULL;

    if (entry->chosen && entry->chosen == to && entry->chosen_round == r->round)
        return "by administrator";
    if (lost)
        return lost;
    if (entry->primary)
        return rule_of(r, entry)->failback == FAILBACK_PRIORITY ? "higher priority" : "the oldest router serves";
    if (entry->rule_round == r->round)
        return "rule changed";
    if (seat && seat->joined && seat->round == r->round)
        return seat->joined;
    if (seat && seat->router->rise && seat->router->round == r->round)
        return seat->router->rise;
    return "elected";
}

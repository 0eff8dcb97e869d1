/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to the room: the two indexes, nodes by id and contenders by prefix. */
#ifndef SERVER_ROUTES_CANDIDATES_H
#define SERVER_ROUTES_CANDIDATES_H

#include "base/map.h"
#include "base/vec.h"
#include "routes/routes.h"

struct routed_prefix;

/* Why a prefix moved. seen: what the router did itself, even if someone changed something at the same time. */
struct move_cause {
    const char *text; /* NULL: not the cause */
    bool seen;
};

struct routes_router {
    const struct node *record; /* referenced */
    struct routes_flags flags;
    struct prefixes unreachable, carried;
    struct prefixes entitled;           /* subnet prefixes, advertised and approved */
    VEC(struct routed_prefix *) places; /* where it is a contender, in key order */
    struct move_cause rise;             /* what made it a better candidate in the round below */
    uint64_t round;
};

/* A router that is entitled to a prefix, as seen by that prefix. */
struct contender {
    struct routes_router *router;
    const char *joined; /* how it became one in the round below */
    bool unreachable;   /* the probe target does not answer through it */
    bool carried;       /* it does, although the router is offline or does not answer */
    uint64_t round;
    bool approved;   /* it became one by an approval */
    int64_t well_ms; /* since when it could serve without reservation; NOT_WELL: it cannot */
};
#define NOT_WELL INT64_MAX

struct election_key {
    struct prefix prefix;
    uint64_t group; /* number of a struct election_group, 0: the election for everyone */
};

struct election_group {
    uint64_t number;
    char *name;
    struct strs tags;
    size_t index; /* the policy's index for it */
};

struct routed_prefix {
    struct election_key key;
    const char *via;                  /* the group's name, or NULL */
    VEC(struct contender) contenders; /* by (created, id) */
    uint64_t primary, chosen;
    bool once;     /* chosen ends with the next election, after which failback applies */
    uint64_t last; /* the last primary, kept while no router serves */
    int64_t since_ns;
    int64_t moved_ms; /* when it last moved between routers; 0: never */
    int64_t due_ms;   /* when its pending move to a better router is due; 0: none pending */
    struct prefix_rule rule;
    bool has_rule;
    char *
        actor; /* who made the last change since the last election, or the change behind a pending move; NULL: no one */
    bool settling;      /* restored, and its router was not back yet */
    bool dirty, listed; /* listed: in waiting */
    uint64_t settled_round, rule_round, chosen_round, regroup_round;
};

struct routes {
    struct prefix_rule defaults;
    char *actor;                             /* whose changes are being reported; NULL: no one's */
    struct map routers;                      /* id -> struct routes_router * */
    struct map entries;                      /* struct election_key -> struct routed_prefix * */
    struct map rules;                        /* prefix -> struct prefix_rule * */
    VEC(struct election_group) groups, gone; /* gone: previous groups, whose names moves may still hold */
    uint64_t next_group;
    const struct policy_view *policy; /* the policy that the groups belong to */
    VEC(struct routed_prefix *) dirty;
    VEC(struct routed_prefix *) waiting; /* entries with a due_ms, and some that no longer have one */
    int64_t due_ms;                      /* the earliest of theirs */
    bool choices_changed;                /* see routes_choices_changed */
    size_t nearest_rules;                /* rules of single prefixes that ask for the nearest router */
    uint64_t round;                      /* counts elections: notes for an earlier round are stale */
};

struct routed_prefix *entry_at(const struct routes *r, const struct route_place *at); /* NULL: none */
const struct election_group *group_called(const struct routes *r, const char *name);  /* NULL: none */
struct routed_prefix *entry_find(const struct routes *r,
                                 const struct prefix *p);        /* the election for everyone; NULL: none */
void entry_touch(struct routes *r, struct routed_prefix *entry); /* it takes part in the next election */
void entry_free(struct routed_prefix *entry);

const struct prefix_rule *entry_rule(const struct routes *r, const struct routed_prefix *entry);
const struct contender *entry_contender(const struct routed_prefix *entry, uint64_t node);
bool contender_is_candidate(const struct contender *contender);
/* node is the administrator's choice from now on; 0: there is no choice any more. */
static inline void entry_choose(struct routes *r, struct routed_prefix *entry, uint64_t node)
{
    r->choices_changed = r->choices_changed || entry->chosen != node;
    entry->chosen = node;
}
/* Decides one entry, notes in it what it waits for, and ends what the decision ends (settling, a choice that cannot
 * hold). */
uint64_t entry_decide(struct routes *r, struct routed_prefix *entry, int64_t now_ms);
struct move_cause entry_cause(const struct routes *r, const struct routed_prefix *entry, uint64_t to);

#endif

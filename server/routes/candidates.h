/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to the room: the two indexes, nodes by id and contenders by prefix. */
#ifndef SERVER_ROUTES_CANDIDATES_H
#define SERVER_ROUTES_CANDIDATES_H

#include "base/map.h"
#include "base/vec.h"
#include "routes/routes.h"

struct routed_prefix;

/* The words for a move; seen: what the router did, whoever changed something at the same time. */
struct move_cause {
    const char *text; /* NULL: it is not about that */
    bool seen;
};

struct routes_router {
    const struct node *record; /* referenced */
    struct routes_flags flags;
    struct prefixes unreachable, carried;
    struct prefixes entitled;           /* subnet prefixes, advertised and approved */
    VEC(struct routed_prefix *) places; /* where it is a contender, in the order of their keys */
    struct move_cause rise;             /* what made it a better candidate in the round below */
    uint64_t round;
};

/* One router's place at one prefix. */
struct contender {
    struct routes_router *router;
    const char *joined; /* how it got here in the round below */
    bool unreachable;   /* the probe target does not answer through it */
    bool carried;       /* it does, although the router is offline or answers nothing */
    uint64_t round;
    bool approved;   /* so it got here */
    int64_t well_ms; /* since when it could serve without any doubt, NOT_WELL: it cannot */
};
#define NOT_WELL INT64_MAX

struct election_key {
    struct prefix prefix;
    uint64_t group; /* number of a struct election_group, 0: everybody */
};

struct election_group {
    uint64_t number;
    char *name;
    struct strs tags;
    size_t index; /* as the policy counts it */
};

struct routed_prefix {
    struct election_key key;
    const char *via;                  /* the group's name, or NULL */
    VEC(struct contender) contenders; /* by (created, id) */
    uint64_t primary, chosen;
    bool once;     /* chosen ends with the election that follows it */
    uint64_t last; /* the last primary, while nobody serves too */
    int64_t since_ns;
    int64_t moved_ms; /* when it went from one router to another; 0: it did not yet */
    int64_t due_ms;   /* until when its move to a better router waits; 0: none does */
    struct prefix_rule rule;
    bool has_rule;
    char *actor;        /* who changed something since the last election, or what it waits for; NULL: nobody */
    bool settling;      /* restored, and its router was not back yet */
    bool dirty, listed; /* listed: in waiting */
    uint64_t settled_round, rule_round, chosen_round, regroup_round;
};

struct routes {
    struct prefix_rule defaults;
    char *actor;                             /* whose changes are told; NULL: nobody's */
    struct map routers;                      /* id -> struct routes_router * */
    struct map entries;                      /* struct election_key -> struct routed_prefix * */
    struct map rules;                        /* prefix -> struct prefix_rule * */
    VEC(struct election_group) groups, gone; /* gone: those of before, whose names moves may still hold */
    uint64_t next_group;
    const struct policy_view *policy; /* whose groups they are */
    VEC(struct routed_prefix *) dirty;
    VEC(struct routed_prefix *) waiting; /* those with a due_ms, and some that had one */
    int64_t due_ms;                      /* of the first of them */
    bool choices_changed;                /* see routes_choices_changed */
    size_t nearest_rules;                /* own rules that ask for the nearest router */
    uint64_t round;                      /* counts elections: what is noted for a round is stale after it */
};

struct routed_prefix *entry_at(const struct routes *r, const struct route_place *at); /* NULL: none */
const struct election_group *group_called(const struct routes *r, const char *name);  /* NULL: none */
struct routed_prefix *entry_find(const struct routes *r, const struct prefix *p);     /* for everybody; NULL: none */
void entry_touch(struct routes *r, struct routed_prefix *entry); /* it takes part in the next election */
void entry_free(struct routed_prefix *entry);

const struct prefix_rule *entry_rule(const struct routes *r, const struct routed_prefix *entry);
const struct contender *entry_contender(const struct routed_prefix *entry, uint64_t node);
bool contender_is_candidate(const struct contender *contender);
/* node is an administrator's choice from now on; 0: there is none any more. */
static inline void entry_choose(struct routes *r, struct routed_prefix *entry, uint64_t node)
{
    r->choices_changed = r->choices_changed || entry->chosen != node;
    entry->chosen = node;
}
/* Decides one entry, says in it what it waits for, and ends what the decision ends (settling, a choice that cannot
 * hold). */
uint64_t entry_decide(struct routes *r, struct routed_prefix *entry, int64_t now_ms);
struct move_cause entry_cause(const struct routes *r, const struct routed_prefix *entry, uint64_t to);

#endif

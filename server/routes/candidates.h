/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to the room: the two indexes, nodes by id and contenders by prefix. */
#ifndef SERVER_ROUTES_CANDIDATES_H
#define SERVER_ROUTES_CANDIDATES_H

#include "base/map.h"
#include "base/vec.h"
#include "routes/routes.h"

struct routes_router {
    const struct node *record; /* referenced */
    struct routes_flags flags;
    struct prefixes entitled; /* subnet prefixes, advertised and approved */
    const char *rise;         /* what made it a better candidate in the round below */
    uint64_t round;
};

/* One router's place at one prefix. */
struct contender {
    struct routes_router *router;
    const char *joined; /* how it got here in the round below */
    uint64_t round;
};

struct routed_prefix {
    struct prefix prefix;
    VEC(struct contender) contenders; /* by (created, id) */
    uint64_t primary, chosen;
    int64_t since_ns;
    struct routes_rule rule;
    bool has_rule;
    bool settling; /* restored, and its router was not back yet */
    bool dirty;
    uint64_t settled_round, rule_round, chosen_round;
};

struct routes {
    struct routes_rule defaults;
    struct map routers; /* id -> struct routes_router * */
    struct map entries; /* prefix -> struct routed_prefix * */
    VEC(struct routed_prefix *) dirty;
    uint64_t round; /* counts elections: what is noted for a round is stale after it */
};

const struct contender *entry_contender(const struct routed_prefix *entry, uint64_t node);
bool contender_is_candidate(const struct contender *contender);
/* Decides one entry and ends what the decision ends (settling, a choice that cannot hold). */
uint64_t entry_decide(struct routes *r, struct routed_prefix *entry);
const char *entry_cause(const struct routes *r, const struct routed_prefix *entry, uint64_t to);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Who serves which subnet prefix, and why. Pure logic: no clock, no disk, no threads; whoever owns a struct routes
 * tells it what changed, and asks for one election over everything that changed. One event touches only the prefixes of
 * its node: the cost is (prefixes of the node) * (routers of each).
 *
 * A router is a candidate for a prefix while it advertises it, the prefix is approved, the node is online and its key
 * has not expired. Candidates are ordered by (created, id). The primary keeps a prefix while it is a healthy candidate;
 * draining routers serve only where nobody else can, unhealthy ones only where they did before. Of those that are
 * equally well, one that comes and goes is elected last, and the one with the highest priority first. Exit routes are
 * never elected: every approved exit node offers them.
 *
 * A prefix moves at once from a router that cannot serve any more. It moves from one that can to a better one only
 * where its rule says so, and only after a while: see struct prefix_rule. */
#ifndef SERVER_ROUTES_ROUTES_H
#define SERVER_ROUTES_ROUTES_H

#include "model/record.h"

struct policy_view;
struct routes;

struct routes_flags {
    bool online, healthy, expired, draining;
    bool flapping; /* comes and goes: others are elected before it, but it keeps what it serves */
    int priority;  /* higher is better; FAILBACK_OLDEST does not look at it */
};

/* What a node's record and presence are to an election. */
struct routes_flags routes_flags_of(const struct node *n, const struct node_live *live, bool expired);

/* from or to 0: nobody. cause is a static text that completes "PREFIX moved from A to B: ...", about the router that
 * lost the prefix where there was one ("went offline", "answers no probe", "withdrawn", "approval revoked", "deleted",
 * "expired", "drained", "by administrator", ...), else about the one that gained it ("came online", "approved", ...).
 */
struct route_move {
    struct prefix prefix;
    const char *via; /* the group's name, NULL: the election for everybody; valid until the groups are set again */
    uint64_t from, to;
    const char *cause; /* NULL: the group came or went with a policy */
    char *actor;       /* the administrator whose change it follows, also after a wait; NULL: nobody's */
};
struct route_moves {
    struct route_move *items;
    size_t len, cap;
};
void route_moves_release(struct route_moves *moves);

struct routes *routes_new(const struct prefix_rule *defaults);
void routes_free(struct routes *r);
/* An election on the copy goes as one on r, which stays as it is. Nodes without a prefix are not in it. */
struct routes *routes_copy(const struct routes *r);

/* The administrator whose changes the calls below tell, until the next call; NULL: nobody's. Copied. */
void routes_set_actor(struct routes *r, const char *actor);

/* The rule of all prefixes that have none of their own. Every prefix takes part in the next election. */
void routes_set_defaults(struct routes *r, const struct prefix_rule *defaults);

/* A rule for one prefix, NULL: the defaults again, in groups too. Counts from the next election, in which the prefix
 * takes part. */
void routes_set_rule(struct routes *r, const struct prefix *p, const struct prefix_rule *rule);

/* At start, before the first election: node served p when this was last written, and an administrator had chosen it or
 * not. Until routes_settled (the owner's
 * timer, some seconds later) no other router takes p, unless node is deleted, expired or no longer entitled to it. */
struct route_served {
    uint64_t node;
    int64_t since_ns;
    bool chosen;
};
void routes_restore(struct routes *r, const struct prefix *p, const struct route_served *served);
void routes_settled(struct routes *r);

/* The policy's groups of routers that grants name with via (v NULL: none). Within each the same elections are held
 * beside the one for everybody, among the routers that have one of its tags, about the prefixes that its grants
 * concern. Groups that were there before keep who serves. v is asked until it is replaced. */
void routes_set_policy(struct routes *r, const struct policy_view *v);
/* As routes_restore, within a group; false: there is none of that name. */
bool routes_restore_in(struct routes *r, const char *group, const struct prefix *p, const struct route_served *served);
/* Another router could take over at once something that node serves, for everybody or within a group. */
bool routes_replaceable(const struct routes *r, uint64_t node);

/* What is known of a node now; the record is referenced, not copied. Changes nothing but what the next election looks
 * at, so that several results that belong together are decided in one step. */
void routes_set_node(struct routes *r, const struct node *record, const struct routes_flags *flags);
/* What is known of the targets behind a node's prefixes. Where one does not answer through the node, it counts as
 * unhealthy for that prefix. carried: where it does, although the node is offline or unhealthy: it keeps those that it
 * serves. After routes_set_node. */
void routes_set_evidence(struct routes *r, uint64_t node, const struct prefixes *unreachable,
                         const struct prefixes *carried);
void routes_remove_node(struct routes *r, uint64_t id);

/* Whose election: of a prefix for everybody (via NULL), or within the group of that name. */
struct route_place {
    const struct prefix *prefix;
    const char *via;
};
/* Whether node could serve there now: ERR_INVALID for an exit route, ERR_MISSING where nobody is entitled to the prefix
 * or no group has the name, ERR_PRECONDITION with the reason where node cannot. */
int routes_can_serve(const struct routes *r, const struct route_place *at, uint64_t node, struct err *e) WARN_UNUSED;
/* An administrator wants node to serve there from the next election on. It does so until it cannot, another one is
 * chosen, or the prefix gets another failback; PRIMARY_ONCE: until the failback moves the prefix. Fails as
 * routes_can_serve does. */
int routes_prefer(struct routes *r, const struct route_place *at, uint64_t node, enum primary_choice choice,
                  struct err *e) WARN_UNUSED;
/* Whether the node that serves there does so since an administrator chose it. */
bool routes_is_chosen(const struct routes *r, const struct route_place *at);
/* Whether such a choice began or ended since this was last asked. */
bool routes_choices_changed(struct routes *r);
/* The node that serves there, 0: nobody. */
uint64_t routes_primary_at(const struct routes *r, const struct route_place *at);
/* Since when (wall time), 0: nobody does. */
int64_t routes_since(const struct routes *r, const struct route_place *at);
/* The name of a group from tags as somebody writes them, "tag:b,tag:a": in order, ", " between them. The caller owns
 * it. */
char *route_group_name(const char *tags);

/* Elects for every prefix that something changed for, or whose wait is over. Appends what moved, by prefix, to moves.
 * The wall time becomes the time since which the new primary serves. */
struct routes_time {
    int64_t wall_ns, mono_ms;
};
void routes_elect(struct routes *r, const struct routes_time *now, struct route_moves *moves);
/* When the first of the prefixes that wait for their hold-down or for a failback is due (mono ms), INT64_MAX: none. */
int64_t routes_due(const struct routes *r);

/* The node that serves p, 0: nobody. since_ns may be NULL. */
uint64_t routes_primary(const struct routes *r, const struct prefix *p, int64_t *since_ns);
/* What a node is the primary of; out is released first. */
void routes_serving(const struct routes *r, uint64_t node, struct prefixes *out);
/* How many nodes are entitled to p (advertised and approved), and how many of them are candidates; either may be NULL.
 * Two candidates make a prefix highly available. */
void routes_count(const struct routes *r, const struct prefix *p, size_t *entitled, size_t *candidates);

/* ---- the nearest router of each viewer ---- */

/* Calls visit for each prefix that is served by the nearest router and has several, with the ids of those that are
 * well, in the order of election, and its primary (0: none). Costs nothing where no rule asks for it, else a look at
 * all prefixes. */
typedef void routes_visit(void *arg, const struct prefix *p, uint64_t primary, const uint64_t *routers, size_t count);
void routes_nearest(const struct routes *r, routes_visit *visit, void *arg);

/* What a node measured to the regions of relays (tailcfg.NetInfo.DERPLatency), by region. */
struct relay_latency {
    uint32_t region, us;
};
struct relay_latencies {
    struct relay_latency *items;
    size_t len, cap;
};
/* Of a NetInfo as JSON; what is none gives none. out is released first. */
void relay_latencies_read(const char *net_info, struct relay_latencies *out);
void relay_latencies_release(struct relay_latencies *l);

/* The way between two nodes over the region that suits both best, in us: what can be known of their distance. */
#define DISTANCE_UNKNOWN UINT32_MAX       /* one of them has measured nothing */
#define DISTANCE_FAR     (UINT32_MAX - 1) /* they have no region in common */
uint32_t relay_distance(const struct relay_latencies *a, const struct relay_latencies *b);

/* Those from one node to each of count others. False: what was measured does not tell which is nearer. */
bool relay_distances(const struct relay_latencies *from, const struct relay_latencies *const *to, size_t count,
                     uint32_t *out);

/* Which of count routers, at these distances, serves a viewer that is served by present (an index). It moves to one
 * that is nearer by a fifth and by 10 ms, at most each ten minutes: moved_ms is when it moved last, INT64_MIN: never or
 * its router is lost. *due_ms (mono ms) is lowered to when a move that is too early may be. */
size_t nearest_choose(const uint32_t *distances, size_t count, size_t present, int64_t moved_ms, int64_t now_ms,
                      int64_t *due_ms);

/* The same for a viewer as it is: which of count routers serves it from now on, count: none in particular, but the
 * primary. moved_ms becomes now where it moves. */
struct nearest_viewing {
    const uint32_t *distances; /* NULL: what was measured does not tell */
    size_t count;
    size_t present, primary; /* indices; count: not one of them */
    bool had;                /* a router other than the primary served it, or had been chosen for it */
};
size_t nearest_serve(const struct nearest_viewing *v, int64_t *moved_ms, int64_t now_ms, int64_t *due_ms);

/* ---- for tables: the state of one prefix on one node, from facts that any snapshot has ---- */

struct route_facts {
    const struct node *node;
    const struct prefix *prefix;
    bool unreachable; /* the prefix's probe target does not answer through the node */
    bool carried;     /* it does, although the node is offline or answers nothing */
    struct routes_flags flags;
    bool chosen;                /* an administrator chose the primary */
    const struct node *primary; /* who serves it now, NULL: nobody; not used for exit routes */
};
/* Appends one sentence without a dot at its end to reason, if that is not NULL. */
enum route_state route_explain(const struct route_facts *facts, struct buf *reason);

#endif

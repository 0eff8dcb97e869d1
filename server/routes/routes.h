/* SPDX-License-Identifier: BSD-3-Clause */
/* Who serves which subnet prefix, and why. Pure logic: no clock, no disk, no threads. The owner of a struct routes
 * reports what changed and asks for one election over all of it. An event touches only the prefixes of its node: the
 * cost is (prefixes of the node) * (routers of each).
 *
 * A router is a candidate for a prefix while it advertises it, the prefix is approved, the node is online and its
 * key has not expired. Candidates are ordered by (created, id). The primary keeps a prefix while it is a healthy
 * candidate; draining routers serve only if no other can, unhealthy ones only what they served before. Among equally
 * healthy routers a flapping one is elected last and the one with the highest priority first. Exit routes are never
 * elected: every approved exit node offers them.
 *
 * A prefix moves at once from a router that can no longer serve it. It moves from one that can to a better one only
 * if its rule allows it, and only after a delay: see struct prefix_rule. */
#ifndef SERVER_ROUTES_ROUTES_H
#define SERVER_ROUTES_ROUTES_H

#include "model/record.h"

struct policy_view;
struct routes;

struct routes_flags {
    bool online, healthy, expired, draining;
    bool flapping; /* goes up and down often: others are elected before it, but it keeps what it serves */
    int priority;  /* higher is better; FAILBACK_OLDEST ignores it */
};

/* The election's view of a node's record and presence. */
struct routes_flags routes_flags_of(const struct node *n, const struct node_live *live, bool expired);

/* from or to 0: no router. cause is a static text that completes "PREFIX moved from A to B: ...". It describes the
 * router that lost the prefix if there was one ("went offline", "answers no probe", "withdrawn", "approval revoked",
 * "deleted", "expired", "drained", "by administrator", ...), else the one that gained it ("came online", "approved",
 * ...). */
struct route_move {
    struct prefix prefix;
    const char *via; /* the group's name, NULL: the election for everyone; valid until the groups are set again */
    uint64_t from, to;
    const char *cause; /* NULL: a new policy added or removed the group */
    char *actor;       /* the administrator whose change caused it, even after a delay; NULL: none */
};
struct route_moves {
    struct route_move *items;
    size_t len, cap;
};
void route_moves_release(struct route_moves *moves);

struct routes *routes_new(const struct prefix_rule *defaults);
void routes_free(struct routes *r);
/* An election on the copy gives the same result as on r, which does not change. Nodes without a prefix are left out. */
struct routes *routes_copy(const struct routes *r);

/* The administrator to whom the following calls attribute changes, until the next call of this; NULL: none. Copied. */
void routes_set_actor(struct routes *r, const char *actor);

/* The rule of all prefixes without one of their own. Every prefix takes part in the next election. */
void routes_set_defaults(struct routes *r, const struct prefix_rule *defaults);

/* A rule for one prefix, in groups too; NULL: back to the defaults. Takes effect at the next election, in which the
 * prefix takes part. */
void routes_set_rule(struct routes *r, const struct prefix *p, const struct prefix_rule *rule);

/* At start, before the first election: node served p when this was last written, whether or not an administrator had
 * chosen it. Until routes_settled (the owner's timer, some seconds later) no other router takes p, unless node is
 * deleted, expired or no longer entitled to it. */
struct route_served {
    uint64_t node;
    int64_t since_ns;
    bool chosen;
};
void routes_restore(struct routes *r, const struct prefix *p, const struct route_served *served);
void routes_settled(struct routes *r);

/* The policy's groups of routers that grants name with via (v NULL: none). In addition to the election for everyone,
 * each group elects among the routers that have one of its tags, for the prefixes that its grants concern. Groups that
 * existed before keep their primaries. v is used until it is replaced. */
void routes_set_policy(struct routes *r, const struct policy_view *v);
/* As routes_restore, within a group; false: no group has that name. */
bool routes_restore_in(struct routes *r, const char *group, const struct prefix *p, const struct route_served *served);
/* Whether another router could at once take over something that node serves, for everyone or within a group. */
bool routes_replaceable(const struct routes *r, uint64_t node);

/* The present state of a node; the record is referenced, not copied. Changes only the input of the next election, so
 * that several results that belong together are decided in one step. */
void routes_set_node(struct routes *r, const struct node *record, const struct routes_flags *flags);
/* The present state of the probe targets behind a node's prefixes. If a target does not answer through the node, the
 * node counts as unhealthy for that prefix. carried: the target answers although the node is offline or unhealthy; the
 * node keeps those of them that it serves. Call after routes_set_node. */
void routes_set_evidence(struct routes *r, uint64_t node, const struct prefixes *unreachable,
                         const struct prefixes *carried);
void routes_remove_node(struct routes *r, uint64_t id);

/* Which election: for everyone (via NULL), or within the group of that name. */
struct route_place {
    const struct prefix *prefix;
    const char *via;
};
/* Whether node could serve there now. ERR_INVALID: an exit route; ERR_MISSING: no router is entitled to the prefix or
 * no group has the name; ERR_PRECONDITION: node cannot, with the reason. */
int routes_can_serve(const struct routes *r, const struct route_place *at, uint64_t node, struct err *e) WARN_UNUSED;
/* An administrator wants node to serve there from the next election on. It does until it cannot, another node is
 * chosen, or the prefix gets another failback; with PRIMARY_ONCE until failback moves the prefix. Fails like
 * routes_can_serve. */
int routes_prefer(struct routes *r, const struct route_place *at, uint64_t node, enum primary_choice choice,
                  struct err *e) WARN_UNUSED;
/* Whether the node that serves there was chosen by an administrator. */
bool routes_is_chosen(const struct routes *r, const struct route_place *at);
/* Whether a choice began or ended since the last call. */
bool routes_choices_changed(struct routes *r);
/* The node that serves there, 0: none. */
uint64_t routes_primary_at(const struct routes *r, const struct route_place *at);
/* Since when (wall time), 0: no node does. */
int64_t routes_since(const struct routes *r, const struct route_place *at);
/* The normal name of a group for tags as someone writes them, "tag:b,tag:a": sorted, separated by ", ". The caller owns
 * it. */
char *route_group_name(const char *tags);

/* Elects for every prefix with a change or an expired delay. Appends the moves to moves, ordered by prefix. The wall
 * time becomes the time since which a new primary serves. */
struct routes_time {
    int64_t wall_ns, mono_ms;
};
void routes_elect(struct routes *r, const struct routes_time *now, struct route_moves *moves);
/* When the first pending hold-down or failback is due (mono ms), INT64_MAX: none. */
int64_t routes_due(const struct routes *r);

/* The node that serves p, 0: none. since_ns may be NULL. */
uint64_t routes_primary(const struct routes *r, const struct prefix *p, int64_t *since_ns);
/* The prefixes that a node is primary for; out is released first. */
void routes_serving(const struct routes *r, uint64_t node, struct prefixes *out);
/* How many nodes are entitled to p (advertised and approved), and how many of those are candidates; either may be NULL.
 * Two candidates make a prefix highly available. */
void routes_count(const struct routes *r, const struct prefix *p, size_t *entitled, size_t *candidates);

/* ---- the nearest router of each viewer ---- */

/* Calls visit for each prefix that is served by the nearest router and has several, with the ids of the healthy ones in
 * order of election, and its primary (0: none). Free if no rule asks for it, else it walks all prefixes. */
typedef void routes_visit(void *arg, const struct prefix *p, uint64_t primary, const uint64_t *routers, size_t count);
void routes_nearest(const struct routes *r, routes_visit *visit, void *arg);

/* A node's latencies to the relay regions (tailcfg.NetInfo.DERPLatency), by region. */
struct relay_latency {
    uint32_t region, us;
};
struct relay_latencies {
    struct relay_latency *items;
    size_t len, cap;
};
/* Reads the latencies of a NetInfo in JSON; an invalid one has none. out is released first. */
void relay_latencies_read(const char *net_info, struct relay_latencies *out);
void relay_latencies_release(struct relay_latencies *l);

/* Estimated distance between two nodes, in us: the path through the relay region that suits both best. */
#define DISTANCE_UNKNOWN UINT32_MAX       /* one of them has measured nothing */
#define DISTANCE_FAR     (UINT32_MAX - 1) /* they have no region in common */
uint32_t relay_distance(const struct relay_latencies *a, const struct relay_latencies *b);

/* Distances from one node to each of count others. False: the measurements do not tell which is nearer. */
bool relay_distances(const struct relay_latencies *from, const struct relay_latencies *const *to, size_t count,
                     uint32_t *out);

/* Which of count routers, at these distances, serves a viewer that present (an index) serves now. It moves to one that
 * is nearer by a fifth and by 10 ms, at most once in ten minutes: moved_ms is when it last moved, INT64_MIN: never, or
 * its router is lost. *due_ms (mono ms) is lowered to when a move that is too early may happen. */
size_t nearest_choose(const uint32_t *distances, size_t count, size_t present, int64_t moved_ms, int64_t now_ms,
                      int64_t *due_ms);

/* The same from the viewer's state: which of count routers serves it from now on; count: none but the primary. If it
 * moves, moved_ms becomes now. */
struct nearest_viewing {
    const uint32_t *distances; /* NULL: the measurements do not tell */
    size_t count;
    size_t present, primary; /* indices; count: not among them */
    bool had;                /* a router other than the primary served it, or had been chosen for it */
};
size_t nearest_serve(const struct nearest_viewing *v, int64_t *moved_ms, int64_t now_ms, int64_t *due_ms);

/* ---- for tables: the state of one prefix on one node, from facts that any snapshot has ---- */

struct route_facts {
    const struct node *node;
    const struct prefix *prefix;
    bool unreachable; /* the prefix's probe target does not answer through the node */
    bool carried;     /* it does, although the node is offline or does not answer */
    struct routes_flags flags;
    bool chosen;                /* an administrator chose the primary */
    const struct node *primary; /* the node that serves it now, NULL: none; not used for exit routes */
};
/* Appends one sentence without a full stop to reason, unless that is NULL. */
enum route_state route_explain(const struct route_facts *facts, struct buf *reason);

#endif

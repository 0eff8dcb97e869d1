/* SPDX-License-Identifier: BSD-3-Clause */
/* A policy applied to a tailnet, private to this room. Sets of units, principals, classes and slots are bit arrays;
 * everything that depends on a node's memberships is stored with its class. */
#ifndef COMMON_POLICY_VIEW_VIEW_H
#define COMMON_POLICY_VIEW_VIEW_H

#include <string.h>

#include "base/array.h"
#include "base/bits.h"
#include "base/mem.h"
#include "policy/lang/rules.h"

struct id_list {
    uint32_t *items;
    size_t len, cap;
};

/* An effective subnet route, shared by the routers that have it. */
struct vroute {
    struct prefix prefix;
    uint32_t refs;
    uint64_t *hits;         /* principals: the literals (and autogroup:internet) that it overlaps */
    uint64_t *dst, *src;    /* units of which it overlaps destinations or sources */
    struct id_list holders; /* slots */
    uint32_t *winners;      /* by via group: the slot of the router that serves it, or NONE */
    uint64_t *fixed;        /* via groups whose winner the owner of the view has set: no election */
};

struct vclass {
    uint64_t serial;                 /* 0: unused */
    uint32_t nodes, user;            /* user: its index if the policy has autogroup:self, otherwise NONE */
    bool exit, hides_ipv4, has_self; /* has_self: self_src is not empty */
    uint64_t *addr, *hits;           /* principals: by address or identity; by route */
    uint32_t *routes;
    size_t route_count;
    uint64_t *src, *src_addr, *dst; /* units: as a source (also by routes), by address only, as a destination */
    uint64_t *recv;                 /* via units that it is a router for */
    uint64_t *filter;               /* units that are part of its filter (except those of autogroup:self) */
    uint64_t *self_src;             /* autogroup:self units of which it is a source */
    uint64_t *row;                  /* classes that it sees */
    void *key;
    size_t key_len;
};

struct vnode {
    bool used, online, healthy, tagged, connector;
    uint32_t class_id, user;              /* user: index, or NONE */
    uint64_t id, user_id, order, version; /* version: of its addresses */
    char *name;
    struct strs tags;
    struct addr ipv4, ipv6;
    struct prefixes routes, serving;
    struct id_list route_ids;   /* of its subnet routes */
    struct id_list memberships; /* identity principals */
};

struct vuser {
    uint64_t id, version; /* version: of its devices */
    bool gone;            /* deleted, but keeps its index */
    char *name, *email, *provider_id;
    enum policy_role role;
    struct strs groups; /* reported by providers */
    struct id_list principals, devices, classes;
};

struct vlist {
    uint64_t *members; /* slots */
    size_t count;
    bool any, danger;
    struct id_list literals; /* principals */
    uint64_t *block_versions;
    uint64_t version; /* of the whole list */
};

struct vprincipal {
    struct id_list src_units, dst_units, filter_units, self_units; /* units that mention it */
    struct id_list lists;
    struct id_list users; /* indices of the users that it resolves to */
    bool ambiguous;
};

/* A grant with via: its units are consecutive. */
struct policy_via_rule {
    uint32_t first, count, group;
    bool internet;
};
struct policy_via_group {
    struct id_list tags; /* principals, ascending */
    char *key;
};

struct policy_view {
    struct policy *p;
    bool absent;            /* there is no policy */
    bool building;          /* all nodes are put before anything is elected */
    bool users_known;       /* the names in the policy were resolved */
    uint64_t budget, spent; /* steps to make the view; budget 0: unlimited */
    const atomic_bool *cancel;
    uint64_t seq, any_version;
    bool directed; /* the routers that serve within via groups are fixed */
    struct vuser *users;
    size_t user_count;
    struct map user_index; /* from id to index + 1 */
    bool domains_given;    /* otherwise they are those of the users */
    char **domains;
    size_t domain_count;
    struct prefix *pools;
    size_t pool_count;
    struct addr_range internet[INTERNET_RANGES], tailnet[TAILNET_RANGES];

    struct vprincipal *principals;
    size_t unit_words, principal_words;
    /* Units: with neither via nor self; of these, those that open ports; those whose destinations include the internet;
     * those that concern exit nodes; those with via and the destination "*". */
    uint64_t *plain_units, *plain_ip_units, *internet_units, *exit_units, *via_any_units;
    struct id_list self_units, any_lists, literal_units;
    struct {
        uint8_t bits, len;
    } lengths[162]; /* of the literals, for looking up addresses */
    size_t length_count;
    struct map literal_index; /* from struct prefix bytes to principal + 1 */
    VEC(struct policy_via_rule) via_rules;
    VEC(struct policy_via_group) via_groups;
    struct map via_group_index; /* from key to group + 1 */

    struct vnode *nodes;
    size_t slots; /* a multiple of 64 */
    struct vlist *lists;
    VEC(struct vclass) classes;
    struct id_list free_classes;
    struct map class_index; /* from key to id + 1 */
    size_t class_words;
    uint64_t **unit_src, **unit_dst, **unit_recv; /* by unit: sets of classes */
    VEC(struct vroute *) routes;
    struct id_list free_routes;
    struct map route_index;  /* from prefix bytes to id + 1 */
    struct prefixes subnets; /* all effective subnet routes, which "*" lists in addition to the tailnet's ranges */
};

static inline bool ids_eq(const struct id_list *a, const struct id_list *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->items, b->items, a->len * sizeof(*a->items)) == 0);
}

static inline void ids_insert(struct id_list *l, size_t at, uint32_t id)
{
    (void)vec_add(l);
    memmove(&l->items[at + 1], &l->items[at], (l->len - 1 - at) * sizeof(*l->items));
    l->items[at] = id;
}

/* NULL if no node has the slot. */
static inline const struct vnode *view_node(const struct policy_view *v, uint32_t slot)
{
    return slot < v->slots && v->nodes[slot].used ? &v->nodes[slot] : NULL;
}

#define VIEW_BUDGET UINT64_C(1000000000) /* about a second and, by WORD_COST, 250 MB */
#define WORD_COST   32U                  /* per word that is kept */

/* For computations with a budget: nobody waits for the result any more. */
static inline bool view_is_cancelled(const struct policy_view *v)
{
    return v->cancel && atomic_load_explicit(v->cancel, memory_order_relaxed);
}

/* Accounts for more steps in making the view, each about a word of a set that is read; false if the budget is
 * exceeded. */
static inline bool view_spend(struct policy_view *v, uint64_t steps)
{
    v->spent += steps;
    return v->budget == 0 || (v->spent <= v->budget && !view_is_cancelled(v));
}

/* ---- the steps, each using only those above it ---- */

/* index.c */
void view_index_policy(struct policy_view *v);

/* names.c */
const char *mail_domain(const char *email); /* "" if there is none */
void names_resolve(struct policy_view *v);
uint32_t user_index(const struct policy_view *v, uint64_t id); /* NONE if there is no such user */
bool user_in(const struct policy_view *v, const struct policy_principal *q,
             uint32_t user); /* q may belong to no policy */
bool node_matches(const struct policy_view *v, const struct vnode *n, const struct policy_principal *q);
/* All devices that the selector names, as slots, and its literal addresses. */
void selector_resolve(const struct policy_view *v, const struct policy_principal *q, struct id_list *slots,
                      struct addr_ranges *out);

/* via.c */
bool via_has_tag(const struct policy_view *v, const struct vnode *n, uint32_t group);
bool via_rule_matches(const struct vroute *r, const struct policy_via_rule *rule);
void via_elect(struct policy_view *v, uint32_t route);
void via_elect_all(struct policy_view *v);
void via_inherit(struct policy_view *v, const struct policy_view *old);
void via_release(struct policy_view *v);

/* routes.c */
uint32_t vroute_acquire(struct policy_view *v, const struct prefix *p, uint32_t slot);
void vroute_drop(struct policy_view *v, uint32_t id, uint32_t slot);
void vroutes_free(struct policy_view *v);

/* rows.c: computes which classes see each other, for all of them, after the nodes of a new view were put */
void class_rows(struct policy_view *v);

/* classes.c */
uint32_t class_acquire(struct policy_view *v, const struct vnode *n);
void class_drop(struct policy_view *v, uint32_t id);
void classes_free(struct policy_view *v);

/* shown.c */
/* Is the viewer shown the route, or both exit routes, of the peer? Does not check whether it sees the peer at all. */
bool view_route_shown(const struct policy_view *v, uint32_t viewer, uint32_t peer, uint32_t route);
bool view_exit_shown(const struct policy_view *v, uint32_t viewer, uint32_t peer);
/* The older way to grant the use of an exit node: its own address, all ports. Only effective if the policy uses neither
 * autogroup:internet nor via. */
bool unit_names_exit(const struct policy_view *v, const struct policy_unit *u, const struct vclass *router);
bool unit_grants_exit(const struct policy_view *v, const struct policy_unit *u, const struct vclass *router);
#define FAMILY_V4   1U
#define FAMILY_V6   2U
#define FAMILY_BOTH 3U
/* The families in which a class is a source of the unit by its own addresses. */
unsigned unit_source_families(const struct policy_view *v, const struct policy_unit *u, const struct vclass *c);

/* connectors.c: did the node learn the route as an app connector, or was it configured for the app? */
bool connector_approves(const struct policy_view *v, uint32_t slot, const struct prefix *route);

/* nodes.c */
void vnode_release(struct vnode *n);
void view_refresh(struct policy_view *v, uint32_t slot); /* the meaning of its user changed */

/* ssh.c: does the rule concern this pair of nodes; may it concern the node as a destination; does it treat devices of
 * the same user specially? */
bool ssh_pair_fits(const struct policy_view *v, const struct policy_ssh_rule *r, uint32_t source, uint32_t target);
bool ssh_rule_leads_to(const struct policy_view *v, const struct policy_ssh_rule *r, const struct vnode *n);
bool ssh_rule_is_own(const struct policy_view *v, const struct policy_ssh_rule *r);

/* How an entry of a destination list matches a node. */
enum policy_reach { REACH_NOT, REACH_SELF, REACH_LITERAL, REACH_ANY, REACH_INTERNET };
enum policy_reach destination_reach(const struct policy_view *v, const struct vclass *c, uint32_t principal);

/* All sources of a list as text for filters, sorted; for checks and whole filters. */
void list_texts(const struct policy_view *v, uint32_t list, struct strs *out);
void list_ranges(const struct policy_view *v, uint32_t list, struct addr_ranges *out);

#endif

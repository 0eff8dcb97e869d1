/* SPDX-License-Identifier: BSD-3-Clause */
/* A policy over a tailnet, inside the room. Sets of units, principals, classes and slots are bit arrays; everything
 * that follows from a node's membership is kept with its class. */
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
    uint64_t *hits;         /* principals: literals (and autogroup:internet) that it overlaps */
    uint64_t *dst, *src;    /* units whose destinations, sources it overlaps */
    struct id_list holders; /* slots */
    uint32_t *winners;      /* by via group: the slot that serves it there, NONE */
    uint64_t *fixed;        /* via groups whose winner the owner of a view named: it is not elected */
};

struct vclass {
    uint64_t serial;                 /* 0: not in use */
    uint32_t nodes, user;            /* user: index where the policy has autogroup:self, else NONE */
    bool exit, hides_ipv4, has_self; /* has_self: self_src is not empty */
    uint64_t *addr, *hits;           /* principals: by address or identity; by route */
    uint32_t *routes;
    size_t route_count;
    uint64_t *src, *src_addr, *dst; /* units: as a source (also by routes), by address only, as a destination */
    uint64_t *recv;                 /* via units that it is a router for */
    uint64_t *filter;               /* units that say something to it (not those of autogroup:self) */
    uint64_t *self_src;             /* units of autogroup:self whose sources it is in */
    uint64_t *row;                  /* classes that it sees */
    void *key;
    size_t key_len;
};

struct vnode {
    bool used, online, healthy, tagged, connector;
    uint32_t class_id, user;              /* user: index, NONE */
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
    bool gone;            /* nobody's user: keeps its index */
    char *name, *email, *provider_id;
    enum policy_role role;
    struct strs groups; /* of providers */
    struct id_list principals, devices, classes;
};

struct vlist {
    uint64_t *members; /* slots */
    size_t count;
    bool any, danger;
    struct id_list literals; /* principals */
    uint64_t *block_versions;
    uint64_t version; /* of all of it */
};

struct vprincipal {
    struct id_list src_units, dst_units, filter_units, self_units; /* what mentions it */
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
    bool users_known;       /* the policy's names were looked up */
    uint64_t budget, spent; /* steps of making it; budget 0: without end */
    const atomic_bool *cancel;
    uint64_t seq, any_version;
    bool directed; /* who serves within via groups is fixed */
    struct vuser *users;
    size_t user_count;
    struct map user_index; /* id -> index + 1 */
    bool domains_given;    /* else they follow from the users */
    char **domains;
    size_t domain_count;
    struct prefix *pools;
    size_t pool_count;
    struct addr_range internet[INTERNET_RANGES], tailnet[TAILNET_RANGES];

    struct vprincipal *principals;
    size_t unit_words, principal_words;
    /* Units: with neither via nor self; those of them that open ports; whose destinations cover the internet; that say
     * something to exit nodes; with via and destination "*". */
    uint64_t *plain_units, *plain_ip_units, *internet_units, *exit_units, *via_any_units;
    struct id_list self_units, any_lists, literal_units;
    struct {
        uint8_t bits, len;
    } lengths[162]; /* of the literals, to look an address up */
    size_t length_count;
    struct map literal_index; /* struct prefix bytes -> principal + 1 */
    VEC(struct policy_via_rule) via_rules;
    VEC(struct policy_via_group) via_groups;
    struct map via_group_index; /* key -> group + 1 */

    struct vnode *nodes;
    size_t slots; /* a multiple of 64 */
    struct vlist *lists;
    VEC(struct vclass) classes;
    struct id_list free_classes;
    struct map class_index; /* key -> id + 1 */
    size_t class_words;
    uint64_t **unit_src, **unit_dst, **unit_recv; /* by unit: classes */
    VEC(struct vroute *) routes;
    struct id_list free_routes;
    struct map route_index;  /* prefix bytes -> id + 1 */
    struct prefixes subnets; /* all effective subnet routes: what "*" lists beside the tailnet's ranges */
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

/* NULL: no node has the slot. */
static inline const struct vnode *view_node(const struct policy_view *v, uint32_t slot)
{
    return slot < v->slots && v->nodes[slot].used ? &v->nodes[slot] : NULL;
}

#define VIEW_BUDGET UINT64_C(1000000000) /* about a second and, by WORD_COST, 250 MB */
#define WORD_COST   32U                  /* of a word that is kept */

/* For what has a budget; nobody waits for the answer. */
static inline bool view_is_cancelled(const struct policy_view *v)
{
    return v->cancel && atomic_load_explicit(v->cancel, memory_order_relaxed);
}

/* Making the view costs so many steps more, each about a word of a set that is looked at; false: it may not. */
static inline bool view_spend(struct policy_view *v, uint64_t steps)
{
    v->spent += steps;
    return v->budget == 0 || (v->spent <= v->budget && !view_is_cancelled(v));
}

/* ---- the steps, each using only those above it ---- */

/* index.c */
void view_index_policy(struct policy_view *v);

/* names.c */
const char *mail_domain(const char *email); /* "": it has none */
void names_resolve(struct policy_view *v);
uint32_t user_index(const struct policy_view *v, uint64_t id); /* NONE: no such user */
bool user_in(const struct policy_view *v, const struct policy_principal *q,
             uint32_t user); /* q may be foreign to the policy */
bool node_matches(const struct policy_view *v, const struct vnode *n, const struct policy_principal *q);
/* Every device that the selector names, as slots, and its literal addresses. */
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

/* rows.c: which classes see each other, for all of them, after the nodes of a new view were put */
void class_rows(struct policy_view *v);

/* classes.c */
uint32_t class_acquire(struct policy_view *v, const struct vnode *n);
void class_drop(struct policy_view *v, uint32_t id);
void classes_free(struct policy_view *v);

/* shown.c */
/* The viewer is shown the route, or both exit routes, of the peer; whether it sees the peer at all is not asked. */
bool view_route_shown(const struct policy_view *v, uint32_t viewer, uint32_t peer, uint32_t route);
bool view_exit_shown(const struct policy_view *v, uint32_t viewer, uint32_t peer);
/* The older way to give somebody an exit node: its own address, all ports. It counts only in a policy that uses neither
 * autogroup:internet nor via. */
bool unit_names_exit(const struct policy_view *v, const struct policy_unit *u, const struct vclass *router);
bool unit_grants_exit(const struct policy_view *v, const struct policy_unit *u, const struct vclass *router);
#define FAMILY_V4   1U
#define FAMILY_V6   2U
#define FAMILY_BOTH 3U
/* The families in which a class is a source of the unit by its own addresses. */
unsigned unit_source_families(const struct policy_view *v, const struct policy_unit *u, const struct vclass *c);

/* connectors.c: the route is one that the node learned, or was given, as an app connector */
bool connector_approves(const struct policy_view *v, uint32_t slot, const struct prefix *route);

/* nodes.c */
void vnode_release(struct vnode *n);
void view_refresh(struct policy_view *v, uint32_t slot); /* its user means something else now */

/* ssh.c: the rule concerns this pair of nodes; it may concern the node as a destination; it treats devices of one user
 * in a way of their own. */
bool ssh_pair_fits(const struct policy_view *v, const struct policy_ssh_rule *r, uint32_t source, uint32_t target);
bool ssh_rule_leads_to(const struct policy_view *v, const struct policy_ssh_rule *r, const struct vnode *n);
bool ssh_rule_is_own(const struct policy_view *v, const struct policy_ssh_rule *r);

/* How an entry of a destination list reaches a node. */
enum policy_reach { REACH_NOT, REACH_SELF, REACH_LITERAL, REACH_ANY, REACH_INTERNET };
enum policy_reach destination_reach(const struct policy_view *v, const struct vclass *c, uint32_t principal);

/* Every source of a list as filter texts, sorted; for checks and whole filters. */
void list_texts(const struct policy_view *v, uint32_t list, struct strs *out);
void list_ranges(const struct policy_view *v, uint32_t list, struct addr_ranges *out);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* The access policy of a tailnet: read (HuJSON with positions), check, compile, explain, compare. Pure: text and a
 * tailnet go in, results come out; no I/O and no globals.
 *
 * A struct policy is what a text means; it never changes. A struct policy_view is a policy applied to the nodes of one
 * tailnet. It is kept up to date node by node, at a cost that follows from what a change touches, and answers what each
 * node is sent: peers, routes, packet filter, SSH rules, capabilities. Nodes that the policy cannot tell apart form a
 * class; all decisions are made once for each class. A NULL policy allows everything and takes the same paths.
 *
 * Threads: a view has one writer, and readers only while nobody writes (the daemon holds a lock for that). A struct
 * policy may be read by everybody. */
#ifndef COMMON_POLICY_POLICY_H
#define COMMON_POLICY_POLICY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "net/prefixes.h"

struct json_out; /* json/json.h */

#define POLICY_TEXT_MAX  (4U << 20) /* bytes of a policy text */
#define POLICY_SLOT_NONE UINT32_MAX

/* ---- problems of a text ---- */

struct policy_problem {
    unsigned line, column; /* from 1; columns are bytes; 0: not about one place */
    bool warning;          /* the policy is taken nevertheless */
    char *text;
    unsigned cause;    /* the line that makes it so; 0: none */
    char *wrong, *fix; /* what is wrong at that place, and what it may have been meant to be; or both NULL */
};
struct policy_problems {
    struct policy_problem *items;
    size_t len, cap;
};
void policy_problems_release(struct policy_problems *p);
bool policy_problems_fatal(const struct policy_problems *p);
/* The errors as one message: "TEXT (line L, column C)"; several are "multiple errors:" and one a line after it. */
void policy_problems_text(const struct policy_problems *p, struct buf *out);

/* ---- texts ---- */

struct policy;

/* Appends a policy as plain JSON, without comments and trailing commas; false: the text cannot be read. */
bool policy_text_plain(const char *text, struct buf *out);

/* Reads and checks what can be checked without a tailnet. ERR_INVALID or ERR_TOOBIG with at least one problem; warnings
 * may come with 0. An empty text (no bytes) gives *out NULL: no policy. The caller owns *out. */
int policy_parse(const char *text, size_t len, struct policy **out, struct policy_problems *problems) WARN_UNUSED;
/* Of a text that cannot be read policy_parse tells the first place, as the service does. This appends the further ones
 * (about 50 at most), for those who correct it; none where the text can be read. */
void policy_further_errors(const char *text, size_t len, struct policy_problems *problems);
struct policy *policy_ref(const struct policy *p); /* counted; NULL stays NULL */
void policy_unref(struct policy *p);

bool policy_has_tag(const struct policy *p, const char *tag);

/* What a text is made of: sections, their members and elements, and the members of these; what lies deeper is one
 * value. The stretches from..to of a container's items lie one behind the other between its head and its foot: comments
 * before an item, and what stands behind it in its line, belong to it. */
enum policy_item_kind { POLICY_ITEM_VALUE, POLICY_ITEM_OBJECT, POLICY_ITEM_ARRAY };
struct policy_item {
    enum policy_item_kind kind;
    const char *name;  /* of a member; NULL: of an element, and of the whole */
    const char *plain; /* the value without comments and blanks; "" for the whole */
    size_t from, to;
    size_t line;       /* between from and value: where its own line begins, behind the comments before it */
    size_t value, end; /* the value alone */
    bool comma;        /* one stands behind it */
    size_t head, foot; /* of a container: where its first item begins, and its last ends */
    size_t count;
    const struct policy_item *first, *next;
};
/* NULL: it is no text of a policy (or larger than the arena allows). All of it is the arena's; the text may go. */
const struct policy_item *policy_items(const char *text, size_t len, struct arena *a);

/* In what two texts differ, in a few words: "+2 grants, -1 group, ssh changed"; nothing where one of them is none, or
 * they differ in comments and blanks only. */
void policy_changes_text(const char *before, const char *after, struct buf *out);

/* ---- the tailnet, as far as a policy looks at it ---- */

enum policy_role { POLICY_MEMBER, POLICY_ADMIN, POLICY_OWNER };

struct policy_user {
    uint64_t id;
    const char *name, *email, *provider_id; /* never NULL */
    enum policy_role role;
    const char *const *groups; /* "GROUP@PROVIDER": what OpenID providers say that the user is in */
    size_t group_count;
};

struct policy_node {
    uint32_t slot;        /* small and its own while it is in the view */
    uint64_t id, user_id; /* user_id is not looked at where there are tags */
    uint64_t order;       /* rank by creation, the oldest lowest (the node id will do) */
    const char *name;     /* for explanations */
    const char *const *tags;
    size_t tag_count;
    struct addr ipv4, ipv6; /* bits 0: none */
    const struct prefix *routes;
    size_t route_count; /* effective (available and approved), exit routes too */
    const struct prefix *serving;
    size_t serving_count; /* subnet prefixes that it is elected for */
    /* Decide who serves a prefix within a via group. Whoever is being drained counts as not healthy. */
    bool online, healthy;
    bool connector; /* it offers to be an app connector: Hostinfo.AppConnector */
};

struct policy_tailnet {
    const struct policy_user *users;
    size_t user_count;
    const struct policy_node *nodes;
    size_t node_count;
    const char *const *domains; /* mail domains of the tailnet; NULL: those of its users */
    size_t domain_count;
    const struct prefix *pools; /* address pools beside 100.64.0.0/10 and fd7a:115c:a1e0::/48 */
    size_t pool_count;
    /* NULL, or true once nobody waits any more for what is worked out within a budget: it ends as if that were used up.
     * Outlives the views. */
    const atomic_bool *cancel;
};

/* ---- a policy over a tailnet ---- */

struct policy_view;

/* Never fails. Everything is copied. previous (NULL only at first) lends who serves within via groups,
 * and the count that all version numbers continue, so that those of two views are never mistaken for each other. */
struct policy_view *policy_view_new(const struct policy *p, const struct policy_tailnet *t,
                                    const struct policy_view *previous);
void policy_view_free(struct policy_view *v);
/* The same within a budget of time and memory that every reasonable policy keeps: NULL, with a problem that names what
 * is too much. For policies that somebody only asks about, and for new ones. */
struct policy_view *policy_view_bounded(const struct policy *p, const struct policy_tailnet *t,
                                        const struct policy_view *previous, struct policy_problems *problems);

/* Around puts of all nodes into a view that has none: what follows from them is worked out at the end, once. Nothing
 * may be asked between the two. */
void policy_view_begin(struct policy_view *v);
void policy_view_end(struct policy_view *v);

/* What became of each test. Texts are the list's own. */
struct policy_outcome {
    unsigned line;
    bool ssh, passed;
    const char *want; /* "accept", "deny" or "check" */
    char *source, *target;
};
struct policy_outcomes {
    struct policy_outcome *items; /* the first 1,000 */
    size_t len, cap;
    size_t passed, failed; /* of all */
};
void policy_outcomes_release(struct policy_outcomes *o);

/* Checks that need users: names that fit two users, foreign domains; and the sections tests and sshTests. Appends to
 * problems and returns 0 or ERR_INVALID. run_tests false leaves the two sections out (at start they only warn). */
int policy_view_check(const struct policy_view *v, bool run_tests, struct policy_problems *problems) WARN_UNUSED;
/* The same with the tests, of which each is told. */
int policy_view_check_telling(const struct policy_view *v, struct policy_outcomes *outcomes,
                              struct policy_problems *problems) WARN_UNUSED;

/* Warns of rules that open nothing: whose sources or destinations are empty, and those of which the rules before them
 * open all. What may have another effect (via, capabilities, autogroup:self, the internet) is not looked at. Ends when
 * some seconds' worth of comparisons are used up. */
void policy_warn_unreachable(const struct policy *p, struct policy_problems *problems);

/* Warns of users that the text names though there are none, with those that were probably meant; of what fits two of
 * them there is an error. That much of policy_view_check is known without nodes. */
void policy_check_users(const struct policy *p, const struct policy_user *users, size_t count,
                        struct policy_problems *problems);

/* The sections tests and sshTests alone, as policy_view_check has them; and how many entries these have. */
int policy_view_test(const struct policy_view *v, struct policy_problems *problems) WARN_UNUSED;
size_t policy_test_count(const struct policy *p);

/* A view that was made without one before it takes its place: it continues the count of previous and takes who serves
 * within its via groups. Only before anything of it was sent to a client. */
void policy_view_succeed(struct policy_view *v, const struct policy_view *previous);

/* The users as they are now. Costs a look at all names, and a put for each node whose user it concerns. false: it
 * concerns no node. */
bool policy_view_set_users(struct policy_view *v, const struct policy_user *users, size_t count);

/* A node joined, or anything of it changed; it left. */
void policy_view_put(struct policy_view *v, const struct policy_node *n);
void policy_view_remove(struct policy_view *v, uint32_t slot);

/* Symmetric; a node does not see itself. The mask has bit i for slot block * 64 + i. */
bool policy_sees(const struct policy_view *v, uint32_t viewer, uint32_t peer);
uint64_t policy_sees_mask(const struct policy_view *v, uint32_t viewer, uint32_t block);

/* What the viewer is shown of a visible peer beyond its addresses, sorted; out is released first. All of it belongs
 * into AllowedIPs, the part that is no exit route into PrimaryRoutes. The answer follows from the viewer's
 * memberships, the peer's record and, with via, from who else is online. */
void policy_routes(const struct policy_view *v, uint32_t viewer, uint32_t peer, struct prefixes *out);

/* A grant with via leads the viewer's packets to the prefix to a router of its group. */
bool policy_leads(const struct policy_view *v, uint32_t viewer, const struct prefix *p);

/* ---- groups of routers that grants name with via ---- */

/* In a view that only compares, the oldest router of a group that is online and healthy serves a prefix, or whoever was
 * named to the view before. policy_via_direct leaves it to the owner, who holds elections: then nobody serves until
 * policy_via_serve says so (slot POLICY_SLOT_NONE: nobody any more). The prefix is one that a node of the view has. */
size_t policy_via_groups(const struct policy_view *v);
/* "tag:a", "tag:a, tag:b": its tags in their order; tags (released first) gets them one by one. */
const char *policy_via_group(const struct policy_view *v, size_t group, struct strs *tags);
/* A grant leads packets for the prefix to routers of the group. */
bool policy_via_concerns(const struct policy_view *v, size_t group, const struct prefix *p);
void policy_via_direct(struct policy_view *v);
void policy_via_serve(struct policy_view *v, const char *group, const struct prefix *p, uint32_t slot);

/* Whether addresses of the peer must be shown to this viewer without IPv4 (attribute disable-ipv4 at either end). */
bool policy_hides_ipv4(const struct policy_view *v, uint32_t viewer, uint32_t peer);

/* The packet filter in named parts (MapResponse.PacketFilters). Two parts with equal name and version are equal. A part
 * never lists more than 128 sources of nodes, so a node that joins or leaves changes one part of each list it is in. */
struct policy_part {
    char name[28];
    uint64_t version;
};
struct policy_parts {
    struct policy_part *items; /* sorted by name */
    size_t len, cap;
};
void policy_parts_release(struct policy_parts *p);
/* Lists the parts as they are now (*now is released first, and is not sent), and writes to out one JSON object with
 * those that sent (may be NULL) lacks or has older, and null for those that are no more. Returns how many members that
 * are; out may be NULL.
 */
size_t policy_filter_delta(const struct policy_view *v, uint32_t slot, const struct policy_parts *sent,
                           struct policy_parts *now, struct buf *out);

/* The same filter whole, in the order and form of the recordings: a JSON array of tailcfg.FilterRule. */
void policy_filter(const struct policy_view *v, uint32_t slot, struct buf *out);

/* SSH rules: a JSON array of tailcfg.SSHRule; base ("https://host") starts the URL of checks. The version is the same
 * only while the text is. */
void policy_ssh(const struct policy_view *v, uint32_t slot, const char *base, struct buf *out);
uint64_t policy_ssh_version(const struct policy_view *v, uint32_t slot);

enum policy_ssh_verdict { POLICY_SSH_DENY, POLICY_SSH_ACCEPT, POLICY_SSH_CHECK };
/* What the first matching rule says; login NULL: the first check rule for the two nodes. period_ns: how long an
 * approval lasts, 0: each time anew. */
enum policy_ssh_verdict policy_ssh_decide(const struct policy_view *v, uint32_t source, uint32_t target,
                                          const char *login, int64_t *period_ns);

/* Attributes that nodeAttrs (and randomizeClientPort) give the node, sorted; out is released first. */
void policy_attrs(const struct policy_view *v, uint32_t slot, struct strs *out);
bool policy_has_attr(const struct policy_view *v, uint32_t slot, const char *attr);

/* App connectors, which nodeAttrs name by their tags: clients that use an app resolve its domains through them, and
 * they advertise the addresses that they learn by that. */
struct policy_connector_app {
    const char *name;
    struct strs connectors; /* "tag:a", or "*" */
    struct strs domains;    /* in lower case; "*.example.com" is all names below example.com */
    struct prefixes routes; /* that they are to advertise beside those that they learn */
    const char *json;       /* as clients read it */
    size_t attr;            /* the entry of nodeAttrs that it is in */
};
size_t policy_connector_apps(const struct policy_view *v);
const struct policy_connector_app *policy_connector_app(const struct policy_view *v, size_t app);
/* The node is one of its connectors: it has the tag, and offers to be one. The app is for the node: a target names it.
 */
bool policy_app_has_connector(const struct policy_view *v, size_t app, uint32_t slot);
bool policy_app_has_user(const struct policy_view *v, size_t app, uint32_t slot);

/* autoApprovers, and what an app connector learns: would this node's advertised prefix be approved? Exit routes by
 * exitNode only. */
bool policy_approves(const struct policy_view *v, uint32_t slot, const struct prefix *route);

/* May the user take the tag for a device of his own (tailscale up --advertise-tags)? */
bool policy_may_tag(const struct policy_view *v, uint64_t user_id, const char *tag);

/* Do the tags that are held own this one, directly or through tags that they own? */
bool policy_tags_own(const struct policy *p, const struct strs *held, const char *tag);

/* ---- explanations ---- */

/* Does src reach dst, and why? Both are node names, users, tags, groups, hosts or addresses; of several devices, the
 * pair that gets furthest is shown. proto < 0: TCP; port 0: any. Writes one JSON object: allowed, pairs_allowed,
 * pairs_denied, steps (ok, text), and where there are such rule or nearest (section, index, line, source, destination),
 * node or router, route. ERR_MISSING when one of the two names nothing. */
int policy_explain(const struct policy_view *v, const char *src, const char *dst, int proto, uint16_t port,
                   bool *allowed, struct buf *out, struct err *e) WARN_UNUSED;

/* The rules that are about a user (by name or address), or (user false) about an address and port, "10.0.0.1:22", in
 * Tailscale's form: a JSON array of objects with users and ports, as the rule has them, lineNumber and via. ERR_INVALID
 * when nobody is called so, or the text is no such thing; then nothing is written. */
int policy_matches(const struct policy_view *v, bool user, const char *text, struct json_out *o,
                   struct err *e) WARN_UNUSED;

/* Who reaches what, as a matrix. from and to: kinds separated by commas (users, groups, tags, nodes; to also prefixes
 * and exits), or one selector. from_in, to_in: NULL, or a selector; only what lies in it is listed. */
struct policy_reach_query {
    const char *from, *to, *from_in, *to_in;
    size_t rows_max, columns_max;
};
/* Adds to the open object of o: rows and columns (kind, name, nodes, online), rows_total and columns_total (of all
 * there are), cells, and incomplete: there was no time for the rows behind those that are listed. Cells are listed
 * where something is reached: row, column, what (ports), all (each node of the row reaches each of the column; false:
 * some do, or one rule alone does not do it), line (of the first such rule), from, and to or router: names of two nodes
 * that it is true for. ERR_MISSING when a name is nobody's, ERR_INVALID for an unknown kind; then nothing is written.
 */
int policy_reach(const struct policy_view *v, const struct policy_reach_query *q, struct json_out *o,
                 struct err *e) WARN_UNUSED;

/* Whom a node, user, tag or group reaches, and by whom it is reached. Adds to the open object of o: nodes (how many of
 * is), neighbours (kind: node, prefix or exit; name, online, out and in (ports), out_line and in_line (of the first
 * such rule), out_all and in_all, router), at most max of them, total, and incomplete: there was no time for more.
 * Errors as policy_reach. */
int policy_neighbours(const struct policy_view *v, const char *of, size_t max, struct json_out *o,
                      struct err *e) WARN_UNUSED;

/* A route that a node advertises and autoApprovers would approve. */
struct policy_approval {
    uint32_t slot;
    struct prefix route;
};
struct policy_approvals {
    struct policy_approval *items;
    size_t len, cap;
};

/* What changes from one view to the other, over the same nodes: access gained and lost, routes shown and hidden. The
 * approvals (NULL: none) are listed with it; after holds their routes already. Adds members to the open object of o:
 * totals, and at most max_rows each, the weightiest first, of rows, routes, viewers and approvals. A row has kind
 * ("gained", "lost"), sources, destinations (names; a few of them, with counts), what (ports, or a network and ports),
 * pairs, and where something is lost kept: what is open before and after. Routes has the changes by route, viewers the
 * same by those who are shown less or more, ways whose packets go elsewhere, cut_off users that have no way any more.
 * Cost has how many nodes there are, how many of them see another policy, and the bytes of all filters. */
void policy_preview(const struct policy_view *before, const struct policy_view *after,
                    const struct policy_approvals *approvals, size_t max_rows, struct json_out *o);

/* ---- ways ---- */

/* A node's way to a network is the router that is online and shows it the route, of several the one with the lowest id;
 * an exit node that is online and shown is a way out. How ways differ from one view to another of the same tailnet:
 * nodes may have come, gone and changed, and the policy may be another one. Routers have no way to their own routes. */
struct policy_way_change {
    struct prefix route; /* 0.0.0.0/0: a way out, one change for each exit node */
    uint32_t from, to;   /* slots of routers, POLICY_SLOT_NONE: none */
    size_t viewers;      /* how many nodes it concerns */
};
struct policy_slots {
    uint32_t *items;
    size_t len, cap;
};
struct policy_way_viewers {               /* nodes whose ways change alike */
    struct policy_slots viewers, changes; /* changes: indices */
    bool no_exit;                         /* they lose a way out, and have none left */
};
struct policy_cut_off { /* none of the user's nodes has a way any more, and one had */
    uint64_t user_id;
    struct prefix route; /* 0.0.0.0/0: a way out */
};
struct policy_ways {
    struct {
        struct policy_way_change *items;
        size_t len, cap;
    } changes;
    struct {
        struct policy_way_viewers *items;
        size_t len, cap;
    } rows;
    struct {
        struct policy_cut_off *items;
        size_t len, cap;
    } cut_off;
    bool incomplete; /* more than could be compared in some seconds */
};
/* Prefixes whose viewers are served by the router nearest to each, where a view does not lead them elsewhere. */
struct policy_nearest {
    struct prefix prefix;
    uint32_t primary;        /* slot of the router that the view has for everybody */
    const uint32_t *routers; /* by slot of the viewer, POLICY_SLOT_NONE: the primary */
    size_t viewers;          /* how long that is */
};
struct policy_side {
    const struct policy_view *view;
    const struct policy_nearest *nearest;
    size_t nearest_count;
};
void policy_compare_ways(const struct policy_side *before, const struct policy_side *after, struct policy_ways *out);
void policy_ways_release(struct policy_ways *w);

/* ---- offline ---- */

/* `headway policy compile`: both as texts; the tailnet is a JSON object with users (id, name, email, role), settings
 * (domains) and nodes (name, user or tags, ipv4, ipv6, advertised, approved, order, online). Writes what each node (or
 * the one named) would be sent: with as_json an object by node name with filter, peers, self, ssh and auto_approve. A
 * negative code comes with a problem that is fatal. */
int policy_compile_texts(const char *policy, size_t policy_len, const char *tailnet, size_t tailnet_len,
                         const char *node, bool as_json, struct buf *out, struct policy_problems *problems) WARN_UNUSED;

#endif

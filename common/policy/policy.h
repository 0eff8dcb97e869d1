/* SPDX-License-Identifier: BSD-3-Clause */
/* The access policy of a tailnet: parse (HuJSON with positions), check, compile, explain and compare it. Pure: text and
 * a tailnet in, results out; no I/O and no globals. A struct policy is the meaning of a text and never changes. A
 * struct policy_view is a policy applied to the nodes of a tailnet. It is updated node by node, at a cost that depends
 * on what a change affects, and answers what each node is sent: peers, routes, packet filter, SSH rules, capabilities.
 * Nodes that the policy cannot tell apart form a class; all decisions are made once per class. A NULL policy allows
 * everything and uses the same code. Threads: a view has one writer, and may only be read while nobody writes (the
 * daemon holds a lock for that). A struct policy may be read by any number of threads. */
#ifndef COMMON_POLICY_POLICY_H
#define COMMON_POLICY_POLICY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "net/prefixes.h"

struct json_out; /* json/json.h */

#define POLICY_TEXT_MAX  (4U << 20) /* bytes in a policy text */
#define POLICY_SLOT_NONE UINT32_MAX

/* ---- problems of a text ---- */

struct policy_problem {
    unsigned line, column; /* from 1, columns in bytes; 0: no particular place */
    bool warning;          /* the policy is accepted nevertheless */
    char *text;
    unsigned cause;    /* the line that causes it; 0: none */
    char *wrong, *fix; /* the wrong text at that place and what was probably meant; or both NULL */
};
struct policy_problems {
    struct policy_problem *items;
    size_t len, cap;
};
void policy_problems_release(struct policy_problems *p);
bool policy_problems_fatal(const struct policy_problems *p);
/* The errors as one message: "TEXT (line L, column C)", or "multiple errors:" followed by one per line. */
void policy_problems_text(const struct policy_problems *p, struct buf *out);

/* ---- texts ---- */

struct policy;

/* Appends a policy as plain JSON, without comments and trailing commas; false if the text cannot be parsed. */
bool policy_text_plain(const char *text, struct buf *out);

/* Parses a policy and checks what can be checked without a tailnet. ERR_INVALID or ERR_TOOBIG with at least one
 * problem; there may be warnings even if it returns 0. An empty text (no bytes) sets *out to NULL: no policy. The
 * caller owns *out. */
int policy_parse(const char *text, size_t len, struct policy **out, struct policy_problems *problems) WARN_UNUSED;
/* policy_parse reports only the first syntax error, as Tailscale's service does. This appends the others (about 50 at
 * most), for somebody who corrects the text; none if the text can be parsed. */
void policy_further_errors(const char *text, size_t len, struct policy_problems *problems);
struct policy *policy_ref(const struct policy *p); /* counted; NULL remains NULL */
void policy_unref(struct policy *p);

bool policy_has_tag(const struct policy *p, const char *tag);

/* The parts of a text: sections, their members and elements, and the members of these; anything deeper is a single
 * value. The ranges from..to of a container's items are adjacent, from its head to its foot: an item includes the
 * comments before it and the rest of its line. */
enum policy_item_kind { POLICY_ITEM_VALUE, POLICY_ITEM_OBJECT, POLICY_ITEM_ARRAY };
struct policy_item {
    enum policy_item_kind kind;
    const char *name;  /* of a member; NULL for an element and for the whole */
    const char *plain; /* the value without comments and blanks; "" for the whole */
    size_t from, to;
    size_t line;       /* between from and value: where its own line begins, after the comments before it */
    size_t value, end; /* the value alone */
    bool comma;        /* followed by a comma */
    size_t head, foot; /* of a container: the start of the first item, and the end of the last */
    size_t count;
    const struct policy_item *first, *next;
};
/* Allocates everything in the arena; the text is no longer needed. NULL if it is not the text of a policy, or too large
 * for the arena. */
const struct policy_item *policy_items(const char *text, size_t len, struct arena *a);

/* A short summary of the differences between two texts: "+2 grants, -1 group, ssh changed"; empty if one of them is not
 * a policy, or if only comments and blanks differ. */
void policy_changes_text(const char *before, const char *after, struct buf *out);

/* ---- the tailnet, as far as a policy looks at it ---- */

enum policy_role { POLICY_MEMBER, POLICY_ADMIN, POLICY_OWNER };

struct policy_user {
    uint64_t id;
    const char *name, *email, *provider_id; /* never NULL */
    enum policy_role role;
    const char *const *groups; /* "GROUP@PROVIDER": the user's groups as OpenID providers report them */
    size_t group_count;
};

struct policy_node {
    uint32_t slot;        /* a small number, unique while the node is in the view */
    uint64_t id, user_id; /* user_id is ignored if there are tags */
    uint64_t order;       /* rank by creation, the oldest first (node ids will do) */
    const char *name;     /* for explanations */
    const char *const *tags;
    size_t tag_count;
    struct addr ipv4, ipv6; /* bits 0: none */
    const struct prefix *routes;
    size_t route_count; /* effective (available and approved), including exit routes */
    const struct prefix *serving;
    size_t serving_count; /* subnet prefixes that it is primary for */
    /* These decide which router of a via group serves a prefix. A draining node counts as unhealthy. */
    bool online, healthy;
    bool connector; /* offers to be an app connector: Hostinfo.AppConnector */
};

struct policy_tailnet {
    const struct policy_user *users;
    size_t user_count;
    const struct policy_node *nodes;
    size_t node_count;
    const char *const *domains; /* mail domains of the tailnet; NULL: those of its users */
    size_t domain_count;
    const struct prefix *pools; /* address pools in addition to 100.64.0.0/10 and fd7a:115c:a1e0::/48 */
    size_t pool_count;
    /* NULL, or true once nobody waits any more for a computation that has a budget, which then ends as if the budget
     * were used up. Must outlive the views. */
    const atomic_bool *cancel;
};

/* ---- a policy over a tailnet ---- */

struct policy_view;

/* Never fails. Everything is copied. The view takes over from previous (NULL only for the first view) which routers
 * serve within via groups, and the counter for all version numbers, so that versions of the two views are never
 * confused. */
struct policy_view *policy_view_new(const struct policy *p, const struct policy_tailnet *t,
                                    const struct policy_view *previous);
void policy_view_free(struct policy_view *v);
/* The same within a budget of time and memory that is enough for any reasonable policy: NULL with a problem that names
 * what is too much. For policies that are only examined, and for new ones. */
struct policy_view *policy_view_bounded(const struct policy *p, const struct policy_tailnet *t,
                                        const struct policy_view *previous, struct policy_problems *problems);

/* To be called around the puts of all nodes into an empty view: everything that depends on them is computed once, at
 * the end. Nothing may be queried in between. */
void policy_view_begin(struct policy_view *v);
void policy_view_end(struct policy_view *v);

/* The result of each test. The list owns the strings. */
struct policy_outcome {
    unsigned line;
    bool ssh, passed;
    const char *want; /* "accept", "deny" or "check" */
    char *source, *target;
};
struct policy_outcomes {
    struct policy_outcome *items; /* the first 1,000 */
    size_t len, cap;
    size_t passed, failed; /* of all tests */
};
void policy_outcomes_release(struct policy_outcomes *o);

/* Checks that need users: ambiguous user names, foreign domains; and the sections tests and sshTests. Appends to
 * problems and returns 0 or ERR_INVALID. If run_tests is false, the two sections are skipped (at the start they only
 * cause warnings). */
int policy_view_check(const struct policy_view *v, bool run_tests, struct policy_problems *problems) WARN_UNUSED;
/* The same with the tests, with the outcome of each. */
int policy_view_check_telling(const struct policy_view *v, struct policy_outcomes *outcomes,
                              struct policy_problems *problems) WARN_UNUSED;

/* Warns of rules that have no effect: rules without sources or destinations, and those of which earlier rules allow
 * everything. Rules that may have another effect (via, capabilities, autogroup:self, the internet) are not checked.
 * Stops after some seconds' worth of comparisons. */
void policy_warn_unreachable(const struct policy *p, struct policy_problems *problems);

/* Warns of names of users that do not exist, with those that were probably meant; an ambiguous name is an error. This
 * is the part of policy_view_check that does not need nodes. */
void policy_check_users(const struct policy *p, const struct policy_user *users, size_t count,
                        struct policy_problems *problems);

/* Runs only the sections tests and sshTests, as policy_view_check does; and the number of their entries. */
int policy_view_test(const struct policy_view *v, struct policy_problems *problems) WARN_UNUSED;
size_t policy_test_count(const struct policy *p);

/* Makes v, which was made without a previous view, replace previous: it continues the counter and takes over which
 * routers serve within via groups. Only before anything of v was sent to a client. */
void policy_view_succeed(struct policy_view *v, const struct policy_view *previous);
/* The counter of a view, and v continuing one: for a view that follows another with none in between. Without it a
 * client that was sent nothing meanwhile could take what it has for what it should have. */
uint64_t policy_view_counter(const struct policy_view *v);
void policy_view_continue(struct policy_view *v, uint64_t counter);

/* Sets the present users. Costs a pass over all names, and a put for each node whose user is affected. Returns false if
 * no node is affected. */
bool policy_view_set_users(struct policy_view *v, const struct policy_user *users, size_t count);

/* A node joined or changed in any way; a node left. */
void policy_view_put(struct policy_view *v, const struct policy_node *n);
void policy_view_remove(struct policy_view *v, uint32_t slot);

/* Symmetric; a node does not see itself. Bit i of the mask is for slot block * 64 + i. */
bool policy_sees(const struct policy_view *v, uint32_t viewer, uint32_t peer);
uint64_t policy_sees_mask(const struct policy_view *v, uint32_t viewer, uint32_t block);

/* The routes of a visible peer that the viewer is shown, in addition to the peer's addresses, sorted; out is released
 * first. All of them belong in AllowedIPs, and those that are not exit routes in PrimaryRoutes. The result depends on
 * the viewer's memberships, the peer's record and, with via, on which other nodes are online. */
void policy_routes(const struct policy_view *v, uint32_t viewer, uint32_t peer, struct prefixes *out);

/* Does a grant with via direct the viewer's packets for the prefix to a router of its group? */
bool policy_leads(const struct policy_view *v, uint32_t viewer, const struct prefix *p);

/* ---- groups of routers that grants name with via ---- */

/* In a view that is only used for comparison, the oldest router of a group that is online and healthy serves a prefix,
 * or the one that was set in the previous view. After policy_via_direct the owner of the view holds the elections: no
 * router serves until policy_via_serve sets one (POLICY_SLOT_NONE: none any more). A node of the view must have the
 * prefix. */
size_t policy_via_groups(const struct policy_view *v);
/* The tags of a group in order, as "tag:a" or "tag:a, tag:b"; tags (released first) gets them one by one. */
const char *policy_via_group(const struct policy_view *v, size_t group, struct strs *tags);
/* Does a grant direct packets for the prefix to routers of the group? */
bool policy_via_concerns(const struct policy_view *v, size_t group, const struct prefix *p);
void policy_via_direct(struct policy_view *v);
void policy_via_serve(struct policy_view *v, const char *group, const struct prefix *p, uint32_t slot);

/* Must the peer be shown to this viewer without IPv4 addresses (attribute disable-ipv4 of either node)? */
bool policy_hides_ipv4(const struct policy_view *v, uint32_t viewer, uint32_t peer);

/* The packet filter in named parts (MapResponse.PacketFilters). Parts with the same name and version are equal. A part
 * never lists more than 128 addresses of nodes, so a node that joins or leaves changes one part of each list that
 * contains it. */
struct policy_part {
    char name[28];
    uint64_t version;
};
struct policy_parts {
    struct policy_part *items; /* sorted by name */
    size_t len, cap;
};
void policy_parts_release(struct policy_parts *p);
/* Lists the current parts in *now (released first; not sent). Writes to out (may be NULL) one JSON object with the
 * parts that are missing or older in sent (may be NULL), and null for those that no longer exist. Returns the number of
 * members written. */
size_t policy_filter_delta(const struct policy_view *v, uint32_t slot, const struct policy_parts *sent,
                           struct policy_parts *now, struct buf *out);

/* The whole filter, in the order and form of the recordings: a JSON array of tailcfg.FilterRule. */
void policy_filter(const struct policy_view *v, uint32_t slot, struct buf *out);

/* The SSH rules: a JSON array of tailcfg.SSHRule; the URLs of checks begin with base ("https://host"). The version
 * changes with the text. */
void policy_ssh(const struct policy_view *v, uint32_t slot, const char *base, struct buf *out);
uint64_t policy_ssh_version(const struct policy_view *v, uint32_t slot);

enum policy_ssh_verdict { POLICY_SSH_DENY, POLICY_SSH_ACCEPT, POLICY_SSH_CHECK };
/* The verdict of the first matching rule; login NULL: of the first check rule for the two nodes. period_ns: how long an
 * approval is valid; 0: ask every time. */
enum policy_ssh_verdict policy_ssh_decide(const struct policy_view *v, uint32_t source, uint32_t target,
                                          const char *login, int64_t *period_ns);

/* The attributes that nodeAttrs (and randomizeClientPort) give the node, sorted; out is released first. */
void policy_attrs(const struct policy_view *v, uint32_t slot, struct strs *out);
bool policy_has_attr(const struct policy_view *v, uint32_t slot, const char *attr);

/* App connectors, which nodeAttrs name by their tags: clients that use an app resolve its domains through its
 * connectors, and these advertise the addresses that they learn from that. */
struct policy_connector_app {
    const char *name;
    struct strs connectors; /* "tag:a", or "*" */
    struct strs domains;    /* in lower case; "*.example.com" covers all names below example.com */
    struct prefixes routes; /* to be advertised in addition to those that are learned */
    const char *json;       /* in the form that clients read */
    size_t attr;            /* the entry of nodeAttrs that contains it */
};
size_t policy_connector_apps(const struct policy_view *v);
const struct policy_connector_app *policy_connector_app(const struct policy_view *v, size_t app);
/* Is the node one of the app's connectors (it has a tag, and offers to be one)? Is it one of the app's targets? */
bool policy_app_has_connector(const struct policy_view *v, size_t app, uint32_t slot);
bool policy_app_has_user(const struct policy_view *v, size_t app, uint32_t slot);

/* Would autoApprovers, or an app that the node is a connector of, approve this advertised prefix? Exit routes only by
 * exitNode. */
bool policy_approves(const struct policy_view *v, uint32_t slot, const struct prefix *route);

/* May the user give the tag to a device of their own (tailscale up --advertise-tags)? */
bool policy_may_tag(const struct policy_view *v, uint64_t user_id, const char *tag);

/* Do the held tags own this one, directly or through tags that they own? */
bool policy_tags_own(const struct policy *p, const struct strs *held, const char *tag);

/* ---- explanations ---- */

/* Does src reach dst, and why? Both are node names, users, tags, groups, hosts or addresses; if they name several
 * devices, the pair that gets furthest is shown. proto < 0: TCP; port 0: any. Writes one JSON object: allowed,
 * pairs_allowed, pairs_denied, steps (ok, text) and, if they exist, rule or nearest (section, index, line, source,
 * destination), node or router, route. ERR_MISSING if one of the two does not exist. */
int policy_explain(const struct policy_view *v, const char *src, const char *dst, int proto, uint16_t port,
                   bool *allowed, struct buf *out, struct err *e) WARN_UNUSED;

/* The rules that concern a user (by name or address) or, if user is false, an address and port ("10.0.0.1:22"), in
 * Tailscale's form: a JSON array of objects with users and ports as in the rule, lineNumber and via. ERR_INVALID if
 * there is no such user or the text is malformed; nothing is written then. */
int policy_matches(const struct policy_view *v, bool user, const char *text, struct json_out *o,
                   struct err *e) WARN_UNUSED;

/* Who reaches what, as a matrix. from and to: comma-separated kinds (users, groups, tags, nodes; to also prefixes and
 * exits), or one selector. from_in, to_in: NULL, or a selector that everything listed must belong to. */
struct policy_reach_query {
    const char *from, *to, *from_in, *to_in;
    size_t rows_max, columns_max;
};
/* Adds to the open object of o: rows and columns (kind, name, nodes, online), rows_total and columns_total, cells, and
 * incomplete (true if the time was not enough for the rows after those listed). Only cells with access are listed: row,
 * column, what (ports), all (each node of the row reaches each of the column; false if only some do, or not by a single
 * rule), line (of the first such rule), from, and to or router: the names of two nodes as an example. ERR_MISSING for
 * an unknown name, ERR_INVALID for an unknown kind; nothing is written then. */
int policy_reach(const struct policy_view *v, const struct policy_reach_query *q, struct json_out *o,
                 struct err *e) WARN_UNUSED;

/* What a node, user, tag or group reaches, and what reaches it. Adds to the open object of o: nodes (the number of
 * nodes in of), neighbours (at most max: kind (node, prefix or exit), name, online, out and in (ports), out_line and
 * in_line (of the first such rule), out_all and in_all, router), total, and incomplete (true if the time was not
 * enough). Errors as in policy_reach. */
int policy_neighbours(const struct policy_view *v, const char *of, size_t max, struct json_out *o,
                      struct err *e) WARN_UNUSED;

/* An advertised route that autoApprovers would approve. */
struct policy_approval {
    uint32_t slot;
    struct prefix route;
};
struct policy_approvals {
    struct policy_approval *items;
    size_t len, cap;
};

/* The differences between two views of the same nodes: access gained and lost, routes shown and hidden. The approvals
 * (NULL: none) are listed too; after already contains their routes. Adds members to the open object of o: totals, and
 * at most max_rows each, the most important first, of rows, routes, viewers and approvals. A row has kind ("gained",
 * "lost"), sources, destinations (a few names, and the number), what (ports, or a network and ports), pairs and, for
 * lost access, kept: what is open before and after. routes lists the changes by route, viewers by the nodes that are
 * shown more or less, ways the packets that take another way, cut_off the users without access. cost has the number of
 * nodes, the number of those whose policy changes, and the size of all filters in bytes. */
void policy_preview(const struct policy_view *before, const struct policy_view *after,
                    const struct policy_approvals *approvals, size_t max_rows, struct json_out *o);

/* ---- ways ---- */

/* A node's way to a network is the online router that shows it the route, of several the one with the lowest id; an
 * online and visible exit node is a way out. This compares the ways in two views of a tailnet, whose nodes and policy
 * may differ. Routers have no way to their own routes. */
struct policy_way_change {
    struct prefix route; /* 0.0.0.0/0: a way out, with one change per exit node */
    uint32_t from, to;   /* slots of routers, POLICY_SLOT_NONE: none */
    size_t viewers;      /* number of nodes concerned */
};
struct policy_slots {
    uint32_t *items;
    size_t len, cap;
};
struct policy_way_viewers {               /* nodes with the same changes */
    struct policy_slots viewers, changes; /* changes: indices */
    bool no_exit;                         /* they lose a way out and have no other */
};
struct policy_cut_off { /* no node of the user has a way any more, but one had */
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
    bool incomplete; /* there was more than can be compared in some seconds */
};
/* Prefixes whose viewers use their nearest router, unless a view directs them to another one. */
struct policy_nearest {
    struct prefix prefix;
    uint32_t primary;        /* slot of the router in the view, for all other viewers */
    const uint32_t *routers; /* by slot of the viewer, POLICY_SLOT_NONE: the primary */
    size_t viewers;          /* length of routers */
};
struct policy_side {
    const struct policy_view *view;
    const struct policy_nearest *nearest;
    size_t nearest_count;
};
void policy_compare_ways(const struct policy_side *before, const struct policy_side *after, struct policy_ways *out);
void policy_ways_release(struct policy_ways *w);

/* ---- offline ---- */

/* For `headway policy compile`, with both arguments as text; the tailnet is a JSON object with users (id, name, email,
 * role), settings (domains) and nodes (name, user or tags, ipv4, ipv6, advertised, approved, order, online). Writes
 * what each node (or the one named) would be sent: if as_json, an object by node name with filter, peers, self, ssh and
 * auto_approve. A negative result comes with a fatal problem. */
int policy_compile_texts(const char *policy, size_t policy_len, const char *tailnet, size_t tailnet_len,
                         const char *node, bool as_json, struct buf *out, struct policy_problems *problems) WARN_UNUSED;

#endif

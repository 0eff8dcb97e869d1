/* SPDX-License-Identifier: BSD-3-Clause */
/* The objects of the HTTP API, for both ends: the server fills these structs from its records and writes them; the
 * console and the command line read the same JSON back into them. One table of members per object (a shape) drives
 * writing, reading and freeing, so that both directions always agree; it also has the names of headscale 0.29. A struct
 * that is to be written may borrow everything. One filled by api_read owns its strings and lists: free them with
 * api_release. Strings are never NULL unless marked "or NULL". Times are wall_ns; times and ids of 0 are written as
 * null. */
#ifndef COMMON_MODEL_API_H
#define COMMON_MODEL_API_H

#include "model/api_users.h"
#include "model/events.h"
#include "model/record.h"
#include "json/json.h"

/* An object has more members in /api/headway than in headscale's /api/v1, and a few only at the top level, not nested
 * in another object. Objects that headscale does not have are the same in every scope. */
enum api_scope { API_V1, API_HEADWAY, API_HEADWAY_TOP };

struct api_shape;

struct api_list { /* items: an array of len structs of one shape */
    void *items;
    size_t len;
};
#define api_at(list, type, i) (&((type *)(list)->items)[i])

struct api_addrs {
    struct addr v4, v6; /* bits 0: none */
};

struct api_endpoints {
    struct addr_port *items;
    size_t len;
};

struct api_event_id {
    uint64_t run, seq; /* run 0: none */
};
#define API_EVENT_ID_MAX 44
char *api_event_id_format(const struct api_event_id *id, char text[API_EVENT_ID_MAX]);
int api_event_id_parse(const char *text, struct api_event_id *out, struct err *e) WARN_UNUSED;

struct api_preauth_key {
    const struct api_user *user; /* or NULL */
    uint64_t id;
    const char *key; /* "hskey-auth-PREFIX-***"; complete only in the answer to its creation */
    bool reusable, ephemeral, used;
    int64_t expiration_ns, created_ns;
    struct strs tags;
    uint64_t version;
    bool revoked, preauthorized;
};

struct api_api_key {
    uint64_t id;
    const char *prefix; /* "hskey-api-PREFIX-***" */
    int64_t expiration_ns, created_ns, last_seen_ns;
    const char *description;
    bool read_only;
    uint64_t version;
    const char *key; /* the complete key in the answer to its creation, otherwise NULL */
};

struct api_route {
    struct prefix prefix;
    int state; /* enum route_state */
    bool exit;
    uint64_t primary;         /* node id */
    const char *primary_name; /* or NULL */
    const char *reason;       /* one sentence */
    const char *approved_by;  /* or NULL */
    const char *via;          /* the tags in the via of the grants that it serves, "tag:a; tag:b, tag:c"; or NULL */
};

struct api_warning {
    const char *code, *text;
    int64_t since_ns;
};

struct api_node {
    uint64_t id;
    const char *machine_key, *node_key, *disco_key; /* with their type prefix, such as "nodekey:" */
    struct api_addrs addrs;
    const char *hostname, *given_name;
    const struct api_user *user; /* NULL: tagged */
    int64_t last_seen_ns, expiry_ns, created_ns;
    const struct api_preauth_key *preauth_key; /* or NULL */
    int method;                                /* enum register_method */
    bool online;
    struct prefixes approved, available, serving; /* serving: those that it is primary for, and effective exit routes */
    struct strs tags;
    /* The members below are not in headscale. */
    const char *fqdn;
    uint64_t version;
    bool expired, logged_out, ephemeral, healthy, exit_node, draining;
    bool needs_approval;     /* waits for approval, or its approval was revoked */
    int64_t approval_ns;     /* the last decision about it; 0: none was needed or made */
    const char *approval_by; /* or NULL */
    int64_t since_ns;
    const char *os, *os_version, *client_version;
    uint64_t cap_version;
    uint64_t priority;     /* of a router or exit node: higher is preferred */
    uint64_t exit_node_id; /* the exit node that it uses; 0: none */
    struct api_endpoints endpoints;
    uint64_t relay; /* the home region; 0: unknown */
    const char *relay_name, *source;
    struct prefixes removed;
    struct api_list routes;   /* struct api_route, in the order of tables */
    struct api_list warnings; /* struct api_warning */
};

enum api_pending_kind { API_PENDING_REGISTER, API_PENDING_SSH };

struct api_pending {
    const char *auth_id;
    int kind; /* enum api_pending_kind */
    const char *machine_key, *node_key, *hostname, *os, *client_version, *source;
    struct strs request_tags;
    struct prefixes routes;
    int64_t created_ns, expires_ns;
    const char *command;                            /* what an administrator types, with USERNAME as a placeholder */
    const char *ssh_source, *ssh_target, *ssh_user; /* or NULL */
    const char *login_provider, *login_user; /* as GET pending tells: of the OpenID login under way; asked to confirm */
    int64_t login_since_ns;
};

/* A row of GET routes: a route and the node that advertises it. */
struct api_node_route {
    struct api_route route;
    uint64_t node;
    const char *name;
    uint64_t next; /* the node that takes over if the primary cannot serve the prefix; 0: none */
    const char *next_name;
};

/* A problem of a route, or something that may surprise. */
struct api_route_problem {
    struct prefix prefix;
    uint64_t node;
    const char *name, *code;
    bool warning; /* a problem; otherwise for information */
    const char *text;
};

struct api_router {
    uint64_t node;
    const char *name;
    int state; /* enum route_state */
    const char *reason;
    const char *via; /* as in api_route */
};

/* Can a router be taken out of service? */
struct api_served {
    struct prefix prefix;
    const char *via;    /* the tags in the via of the grants that it serves; NULL: it serves everybody */
    uint64_t successor; /* the node that would serve it; 0: none */
    const char *successor_name;
};
struct api_drain {
    uint64_t node;
    const char *name, *text; /* text: everything in one sentence */
    bool draining, exit_node;
    struct api_list serves;   /* struct api_served */
    bool confirmed, safe;     /* confirmed: its clients use other routers; safe: to reboot */
    bool asking;              /* clients are being asked: confirmed may still change */
    uint64_t used_by, untold; /* online users as an exit node; nodes that may be users but do not report it */
};

/* The primary of a prefix for the nodes that grants direct to routers with certain tags. */
struct api_prefix_group {
    const char *via; /* the tags */
    uint64_t primary;
    const char *primary_name;
    uint64_t next;         /* as in api_prefix */
    const char *next_name; /* or NULL */
    int64_t since_ns;
};

struct api_prefix {
    struct prefix prefix;
    bool exit;
    uint64_t primary;
    const char *primary_name; /* or NULL */
    uint64_t next;            /* the node that takes over if the primary cannot serve; 0: none, and for exit routes */
    const char *next_name;    /* or NULL */
    int64_t since_ns;
    struct api_list routers; /* struct api_router */
    struct api_list groups;  /* struct api_prefix_group: the groups that have a primary */
    /* How the prefix is served. own names the members below that were set for this prefix. */
    int failback; /* enum route_failback */
    bool keep;
    bool nearest; /* the nearest router serves each viewer */
    const char *hold_down, *failback_delay;
    const char *probe; /* the address of a host behind it, or NULL */
    struct strs own;
    uint64_t version; /* of its settings; 0: it has none */
};

/* A node that reports using an exit node (clients since 1.86). */
struct api_exit_user {
    uint64_t node;
    const char *name;
    bool online;
};

struct api_exit {
    uint64_t node;
    const char *name;
    int state; /* enum route_state */
    const char *reason;
    bool online, draining;
    bool suggested;             /* a candidate for clients that choose an exit node automatically */
    uint64_t priority, used_by; /* used_by: online users */
    struct api_list users;      /* struct api_exit_user */
};

struct api_relay {
    uint64_t id;
    const char *code, *name;
};

struct api_event {
    struct api_event_id id;
    int64_t time_ns;
    const char *kind;
    int weight; /* enum event_weight */
    const char *actor, *object;
    uint64_t object_id;
    const char *object_name, *text;
    const char *detail, *inverse; /* JSON objects, or NULL */
    struct api_event_id undone_by;
};

struct api_server {
    const char *url, *version, *base_domain;
    int64_t started_ns;
    const char *policy_mode, *policy_path;
};

struct api_policy_mark {
    bool present;
    int64_t updated_ns;
    uint64_t version;
};

struct api_counts {
    uint64_t nodes, online, routes_available, routes_serving;
};

struct api_snapshot {
    struct api_event_id event;
    int64_t time_ns;
    struct api_server server;
    struct api_list nodes, users, preauth_keys, api_keys, pending, prefixes, relays;
    struct api_policy_mark policy;
    struct api_counts counts;
};

struct api_policy {
    const char *text;
    int64_t updated_ns;
    uint64_t version;
    const char *mode; /* "database" or "file" */
};
/* A former or present text of the policy, without the text. */
struct api_policy_version {
    uint64_t version;
    int64_t updated_ns;
    const char *author; /* an actor as in the journal; "": unknown */
    const char *note;   /* the author's reason; "": none */
    bool current;
};
struct api_policy_versions {
    struct api_list versions;
    uint64_t next; /* the version before which the next page begins; 0: no older ones */
};

/* The current state of the objects that an event of the stream changed. */
struct api_changed {
    struct api_list nodes, users, preauth_keys, api_keys, pending, prefixes;
};
struct api_removed {
    struct strs nodes, users, preauth_keys, api_keys, pending, prefixes; /* ids, auth ids, prefixes */
};
struct api_changes {
    struct api_changed changed;
    struct api_removed removed;
};

#define API_ALIVE_MS 5000 /* the interval of keepalives on the stream of events; they may be a second late */

/* GET events without follow: a page of the journal, and the newest event. */
struct api_page {
    struct api_list events; /* struct api_event */
    struct api_event_id newest;
    struct api_event_id next; /* with before=: the value of before= for the next page; none: no older events */
    int64_t read_to_ns;       /* with before=: the time of the oldest event that was searched; 0: none */
};

/* The caller's identity: the answer of whoami. */
struct api_limits {
    uint64_t body_bytes, events_page;
};
struct api_whoami {
    const char *actor, *scope, *version, *server_url, *base_domain, *policy_mode;
    int64_t time_ns;
    bool read_only;
    struct api_limits limits;
    struct strs listens; /* the listeners in the daemon's configuration: "tcp 0.0.0.0:8080" */
};

#define API_CHANGE_NOTHING "Nothing changes" /* the text if nothing was changed, or would be in a dry run */

/* The answer to a change. Next to these members is "result": the object after the change, in its own shape. */
struct api_change {
    struct api_event_id event; /* the first of its events; none: nothing changed */
    struct strs events;        /* the ids of all its events */
    uint64_t version;
    const char *inverse; /* JSON; NULL: it cannot be undone */
    const char *text;    /* one sentence */
};

/* A message to the users of all clients. */
struct api_message {
    const char *text; /* "": none */
    int severity;     /* enum message_severity */
    const char *url;
    int64_t updated_ns;
    uint64_t version;
};

/* A finding of a policy check. */
struct api_finding {
    uint64_t line, column; /* 0: no particular place */
    const char *severity;  /* "warning" or "error" */
    const char *message;
};
struct api_check {
    bool ok;
    struct api_list findings; /* struct api_finding */
};

/* Why a source reaches a destination, or does not. */
struct api_step {
    bool ok;
    const char *text;
    uint64_t line; /* of the policy; 0: none */
};
struct api_explanation {
    const char *src, *dst;
    uint64_t port; /* 0: any */
    bool allowed;
    uint64_t pairs_allowed, pairs_denied;
    struct api_list steps;             /* struct api_step */
    const char *rule, *nearest;        /* JSON: the rule that allows it, and the one that comes closest; or NULL */
    const char *node, *router, *route; /* the end of the path, or NULL */
};

/* Who reaches what: a matrix with a cell for each pair that has access. */
struct api_reach_end {
    const char *kind; /* "user", "group", "tag", "node", "prefix", "exit", "selector" */
    const char *name;
    uint64_t nodes, online; /* its nodes; 0 for a prefix */
};
struct api_reach_cell {
    uint64_t row, column, line; /* row and column: indices in the lists of ends; line: of the first rule, 0: none */
    bool all;                   /* a single rule lets every node of the row reach every node of the column */
    struct strs what;           /* "any", "22", "tcp 443" */
    const char *from;           /* an example: a node that has the access */
    const char *to, *router;    /* and the node that it reaches, or the router of the network; the other is NULL */
};
struct api_reach {
    struct api_list rows, columns, cells; /* struct api_reach_end; struct api_reach_cell */
    uint64_t rows_total, columns_total;
    bool incomplete; /* the time was not enough for the missing rows */
};
extern const struct api_shape api_reach_shape, api_policy_version_shape, api_policy_versions_shape;

/* The access that a change of the policy adds and removes. */
struct api_names { /* the first few names, of count */
    uint64_t count;
    struct strs names;
};
struct api_access {
    const char *kind;             /* "gained" or "lost" */
    uint64_t pairs, online_pairs; /* of devices; online_pairs: both are online */
    struct api_names sources, destinations;
    struct strs what, kept; /* kept: for lost access, what is open before and after */
};
struct api_route_shown {
    const char *kind; /* "shown" or "hidden" */
    const char *route, *router;
    struct api_names viewers;
};
struct api_preview_way { /* nodes use another router to a network or the internet, or lose access */
    const char *kind;    /* "gains", "loses" or "moves" */
    const char *route, *from, *to;
    bool exit;
    struct api_names viewers;
};
struct api_preview_cut_off { /* no node of the user reaches the network any more */
    const char *user, *route;
    bool exit;
};
struct api_preview_cost {
    uint64_t nodes, online;           /* in all */
    uint64_t changed, filters, peers; /* nodes with any difference; with another filter; with other peers */
    uint64_t bytes;                   /* of the packet filters that saving the policy sends */
    bool incomplete;
};
struct api_preview_test {
    uint64_t line;
    const char *kind; /* "test" or "sshTest" */
    const char *want; /* "accept", "deny" or "check" */
    const char *source, *target;
    bool passed;
};
struct api_approval {
    const char *route, *router;
    uint64_t viewers;
};
struct api_totals {
    uint64_t pairs_lost, pairs_gained, routes_hidden, routes_shown, routes_approved, rows;
    bool incomplete;
};
struct api_preview {
    bool ok;
    struct api_list findings;  /* struct api_finding */
    struct api_list rows;      /* struct api_access */
    struct api_list routes;    /* struct api_route_shown */
    const char *viewers;       /* JSON: what becomes visible and hidden, by viewer; or NULL */
    struct api_list approvals; /* struct api_approval */
    struct api_list ways;      /* struct api_preview_way */
    struct api_list cut_off;   /* struct api_preview_cut_off */
    struct api_list tests;     /* struct api_preview_test */
    uint64_t tests_passed, tests_failed;
    struct api_preview_cost cost;
    uint64_t compile_ms; /* time needed to compile the policy for the tailnet */
    struct api_totals totals;
};

/* What would happen to routes after a hypothetical change. Names are NULL if there is no such node. */
struct api_simulated_prefix {
    struct prefix prefix;
    const char *via; /* the tags of the group of routers concerned, or NULL */
    /* "unserved": no node serves it any more; "dropped": an offline router keeps it; "moves"; "served" (it was not
     * before); "stays"; "unused": not served before or after */
    const char *outcome;
    uint64_t from, to;
    const char *from_name, *to_name;
    const char *reason;
    const char *later_name; /* the node that takes over in later_seconds; NULL: no change */
    uint64_t later_seconds;
    uint64_t candidates;                      /* routers that could then serve it */
    uint64_t gain, lose, move;                /* nodes that gain access, lose it, or use another router */
    const char *covered_by, *covered_by_name; /* the enclosing network that then gets the traffic, and its router */
};
struct api_simulated_exit {
    uint64_t node;
    const char *name;
    const char *kind;         /* "gains" or "loses" */
    uint64_t viewers;         /* nodes concerned */
    uint64_t without, in_use; /* of the nodes that lose it: without another exit node; that report using it now */
};
struct api_simulated_way {
    struct prefix prefix;
    bool exit;
    const char *kind; /* "gains", "loses" or "moves" */
    const char *from_name, *to_name;
};
struct api_simulated_viewers { /* nodes with the same changes */
    struct api_names viewers;
    uint64_t online;
    bool no_exit;            /* they lose an exit node and have no other */
    struct api_list changes; /* struct api_simulated_way, the first few */
};
struct api_simulated_cut_off { /* no node of the user reaches the network any more */
    const char *user;
    struct prefix prefix;
    bool exit;
};
struct api_simulated_totals {
    uint64_t gain, lose, move;                   /* nodes with any such change */
    uint64_t unserved, moved, cut_off, approved; /* prefixes, prefixes, users; approvals by autoApprovers */
    bool incomplete;
};
struct api_simulation {
    struct api_list findings;  /* struct api_finding, if the change is another policy */
    struct api_list prefixes;  /* struct api_simulated_prefix */
    struct api_list exits;     /* struct api_simulated_exit */
    struct api_list viewers;   /* struct api_simulated_viewers */
    struct api_list cut_off;   /* struct api_simulated_cut_off */
    struct api_list approvals; /* struct api_approval */
    struct api_simulated_totals totals;
};
extern const struct api_shape api_simulation_shape, api_names_shape, api_approval_shape;

/* Which router nodes have used since the last move of a prefix, as they report it. */
struct api_behind { /* a node that does not use the new router */
    uint64_t node;
    const char *name;
    const char *uses; /* the router that it uses; NULL: none */
    bool silent;      /* it did not answer */
    uint64_t seconds; /* since the move */
};
struct api_followers {
    struct prefix prefix;
    uint64_t from, to;               /* of an exit route: from is the exit node that was removed, and to is 0 */
    const char *from_name, *to_name; /* or NULL */
    const char *actor;               /* the administrator who caused it, or NULL */
    int64_t moved_ns;
    uint64_t viewers;       /* online nodes that see the route */
    uint64_t asked;         /* of those, a sample if there are many */
    uint64_t followed;      /* use the new router */
    uint64_t unsupported;   /* have a client that cannot be asked */
    bool complete;          /* all nodes that can be asked use the new router */
    bool ended;             /* no more nodes are asked */
    const char *text;       /* the same in a sentence */
    struct api_list behind; /* struct api_behind, the first few */
};
extern const struct api_shape api_followers_shape;

/* A difference between what a client has and what it should have. */
struct api_mismatch {
    uint64_t node;
    const char *name, *member; /* member "": the whole node */
    const char *has, *should;  /* NULL: the node is missing there */
};
struct api_diff {
    uint64_t node;
    const char *name;
    uint64_t peers, differences; /* numbers */
    const char *text;            /* the same in a sentence */
    struct api_list rows;        /* struct api_mismatch, the first few */
};
extern const struct api_shape api_diff_shape;

struct api_backup {
    const char *path;
    uint64_t bytes;
};

/* The version by which programs made for headscale tell the server's features, and the actual one. */
struct api_version_go {
    const char *version, *os, *arch;
};
struct api_version {
    const char *version; /* the headscale release whose API this is */
    const char *headway; /* the actual version */
    const char *commit, *build_time;
    struct api_version_go go; /* headway is not written in Go, but headscale's clients read this member */
    bool dirty;
};
void api_version_fill(struct api_version *out); /* the strings are static */

extern const struct api_shape api_user_shape, api_identity_shape, api_preauth_key_shape, api_api_key_shape,
    api_route_shape, api_node_route_shape, api_route_problem_shape, api_node_shape, api_pending_shape, api_router_shape,
    api_prefix_shape, api_drain_shape, api_relay_shape, api_exit_shape, api_event_shape, api_page_shape,
    api_server_shape, api_snapshot_shape, api_changes_shape, api_whoami_shape, api_change_shape, api_policy_shape,
    api_check_shape, api_explanation_shape, api_preview_shape, api_preview_test_shape, api_backup_shape,
    api_version_shape, api_finding_shape, api_policy_mark_shape, api_counts_shape, api_message_shape;

/* Returns the JSON schema of what api_write writes; the caller owns it. ref returns the reference to a schema that is
 * defined elsewhere, such as "#/components/schemas/Node", or NULL to include the schema in place. */
typedef const char *api_schema_ref(const struct api_shape *shape, enum api_scope scope);
json_t *api_schema(const struct api_shape *shape, enum api_scope scope, api_schema_ref *ref);

/* Writes object as an element or as the value of a member. */
void api_write(struct json_out *o, const struct api_shape *shape, const void *object, enum api_scope scope);
/* Writes only the members, into an object that has others too. */
void api_write_members(struct json_out *o, const struct api_shape *shape, const void *object, enum api_scope scope);
/* How a reader treats values of the wrong type. Unknown members are always ignored; missing ones become zero, "" or
 * NULL. */
enum api_reading {
    API_STRICT,       /* ERR_INVALID names the member */
    API_LENIENT,      /* the member is treated as missing; a list element is skipped */
    API_FOR_TERMINAL, /* as lenient, and strings are made safe to print (str_safe), truncated at 2 KiB, and never NULL
                       */
};
#define API_UNKNOWN (-1) /* an unknown word (a role, a state), as from a later release, when read leniently */

/* Reads one object and overwrites out, which is empty after an error. Anything but an object is an error in each
 * mode. */
int api_read(const struct api_shape *shape, const json_t *json, void *out, enum api_reading how,
             struct err *e) WARN_UNUSED;
void api_release(const struct api_shape *shape, void *object);

/* Reads an array of objects of one shape. */
int api_read_list(const struct api_shape *shape, const json_t *json, struct api_list *out, enum api_reading how,
                  struct err *e) WARN_UNUSED;
void api_release_list(const struct api_shape *shape, struct api_list *list);

/* Writes an object or a list of them as the command line of headscale 0.29 did: snake_case, ids as numbers, times as
 * seconds and nanoseconds, an empty list as null. Empty members are omitted unless keep_empty. */
void api_write_029(struct json_out *o, const struct api_shape *shape, const json_t *value, bool keep_empty);

#endif

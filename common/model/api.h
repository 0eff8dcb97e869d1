/* SPDX-License-Identifier: BSD-3-Clause */
/* The objects of the HTTP API, one place for both ends: the server fills the structs below from its records and writes
 * them, the console and the command line read the same JSON back into them. One table of members an object (a shape)
 * drives writing, reading and releasing, so that the two directions cannot differ; it has headscale 0.29's names too.
 *
 * In a struct that is to be written everything may be borrowed. What api_read filled owns its texts and lists: free
 * with api_release. Texts are never NULL but where named "or NULL". Times are wall_ns; they and ids are null at 0. */
#ifndef COMMON_MODEL_API_H
#define COMMON_MODEL_API_H

#include "model/api_users.h"
#include "model/events.h"
#include "model/record.h"
#include "json/json.h"

/* The same object has more members on /api/headway than on headscale's /api/v1, and a few only where it stands for
 * itself, not inside another one. What headscale does not have is written whole in each. */
enum api_scope { API_V1, API_HEADWAY, API_HEADWAY_TOP };

struct api_shape;

struct api_list { /* items: len structs of one shape, one after the other */
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
    const char *key; /* "hskey-auth-PREFIX-***"; whole only in the answer to its creation */
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
    const char *key; /* the whole key in the answer to its creation, else NULL */
};

struct api_route {
    struct prefix prefix;
    int state; /* enum route_state */
    bool exit;
    uint64_t primary;         /* node id */
    const char *primary_name; /* or NULL */
    const char *reason;       /* one sentence */
    const char *approved_by;  /* or NULL */
    const char *via;          /* it serves for grants with via these tags, "tag:a; tag:b, tag:c"; or NULL */
};

struct api_warning {
    const char *code, *text;
    int64_t since_ns;
};

struct api_node {
    uint64_t id;
    const char *machine_key, *node_key, *disco_key; /* with their prefix */
    struct api_addrs addrs;
    const char *hostname, *given_name;
    const struct api_user *user; /* NULL: tagged */
    int64_t last_seen_ns, expiry_ns, created_ns;
    const struct api_preauth_key *preauth_key; /* or NULL */
    int method;                                /* enum register_method */
    bool online;
    struct prefixes approved, available, serving; /* serving: elected subnet prefixes and effective exit routes */
    struct strs tags;
    /* beyond headscale */
    const char *fqdn;
    uint64_t version;
    bool expired, logged_out, ephemeral, healthy, exit_node, draining;
    bool needs_approval;     /* it waits for approval, or approval was taken back */
    int64_t approval_ns;     /* when somebody decided about it; 0: nobody had to, or nobody did */
    const char *approval_by; /* or NULL */
    int64_t since_ns;
    const char *os, *os_version, *client_version;
    uint64_t cap_version;
    uint64_t priority;     /* among routers and exit nodes: the higher is preferred */
    uint64_t exit_node_id; /* the exit node that it uses, 0: none */
    struct api_endpoints endpoints;
    uint64_t relay; /* home region, 0: not known */
    const char *relay_name, *source;
    struct prefixes removed;
    struct api_list routes;   /* struct api_route, as tables list routes */
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
    const char *command;                            /* what an administrator types, with the word USERNAME in it */
    const char *ssh_source, *ssh_target, *ssh_user; /* or NULL */
};

/* A row of GET routes: a route with the node that has it. */
struct api_node_route {
    struct api_route route;
    uint64_t node;
    const char *name;
    uint64_t next; /* who takes over the prefix when its primary cannot serve any more, 0: nobody */
    const char *next_name;
};

/* What is wrong with a route, or may surprise. */
struct api_route_problem {
    struct prefix prefix;
    uint64_t node;
    const char *name, *code;
    bool warning; /* something is wrong; otherwise good to know */
    const char *text;
};

struct api_router {
    uint64_t node;
    const char *name;
    int state; /* enum route_state */
    const char *reason;
    const char *via; /* as in api_route */
};

/* Whether a router can be taken away. */
struct api_served {
    struct prefix prefix;
    const char *via;    /* the tags of the grants that it serves it for, NULL: for everybody */
    uint64_t successor; /* who would serve it, or 0 */
    const char *successor_name;
};
struct api_drain {
    uint64_t node;
    const char *name, *text; /* text: all of it in a sentence */
    bool draining, exit_node;
    struct api_list serves;   /* struct api_served */
    bool confirmed, safe;     /* the clients that see its prefixes use others, and nobody the exit node; to reboot */
    bool asking;              /* the clients are being asked: confirmed may still change by itself */
    uint64_t used_by, untold; /* nodes online: its users as an exit node; who may be, with clients that do not say */
};

/* Who serves a prefix for those whom grants lead through routers with certain tags. */
struct api_prefix_group {
    const char *via; /* the tags */
    uint64_t primary;
    const char *primary_name;
    uint64_t next;         /* as of a prefix */
    const char *next_name; /* or NULL */
    int64_t since_ns;
};

struct api_prefix {
    struct prefix prefix;
    bool exit;
    uint64_t primary;
    const char *primary_name; /* or NULL */
    uint64_t next;            /* who takes over when the primary cannot serve any more, 0: nobody; none of an exit */
    const char *next_name;    /* or NULL */
    int64_t since_ns;
    struct api_list routers; /* struct api_router */
    struct api_list groups;  /* struct api_prefix_group, those in which somebody serves */
    /* How it is served, and the names of those of these four that were set for this prefix. */
    int failback; /* enum route_failback */
    bool keep;
    bool nearest; /* each viewer is served by the router that is nearest to it */
    const char *hold_down, *failback_delay;
    const char *probe; /* the address of a host behind it, or NULL */
    struct strs own;
    uint64_t version; /* of its settings, 0: it has none of its own */
};

/* Who says that it uses an exit node (clients from 1.86 on do). */
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
    bool suggested;             /* clients that choose for themselves may choose it */
    uint64_t priority, used_by; /* used_by: users that are online */
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
/* One of the texts that were the policy, without the text. */
struct api_policy_version {
    uint64_t version;
    int64_t updated_ns;
    const char *author; /* as the journal names who changes something; "": not known */
    const char *note;   /* why, in the author's words; "": none */
    bool current;
};
struct api_policy_versions {
    struct api_list versions;
    uint64_t next; /* where to go on: before which version; 0: there are no older ones */
};

/* What an event of the stream touched, as it is now. */
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

#define API_ALIVE_MS 5000 /* the stream of events says something this often, or at most a second later */

/* GET events without follow: a page of the journal, and the newest event there is. */
struct api_page {
    struct api_list events; /* struct api_event */
    struct api_event_id newest;
    struct api_event_id next; /* of a page before an entry: where older ones begin, for before=; none: there are none */
    int64_t read_to_ns;       /* of such a page: the time of the oldest entry that was looked at; 0: of none */
};

/* Who asks: the answer of whoami. */
struct api_limits {
    uint64_t body_bytes, events_page;
};
struct api_whoami {
    const char *actor, *scope, *version, *server_url, *base_domain, *policy_mode;
    int64_t time_ns;
    bool read_only;
    struct api_limits limits;
    struct strs listens; /* "tcp 0.0.0.0:8080": what the daemon's configuration has it listen at */
};

#define API_CHANGE_NOTHING "Nothing changes" /* the text where nothing was, or in a dry run would be, different */

/* The answer to a change. The object as it is now stands beside these as "result", in its own shape. */
struct api_change {
    struct api_event_id event; /* the first of its events; none: nothing changed */
    struct strs events;        /* the ids of all of them */
    uint64_t version;
    const char *inverse; /* JSON, or NULL: it cannot be undone */
    const char *text;    /* one sentence */
};

/* What the users of all clients are told. */
struct api_message {
    const char *text; /* "": nothing */
    int severity;     /* enum message_severity */
    const char *url;
    int64_t updated_ns;
    uint64_t version;
};

/* What a check of a policy found. */
struct api_finding {
    uint64_t line, column; /* 0: nowhere in particular */
    const char *severity;  /* "warning" or "error" */
    const char *message;
};
struct api_check {
    bool ok;
    struct api_list findings; /* struct api_finding */
};

/* Why somebody reaches something, or not. */
struct api_step {
    bool ok;
    const char *text;
    uint64_t line; /* of the policy; 0: it is about no line */
};
struct api_explanation {
    const char *src, *dst;
    uint64_t port; /* 0: any */
    bool allowed;
    uint64_t pairs_allowed, pairs_denied;
    struct api_list steps;             /* struct api_step */
    const char *rule, *nearest;        /* JSON, the rule that allows and the one that comes closest, or NULL */
    const char *node, *router, *route; /* what stands at the end, or NULL */
};

/* Who reaches what: a matrix, of which the cells are listed where something is reached. */
struct api_reach_end {
    const char *kind; /* "user", "group", "tag", "node", "prefix", "exit", "selector" */
    const char *name;
    uint64_t nodes, online; /* its nodes; 0 for a prefix */
};
struct api_reach_cell {
    uint64_t row, column, line; /* places in the lists of ends; line: of the first such rule, 0: there is none */
    bool all;                   /* each node of the row reaches each of the column by one rule */
    struct strs what;           /* "any", "22", "tcp 443" */
    const char *from;           /* a node that it is true for, */
    const char *to, *router;    /* and one that it reaches, or the router of the network; the other one is NULL */
};
struct api_reach {
    struct api_list rows, columns, cells; /* struct api_reach_end; struct api_reach_cell */
    uint64_t rows_total, columns_total;
    bool incomplete; /* there was no time for the rows that are missing */
};
extern const struct api_shape api_reach_shape, api_policy_version_shape, api_policy_versions_shape;

/* What a change of the policy gives and takes. */
struct api_names { /* some of many */
    uint64_t count;
    struct strs names;
};
struct api_access {
    const char *kind;             /* "gained" or "lost" */
    uint64_t pairs, online_pairs; /* of devices; both of them online */
    struct api_names sources, destinations;
    struct strs what, kept; /* kept: where something is lost, what is open before and after */
};
struct api_route_shown {
    const char *kind; /* "shown" or "hidden" */
    const char *route, *router;
    struct api_names viewers;
};
struct api_preview_way { /* nodes get to a network or out by another router, or not at all */
    const char *kind;    /* "gains", "loses" or "moves" */
    const char *route, *from, *to;
    bool exit;
    struct api_names viewers;
};
struct api_preview_cut_off { /* no node of the user gets there any more */
    const char *user, *route;
    bool exit;
};
struct api_preview_cost {
    uint64_t nodes, online;           /* that there are */
    uint64_t changed, filters, peers; /* nodes that are told something else; another filter; other peers */
    uint64_t bytes;                   /* of the packet filters that are sent when it is saved */
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
    const char *viewers;       /* JSON, or NULL: by viewer what becomes visible and hidden */
    struct api_list approvals; /* struct api_approval */
    struct api_list ways;      /* struct api_preview_way */
    struct api_list cut_off;   /* struct api_preview_cut_off */
    struct api_list tests;     /* struct api_preview_test */
    uint64_t tests_passed, tests_failed;
    struct api_preview_cost cost;
    uint64_t compile_ms; /* it took to work out the policy for the tailnet */
    struct api_totals totals;
};

/* What would happen to routes if. Names are NULL where nobody is. */
struct api_simulated_prefix {
    struct prefix prefix;
    const char *via; /* the tags of the group of routers that it is about, or NULL */
    /* "unserved": nobody serves it any more; "dropped": a router keeps it that is offline; "moves", "served" (nobody
     * did before), "stays"; "unused": nobody serves it, before and after */
    const char *outcome;
    uint64_t from, to;
    const char *from_name, *to_name;
    const char *reason;
    const char *later_name; /* who takes over in later_seconds, or NULL: it stays so */
    uint64_t later_seconds;
    uint64_t candidates;                      /* routers that could serve it then */
    uint64_t gain, lose, move;                /* nodes that get a way to it, lose it, get there by another router */
    const char *covered_by, *covered_by_name; /* the network around it that traffic then goes to, and its router */
};
struct api_simulated_exit {
    uint64_t node;
    const char *name;
    const char *kind;         /* "gains" or "loses" */
    uint64_t viewers;         /* nodes that do */
    uint64_t without, in_use; /* of those who lose it: who have no other; nodes that say that they use it now */
};
struct api_simulated_way {
    struct prefix prefix;
    bool exit;
    const char *kind; /* "gains", "loses" or "moves" */
    const char *from_name, *to_name;
};
struct api_simulated_viewers { /* nodes to which the same happens */
    struct api_names viewers;
    uint64_t online;
    bool no_exit;            /* they lose an exit node and have none left */
    struct api_list changes; /* struct api_simulated_way, some of them */
};
struct api_simulated_cut_off { /* no node of the user gets there any more */
    const char *user;
    struct prefix prefix;
    bool exit;
};
struct api_simulated_totals {
    uint64_t gain, lose, move;                   /* nodes to which that happens somewhere */
    uint64_t unserved, moved, cut_off, approved; /* prefixes, users, approvals by autoApprovers */
    bool incomplete;
};
struct api_simulation {
    struct api_list findings;  /* struct api_finding, of another policy */
    struct api_list prefixes;  /* struct api_simulated_prefix */
    struct api_list exits;     /* struct api_simulated_exit */
    struct api_list viewers;   /* struct api_simulated_viewers */
    struct api_list cut_off;   /* struct api_simulated_cut_off */
    struct api_list approvals; /* struct api_approval */
    struct api_simulated_totals totals;
};
extern const struct api_shape api_simulation_shape, api_names_shape, api_approval_shape;

/* Which router nodes use since a prefix last moved, as they say themselves. */
struct api_behind { /* a node that does not use the new router */
    uint64_t node;
    const char *name;
    const char *uses; /* the router that it uses, or NULL: none */
    bool silent;      /* it did not answer */
    uint64_t seconds; /* since the move */
};
struct api_followers {
    struct prefix prefix;
    uint64_t from, to;               /* of an exit route: the exit node that ended, and 0 */
    const char *from_name, *to_name; /* or NULL */
    const char *actor;               /* the administrator whose change it follows, or NULL */
    int64_t moved_ns;
    uint64_t viewers;       /* nodes that are online and see the route */
    uint64_t asked;         /* of them, a sample where there are many */
    uint64_t followed;      /* use the new router */
    uint64_t unsupported;   /* have a client that cannot be asked */
    bool complete;          /* all who can be asked follow */
    bool ended;             /* nobody is asked any more */
    const char *text;       /* the same in a sentence */
    struct api_list behind; /* struct api_behind, some of them */
};
extern const struct api_shape api_followers_shape;

/* What a client holds beside what it should. */
struct api_mismatch {
    uint64_t node;
    const char *name, *member; /* member "": the node as a whole */
    const char *has, *should;  /* NULL: the node is missing there */
};
struct api_diff {
    uint64_t node;
    const char *name;
    uint64_t peers, differences; /* how many */
    const char *text;            /* the same in a sentence */
    struct api_list rows;        /* struct api_mismatch, some of them */
};
extern const struct api_shape api_diff_shape;

struct api_backup {
    const char *path;
    uint64_t bytes;
};

/* What programs made for headscale look at to tell what the server can do, and what it really is. */
struct api_version_go {
    const char *version, *os, *arch;
};
struct api_version {
    const char *version; /* of the headscale that it answers as */
    const char *headway; /* its own */
    const char *commit, *build_time;
    struct api_version_go go; /* nothing was made with Go; headscale's clients read it */
    bool dirty;
};
void api_version_fill(struct api_version *out); /* texts are static */

extern const struct api_shape api_user_shape, api_identity_shape, api_preauth_key_shape, api_api_key_shape,
    api_route_shape, api_node_route_shape, api_route_problem_shape, api_node_shape, api_pending_shape, api_router_shape,
    api_prefix_shape, api_drain_shape, api_relay_shape, api_exit_shape, api_event_shape, api_page_shape,
    api_server_shape, api_snapshot_shape, api_changes_shape, api_whoami_shape, api_change_shape, api_policy_shape,
    api_check_shape, api_explanation_shape, api_preview_shape, api_preview_test_shape, api_backup_shape,
    api_version_shape, api_finding_shape, api_policy_mark_shape, api_counts_shape, api_message_shape;

/* The JSON schema of what api_write writes; the caller owns it. ref names the place of a schema that stands elsewhere,
 * such as "#/components/schemas/Node"; NULL: it is written in place. */
typedef const char *api_schema_ref(const struct api_shape *shape, enum api_scope scope);
json_t *api_schema(const struct api_shape *shape, enum api_scope scope, api_schema_ref *ref);

/* Writes object as an element or a member's value. */
void api_write(struct json_out *o, const struct api_shape *shape, const void *object, enum api_scope scope);
/* Its members alone, into an object that has others too. */
void api_write_members(struct json_out *o, const struct api_shape *shape, const void *object, enum api_scope scope);
/* How a reader takes what does not fit. Unknown members are ignored, missing ones are zero, "" or NULL. */
enum api_reading {
    API_STRICT,       /* a member of the wrong kind is ERR_INVALID with its name */
    API_LENIENT,      /* such a member is as if it were missing, such an element of a list is left out */
    API_FOR_TERMINAL, /* lenient, and texts are made safe to print (str_safe), cut off after 2 KiB, and never NULL */
};
#define API_UNKNOWN (-1) /* a word (a role, a state) that only a later release knows, where it is read leniently */

/* Reads one object. out is overwritten, and empty after an error; what is no object is one always. */
int api_read(const struct api_shape *shape, const json_t *json, void *out, enum api_reading how,
             struct err *e) WARN_UNUSED;
void api_release(const struct api_shape *shape, void *object);

/* An array of such objects. */
int api_read_list(const struct api_shape *shape, const json_t *json, struct api_list *out, enum api_reading how,
                  struct err *e) WARN_UNUSED;
void api_release_list(const struct api_shape *shape, struct api_list *list);

/* An object, or a list of them, as the command line of headscale 0.29 printed it: snake_case, ids as numbers, times as
 * seconds and nanoseconds; an empty list is null. Empty members are left out unless keep_empty. */
void api_write_029(struct json_out *o, const struct api_shape *shape, const json_t *value, bool keep_empty);

#endif

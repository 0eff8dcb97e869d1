/* SPDX-License-Identifier: BSD-3-Clause */
/* The one owner of all mutable state: a thread with a queue of calls. A call is decided in the core, its records go to
 * the store, and only after they are durable the snapshot is published and the call is answered; calls that arrive
 * meanwhile are decided and share the next commit. What is volatile (online, endpoints, health, elections) is published
 * at once and never waits for a disk. The core itself waits for nothing.
 *
 * A call is a struct that its sender fills, owns and keeps until done is called (on the core's thread: post to your own
 * loop from there). core_wait sends one and blocks until it is answered, for threads that may. */
#ifndef SERVER_CORE_CORE_H
#define SERVER_CORE_CORE_H

#include "config/config.h"
#include "policy/policy.h"
#include "store/store.h"
#include "tailnet/tailnet.h"

struct core;
struct core_state;

struct core_call {
    struct core_call *next;
    void (*run)(struct core_state *state, struct core_call *call); /* set by the functions below */
    void (*done)(struct core_call *call);
    void *owner; /* the sender's */
    int code;    /* 0 or an err_code */
    struct err err;
};

/* Reads the store, elects, publishes the first snapshot and starts the thread. The core keeps t, store and config. */
int core_start(const struct config *config, struct tailnet *t, struct store *store, struct core **out,
               struct err *e) WARN_UNUSED;
/* Answers what was asked, writes what is left, stops the thread. */
void core_stop(struct core *core);

int core_wait(struct core *core, void (*send)(struct core *core, void *call), void *call);

/* ---- what clients ask (server/control) ---- */

/* Of Hostinfo and the request, parsed and bounded by control. Texts are borrowed until the call is answered. */
struct client_info {
    const char *hostname, *os, *os_version, *client_version;
    const char *hostinfo;      /* compact JSON without NetInfo, at most 16 KiB */
    const char *peer_hostinfo; /* compact JSON for peers */
    const char *net_info;      /* compact JSON, NULL: not said, keep what is known */
    uint32_t home_derp;        /* 0: not said */
    struct prefixes routes;
    struct strs request_tags;
    uint32_t cap_version;
    const char *source; /* address and port of the connection */
    bool no_hostinfo;   /* it was not sent: a map request changes nothing of what it would hold */
};

enum register_result {
    REGISTER_DONE,    /* logged in */
    REGISTER_EXPIRED, /* NodeKeyExpired: make a new key and come again; also the answer to a logout */
    REGISTER_URL,     /* AuthURL for auth_id */
    REGISTER_REFUSED, /* Error: err.message, for the user's eyes */
};

struct core_register {
    struct core_call call;
    uint8_t machine_key[KEY_LEN], node_key[KEY_LEN], old_node_key[KEY_LEN];
    const char *auth_key; /* NULL: none */
    const char *followup; /* the auth id of a Followup URL, NULL: none. Answered when it is decided or cancelled */
    int64_t expiry_ns;    /* 0: none said; past: a logout */
    bool ephemeral;
    struct client_info info;
    enum register_result result;
    char auth_id[AUTH_ID_LEN + 1];
    uint64_t node_id;
    const struct user *user; /* owner, with a reference for the caller; NULL: tagged, or not registered */
};
void core_register(struct core *core, void *call);
/* The stream that waits for a followup is gone: done is called soon with ERR_GONE, if it was not yet. */
void core_register_cancel(struct core *core, struct core_register *call);

/* A map request of any kind. With stream the node gets a session, online until core_session_end. */
struct core_map {
    struct core_call call;
    uint8_t machine_key[KEY_LEN], node_key[KEY_LEN], disco_key[KEY_LEN];
    bool stream, read_only;
    bool has_endpoints;
    const struct addr_port *endpoints;
    const uint8_t *endpoint_types;
    size_t endpoint_count;
    struct client_info info;
    /* answers; code is ERR_MISSING for an unknown node key, ERR_GONE for one that was deleted lately */
    uint64_t node_id, session; /* session: for core_session_end, unique in this run */
    uint32_t slot;
    uint64_t seq; /* a snapshot of at least this change holds what the request said */
};
void core_map(struct core *core, void *call);

enum session_end {
    SESSION_CLOSED,   /* the client closed its stream or connection */
    SESSION_SILENT,   /* no sign of life within its time: no grace */
    SESSION_SHUTDOWN, /* the daemon ends: the node did not go away, and nothing moves */
    SESSION_REPLACED, /* a newer stream of the same node took over */
};
void core_session_end(struct core *core, uint64_t session, enum session_end why);

/* A verdict about a session whose stream stays open: it answers, or it does not. */
void core_session_health(struct core *core, uint64_t session, bool healthy);

/* Two machines, at the addresses that where names, pass a node's stream back and forth: a copied disk. */
void core_node_cloned(struct core *core, uint64_t node, const char *where);

/* What a node deserves by way of PINGs, from its record: a serving or possible router, or anybody. */
void core_ping_times(const struct config *config, const struct tailnet_node *node, int64_t *interval_ms,
                     int64_t *timeout_ms);

/* ---- what administrators ask (server/http) ---- */

enum admin_op {
    ADMIN_USER_CREATE,       /* name, display_name, email, picture_url, role */
    ADMIN_USER_RENAME,       /* id, name */
    ADMIN_USER_ROLE,         /* id, role */
    ADMIN_USER_DELETE,       /* id */
    ADMIN_PREAUTHKEY_CREATE, /* user_id or 0, tags, reusable, ephemeral, time_ns */
    ADMIN_PREAUTHKEY_EXPIRE, /* id */
    ADMIN_PREAUTHKEY_DELETE, /* id */
    ADMIN_APIKEY_CREATE,     /* time_ns, name (description), read_only */
    ADMIN_APIKEY_EXPIRE,     /* id or prefix */
    ADMIN_APIKEY_DELETE,     /* id or prefix */
    ADMIN_NODE_RENAME,       /* id, name */
    ADMIN_NODE_TAGS,         /* id, tags */
    ADMIN_NODE_EXPIRE,       /* id, time_ns; 0 with flag: never */
    ADMIN_NODE_DELETE,       /* id */
    ADMIN_NODE_ROUTES,       /* id, prefixes: replaces what is approved; exit routes come as a pair */
    ADMIN_ROUTES_EDIT,       /* id, prefixes (approve), revoke */
    ADMIN_PRIMARY,           /* prefixes (one), id: that node serves it */
    ADMIN_NODE_DRAIN,        /* id: its prefixes move to others where others can serve them; flag: no longer */
    ADMIN_REGISTER,          /* text (auth id), user_id, or name: approves a registration for a user */
    ADMIN_AUTH_APPROVE,      /* text (auth id) */
    ADMIN_AUTH_REJECT,       /* text (auth id) */
    ADMIN_DEBUG_NODE,        /* text (auth id), name, user_id, prefixes: a registration of nobody that waits */
    ADMIN_BACKFILL,          /* addresses for nodes that lack one; text result: one line a change */
    ADMIN_POLICY_SET,        /* text, "": none; problems answers what was found, warnings too */
    ADMIN_OP_COUNT
};

struct core_admin {
    struct core_call call;
    enum admin_op op;
    const char *actor; /* who asks, for the journal */
    bool dry_run;      /* decide and answer, change nothing */
    bool has_match;    /* ERR_PRECONDITION unless the record's version is match */
    uint64_t match;
    uint64_t undo_of;           /* SEQ of the event that this undoes, 0: none */
    const struct event *undoes; /* that event, borrowed, to be marked as undone; NULL: none */
    uint64_t id, user_id;
    const char *name, *display_name, *email, *picture_url, *text, *prefix;
    enum user_role role;
    bool has_role, reusable, ephemeral, read_only, flag;
    int64_t time_ns;
    struct strs tags;
    struct prefixes prefixes, revoke;
    /* answers; references and memory belong to the caller: core_admin_release */
    const void *record;        /* the object as it is now (before a deletion: as it was), or NULL */
    const struct event *event; /* the journal entry, NULL for a dry run or where nothing changed */
    char *secret;              /* the whole key of a creation, or the text result */
    uint64_t version;
    struct policy_problems problems;      /* of a policy */
    struct tailnet_snapshot const *after; /* a snapshot that holds the change (for a dry run: the current one) */
};
void core_admin(struct core *core, void *call);
void core_admin_release(struct core_admin *call);

/* Tailscale SSH in check mode: asks whether source may go on as user at target; answered when decided or cancelled. */
struct core_ssh {
    struct core_call call;
    uint64_t source_id, target_id;
    const char *user, *auth_id; /* auth_id NULL: the first question */
    bool accepted, undecided;
    char new_auth_id[AUTH_ID_LEN + 1];
};
void core_ssh(struct core *core, void *call);
/* Whoever asked is gone: done is called soon with ERR_GONE, if it was not yet. When nobody asks again for a minute, the
 * question is withdrawn. */
void core_ssh_cancel(struct core *core, struct core_ssh *call);

/* An API key's secret was right: its last use is noted (lazily). */
void core_apikey_seen(struct core *core, uint64_t id);

/* A reloaded configuration: settings that need no restart take effect. */
void core_reload(struct core *core, const struct config *config);
void core_set_derp(struct core *core, const char *derp_json);

/* Events as they become true, on the core's thread, after their commit; volatile ones (run 0) are the unnumbered notes
 * of endpoints, relay and last seen, as node id only. For the console's stream. */
struct core_listener {
    void (*event)(void *arg, const struct event *e);
    void (*volatile_change)(void *arg, uint64_t node_id);
    void *arg;
};
void core_listen(struct core *core, const struct core_listener *listener);
void core_unlisten(struct core *core, void *arg);

struct core_counters {
    uint64_t calls, commits, publishes, registrations, map_requests, failovers;
    uint64_t queue_length;
};
void core_counters(struct core *core, struct core_counters *out);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* What clients ask of the core: registration, map requests, Tailscale SSH; and the sessions that their streams
 * represent. */
#ifndef SERVER_CORE_CLIENT_H
#define SERVER_CORE_CLIENT_H

#include "config/config.h"
#include "core/call.h"
#include "tailnet/tailnet.h"

/* From Hostinfo and the request, parsed and bounded by control. */
struct client_info {
    const char *hostname, *os, *os_version, *client_version;
    const char *hostinfo;      /* compact JSON without NetInfo, at most 16 KiB */
    const char *peer_hostinfo; /* compact JSON for peers */
    const char *net_info;      /* compact JSON, NULL: not sent, keep the known one */
    uint32_t home_derp;        /* 0: not sent */
    struct prefixes routes;
    struct strs request_tags;
    uint64_t exit_node_id; /* 0: none */
    uint32_t cap_version;
    const char *source; /* address and port of the connection */
    bool no_hostinfo;   /* none was sent: a map request leaves what it would hold unchanged */
};

enum register_result {
    REGISTER_DONE,    /* logged in */
    REGISTER_EXPIRED, /* NodeKeyExpired: make a new key and register again; also the answer to a logout */
    REGISTER_URL,     /* AuthURL for auth_id */
    REGISTER_REFUSED, /* Error: err.message, shown to the user */
};

struct core_register {
    struct core_call call;
    uint8_t machine_key[KEY_LEN], node_key[KEY_LEN], old_node_key[KEY_LEN];
    const char *auth_key; /* NULL: none */
    const char *followup; /* the auth id of a Followup URL, NULL: none. Answered when it is decided or cancelled */
    int64_t expiry_ns;    /* 0: not sent; past: a logout */
    bool ephemeral;
    struct client_info info;
    enum register_result result;
    char auth_id[AUTH_ID_LEN + 1];
    uint64_t node_id;
    const struct user *user; /* owner, with a reference for the caller; NULL: tagged, or not registered */
    /* below: the core's, in its copy: the result of a slow hash of a pre-auth key */
    uint64_t slow_key; /* 0: none yet */
    char *slow_hash;
    bool slow_fits;
};
/* Returns a number that identifies the call. */
uint64_t core_register(struct core *core, struct core_register *call);

/* A map request of any kind. With stream the node gets a session, online until core_session_end. */
struct core_map {
    struct core_call call;
    uint8_t machine_key[KEY_LEN], node_key[KEY_LEN], disco_key[KEY_LEN];
    bool stream, read_only;
    bool has_endpoints;
    const struct addr_port *endpoints;
    size_t endpoint_count;
    struct strs flags; /* MapRequest.DebugFlags */
    struct client_info info;
    /* answers; code is ERR_MISSING for an unknown node key, ERR_GONE for one deleted recently */
    uint64_t node_id, session; /* session: for core_session_end, unique in this run */
    uint32_t slot;
    uint64_t seq; /* a snapshot of at least this change includes what the request sent */
};
void core_map(struct core *core, struct core_map *call);

enum session_end {
    SESSION_CLOSED,   /* the client closed its stream or connection */
    SESSION_SILENT,   /* no sign of life in time: no grace */
    SESSION_SHUTDOWN, /* the daemon ends: the node did not go away, and no prefix moves */
    SESSION_REPLACED, /* a newer stream of the same node took over */
};
void core_session_end(struct core *core, uint64_t session, enum session_end why);
/* The same with SESSION_SILENT; heard_ms: mono ms of the last sign of life. */
void core_session_dead(struct core *core, uint64_t session, int64_t heard_ms);

/* Whether a session whose stream stays open answers. asked_ms: mono ms of the first lost probe; 0: unknown. */
void core_session_health(struct core *core, uint64_t session, bool healthy, int64_t asked_ms);

/* Two machines, at the addresses named by where, take a node's stream from each other in turn: a copied disk. */
void core_node_cloned(struct core *core, uint64_t node, const char *where);

/* The problems that the node's client reports (/debug/health), which replace its earlier ones; copied. */
void core_node_warnings(struct core *core, uint64_t node, const struct node_warnings *now);

/* The result of a forwarding probe: whether the target behind the prefix answers through the router. */
struct core_reach {
    uint64_t router;
    struct prefix prefix;
    struct addr target;
    bool reached;
    /* Not a verdict but the result of the last round, used if the router loses its control connection. */
    bool is_round;
    int64_t began_ms; /* mono: the beginning of that round; of a verdict against a router, of its first lost round */
    const char *evidence; /* a sentence for the journal: who probed, how often; NULL: no entry, the probe ends */
};
void core_reach(struct core *core, const struct core_reach *reach); /* copied */
/* Routes the helper, and no other node, to the target through this router, whichever serves; helper 0: none. */
void core_probe_path(struct core *core, uint64_t router, uint64_t helper, const struct addr *target);

/* An administrator had the node's client asked something ("/debug/netmap"): noted in the journal. */
void core_node_asked(struct core *core, uint64_t node, const char *actor, const char *what);
/* Whether nodes that see a router's prefixes follow after they moved to it, or users of an exit node leave it: for the
 * journal. */
struct core_followers {
    uint64_t node; /* the router that serves now, or the exit node that ended */
    const struct prefixes *prefixes;
    bool all_follow;
    int64_t after_ms;  /* how long after the move this was known */
    const char *actor; /* the administrator whose change caused it, NULL: none */
    const char *text;
};
void core_note_followers(struct core *core, const struct core_followers *f); /* copied */

/* How often to PING a node, by its record: a serving or potential router, or any other. An interval of 0: never. */
void core_ping_times(const struct config *config, const struct tailnet_node *node, int64_t *interval_ms,
                     int64_t *timeout_ms);

/* Tailscale SSH in check mode: asks whether source may continue as user at target; answered when decided or
 * cancelled. */
struct core_ssh {
    struct core_call call;
    uint64_t source_id, target_id;
    const char *user, *auth_id; /* auth_id NULL: the first question */
    bool accepted, undecided;
    char new_auth_id[AUTH_ID_LEN + 1];
};
/* Returns a number that identifies the call. */
uint64_t core_ssh(struct core *core, struct core_ssh *call);

/* The asker is gone: a registration that waits for a followup, or an SSH question, is answered soon with ERR_GONE
 * unless it was already. An SSH question that no one repeats within a minute is withdrawn. */
void core_cancel(struct core *core, uint64_t number);

#endif

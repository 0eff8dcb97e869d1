/* SPDX-License-Identifier: BSD-3-Clause */
/* The one owner of all mutable state: a thread with a queue of calls. The core decides a call and sends its records
 * to the store; once they are durable, it publishes the snapshot and answers the call. Calls that arrive meanwhile
 * are decided and share the next commit. Volatile state (online, endpoints, health, elections) is published at once
 * and never waits for a disk. The core itself never blocks.
 *
 * Calls are in core/client.h and core/admin.h, which this header includes. */
#ifndef SERVER_CORE_CORE_H
#define SERVER_CORE_CORE_H

#include "config/config.h"
#include "core/admin.h"
#include "core/client.h"
#include "core/login.h"
#include "metrics/metrics.h"
#include "routes/routes.h"
#include "store/store.h"
#include "tailnet/tailnet.h"

/* Reads the store, elects, publishes the first snapshot and starts the thread. The core keeps t, store and config. */
int core_start(const struct config *config, struct tailnet *t, struct store *store, struct core **out,
               struct err *e) WARN_UNUSED;
/* Appends to said why a start would refuse the file of policy.path; nothing if it would accept it. users: from the
 * database, NULL if unknown. */
void core_check_policy(const struct config *c, struct user *const *users, size_t count, struct buf *said);
/* Problems with files that a start can do without, and which parts it will ignore: in sentences. */
void core_check_files(const struct config *c, struct strs *notes);
/* Answers the pending calls, writes what is left, stops the thread. */
void core_stop(struct core *core);

/* Has beat called on the core's thread, after earlier calls, to show that the thread is alive. Never blocks. */
void core_beat(struct core *core, void (*beat)(void));

/* An API key's secret was right: records its last use (lazily). fast_hash replaces a slow one; "": none. */
void core_apikey_seen(struct core *core, uint64_t id, const char *fast_hash);

/* The outcome of a delivery to a webhook. Times are wall times. */
struct core_webhook {
    uint64_t id;
    uint64_t run, seq;         /* all events up to here were delivered or dropped */
    uint64_t delivered;        /* events in this delivery */
    uint64_t dropped;          /* events that are given up; trouble has the reason */
    uint64_t dropped_said;     /* of all dropped events, how many this delivery reported */
    bool tried;                /* a delivery was tried: the members below are about it */
    int64_t tried_ns, next_ns; /* next_ns: of the next try; 0: it succeeded */
    uint32_t status;           /* HTTP status; 0: no answer */
    const char *trouble;       /* why it failed; "": it succeeded */
    bool gone;                 /* the webhook was sent its deletion: it can be removed */
};
void core_webhook_progress(struct core *core, const struct core_webhook *p);

/* A reloaded configuration: settings that need no restart take effect. */
void core_reload(struct core *core, const struct config *config);
void core_set_derp(struct core *core, const char *derp_json);

/* An exit node can no longer be used, or a node uses another one. */
struct core_exit_change {
    uint64_t node;
    const char *end;   /* why a usable exit node no longer is one, as from tailnet_exit_end */
    const char *actor; /* the administrator who ended it; NULL: it went away on its own */
    int64_t since_ns;  /* wall time of its end */
    uint64_t uses;     /* end NULL: the exit node that the node now uses; 0: none, or it is offline */
};

/* Events as they take effect, on the core's thread, after their commit. Volatile ones (run 0) are unnumbered notes of
 * changed endpoints, relay and last seen, with the node id only. For the console's stream. */
struct core_listener {
    void (*event)(void *arg, const struct event *e);
    void (*volatile_change)(void *arg, uint64_t node_id);
    /* A router whose probe targets answered lost its control connection: it keeps their prefixes briefly, and longer if
     * core_reach reports that they still answer. Called at once. */
    void (*contact_lost)(void *arg, uint64_t node_id);
    /* In order of publication, ends first within one. A new listener first receives the present uses. */
    void (*exit_changed)(void *arg, const struct core_exit_change *change);
    void *arg; /* any function may be NULL */
};
void core_listen(struct core *core, const struct core_listener *listener);
void core_unlisten(struct core *core, void *arg);

/* The present elections, for what-if questions: routes is a copy (routes/routes.h) that the caller owns. */
struct core_elections {
    struct core_call call;
    struct routes *routes;
};
void core_elections(struct core *core, struct core_elections *call);

enum core_node_operation { CORE_NODE_PUT, CORE_NODE_UPDATE, CORE_NODE_DELETE, CORE_NODE_OPERATIONS };
struct core_counters {
    uint64_t calls, commits, publishes, registrations, map_requests, failovers;
    uint64_t queue_length;
    /* time until changes of nodes were durable */
    struct metrics_times node_times[CORE_NODE_OPERATIONS];
    struct metrics_times batch_sizes, batch_times;    /* groups of changes: number, and time until durable */
    struct metrics_times snapshot_times, peers_times; /* to make a snapshot; to find who reaches whom in it */
    bool policy_refused;            /* the policy's file cannot be used: the previous policy stays in force */
    struct metrics_times detection; /* of lost routers, from their last sign of life to the failover */
};
void core_counters(struct core *core, struct core_counters *out);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* The one owner of all mutable state: a thread with a queue of calls. A call is decided in the core, its records go to
 * the store, and only after they are durable the snapshot is published and the call is answered; calls that arrive
 * meanwhile are decided and share the next commit. What is volatile (online, endpoints, health, elections) is published
 * at once and never waits for a disk. The core itself waits for nothing.
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
/* Why a start would not use the file of policy.path, appended to said; nothing: it would. users: of the database, NULL
 * where they are not known. */
void core_check_policy(const struct config *c, struct user *const *users, size_t count, struct buf *said);
/* Files without which a start works, and what it will not use of them: in sentences. */
void core_check_files(const struct config *c, struct strs *notes);
/* Answers what was asked, writes what is left, stops the thread. */
void core_stop(struct core *core);

/* Has beat called on the core's thread, after what was asked before: whether that thread goes on. Never blocks. */
void core_beat(struct core *core, void (*beat)(void));

/* An API key's secret was right: its last use is noted (lazily). fast_hash: takes the place of a slow one; "": none. */
void core_apikey_seen(struct core *core, uint64_t id, const char *fast_hash);

/* How telling a webhook went. The times are wall times. */
struct core_webhook {
    uint64_t id;
    uint64_t run, seq;         /* it was told what it is to be told up to here, or that was dropped */
    uint64_t delivered;        /* events, by this delivery */
    uint64_t dropped;          /* events that are not sent any more: trouble is why */
    uint64_t dropped_said;     /* of all that were dropped those that it was told of by this delivery */
    bool tried;                /* there was a delivery: what follows is about it */
    int64_t tried_ns, next_ns; /* next_ns: of the next try; 0: it succeeded */
    uint32_t status;           /* of HTTP; 0: no answer */
    const char *trouble;       /* why it failed; "": it succeeded */
    bool gone;                 /* it was told of its end: it can go */
};
void core_webhook_progress(struct core *core, const struct core_webhook *p);

/* A reloaded configuration: settings that need no restart take effect. */
void core_reload(struct core *core, const struct config *config);
void core_set_derp(struct core *core, const char *derp_json);

/* An exit node can be used no more, or a node uses another one. */
struct core_exit_change {
    uint64_t node;
    const char *end;   /* of an exit node that could be used: why it cannot be any more, as tailnet_exit_end says */
    const char *actor; /* the administrator who ended it; NULL: it went away by itself */
    int64_t since_ns;  /* wall time of its end */
    uint64_t uses; /* end NULL: the exit node that the node sends its traffic through now; 0: none, or it is offline */
};

/* Events as they become true, on the core's thread, after their commit; volatile ones (run 0) are the unnumbered notes
 * of endpoints, relay and last seen, as node id only. For the console's stream. */
struct core_listener {
    void (*event)(void *arg, const struct event *e);
    void (*volatile_change)(void *arg, uint64_t node_id);
    /* A router whose probe targets answered lost its control connection: it keeps their prefixes for a moment, and for
     * longer where core_reach says that they still answer. At once. */
    void (*contact_lost)(void *arg, uint64_t node_id);
    /* In the order in which it was published, ends first within a publication. A new listener is told who uses which.
     */
    void (*exit_changed)(void *arg, const struct core_exit_change *change);
    void *arg; /* any function may be NULL */
};
void core_listen(struct core *core, const struct core_listener *listener);
void core_unlisten(struct core *core, void *arg);

/* The elections as they are, to try something on: routes is a copy (routes/routes.h), which is the caller's. */
struct core_elections {
    struct core_call call;
    struct routes *routes;
};
void core_elections(struct core *core, struct core_elections *call);

enum core_node_operation { CORE_NODE_PUT, CORE_NODE_UPDATE, CORE_NODE_DELETE, CORE_NODE_OPERATIONS };
struct core_counters {
    uint64_t calls, commits, publishes, registrations, map_requests, failovers;
    uint64_t queue_length;
    /* of changes of nodes, how long it took until they were durable */
    struct metrics_times node_times[CORE_NODE_OPERATIONS];
    struct metrics_times batch_sizes,
        batch_times; /* of groups of changes: how many, how long until they were durable */
    struct metrics_times snapshot_times, peers_times; /* to make a snapshot; to find who reaches whom in it */
    bool policy_refused;            /* the policy's file cannot be used: the policy before stays in force */
    struct metrics_times detection; /* of routers that went away, from their last sign of life to the failover */
};
void core_counters(struct core *core, struct core_counters *out);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to control, above the seam of rpc.h: the calls of clients, and the sessions that their streams are.
 *
 * The sessions of one loop are a group: they look at the same snapshot and are told in the same rounds, so that those
 * that must hear the same get the same bytes. A session is touched by its loop's thread only; other threads know it by
 * its number and post. */
#ifndef SERVER_CONTROL_UPPER_H
#define SERVER_CONTROL_UPPER_H

#include <pthread.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "config/config.h"
#include "control/control.h"
#include "control/request.h"
#include "netmap/netmap.h"
#include "rpc/rpc.h"

struct group {
    struct control *control;
    struct loop *loop;
    struct loop_task look;
    struct loop_timer round;
    struct netmap_rounds rounds;
    const struct tailnet_snapshot *snapshot; /* NULL before the first look */
    const struct tailnet_snapshot *fill;     /* whose peers first maps show while many are being filled; or NULL */
    int64_t fill_ms;                         /* since when */
    struct session *first;
    size_t count;
    struct map by_number;
    /* streams that began: in the running second, and in the one before */
    int64_t second_ms;
    unsigned began, began_before;
};

struct control {
    struct control_options options; /* config: use control_config */
    struct rpc_server *server;
    struct group *groups; /* one for each loop */
    unsigned group_count;
    atomic_bool stopping; /* connections end because the daemon does */
    bool redial;          /* clients never try HTTPS */
    atomic_uint filling;  /* streams that wait for their first map, in all groups */
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    const struct config *config; /* a reference */
    struct map streams;          /* node id -> struct stream_owner */
    unsigned outstanding;        /* calls that the core has not answered, and loops that have not let go */
};

/* Calls of the core on behalf of an rpc. Begin and end keep the control alive until the last one is answered. */
void control_begin(struct control *c);
void control_end(struct control *c);

/* Why a session that its client closed, or that was closed, ends. */
static inline enum session_end closed_why(struct control *c)
{
    return atomic_load(&c->stopping) ? SESSION_SHUTDOWN : SESSION_CLOSED;
}

/* The answer to a client that is too old: true if it was given. */
bool refuse_old(struct rpc *rpc, unsigned version, bool as_error);
/* "Tailscale 1.78 is too old ..." for a capability version. */
void too_old_text(unsigned version, char *text, size_t size);

/* The configuration in force, with a reference for the caller. */
const struct config *control_config(struct control *c);

rpc_handler handle_register, handle_map, handle_ssh_action, handle_ping_response;
extern const struct rpc_route control_routes[];
extern const size_t control_route_count;

/* ---- sessions.c ---- */

struct session_start {
    struct rpc *rpc;
    struct netmap_client client;
    uint64_t number; /* of the core; 0: a deleted node, which only hears that */
    uint64_t seq;    /* the first map holds at least this change */
    uint8_t node_key[KEY_LEN];
    const char *hostname;
};
/* Starts the stream; from here on the rpc belongs to the session. */
void session_begin(struct control *c, const struct session_start *start);

void groups_start(struct control *c);
void groups_watch(struct control *c); /* the configuration changed */
void groups_stop(struct control *c);  /* after all connections are gone */

/* Chunks of m move to out. */
void message_to_rpc(struct rpc_bytes *out, struct netmap_message *m);

/* ---- probe.c: on the thread of the session's loop ---- */

struct probe {
    struct loop_timer timer;
    struct group *group;
    struct rpc *rpc;
    uint64_t session, secret;        /* secret: of the question that waits for its answer; 0: none */
    int64_t interval_ms, timeout_ms; /* interval 0: off */
    enum { PROBE_IDLE, PROBE_DUE, PROBE_OUT } state;
    bool answered, missed; /* once in this stream; the last question */
    bool sick;
    unsigned row; /* answers without a miss, while it is sick */
};
void probe_init(struct probe *p, struct group *group, struct rpc *rpc, uint64_t session);
void probe_set(struct probe *p, int64_t interval_ms, int64_t timeout_ms);
void probe_stop(struct probe *p);
void probe_ask(struct probe *p, struct rpc_bytes *out, bool zstd); /* in a pull: adds the question that is due */
void probe_written(struct probe *p);                               /* its time runs from here */
/* The probe of a session of the group, NULL: it has gone. */
struct probe *session_probe(struct group *group, uint64_t number);

/* ---- takeover.c ---- */

/* A stream begins: milliseconds that it must wait, because two machines pass the same node back and forth. */
int64_t takeover_delay(struct control *c, uint64_t node_id, const struct addr_port *peer);
/* Its first map is written: an older stream of the node ends, or this one if a newer one was faster (then false). */
bool takeover_claim(struct control *c, uint64_t node_id, uint64_t number, struct group *group);
void takeover_release(struct control *c, uint64_t node_id, uint64_t number);
/* Posts to the group of a session that it must end, replaced. */
void session_end_other(struct group *group, uint64_t number);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* What all handlers of clients' calls share. */
#ifndef SERVER_CONTROL_STATE_H
#define SERVER_CONTROL_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "config/config.h"
#include "control/c2n/questions.h"
#include "control/control.h"
#include "control/round_trips.h"
#include "core/core.h"
#include "netmap/netmap.h"
#include "rpc/rpc.h"

struct session_group;

/* Kinds of messages on the streams of map requests. */
enum map_message { MAP_FULL, MAP_CHANGE, MAP_KEEPALIVE, MAP_PING, MAP_QUESTION, MAP_MESSAGES };

struct control {
    struct control_options options; /* config: use control_config */
    struct rpc_server *server;
    struct session_group *groups; /* one per loop */
    unsigned group_count;
    atomic_bool stopping; /* connections end because the daemon is ending */
    bool redial;          /* clients never try HTTPS */
    atomic_ullong messages[MAP_MESSAGES], updates_taken, updates_refused, streams_left, streams_ended;
    atomic_uint filling; /* streams that await their first map, in all groups */
    struct questions questions;
    struct round_trips round_trips;
    pthread_mutex_t lock; /* protects the members below */
    pthread_cond_t changed;
    const struct config *config; /* a reference */
    struct map streams;          /* for takeover.c: node id -> struct stream_owner */
    int64_t streams_swept;       /* mono ms */
    unsigned outstanding;        /* calls that the core has not answered, and loops that have not released */
};

/* Bracket calls of the core on behalf of an rpc: they keep the control alive until the last one is answered. */
void control_begin(struct control *c);
void control_end(struct control *c);

/* Why a session ends that its client closed, or that was closed. */
static inline enum session_end closed_why(struct control *c)
{
    return atomic_load(&c->stopping) ? SESSION_SHUTDOWN : SESSION_CLOSED;
}

/* The configuration in force, with a reference for the caller. */
const struct config *control_config(struct control *c);

#endif

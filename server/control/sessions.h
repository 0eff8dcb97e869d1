/* SPDX-License-Identifier: BSD-3-Clause */
/* The streams of map requests. Those of one loop are a group: they use the same snapshot and are served in the same
 * rounds, so that receivers of the same content get the same bytes. Only its loop's thread touches a session; other
 * threads refer to it by number and post. */
#ifndef SERVER_CONTROL_SESSIONS_H
#define SERVER_CONTROL_SESSIONS_H

#include "control/c2n/outgoing.h"
#include "control/probe.h"
#include "control/state.h"

struct session_group {
    struct control *control;
    struct loop *loop;
    struct loop_task look;
    struct loop_timer round;
    struct loop_timer overdue; /* finds questions whose time is over */
    struct netmap_rounds rounds;
    const struct tailnet_snapshot *snapshot; /* NULL before the first round */
    const struct tailnet_snapshot *fill;     /* the peers that first maps show while many are being filled; or NULL */
    int64_t fill_ms;                         /* since when */
    struct map_session *first;
    size_t count;
    struct map by_number;
    /* streams that began in the current second, and in the one before */
    int64_t second_ms;
    unsigned began, began_before;
};

struct session_start {
    struct rpc *rpc;
    struct netmap_client client;
    uint64_t number; /* the core's; 0: a deleted node, which is only told that */
    uint64_t seq;    /* the first map includes this change at least */
    uint8_t node_key[KEY_LEN];
    const char *hostname;
};
/* Starts the stream and takes over the rpc. */
void session_begin(struct control *c, const struct session_start *start);
/* Sends a question (see ask.c) once the first map is written. False: the session is gone. */
bool session_ask(struct session_group *group, uint64_t number, struct outgoing_question *q);
/* The probe of a session of the group, NULL: the session is gone. */
struct probe *session_probe(struct session_group *group, uint64_t number);

void sessions_start(struct control *c);
void sessions_watch(struct control *c); /* the configuration changed */
void sessions_stop(struct control *c);  /* call after all connections are closed */

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* The streams of map requests. Those of one loop are a group: they look at the same snapshot and are told in the same
 * rounds, so that those that must hear the same get the same bytes. A session is touched by its loop's thread only;
 * other threads know it by its number and post. */
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
    struct loop_timer overdue; /* looks for questions whose time is over */
    struct netmap_rounds rounds;
    atomic_llong changed_us; /* mono, when the oldest change that no round told was published; 0: none is left */
    const struct tailnet_snapshot *snapshot; /* NULL before the first look */
    const struct tailnet_snapshot *fill;     /* whose peers first maps show while many are being filled; or NULL */
    int64_t fill_ms;                         /* since when */
    struct map_session *first;
    size_t count;
    struct map by_number;
    /* streams that began: in the running second, and in the one before */
    int64_t second_ms;
    unsigned began, began_before;
};

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
/* Sends a question (see ask.c) once the first map is written. false: the session has gone. */
bool session_ask(struct session_group *group, uint64_t number, struct outgoing_question *q);
/* The probe of a session of the group, NULL: it has gone. */
struct probe *session_probe(struct session_group *group, uint64_t number);

void sessions_start(struct control *c);
void sessions_watch(struct control *c); /* the configuration changed */
void sessions_stop(struct control *c);  /* after all connections are gone */

#endif

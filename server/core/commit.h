/* SPDX-License-Identifier: BSD-3-Clause */
/* Groups: what becomes durable together, and what follows when it is, or is not. */
#ifndef SERVER_CORE_COMMIT_H
#define SERVER_CORE_COMMIT_H

#include "base/vec.h"
#include "core/call.h"
#include "store/store.h"

struct core_state;

struct commit_group {
    struct commit_group *next;
    struct core_state *state;
    VEC(struct store_write) writes;
    VEC(const struct event *) events; /* also among the writes; delivered in this order */
    VEC(bool) observed;               /* for each: it happened, whether or not it could be stored */
    struct core_call *calls, **calls_end;
    bool abandoned; /* decided upon a group that could not be written */
    int code;
    struct err err;
};

/* The open group. Records given to tx_put belong to the group from then on (dry runs let them go). */
void tx_put(struct core_state *s, void *record);
void tx_remove(struct core_state *s, const void *record);
/* After what it relies on is durable, or at the end of the turn. */
void tx_answer(struct core_state *s, struct core_call *call, int code);
/* At the end of the turn, whatever is being written: for what is volatile, and for refusals. */
void tx_answer_soon(struct core_state *s, struct core_call *call, int code);
void tx_give_answers(struct core_state *s);
void tx_submit(struct core_state *s);                         /* at the end of a turn */
void tx_finish(struct core_state *s, struct commit_group *g); /* the store has answered */
uint64_t tx_new_id(struct core_state *s, enum record_kind kind);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* The decisions of calls, before they are written. */
#ifndef SERVER_CORE_STATE_TRANSACTION_H
#define SERVER_CORE_STATE_TRANSACTION_H

#include "core/core.h"
#include "store/store.h"

struct core_state;

/* Adds to the open group. Records given to tx_put belong to the group from then on (dry runs free them). */
void tx_put(struct core_state *s, void *record);
void tx_remove(struct core_state *s, const void *record);
/* Makes the record current (work) without writing it. */
void tx_set_work(struct core_state *s, const struct record *r, bool remove);
/* Answers the call once what it relies on is durable, or at the end of the turn. */
void tx_answer(struct core_state *s, struct core_call *call, int code);
/* Answers at the end of the turn, whatever is being written: for volatile state and for refusals. */
void tx_answer_soon(struct core_state *s, struct core_call *call, int code);
uint64_t tx_new_id(struct core_state *s, enum record_kind kind);

#endif

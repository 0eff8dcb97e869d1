/* SPDX-License-Identifier: BSD-3-Clause */
/* What calls decide, until it is written. */
#ifndef SERVER_CORE_STATE_TRANSACTION_H
#define SERVER_CORE_STATE_TRANSACTION_H

#include "core/core.h"
#include "store/store.h"

struct core_state;

/* The open group. Records given to tx_put belong to the group from then on (dry runs let them go). */
void tx_put(struct core_state *s, void *record);
void tx_remove(struct core_state *s, const void *record);
/* Makes the record what is worked with, and writes nothing. */
void tx_set_work(struct core_state *s, const struct record *r, bool remove);
/* After what it relies on is durable, or at the end of the turn. */
void tx_answer(struct core_state *s, struct core_call *call, int code);
/* At the end of the turn, whatever is being written: for what is volatile, and for refusals. */
void tx_answer_soon(struct core_state *s, struct core_call *call, int code);
uint64_t tx_new_id(struct core_state *s, enum record_kind kind);

#endif

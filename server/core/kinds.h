/* SPDX-License-Identifier: BSD-3-Clause */
/* The kinds of calls. */
#ifndef SERVER_CORE_KINDS_H
#define SERVER_CORE_KINDS_H

#include "core/call.h"

enum call_kind_id { CALL_REGISTER, CALL_MAP, CALL_SSH, CALL_ADMIN };

/* The core's copy of a call, which owns everything that it points to. */
struct core_call *call_copy(enum call_kind_id id, struct core_call *sender);
/* Moves the answer into the sender's call, frees the copy and tells the sender. */
void call_answer(struct core_call *call);
void call_free(struct core_call *call); /* without an answer */

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls of administrators that carried a token: the same call is answered as it was the first time, over a restart too,
 * and not done again. The newest thousand of a day are known. */
#ifndef SERVER_CORE_ADMIN_REPEATED_H
#define SERVER_CORE_ADMIN_REPEATED_H

#include "core/core.h"

struct core_state;

/* True: the call came before, or its token did; it is answered. */
bool repeated_answer(struct core_state *s, struct core_admin *a);
/* What became of a call: 0, an error, or more than 0 when that is decided later. What was done is noted in the group of
 * what it did. */
void repeated_note(struct core_state *s, const struct core_admin *a, int code);
/* From the store at a start, oldest first; what came to the store; after a group was refused; at the end. */
void repeated_load(struct core_state *s, struct admin_call *const *items, size_t count);
void repeated_follow(struct core_state *s, const struct admin_call *call);
void repeated_reset(struct core_state *s);
void repeated_release(struct core_state *s);

#endif

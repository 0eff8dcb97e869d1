/* SPDX-License-Identifier: BSD-3-Clause */
/* Administrators' calls that carried a token: a repeated call is answered as the first was, even over a restart, and
 * not done again. Remembers the newest thousand of a day. */
#ifndef SERVER_CORE_ADMIN_REPEATED_H
#define SERVER_CORE_ADMIN_REPEATED_H

#include "core/core.h"

struct core_state;

/* True: the call or its token is known, and the call has been answered. */
bool repeated_answer(struct core_state *s, struct core_admin *a);
/* The outcome of a call: 0, an error, or more than 0 if it is decided later. Successes are recorded in the group of
 * their changes. */
void repeated_note(struct core_state *s, const struct core_admin *a, int code);
/* At start, from the store, oldest first; when durable; after a group was refused; at the end. */
void repeated_load(struct core_state *s, struct admin_call *const *items, size_t count);
void repeated_follow(struct core_state *s, const struct admin_call *call);
void repeated_reset(struct core_state *s);
void repeated_release(struct core_state *s);

#endif

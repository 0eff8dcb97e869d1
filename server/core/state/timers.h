/* SPDX-License-Identifier: BSD-3-Clause */
/* A heap of timers, at most one per kind and node. The handler of a timer checks the state, and sets the timer again if
 * it fired too early. */
#ifndef SERVER_CORE_STATE_TIMERS_H
#define SERVER_CORE_STATE_TIMERS_H

#include "core/state/state.h"

/* slot NULL: tailnet-wide. A timer that is already set keeps the earlier time. */
void timer_set(struct core_state *s, int64_t due_ms, enum timer_kind kind, struct slot *slot);
void timers_drop(struct core_state *s, struct slot *slot); /* when its node is gone */
/* Takes a timer that is due. */
bool timer_take_due(struct core_state *s, int64_t now_ms, struct timer *out);
int64_t timers_next(const struct core_state *s); /* mono ms; INT64_MAX: none */
/* For key expiry and the warnings before it; for the deletion of an ephemeral node without a session. */
void timer_for_expiry(struct core_state *s, struct slot *slot, const struct node *n);
void timer_for_ephemeral(struct core_state *s, struct slot *slot);

#endif

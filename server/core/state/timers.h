/* SPDX-License-Identifier: BSD-3-Clause */
/* What is due later: a heap with at most one timer a kind for each node. Whoever is called when one is due looks at the
 * state, and sets it again where it came too early. */
#ifndef SERVER_CORE_STATE_TIMERS_H
#define SERVER_CORE_STATE_TIMERS_H

#include "core/state/state.h"

/* slot NULL: of the tailnet. One that is set already stays where it is due sooner. */
void timer_set(struct core_state *s, int64_t due_ms, enum timer_kind kind, struct slot *slot);
void timers_drop(struct core_state *s, struct slot *slot); /* whose node is gone */
/* Takes one that is due. */
bool timer_take_due(struct core_state *s, int64_t now_ms, struct timer *out);
int64_t timers_next(const struct core_state *s); /* mono ms; INT64_MAX: none */
/* For the end of the node's key and the warnings before; for the deletion of an ephemeral node that has no session. */
void timer_for_expiry(struct core_state *s, struct slot *slot, const struct node *n);
void timer_for_ephemeral(struct core_state *s, struct slot *slot);

#endif

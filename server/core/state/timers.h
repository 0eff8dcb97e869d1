/* SPDX-License-Identifier: BSD-3-Clause */
/* What is due later: a heap of timers. */
#ifndef SERVER_CORE_STATE_TIMERS_H
#define SERVER_CORE_STATE_TIMERS_H

#include "core/state/state.h"

void timer_set(struct core_state *s, int64_t due_ms, enum timer_kind kind, uint64_t id);
/* Takes one that is due. */
bool timer_take_due(struct core_state *s, int64_t now_ms, struct timer *out);
int64_t timers_next(const struct core_state *s); /* mono ms; INT64_MAX: none */
void timer_for_expiry(struct core_state *s, const struct node *n);

#endif

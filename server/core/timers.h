/* SPDX-License-Identifier: BSD-3-Clause */
/* What is due later. */
#ifndef SERVER_CORE_TIMERS_H
#define SERVER_CORE_TIMERS_H

#include <stdint.h>

#include "model/record.h"

struct core_state;

enum timer_kind { TIMER_GRACE, TIMER_EPHEMERAL, TIMER_EXPIRY, TIMER_PENDING, TIMER_SETTLE, TIMER_DAMPING };

struct timer {
    int64_t due_ms;
    enum timer_kind kind;
    uint64_t id; /* of a node, or 0 */
};

void timer_set(struct core_state *s, int64_t due_ms, enum timer_kind kind, uint64_t id);
int64_t timers_next(const struct core_state *s); /* mono ms; INT64_MAX: none */
void timers_run(struct core_state *s);
void timer_for_expiry(struct core_state *s, const struct node *n);

#endif

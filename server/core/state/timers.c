/* SPDX-License-Identifier: BSD-3-Clause */
/* What is due later. A timer is a hint: when it fires, the state is looked at, so stale ones need no removal. */
#include "core/state/timers.h"
#include "base/clock.h"
#include "core/state/state.h"

#define RECHECK_MS 3600000 /* dates are wall clock time, which may be set: nothing sleeps longer than this */

void timer_set(struct core_state *s, int64_t due_ms, enum timer_kind kind, uint64_t id)
{
    size_t at = s->timers.len;

    vec_push(&s->timers, ((struct timer){due_ms, kind, id}));
    struct timer *heap = s->timers.items, mine = heap[at];
    for (size_t up; at > 0 && heap[up = (at - 1) / 2].due_ms > due_ms; at = up)
        heap[at] = heap[up];
    heap[at] = mine;
}

int64_t timers_next(const struct core_state *s)
{
    return s->timers.len ? s->timers.items[0].due_ms : INT64_MAX;
}

void timer_for_expiry(struct core_state *s, const struct node *n)
{
    if (!n->expiry_ns)
        return;
    int64_t left_ms = (n->expiry_ns - clock_wall_ns()) / 1000000 + 1;
    if (left_ms < 0)
        left_ms = 0;
    timer_set(s, clock_mono_ms() + (left_ms < RECHECK_MS ? left_ms : RECHECK_MS), TIMER_EXPIRY, n->r.id);
}

bool timer_take_due(struct core_state *s, int64_t now_ms, struct timer *out)
{
    struct timer *heap = s->timers.items;

    if (!s->timers.len || heap[0].due_ms > now_ms)
        return false;
    *out = heap[0];
    struct timer last = heap[--s->timers.len];
    size_t at = 0, len = s->timers.len;
    for (size_t child; (child = 2 * at + 1) < len; at = child) {
        if (child + 1 < len && heap[child + 1].due_ms < heap[child].due_ms)
            child++;
        if (heap[child].due_ms >= last.due_ms)
            break;
        heap[at] = heap[child];
    }
    if (len)
        heap[at] = last;
    return true;
}

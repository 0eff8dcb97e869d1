/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/state/timers.h"
#include "base/clock.h"
#include "core/state/state.h"

/* Dates are wall clock times, and the clock may be set: no timer sleeps longer than this. */
#define RECHECK_MS 3600000

static size_t *place_of(struct core_state *s, const struct timer *t)
{
    return t->slot ? &t->slot->timers[t->kind] : &s->timer_places[t->kind];
}

static void put(struct core_state *s, size_t at, struct timer t)
{
    s->timers.items[at] = t;
    *place_of(s, &t) = at + 1;
}

/* Moves t to its place in the heap; the place at is free. */
static void sift(struct core_state *s, size_t at, struct timer t)
{
    const struct timer *heap = s->timers.items;
    size_t len = s->timers.len;

    for (size_t up; at > 0 && heap[up = (at - 1) / 2].due_ms > t.due_ms; at = up)
        put(s, at, heap[up]);
    for (size_t child; (child = 2 * at + 1) < len; at = child) {
        if (child + 1 < len && heap[child + 1].due_ms < heap[child].due_ms)
            child++;
        if (heap[child].due_ms >= t.due_ms)
            break;
        put(s, at, heap[child]);
    }
    put(s, at, t);
}

void timer_set(struct core_state *s, int64_t due_ms, enum timer_kind kind, struct slot *slot)
{
    struct timer t = {due_ms, kind, slot};
    size_t place = *place_of(s, &t);

    if (!place) {
        (void)vec_add(&s->timers);
        place = s->timers.len;
    } else if (s->timers.items[place - 1].due_ms <= due_ms) {
        return;
    }
    sift(s, place - 1, t);
}

static void take_out(struct core_state *s, size_t at)
{
    struct timer last = s->timers.items[s->timers.len - 1];

    *place_of(s, &s->timers.items[at]) = 0;
    if (at < --s->timers.len)
        sift(s, at, last);
}

void timers_drop(struct core_state *s, struct slot *slot)
{
    for (int kind = 0; kind < TIMER_KINDS; kind++)
        if (slot->timers[kind])
            take_out(s, slot->timers[kind] - 1);
}

int64_t timers_next(const struct core_state *s)
{
    return s->timers.len ? s->timers.items[0].due_ms : INT64_MAX;
}

bool timer_take_due(struct core_state *s, int64_t now_ms, struct timer *out)
{
    if (!s->timers.len || s->timers.items[0].due_ms > now_ms)
        return false;
    *out = s->timers.items[0];
    take_out(s, 0);
    return true;
}

/* The journal has no entry yet that the key is in its last day, and can have one now. */
static bool is_to_be_noted(const struct slot *slot, const struct node *n, int64_t now_ns)
{
    const struct node *work = slot->work;

    return !slot->expired && work && work->expiry_ns == n->expiry_ns && work->expiring_ns != n->expiry_ns &&
           tailnet_key_end(n, now_ns) == KEY_END_DAY;
}

void timer_for_expiry(struct core_state *s, struct slot *slot, const struct node *n)
{
    if (!n->expiry_ns)
        return;
    int64_t now = clock_wall_ns(), left_ms = (tailnet_key_end_next(n, now) - now) / 1000000 + 1;
    if (left_ms <= 1 && slot->expired) /* the clock may be set back */
        left_ms = RECHECK_MS;
    else if (left_ms < 0 || is_to_be_noted(slot, n, now))
        left_ms = 0;
    timer_set(s, clock_mono_ms() + (left_ms < RECHECK_MS ? left_ms : RECHECK_MS), TIMER_EXPIRY, slot);
}

void timer_for_ephemeral(struct core_state *s, struct slot *slot)
{
    if (slot->work && slot->work->ephemeral && !slot->sessions)
        timer_set(s, slot->ended_ms + s->config->node.ephemeral_inactivity_timeout / 1000000, TIMER_EPHEMERAL, slot);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What is due later. A timer is a hint: when it fires, the state is looked at, so stale ones need no removal. */
#include "core/timers.h"
#include "base/clock.h"
#include "core/journal.h"
#include "core/liveness.h"
#include "core/nodes.h"
#include "core/pending.h"
#include "core/publish.h"
#include "core/state.h"

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

static struct timer pop(struct core_state *s)
{
    struct timer *heap = s->timers.items, top = heap[0], last = heap[--s->timers.len];
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
    return top;
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

static void expiry_due(struct core_state *s, struct slot *slot)
{
    const struct node *n = slot->published;

    if (!n || slot->expired || !n->expiry_ns)
        return;
    if (!node_is_expired(n, clock_wall_ns())) {
        timer_for_expiry(s, n);
        return;
    }
    slot->expired = true;
    slot_mark(s, slot, 0);
    routes_follow(s, slot);
    journal(s,
            &(struct event_note){
                .id = EVENT_NODE_EXPIRED, .object = "node", .object_id = slot->id, .object_name = n->given_name},
            "The key of %s expired: it must log in again", n->given_name);
}

static void ephemeral_due(struct core_state *s, struct slot *slot)
{
    int64_t timeout_ms = s->config->node.ephemeral_inactivity_timeout / 1000000, now = clock_mono_ms();

    if (!slot->work || !slot->work->ephemeral || slot->sessions)
        return;
    if (slot->ended_ms + timeout_ms > now) {
        timer_set(s, slot->ended_ms + timeout_ms, TIMER_EPHEMERAL, slot->id);
        return;
    }
    slot_delete(s, slot, "server", "ephemeral and gone");
}

static void fire(struct core_state *s, const struct timer *t)
{
    struct slot *slot = t->id ? map_getu(&s->by_id, t->id) : NULL;

    switch (t->kind) {
    case TIMER_GRACE:
        if (slot && slot->suspect && !slot->sessions && slot->grace_ms <= clock_mono_ms())
            slot_offline(s, slot, "its connection closed");
        break;
    case TIMER_EPHEMERAL:
        if (slot)
            ephemeral_due(s, slot);
        break;
    case TIMER_EXPIRY:
        if (slot)
            expiry_due(s, slot);
        break;
    case TIMER_DAMPING:
        if (slot)
            slot_end_damping(s, slot);
        break;
    case TIMER_PENDING:
        pending_request_expire(s);
        break;
    case TIMER_SETTLE:
        routes_settled(s->routes);
        s->elect = true;
        break;
    }
}

void timers_run(struct core_state *s)
{
    int64_t now = clock_mono_ms();

    while (s->timers.len && s->timers.items[0].due_ms <= now) {
        struct timer t = pop(s);
        fire(s, &t);
    }
}

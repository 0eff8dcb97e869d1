/* SPDX-License-Identifier: BSD-3-Clause */
/* What happens when a timer fires. */

#include "core/due.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/admin/operations.h"
#include "core/commit.h"
#include "core/decide/liveness.h"
#include "core/decide/map_request.h"
#include "core/decide/nearest.h"
#include "core/decide/nodes.h"
#include "core/decide/pending.h"
#include "core/decide/reach.h"
#include "core/policy_publish.h"
#include "core/state/journal.h"
#include "core/state/past.h"
#include "core/state/slots.h"
#include "core/state/state.h"
#include "core/state/timers.h"
#include "core/state/transaction.h"

/* The clock was set back. */
static void take_expiry_back(struct core_state *s, struct slot *slot)
{
    log_warn("core", "the key of %s has not expired: the clock was set back", slot->published->given_name);
    slot->expired = false;
    slot_mark(s, slot, 0);
    routes_follow(s, slot);
    slot_follow_expiry(s, slot);
}

/* Once per expiry of a key, even over restarts. */
static void note_expiring(struct core_state *s, struct slot *slot, enum key_end end)
{
    const struct node *old = slot->work;

    if (end != KEY_END_DAY || !old || old->expiring_ns == old->expiry_ns ||
        old->expiry_ns != slot->published->expiry_ns)
        return;
    struct node *n = node_edit(old);
    n->r.version = old->r.version;
    n->expiring_ns = n->expiry_ns;
    journal(s,
            &(struct event_note){
                .id = EVENT_NODE_EXPIRING, .object = "node", .object_id = slot->id, .object_name = n->given_name},
            "The key of %s expires within a day", n->given_name);
    tx_put(s, n);
}

static void expiry_due(struct core_state *s, struct slot *slot)
{
    const struct node *n = slot->published;

    if (!n || !n->expiry_ns)
        return;
    int64_t now = clock_wall_ns();
    if (slot->expired && !slot_is_expired(s, n)) {
        take_expiry_back(s, slot);
    } else if (slot->expired) {
        timer_for_expiry(s, slot, n);
        return;
    }
    if (!slot_is_expired(s, n)) {
        enum key_end end = tailnet_key_end(n, now);
        if (end != slot->key_end)
            slot_mark(s, slot, CHANGE_SELF);
        slot->key_end = end;
        note_expiring(s, slot, end);
        timer_for_expiry(s, slot, n);
        return;
    }
    slot->expired = true;
    slot_mark(s, slot, 0);
    routes_follow(s, slot);
    journal(s,
            &(struct event_note){
                .id = EVENT_NODE_EXPIRED, .object = "node", .object_id = slot->id, .object_name = n->given_name},
            "The key of %s expired: it must log in again", n->given_name);
    slot_follow_expiry(s, slot);
    timer_for_expiry(s, slot, n);
}

static void ephemeral_due(struct core_state *s, struct slot *slot)
{
    int64_t timeout_ms = s->config->node.ephemeral_inactivity_timeout / 1000000;

    if (!slot->work || !slot->work->ephemeral || slot->sessions)
        return;
    if (slot->ended_ms + timeout_ms > clock_mono_ms()) {
        timer_for_ephemeral(s, slot);
        return;
    }
    slot_delete(s, slot, "server", "ephemeral and gone");
}

static void grace_due(struct core_state *s, struct slot *slot)
{
    if (!slot->suspect || slot->sessions)
        return;
    if (slot->grace_ms <= clock_mono_ms())
        slot_offline(s, slot, "its connection closed");
    else
        timer_set(s, slot->grace_ms, TIMER_GRACE, slot);
}

static void fire(struct core_state *s, const struct timer *t)
{
    switch (t->kind) {
    case TIMER_GRACE:
        grace_due(s, t->slot);
        break;
    case TIMER_EPHEMERAL:
        ephemeral_due(s, t->slot);
        break;
    case TIMER_EXPIRY:
        expiry_due(s, t->slot);
        break;
    case TIMER_DAMPING:
        slot_end_damping(s, t->slot);
        break;
    case TIMER_CARRIED:
        carried_due(s, t->slot);
        break;
    case TIMER_LEARNED:
        learned_due(s, t->slot);
        break;
    case TIMER_PENDING:
        pending_request_expire(s);
        break;
    case TIMER_SETTLE:
        routes_settled(s->routes);
        s->elect = true;
        nearest_settled(s);
        break;
    case TIMER_NEAREST:
        s->nearest_all = true;
        break;
    case TIMER_ROUTES:
        s->elect = true;
        break;
    case TIMER_FACTS:
        commit_write_facts(s);
        break;
    case TIMER_HISTORY:
        core_past_due(s);
        break;
    case TIMER_TOKENS:
        oauth_tokens_expire(s);
        break;
    case TIMER_KINDS:
        break;
    }
}

void due_run(struct core_state *s)
{
    int64_t now = clock_mono_ms();
    struct timer t;

    while (timer_take_due(s, now, &t))
        fire(s, &t);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions: a node is online while a map stream of it is open, and for a short grace after. If its key has expired or
 * it is logged out, its stream only serves to tell it so, and no one can reach it. */
#include <math.h>

#include "base/clock.h"
#include "core/decide/exits.h"
#include "core/decide/liveness.h"
#include "core/decide/reach.h"
#include "core/state/journal.h"
#include "core/state/slots.h"
#include "core/state/state.h"
#include "core/state/timers.h"

/* A flapping router is damped like routes on the Internet (RFC 2439): each time that it goes away adds PENALTY, which
 * halves every HALF_LIFE_MS. Above SUPPRESS others are elected before it, until it drops below REUSE. */
#define PENALTY      1000.0
#define SUPPRESS     2000.0
#define REUSE        750.0
#define HALF_LIFE_MS 60000.0

static double penalty_at(const struct slot *slot, int64_t now)
{
    return slot->penalty * exp2(-(double)(now - slot->penalty_ms) / HALF_LIFE_MS);
}

static void damping_timer(struct core_state *s, struct slot *slot, int64_t now)
{
    double left_ms = HALF_LIFE_MS * log2(penalty_at(slot, now) / REUSE);

    timer_set(s, now + (left_ms > 0 ? (int64_t)left_ms : 0) + 1, TIMER_DAMPING, slot);
}

static void penalise(struct core_state *s, struct slot *slot)
{
    int64_t now = clock_mono_ms();

    slot->penalty = penalty_at(slot, now) + PENALTY;
    slot->penalty_ms = now;
    if (slot->penalty > SUPPRESS) {
        slot->live.flapping = true;
        damping_timer(s, slot, now);
    }
}

void slot_end_damping(struct core_state *s, struct slot *slot)
{
    int64_t now = clock_mono_ms();

    if (!slot->live.flapping)
        return;
    if (penalty_at(slot, now) >= REUSE) {
        damping_timer(s, slot, now);
        return;
    }
    slot->live.flapping = false;
    slot_mark(s, slot, 0);
    routes_follow(s, slot);
}

void core_ping_times(const struct config *config, const struct tailnet_node *node, int64_t *interval_ms,
                     int64_t *timeout_ms)
{
    struct prefixes effective = {0};

    node_effective(node->record, &effective);
    bool router = effective.len > 0;
    prefixes_release(&effective);
    *interval_ms = router || !config->node.ha.ping_interval ? config->node.ha.ping_interval / 1000000 : 30000;
    *timeout_ms = router ? config->node.ha.ping_timeout / 1000000 : 15000;
}

static void note_presence(struct core_state *s, struct slot *slot, enum event_id id, const char *why)
{
    const struct node *n = slot->published ? slot->published : slot->work;

    journal(s,
            &(struct event_note){.id = id,
                                 .actor = "server",
                                 .object = "node",
                                 .object_id = slot->id,
                                 .object_name = n->given_name,
                                 .caused_by = slot},
            id == EVENT_NODE_ONLINE ? "%s came online from %s" : "%s went offline: %s", n->given_name, why);
}

static void come_online(struct core_state *s, struct slot *slot)
{
    slot->live.online = true;
    slot->live.since_ns = slot->live.last_seen_ns = clock_wall_ns();
    slot_mark(s, slot, CHANGE_ONLINE);
    note_presence(s, slot, EVENT_NODE_ONLINE, slot->live.source);
}

void session_open(struct core_state *s, struct slot *slot, const char *source, uint64_t *id)
{
    struct node_session *x = mem_alloc(sizeof(*x));

    x->id = *id = s->next_session++;
    x->slot = slot;
    x->healthy = true;
    x->next = slot->sessions;
    slot->sessions = x;
    map_putu(&s->sessions, x->id, x);
    slot->suspect = false;
    mem_replace(&slot->live.source, source);
    bool was_healthy = slot->live.healthy;
    slot->live.healthy = true;
    reach_regained(slot);
    if (slot->live.online || slot->expired)
        slot_mark(s, slot, 0);
    else
        come_online(s, slot);
    if (slot->published && (!was_healthy || (slot->dirty & CHANGE_ONLINE)))
        routes_follow(s, slot);
}

static void go_offline(struct core_state *s, struct slot *slot, const char *why)
{
    slot->live.online = false;
    slot->live.healthy = true;
    slot->live.probe_helper = 0;
    prefixes_release(&slot->live.unreachable);
    reach_lost(s, slot);
    slot->live.since_ns = slot->live.last_seen_ns = clock_wall_ns();
    if (!slot->sessions)
        mem_replace(&slot->live.source, "");
    if (slot->published || slot->work) {
        slot_mark(s, slot, CHANGE_ONLINE);
        note_presence(s, slot, EVENT_NODE_OFFLINE, why);
        store_live(s->store, slot->id, &slot->live);
    }
    if (slot->published)
        routes_follow(s, slot);
}

void slot_offline(struct core_state *s, struct slot *slot, const char *why)
{
    slot->suspect = false;
    if (!slot->live.online)
        return;
    penalise(s, slot);
    go_offline(s, slot, why);
}

void slot_follow_expiry(struct core_state *s, struct slot *slot)
{
    if (slot->expired && slot->live.online) {
        slot->suspect = false;
        go_offline(s, slot, slot->published && slot->published->logged_out ? "it logged out" : "its key has expired");
    } else if (!slot->expired && !slot->live.online && slot->sessions) {
        come_online(s, slot);
        routes_follow(s, slot);
    }
}

/* Another router can take over one of its prefixes, or another exit node its users: waiting for it to come back would
 * only lose packets. */
static bool replaceable(struct core_state *s, const struct slot *slot)
{
    return routes_replaceable(s->routes, slot->id) || core_exit_is_replaceable(s, slot);
}

/* The node answers if any of its sessions does. */
static void update_health(struct core_state *s, struct slot *slot)
{
    bool any = false;

    for (const struct node_session *x = slot->sessions; x; x = x->next)
        any = any || x->healthy;
    if (any == slot->live.healthy || !slot->published)
        return;
    if (!any)
        penalise(s, slot);
    slot->live.healthy = any;
    if (any)
        reach_regained(slot);
    else
        reach_lost(s, slot);
    slot_mark(s, slot, 0);
    journal(s,
            &(struct event_note){.id = any ? EVENT_NODE_HEALTHY : EVENT_NODE_UNHEALTHY,
                                 .actor = "server",
                                 .object = "node",
                                 .object_id = slot->id,
                                 .object_name = slot->published->given_name,
                                 .caused_by = slot},
            any ? "%s answers again" : "%s has an open connection but does not answer", slot->published->given_name);
    routes_follow(s, slot);
}

void session_end_run(struct core_state *s, uint64_t id, enum session_end why)
{
    struct node_session *x = map_delu(&s->sessions, id);

    if (!x)
        return;
    struct slot *slot = x->slot;
    struct node_session **at = &slot->sessions;
    while (*at != x)
        at = &(*at)->next;
    *at = x->next;
    free(x);
    if (slot->sessions) {
        update_health(s, slot);
        return;
    }
    if (why == SESSION_SHUTDOWN) {
        slot->live.last_seen_ns = clock_wall_ns();
        store_live(s->store, slot->id, &slot->live);
        return;
    }
    slot->lost_ms = slot->ended_ms = clock_mono_ms();
    timer_for_ephemeral(s, slot);
    if (why == SESSION_SILENT) {
        slot->lost_ms = slot->heard_ms ? slot->heard_ms : slot->lost_ms;
        slot_offline(s, slot, "it stopped answering");
    } else if (replaceable(s, slot) || s->config->node.offline_grace == 0) {
        slot_offline(s, slot, "its connection closed");
    } else {
        slot->suspect = true;
        slot->grace_ms = slot->ended_ms + s->config->node.offline_grace / 1000000;
        timer_set(s, slot->grace_ms, TIMER_GRACE, slot);
    }
}

void session_dead_run(struct core_state *s, uint64_t id, int64_t heard_ms)
{
    const struct node_session *x = map_getu(&s->sessions, id);
    struct slot *slot = x ? x->slot : NULL;

    if (slot)
        slot->heard_ms = heard_ms;
    session_end_run(s, id, SESSION_SILENT);
    if (slot)
        slot->heard_ms = 0;
}

void session_health_run(struct core_state *s, uint64_t id, bool healthy, int64_t asked_ms)
{
    struct node_session *x = map_getu(&s->sessions, id);

    if (!x)
        return;
    x->healthy = healthy;
    if (!healthy)
        x->slot->unhealthy_after_ms = asked_ms ? clock_mono_ms() - asked_ms : 0;
    update_health(s, x->slot);
}

void node_cloned_run(struct core_state *s, uint64_t node_id, const char *where)
{
    const struct slot *slot = slot_by_id(s, node_id);

    if (!slot)
        return;
    journal(s,
            &(struct event_note){.id = EVENT_NODE_CLONED,
                                 .actor = "server",
                                 .object = "node",
                                 .object_id = slot->id,
                                 .object_name = slot->work->given_name},
            "%s is used by two machines at once, at %s: a copied disk? Delete tailscaled.state on one of them",
            slot->work->given_name, where);
}

void node_asked_run(struct core_state *s, uint64_t node_id, const char *actor, const char *what)
{
    const struct slot *slot = slot_by_id(s, node_id);

    if (!slot)
        return;
    journal(s,
            &(struct event_note){.id = EVENT_NODE_ASKED,
                                 .actor = actor,
                                 .object = "node",
                                 .object_id = slot->id,
                                 .object_name = slot->work->given_name},
            "The client of %s was asked for %s", slot->work->given_name, what);
}

void note_followers_run(struct core_state *s, uint64_t node, bool all_follow, const char *actor, const char *text,
                        const char *detail)
{
    const struct slot *slot = slot_by_id(s, node);

    journal(s,
            &(struct event_note){.id = all_follow ? EVENT_ROUTE_FOLLOWED : EVENT_ROUTE_BEHIND,
                                 .actor = actor ? actor : "server",
                                 .object = "node",
                                 .object_id = node,
                                 .object_name = slot ? slot->work->given_name : "a deleted node",
                                 .detail = mem_strdup(detail)},
            "%s", text);
}

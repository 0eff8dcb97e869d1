/* SPDX-License-Identifier: BSD-3-Clause */
/* The tailnet's view of the policy, as published. */

#include "core/policy_publish.h"
#include "base/clock.h"
#include "core/admin/policy_change.h"
#include "core/decide/policy_view.h"
#include "core/state/journal.h"
#include "core/state/slots.h"
#include "core/state/state.h"
#include "core/state/transaction.h"

static bool take_ready(struct core_state *s, const struct policy_text *text, struct policy_ready *out)
{
    size_t at = 0;

    while (at < s->ready.len && s->ready.items[at].text != text)
        at++;
    if (at == s->ready.len)
        return false;
    *out = s->ready.items[at];
    out->text = NULL;
    record_unref(text);
    policy_parsed_set(s, s->policy_published, out->policy);
    for (size_t i = 0; i < at; i++) { /* replaced before anybody saw it */
        record_unref(s->ready.items[i].text);
        tailnet_unpin(s->ready.items[i].base);
        policy_discard(s, s->ready.items[i].policy, s->ready.items[i].view);
    }
    for (size_t i = 0; i <= at; i++)
        vec_remove(&s->ready, 0);
    return true;
}

/* What was published since the view's snapshot. */
static void catch_up(struct core_state *s, struct policy_view *v, const struct tailnet_snapshot *base)
{
    size_t end = base->block_count * TAILNET_BLOCK > s->slots.len ? base->block_count * TAILNET_BLOCK : s->slots.len;

    (void)policy_view_follow_users(s, v, true);
    for (uint32_t i = 0; i < end; i++) {
        const struct slot *slot = i < s->slots.len ? s->slots.items[i] : NULL;
        const struct node *n = slot && slot->id ? slot->published : NULL;
        const struct tailnet_node *was = snapshot_node(base, i);
        if (!n && was)
            policy_view_remove(v, i);
        else if (n && (!was || was->record != n || was->live.online != slot->live.online ||
                       was->live.healthy != slot->live.healthy || !prefixes_eq(&was->serving, &slot->serving)))
            policy_view_put_node(v, slot, n);
    }
}

/* ---- who serves within groups of via ---- */

/* The durable memory of it: after a restart the same router serves. */
static void remember_server(struct core_state *s, const struct policy_move *m)
{
    const struct slot *to = m->to < s->slots.len ? s->slots.items[m->to] : NULL;
    size_t i = 0;

    while (i < s->via_primaries.len && (!str_eq(s->via_primaries.items[i]->tags, m->tags) ||
                                        prefix_cmp(&s->via_primaries.items[i]->prefix, &m->prefix) != 0))
        i++;
    if (!to && i < s->via_primaries.len) {
        tx_remove(s, s->via_primaries.items[i]);
        record_unref(s->via_primaries.items[i]);
        vec_remove(&s->via_primaries, i);
    }
    if (!to)
        return;
    struct via_primary *p = via_primary_new();
    p->r.id = to->id;
    p->prefix = m->prefix;
    p->since_ns = clock_wall_ns();
    mem_replace(&p->tags, m->tags);
    if (i == s->via_primaries.len)
        *vec_add(&s->via_primaries) = NULL;
    record_unref(s->via_primaries.items[i]);
    s->via_primaries.items[i] = record_ref(p);
    tx_put(s, p);
}

void core_policy_restore_servers(struct core_state *s, struct via_primary *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct slot *slot = map_getu(&s->by_id, list[i]->r.id);
        if (!slot)
            continue;
        slot->returning = true;
        vec_push(&s->via_primaries, record_ref(list[i]));
    }
}

void core_policy_settled(struct core_state *s)
{
    for (size_t i = 0; i < s->slots.len; i++)
        if (s->slots.items[i]->returning) {
            s->slots.items[i]->returning = false;
            if (s->slots.items[i]->published)
                slot_mark(s, s->slots.items[i], 0);
        }
}

/* Without a policy there are no groups: those of a later one are not these. */
static void forget_servers(struct core_state *s)
{
    for (size_t i = 0; i < s->via_primaries.len; i++) {
        tx_remove(s, s->via_primaries.items[i]);
        record_unref(s->via_primaries.items[i]);
    }
    s->via_primaries.len = 0;
}

/* To the first view after a start. */
static void set_servers(struct core_state *s, struct policy_view *v)
{
    struct policy_via_server *servers = mem_alloc((s->via_primaries.len + 1) * sizeof(*servers));
    size_t count = 0;

    for (size_t i = 0; i < s->via_primaries.len; i++) {
        const struct via_primary *p = s->via_primaries.items[i];
        const struct slot *slot = map_getu(&s->by_id, p->r.id);
        if (slot)
            servers[count++] = (struct policy_via_server){.prefix = p->prefix, .tags = p->tags, .slot = slot->index};
    }
    policy_view_set_servers(v, servers, count);
    free(servers);
}

/* The view of another policy: compiled by the worker already, or here at the start. */
static void change_view(struct core_state *s)
{
    struct policy_view *next = NULL;
    struct policy_ready ready;
    size_t count = 0;

    if (take_ready(s, s->policy_published, &ready)) {
        next = ready.view;
        if (next)
            catch_up(s, next, ready.base);
        tailnet_unpin(ready.base);
    } else {
        const struct policy *p = policy_parsed(s, s->policy_published);
        next = p ? policy_view_of_all(s, p, true) : NULL;
    }
    const struct policy_view *old = tailnet_policy_read(s->tailnet);
    if (next && old)
        policy_view_succeed(next, old);
    else if (next)
        set_servers(s, next);
    else
        forget_servers(s);
    const struct policy_move *moves = next ? policy_moves(next, &count) : NULL; /* those of its making */
    for (size_t i = 0; i < count; i++)
        remember_server(s, &moves[i]);
    tailnet_policy_done(s->tailnet);
    struct policy_view **at = tailnet_policy_write(s->tailnet), *gone = *at;
    *at = next;
    tailnet_policy_written(s->tailnet);
    if (next || gone)
        s->tailnet_dirty |= CHANGE_POLICY;
    policy_discard(s, NULL, gone);
    map_release(&s->ssh_approved); /* sessions that were approved under another policy are asked for again */
}

static const char *name_at(const struct core_state *s, uint32_t index)
{
    const struct slot *slot = index < s->slots.len ? s->slots.items[index] : NULL;
    const struct node *n = slot ? (slot->published ? slot->published : slot->work) : NULL;

    return n ? n->given_name : "a deleted node";
}

/* Who leads whom by via is no election, but it moves traffic all the same. */
static void note_steering(struct core_state *s, struct policy_view *v)
{
    size_t count;
    const struct policy_move *moves = policy_moves(v, &count);

    for (size_t i = 0; i < count; i++) {
        const struct policy_move *m = &moves[i];
        char text[PREFIX_TEXT_MAX];
        remember_server(s, m);
        struct event_note note = {
            .actor = "server", .object = "prefix", .object_name = prefix_format(&m->prefix, text)};
        note.id = m->to == POLICY_SLOT_NONE     ? EVENT_ROUTE_UNSERVED
                  : m->from == POLICY_SLOT_NONE ? EVENT_ROUTE_SERVED
                                                : EVENT_ROUTE_FAILOVER;
        if (note.id == EVENT_ROUTE_UNSERVED)
            journal(s, &note, "Nobody serves %s via %s any more", text, m->tags);
        else if (note.id == EVENT_ROUTE_SERVED)
            journal(s, &note, "%s serves %s via %s", name_at(s, m->to), text, m->tags);
        else
            journal(s, &note, "%s via %s moved from %s to %s", text, m->tags, name_at(s, m->from), name_at(s, m->to));
    }
}

void core_policy_publish(struct core_state *s)
{
    if (s->policy_dirty) {
        change_view(s);
        return;
    }
    if ((!s->dirty_slots.len && !s->users_dirty) || !policy_parsed(s, s->policy_published))
        return;
    struct policy_view *v = *tailnet_policy_write(s->tailnet);
    if (s->users_dirty && policy_view_follow_users(s, v, true))
        s->tailnet_dirty |= CHANGE_POLICY;
    for (size_t i = 0; i < s->dirty_slots.len; i++) {
        struct slot *slot = s->dirty_slots.items[i];
        uint64_t steering = policy_steering_version(v);
        if (!slot->published)
            policy_view_remove(v, slot->index);
        else if (slot->recorded || slot->dirty != CHANGE_ENDPOINTS)
            policy_view_put_node(v, slot, slot->published);
        if (policy_steering_version(v) != steering) {
            slot->dirty |= CHANGE_SELF; /* a change of health alone is in no log */
            slot->route_moved = true;
        }
    }
    note_steering(s, v);
    tailnet_policy_written(s->tailnet);
}

void core_policy_release(struct core_state *s)
{
    policy_drop_ready(s);
    vec_release(&s->ready);
    policy_view_free(s->decider);
    s->decider = NULL;
    for (int i = 0; i < 2; i++) {
        record_unref(s->parsed[i].text);
        policy_unref(s->parsed[i].policy);
    }
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/decide/exits.h"
#include "base/clock.h"
#include "core/state/state.h"
#include "policy/policy.h"

#define USERS_ASKED 256 /* of an exit node: those that nobody else would serve are not all looked at */

static bool could_serve(const struct slot *exit)
{
    return exit->published && exit->published->authorized && exit->live.online && exit->live.healthy &&
           !exit->published->draining && !exit->expired && node_is_exit(exit->published);
}

/* view NULL: everybody may use every exit node. */
static bool may_leave_by(const struct policy_view *view, const struct slot *user, const struct slot *exit)
{
    struct prefixes routes = {0};

    if (user == exit || !could_serve(exit))
        return false;
    if (!view)
        return true;
    if (!policy_sees(view, user->index, exit->index))
        return false;
    policy_routes(view, user->index, exit->index, &routes);
    bool may = prefixes_has_exit(&routes);
    prefixes_release(&routes);
    return may;
}

static bool has_another(struct core_state *s, const struct policy_view *view, const struct slot *user,
                        const struct slot *exit)
{
    for (size_t i = 0; i < s->slots.len; i++)
        if (s->slots.items[i] != exit && may_leave_by(view, user, s->slots.items[i]))
            return true;
    return false;
}

bool core_exit_is_replaceable(struct core_state *s, const struct slot *slot)
{
    size_t asked = 0;
    bool found = false;

    if (!slot->published || !node_is_exit(slot->published))
        return false;
    const struct policy_view *view = tailnet_policy_read(s->tailnet);
    for (size_t i = 0; i < s->slots.len && !found && asked < USERS_ASKED; i++) {
        const struct slot *user = s->slots.items[i];
        if (!user->published || user->published->exit_node_id != slot->id || !user->live.online)
            continue;
        asked++;
        found = has_another(s, view, user, slot);
    }
    tailnet_policy_done(s->tailnet);
    return found;
}

/* ---- what changes with a publication ---- */

/* 0: none, or the node is offline. */
static uint64_t exit_used(const struct tailnet_node *n)
{
    return n && n->live.online && n->record->authorized ? n->record->exit_node_id : 0;
}

static bool went_by_itself(const struct tailnet_node *n)
{
    return n && n->record->authorized && node_is_exit(n->record) && !n->expired && !n->record->draining;
}

void core_exits_note(struct core_state *s, const struct tailnet_node *before, const struct tailnet_node *now)
{
    uint64_t id = before ? before->record->r.id : now ? now->record->r.id : 0, uses = exit_used(now);

    if (before && !tailnet_exit_end(before) && tailnet_exit_end(now)) {
        bool away = now && (!now->live.online || !now->live.healthy);
        vec_push(&s->exit_changes,
                 ((struct core_exit_change){.node = id,
                                            .end = tailnet_exit_end(now),
                                            .by_itself = went_by_itself(now),
                                            .since_ns = away ? now->live.since_ns : clock_wall_ns()}));
    }
    if (exit_used(before) != uses)
        vec_push(&s->exit_changes, ((struct core_exit_change){.node = id, .uses = uses}));
}

static void tell(struct core_state *s, const struct core_exit_change *c)
{
    for (size_t k = 0; k < s->listeners.len; k++)
        if (s->listeners.items[k].exit_changed)
            s->listeners.items[k].exit_changed(s->listeners.items[k].arg, c);
}

void core_exits_tell(struct core_state *s)
{
    for (size_t i = 0; i < s->exit_changes.len; i++)
        if (s->exit_changes.items[i].end)
            tell(s, &s->exit_changes.items[i]);
    for (size_t i = 0; i < s->exit_changes.len; i++)
        if (!s->exit_changes.items[i].end)
            tell(s, &s->exit_changes.items[i]);
    s->exit_changes.len = 0;
}

void core_exits_tell_all(struct core_state *s, const struct core_listener *listener)
{
    const struct tailnet_snapshot *now = tailnet_pin(s->tailnet);

    for (size_t b = 0; b < now->block_count && listener->exit_changed; b++)
        for (size_t i = 0; now->blocks[b] && i < TAILNET_BLOCK; i++) {
            const struct tailnet_node *n = now->blocks[b]->nodes[i];
            if (exit_used(n))
                listener->exit_changed(listener->arg,
                                       &(struct core_exit_change){.node = n->record->r.id, .uses = exit_used(n)});
        }
    tailnet_unpin(now);
}

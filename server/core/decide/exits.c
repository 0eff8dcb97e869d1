/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/decide/exits.h"
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

/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/decide/exits.h"
#include "base/clock.h"
#include "core/state/journal.h"
#include "core/state/past.h"
#include "core/state/state.h"
#include "policy/policy.h"
#include "json/json.h"

#define USERS_ASKED 256 /* users of an exit node that are checked for another one to go to, at most */

static bool could_serve(const struct slot *exit)
{
    return exit->published && exit->published->authorized && exit->live.online && exit->live.healthy &&
           !exit->published->draining && !exit->expired && node_is_exit(exit->published);
}

/* view NULL: anyone may use any exit node. */
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

/* ---- changes with a publication ---- */

/* 0: none, or the node is offline. */
static uint64_t exit_used(const struct tailnet_node *n)
{
    return n && n->live.online && n->record->authorized ? n->record->exit_node_id : 0;
}

/* Who ended an exit node: whoever changed its record, if its record ended it. */
static const char *ended_by(const struct slot *slot, const struct tailnet_node *n)
{
    bool by_itself = n && n->record->authorized && node_is_exit(n->record) && !n->expired && !n->record->draining;

    return by_itself ? NULL : slot->actor;
}

static size_t count_users(struct core_state *s, uint64_t exit)
{
    size_t count = 0;

    for (size_t i = 0; i < s->slots.len; i++) {
        const struct slot *user = s->slots.items[i];
        count += user->published && user->live.online && user->published->exit_node_id == exit;
    }
    return count;
}

/* The counterpart of the reason why it was none (tailnet_exit_end). */
static const char *cause_of_begin(const struct tailnet_node *before)
{
    if (!before || !node_is_exit(before->record))
        return "is approved and advertised";
    if (!before->record->authorized)
        return "was approved as a device";
    if (before->expired)
        return "has a valid key again";
    if (!before->live.online)
        return "came online";
    return before->live.healthy ? "is in service again" : "answers probes again";
}

/* After a start all nodes are offline; most were online before and are soon back. */
static bool only_started(struct core_state *s, const struct tailnet_node *before, const struct tailnet_node *now)
{
    return before && !before->live.online && !before->live.since_ns && core_past_is(s, now);
}

static char *detail_of(const struct slot *slot, const char *name, const char *cause, bool ended, size_t users)
{
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);

    json_open(&o, '{');
    json_key(&o, "prefixes");
    json_open(&o, '[');
    json_str(&o, "0.0.0.0/0");
    json_str(&o, "::/0");
    json_close(&o, ']');
    json_put_id(&o, ended ? "from" : "to", slot->id);
    json_put_str(&o, ended ? "fromName" : "toName", name);
    json_put_str(&o, "cause", cause);
    if (ended)
        json_put_i64(&o, "users", (int64_t)users);
    if (ended && slot->published && !slot->live.online && slot->lost_ms)
        json_put_i64(&o, "detectionMs", clock_mono_ms() - slot->lost_ms);
    json_close(&o, '}');
    return buf_take(&b);
}

static void journal_exit(struct core_state *s, struct slot *slot, const char *name, const char *cause, bool ended,
                         const char *actor)
{
    size_t users = ended ? count_users(s, slot->id) : 0;
    struct event_note note = {.id = ended ? EVENT_EXIT_ENDED : EVENT_EXIT_USABLE,
                              .actor = actor ? actor : "server",
                              .by_admin = actor != NULL,
                              .object = "node",
                              .object_id = slot->id,
                              .object_name = name,
                              .caused_by = actor ? NULL : slot,
                              .detail = detail_of(slot, name, cause, ended, users)};

    if (!ended)
        journal(s, &note, "%s can be used as an exit node: it %s", name, cause);
    else if (!users)
        journal(s, &note, "%s can no longer be used as an exit node: it %s", name, cause);
    else
        journal(s, &note, "%s can no longer be used as an exit node: it %s; %zu node%s used it", name, cause, users,
                users == 1 ? "" : "s");
}

void core_exits_note(struct core_state *s, struct slot *slot, const struct tailnet_node *before,
                     const struct tailnet_node *now)
{
    const struct tailnet_node *n = now ? now : before;
    const char *end = tailnet_exit_end(now), *ended = before ? tailnet_exit_end(before) : "was not there";
    bool away = now && (!now->live.online || !now->live.healthy);

    if (!n)
        return;
    if (!ended && end) {
        const char *actor = ended_by(slot, now);
        vec_push(&s->exit_changes,
                 ((struct core_exit_change){.node = slot->id,
                                            .end = end,
                                            .actor = actor,
                                            .since_ns = away ? now->live.since_ns : clock_wall_ns()}));
        journal_exit(s, slot, n->record->given_name, end, true, actor);
    } else if (ended && !end && !only_started(s, before, now)) {
        journal_exit(s, slot, n->record->given_name, cause_of_begin(before), false, slot->actor);
    }
    if (exit_used(before) != exit_used(now))
        vec_push(&s->exit_changes, ((struct core_exit_change){.node = slot->id, .uses = exit_used(now)}));
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

/* SPDX-License-Identifier: BSD-3-Clause */
/* The tailnet's policy view, as published. */

#include "core/policy_publish.h"
#include "base/clock.h"
#include "core/admin/policy_change.h"
#include "core/decide/policy_view.h"
#include "core/state/journal.h"
#include "core/state/past.h"
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
    for (size_t i = 0; i < at; i++) { /* replaced before anyone saw it */
        record_unref(s->ready.items[i].text);
        tailnet_unpin(s->ready.items[i].base);
        policy_discard(s, s->ready.items[i].policy, s->ready.items[i].view);
    }
    for (size_t i = 0; i <= at; i++)
        vec_remove(&s->ready, 0);
    return true;
}

/* Applies what was published since the view's snapshot. */
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
            policy_view_put_node(s, v, slot, n);
    }
}

/* ---- who serves within groups of via ---- */

static int compare_via(const struct via_primary *a, const struct prefix *p, const char *tags)
{
    int order = prefix_cmp(&a->prefix, p);

    return order ? order : strcmp(a->tags, tags);
}

/* Index of the group's primary for the prefix, or where to insert it. */
static size_t via_at(const struct core_state *s, const struct prefix *p, const char *tags, bool *known)
{
    size_t i = 0;

    while (i < s->via_primaries.len && compare_via(s->via_primaries.items[i], p, tags) < 0)
        i++;
    *known = i < s->via_primaries.len && compare_via(s->via_primaries.items[i], p, tags) == 0;
    return i;
}

static void via_insert(struct core_state *s, size_t at, struct via_primary *p)
{
    (void)vec_add(&s->via_primaries);
    memmove(&s->via_primaries.items[at + 1], &s->via_primaries.items[at],
            (s->via_primaries.len - 1 - at) * sizeof(struct via_primary *));
    s->via_primaries.items[at] = p;
}

static void via_forget(struct core_state *s, size_t at)
{
    core_past_via_primary(s, &s->via_primaries.items[at]->prefix, s->via_primaries.items[at]->tags, NULL);
    tx_remove(s, s->via_primaries.items[at]);
    record_unref(s->via_primaries.items[at]);
    vec_remove(&s->via_primaries, at);
    s->via_primaries_dirty = true;
}

/* Stored durably: after a restart the same router serves. */
void core_policy_remember(struct core_state *s, const struct route_move *m)
{
    bool known;
    size_t at = via_at(s, &m->prefix, m->via, &known);

    if (known && !m->to)
        via_forget(s, at);
    if (!m->to)
        return;
    struct via_primary *p = via_primary_new();
    p->r.id = m->to;
    p->prefix = m->prefix;
    p->since_ns = clock_wall_ns();
    mem_replace(&p->actor, m->actor ? m->actor : "");
    mem_replace(&p->tags, m->via);
    p->chosen = routes_is_chosen(s->routes, &(struct route_place){&p->prefix, p->tags});
    if (known)
        record_unref(s->via_primaries.items[at]);
    else
        via_insert(s, at, NULL);
    s->via_primaries.items[at] = record_ref(p);
    s->via_primaries_dirty = true;
    core_past_via_primary(s, &p->prefix, p->tags, p);
    tx_put(s, p);
}

void core_policy_remember_choices(struct core_state *s)
{
    for (size_t i = 0; i < s->via_primaries.len; i++) {
        struct via_primary *old = s->via_primaries.items[i];
        bool chosen = routes_is_chosen(s->routes, &(struct route_place){&old->prefix, old->tags});
        if (chosen == old->chosen)
            continue;
        struct via_primary *p = via_primary_new();
        p->r.id = old->r.id;
        p->prefix = old->prefix;
        p->since_ns = old->since_ns;
        mem_replace(&p->actor, old->actor);
        mem_replace(&p->tags, old->tags);
        p->chosen = chosen;
        record_unref(old);
        s->via_primaries.items[i] = record_ref(p);
        s->via_primaries_dirty = true;
        tx_put(s, p);
    }
}

void core_policy_restore_servers(struct core_state *s, struct via_primary *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool known;
        size_t at = via_at(s, &list[i]->prefix, list[i]->tags, &known);
        if (!known && map_getu(&s->by_id, list[i]->r.id))
            via_insert(s, at, record_ref(list[i]));
    }
    s->via_primaries_dirty = true;
}

/* Applied to the elections of the first policy after a start. */
static void restore_elections(struct core_state *s)
{
    for (size_t i = s->via_primaries.len; i-- > 0;) {
        const struct via_primary *p = s->via_primaries.items[i];
        if (!routes_restore_in(s->routes, p->tags, &p->prefix, &(struct route_served){p->r.id, p->since_ns, p->chosen}))
            via_forget(s, i); /* the present policy has no such group */
    }
}

static void tell_server(struct core_state *s, struct policy_view *v, const char *group, const struct prefix *p,
                        uint64_t node)
{
    const struct slot *slot = node ? map_getu(&s->by_id, node) : NULL;

    policy_via_serve(v, group, p, slot ? slot->index : POLICY_SLOT_NONE);
}

/* ---- publishing ---- */

/* The nodes about to be published. */
static void put_dirty(struct core_state *s, struct policy_view *v)
{
    for (size_t i = 0; v && i < s->dirty_slots.len; i++) {
        struct slot *slot = s->dirty_slots.items[i];
        if (!slot->published)
            policy_view_remove(v, slot->index);
        else if (slot->recorded || slot->dirty != CHANGE_ENDPOINTS)
            policy_view_put_node(s, v, slot, slot->published);
    }
}

/* The view of a new policy: compiled by the worker, or here at start. */
void core_policy_prepare(struct core_state *s)
{
    struct policy_view *next = NULL;
    struct policy_ready ready;

    if (!s->policy_dirty)
        return;
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
        policy_view_continue(next, s->view_counter);
    tailnet_policy_done(s->tailnet);
    routes_set_actor(s->routes, s->policy_actor && *s->policy_actor ? s->policy_actor : NULL);
    routes_set_policy(s->routes, next);
    routes_set_actor(s->routes, NULL);
    s->elect = true;
    if (!s->groups_known)
        restore_elections(s);
    s->groups_known = true;
    if (next)
        policy_via_direct(next);
    s->next_view = next;
}

static void change_view(struct core_state *s)
{
    struct policy_view *next = s->next_view;

    s->next_view = NULL;
    put_dirty(s, next);
    for (size_t i = 0; next && i < s->via_primaries.len; i++) {
        const struct via_primary *p = s->via_primaries.items[i];
        tell_server(s, next, p->tags, &p->prefix, p->r.id);
    }
    struct policy_view **at = tailnet_policy_write(s->tailnet), *gone = *at;
    *at = next;
    s->view_counter = gone ? policy_view_counter(gone) : s->view_counter;
    tailnet_policy_written(s->tailnet);
    if (next || gone)
        s->tailnet_dirty |= CHANGE_POLICY;
    policy_discard(s, NULL, gone);
    map_release(&s->ssh_approved); /* sessions approved under another policy are questioned again */
}

void core_policy_publish(struct core_state *s, const struct route_moves *moves)
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
    put_dirty(s, v);
    for (size_t i = 0; i < moves->len; i++)
        if (moves->items[i].via)
            tell_server(s, v, moves->items[i].via, &moves->items[i].prefix, moves->items[i].to);
    tailnet_policy_written(s->tailnet);
}

void core_policy_release(struct core_state *s)
{
    free(s->policy_actor);
    policy_drop_ready(s);
    vec_release(&s->ready);
    policy_view_free(s->decider);
    s->decider = NULL;
    for (int i = 0; i < 2; i++) {
        record_unref(s->parsed[i].text);
        policy_unref(s->parsed[i].policy);
    }
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What the core asks the policy. Without a policy nobody owns a tag, nothing is approved by itself and every tag may be
 * set by an administrator.
 *
 * There are two views. One holds the users as they are being decided on, and at most the one node that is asked about:
 * it answers what a call is to do. The other is the tailnet's: all nodes as published, kept up to date in place. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/accounts.h"
#include "core/journal.h"
#include "core/state.h"
#include "tailnet/policy_input.h"

#define ASKED_SLOT 0

/* A stored text that is no policy (damage, or of another version) opens nothing: it is replaced over the socket. */
static const char NOTHING[] = "{\"acls\": []}";

void policy_log_problems(const struct policy_problems *problems, const char *whose)
{
    for (size_t i = 0; i < problems->len; i++) {
        const struct policy_problem *p = &problems->items[i];
        if (p->warning)
            log_warn("policy", "%s, line %u, column %u: %s", whose, p->line, p->column, p->text);
        else
            log_error("policy", "%s, line %u, column %u: %s", whose, p->line, p->column, p->text);
    }
}

static struct policy *parse_stored(const struct policy_text *text)
{
    struct policy_problems problems = {0};
    struct policy *p = NULL;

    if (policy_parse(text->text, strlen(text->text), &p, &problems) < 0) {
        policy_log_problems(&problems, "the stored policy");
        log_error("policy", "the stored policy cannot be read: nothing is allowed until another one is set");
        policy_problems_release(&problems);
        if (policy_parse(NOTHING, sizeof(NOTHING) - 1, &p, &problems) < 0)
            log_error("policy", "the policy that allows nothing cannot be read");
    }
    policy_problems_release(&problems);
    return p;
}

/* Borrowed from then on; p is the cache's. */
void policy_parsed_set(struct core_state *s, const struct policy_text *text, struct policy *p)
{
    int at = s->parsed[0].text && s->parsed[0].text == s->policy_published ? 1 : 0;
    struct parsed_policy *m = &s->parsed[at];
    const struct policy_text *old_text = m->text;
    struct policy *old = m->policy;

    m->text = record_ref(text);
    m->policy = p;
    record_unref(old_text);
    policy_unref(old);
}

/* What a record means, borrowed. A text is read once: the two that matter are the published one and the next. */
static struct policy *parsed_of(struct core_state *s, const struct policy_text *text)
{
    if (!text || !*text->text)
        return NULL;
    for (int i = 0; i < 2; i++)
        if (s->parsed[i].text == text)
            return s->parsed[i].policy;
    struct policy *p = parse_stored(text);
    policy_parsed_set(s, text, p);
    return p;
}

/* ---- views ---- */

static void view_put(struct policy_view *v, const struct slot *slot, const struct node *n)
{
    struct prefixes effective = {0};

    node_effective(n, &effective);
    struct policy_node x = tailnet_policy_node(slot->index, n, &effective, &slot->serving, &slot->live);
    x.online = x.online && !node_is_expired(n, clock_wall_ns());
    policy_view_put(v, &x);
    prefixes_release(&effective);
}

/* The users as decided, or as published; free() the array. */
static struct policy_user *users_now(struct core_state *s, bool published, size_t *count)
{
    struct policy_user *users = mem_alloc((s->users.len + 1) * sizeof(*users));

    *count = 0;
    for (struct map_entry *e = map_first(&s->users); e; e = map_next(&s->users, e)) {
        const struct record_pair *c = e->value;
        const struct user *u = published ? c->published : c->work;
        if (u)
            users[(*count)++] = tailnet_policy_user(u);
    }
    return users;
}

static bool follow_users(struct core_state *s, struct policy_view *v, bool published)
{
    size_t count;
    struct policy_user *users = users_now(s, published, &count);
    bool told = policy_view_set_users(v, users, count);

    free(users);
    return told;
}

/* A view of the users without nodes. */
static struct policy_view *view_of_users(struct core_state *s, const struct policy *p, bool published)
{
    struct prefix pools[2];
    struct policy_tailnet t = {.pools = pools};
    struct policy_user *users = users_now(s, published, &t.user_count);

    t.users = users;
    if (s->config->prefixes.v4.addr.bits)
        pools[t.pool_count++] = s->config->prefixes.v4;
    if (s->config->prefixes.v6.addr.bits)
        pools[t.pool_count++] = s->config->prefixes.v6;
    struct policy_view *v = policy_view_new(p, &t, NULL);
    free(users);
    return v;
}

struct policy_view *policy_view_of_all(struct core_state *s, const struct policy *p, bool published)
{
    struct policy_view *v = view_of_users(s, p, published);

    for (size_t i = 0; i < s->slots.len; i++) {
        const struct slot *slot = s->slots.items[i];
        const struct node *n = published ? slot->published : slot->work;
        if (slot->id && n)
            view_put(v, slot, n);
    }
    return v;
}

/* The view for decisions; NULL: there is no policy. */
static struct policy_view *decider(struct core_state *s)
{
    struct policy *p = parsed_of(s, s->policy_work);

    if (s->decider && s->decider_of != p) {
        policy_view_free(s->decider);
        s->decider = NULL;
    }
    if (!s->decider && p)
        policy_decider_set(s, p, view_of_users(s, p, false));
    else if (s->decider && s->decider_stale)
        (void)follow_users(s, s->decider, false);
    s->decider_stale = false;
    return s->decider;
}

void policy_decider_set(struct core_state *s, const struct policy *p, struct policy_view *v)
{
    policy_view_free(s->decider);
    s->decider = v;
    s->decider_of = p;
    s->decider_stale = true;
}

/* What was published since the view's snapshot. */
static void catch_up(struct core_state *s, struct policy_view *v, const struct tailnet_snapshot *base)
{
    size_t end = base->block_count * TAILNET_BLOCK > s->slots.len ? base->block_count * TAILNET_BLOCK : s->slots.len;

    (void)follow_users(s, v, true);
    for (uint32_t i = 0; i < end; i++) {
        const struct slot *slot = i < s->slots.len ? s->slots.items[i] : NULL;
        const struct node *n = slot && slot->id ? slot->published : NULL;
        const struct tailnet_node *was = snapshot_node(base, i);
        if (!n && was)
            policy_view_remove(v, i);
        else if (n && (!was || was->record != n || was->live.online != slot->live.online ||
                       was->live.healthy != slot->live.healthy || !prefixes_eq(&was->serving, &slot->serving)))
            view_put(v, slot, n);
    }
}

/* The view of another policy: compiled by the worker already, or here at the start. */
static void change_view(struct core_state *s)
{
    struct policy_view *next = NULL;
    struct policy_ready ready;
    size_t made;

    if (policy_take_ready(s, s->policy_published, &ready)) {
        next = ready.view;
        if (next)
            catch_up(s, next, ready.base);
        tailnet_unpin(ready.base);
    } else {
        const struct policy *p = parsed_of(s, s->policy_published);
        next = p ? policy_view_of_all(s, p, true) : NULL;
    }
    const struct policy_view *old = tailnet_policy_read(s->tailnet);
    if (next && old)
        policy_view_succeed(next, old);
    if (next)
        (void)policy_moves(next, &made); /* those of its making */
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
    if ((!s->dirty_slots.len && !s->users_dirty) || !parsed_of(s, s->policy_published))
        return;
    struct policy_view *v = *tailnet_policy_write(s->tailnet);
    if (s->users_dirty && follow_users(s, v, true))
        s->tailnet_dirty |= CHANGE_POLICY;
    for (size_t i = 0; i < s->dirty_slots.len; i++) {
        struct slot *slot = s->dirty_slots.items[i];
        uint64_t steering = policy_steering_version(v);
        if (!slot->published)
            policy_view_remove(v, slot->index);
        else if (slot->recorded || slot->dirty != CHANGE_ENDPOINTS)
            view_put(v, slot, slot->published);
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

/* ---- questions ---- */

bool core_policy_may_tag(struct core_state *s, const struct user *user, const char *tag)
{
    const struct policy_view *v = decider(s);

    return v && user && policy_may_tag(v, user->r.id, tag);
}

bool core_policy_knows_tag(struct core_state *s, const char *tag)
{
    const struct policy *p = parsed_of(s, s->policy_work);

    return !p || policy_has_tag(p, tag);
}

void core_policy_auto_approved(struct core_state *s, const struct node *n, struct prefixes *out)
{
    struct prefixes none = {0};
    bool waits = false;

    prefixes_release(out);
    for (size_t i = 0; i < n->available.len && !waits; i++)
        waits = !prefixes_has(&n->approved, &n->available.items[i]);
    struct policy_view *v = waits ? decider(s) : NULL;
    if (!v)
        return;
    struct policy_node asked = tailnet_policy_node(ASKED_SLOT, n, &none, NULL, NULL);
    policy_view_put(v, &asked);
    tailnet_auto_approved(v, ASKED_SLOT, n, out);
    policy_view_remove(v, ASKED_SLOT);
}

bool core_policy_ssh_check(struct core_state *s, const struct node *source, const struct node *target, const char *user,
                           int64_t *period_ms)
{
    struct slot *from = slot_by_id(s, source->r.id), *to = slot_by_id(s, target->r.id);
    int64_t period_ns = 0;
    bool check = false;

    *period_ms = 0;
    const struct policy_view *v = tailnet_policy_read(s->tailnet);
    if (v && from && to)
        check =
            policy_ssh_decide(v, from->index, to->index, user && *user ? user : NULL, &period_ns) == POLICY_SSH_CHECK;
    tailnet_policy_done(s->tailnet);
    *period_ms = period_ns / 1000000;
    return check;
}

bool core_policy_steers(struct core_state *s, const struct slot *slot)
{
    const struct policy_view *v = tailnet_policy_read(s->tailnet);
    bool steers = v && policy_steers(v, slot->index);

    tailnet_policy_done(s->tailnet);
    return steers;
}

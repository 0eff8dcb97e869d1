/* SPDX-License-Identifier: BSD-3-Clause */
/* The core's queries of the policy. Without a policy no one owns a tag, no tag can be set and nothing is approved
 * automatically.
 *
 * There are two views. One holds the working version of the users, and at most the one node being asked about: it
 * answers what a call is to do. The other is the tailnet's: all nodes as published, updated in place. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/decide/policy_view.h"
#include "core/state/slots.h"
#include "core/state/state.h"
#include "tailnet/policy_input.h"

#define ASKED_SLOT 0

/* A stored text that is no valid policy (damage, or another version's) allows nothing: it can be replaced over the
 * socket. */
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

/* Borrowed from then on; the cache owns p. */
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

/* The policy of a record, borrowed. Each text is parsed once: the two that matter are the published and the next
 * one. */
struct policy *policy_parsed(struct core_state *s, const struct policy_text *text)
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

void policy_view_put_node(struct core_state *s, struct policy_view *v, const struct slot *slot, const struct node *n)
{
    struct prefixes effective = {0};

    if (!n->authorized) { /* no rule applies to it */
        policy_view_remove(v, slot->index);
        return;
    }
    node_effective(n, &effective);
    struct policy_node x = tailnet_policy_node(slot->index, n, &effective, &slot->serving, &slot->live);
    x.online = x.online && !slot_is_expired(s, n);
    policy_view_put(v, &x);
    prefixes_release(&effective);
}

/* The working or the published users; free() the array. */
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

bool policy_view_follow_users(struct core_state *s, struct policy_view *v, bool published)
{
    size_t count;
    struct policy_user *users = users_now(s, published, &count);
    bool changed = policy_view_set_users(v, users, count);

    free(users);
    return changed;
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

    policy_view_begin(v);
    for (size_t i = 0; i < s->slots.len; i++) {
        const struct slot *slot = s->slots.items[i];
        const struct node *n = published ? slot->published : slot->work;
        if (slot->id && n)
            policy_view_put_node(s, v, slot, n);
    }
    policy_view_end(v);
    return v;
}

/* The view for decisions; NULL: there is no policy. */
static struct policy_view *decider(struct core_state *s)
{
    struct policy *p = policy_parsed(s, s->policy_work);

    if (s->decider && s->decider_of != p) {
        policy_view_free(s->decider);
        s->decider = NULL;
    }
    if (!s->decider && p)
        policy_decider_set(s, p, view_of_users(s, p, false));
    else if (s->decider && s->decider_stale)
        (void)policy_view_follow_users(s, s->decider, false);
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

/* ---- queries ---- */

bool core_policy_may_tag(struct core_state *s, const struct user *user, const char *tag)
{
    const struct policy_view *v = decider(s);

    return v && user && policy_may_tag(v, user->r.id, tag);
}

bool core_policy_tags_own(struct core_state *s, const struct strs *held, const char *tag)
{
    const struct policy *p = policy_parsed(s, s->policy_work);

    return strs_has(held, tag) || (p && policy_tags_own(p, held, tag));
}

bool core_policy_knows_tag(struct core_state *s, const char *tag)
{
    const struct policy *p = policy_parsed(s, s->policy_work);

    return p && policy_has_tag(p, tag);
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

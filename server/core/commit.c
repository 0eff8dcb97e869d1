/* SPDX-License-Identifier: BSD-3-Clause */
/* Groups: what is written together, and what follows when it is durable, or is not. */
#include "core/commit.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/admin/operations.h"
#include "core/admin/policy_change.h"
#include "core/decide/liveness.h"
#include "core/publish.h"
#include "core/state/accounts.h"
#include "core/state/message.h"
#include "core/state/prefixes.h"
#include "core/state/queue.h"
#include "core/state/slots.h"
#include "core/state/state.h"
#include "core/state/timers.h"
#include "core/state/transaction.h"

static void group_free(struct commit_group *g)
{
    for (size_t i = 0; i < g->writes.len; i++)
        record_unref(g->writes.items[i].record);
    vec_release(&g->writes);
    vec_release(&g->events);
    vec_release(&g->observed);
    free(g);
}

void tx_give_answers(struct core_state *s)
{
    struct core_call *call = s->answers;

    s->answers = NULL;
    s->answers_end = &s->answers;
    for (struct core_call *next; call; call = next) {
        next = call->next;
        call->next = NULL;
        call_answer(call);
    }
}

static void answer_calls(struct commit_group *g, int code)
{
    for (struct core_call *call = g->calls, *next; call; call = next) {
        next = call->next;
        call->next = NULL;
        if (code < 0 && call->code == 0) {
            call->code = code;
            call->err = g->err;
        }
        call_answer(call);
    }
    g->calls = NULL;
    g->calls_end = &g->calls;
}

/* ---- what follows when a record of a kind is durable ---- */

static void follow_node(struct core_state *s, const struct store_write *w)
{
    const struct node *n = w->record;
    struct slot *slot = map_getu(&s->by_id, n->r.id);

    if (!slot)
        return;
    slot_publish(s, slot, w->remove ? NULL : n);
    if (!w->remove)
        slot_follow_expiry(s, slot);
}

static void follow_pair(struct core_state *s, const struct store_write *w)
{
    const struct record *r = w->record;
    struct record_pair *c = pair_of(s, r->kind, r->id, true);

    record_unref(c->published);
    c->published = w->remove ? NULL : record_ref(r);
    if (!c->published && !c->work) {
        map_delu(pairs_of(s, r->kind), r->id);
        free(c);
    }
}

static void follow_user(struct core_state *s, const struct store_write *w)
{
    follow_pair(s, w);
    s->users_dirty = true;
    slots_user_changed(s, ((const struct record *)w->record)->id);
}

static void follow_preauth_key(struct core_state *s, const struct store_write *w)
{
    follow_pair(s, w);
    s->preauth_keys_dirty = true;
}

static void follow_api_key(struct core_state *s, const struct store_write *w)
{
    follow_pair(s, w);
    s->api_keys_dirty = true;
}

static void follow_policy(struct core_state *s, const struct store_write *w)
{
    record_unref(s->policy_published);
    s->policy_published = record_ref(w->record);
    s->policy_dirty = true;
    s->tailnet_dirty |= CHANGE_POLICY;
}

static void follow_message(struct core_state *s, const struct store_write *w)
{
    record_unref(s->message_published);
    s->message_published = record_ref(w->record);
    s->message_dirty = true;
    s->tailnet_dirty |= CHANGE_MESSAGE;
}

static void follow_primary(struct core_state *s, const struct store_write *w)
{
    if (!w->remove && ((const struct primary *)w->record)->chosen)
        primary_choose(s, w->record);
}

static void follow_prefix_settings(struct core_state *s, const struct store_write *w)
{
    prefix_settings_publish(s, w->record, w->remove);
}

static void follow(struct core_state *s, const struct store_write *w)
{
    static void (*const followers[RECORD_KINDS])(struct core_state * s, const struct store_write *w) = {
        [RECORD_USER] = follow_user,
        [RECORD_PREAUTH_KEY] = follow_preauth_key,
        [RECORD_API_KEY] = follow_api_key,
        [RECORD_NODE] = follow_node,
        [RECORD_POLICY] = follow_policy,
        [RECORD_PRIMARY] = follow_primary,
        [RECORD_PREFIX_SETTINGS] = follow_prefix_settings,
        [RECORD_SERVER_MESSAGE] = follow_message,
    };
    enum record_kind kind = ((const struct record *)w->record)->kind;

    if (followers[kind])
        followers[kind](s, w);
}

/* What a refused call would have done is not told; what happened is, although the journal lacks it. */
static void deliver_events(struct core_state *s, const struct commit_group *g, bool stored)
{
    for (size_t i = 0; i < g->events.len; i++)
        for (size_t k = 0; k < s->listeners.len && (stored || g->observed.items[i]); k++)
            s->listeners.items[k].event(s->listeners.items[k].arg, g->events.items[i]);
}

/* A decision that could not be stored was not made: it can be made again. */
static void reopen_decisions(struct core_state *s)
{
    for (struct map_entry *e = map_first(&s->pendings); e; e = map_next(&s->pendings, e)) {
        struct pending_request *w = e->value;
        struct slot *slot = w->decided && w->accepted && w->node_id ? slot_by_id(s, w->node_id) : NULL;
        if (!w->decided || !w->accepted || !w->node_id ||
            (slot && memcmp(slot->work->node_key, w->pending->node_key, KEY_LEN) == 0))
            continue;
        w->decided = w->accepted = false;
        s->pendings_dirty = true;
    }
}

/* One call is no reason to refuse those that share its group: each is run again, in a group of its own. A disk that
 * takes nothing takes none of them. */
static bool may_try_again(const struct commit_group *g)
{
    return g->code != ERR_UNAVAILABLE && g->code != ERR_IO;
}

static void keep_for_later(struct core_state *s, struct commit_group *g)
{
    struct core_call *others = NULL, **end = &others;

    for (struct core_call *call = g->calls, *next; call; call = next) {
        next = call->next;
        call->next = NULL;
        if (call->sender && !call->alone && call->code == 0) {
            *s->retries_end = call;
            s->retries_end = &call->next;
        } else {
            *end = call;
            end = &call->next;
        }
    }
    g->calls = others;
    g->calls_end = end;
}

static void try_again(struct core_state *s)
{
    struct core_call *call = s->retries;

    s->retries = NULL;
    s->retries_end = &s->retries;
    tx_submit(s);
    for (struct core_call *next; call; call = next) {
        next = call->next;
        call->next = NULL;
        call_reset(call);
        call->alone = true;
        call->run(s, call);
        tx_submit(s);
    }
}

/* Nothing of this group, nor of the later ones that were decided upon it, is true. */
static void revert(struct core_state *s, struct commit_group *failed)
{
    static struct log_limit limit;

    log_limited(&limit, 6, LOG_LEVEL_ERROR, "core", "changes could not be stored: %s", failed->err.message);
    slots_reset(s);
    for (size_t i = 0; i < s->slots.len; i++) /* a deletion that was due did not happen */
        timer_for_ephemeral(s, s->slots.items[i]);
    for (int kind = RECORD_USER; kind <= RECORD_API_KEY; kind++) {
        struct map *pairs = pairs_of(s, (enum record_kind)kind);
        for (struct map_entry *e = map_first(pairs); e; e = map_next(pairs, e)) {
            struct record_pair *c = e->value;
            record_unref(c->work);
            c->work = record_ref(c->published);
        }
    }
    prefix_settings_reset(s);
    record_unref(s->policy_work);
    s->policy_work = record_ref(s->policy_published);
    policy_drop_ready(s);
    record_unref(s->message_work);
    s->message_work = record_ref(s->message_published);
    s->decider_stale = true;
    reopen_decisions(s);
    if (s->open) {
        struct commit_group *g = s->open;
        s->open = NULL;
        g->err = failed->err;
        deliver_events(s, g, false);
        if (may_try_again(failed))
            keep_for_later(s, g);
        answer_calls(g, failed->code);
        group_free(g);
    }
}

/* The store has answered. */
static void finish(struct core_state *s, struct commit_group *g)
{
    s->flying = g->next;
    if (!s->flying)
        s->flying_end = &s->flying;
    if (g->code == 0) {
        for (size_t i = 0; g->abandoned && i < g->writes.len; i++)
            tx_set_work(s, g->writes.items[i].record, g->writes.items[i].remove);
        for (size_t i = 0; i < g->writes.len; i++)
            follow(s, &g->writes.items[i]);
    } else if (!g->abandoned) {
        revert(s, g);
        for (struct commit_group *later = s->flying; later; later = later->next)
            later->abandoned = true;
    }
    if (g->events.len)
        s->event_delivered = g->events.items[g->events.len - 1]->r.id;
    publish(s);
    deliver_events(s, g, g->code == 0);
    if (g->code < 0 && may_try_again(g))
        keep_for_later(s, g);
    answer_calls(g, g->code);
    group_free(g);
    if (s->retries)
        try_again(s);
}

struct commit_answer {
    struct core_call call;
    struct commit_group *group;
};

static void run_finish(struct core_state *s, struct core_call *call)
{
    struct commit_answer *f = (struct commit_answer *)call;

    finish(s, f->group);
    free(f);
}

/* On the storage thread. */
static void store_answered(void *arg, int code, const struct err *e)
{
    struct commit_group *g = arg;
    struct commit_answer *f = mem_alloc(sizeof(*f));

    g->code = code;
    if (code < 0 && e)
        g->err = *e;
    f->group = g;
    queue_post(&g->state->queue, &f->call, run_finish);
}

void tx_submit(struct core_state *s)
{
    struct commit_group *g = s->open;

    if (!g)
        return;
    s->open = NULL;
    *s->flying_end = g;
    s->flying_end = &g->next;
    s->counters.commits++;
    store_submit(s->store, g->writes.items, g->writes.len, store_answered, g);
}

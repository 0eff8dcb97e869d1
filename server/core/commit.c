/* SPDX-License-Identifier: BSD-3-Clause */
/* Groups: what is written together, and what follows when it is durable, or is not. */
#include "core/commit.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/accounts.h"
#include "core/kinds.h"
#include "core/operations.h"
#include "core/pending.h"
#include "core/publish.h"
#include "core/thread.h"

static struct commit_group *open_group(struct core_state *s)
{
    if (!s->open) {
        s->open = mem_alloc(sizeof(*s->open));
        s->open->state = s;
        s->open->calls_end = &s->open->calls;
    }
    return s->open;
}

static void group_free(struct commit_group *g)
{
    for (size_t i = 0; i < g->writes.len; i++)
        record_unref(g->writes.items[i].record);
    vec_release(&g->writes);
    vec_release(&g->events);
    vec_release(&g->observed);
    free(g);
}

uint64_t tx_new_id(struct core_state *s, enum record_kind kind)
{
    return s->next_id[kind]++;
}

/* Makes record (NULL: nothing) what is worked with. */
static void set_work(struct core_state *s, const struct record *r, bool remove)
{
    if (r->kind == RECORD_NODE) {
        struct slot *slot = map_getu(&s->by_id, r->id);
        if (!slot)
            slot = slot_new(s, r->id);
        slot_set_work(s, slot, remove ? NULL : (const struct node *)r);
    } else if (r->kind == RECORD_POLICY) {
        const void *old = s->policy_work;
        s->policy_work = record_ref(r);
        record_unref(old);
    } else if (r->kind == RECORD_USER || r->kind == RECORD_PREAUTH_KEY || r->kind == RECORD_API_KEY) {
        struct record_pair *c = pair_of(s, r->kind, r->id, true);
        const void *old = c->work;
        c->work = remove ? NULL : record_ref(r);
        record_unref(old);
        s->decider_stale = s->decider_stale || r->kind == RECORD_USER;
    }
}

void tx_put(struct core_state *s, void *record)
{
    if (s->dry) {
        record_unref(record);
        return;
    }
    vec_push(&open_group(s)->writes, ((struct store_write){.record = record}));
    set_work(s, record, false);
}

void tx_remove(struct core_state *s, const void *record)
{
    if (s->dry)
        return;
    vec_push(&open_group(s)->writes, ((struct store_write){.remove = true, .record = record_ref(record)}));
    set_work(s, record, true);
}

void tx_answer_soon(struct core_state *s, struct core_call *call, int code)
{
    call->code = code;
    call->next = NULL;
    *s->answers_end = call;
    s->answers_end = &call->next;
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

/* A call that changed nothing may still rest on what is being written: it waits for the newest group. */
void tx_answer(struct core_state *s, struct core_call *call, int code)
{
    struct commit_group *g = s->open;

    if (!g && s->flying)
        for (g = s->flying; g->next; g = g->next)
            ;
    if (!g) {
        tx_answer_soon(s, call, code);
        return;
    }
    call->code = code;
    call->next = NULL;
    *g->calls_end = call;
    g->calls_end = &call->next;
}

struct commit_answer {
    struct core_call call;
    struct commit_group *group;
};

static void run_finish(struct core_state *s, struct core_call *call)
{
    struct commit_answer *f = (struct commit_answer *)call;

    tx_finish(s, f->group);
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
    core_post(g->state->core, &f->call, run_finish);
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

static void follow_node(struct core_state *s, const struct store_write *w)
{
    const struct node *n = w->record;
    struct slot *slot = map_getu(&s->by_id, n->r.id);

    if (!slot)
        return;
    slot_publish(s, slot, w->remove ? NULL : n);
}

static void follow(struct core_state *s, const struct store_write *w)
{
    const struct record *r = w->record;

    switch (r->kind) {
    case RECORD_NODE:
        follow_node(s, w);
        break;
    case RECORD_USER:
    case RECORD_PREAUTH_KEY:
    case RECORD_API_KEY: {
        struct record_pair *c = pair_of(s, r->kind, r->id, true);
        record_unref(c->published);
        c->published = w->remove ? NULL : record_ref(r);
        if (!c->published && !c->work) {
            map_delu(pairs_of(s, r->kind), r->id);
            free(c);
        }
        if (r->kind == RECORD_USER) {
            s->users_dirty = true;
            slots_user_changed(s, r->id);
        } else if (r->kind == RECORD_PREAUTH_KEY) {
            s->preauth_keys_dirty = true;
        } else {
            s->api_keys_dirty = true;
        }
        break;
    }
    case RECORD_POLICY:
        record_unref(s->policy_published);
        s->policy_published = record_ref(r);
        s->policy_dirty = true;
        s->tailnet_dirty |= CHANGE_POLICY;
        break;
    case RECORD_PRIMARY:
        if (!w->remove && ((const struct primary *)r)->chosen)
            primary_choose(s, w->record);
        break;
    case RECORD_EVENT:
        break;
    }
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

/* Nothing of this group, nor of the later ones that were decided upon it, is true. */
static void revert(struct core_state *s, struct commit_group *failed)
{
    static struct log_limit limit;

    log_limited(&limit, 6, LOG_LEVEL_ERROR, "core", "changes could not be stored and were refused: %s",
                failed->err.message);
    slots_reset(s);
    for (int kind = RECORD_USER; kind <= RECORD_API_KEY; kind++) {
        struct map *pairs = pairs_of(s, (enum record_kind)kind);
        for (struct map_entry *e = map_first(pairs); e; e = map_next(pairs, e)) {
            struct record_pair *c = e->value;
            record_unref(c->work);
            c->work = record_ref(c->published);
        }
    }
    record_unref(s->policy_work);
    s->policy_work = record_ref(s->policy_published);
    policy_drop_ready(s);
    s->decider_stale = true;
    reopen_decisions(s);
    if (s->open) {
        struct commit_group *g = s->open;
        s->open = NULL;
        g->err = failed->err;
        deliver_events(s, g, false);
        answer_calls(g, failed->code);
        group_free(g);
    }
}

void tx_finish(struct core_state *s, struct commit_group *g)
{
    s->flying = g->next;
    if (!s->flying)
        s->flying_end = &s->flying;
    if (g->code == 0) {
        for (size_t i = 0; g->abandoned && i < g->writes.len; i++)
            set_work(s, g->writes.items[i].record, g->writes.items[i].remove);
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
    answer_calls(g, g->code);
    group_free(g);
}

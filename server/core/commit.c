/* SPDX-License-Identifier: BSD-3-Clause */
/* Groups of writes and how they end: durable, or reverted together with the groups that depended on them. */
#include "core/commit.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/admin/policy_change.h"
#include "core/admin/repeated.h"
#include "core/decide/map_request.h"
#include "core/decide/pending.h"
#include "core/follow.h"
#include "core/publish.h"
#include "core/readers.h"
#include "core/state/accounts.h"
#include "core/state/message.h"
#include "core/state/past.h"
#include "core/state/prefixes.h"
#include "core/state/queue.h"
#include "core/state/slots.h"
#include "core/state/state.h"
#include "core/state/timers.h"
#include "core/state/transaction.h"

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

static void group_free(struct commit_group *g)
{
    for (size_t i = 0; i < g->writes.len; i++) {
        record_unref(g->writes.items[i].record);
        free(g->actors.items[i]);
    }
    vec_release(&g->writes);
    vec_release(&g->actors);
    vec_release(&g->events);
    vec_release(&g->observed);
    free(g);
}

static void answer_calls(struct commit_group *g)
{
    for (struct core_call *call = g->calls, *next; call; call = next) {
        next = call->next;
        call->next = NULL;
        if (g->code < 0 && call->code == 0) {
            call->code = g->code;
            call->err = g->err;
        }
        call_answer(call);
    }
    g->calls = NULL;
    g->calls_end = &g->calls;
}

static void conclude(struct core_state *s, struct commit_group *g)
{
    for (size_t i = 0; i < g->events.len && !g->delivered; i++)
        readers_hear(s, g->events.items[i]);
    answer_calls(g);
    group_free(g);
}

/* ---- a group was refused ---- */

static void reset_work(struct core_state *s)
{
    slots_reset(s);
    for (size_t i = 0; i < s->slots.len; i++) /* a deletion that was due did not happen */
        timer_for_ephemeral(s, s->slots.items[i]);
    for (int kind = 0; kind < RECORD_KINDS; kind++) {
        struct map *pairs = pairs_of(s, (enum record_kind)kind);
        for (struct map_entry *e = pairs ? map_first(pairs) : NULL; e; e = map_next(pairs, e)) {
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
    record_unref(s->dns_work);
    s->dns_work = record_ref(s->dns_published);
    s->decider_stale = true;
    pending_requests_reset(s);
    repeated_reset(s);
}

static struct commit_group *revert(struct core_state *s, const struct commit_group *failed)
{
    static struct log_limit limit;
    struct commit_group *open = s->open;

    log_limited(&limit, 6, LOG_LEVEL_ERROR, "core", "changes could not be stored: %s", failed->err.message);
    reset_work(s);
    s->series++;
    for (struct commit_group *later = s->flying; later; later = later->next)
        later->abandoned = true;
    s->open = NULL;
    if (open) {
        open->abandoned = true;
        open->code = failed->code == ERR_TIMEOUT ? ERR_UNAVAILABLE : failed->code;
        open->err = failed->err;
    }
    return open;
}

/* A refusal caused by one call is no reason to refuse those that share its group or came after it. A disk that takes no
 * writes fails them all. */
static bool may_try_again(const struct commit_group *g)
{
    return g->code != ERR_UNAVAILABLE && g->code != ERR_IO && g->code != ERR_TIMEOUT;
}

/* If a group was refused because of another that it depended on, its calls are run again together. If the store refused
 * the group itself, each of its calls is run again in a group of its own, once. */
static void keep_for_later(struct core_state *s, struct commit_group *g)
{
    struct core_call *others = NULL, **end = &others;

    for (struct core_call *call = g->calls, *next; call; call = next) {
        next = call->next;
        call->next = NULL;
        bool again = call->sender && call->code == 0 && (g->abandoned || !call->alone);
        call->alone = call->alone || !g->abandoned;
        if (again) {
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

/* Writes the present result of an election. */
static void put_primary(struct core_state *s, const struct store_write *w)
{
    const struct primary *p = w->record;

    if (p->choice)
        return;
    for (size_t i = 0; i < s->primaries.len; i++)
        if (prefix_cmp(&s->primaries.items[i]->prefix, &p->prefix) == 0) {
            tx_put(s, record_ref(s->primaries.items[i]));
            return;
        }
    tx_remove(s, p);
}

static void put_via_primary(struct core_state *s, const struct store_write *w)
{
    const struct via_primary *p = w->record;

    if (p->choice)
        return;
    for (size_t i = 0; i < s->via_primaries.len; i++) {
        struct via_primary *now = s->via_primaries.items[i];
        if (prefix_cmp(&now->prefix, &p->prefix) == 0 && str_eq(now->tags, p->tags)) {
            tx_put(s, record_ref(now));
            return;
        }
    }
    tx_remove(s, p);
}

/* Elections and observations of the server remain true whatever shared their group: they are written again, with new
 * numbers, in a group of their own. */
static void remake(struct core_state *s, const struct commit_group *g)
{
    tx_submit(s);
    for (size_t i = 0; i < g->writes.len; i++) {
        enum record_kind kind = ((const struct record *)g->writes.items[i].record)->kind;
        if (kind == RECORD_PRIMARY)
            put_primary(s, &g->writes.items[i]);
        else if (kind == RECORD_VIA_PRIMARY)
            put_via_primary(s, &g->writes.items[i]);
        else if (kind == RECORD_HISTORY)
            tx_put(s, record_ref(g->writes.items[i].record));
    }
    for (size_t i = 0; i < g->events.len; i++) {
        if (!g->observed.items[i])
            continue;
        struct event *e = event_edit(g->events.items[i]);
        e->r.id = ++s->event_seq;
        tx_put(s, e);
        vec_push(&s->open->events, e);
        vec_push(&s->open->observed, true);
    }
    if (s->open) {
        s->open->remade = true;
        s->open->delivered = g->delivered;
    }
    tx_submit(s);
}

/* ---- what happened while nothing could be written ---- */

#define FACTS_MAX      100000 /* pending entries; the oldest are dropped for new ones */
#define FACTS_MS       10000  /* between two tries if nothing else is written */
#define FACTS_AT_ONCE  16     /* groups */
#define UNSAID_AT_ONCE 256    /* map requests */

static void drop_fact(struct core_state *s)
{
    static struct log_limit limit;
    struct commit_group *g = s->facts;

    log_limited(&limit, 1, LOG_LEVEL_WARN, "core",
                "the journal lacks some of what happened while nothing could be "
                "written");
    s->facts = g->next;
    if (!s->facts)
        s->facts_end = &s->facts;
    s->fact_count -= g->events.len;
    group_free(g);
}

static bool has_facts(const struct commit_group *g)
{
    for (size_t i = 0; i < g->events.len; i++)
        if (g->observed.items[i])
            return true;
    for (size_t i = 0; i < g->writes.len; i++) {
        enum record_kind kind = ((const struct record *)g->writes.items[i].record)->kind;
        if (kind == RECORD_PRIMARY || kind == RECORD_VIA_PRIMARY)
            return true;
    }
    return false;
}

/* Takes over the group. Its calls were answered, and its entries given to listeners. */
static void keep_facts(struct core_state *s, struct commit_group *g)
{
    if (!has_facts(g)) {
        group_free(g);
        return;
    }
    g->delivered = true;
    g->next = NULL;
    *s->facts_end = g;
    s->facts_end = &g->next;
    s->fact_count += g->events.len;
    while (s->fact_count > FACTS_MAX)
        drop_fact(s);
    timer_set(s, clock_mono_ms() + FACTS_MS, TIMER_FACTS, NULL);
}

void commit_write_facts(struct core_state *s)
{
    for (size_t i = 0; s->facts && i < FACTS_AT_ONCE; i++) {
        struct commit_group *g = s->facts;
        s->facts = g->next;
        if (!s->facts)
            s->facts_end = &s->facts;
        s->fact_count -= g->events.len;
        remake(s, g);
        group_free(g);
    }
    bool more = map_requests_unsaid(s, s->unwritable ? 1 : UNSAID_AT_ONCE);
    if (s->facts || more)
        timer_set(s, clock_mono_ms() + (s->unwritable ? FACTS_MS : 0), TIMER_FACTS, NULL);
}

/* The store will report on it again. */
static void keep_uncertain(struct core_state *s, struct commit_group *g)
{
    g->uncertain = true;
    g->next = s->uncertain;
    s->uncertain = g;
}

static void take_uncertain(struct core_state *s, struct commit_group *g)
{
    struct commit_group **at = &s->uncertain;

    while (*at != g)
        at = &(*at)->next;
    *at = g->next;
}

void commit_release(struct core_state *s)
{
    store_forget(s->store);
    for (struct commit_group *g; (g = s->uncertain);) {
        take_uncertain(s, g);
        group_free(g);
    }
    while (s->facts)
        drop_fact(s);
    map_requests_release(s);
}

static void refuse(struct core_state *s, struct commit_group *g)
{
    bool again = may_try_again(g);

    if (again)
        keep_for_later(s, g);
    if (again && (g->abandoned || !g->remade)) {
        remake(s, g);
    } else {
        core_past_lost(s, g);
        for (size_t i = 0; i < g->events.len; i++) /* what happened is reported, although the journal lacks it */
            if (g->observed.items[i] && !g->delivered)
                readers_hear(s, g->events.items[i]);
    }
    answer_calls(g);
    if (g->code == ERR_TIMEOUT)
        keep_uncertain(s, g);
    else if (again)
        group_free(g);
    else
        keep_facts(s, g);
}

static void try_again(struct core_state *s)
{
    struct core_call *call = s->retries;

    s->retries = NULL;
    s->retries_end = &s->retries;
    for (struct core_call *next; call; call = next) {
        next = call->next;
        call->next = NULL;
        if (call->alone)
            tx_submit(s);
        call_reset(call);
        call->again = true;
        call->run(s, call);
        if (call->alone)
            tx_submit(s);
    }
}

/* Call before the writes are followed: what is not published yet counts as new. */
static void count_writes(struct core_state *s, const struct commit_group *g)
{
    double seconds = (double)(clock_mono_us() - g->sent_us) / 1e6;

    metrics_time(&s->counters.batch_sizes, &metrics_hundred, (double)g->writes.len);
    metrics_time(&s->counters.batch_times, &metrics_fractions, seconds);
    for (size_t i = 0; i < g->writes.len; i++) {
        const struct store_write *w = &g->writes.items[i];
        const struct record *r = w->record;
        const struct slot *slot = r->kind == RECORD_NODE ? map_getu(&s->by_id, r->id) : NULL;
        if (r->kind == RECORD_NODE)
            metrics_time(&s->counters.node_times[w->remove                   ? CORE_NODE_DELETE
                                                 : !slot || !slot->published ? CORE_NODE_PUT
                                                                             : CORE_NODE_UPDATE],
                         &metrics_fractions, seconds);
    }
}

/* The store has answered. */
static void finish(struct core_state *s, struct commit_group *g)
{
    bool first = g->code < 0 && !g->abandoned, works = g->code == 0;
    struct commit_group *open = NULL;

    s->flying = g->next;
    if (!s->flying)
        s->flying_end = &s->flying;
    if (g->code == 0)
        count_writes(s, g);
    if (g->code == 0 || (!may_try_again(g) && !g->abandoned))
        s->unwritable = g->code < 0;
    for (size_t i = 0; g->code == 0 && i < g->writes.len; i++)
        commit_follow(s, &g->writes.items[i], g->actors.items[i]);
    if (first)
        open = revert(s, g);
    if (g->events.len)
        s->event_delivered = g->events.items[g->events.len - 1]->r.id;
    publish(s);
    if (g->code == 0)
        conclude(s, g);
    else
        refuse(s, g);
    if (open)
        refuse(s, open);
    if (s->retries)
        try_again(s);
    if (works)
        commit_write_facts(s);
}

/* A group that was refused as uncertain is durable after all. What was decided meanwhile is decided again: the store
 * refuses the part that was submitted. */
static void accept_late(struct core_state *s, struct commit_group *g)
{
    struct commit_group *open = NULL;

    err_set(&g->err, ERR_CONFLICT, "an earlier change was stored after all");
    g->code = ERR_CONFLICT;
    open = revert(s, g);
    for (size_t i = 0; i < g->writes.len; i++) {
        const struct store_write *w = &g->writes.items[i];
        tx_set_work(s, w->record, w->remove);
        commit_follow(s, w, g->actors.items[i]);
    }
    publish(s);
    for (size_t i = 0; i < g->events.len; i++)
        if (!g->observed.items[i])
            readers_hear(s, g->events.items[i]);
    if (open)
        refuse(s, open);
    if (s->retries)
        try_again(s);
}

struct commit_answer {
    struct core_call call;
    struct commit_group *group;
    int code;
    struct err err;
};

static void run_finish(struct core_state *s, struct core_call *call)
{
    struct commit_answer *f = (struct commit_answer *)call;

    f->group->code = f->code;
    f->group->err = f->err;
    if (!f->group->uncertain) {
        finish(s, f->group);
    } else {
        if (f->code == 0)
            accept_late(s, f->group);
        take_uncertain(s, f->group);
        if (f->code == 0)
            group_free(f->group);
        else
            keep_facts(s, f->group);
    }
    free(f);
}

/* Called on the storage thread. */
static void store_answered(void *arg, int code, const struct err *e)
{
    struct commit_group *g = arg;
    struct commit_answer *f = mem_alloc(sizeof(*f));

    f->code = code;
    if (code < 0 && e)
        f->err = *e;
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
    g->sent_us = clock_mono_us();
    store_submit(s->store, s->series, g->writes.items, g->writes.len, store_answered, g);
}

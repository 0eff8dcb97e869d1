/* SPDX-License-Identifier: BSD-3-Clause */
/* Collects what calls decide until it is written. */
#include "core/state/transaction.h"
#include "core/state/accounts.h"
#include "core/state/prefixes.h"
#include "core/state/slots.h"
#include "core/state/state.h"

static struct commit_group *open_group(struct core_state *s)
{
    if (!s->open) {
        s->open = mem_alloc(sizeof(*s->open));
        s->open->state = s;
        s->open->calls_end = &s->open->calls;
    }
    return s->open;
}

uint64_t tx_new_id(struct core_state *s, enum record_kind kind)
{
    return s->next_id[kind]++;
}

/* A withdrawn one is no longer in the map. */
static void pending_work(struct core_state *s, const struct pending *p)
{
    struct pending_request *w = map_gets(&s->pendings, p->auth_id);
    const void *old = w ? w->work : NULL;

    if (w)
        w->work = record_ref(p);
    record_unref(old);
}

/* Makes record (NULL: none) the working version. */
void tx_set_work(struct core_state *s, const struct record *r, bool remove)
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
    } else if (r->kind == RECORD_SERVER_MESSAGE) {
        const void *old = s->message_work;
        s->message_work = record_ref(r);
        record_unref(old);
    } else if (r->kind == RECORD_DNS_SETTINGS) {
        const void *old = s->dns_work;
        s->dns_work = record_ref(r);
        record_unref(old);
    } else if (pairs_of(s, r->kind)) {
        struct record_pair *c = pair_of(s, r->kind, r->id, true);
        const void *old = c->work;
        c->work = remove ? NULL : record_ref(r);
        record_unref(old);
        s->decider_stale = s->decider_stale || r->kind == RECORD_USER;
    } else if (r->kind == RECORD_PREFIX_SETTINGS) {
        prefix_settings_work(s, (const struct prefix_settings *)r, remove);
    } else if (r->kind == RECORD_PENDING) {
        pending_work(s, (const struct pending *)r);
    }
}

static void add_write(struct core_state *s, const void *record, bool remove)
{
    struct commit_group *g = open_group(s);

    vec_push(&g->writes, ((struct store_write){.remove = remove, .record = record}));
    vec_push(&g->actors, s->admin && s->admin->actor ? mem_strdup(s->admin->actor) : NULL);
}

void tx_put(struct core_state *s, void *record)
{
    if (s->dry) {
        record_unref(record);
        return;
    }
    add_write(s, record, false);
    tx_set_work(s, record, false);
}

void tx_remove(struct core_state *s, const void *record)
{
    if (s->dry)
        return;
    add_write(s, record_ref(record), true);
    tx_set_work(s, record, true);
}

void tx_answer_soon(struct core_state *s, struct core_call *call, int code)
{
    call->code = code;
    call->next = NULL;
    *s->answers_end = call;
    s->answers_end = &call->next;
}

/* A call that changed nothing may still depend on what is being written: it waits for the newest group. */
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

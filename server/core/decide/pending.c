/* SPDX-License-Identifier: BSD-3-Clause */
/* Registrations and SSH sessions that wait for a person's decision. A verdict is stored, and every asker gets the same
 * one. */
#include "core/decide/pending.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "core/state/journal.h"
#include "core/state/message.h"
#include "core/state/state.h"
#include "core/state/timers.h"
#include "core/state/transaction.h"
#include "crypto/crypto.h"

#define SSH_LEFT_MS 60000 /* a client with a broken connection asks again sooner */
/* Limits that keep one source from displacing other sources' registrations. */
#define PER_SOURCE_MAX 64 /* per IPv4 address or IPv6 /64 */
#define SITE_LEN       6 /* bytes of an IPv6 address that identify a site (RFC 6177), which can make /64s at will ... */
#define PER_SITE       4 /* ... and gets this fraction of all places, at least as many as one /64 */
#define PER_TARGET_MAX 16 /* SSH sessions per node; all together get half of the places */
#define VERDICTS       2  /* times the places: including verdicts kept until they expire */

struct pending_request *pending_request_find(struct core_state *s, const char *auth_id)
{
    return map_gets(&s->pendings, auth_id);
}

static void pending_request_free(struct pending_request *w)
{
    for (struct core_call *call = w->calls, *next; call; call = next) {
        next = call->next;
        call_free(call);
    }
    record_unref(w->work);
    record_unref(w->published);
    free(w);
}

void pending_request_wait(struct core_state *s, struct pending_request *w, struct core_call *call,
                          pending_answer *answer)
{
    w->answer = answer;
    call->waits_for = w;
    call->before = NULL;
    call->next = w->calls;
    if (call->next)
        call->next->before = call;
    w->calls = call;
    map_putu(&s->waiting_calls, call->number, call);
}

static void stop_waiting(struct core_state *s, struct pending_request *w, struct core_call *call)
{
    *(call->before ? &call->before->next : &w->calls) = call->next;
    if (call->next)
        call->next->before = call->before;
    call->next = call->before = NULL;
    call->waits_for = NULL;
    map_delu(&s->waiting_calls, call->number);
}

/* How many leading bytes another source has in common with a; 0: another family, or no address. */
static size_t alike(const struct addr_port *a, const char *text)
{
    struct addr_port b;
    size_t len = 0;

    if (addr_port_parse(text, &b, NULL) < 0 || b.addr.bits != a->addr.bits)
        return 0;
    while (len < addr_source_len(&a->addr) && a->addr.bytes[len] == b.addr.bytes[len])
        len++;
    return len;
}

/* Answers those who wait. Takes p over. */
static void settle(struct core_state *s, struct pending_request *w, struct pending *p)
{
    record_unref(w->work);
    w->work = p;
    while (w->calls) {
        struct core_call *call = w->calls;
        stop_waiting(s, w, call);
        w->answer(s, w, call);
    }
}

static struct pending *decided(const struct pending_request *w, bool accepted, uint64_t node_id)
{
    struct pending *p = pending_edit(w->work);

    p->decided = true;
    p->accepted = accepted;
    p->node_id = node_id;
    return p;
}

static void withdraw(struct core_state *s, struct pending_request *w)
{
    map_dels(&s->pendings, w->work->auth_id);
    if (!w->work->decided)
        settle(s, w, decided(w, false, 0));
    tx_remove(s, w->work);
    pending_request_free(w);
    s->pendings_dirty = true;
}

/* Drops the oldest verdict kept for late askers: such a client asks anew. */
static void forget_verdict(struct core_state *s)
{
    struct pending_request *oldest = NULL;

    for (struct map_entry *at = map_first(&s->pendings); at; at = map_next(&s->pendings, at)) {
        struct pending_request *w = at->value;
        if (w->work->decided && !w->calls && (!oldest || w->ends_ms < oldest->ends_ms))
            oldest = w;
    }
    if (oldest)
        withdraw(s, oldest);
}

static size_t site_max(int64_t max)
{
    return max / PER_SITE > PER_SOURCE_MAX ? (size_t)(max / PER_SITE) : PER_SOURCE_MAX;
}

/* An SSH session counts against the node that asks, whose session it is; a registration against its address. */
static int check_room(struct core_state *s, const struct pending *p, struct err *e)
{
    int64_t max = s->config->tuning.register_cache_max_entries, waiting = 0, of_ssh = 0;
    size_t of_source = 0, of_site = 0, of_target = 0;
    struct addr_port from = {0};
    bool has_source = addr_port_parse(p->source, &from, NULL) == 0;

    for (struct map_entry *at = map_first(&s->pendings); at; at = map_next(&s->pendings, at)) {
        const struct pending_request *w = at->value;
        const struct pending *x = w->work;
        if (w->work->decided)
            continue;
        waiting++;
        of_ssh += x->ssh;
        of_target += x->ssh && x->ssh_target_id == p->ssh_target_id;
        size_t same = !x->ssh && has_source ? alike(&from, x->source) : 0;
        of_source += has_source && same == addr_source_len(&from.addr);
        of_site += from.addr.bits == 128 && same >= SITE_LEN;
    }
    if (p->ssh && of_target >= PER_TARGET_MAX)
        return err_set(e, ERR_BUSY, "too many SSH sessions to this node wait for approval");
    if (p->ssh && of_ssh >= (max + 1) / 2)
        return err_set(e, ERR_BUSY, "too many SSH sessions wait for approval");
    if (!p->ssh && (of_source >= PER_SOURCE_MAX || of_site >= site_max(max)))
        return err_set(e, ERR_BUSY, "too many registrations wait from your address: approve or reject some first");
    if (waiting >= max)
        return err_set(e, ERR_BUSY, "too many registrations wait: an administrator must approve or reject some first");
    if ((int64_t)s->pendings.len >= VERDICTS * max)
        forget_verdict(s);
    return 0;
}

static void new_auth_id(char out[AUTH_ID_LEN + 1])
{
    size_t len = strlen(AUTH_ID_PREFIX);

    memcpy(out, AUTH_ID_PREFIX, len);
    crypto_random_hex(out + len, (AUTH_ID_LEN - len) / 2);
}

/* When it is withdrawn. */
static int64_t end_of(const struct pending_request *w)
{
    int64_t unasked = w->left_ms && !w->work->decided ? w->left_ms + SSH_LEFT_MS : INT64_MAX;

    return unasked < w->ends_ms ? unasked : w->ends_ms;
}

static struct pending_request *add(struct core_state *s, const char *auth_id, int64_t left_ns)
{
    struct pending_request *w = mem_alloc(sizeof(*w));

    map_puts(&s->pendings, auth_id, w);
    w->ends_ms = clock_mono_ms() + left_ns / 1000000;
    s->pendings_dirty = true;
    return w;
}

static struct pending *copy_of(struct core_state *s, const struct pending *fields)
{
    struct pending *p = pending_new();
    char fresh[AUTH_ID_LEN + 1];

    new_auth_id(fresh);
    mem_replace(&p->auth_id, fields->auth_id ? fields->auth_id : fresh);
    p->ssh = fields->ssh;
    p->ephemeral = fields->ephemeral;
    memcpy(p->machine_key, fields->machine_key, KEY_LEN);
    memcpy(p->node_key, fields->node_key, KEY_LEN);
    mem_replace(&p->hostname, fields->hostname);
    mem_replace(&p->os, fields->os);
    mem_replace(&p->client_version, fields->client_version);
    mem_replace(&p->source, fields->source);
    mem_replace(&p->ssh_user, fields->ssh_user);
    strs_copy(&p->request_tags, &fields->request_tags);
    prefixes_copy(&p->routes, &fields->routes);
    p->ssh_source_id = fields->ssh_source_id;
    p->ssh_target_id = fields->ssh_target_id;
    p->created_ns = clock_wall_ns();
    p->expires_ns = p->created_ns + s->config->tuning.register_cache_expiration;
    return p;
}

struct pending_request *pending_request_new(struct core_state *s, const struct pending *fields, struct err *e)
{
    if (check_room(s, fields, e) < 0)
        return NULL;
    struct pending *p = copy_of(s, fields);
    struct pending_request *w = add(s, p->auth_id, s->config->tuning.register_cache_expiration);
    tx_put(s, p);
    timer_set(s, end_of(w), TIMER_PENDING, NULL);
    journal(s,
            &(struct event_note){
                .id = EVENT_REGISTRATION_PENDING, .actor = "server", .object = "pending", .object_name = p->auth_id},
            p->ssh ? "An SSH session of %s waits for approval" : "%s wants to join and waits for approval",
            p->hostname);
    return w;
}

/* One that was pending when the daemon ended continues for its remaining time; no one asks about an SSH session yet. */
static void load(struct core_state *s, const struct pending *p, int64_t left_ns)
{
    struct pending_request *w = add(s, p->auth_id, left_ns);

    w->work = record_ref(p);
    w->published = record_ref(p);
    w->left_ms = p->ssh && !p->decided ? clock_mono_ms() : 0;
    timer_set(s, end_of(w), TIMER_PENDING, NULL);
}

void pending_requests_load(struct core_state *s, struct pending *const *items, size_t count)
{
    int64_t now = clock_wall_ns(), longest = s->config->tuning.register_cache_expiration;
    size_t max = (size_t)(VERDICTS * s->config->tuning.register_cache_max_entries);

    for (size_t i = 0; i < count; i++) {
        int64_t left = items[i]->expires_ns - now;
        if (left <= 0 || s->pendings.len >= max)
            tx_remove(s, items[i]);
        else
            load(s, items[i], left < longest ? left : longest);
    }
}

void pending_request_decide(struct core_state *s, struct pending_request *w, bool accepted, uint64_t node_id)
{
    struct pending *p = decided(w, accepted, node_id);

    tx_put(s, record_ref(p));
    settle(s, w, p);
}

void pending_request_expire(struct core_state *s)
{
    int64_t now = clock_mono_ms(), next = INT64_MAX;
    VEC(struct pending_request *) gone = {0};

    for (struct map_entry *e = map_first(&s->pendings); e; e = map_next(&s->pendings, e)) {
        struct pending_request *w = e->value;
        if (end_of(w) <= now)
            vec_push(&gone, w);
        else if (end_of(w) < next)
            next = end_of(w);
    }
    for (size_t i = 0; i < gone.len; i++)
        withdraw(s, gone.items[i]);
    if (next < INT64_MAX)
        timer_set(s, next, TIMER_PENDING, NULL);
    vec_release(&gone);
}

void pending_request_cancel(struct core_state *s, uint64_t number)
{
    struct core_call *call = map_getu(&s->waiting_calls, number);
    struct pending_request *w = call ? call->waits_for : NULL;

    if (!w)
        return;
    stop_waiting(s, w, call);
    if (w->work->ssh && !w->calls) {
        w->left_ms = clock_mono_ms();
        timer_set(s, end_of(w), TIMER_PENDING, NULL);
    }
    tx_answer_soon(s, call, err_set(&call->err, ERR_GONE, "cancelled"));
}

/* Calls that wait for one that was not stored are decided again: no one was told of it. */
static void decide_again(struct core_state *s, struct pending_request *w)
{
    while (w->calls) {
        struct core_call *call = w->calls;
        stop_waiting(s, w, call);
        *s->retries_end = call;
        s->retries_end = &call->next;
    }
}

void pending_requests_reset(struct core_state *s)
{
    VEC(struct pending_request *) gone = {0};

    for (struct map_entry *e = map_first(&s->pendings); e; e = map_next(&s->pendings, e)) {
        struct pending_request *w = e->value;
        if (!w->published) {
            vec_push(&gone, w);
        } else if (w->work != w->published) {
            record_unref(w->work);
            w->work = record_ref(w->published);
        }
    }
    for (size_t i = 0; i < gone.len; i++) {
        map_dels(&s->pendings, gone.items[i]->work->auth_id);
        decide_again(s, gone.items[i]);
        pending_request_free(gone.items[i]);
    }
    s->pendings_dirty = true;
    vec_release(&gone);
}

void pending_request_follow(struct core_state *s, const struct pending *p)
{
    struct pending_request *w = pending_request_find(s, p->auth_id);

    if (!w)
        return;
    record_unref(w->published);
    w->published = record_ref(p);
    s->pendings_dirty = true;
}

void pending_request_release(struct core_state *s)
{
    for (struct map_entry *e = map_first(&s->pendings); e; e = map_next(&s->pendings, e))
        pending_request_free(e->value);
    map_release(&s->pendings);
    map_release(&s->waiting_calls);
}

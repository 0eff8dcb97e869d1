/* SPDX-License-Identifier: BSD-3-Clause */
/* Registrations and SSH sessions that wait for a person. A verdict is stored: any number of askers see the same one. */
#include "core/pending.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "core/commit.h"
#include "core/journal.h"
#include "core/kinds.h"
#include "core/operations.h"
#include "core/register.h"
#include "core/state.h"
#include "crypto/crypto.h"

#define SSH_LEFT_MS 60000 /* a client whose connection broke asks again sooner */
/* Nobody can push everybody else's registrations out. */
#define PER_SOURCE_MAX 64 /* of one IPv4 address or IPv6 /64 */
#define PER_TARGET_MAX 16 /* SSH sessions to one node */

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
    pending_unref(w->pending);
    free(w);
}

void pending_request_wait(struct core_state *s, struct pending_request *w, struct core_call *call)
{
    call->waits_for = w;
    call->before = NULL;
    call->next = w->calls;
    if (call->next)
        call->next->before = call;
    w->calls = call;
    map_putu(&s->waiting_calls, call->number, call);
}

static void stop_waiting(struct core_state *s, struct core_call *call)
{
    struct pending_request *w = call->waits_for;

    *(call->before ? &call->before->next : &w->calls) = call->next;
    if (call->next)
        call->next->before = call->before;
    call->next = call->before = NULL;
    call->waits_for = NULL;
    map_delu(&s->waiting_calls, call->number);
}

static bool same_source(const struct addr_port *a, const char *text)
{
    struct addr_port b;
    size_t len = addr_source_len(&a->addr);

    return addr_port_parse(text, &b, NULL) == 0 && b.addr.bits == a->addr.bits &&
           memcmp(a->addr.bytes, b.addr.bytes, len) == 0;
}

static int check_room(struct core_state *s, const struct pending *p, struct err *e)
{
    struct addr_port from;
    bool has_source = addr_port_parse(p->source, &from, NULL) == 0;
    size_t of_source = 0, of_target = 0;

    for (struct map_entry *at = map_first(&s->pendings); at; at = map_next(&s->pendings, at)) {
        const struct pending_request *w = at->value;
        of_source += has_source && same_source(&from, w->pending->source);
        of_target += p->ssh && w->pending->ssh && !w->decided && w->pending->ssh_target_id == p->ssh_target_id;
    }
    if (of_source >= PER_SOURCE_MAX)
        return err_set(e, ERR_BUSY, "too many registrations wait from your address: approve or reject some first");
    if (of_target >= PER_TARGET_MAX)
        return err_set(e, ERR_BUSY, "too many SSH sessions to this node wait for approval");
    if ((int64_t)s->pendings.len >= s->config->tuning.register_cache_max_entries)
        return err_set(e, ERR_BUSY, "too many registrations wait: an administrator must approve or reject some first");
    return 0;
}

#define AUTH_ID_PREFIX "hskey-authreq-"

static void new_auth_id(char out[AUTH_ID_LEN + 1])
{
    size_t len = strlen(AUTH_ID_PREFIX);

    memcpy(out, AUTH_ID_PREFIX, len);
    crypto_random_hex(out + len, (AUTH_ID_LEN - len) / 2);
}

struct pending_request *pending_request_new(struct core_state *s, const struct pending *fields, struct err *e)
{
    if (check_room(s, fields, e) < 0)
        return NULL;
    struct pending_request *w = mem_alloc(sizeof(*w));
    struct pending *p = w->pending = pending_new();
    if (*fields->auth_id)
        str_copy(p->auth_id, sizeof(p->auth_id), fields->auth_id);
    else
        new_auth_id(p->auth_id);
    p->ssh = fields->ssh;
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
    map_puts(&s->pendings, p->auth_id, w);
    timer_set(s, clock_mono_ms() + s->config->tuning.register_cache_expiration / 1000000 + 1, TIMER_PENDING, 0);
    s->pendings_dirty = true;
    journal(s,
            &(struct event_note){
                .id = EVENT_REGISTRATION_PENDING, .actor = "server", .object = "pending", .object_name = p->auth_id},
            p->ssh ? "An SSH session of %s waits for approval" : "%s wants to join and waits for approval",
            p->hostname);
    return w;
}

/* The policy of now still asks for this session to be checked. */
static bool ssh_holds(struct core_state *s, const struct pending *p, int64_t *period_ms)
{
    struct slot *source = slot_by_id(s, p->ssh_source_id), *target = slot_by_id(s, p->ssh_target_id);

    return source && target && core_policy_ssh_check(s, source->work, target->work, p->ssh_user, period_ms);
}

static int check_auth_id(struct core_state *s, const char *id, struct err *e)
{
    if (!str_starts(id, AUTH_ID_PREFIX))
        return err_field(e, ERR_INVALID, "key",
                         "parsing machine key: auth ID has invalid prefix: expected prefix \"" AUTH_ID_PREFIX "\"");
    if (strlen(id) != AUTH_ID_LEN)
        return err_field(e, ERR_INVALID, "key", "parsing machine key: auth ID has invalid length: expected %d, got %zu",
                         AUTH_ID_LEN, strlen(id));
    if (strspn(id + strlen(AUTH_ID_PREFIX), "0123456789abcdefABCDEF") != AUTH_ID_LEN - strlen(AUTH_ID_PREFIX))
        return err_field(e, ERR_INVALID, "key", "parsing machine key: '%s' does not end in 24 hexadecimal digits", id);
    if (pending_request_find(s, id))
        return err_field(e, ERR_CONFLICT, "key", "a registration with the id %s waits already", id);
    return 0;
}

/* headscale's debug node: a registration that no client stands behind, for trying out what follows from one. */
int admin_debug_node(struct core_state *s, struct core_admin *a, struct err *e)
{
    struct pending fields = {.hostname = (char *)(uintptr_t)a->name,
                             .os = (char *)(uintptr_t) "",
                             .client_version = (char *)(uintptr_t) "",
                             .source = (char *)(uintptr_t) "",
                             .ssh_user = (char *)(uintptr_t) "",
                             .routes = a->prefixes};
    int rc = check_auth_id(s, a->text ? a->text : "", e);

    if (rc < 0 || (rc = str_check(a->name ? a->name : "", 255, false, "name", e)) < 0)
        return rc;
    str_copy(fields.auth_id, sizeof(fields.auth_id), a->text);
    random_bytes(fields.machine_key, KEY_LEN);
    random_bytes(fields.node_key, KEY_LEN);
    struct node *n = node_new();
    memcpy(n->machine_key, fields.machine_key, KEY_LEN);
    memcpy(n->node_key, fields.node_key, KEY_LEN);
    mem_replace(&n->hostname, a->name);
    mem_replace(&n->given_name, a->name);
    n->user_id = a->user_id;
    n->created_ns = clock_wall_ns();
    prefixes_copy(&n->available, &a->prefixes);
    admin_result(a, n);
    record_unref(n);
    return s->dry || pending_request_new(s, &fields, e) ? 0 : (int)e->code;
}

/* An approval does not outlive the rule that asked for it. */
static void answer_ssh(struct core_state *s, struct pending_request *w, struct core_ssh *call)
{
    int64_t period_ms;

    call->accepted = w->accepted && ssh_holds(s, w->pending, &period_ms);
    call->undecided = false;
    tx_answer_soon(s, &call->call, 0);
}

void pending_request_decide(struct core_state *s, struct pending_request *w, bool accepted, uint64_t node_id)
{
    w->decided = true;
    w->accepted = accepted;
    w->node_id = node_id;
    s->pendings_dirty = true;
    while (w->calls) {
        struct core_call *call = w->calls;
        stop_waiting(s, call);
        if (w->pending->ssh)
            answer_ssh(s, w, (struct core_ssh *)call);
        else
            register_answer_followup(s, w, (struct core_register *)call);
    }
}

void pending_request_expire(struct core_state *s)
{
    int64_t now = clock_wall_ns(), mono = clock_mono_ms();
    VEC(struct pending_request *) gone = {0};

    for (struct map_entry *e = map_first(&s->pendings); e; e = map_next(&s->pendings, e)) {
        struct pending_request *w = e->value;
        if (w->pending->expires_ns <= now || (w->left_ms && !w->decided && w->left_ms + SSH_LEFT_MS <= mono))
            vec_push(&gone, w);
    }
    for (size_t i = 0; i < gone.len; i++) {
        struct pending_request *w = gone.items[i];
        map_dels(&s->pendings, w->pending->auth_id);
        if (!w->decided)
            pending_request_decide(s, w, false, 0);
        pending_request_free(w);
    }
    s->pendings_dirty = s->pendings_dirty || gone.len > 0;
    vec_release(&gone);
}

void pending_request_cancel(struct core_state *s, uint64_t number)
{
    struct core_call *call = map_getu(&s->waiting_calls, number);
    struct pending_request *w = call ? call->waits_for : NULL;

    if (!w)
        return;
    stop_waiting(s, call);
    if (w->pending->ssh && !w->calls) {
        w->left_ms = clock_mono_ms();
        timer_set(s, w->left_ms + SSH_LEFT_MS, TIMER_PENDING, 0);
    }
    tx_answer_soon(s, call, err_set(&call->err, ERR_GONE, "cancelled"));
}

void pending_request_release(struct core_state *s)
{
    for (struct map_entry *e = map_first(&s->pendings); e; e = map_next(&s->pendings, e))
        pending_request_free(e->value);
    map_release(&s->pendings);
    map_release(&s->waiting_calls);
}

/* ---- Tailscale SSH in check mode ---- */

static void ssh_key(const struct core_ssh *q, struct buf *key)
{
    buf_addf(key, "%llu %llu %s", (unsigned long long)q->source_id, (unsigned long long)q->target_id, q->user);
}

static bool approved_lately(struct core_state *s, const struct core_ssh *q)
{
    struct buf key = BUF_INIT(1024);

    ssh_key(q, &key);
    intptr_t until = (intptr_t)map_gets(&s->ssh_approved, buf_text(&key));
    buf_release(&key);
    return until > clock_mono_ms();
}

/* The same question is not put twice. */
static struct pending_request *ssh_find(struct core_state *s, const struct core_ssh *q)
{
    for (struct map_entry *at = map_first(&s->pendings); at; at = map_next(&s->pendings, at)) {
        struct pending_request *w = at->value;
        const struct pending *p = w->pending;
        if (p->ssh && !w->decided && p->ssh_source_id == q->source_id && p->ssh_target_id == q->target_id &&
            str_eq(p->ssh_user, q->user))
            return w;
    }
    return NULL;
}

static struct pending_request *ssh_new(struct core_state *s, const struct core_ssh *q, const struct slot *source,
                                       struct err *e)
{
    const struct pending fields = {.ssh = true,
                                   .hostname = source->work->given_name,
                                   .os = source->work->os,
                                   .client_version = source->work->client_version,
                                   .source = source->live.source,
                                   .ssh_user = (char *)(uintptr_t)q->user,
                                   .ssh_source_id = q->source_id,
                                   .ssh_target_id = q->target_id};

    return pending_request_new(s, &fields, e);
}

void ssh_run(struct core_state *s, struct core_call *call)
{
    struct core_ssh *q = (struct core_ssh *)call;
    int64_t period_ms = 0;
    struct slot *source = slot_by_id(s, q->source_id), *target = slot_by_id(s, q->target_id);

    if (!source || !target || !core_policy_ssh_check(s, source->work, target->work, q->user, &period_ms)) {
        tx_answer_soon(s, call, err_set(&call->err, ERR_DENIED, "no check rule of the policy allows this session"));
        return;
    }
    if (!q->auth_id) {
        if (approved_lately(s, q)) {
            q->accepted = true;
            tx_answer_soon(s, call, 0);
            return;
        }
        struct pending_request *w = ssh_find(s, q);
        if (!w)
            w = ssh_new(s, q, source, &call->err);
        q->undecided = w != NULL;
        if (w)
            str_copy(q->new_auth_id, sizeof(q->new_auth_id), w->pending->auth_id);
        tx_answer_soon(s, call, w ? 0 : (int)call->err.code);
        return;
    }
    struct pending_request *w = pending_request_find(s, q->auth_id);
    if (!w || !w->pending->ssh || w->pending->ssh_source_id != q->source_id ||
        w->pending->ssh_target_id != q->target_id || !str_eq(w->pending->ssh_user, q->user)) {
        tx_answer_soon(s, call, err_set(&call->err, ERR_INVALID, "unknown SSH authorisation"));
        return;
    }
    if (w->decided) {
        answer_ssh(s, w, q);
        return;
    }
    w->left_ms = 0;
    pending_request_wait(s, w, call);
}

/* Remembers an accepted session for the period of its rule. */
void ssh_remember(struct core_state *s, const struct pending_request *w)
{
    int64_t period_ms = 0;
    struct core_ssh q = {
        .source_id = w->pending->ssh_source_id, .target_id = w->pending->ssh_target_id, .user = w->pending->ssh_user};
    struct buf key = BUF_INIT(1024);

    if (ssh_holds(s, w->pending, &period_ms) && period_ms > 0) {
        ssh_key(&q, &key);
        if (s->ssh_approved.len >= 65536)
            map_release(&s->ssh_approved);
        map_puts(&s->ssh_approved, buf_text(&key), (void *)(intptr_t)(clock_mono_ms() + period_ms));
    }
    buf_release(&key);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Tailscale SSH in check mode. */

#include "core/decide/ssh.h"
#include "base/clock.h"
#include "core/decide/pending.h"
#include "core/decide/policy_view.h"
#include "core/state/slots.h"
#include "core/state/state.h"
#include "core/state/transaction.h"

/* The policy of now still asks for this session to be checked. */
static bool ssh_holds(struct core_state *s, const struct pending *p, int64_t *period_ms)
{
    struct slot *source = slot_by_id(s, p->ssh_source_id), *target = slot_by_id(s, p->ssh_target_id);

    return source && target && core_policy_ssh_check(s, source->work, target->work, p->ssh_user, period_ms);
}

/* An approval does not outlive the rule that asked for it. */
static void answer_ssh(struct core_state *s, struct pending_request *w, struct core_call *waiting)
{
    struct core_ssh *call = (struct core_ssh *)waiting;
    int64_t period_ms;

    call->accepted = w->accepted && ssh_holds(s, w->pending, &period_ms);
    call->undecided = false;
    tx_answer_soon(s, &call->call, 0);
}

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
        answer_ssh(s, w, &q->call);
        return;
    }
    w->left_ms = 0;
    pending_request_wait(s, w, call, answer_ssh);
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

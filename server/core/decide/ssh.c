/* SPDX-License-Identifier: BSD-3-Clause */
/* Tailscale SSH in check mode. */

#include "core/decide/ssh.h"
#include "base/clock.h"
#include "core/decide/pending.h"
#include "core/decide/policy_view.h"
#include "core/state/slots.h"
#include "core/state/state.h"
#include "core/state/transaction.h"

#define APPROVED_MAX 65536

/* The present policy still requires this session to be checked. */
static bool ssh_holds(struct core_state *s, const struct pending *p, int64_t *period_ms)
{
    struct slot *source = slot_by_id(s, p->ssh_source_id), *target = slot_by_id(s, p->ssh_target_id);

    return source && target && core_policy_ssh_check(s, source->work, target->work, p->ssh_user, period_ms);
}

/* An approval does not outlive the rule that required it. */
static void answer_ssh(struct core_state *s, const struct pending_request *w, struct core_ssh *q)
{
    int64_t period_ms;

    q->accepted = w->work->accepted && ssh_holds(s, w->work, &period_ms);
    q->undecided = false;
    tx_answer(s, &q->call, 0);
}

static void answer_ssh_call(struct core_state *s, struct pending_request *w, struct core_call *call)
{
    answer_ssh(s, w, (struct core_ssh *)call);
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

static bool is_question(const struct pending *p, const struct core_ssh *q)
{
    return p->ssh && p->ssh_source_id == q->source_id && p->ssh_target_id == q->target_id &&
           str_eq(p->ssh_user, q->user);
}

/* The same question is not asked twice. */
static struct pending_request *ssh_find(struct core_state *s, const struct core_ssh *q)
{
    for (struct map_entry *at = map_first(&s->pendings); at; at = map_next(&s->pendings, at)) {
        struct pending_request *w = at->value;
        if (!w->work->decided && is_question(w->work, q))
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

/* Answers with a recent approval, or with a link where someone can approve it. */
static void ask_anew(struct core_state *s, struct core_ssh *q, const struct slot *source)
{
    if (approved_lately(s, q)) {
        q->accepted = true;
        tx_answer_soon(s, &q->call, 0);
        return;
    }
    struct pending_request *w = ssh_find(s, q);
    if (!w)
        w = ssh_new(s, q, source, &q->call.err);
    if (!w) {
        tx_answer_soon(s, &q->call, (int)q->call.err.code);
        return;
    }
    q->undecided = true;
    str_copy(q->new_auth_id, sizeof(q->new_auth_id), w->work->auth_id);
    if (w->published)
        tx_answer_soon(s, &q->call, 0);
    else
        tx_answer(s, &q->call, 0);
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
    struct pending_request *w = q->auth_id ? pending_request_find(s, q->auth_id) : NULL;
    /* If the question is gone or was about another session, ask anew: a client repeats a failing one for half an
     * hour. */
    if (!w || !is_question(w->work, q)) {
        ask_anew(s, q, source);
    } else if (w->work->decided) {
        answer_ssh(s, w, q);
    } else {
        w->left_ms = 0;
        pending_request_wait(s, w, call, answer_ssh_call);
    }
}

void ssh_remember(struct core_state *s, const struct pending_request *w)
{
    const struct pending *p = w->work;
    int64_t period_ms = 0;

    if (!ssh_holds(s, p, &period_ms) || period_ms <= 0)
        return;
    struct ssh_approval *a = ssh_approval_new();
    a->r.id = p->ssh_source_id;
    a->target_id = p->ssh_target_id;
    mem_replace(&a->user, p->ssh_user);
    a->until_ns = clock_wall_ns() + period_ms * 1000000;
    a->policy_id = s->policy_work ? s->policy_work->r.id : 0;
    tx_put(s, a);
}

bool ssh_approval_follow(struct core_state *s, const struct ssh_approval *a)
{
    const struct core_ssh q = {.source_id = a->r.id, .target_id = a->target_id, .user = a->user};
    int64_t left_ms = (a->until_ns - clock_wall_ns()) / 1000000;
    struct buf key = BUF_INIT(1024);

    if (left_ms <= 0 || a->policy_id != (s->policy_published ? s->policy_published->r.id : 0))
        return false;
    ssh_key(&q, &key);
    if (s->ssh_approved.len >= APPROVED_MAX)
        map_release(&s->ssh_approved);
    map_puts(&s->ssh_approved, buf_text(&key), (void *)(intptr_t)(clock_mono_ms() + left_ms));
    buf_release(&key);
    return true;
}

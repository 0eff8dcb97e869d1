/* SPDX-License-Identifier: BSD-3-Clause */
/* Replacing the policy in force. Reading, checking and compiling a policy takes a while, so a worker does it over a
 * snapshot; what changed meanwhile is applied to the result when it is published. In between, the core continues with
 * everything else: a failover never waits for a policy. */
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "core/admin/operations.h"
#include "core/admin/policy_change.h"
#include "core/decide/nodes.h"
#include "core/decide/policy_view.h"
#include "core/state/journal.h"
#include "core/state/queue.h"
#include "core/state/state.h"
#include "core/state/transaction.h"
#include "tailnet/policy_input.h"

#define JOBS_MAX 32
#define NOTE_MAX 300 /* bytes: it is part of a journal entry */

struct policy_job {
    struct core_call call; /* returns it to the core */
    struct work work;
    bool examine; /* else only free policy and view */
    struct core_state *s;
    struct core_admin *admin; /* NULL: the text is from a file */
    char *text;
    const struct policy_text *old; /* in force when the job started; NULL: none */
    bool run_tests, again;
    struct prefix v4, v6;
    /* the worker's results */
    const struct tailnet_snapshot *base;
    struct policy *policy; /* NULL with code 0: the text is empty */
    struct policy_view *view, *decider;
    struct policy_approvals approvals;
    struct policy_problems problems;
    struct buf changes; /* relative to old, in words */
    int code;
};

/* ---- the worker ---- */

static void job_free(struct policy_job *j)
{
    policy_view_free(j->view);
    policy_view_free(j->decider);
    policy_unref(j->policy);
    policy_problems_release(&j->problems);
    vec_release(&j->approvals);
    tailnet_unpin(j->base);
    buf_release(&j->changes);
    record_unref(j->old);
    free(j->text);
    free(j);
}

static void compile(struct policy_job *j)
{
    struct tailnet_policy_input w;

    tailnet_policy_input_init(&w, j->base, &j->v4, &j->v6);
    j->view = policy_view_bounded(j->policy, &w.tailnet, NULL, &j->problems);
    if (!j->view) {
        j->code = ERR_TOOBIG;
        tailnet_policy_input_release(&w);
        return;
    }
    j->code = policy_view_check(j->view, j->run_tests, &j->problems);
    for (size_t i = 0; i < w.tailnet.node_count; i++) {
        struct prefixes fresh = {0};
        tailnet_auto_approved(j->view, w.nodes[i].slot, w.from[i]->record, &fresh);
        for (size_t k = 0; k < fresh.len; k++)
            vec_push(&j->approvals, ((struct policy_approval){w.nodes[i].slot, fresh.items[k]}));
        prefixes_release(&fresh);
    }
    w.tailnet.node_count = 0;
    j->decider = policy_view_new(j->policy, &w.tailnet, NULL);
    w.tailnet.node_count = j->base->node_count;
    tailnet_policy_input_release(&w);
}

static void examine(struct policy_job *j)
{
    j->base = tailnet_pin(j->s->tailnet);
    j->code = policy_parse(j->text, strlen(j->text), &j->policy, &j->problems);
    if (j->code == 0 && j->policy)
        compile(j);
    if (j->code == 0)
        policy_changes_text(j->old ? j->old->text : "", j->text, &j->changes);
}

static void run_examined(struct core_state *s, struct core_call *call);

static void work_job(struct work *work)
{
    struct policy_job *j = CONTAINER_OF(work, struct policy_job, work);

    if (j->examine) {
        examine(j);
        queue_post(&j->s->queue, &j->call, run_examined);
    } else {
        job_free(j);
    }
}

static void job_put(struct core_state *s, struct policy_job *j)
{
    j->work.run = work_job;
    workers_add(&s->worker, &j->work);
}

/* Frees large objects where no one waits. */
static void job_discard(struct core_state *s, struct policy_job *j)
{
    j->examine = false;
    if (s->worker.threads)
        job_put(s, j);
    else
        job_free(j);
}

void policy_discard(struct core_state *s, struct policy *p, struct policy_view *v)
{
    struct policy_job *j;

    if (!p && !v)
        return;
    j = mem_alloc(sizeof(*j));
    j->policy = p;
    j->view = v;
    job_discard(s, j);
}

static void job_start(struct core_state *s, struct core_admin *a, const char *text, bool again)
{
    struct policy_job *j = mem_alloc(sizeof(*j));

    j->examine = true;
    j->again = again;
    j->s = s;
    j->admin = a;
    j->text = mem_strdup(text);
    j->old = record_ref(s->policy_work);
    j->run_tests = true;
    j->v4 = s->config->prefixes.v4;
    j->v6 = s->config->prefixes.v6;
    s->jobs++;
    job_put(s, j);
}

/* ---- compiled policies that wait for their text to be durable ---- */

void policy_drop_ready(struct core_state *s)
{
    for (size_t i = 0; i < s->ready.len; i++) {
        record_unref(s->ready.items[i].text);
        tailnet_unpin(s->ready.items[i].base);
        policy_discard(s, s->ready.items[i].policy, s->ready.items[i].view);
    }
    s->ready.len = 0;
}

/* ---- replacing the policy ---- */

static void approve(struct core_state *s, const struct slot *slot)
{
    const struct node *old = slot->id ? slot->work : NULL;
    struct prefixes fresh = {0};

    if (old)
        core_policy_auto_approved(s, old, &fresh);
    if (fresh.len) {
        struct node *n = node_edit(old);
        node_auto_approve(s, n);
        tx_put(s, n);
    }
    prefixes_release(&fresh);
}

void policy_approve_all(struct core_state *s)
{
    for (size_t i = 0; i < s->slots.len; i++)
        approve(s, s->slots.items[i]);
}

/* Approves what the worker found, and checks the nodes that changed since its snapshot. */
static void approve_found(struct core_state *s, const struct policy_job *j)
{
    size_t at = 0;

    for (uint32_t i = 0; i < s->slots.len; i++) {
        const struct slot *slot = s->slots.items[i];
        const struct tailnet_node *was = snapshot_node(j->base, i);
        bool found = false;
        for (; at < j->approvals.len && j->approvals.items[at].slot <= i; at++)
            found |= j->approvals.items[at].slot == i;
        if (found || !was || was->record != slot->work)
            approve(s, slot);
    }
}

/* " (+2 grants)": what is new in the text, or nothing. A worker found it, unless another policy came between, or no one
 * waits. */
static void add_changes(const struct core_state *s, const struct policy_job *j, const char *text, struct buf *out)
{
    const struct policy_text *old = s->policy_work;
    struct buf fresh = BUF_INIT(0);

    if (!s->dry && *text && (!j || j->old != old))
        policy_changes_text(old ? old->text : "", text, &fresh);
    const struct buf *said = j && j->old == old ? &j->changes : &fresh;
    if (said->len && *text)
        buf_addf(out, " (%s)", buf_text(said));
    buf_release(&fresh);
}

/* The new record, with a reference for the caller in addition to the store's. Without a job this is the start. */
static const struct policy_text *replace(struct core_state *s, struct policy_job *j, const char *text,
                                         const char *actor, const char *how)
{
    const struct policy_text *old = s->policy_work;
    struct policy_text *p = policy_text_new();

    p->r.id = s->dry ? 0 : tx_new_id(s, RECORD_POLICY);
    p->r.version = old ? old->r.version + 1 : 1;
    mem_replace(&p->text, text);
    p->updated_ns = clock_wall_ns();
    mem_replace(&p->author, actor ? actor : s->admin && s->admin->actor ? s->admin->actor : "server");
    mem_replace(&p->note, s->admin && s->admin->note ? s->admin->note : "");
    struct core_admin back = {.op = ADMIN_POLICY_SET, .text = old ? old->text : ""};
    struct buf changes = BUF_INIT(0);
    add_changes(s, j, text, &changes);
    journal(s,
            &(struct event_note){.id = EVENT_POLICY_CHANGED,
                                 .actor = actor,
                                 .object = "policy",
                                 .object_name = "policy",
                                 .inverse = core_operation_write(&back)},
            "%s%s%s%s", how, buf_text(&changes), *p->note ? ": " : "", p->note);
    buf_release(&changes);
    if (s->admin)
        admin_inverse(s->admin, &back);
    const struct policy_text *kept = record_ref(p);
    tx_put(s, p);
    if (s->dry)
        return kept;
    if (!j) {
        policy_approve_all(s);
        return kept;
    }
    vec_push(&s->ready,
             ((struct policy_ready){record_ref(kept), policy_ref(j->policy), j->view, tailnet_ref(j->base)}));
    j->view = NULL;
    policy_parsed_set(s, kept, policy_ref(j->policy));
    policy_decider_set(s, j->policy, j->decider);
    j->decider = NULL;
    approve_found(s, j);
    return kept;
}

static void refuse(const struct policy_problems *problems, int code, struct err *e)
{
    struct buf errors = BUF_INIT(0);

    policy_problems_text(problems, &errors);
    err_field(e, (enum err_code)code, "policy", "%.200s", buf_text(&errors));
    buf_release(&errors);
}

/* Without a job it has no effect: a dry run. */
static int put_in_force(struct core_state *s, struct policy_job *j, struct core_admin *a)
{
    const struct policy_text *old = s->policy_work;

    if (old ? str_eq(old->text, a->text) : !*a->text) {
        admin_result(a, old);
        return 0;
    }
    const struct policy_text *fresh = replace(
        s, j, a->text, NULL, *a->text ? "The policy was changed" : "The policy was removed: everything is allowed");
    admin_result(a, fresh);
    record_unref(fresh);
    return 0;
}

int admin_policy_set(struct core_state *s, struct core_admin *a, struct err *e)
{
    int rc = admin_matches(a, s->policy_work ? s->policy_work->r.version : 0, e);

    if (rc < 0)
        return rc;
    if (!a->dry_run && config_policy_is_file(s->config))
        return err_set(e, ERR_INVALID, "update is disabled for modes other than 'database'");
    if (a->note && (rc = str_check(a->note, NOTE_MAX, true, "note", e)) < 0)
        return rc;
    if (a->dry_run) /* the text was examined where no one else waits */
        return put_in_force(s, NULL, a);
    if (s->jobs >= JOBS_MAX)
        return err_set(e, ERR_BUSY, "too many policies are being checked");
    job_start(s, a, a->text, false);
    return ADMIN_LATER;
}

/* The policy in force may have changed by now. */
static int conclude(struct core_state *s, struct policy_job *j, struct err *e)
{
    struct core_admin *a = j->admin;
    int rc = admin_matches(a, s->policy_work ? s->policy_work->r.version : 0, e);

    if (rc < 0)
        return rc;
    a->problems = j->problems;
    j->problems = (struct policy_problems){0};
    if (j->code < 0) {
        refuse(&a->problems, j->code, e);
        return j->code;
    }
    return put_in_force(s, j, a);
}

static int follow_file(struct core_state *s, struct policy_job *j, const char *text, int rc,
                       const struct policy_problems *problems)
{
    if (s->policy_work && str_eq(s->policy_work->text, text))
        return 0;
    policy_log_problems(problems, s->config->policy.path);
    s->counters.policy_refused = rc < 0;
    if (rc < 0) {
        log_error("policy", "%s is not used%s", s->config->policy.path,
                  s->policy_work ? ": the policy before stays in force" : "");
        return rc;
    }
    record_unref(replace(s, j, text, "server", "The policy was read from its file"));
    return 0;
}

/* The policy of a file is durable, or was refused: then it is retried like administrators' calls, each time that a
 * group it depended on is refused, and once if the store refused its own group. */
static void file_stored(struct core_call *call)
{
    struct policy_job *j = (struct policy_job *)call;
    struct core_state *s = j->s;

    if (call->code < 0 && !j->again && call->code != ERR_UNAVAILABLE && call->code != ERR_IO)
        job_start(s, NULL, j->text, call->alone);
    else if (call->code < 0)
        log_error("policy", "%s could not be stored: the policy before stays in force", s->config->policy.path);
    job_discard(s, j);
}

static void run_examined(struct core_state *s, struct core_call *call)
{
    struct policy_job *j = (struct policy_job *)call;
    struct core_admin *a = j->admin;

    s->jobs--;
    if (a) {
        admin_begin(s, a);
        admin_end(s, a, conclude(s, j, &a->call.err));
        job_discard(s, j);
    } else if (follow_file(s, j, j->text, j->code, &j->problems) == 0) {
        call->done = file_stored;
        tx_answer(s, call, 0);
    } else {
        job_discard(s, j);
    }
}

/* ---- policies from a file ---- */

int core_policy_read_file(const struct config *config, char **out, struct err *e)
{
    const char *path = config->policy.path;
    struct buf text = BUF_INIT(POLICY_TEXT_MAX);
    struct err why = {0};

    *out = NULL;
    int rc = file_read(path, FILE_ANY, &text, &why);
    unsigned line, column;
    str_place(buf_text(&text), text.len, strlen(buf_text(&text)), &line, &column);
    if (rc == 0 && strlen(buf_text(&text)) != text.len)
        rc = err_set(&why, ERR_INVALID, "%.160s holds a zero byte in line %u, column %u: it is not text", path, line,
                     column);
    if (rc == 0)
        *out = buf_take(&text);
    buf_release(&text);
    return rc == 0 ? 0 : err_field(e, ERR_IO, "policy.path", "policy.path: %.200s", why.message);
}

void core_check_policy(const struct config *c, struct user *const *users, size_t count, struct buf *said)
{
    struct policy_problems problems = {0};
    struct policy *p = NULL;
    struct err e = {0};
    char *text = NULL;

    if (core_policy_read_file(c, &text, &e) < 0) {
        buf_adds(said, e.message + (str_starts(e.message, "policy.path: ") ? strlen("policy.path: ") : 0));
        return;
    }
    int rc = policy_parse(text, strlen(text), &p, &problems);
    if (rc == 0 && p && users) {
        struct policy_user *list = mem_alloc((count + 1) * sizeof(*list));
        for (size_t i = 0; i < count; i++)
            list[i] = tailnet_policy_user(users[i]);
        struct policy_view *v = policy_view_new(p, &(struct policy_tailnet){.users = list, .user_count = count}, NULL);
        rc = policy_view_check(v, false, &problems);
        policy_view_free(v);
        free(list);
    }
    if (rc < 0) {
        buf_addf(said, "%s: ", c->policy.path);
        policy_problems_text(&problems, said);
    }
    policy_problems_release(&problems);
    policy_unref(p);
    free(text);
}

int core_policy_start_with_file(struct core_state *s, const char *text)
{
    struct policy_problems problems = {0};
    struct policy *p = NULL;
    int rc = policy_parse(text, strlen(text), &p, &problems);

    if (rc == 0 && p) {
        struct policy_view *v = policy_view_of_all(s, p, false);
        rc = policy_view_check(v, false, &problems);
        policy_view_free(v);
    }
    policy_unref(p);
    rc = follow_file(s, NULL, text, rc, &problems);
    policy_problems_release(&problems);
    return rc;
}

void core_policy_follow_file(struct core_state *s, const char *text)
{
    if (!s->jobs && s->policy_work && str_eq(s->policy_work->text, text))
        return;
    job_start(s, NULL, text, false);
}

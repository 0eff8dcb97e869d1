/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/policy/policy_checker.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text_diff.h"
#include "base/thread.h"
#include "console/text/draft.h"

struct checker {
    struct thread thread;
    int fd;
    pthread_mutex_t lock; /* all below */
    pthread_cond_t woken;
    struct check_job job;
    struct check_result result;
    bool waits, ready, stopping;
};

static void job_release(struct check_job *job)
{
    free(job->text);
    free(job->base);
    free(job->draft);
    free(job->server);
    strs_release(&job->users);
    *job = (struct check_job){0};
}

void check_result_release(struct check_result *r)
{
    policy_problems_release(&r->problems);
    vec_release(&r->changes);
    free(r->trouble);
    *r = (struct check_result){0};
}

static void check_users(const struct policy *policy, const struct strs *names, struct policy_problems *problems)
{
    size_t count = names->len / 3;
    struct policy_user *users = mem_alloc((count + 1) * sizeof(*users));

    for (size_t i = 0; i < count; i++)
        users[i] = (struct policy_user){.id = i + 1,
                                        .name = names->items[i * 3],
                                        .email = names->items[i * 3 + 1],
                                        .provider_id = names->items[i * 3 + 2]};
    if (count)
        policy_check_users(policy, users, count, problems);
    free(users);
}

/* New lines replace the old ones that went just before them, one by one. */
static void compare(const struct check_job *job, struct check_result *out)
{
    size_t gone = 0;
    struct diff d;

    textdiff(job->base, job->base_len, job->text, job->len, &d);
    for (size_t i = 0; i < d.len; i++) {
        const struct diff_line *l = &d.items[i];

        if (l->sign == '+') {
            vec_push(&out->changes, ((struct policy_line_change){l->fresh - 1, gone == 0}));
            gone -= gone > 0;
        } else {
            gone = l->sign == '-' ? gone + 1 : 0;
        }
    }
    vec_release(&d);
}

bool check_do(struct check_job *job, struct check_result *out)
{
    struct policy *policy = NULL;
    bool text = job->text != NULL;
    struct err e;

    *out = (struct check_result){.serial = job->serial};
    /* The draft first: nothing that the text does to its reader may cost it. */
    if (job->draft && !job->remove && draft_write(job->draft, job->server, job->version, job->text, job->len, &e) < 0)
        out->trouble = mem_strdup(e.message);
    else if (job->draft && job->remove)
        draft_remove(job->draft);
    if (text && policy_parse(job->text, job->len, &policy, &out->problems) < 0)
        policy_further_errors(job->text, job->len, &out->problems);
    if (text && job->base)
        compare(job, out);
    check_users(policy, &job->users, &out->problems);
    policy_warn_unreachable(policy, &out->problems);
    policy_unref(policy);
    job_release(job);
    return text;
}

static void *run(void *arg)
{
    struct checker *c = arg;

    pthread_mutex_lock(&c->lock);
    while (!c->stopping) {
        uint64_t one = 1;

        if (!c->waits) {
            pthread_cond_wait(&c->woken, &c->lock);
            continue;
        }
        struct check_job job = c->job;
        struct check_result result;
        c->job = (struct check_job){0};
        c->waits = false;
        pthread_mutex_unlock(&c->lock);
        bool has_text = check_do(&job, &result);
        pthread_mutex_lock(&c->lock);
        if (!has_text) {
            check_result_release(&result);
            continue;
        }
        check_result_release(&c->result);
        c->result = result;
        c->ready = true;
        if (write(c->fd, &one, sizeof(one)) < 0)
            continue; /* the counter is full: it is readable already */
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

struct checker *checker_start(void)
{
    struct checker *c = mem_alloc(sizeof(*c));

    c->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->woken, NULL);
    if (c->fd < 0 || thread_start(&c->thread, "checker", run, c, NULL) < 0)
        abort();
    return c;
}

void checker_stop(struct checker *c)
{
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    pthread_cond_signal(&c->woken);
    pthread_mutex_unlock(&c->lock);
    thread_join(&c->thread);
    job_release(&c->job);
    check_result_release(&c->result);
    pthread_cond_destroy(&c->woken);
    pthread_mutex_destroy(&c->lock);
    close(c->fd);
    free(c);
}

int checker_fd(const struct checker *c)
{
    return c->fd;
}

void checker_send(void *checker, struct check_job *job)
{
    struct checker *c = checker;

    pthread_mutex_lock(&c->lock);
    if (c->waits && !job->text) {
        /* The text that waits is still to be checked. */
        job->serial = c->job.serial;
        job->text = c->job.text;
        job->len = c->job.len;
        c->job.text = NULL;
        job->base = c->job.base;
        job->base_len = c->job.base_len;
        c->job.base = NULL;
        job->users = c->job.users;
        c->job.users = (struct strs){0};
    }
    job_release(&c->job);
    c->job = *job;
    c->waits = true;
    pthread_cond_signal(&c->woken);
    pthread_mutex_unlock(&c->lock);
    *job = (struct check_job){0};
}

bool checker_take(struct checker *c, struct check_result *out)
{
    uint64_t count;

    if (read(c->fd, &count, sizeof(count)) < 0)
        count = 0;
    pthread_mutex_lock(&c->lock);
    bool ready = c->ready;
    if (ready) {
        *out = c->result;
        c->result = (struct check_result){0};
        c->ready = false;
    }
    pthread_mutex_unlock(&c->lock);
    return ready;
}

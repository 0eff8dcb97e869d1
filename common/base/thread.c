/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/thread.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

void thread_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

bool thread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_ms)
{
    struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};

    return pthread_cond_timedwait(cond, lock, &until) == 0;
}

int thread_start(struct thread *t, const char *name, void *(*run)(void *), void *arg, struct err *e)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int why = pthread_create(&t->id, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    t->runs = why == 0;
    if (why)
        return err_set(e, ERR_UNAVAILABLE, "cannot start the thread '%s': %s", name, strerrordesc_np(why));
    pthread_setname_np(t->id, name);
    return 0;
}

void thread_join(struct thread *t)
{
    if (t->runs)
        pthread_join(t->id, NULL);
    t->runs = false;
}

static void *work_off(void *arg)
{
    struct workers *w = arg;

    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (!w->first && !w->stopping)
            pthread_cond_wait(&w->wake, &w->lock);
        struct work *work = w->first;
        if (!work)
            break;
        w->first = work->next;
        if (!w->first)
            w->end = &w->first;
        pthread_mutex_unlock(&w->lock);
        work->run(work);
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

int workers_start(struct workers *w, const char *name, size_t count, struct err *e)
{
    int rc = 0;

    *w = (struct workers){.count = count, .threads = mem_alloc(count * sizeof(*w->threads))};
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    w->end = &w->first;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = thread_start(&w->threads[i], name, work_off, w, e);
    if (rc < 0)
        workers_stop(w);
    return rc;
}

void workers_add(struct workers *w, struct work *work)
{
    work->next = NULL;
    pthread_mutex_lock(&w->lock);
    *w->end = work;
    w->end = &work->next;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

void workers_stop(struct workers *w)
{
    if (!w->threads)
        return;
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_broadcast(&w->wake);
    pthread_mutex_unlock(&w->lock);
    for (size_t i = 0; i < w->count; i++)
        thread_join(&w->threads[i]);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w->threads);
    *w = (struct workers){0};
}

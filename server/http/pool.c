/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/array.h"
#include "http/private.h"

static void *work(void *arg)
{
    struct pool *p = arg;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (!p->first && !p->stopping)
            pthread_cond_wait(&p->wake, &p->lock);
        struct job *job = p->first;
        if (!job)
            break;
        p->first = job->next;
        if (!p->first)
            p->end = &p->first;
        pthread_mutex_unlock(&p->lock);
        job->run(job->arg);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

int pool_start(struct pool *p, size_t threads, struct err *e)
{
    *p = (struct pool){0};
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    p->end = &p->first;
    for (; p->count < threads && p->count < ARRAY_LEN(p->threads); p->count++)
        if (pthread_create(&p->threads[p->count], NULL, work, p) != 0) {
            pool_stop(p);
            return err_set(e, ERR_UNAVAILABLE, "cannot start a thread for HTTP requests");
        }
    return 0;
}

void pool_put(struct pool *p, struct job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&p->lock);
    *p->end = job;
    p->end = &job->next;
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
}

void pool_stop(struct pool *p)
{
    if (!p->end)
        return;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < p->count; i++)
        pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    *p = (struct pool){0};
}

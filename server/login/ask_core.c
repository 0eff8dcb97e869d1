/* SPDX-License-Identifier: BSD-3-Clause */
#include "login/state.h"

struct provider *login_provider(struct login *l, const char *name)
{
    for (size_t i = 0; i < l->provider_count; i++)
        if (str_eq(l->providers[i].c->name, name))
            return &l->providers[i];
    return NULL;
}

struct wait {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool done;
};

static void on_answer(struct core_call *call)
{
    struct wait *w = call->owner;

    pthread_mutex_lock(&w->lock);
    w->done = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

int login_ask_core(struct login *l, struct core_login *call, struct err *e)
{
    struct wait w = {.done = false};

    pthread_mutex_init(&w.lock, NULL);
    thread_cond_init(&w.wake);
    call->call.done = on_answer;
    call->call.owner = &w;
    core_login(l->core, call);
    pthread_mutex_lock(&w.lock);
    while (!w.done)
        pthread_cond_wait(&w.wake, &w.lock);
    pthread_mutex_unlock(&w.lock);
    pthread_cond_destroy(&w.wake);
    pthread_mutex_destroy(&w.lock);
    if (call->call.code < 0 && e)
        *e = call->call.err;
    return call->call.code;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/call.h"

#include <semaphore.h>

struct call {
    void (*run)(void *arg);
    void *arg;
    sem_t done;
};

static void run_call(void *arg)
{
    struct call *c = arg;

    c->run(c->arg);
    sem_post(&c->done);
}

void call_on_loop(struct loop *l, void (*run)(void *arg), void *arg)
{
    struct call c = {.run = run, .arg = arg};

    sem_init(&c.done, 0, 0);
    loop_post(l, run_call, &c);
    while (sem_wait(&c.done) != 0)
        continue;
    sem_destroy(&c.done);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Threads: conditions that count time by the monotonic clock, threads that can be stopped where they never started, and
 * workers that do what is put into their queue. */
#ifndef COMMON_BASE_THREAD_H
#define COMMON_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* A condition for thread_cond_wait. Ended with pthread_cond_destroy(). */
void thread_cond_init(pthread_cond_t *cond);
/* Waits with the lock held, until until_ms of clock_mono_ms() at the latest; false: that time has come. As ever with
 * conditions, the caller looks again at what it waits for. */
bool thread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_ms);

/* A zeroed one does not run. */
struct thread {
    pthread_t id;
    bool runs;
};

/* Starts run(arg). No signal is delivered to it: those are for the thread that waits for them. name: at most 15 bytes,
 * for ps and debuggers. */
int thread_start(struct thread *t, const char *name, void *(*run)(void *), void *arg, struct err *e) WARN_UNUSED;
/* Waits for its end; nothing for one that does not run. What makes it end is the caller's business. */
void thread_join(struct thread *t);

/* Work for a worker. It is the first member of what run needs, and belongs to the queue until run is called. */
struct work {
    struct work *next;
    void (*run)(struct work *work);
};

/* A queue and the threads that do what is in it, first in, first out. Zeroed before it is started. */
struct workers {
    pthread_mutex_t lock; /* all that follows */
    pthread_cond_t wake;
    struct work *first, **end;
    struct thread *threads; /* NULL before the start and after the end */
    size_t count;
    bool stopping;
};

int workers_start(struct workers *w, const char *name, size_t count, struct err *e) WARN_UNUSED;
void workers_add(struct workers *w, struct work *work);
/* Does what is in the queue and ends. Nothing for one that was never started. */
void workers_stop(struct workers *w);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Threads: condition variables that use the monotonic clock, threads that can be joined even if they were never
 * started, and worker threads that process a queue. */
#ifndef COMMON_BASE_THREAD_H
#define COMMON_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Initialises a condition variable for thread_cond_wait. Destroy it with pthread_cond_destroy(). */
void thread_cond_init(pthread_cond_t *cond);
/* Waits, with the lock held, at the latest until clock_mono_ms() reaches until_ms; returns false on timeout. As with
 * any condition variable, the caller must check its condition again. */
bool thread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_ms);

/* A zeroed one is not running. */
struct thread {
    pthread_t id;
    bool runs;
};

/* Starts run(arg). All signals are blocked in it: they are for the thread that waits for them. name: at most 15 bytes,
 * shown by ps and debuggers. */
int thread_start(struct thread *t, const char *name, void *(*run)(void *), void *arg, struct err *e) WARN_UNUSED;
/* Waits for the thread to end; does nothing if it is not running. Making it end is up to the caller. */
void thread_join(struct thread *t);

/* One item of work. It is the first member of the structure that run needs, and belongs to the queue until run is
 * called. */
struct work {
    struct work *next;
    void (*run)(struct work *work);
};

/* A first-in, first-out queue and the threads that process it. Zero it before starting it. */
struct workers {
    pthread_mutex_t lock; /* for all members below */
    pthread_cond_t wake;
    struct work *first, **end;
    struct thread *threads; /* NULL before the start and after the end */
    size_t count;
    bool stopping;
};

int workers_start(struct workers *w, const char *name, size_t count, struct err *e) WARN_UNUSED;
void workers_add(struct workers *w, struct work *work);
/* Processes what is left in the queue, then ends the threads. Does nothing if they were never started. */
void workers_stop(struct workers *w);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of a loop. */
#ifndef SERVER_LOOP_STATE_H
#define SERVER_LOOP_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>

#include "base/thread.h"
#include "loop/loop.h"

#define LOOP_EVENTS 256 /* fetched from the kernel at once */

struct loop_heap {
    struct loop_timer **items; /* items[0] is due first */
    size_t len, cap;
};

struct loop {
    struct loops *owner;
    unsigned index;
    struct thread thread;
    atomic_bool stop;
    int epoll_fd;
    struct loop_watch mailbox; /* an eventfd */
    bool mail;                 /* the mailbox was signalled in this turn */
    int64_t now;
    unsigned gather_us; /* sleep before the next wait */
    struct loop_heap timers;
    struct loop_task deferred; /* head of a ring */
    struct epoll_event events[LOOP_EVENTS];
    int event_at, event_count; /* of the current turn */
    uint8_t *scratch;          /* in, out, raw, sealed */

    pthread_mutex_t lock;    /* protects posted, the links of its tasks, and rung */
    struct loop_task posted; /* head of a ring */
    bool rung;
};

void loop_ring_init(struct loop_task *head);
bool loop_ring_is_empty(const struct loop_task *head);
void loop_ring_add(struct loop_task *head, struct loop_task *task);
void loop_ring_del(struct loop_task *task);
/* Moves all of from to the empty ring to. */
void loop_ring_move(struct loop_task *from, struct loop_task *to);

/* ms until the first timer is due, -1 without one. */
int loop_timers_wait(const struct loop *l);
void loop_timers_run(struct loop *l);

#define LOOP_RAW    ((size_t)64 * 1024)
#define LOOP_SEALED ((size_t)72 * 1024)
uint8_t *loop_scratch_raw(struct loop *l);    /* LOOP_RAW bytes: received, not decrypted by TLS yet */
uint8_t *loop_scratch_sealed(struct loop *l); /* LOOP_SEALED bytes: encrypted by TLS, to be sent */

#endif

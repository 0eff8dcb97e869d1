/* SPDX-License-Identifier: BSD-3-Clause */
/* The queue of the core's thread. */
#ifndef SERVER_CORE_STATE_QUEUE_H
#define SERVER_CORE_STATE_QUEUE_H

#include "core/core.h"

struct call_queue;

void queue_init(struct call_queue *q);
void queue_release(struct call_queue *q);
/* Any thread: run is called on the core's thread, in the order of posting. */
void queue_post(struct call_queue *q, struct core_call *call,
                void (*run)(struct core_state *s, struct core_call *call));
/* The same for a copy of a call, run as its kind says: returns the number that it gets. */
uint64_t queue_send(struct call_queue *q, struct core_call *call);

/* On the core's thread: takes at most max calls, linked by next; waits for the first until due_ms of clock_mono_ms().
 * NULL: that time has come, or *stop: the queue is stopped and empty, and nothing is in progress (idle). */
struct core_call *queue_take(struct call_queue *q, int64_t due_ms, bool idle, size_t max, bool *stop);
void queue_stop(struct call_queue *q);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* The thread around the state, and the way in. */
#ifndef SERVER_CORE_THREAD_H
#define SERVER_CORE_THREAD_H

#include "base/thread.h"
#include "core/extra_records.h"
#include "core/state.h"

struct core {
    struct thread thread;
    pthread_mutex_t lock; /* of the queue and what follows it up to shown */
    pthread_cond_t wake;
    struct core_call *queue, **queue_end;
    bool stopping;
    uint64_t next_number; /* of a call */
    struct core_counters shown;
    struct core_state state;
    struct extra_records records;
};

/* Any thread: run is called on the core's thread in the order of posting. */
void core_post(struct core *core, struct core_call *call, void (*run)(struct core_state *s, struct core_call *call));

void core_set_extra_records(struct core *core, char *json); /* any thread; takes json */

#endif

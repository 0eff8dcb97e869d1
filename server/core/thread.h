/* SPDX-License-Identifier: BSD-3-Clause */
/* The thread around the state. */
#ifndef SERVER_CORE_THREAD_H
#define SERVER_CORE_THREAD_H

#include "base/thread.h"
#include "core/extra_records.h"
#include "core/state/state.h"

struct core {
    struct thread thread;
    struct core_counters shown; /* with the queue's lock */
    struct core_state state;
    struct extra_records records;
};

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to the core: the thread around the state, and the way in. */
#ifndef SERVER_CORE_PRIVATE_H
#define SERVER_CORE_PRIVATE_H

#include "base/thread.h"
#include "core/records.h"
#include "core/state.h"

struct core {
    struct thread thread;
    pthread_mutex_t lock; /* of the queue, stopping and shown */
    pthread_cond_t wake;
    struct core_call *queue, **queue_end;
    bool stopping;
    struct core_counters shown;
    struct core_state state;
    struct records records;
};

/* Any thread: run is called on the core's thread in the order of sending. */
void core_send(struct core *core, struct core_call *call, void (*run)(struct core_state *s, struct core_call *call));

/* load.c: reads the store and publishes the first snapshot. state_release frees everything that the state owns. */
int state_load(struct core_state *s, struct err *e) WARN_UNUSED;
void state_release(struct core_state *s);

void apikey_seen_run(struct core_state *s, uint64_t id);
void settings_from_config(struct core_state *s);
void settings_reload(struct core_state *s, const struct config *config);
void settings_set_derp(struct core_state *s, const char *json);
void core_set_records(struct core *core, char *json); /* any thread; takes json */

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* The response times of clients to the last PINGs of their control connections. Any thread. */
#ifndef SERVER_CONTROL_ROUND_TRIPS_H
#define SERVER_CONTROL_ROUND_TRIPS_H

#include <pthread.h>

#include "base/map.h"
#include "control/control.h"
#include "tailnet/tailnet.h"

struct round_trips {
    pthread_mutex_t lock; /* protects the members below */
    struct map nodes;     /* id -> struct round_trip_ring */
    size_t sweep_at;      /* number of rings at which those of removed nodes are freed */
};

void round_trips_init(struct round_trips *t);
void round_trips_release(struct round_trips *t);
/* us: CONTROL_LOST for a connection that was ended. */
void round_trips_note(struct round_trips *t, struct tailnet *tailnet, uint64_t node, uint32_t us);
size_t round_trips_read(struct round_trips *t, uint64_t node, struct control_round_trip out[CONTROL_ROUND_TRIPS]);
/* The median of the newest value of each node heard since then; 0: none. */
uint32_t round_trips_median(struct round_trips *t, int64_t since_ns);

#endif

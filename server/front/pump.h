/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes between a client and a local socket with a plain HTTP server at its other end. The head of each request is
 * looked at: where one is for a room of clients, what was asked before is answered, and the connection goes there. */
#ifndef SERVER_FRONT_PUMP_H
#define SERVER_FRONT_PUMP_H

#include "front/state.h"

/* Takes both. */
void pump_start(struct front *f, struct stream *client, int local, bool tls);
void pump_close(struct front_pump *p);
/* How many of this loop have not given their client all of what they had for it, or wait for more; on the loop. */
unsigned pumps_unsent(const struct front *f, const struct loop *l);

#endif

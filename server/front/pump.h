/* SPDX-License-Identifier: BSD-3-Clause */
/* Carries bytes between a client and a local socket with a plain HTTP server at its other end. Each request's head is
 * examined: if one is for a clients' room, the connection goes there once the requests before it are answered. */
#ifndef SERVER_FRONT_PUMP_H
#define SERVER_FRONT_PUMP_H

#include "front/state.h"

/* Takes both. */
void pump_start(struct front *f, struct stream *client, int local, bool tls);
void pump_close(struct front_pump *p);
/* How many pumps of this loop have unsent output for their client, or expect more; call on the loop. */
unsigned pumps_unsent(const struct front *f, const struct loop *l);

#endif

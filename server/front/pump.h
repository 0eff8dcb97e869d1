/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes between a TLS client and a local socket with a plain HTTP server at its other end. */
#ifndef SERVER_FRONT_PUMP_H
#define SERVER_FRONT_PUMP_H

#include "front/state.h"

/* Takes both. */
void pump_start(struct front *f, struct stream *client, int local);
void pump_close(struct front_pump *p);

#endif

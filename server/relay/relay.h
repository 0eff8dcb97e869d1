/* SPDX-License-Identifier: BSD-3-Clause */
/* Relays: the DERP map that clients are told, with the region that this server offers itself. */
#ifndef SERVER_RELAY_RELAY_H
#define SERVER_RELAY_RELAY_H

#include "config/config.h"
#include "core/core.h"
#include "loop/loop.h"

struct relay;

struct relay_options {
    const struct config *config;
    struct loops *loops;
    struct core *core;
    struct tailnet *tailnet;
};

/* Answers STUN where configured and tells the core the map (core_set_derp), now and when it changes. */
int relay_start(const struct relay_options *options, struct relay **out, struct err *e) WARN_UNUSED;
void relay_reload(struct relay *r, const struct config *config);
/* While the loops still run, from another thread. */
void relay_stop(struct relay *r);

#endif

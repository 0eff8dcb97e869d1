/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether routers and exit nodes do what they are there for, beyond being online. Their clients are asked for what they
 * complain about (/debug/health): when a route becomes effective, after a failed probe, and once in an interval. What
 * is found goes to the core. Everything is bounded: one question a node at a time, a few a second in all. */
#ifndef SERVER_HEALTH_HEALTH_H
#define SERVER_HEALTH_HEALTH_H

#include "base/err.h"

struct buf;
struct config;
struct control;
struct core;
struct loops;
struct tailnet;

struct health;

struct health_options {
    struct loops *loops;
    struct core *core;
    struct control *control;
    struct tailnet *tailnet;
    const struct config *config;
};

/* Owned by the caller, who keeps the options' objects alive until health_stop; core and tailnet until health_free. */
struct health *health_start(const struct health_options *options);
void health_reload(struct health *h, const struct config *config);
/* Any thread. Figures in Prometheus' text form. */
void health_metrics(struct health *h, struct buf *out);
/* Asks nobody any more. Called while the loops still run, from another thread. */
void health_stop(struct health *h);
/* After control_free, so that no answer is on its way, and while the loops still run. NULL is allowed. */
void health_free(struct health *h);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether routers and exit nodes do their work, beyond being online. Their clients are asked for their warnings
 * (/debug/health): when a route becomes effective, after a failed probe, and once per interval. Results go to the core.
 * Everything is bounded: one question per node at a time, a few per second in all. */
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

/* The options' objects must live until health_stop; core and tailnet until health_free. */
struct health *health_start(const struct health_options *options);
void health_reload(struct health *h, const struct config *config);
/* Metrics in Prometheus' text form. Any thread. */
void health_metrics(struct health *h, struct buf *out);
/* Stops asking. Call while the loops still run, from another thread. */
void health_stop(struct health *h);
/* Call after control_free, so that no more answers can arrive, and while the loops still run. NULL is allowed. */
void health_free(struct health *h);

#endif

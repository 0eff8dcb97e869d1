/* SPDX-License-Identifier: BSD-3-Clause */
/* Figures in Prometheus' text form. */
#ifndef SERVER_METRICS_METRICS_H
#define SERVER_METRICS_METRICS_H

#include "base/buf.h"

/* The lines above the samples of a name. kind: "counter" or "gauge". */
void metrics_head(struct buf *out, const char *name, const char *kind, const char *help);
/* A name with one sample. */
void metrics_put(struct buf *out, const char *name, const char *kind, const char *help, unsigned long long value);

/* Times, counted by how long they were. A zeroed one is empty; its owner guards it. */
#define METRICS_LIMITS 9
struct metrics_times {
    uint64_t counts[METRICS_LIMITS + 1]; /* not longer than 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60 s; longer */
    double seconds;                      /* all of them together */
};
void metrics_time(struct metrics_times *t, double seconds);
/* As a histogram. */
void metrics_put_times(struct buf *out, const char *name, const char *help, const struct metrics_times *t);

#endif

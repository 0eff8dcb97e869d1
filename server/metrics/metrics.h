/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics in Prometheus' text form. */
#ifndef SERVER_METRICS_METRICS_H
#define SERVER_METRICS_METRICS_H

#include "base/buf.h"

/* Writes the lines above the samples of a name. kind: "counter" or "gauge". */
void metrics_head(struct buf *out, const char *name, const char *kind, const char *help);
/* Writes a name with one sample. */
void metrics_put(struct buf *out, const char *name, const char *kind, const char *help, unsigned long long value);

/* Counts values by size. A zeroed one is empty; its owner guards it. */
#define METRICS_LIMITS 11
struct metrics_times {
    uint64_t counts[METRICS_LIMITS + 1]; /* up to each limit of the scale; the last: larger */
    double sum;
};
/* Limits for seconds, from a tenth to a minute; from 5 ms to ten seconds, as in Prometheus' libraries; and for numbers
 * of things, up to a hundred. */
struct metrics_scale {
    size_t count;
    double limits[METRICS_LIMITS];
    const char *texts[METRICS_LIMITS];
};
extern const struct metrics_scale metrics_seconds, metrics_fractions, metrics_hundred;

void metrics_time(struct metrics_times *t, const struct metrics_scale *scale, double value);
/* Writes a histogram. */
void metrics_put_times(struct buf *out, const char *name, const char *help, const struct metrics_scale *scale,
                       const struct metrics_times *t);
/* Writes one of several under the same head: labels as in a sample, status="200". */
void metrics_put_series(struct buf *out, const char *name, const char *labels, const struct metrics_scale *scale,
                        const struct metrics_times *t);

#endif

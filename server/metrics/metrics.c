/* SPDX-License-Identifier: BSD-3-Clause */
#include "metrics/metrics.h"

void metrics_head(struct buf *out, const char *name, const char *kind, const char *help)
{
    buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

void metrics_put(struct buf *out, const char *name, const char *kind, const char *help, unsigned long long value)
{
    metrics_head(out, name, kind, help);
    buf_addf(out, "%s %llu\n", name, value);
}

static const struct {
    double seconds;
    const char *text;
} limits[METRICS_LIMITS] = {{0.1, "0.1"}, {0.25, "0.25"}, {0.5, "0.5"}, {1, "1"},  {2.5, "2.5"},
                            {5, "5"},     {10, "10"},     {30, "30"},   {60, "60"}};

void metrics_time(struct metrics_times *t, double seconds)
{
    size_t i = 0;

    while (i < METRICS_LIMITS && seconds > limits[i].seconds)
        i++;
    t->counts[i]++;
    t->seconds += seconds;
}

void metrics_put_times(struct buf *out, const char *name, const char *help, const struct metrics_times *t)
{
    unsigned long long count = 0;

    metrics_head(out, name, "histogram", help);
    for (size_t i = 0; i <= METRICS_LIMITS; i++) {
        count += t->counts[i];
        buf_addf(out, "%s_bucket{le=\"%s\"} %llu\n", name, i < METRICS_LIMITS ? limits[i].text : "+Inf", count);
    }
    buf_addf(out, "%s_sum %.3f\n%s_count %llu\n", name, t->seconds, name, count);
}

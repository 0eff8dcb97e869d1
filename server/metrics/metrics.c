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

const struct metrics_scale metrics_seconds = {
    9, {0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}, {"0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "60"}};
const struct metrics_scale metrics_fractions = {
    11,
    {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10},
    {"0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10"}};
const struct metrics_scale metrics_hundred = {7, {1, 2, 5, 10, 20, 50, 100}, {"1", "2", "5", "10", "20", "50", "100"}};

size_t metrics_bucket(const struct metrics_scale *scale, double value)
{
    size_t i = 0;

    while (i < scale->count && value > scale->limits[i])
        i++;
    return i;
}

void metrics_time(struct metrics_times *t, const struct metrics_scale *scale, double value)
{
    t->counts[metrics_bucket(scale, value)]++;
    t->sum += value;
}

double metrics_quantile(const struct metrics_times *t, const struct metrics_scale *scale, double part)
{
    double count = 0, before = 0, from = 0;

    for (size_t i = 0; i <= scale->count; i++)
        count += (double)t->counts[i];
    for (size_t i = 0; i < scale->count && count > 0; i++) {
        double here = (double)t->counts[i];
        if (here > 0 && before + here >= part * count)
            return from + (scale->limits[i] - from) * (part * count - before) / here;
        before += here;
        from = scale->limits[i];
    }
    return count > 0 ? from : 0;
}

void metrics_put_series(struct buf *out, const char *name, const char *labels, const struct metrics_scale *scale,
                        const struct metrics_times *t)
{
    unsigned long long count = 0;

    for (size_t i = 0; i <= scale->count; i++) {
        count += t->counts[i];
        buf_addf(out, "%s_bucket{%s%sle=\"%s\"} %llu\n", name, labels, *labels ? "," : "",
                 i < scale->count ? scale->texts[i] : "+Inf", count);
    }
    const char *open = *labels ? "{" : "", *close = *labels ? "}" : "";
    buf_addf(out, "%s_sum%s%s%s %.6f\n%s_count%s%s%s %llu\n", name, open, labels, close, t->sum, name, open, labels,
             close, count);
}

void metrics_put_times(struct buf *out, const char *name, const char *help, const struct metrics_scale *scale,
                       const struct metrics_times *t)
{
    metrics_head(out, name, "histogram", help);
    metrics_put_series(out, name, "", scale, t);
}

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

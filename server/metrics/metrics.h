/* SPDX-License-Identifier: BSD-3-Clause */
/* Figures in Prometheus' text form. */
#ifndef SERVER_METRICS_METRICS_H
#define SERVER_METRICS_METRICS_H

#include "base/buf.h"

/* The lines above the samples of a name. kind: "counter" or "gauge". */
void metrics_head(struct buf *out, const char *name, const char *kind, const char *help);
/* A name with one sample. */
void metrics_put(struct buf *out, const char *name, const char *kind, const char *help, unsigned long long value);

#endif

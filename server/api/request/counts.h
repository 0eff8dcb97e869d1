/* SPDX-License-Identifier: BSD-3-Clause */
/* Counts the answers of each call by status, for the metrics. */
#ifndef SERVER_API_REQUEST_COUNTS_H
#define SERVER_API_REQUEST_COUNTS_H

#include "api/request/endpoint.h"

void counts_init(struct api *api); /* the tables must be known */
void counts_free(struct api *api);
void counts_add(struct api *api, const struct rest_request *r);
/* Writes the counts as lines for Prometheus. */
void counts_write(struct api *api, struct buf *out);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* How often each call was answered, by status, for the metrics. */
#ifndef SERVER_API_REQUEST_COUNTS_H
#define SERVER_API_REQUEST_COUNTS_H

#include "api/request/endpoint.h"

void counts_init(struct api *api); /* the tables are known */
void counts_free(struct api *api);
void counts_add(struct api *api, const struct rest_request *r);
/* Lines for Prometheus. */
void counts_write(struct api *api, struct buf *out);

#endif

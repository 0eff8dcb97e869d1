/* SPDX-License-Identifier: BSD-3-Clause */
/* The metrics about routes. */
#ifndef SERVER_API_PAGES_METRICS_ROUTES_H
#define SERVER_API_PAGES_METRICS_ROUTES_H

#include "api/request/endpoint.h"

void put_route_figures(struct rest_request *r, struct buf *out);

#endif

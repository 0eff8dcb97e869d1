/* SPDX-License-Identifier: BSD-3-Clause */
/* What computes for long has a thread of its own, for which each key may have one request waiting or served: whoever
 * asks for more is told so at once and holds up nobody. */
#ifndef SERVER_API_REQUEST_HEAVY_H
#define SERVER_API_REQUEST_HEAVY_H

#include "api/request/endpoint.h"

void heavy_init(struct api *api);
void heavy_free(struct api *api);
/* Runs then on that thread, or answers that it is busy. */
enum http_flow heavy_later(struct rest_request *r, api_handler *then);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Long computations run on a thread of their own. Each key may have one request waiting or running: further ones are
 * refused at once and delay nobody. */
#ifndef SERVER_API_REQUEST_HEAVY_H
#define SERVER_API_REQUEST_HEAVY_H

#include "api/request/endpoint.h"

void heavy_init(struct api *api);
void heavy_free(struct api *api);
/* Runs then on that thread, or answers that it is busy. */
enum http_flow heavy_later(struct rest_request *r, api_handler *then);

#endif

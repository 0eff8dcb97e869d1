/* SPDX-License-Identifier: BSD-3-Clause */
/* How a request is processed. */
#ifndef SERVER_API_REQUEST_REQUEST_H
#define SERVER_API_REQUEST_REQUEST_H

#include "api/request/endpoint.h"

/* The three functions that server/http calls. */
void request_admit(void *arg, struct http_request *r);
enum http_flow request_serve(void *arg, struct http_request *r);
void request_over(void *arg, struct http_request *r);
/* Runs then on workers, then finishes the request; returns HTTP_LATER. */
enum http_flow request_later(struct rest_request *r, enum http_workers which, api_handler *then);
/* Sends r->admin to the core and runs then on a worker when it is answered (r->admin.call.code and .err). */
enum http_flow request_admin(struct rest_request *r, api_handler *then);
/* Has the elections copied and runs then on a worker when r->elections holds them. */
enum http_flow request_elections(struct rest_request *r, api_handler *then);

#endif

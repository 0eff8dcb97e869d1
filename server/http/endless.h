/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers without an end, which last as long as the client listens. libmicrohttpd does not watch suspended connections,
 * so a client that has gone would keep its place until the next bytes for it. Here its connection is watched meanwhile,
 * and the answer ends as soon as the client closes it, or its writing half. */
#ifndef SERVER_HTTP_ENDLESS_H
#define SERVER_HTTP_ENDLESS_H

#include <microhttpd.h>

#include "http/http.h"

struct http_endless;

int http_endless_new(struct http_endless **out, struct err *e) WARN_UNUSED;
void http_endless_free(struct http_endless *all); /* call once libmicrohttpd holds no answer any more */
/* Ends answers whose client has gone; returns after at most wait_ms, or once http_endless_wake was called. One thread
 * at a time. */
void http_endless_look(struct http_endless *all, int wait_ms);
void http_endless_wake(struct http_endless *all);

/* An answer to c from source, which it takes over; NULL: out of memory, and source is still the caller's. */
struct MHD_Response *http_endless_response(struct http_endless *all, struct http_source *source,
                                           struct MHD_Connection *c);

#endif

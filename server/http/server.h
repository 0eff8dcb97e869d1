/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the files of this room. */
#ifndef SERVER_HTTP_SERVER_H
#define SERVER_HTTP_SERVER_H

#include <stdatomic.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/thread.h"
#include "http/http.h"

struct http {
    struct http_options with;
    struct workers workers[HTTP_WORKERS];
    struct http_server *server;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t idle;
    size_t active; /* requests being admitted or served */
};

/* ---- request.c ---- */

struct http_request *http_request_new(struct http *h);
void http_request_free(struct http_request *r);
/* Handle the request on a worker; answered is called once when it is over. */
void http_request_admit(struct http_request *r);
void http_request_serve(struct http_request *r);

/* ---- router.c ---- */

/* Finds the route of method and path (undecoded, without query) for r's listener: fills route, params, allow,
 * malformed. */
void http_find(struct http_request *r, const char *method, const char *path);

/* ---- server.c: libmicrohttpd ---- */

int server_start(struct http *h, struct http_server **out, struct err *e) WARN_UNUSED;
void server_refuse(struct http_server *s); /* no new connections; refuses new requests */
void server_stop(struct http_server *s);
void http_exchange_resume(struct http_request *r); /* continues a request that is admitted or answered */

/* ---- listen.c: sockets that listen ---- */

int listen_unix(const char *path, unsigned mode, struct err *e); /* returns the descriptor, or an error */
int listen_tcp(const char *text, const char *field, struct err *e);

#endif

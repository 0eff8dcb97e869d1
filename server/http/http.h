/* SPDX-License-Identifier: BSD-3-Clause */
/* Everything that speaks plain HTTP/1.1 and is no Tailscale client: headscale's REST API, /api/headway, the stream of
 * events, the few web pages, health and metrics. This room alone knows libmicrohttpd, and never its TLS: connections
 * from the public door arrive as sockets that server/front hands over.
 *
 * libmicrohttpd's threads only move bytes. A request that is whole is suspended and goes to a small pool of workers; a
 * change goes on to the core and comes back when it is durable, without a thread waiting for it; what reads a disk has
 * threads of its own. So a slow disk delays changes and journal pages, never health or reads. */
#ifndef SERVER_HTTP_HTTP_H
#define SERVER_HTTP_HTTP_H

#include "config/config.h"
#include "core/core.h"
#include "store/store.h"
#include "tailnet/tailnet.h"
#include "json/json.h"

struct http;

struct http_options {
    const struct config *config; /* a reference is taken; http_reload changes it */
    struct core *core;
    struct tailnet *tailnet;
    struct store *store;
    uint8_t public_key[KEY_LEN]; /* the Noise key that GET /key tells */
    /* Appends metrics of other rooms in Prometheus' text form; NULL: none. Any thread. */
    void (*metrics)(void *arg, struct buf *out);
    /* Writes the relay's state, an object; NULL: there is none. Any thread. */
    void (*relay_status)(void *arg, struct json_out *o);
    /* Somebody answered a ping (HEAD /machine/ping-response?id=): true if the id is known. NULL: none is. Any thread.
     */
    bool (*ping_response)(void *arg, const char *id);
    void *arg;
};

/* Opens the unix socket (a stale file is replaced, its folder made, mode as configured) and the metrics listener, and
 * starts. What it cannot open is an error that names the key of the configuration. The options' objects outlive it. */
int http_start(const struct http_options *options, struct http **out, struct err *e) WARN_UNUSED;

/* Ends streams, answers what is in work, closes everything, removes the socket. The core must still run. */
void http_stop(struct http *h);

/* A connection of the public door, nothing read from it; taken in any case. A stream socket of any kind (TLS comes
 * through a socketpair); peer: who is at its other end. Any thread. */
void http_take_socket(struct http *h, int fd, const struct addr_port *peer);

void http_reload(struct http *h, const struct config *config);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* What the daemon answers over HTTP: headscale's REST API (/api/v1), headway's own (/api/headway), the event stream,
 * the few web pages, health and metrics. Each resource has a file with a table of its calls in every dialect;
 * server/http carries them.
 *
 * Requests read an immutable snapshot. A change goes to the core and its answer follows when the change is durable; no
 * thread waits for it. Work that reads a disk or computes for long has threads of its own, so a slow disk delays
 * changes and pages of the journal, never health or reads. */
#ifndef SERVER_API_API_H
#define SERVER_API_API_H

#include "acme/acme.h"
#include "config/config.h"
#include "core/core.h"
#include "readback/readback.h"
#include "store/store.h"
#include "tailnet/tailnet.h"
#include "json/json.h"

struct api;

/* What other rooms report about themselves, for the health report. */
struct server_facts {
    char relay_trouble[240];        /* why the built-in relay cannot be reached from here; "": it can, or unknown */
    struct acme_status certificate; /* of the public listener; name "": the one of tls_cert_path */
};

struct api_options {
    const struct config *config; /* takes a reference; api_reload changes it */
    struct core *core;
    struct tailnet *tailnet;
    struct store *store;
    struct readback *readback;   /* what clients hold; NULL: nobody asks them */
    struct control *control;     /* measurements of clients; NULL: none. Must outlive api_stop */
    uint8_t public_key[KEY_LEN]; /* the Noise key that GET /key answers with */
    /* Appends metrics of other rooms in Prometheus' text form; NULL: none. Any thread. */
    void (*metrics)(void *arg, struct buf *out);
    /* Writes the relay's state, an object; NULL: no relay. Any thread. */
    void (*relay_status)(void *arg, struct json_out *o);
    /* NULL: nothing is known. Any thread. */
    void (*facts)(void *arg, struct server_facts *out);
    /* A client answered a ping (HEAD /machine/ping-response?id=): returns whether the id is known. NULL: none is. Any
     * thread. */
    bool (*ping_response)(void *arg, const char *id);
    void *arg;
};

/* Opens the configured unix socket and metrics listener and starts the API, OpenID logins included. If it cannot open
 * one, the error names the configuration key. The options' objects must outlive it. */
int api_start(const struct api_options *options, struct api **out, struct err *e) WARN_UNUSED;

/* Ends streams, answers the requests in flight, closes everything and removes the socket. The core must still run. */
void api_stop(struct api *api);

/* Takes a connection of the public listener from which nothing has been read, in any case. reserved: its first request
 * is one of the few that are answered however many connections are open (api_is_reserved). Any thread. */
void api_take_socket(struct api *api, int fd, const struct addr_port *peer, bool reserved);
bool api_is_reserved(const struct api *api, const char *method, const char *path);

void api_reload(struct api *api, const struct config *config);

#endif

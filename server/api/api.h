/* SPDX-License-Identifier: BSD-3-Clause */
/* What is answered over HTTP: headscale's REST API (/api/v1), our own (/api/headway), the stream of events, the few web
 * pages, health and metrics. One file a resource, with a table of its calls in every dialect; server/http carries them.
 *
 * Requests read an immutable snapshot. A change goes to the core and comes back when it is durable, without a thread
 * waiting for it; what reads a disk or computes for long has threads of its own. So a slow disk delays changes and
 * pages of the journal, never health or reads. */
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

/* What rooms beside this one know of themselves, for the report of health. */
struct server_facts {
    char relay_trouble[240];        /* why the built-in relay is not reached from here; "": it is, or nobody knows */
    struct acme_status certificate; /* of the public listener; name "": it is that of tls_cert_path */
};

struct api_options {
    const struct config *config; /* a reference is taken; api_reload changes it */
    struct core *core;
    struct tailnet *tailnet;
    struct store *store;
    struct readback *readback;   /* what clients hold; NULL: nobody asks them */
    struct control *control;     /* what is measured of clients; NULL: nothing is. Outlives what api_stop ends */
    uint8_t public_key[KEY_LEN]; /* the Noise key that GET /key tells */
    /* Appends metrics of other rooms in Prometheus' text form; NULL: none. Any thread. */
    void (*metrics)(void *arg, struct buf *out);
    /* Writes the relay's state, an object; NULL: there is none. Any thread. */
    void (*relay_status)(void *arg, struct json_out *o);
    /* NULL: nothing is known. Any thread. */
    void (*facts)(void *arg, struct server_facts *out);
    /* Somebody answered a ping (HEAD /machine/ping-response?id=): true if the id is known. NULL: none is. Any thread.
     */
    bool (*ping_response)(void *arg, const char *id);
    void *arg;
};

/* Opens the unix socket and the metrics listener of the configuration, and starts, logins of people too. What it cannot
 * open is an error that names the key of the configuration. The options' objects outlive it. */
int api_start(const struct api_options *options, struct api **out, struct err *e) WARN_UNUSED;

/* Ends streams, answers what is in work, closes everything, removes the socket. The core must still run. */
void api_stop(struct api *api);

/* A connection of the public listener, nothing read from it; taken in any case. reserved: its first request is one of
 * the few that are answered however many connections there are, as api_is_reserved says. Any thread. */
void api_take_socket(struct api *api, int fd, const struct addr_port *peer, bool reserved);
bool api_is_reserved(const struct api *api, const char *method, const char *path);

void api_reload(struct api *api, const struct config *config);

#endif

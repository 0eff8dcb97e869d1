/* SPDX-License-Identifier: BSD-3-Clause */
/* Relays: the built-in one (DERP over TLS, and STUN), and the DERP map that clients are sent. */
#ifndef SERVER_RELAY_RELAY_H
#define SERVER_RELAY_RELAY_H

#include "config/config.h"
#include "core/core.h"
#include "loop/loop.h"
#include "net/head.h"
#include "json/json.h"

struct relay;

struct relay_options {
    const struct config *config;
    struct loops *loops;
    struct core *core;
    struct tailnet *tailnet;
    /* Whether a node was recently at this address: strangers take no places from nodes. Any thread. NULL: unknown for
     * all. */
    bool (*known)(void *arg, const struct addr *from);
    void *arg;
    struct loop_tls *tls; /* the daemon's certificate if it is not from files; owned by the caller. NULL: none */
    uint8_t private_key[KEY_LEN], public_key[KEY_LEN]; /* from derp.server.private_key_path */
};

/* Opens the ports and passes the map to the core (core_set_derp), now and whenever it changes. The loops must be
 * running. A port that is in use disables the relay, not the daemon: it is logged, and the map leaves out what does not
 * answer. */
int relay_start(const struct relay_options *options, struct relay **out, struct err *e) WARN_UNUSED;
void relay_reload(struct relay *r, const struct config *config);
/* While the loops still run, from another thread, after all callers of relay_accept are gone. */
void relay_stop(struct relay *r);

/* Handles a request for /derp and related paths from another listener; takes the stream. On its loop. */
void relay_accept(struct relay *r, struct stream *stream, const struct head *head);
/* Lets a TLS listener answer for the relay's name with the relay's own certificate. */
int relay_add_certificate(struct relay *r, struct loop_tls *tls, struct err *e) WARN_UNUSED;

/* Appends, in sentences, which files of derp.paths cannot be used, and why. */
void relay_check_files(const struct config *c, struct strs *notes);

/* The TCP port in server_url, or the default of its scheme. */
unsigned relay_url_port(const struct config *c);
/* Appends, in sentences, what must be open for clients to reach the relay. */
void relay_requirements(const struct config *c, struct strs *out);

/* Any thread. The status is an object: who is connected, what was transferred, what was dropped and why. */
void relay_status(struct relay *r, struct json_out *o);
void relay_metrics(struct relay *r, struct buf *out);
/* Writes why the relay is not reachable from here, by the last check; false: it is, or there was no check yet. */
bool relay_trouble(struct relay *r, char *why, size_t max);

#endif

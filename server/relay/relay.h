/* SPDX-License-Identifier: BSD-3-Clause */
/* Relays: the built-in one (DERP over TLS, and STUN), and the DERP map that clients are told. */
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
    /* Whether a node was at this address not long ago: strangers take no place of its. Any thread. NULL: none is known.
     */
    bool (*known)(void *arg, const struct addr *from);
    void *arg;
    struct loop_tls *tls; /* the daemon's certificate, where it is none of files; the caller's. NULL: there is none */
    uint8_t private_key[KEY_LEN], public_key[KEY_LEN]; /* of derp.server.private_key_path */
};

/* Opens the ports and tells the core the map (core_set_derp), now and when it changes. The loops run. A port that is
 * taken costs the relay, not the daemon: it is logged, and the map does not name what does not answer. */
int relay_start(const struct relay_options *options, struct relay **out, struct err *e) WARN_UNUSED;
void relay_reload(struct relay *r, const struct config *config);
/* While the loops still run, from another thread, after whoever calls relay_accept is gone. */
void relay_stop(struct relay *r);

/* A request of another door for /derp and what belongs to it; takes the stream. On its loop. */
void relay_accept(struct relay *r, struct stream *stream, const struct head *head);
/* Lets a TLS door answer by the relay's name with the relay's own certificate. */
int relay_add_certificate(struct relay *r, struct loop_tls *tls, struct err *e) WARN_UNUSED;

/* The files of derp.paths that cannot be used, and why: in sentences. */
void relay_check_files(const struct config *c, struct strs *notes);

/* The TCP port that server_url names, or that of its scheme. */
unsigned relay_url_port(const struct config *c);
/* What must be open for clients to reach the relay, in sentences. */
void relay_requirements(const struct config *c, struct strs *out);

/* Any thread. The status is an object: who is connected, what went through, what was dropped and why. */
void relay_status(struct relay *r, struct json_out *o);
void relay_metrics(struct relay *r, struct buf *out);
/* Writes why the relay is not reached from here, as the last look found; false: it is, or nobody looked yet. */
bool relay_trouble(struct relay *r, char *why, size_t max);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* A node as the control server sees it: registers with a key, holds a map stream, sends its endpoints. Many per loop;
 * everything runs on that loop's thread. */
#ifndef TESTS_SHARED_CLIENT_TS_NODE_H
#define TESTS_SHARED_CLIENT_TS_NODE_H

#include "base/buf.h"
#include "shared/client/ts_client.h"

struct ts_node;

struct ts_fleet {
    struct loop *loop;
    struct addr_port server;
    struct loop_tls *tls; /* NULL: plain */
    uint8_t server_public[NOISE_KEY_LEN];
    void *arg;
    void (*registered)(struct ts_node *n, const char *error); /* "" on success; the connection is closed */
    /* A complete message. text is its JSON if the node decodes, otherwise NULL; size is its size on the wire. */
    void (*message)(struct ts_node *n, const char *text, size_t size);
    void (*lost)(struct ts_node *n,
                 const char *why); /* the stream or its connection ended; ts_node_connect starts again */
};

struct ts_node {
    const struct ts_fleet *fleet;
    unsigned index;
    bool decode;
    struct addr source; /* bits 0: any */
    const char *name;   /* host name; NULL: derived from index */
    const char *routes; /* JSON array of advertised routes, or NULL */
    uint8_t machine_private[NOISE_KEY_LEN], node_public[NOISE_KEY_LEN], disco_public[NOISE_KEY_LEN];
    struct ts_client *client;
    const char *auth_key; /* during registration */
    struct buf message;   /* the incomplete current message of a node that decodes */
    uint64_t messages, bytes;
};

void ts_node_init(struct ts_node *n, const struct ts_fleet *fleet, unsigned index); /* fresh keys */
void ts_node_release(struct ts_node *n);
int ts_node_register(struct ts_node *n, const char *auth_key, struct err *e) WARN_UNUSED;
int ts_node_connect(struct ts_node *n, struct err *e) WARN_UNUSED;
/* Sends a lite update: its Hostinfo, its DiscoKey, and endpoint ("198.18.0.1:41641") as the only one. */
void ts_node_update(struct ts_node *n, const char *endpoint);
void ts_node_close(struct ts_node *n);

#endif

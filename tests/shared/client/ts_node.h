/* SPDX-License-Identifier: BSD-3-Clause */
/* A node as the control server sees one: registers with a key, holds a map stream, sends its endpoints. Many to a loop;
 * all on that loop's thread. */
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
    void (*registered)(struct ts_node *n, const char *error); /* "" when it went well; the connection is closed */
    /* A whole message. text is the JSON of a node that decodes, NULL of others; size is what came over the wire. */
    void (*message)(struct ts_node *n, const char *text, size_t size);
    void (*lost)(struct ts_node *n,
                 const char *why); /* the stream or its connection ended; ts_node_connect begins anew */
};

struct ts_node {
    const struct ts_fleet *fleet;
    unsigned index;
    bool decode;
    struct addr source; /* bits 0: any */
    const char *name;   /* its host name; NULL: made from index */
    const char *routes; /* JSON array of what it advertises, or NULL */
    uint8_t machine_private[NOISE_KEY_LEN], node_public[NOISE_KEY_LEN], disco_public[NOISE_KEY_LEN];
    struct ts_client *client;
    const char *auth_key; /* while it registers */
    struct buf message;   /* of a node that decodes: what came of the current one */
    uint64_t messages, bytes;
};

void ts_node_init(struct ts_node *n, const struct ts_fleet *fleet, unsigned index); /* fresh keys */
void ts_node_release(struct ts_node *n);
int ts_node_register(struct ts_node *n, const char *auth_key, struct err *e) WARN_UNUSED;
int ts_node_connect(struct ts_node *n, struct err *e) WARN_UNUSED;
/* A lite update: its Hostinfo, its DiscoKey, and endpoint ("198.18.0.1:41641") as the only one. */
void ts_node_update(struct ts_node *n, const char *endpoint);
void ts_node_close(struct ts_node *n);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* What a client reports that it holds (c2n /debug/netmap: {"current": NetworkMap, ...}, tailscale types/netmap).
 * Hostile input of up to some megabytes: it is split into its parts without building a tree of the whole. */
#ifndef SERVER_READBACK_CLIENT_NETMAP_H
#define SERVER_READBACK_CLIENT_NETMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "net/prefixes.h"

#define CLIENT_NETMAP_MAX   (8U << 20) /* bytes */
#define CLIENT_PEERS_MAX    65536
#define CLIENT_PEER_MAX     (64U << 10) /* bytes of one peer */
#define CLIENT_PREFIXES_MAX 4096        /* in AllowedIPs of one peer */

struct json_span { /* one value within a text, without surrounding space */
    const char *at;
    size_t len;
};

struct client_netmap { /* spans point into the text */
    struct json_span self;
    struct json_span *peers; /* free() */
    size_t count;
};

/* ERR_INVALID: not a network map; ERR_TOOBIG: more peers, or larger ones, than any tailnet has. */
int client_netmap_read(const char *text, size_t len, struct client_netmap *out, struct err *e) WARN_UNUSED;
void client_netmap_release(struct client_netmap *m);

/* For a peer or the own node: its id (0: none), and the prefixes that it is allowed. */
uint64_t client_node_id(const struct json_span *node);
int client_node_allowed(const struct json_span *node, struct prefixes *out, struct err *e) WARN_UNUSED;

/* The value of a member of an object; false: absent, or not an object. */
bool span_member(const struct json_span *object, const char *key, struct json_span *out);

#endif

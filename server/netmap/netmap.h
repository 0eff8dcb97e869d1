/* SPDX-License-Identifier: BSD-3-Clause */
/* What each client is sent about the tailnet: a full map when its stream opens, then the least that it must know.
 *
 * A node is encoded once per version. Full maps are assembled from compressed chunks of 64 peers that all receivers
 * share; a delta that several receivers need is encoded and compressed once. A receiver is a netmap_session: a
 * cursor into the change log and a few bits about what it was sent. The room does no I/O. Sources:
 * tailcfg.MapResponse, control/controlclient of the client. */
#ifndef SERVER_NETMAP_NETMAP_H
#define SERVER_NETMAP_NETMAP_H

#include "base/buf.h"
#include "tailnet/tailnet.h"

struct netmap;

struct netmap *netmap_new(struct tailnet *t);
void netmap_free(struct netmap *nm); /* after its sessions */
/* Any thread, periodically: frees shared bytes not used since the call before the last. */
void netmap_trim(struct netmap *nm);

struct netmap_client {
    uint64_t node_id;
    uint32_t slot;
    unsigned cap_version; /* tailcfg.CapabilityVersion */
    bool zstd;            /* MapRequest.Compress; plain JSON otherwise */
    bool omit_peers;
    bool redial; /* tell it to redial often while no server answers (tailcfg.ControlDialPlan) */
};

/* One receiver. Used by one thread at a time. */
struct netmap_session;

struct netmap_session *netmap_session_new(struct netmap *nm, const struct netmap_client *client);
void netmap_session_free(struct netmap_session *s); /* NULL is allowed */

/* One message with its length prefix, ready for the wire: chunks in order. */
struct netmap_message {
    struct chunk **items; /* one reference each */
    size_t len, cap;
    size_t bytes;
};
void netmap_message_release(struct netmap_message *m);

enum netmap_next {
    NETMAP_NOTHING, /* the session is up to date */
    NETMAP_MESSAGE, /* out is a message */
    NETMAP_DELETED, /* out is the last message: the node was removed */
};

/* The next message that brings the session up to snapshot: first a full map, then deltas. out must be empty. */
enum netmap_next netmap_session_next(struct netmap_session *s, const struct tailnet_snapshot *snapshot,
                                     struct netmap_message *out);

/* The same for the first message, with peers from an earlier snapshot: many clients that connect at about the same time
 * are sent the same chunks, and the same deltas later. The node's own data is from snapshot. */
enum netmap_next netmap_session_first(struct netmap_session *s, const struct tailnet_snapshot *snapshot,
                                      const struct tailnet_snapshot *peers, struct netmap_message *out);

/* The change up to which the session is up to date. */
uint64_t netmap_session_seq(const struct netmap_session *s);

/* Whether the node's own record changed with the last netmap_session_next (also true after the first). */
bool netmap_session_self_changed(const struct netmap_session *s);

/* {"KeepAlive":true}, always the same bytes: clients recognise them without decoding (since v1.90). One reference. */
struct chunk *netmap_keepalive(struct netmap *nm, bool zstd);

/* A request to the client (tailcfg.PingRequest), to be answered inside Noise by a request to the URL. */
struct netmap_ping {
    const char *url;
    const char *types;         /* "c2n", or how to ping target; NULL: the request itself is the answer, a HEAD */
    const struct addr *target; /* NULL: none */
    const void *payload;       /* for c2n */
    size_t payload_len;
};
/* out must be empty. */
void netmap_ping(struct netmap *nm, const struct netmap_ping *ping, bool zstd, struct netmap_message *out);

/* The only message to the client of a deleted node: it must log in again. */
void netmap_goodbye(struct netmap *nm, uint64_t node_id, const uint8_t node_key[KEY_LEN], const char *hostname,
                    bool zstd, struct netmap_message *out);

/* The full map that the node would be sent now, as JSON. False: no such node. */
bool netmap_whole(struct netmap *nm, const struct tailnet_snapshot *snapshot, uint64_t node_id, struct buf *out);

/* ---- when sessions are sent deltas ---- */

/* For a group of sessions that are served together (one per thread). Changes that can wait are collected in rounds, so
 * that many changes become one message, and receivers of the same message need it at the same time. */
struct netmap_rounds {
    uint64_t seen;   /* the change up to which the log was examined */
    uint64_t urgent; /* the newest change that did not wait for a round */
    bool waiting;    /* changes wait for the next round */
    bool hasty;      /* which is not to be waited for in full */
    int64_t last_ms; /* mono ms of the last round */
};

/* 0: send now; otherwise the milliseconds to the next round, or -1 if there is nothing to send. sessions: their number;
 * busy: many streams are being filled, so collect longer. After 0 the round counts as sent. */
int64_t netmap_rounds_look(struct netmap *nm, struct netmap_rounds *r, uint64_t until, size_t sessions, bool busy,
                           int64_t now_ms);

struct netmap_counters {
    uint64_t full_maps, deltas, shared_deltas, nodes_encoded, chunks_made, chunks_shared, compressed_bytes;
    uint64_t cache_bytes, cache_entries;
};
void netmap_counters(struct netmap *nm, struct netmap_counters *out);
void netmap_metrics(struct netmap *nm, struct buf *out); /* any thread */

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* What each client is told of the tailnet: a full map when its stream opens, then the least that it must hear.
 *
 * A node is encoded once for each of its versions. Full maps are put together from compressed chunks of 64 peers that
 * all receivers share; a delta that several receivers need is encoded and compressed once. A receiver is a
 * netmap_session: a cursor into the change log and a few bits about what it was told. The room does no I/O.
 * Sources: tailcfg.MapResponse, control/controlclient of the client. */
#ifndef SERVER_NETMAP_NETMAP_H
#define SERVER_NETMAP_NETMAP_H

#include "base/buf.h"
#include "tailnet/tailnet.h"

struct netmap;

struct netmap *netmap_new(struct tailnet *t);
void netmap_free(struct netmap *nm); /* after its sessions */
/* Any thread, now and then: forgets the shared bytes that nobody needed since the call before the last. */
void netmap_trim(struct netmap *nm);

struct netmap_client {
    uint64_t node_id;
    uint32_t slot;
    unsigned cap_version; /* tailcfg.CapabilityVersion */
    bool zstd;            /* MapRequest.Compress; plain JSON otherwise */
    bool omit_peers;
    bool redial; /* tell it to dial often while nobody answers (tailcfg.ControlDialPlan) */
};

/* One receiver. Used by one thread at a time. */
struct netmap_session;

struct netmap_session *netmap_session_new(struct netmap *nm, const struct netmap_client *client);
void netmap_session_free(struct netmap_session *s); /* NULL is allowed */

/* One message with its length in front, ready for the wire: chunks in order. */
struct netmap_message {
    struct chunk **items; /* a reference each */
    size_t len, cap;
    size_t bytes;
};
void netmap_message_release(struct netmap_message *m);

enum netmap_next {
    NETMAP_NOTHING, /* the session is up to date */
    NETMAP_MESSAGE, /* out is a message */
    NETMAP_DELETED, /* out is the last message: the node is gone */
};

/* What the session must be told to be true for snapshot: the first time a full map, then deltas. out must be empty. */
enum netmap_next netmap_session_next(struct netmap_session *s, const struct tailnet_snapshot *snapshot,
                                     struct netmap_message *out);

/* The same for the first message, with the peers as of an earlier snapshot: many who come at about the same time are
 * shown the same chunks, and hear the same later. What is the node's own is that of snapshot. */
enum netmap_next netmap_session_first(struct netmap_session *s, const struct tailnet_snapshot *snapshot,
                                      const struct tailnet_snapshot *peers, struct netmap_message *out);

/* The change up to which the session was told. */
uint64_t netmap_session_seq(const struct netmap_session *s);

/* The node's own record changed with the last netmap_session_next (also true after the first). */
bool netmap_session_self_changed(const struct netmap_session *s);

/* {"KeepAlive":true}, always the same bytes: clients recognise them undecoded (since v1.90). One reference. */
struct chunk *netmap_keepalive(struct netmap *nm, bool zstd);

/* A question to the client (tailcfg.PingRequest), to be answered inside Noise by a call of the URL. */
struct netmap_ping {
    const char *url;
    const char *types;         /* "c2n", or how to ping target; NULL: the call itself is the answer, a HEAD */
    const struct addr *target; /* NULL: none */
    const void *payload;       /* of c2n */
    size_t payload_len;
};
/* out must be empty. */
void netmap_ping(struct netmap *nm, const struct netmap_ping *ping, bool zstd, struct netmap_message *out);

/* The only message to the client of a node that is deleted: it must log in again. */
void netmap_goodbye(struct netmap *nm, uint64_t node_id, const uint8_t node_key[KEY_LEN], const char *hostname,
                    bool zstd, struct netmap_message *out);

/* The whole map that the node would be sent now, as JSON. False: there is no such node. */
bool netmap_whole(struct netmap *nm, const struct tailnet_snapshot *snapshot, uint64_t node_id, struct buf *out);

/* ---- when sessions are told ---- */

/* For a group of sessions that are told together (one for each thread). What can wait is gathered in rounds, so that
 * many changes become one message, and receivers that need the same message need it at the same time. */
struct netmap_rounds {
    uint64_t seen;   /* the change up to which has been looked */
    uint64_t urgent; /* the newest change that did not wait for a round */
    bool waiting;    /* something is to be told in the next round */
    bool hasty;      /* and it is not to wait for the whole of it */
    int64_t last_ms; /* mono ms of the last time of telling */
};

/* 0: tell now; otherwise the milliseconds to the next round, or -1 when there is nothing to tell. sessions: how many
 * there are; busy: many streams are being filled, so gather longer. After 0 the round counts as told. */
int64_t netmap_rounds_look(struct netmap *nm, struct netmap_rounds *r, uint64_t until, size_t sessions, bool busy,
                           int64_t now_ms);

struct netmap_counters {
    uint64_t full_maps, deltas, shared_deltas, nodes_encoded, chunks_made, chunks_shared, compressed_bytes;
    uint64_t cache_bytes, cache_entries;
};
void netmap_counters(struct netmap *nm, struct netmap_counters *out);
void netmap_metrics(struct netmap *nm, struct buf *out); /* any thread */

#endif

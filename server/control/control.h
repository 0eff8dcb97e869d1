/* SPDX-License-Identifier: BSD-3-Clause */
/* The protocol of Tailscale clients: the ts2021 upgrade, Noise, HTTP/2 inside it, and the calls that clients make there
 * (register, map and the rest). Sources: tailscale control/controlhttp, control/controlbase, tailcfg. */
#ifndef SERVER_CONTROL_CONTROL_H
#define SERVER_CONTROL_CONTROL_H

#include <stdint.h>

#include "base/err.h"
#include "crypto/crypto.h"
#include "net/addr.h"

struct buf;
struct config;
struct core;
struct head; /* net/head.h */
struct loops;
struct netmap;
struct stream; /* loop/loop.h */
struct tailnet;

#define CONTROL_MIN_VERSION 113 /* tailcfg.CapabilityVersion of v1.80; older clients are told to update */

/* Loads the Noise private key from a file in headscale's form ("privkey:" and 64 hexadecimal digits). A missing file is
 * created, mode 0600; one that others can read is refused with ERR_DENIED. Fills both halves. */
int control_key_load(const char *path, uint8_t private_key[CRYPTO_KEY_LEN], uint8_t public_key[CRYPTO_KEY_LEN],
                     struct err *e) WARN_UNUSED;

/* The public half of an existing key; ERR_MISSING if there is none. */
int control_key_public(const char *path, uint8_t public_key[CRYPTO_KEY_LEN], struct err *e) WARN_UNUSED;

/* Checks the same without creating a key: 0 if the file is missing or usable. */
int control_key_check(const char *path, struct err *e) WARN_UNUSED;
/* Copies the key of another file into a file of its own: ERR_MISSING if there is none, ERR_CONFLICT if to holds another
 * key; the same key may be there already. try: only check whether it could be done. */
int control_key_copy(const char *from, const char *to, bool try, struct err *e) WARN_UNUSED;

struct control;

struct control_options {
    struct loops *loops;
    struct core *core;
    struct netmap *netmap;
    struct tailnet *tailnet;
    const struct config *config;
    uint8_t private_key[CRYPTO_KEY_LEN];
};

/* Owned by the caller, who keeps the options' objects alive until control_free. */
struct control *control_new(const struct control_options *options, struct err *e);

/* Applies a reloaded configuration to the watching of connections. */
void control_reload(struct control *c, const struct config *config);

/* Handles a request for /ts2021 whose head was read from the stream; bytes after the head were put back with
 * stream_unread. Answers 101, or 400 and closes. Also accepts a GET for a WebSocket. Takes the stream, and copies what
 * it needs of the head. Called on the stream's loop. */
void control_accept(struct control *c, struct stream *stream, const struct head *head);

/* Whether a node of the tailnet was recently at this address: it proved its machine key from this IPv4 address or IPv6
 * /64. Any thread; not after control_free. */
bool control_knows(struct control *c, const struct addr *from);

/* ---- Questions to clients ---- */

#define CONTROL_ANSWER_MAX (8u << 20) /* bytes */

struct control_answer {
    /* 0: the client answered. ERR_TIMEOUT: not in time. ERR_UNSUPPORTED: it does not know the path. ERR_GONE: its
     * stream ended before it could be asked. ERR_TOOBIG, ERR_INVALID: a fault of the answer. ERR_UNAVAILABLE: the
     * daemon is ending. */
    int code;
    int status;       /* HTTP status of a c2n answer; 200 for a ping */
    const char *body; /* valid until done returns; followed by a NUL that len does not count */
    size_t len;
};

/* A request that the client's own process answers (c2n), or a ping that it sends to a target (tailcfg.PingRequest). All
 * that the question points to is copied. */
struct control_question {
    uint64_t node_id;
    const char *method; /* for a c2n request; NULL: GET, or POST with a body */
    const char *path;   /* "/debug/health", with a query if any */
    const void *body;   /* NULL: none */
    size_t body_len;
    const char *ping; /* "ICMP", "TSMP", "disco", "peerapi": pings target instead; the answer is tailcfg.PingResponse */
    struct addr target;
    unsigned timeout_ms; /* at most 60,000; 0: 10,000 */
    size_t max;          /* bytes of the answer's body, at most CONTROL_ANSWER_MAX; 0: 64 KiB */
    const char *actor;   /* the administrator who asks, for the journal; NULL: the server, without an entry */
    /* Called once, on any thread, without locks held; in control_free at the latest. Must not block. */
    void (*done)(void *arg, const struct control_answer *answer);
    void *arg;
};

/* Any thread. 0: done will be called; otherwise it is not. ERR_MISSING: no such node; ERR_GONE: it has no map stream;
 * ERR_BUSY: too many questions are open (4 of the node, 8 of the actor, or 256 in all); ERR_INVALID. */
int control_ask(struct control *c, const struct control_question *q, struct err *e) WARN_UNUSED;

/* ---- Measurements ---- */

#define CONTROL_ROUND_TRIPS 60         /* kept per node */
#define CONTROL_LOST        UINT32_MAX /* the client did not answer in time, and its connection was ended */

struct control_round_trip {
    int64_t time_ns; /* when it ended */
    uint32_t us;
};
/* The last PINGs of the node's control connections, oldest first; returns their number. They are sent after a client
 * was silent for the interval configured for its kind of node. Any thread. */
size_t control_round_trips(struct control *c, uint64_t node, struct control_round_trip out[CONTROL_ROUND_TRIPS]);

struct control_figures {
    uint64_t pushes;     /* maps and changes of maps sent to clients */
    uint64_t sent_bytes; /* all bytes sent to them */
    uint32_t median_us;  /* of the round trips of the last two minutes; 0: none */
};
void control_figures(struct control *c, struct control_figures *out); /* any thread */

/* Any thread. Metrics in Prometheus' text format. */
void control_metrics(struct control *c, struct buf *out);

/* Ends every connection (each open call is notified), waits for that, and frees. Called while the loops still run, from
 * another thread. */
void control_free(struct control *c);

#endif

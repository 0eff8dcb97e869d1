/* SPDX-License-Identifier: BSD-3-Clause */
/* The transport of clients' calls: the ts2021 upgrade, Noise, HTTP/2, limits and PINGs. server/control defines the
 * calls and their answers. Sources: tailscale control/controlhttp, control/controlbase.
 *
 * The life of a call: when the client's request has arrived completely (its body within the limits), the first matching
 * route is looked up, and its handler is called on the thread of the connection's loop. The handler answers now or
 * later, with one complete answer (rpc_reply) or with a stream (rpc_stream_start). In every case on_close is called
 * exactly once, as the last thing: after the answer was written, or when the stream was reset or the connection ended.
 * A struct rpc may be used until on_close returns, and only on its loop's thread; to answer from another thread, post
 * to rpc->loop an object of your own that on_close marks as gone.
 *
 * A streamed answer is pulled: the handler announces that it has output (rpc_stream_ready); once the client can be
 * written to, and everything handed over before has been written to the kernel, pull is called and adds chunks, again
 * and again until it adds none. So a slow client holds one answer and no queue. */
#ifndef SERVER_RPC_RPC_H
#define SERVER_RPC_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "crypto/crypto.h"
#include "loop/loop.h"

struct head; /* net/head.h */

struct rpc;
struct rpc_conn;   /* one client connection, several calls at a time */
struct rpc_server; /* all of them */

enum rpc_end {
    RPC_DONE,     /* the answer was given and written */
    RPC_RESET,    /* the client cancelled its request (which is how a client ends a poll) */
    RPC_GONE,     /* the client closed the connection, or broke the protocol */
    RPC_DEAD,     /* silent beyond the deadline */
    RPC_SHUTDOWN, /* the server closed the connection, or is shutting down */
};

/* Chunks added by one pull. */
struct rpc_bytes;
void rpc_bytes_add(struct rpc_bytes *out, struct chunk *c); /* takes one reference; empty chunks are allowed */
void rpc_bytes_copy(struct rpc_bytes *out, const void *bytes, size_t len); /* for small pieces: a length, an opening */

struct rpc {
    /* The request; texts are terminated and live as long as the rpc. The body lives until the end of the turn in which
     * the answer is given or begun: a poll that is open for days does not keep its request. */
    const char *method;       /* "POST" */
    const char *path;         /* starts with '/'; without the query */
    const char *query;        /* after '?', undecoded; "" if absent */
    const char *authority;    /* ":authority", "" if absent; not trustworthy */
    const char *content_type; /* "" if absent */
    const uint8_t *body;      /* complete; followed by a NUL that body_len does not count */
    size_t body_len;

    struct rpc_conn *conn;
    struct loop *loop;

    /* For the handler; all may stay NULL. */
    void *user;
    void (*on_close)(struct rpc *rpc, enum rpc_end why);
    void (*on_written)(struct rpc *rpc); /* all bytes added so far have been written to the socket */
};

typedef void rpc_handler(struct rpc *rpc, void *arg);
typedef void rpc_pull(struct rpc *rpc, struct rpc_bytes *out);

struct rpc_route {
    const char *method; /* NULL: any */
    const char *path;
    bool prefix; /* path is a prefix; otherwise it must match completely */
    rpc_handler *handler;
};

/* Frees the body now, instead of with the answer. */
void rpc_drop_body(struct rpc *rpc);

/* ---- Answers ---- */

/* Gives a complete answer; copies bytes. content_type NULL: none. The bytes are dropped for a HEAD request. A second
 * answer to the same call is a bug of the caller and asserts. */
void rpc_reply(struct rpc *rpc, int status, const char *content_type, const void *bytes, size_t len);
void rpc_reply_text(struct rpc *rpc, int status, const char *format, ...) PRINTF_LIKE(3, 4); /* text/plain */
/* Adds a Retry-After header (seconds) to the answer that follows. */
void rpc_retry_after(struct rpc *rpc, unsigned seconds);

/* Sends the header of an answer of unknown length; pull is called after rpc_stream_ready. */
void rpc_stream_start(struct rpc *rpc, int status, const char *content_type, rpc_pull *pull);
/* Announces output; may be called at any time and any number of times, also within pull. */
void rpc_stream_ready(struct rpc *rpc);
/* Ends the stream: what was added is written, then the answer ends (on_close: RPC_DONE). */
void rpc_stream_end(struct rpc *rpc);

/* ---- Connections ---- */

const uint8_t *rpc_conn_machine_key(const struct rpc_conn *c); /* CRYPTO_KEY_LEN bytes, proven by the handshake */
unsigned rpc_conn_version(const struct rpc_conn *c);           /* capability version from the handshake */
const struct addr_port *rpc_conn_peer(const struct rpc_conn *c);
const char *rpc_conn_peer_text(const struct rpc_conn *c); /* "192.0.2.1:40312" */

/* Liveness: after interval_ms without a byte from the client a PING is sent. If then no byte arrives for timeout_ms,
 * and the client takes nothing of what it is slow to read (longer if the measured round trip or its spread requires
 * it), the connection is dead: open calls get RPC_DEAD and it is closed. interval_ms 0: no PINGs are sent, and silence
 * proves nothing. Applies until changed; initially 30,000 and 15,000. */
void rpc_conn_set_ping(struct rpc_conn *c, unsigned interval_ms, unsigned timeout_ms);
/* Whose round trips these PINGs measure, as reported to rpc_server_options.measured; 0, initially: nobody's. */
void rpc_conn_set_owner(struct rpc_conn *c, uint64_t owner);
int64_t rpc_conn_heard_ms(const struct rpc_conn *c); /* monotonic ms of the last received byte */
/* TCP_USER_TIMEOUT; initially 90,000. */
void rpc_conn_set_user_timeout(struct rpc_conn *c, unsigned ms);

/* The standing of its machine key decides what a connection may take. A handshake can be replayed: until the first
 * record opens, a key that owns a node is only claimed. Strangers (no node has their key) and claims are bounded in
 * number, in all and per IPv4 address or IPv6 /64 (this machine's loopback apart), in the size of their requests and in
 * time: 10 s until the first record, then 30 s without a call and 60 s for one. Any more wait, their handshake
 * unanswered, until there is a place. Connections that wait for a person (a followup) are counted apart and may take
 * their time. A new connection starts with the standing that rpc_server_options.knows gives it. */
enum rpc_standing { RPC_STRANGER, RPC_CLAIMED, RPC_WAITING, RPC_KNOWN, RPC_STANDINGS };
void rpc_conn_set_standing(struct rpc_conn *c, enum rpc_standing standing);

/* Closes at the end of this turn, after what is being written; open calls get RPC_SHUTDOWN. */
void rpc_conn_close(struct rpc_conn *c);

/* ---- The server ---- */

/* In milliseconds; 0: the default. */
struct rpc_times {
    unsigned prove_ms;   /* until the first record; 10 s */
    unsigned request_ms; /* until a request is complete; 30 s */
    unsigned idle_ms;    /* for a stranger without a call; 30 s */
    unsigned call_ms;    /* for a stranger's call that is not a stream; 60 s */
};

struct rpc_server_options {
    struct rpc_times times;
    struct loops *loops;
    uint8_t private_key[CRYPTO_KEY_LEN];
    const struct rpc_route *routes; /* kept, not copied */
    size_t route_count;
    void *arg; /* passed to handlers and to knows */
    /* Whether a node with this machine key exists. Called on any loop's thread, must not block. */
    bool (*knows)(void *arg, const uint8_t machine_key[CRYPTO_KEY_LEN]);
    /* A PING of a connection with an owner was answered after us microseconds; -1: the connection was given up as dead.
     * On its loop's thread. NULL: not reported. */
    void (*measured)(void *arg, uint64_t owner, int64_t us);
    /* NULL: the usual limits apply to all bodies. Otherwise called with the header of a request that has a route:
     * returns how many bytes of its body are accepted beyond those limits; 0: the usual. Of a larger body nothing more
     * is read: the handler is called at once, with body NULL, and answers 413. */
    size_t (*body_max)(struct rpc *rpc, void *arg);
};

struct rpc_server *rpc_server_new(const struct rpc_server_options *options, struct err *e);
void rpc_server_accept(struct rpc_server *s, struct stream *stream, const struct head *head); /* see control_accept */
void rpc_server_free(struct rpc_server *s);                                                   /* see control_free */
/* Whether a machine that owns a node has recently proved its key from this IPv4 address or IPv6 /64; any thread. */
bool rpc_server_is_proved(struct rpc_server *s, const struct addr *from);

struct rpc_counts {
    unsigned connections, strangers, waiting, queued;
    uint64_t handshakes, handshakes_failed, calls, bytes_in, bytes_out, pings, dead;
};
void rpc_server_counts(struct rpc_server *s, struct rpc_counts *out); /* any thread */

#endif

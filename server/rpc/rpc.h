/* SPDX-License-Identifier: BSD-3-Clause */
/* What carries the calls of clients: the ts2021 upgrade, Noise, HTTP/2, limits and PINGs. Which calls there are, and
 * what is answered, is server/control's. Sources: tailscale control/controlhttp, control/controlbase.
 *
 * The life of a call: the client's request arrives whole (its body within the bounds), the first route that fits is
 * looked up, and its handler is called on the thread of the connection's loop. The handler answers now or later, with
 * one whole answer (rpc_reply) or with a stream (rpc_stream_start). Whatever happens, on_close is called exactly once,
 * as the last thing: after the answer was written, or when the stream was reset or the connection went. A struct rpc
 * may be used until on_close returns, and only on its loop's thread; whoever answers from another thread posts to
 * rpc->loop an object of its own that on_close has marked as gone.
 *
 * A streamed answer is pulled: the handler says that it has something (rpc_stream_ready); once the client can be
 * written to, and all that was handed over before is in the kernel's hands, pull is called and adds chunks. It is
 * called until it adds nothing. So a slow client holds one answer and no queue. */
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
    RPC_RESET,    /* the client took its request back (how a client ends a poll) */
    RPC_GONE,     /* the client closed the connection, or broke the protocol */
    RPC_DEAD,     /* silent past the deadline */
    RPC_SHUTDOWN, /* the server closed the connection, or is going down */
};

/* Chunks handed over by one pull. */
struct rpc_bytes;
void rpc_bytes_add(struct rpc_bytes *out, struct chunk *c); /* takes one reference; empty chunks are fine */
void rpc_bytes_copy(struct rpc_bytes *out, const void *bytes, size_t len); /* small things: a length, an opening */

struct rpc {
    /* Of the request; texts are terminated and live as long as the rpc. The body lives until the turn in which the
     * answer is given or begun: a poll that is open for days does not keep its request. */
    const char *method;       /* "POST" */
    const char *path;         /* starts with '/'; without the query */
    const char *query;        /* after '?', undecoded; "" when there is none */
    const char *authority;    /* ":authority", "" when absent; says nothing trustworthy */
    const char *content_type; /* "" when absent */
    const uint8_t *body;      /* whole; a NUL follows that body_len does not count */
    size_t body_len;

    struct rpc_conn *conn;
    struct loop *loop;

    /* Of the handler; all may stay NULL. */
    void *user;
    void (*on_close)(struct rpc *rpc, enum rpc_end why);
    void (*on_written)(struct rpc *rpc); /* all bytes added so far are written to the socket */
};

typedef void rpc_handler(struct rpc *rpc, void *arg);
typedef void rpc_pull(struct rpc *rpc, struct rpc_bytes *out);

struct rpc_route {
    const char *method; /* NULL: any */
    const char *path;
    bool prefix; /* path is the beginning; otherwise the whole */
    rpc_handler *handler;
};

/* The body is not needed any more: it goes now, and not with the answer. */
void rpc_drop_body(struct rpc *rpc);

/* ---- Answers ---- */

/* A whole answer; bytes are copied. content_type NULL: none. Of a HEAD request the bytes are dropped. A second answer
 * to the same call is a defect of the caller and asserts. */
void rpc_reply(struct rpc *rpc, int status, const char *content_type, const void *bytes, size_t len);
void rpc_reply_text(struct rpc *rpc, int status, const char *format, ...) PRINTF_LIKE(3, 4); /* text/plain */
/* Adds a Retry-After header (seconds) to the answer that follows. */
void rpc_retry_after(struct rpc *rpc, unsigned seconds);

/* Sends the head of an answer of unknown length; pull is called after rpc_stream_ready. */
void rpc_stream_start(struct rpc *rpc, int status, const char *content_type, rpc_pull *pull);
/* There is something to say; may be called at any time and any number of times, within pull too. */
void rpc_stream_ready(struct rpc *rpc);
/* No more: what was handed over is written, then the answer ends (on_close: RPC_DONE). */
void rpc_stream_end(struct rpc *rpc);

/* ---- Connections ---- */

const uint8_t *rpc_conn_machine_key(const struct rpc_conn *c); /* CRYPTO_KEY_LEN bytes, proven by the handshake */
unsigned rpc_conn_version(const struct rpc_conn *c);           /* capability version in the handshake */
const struct addr_port *rpc_conn_peer(const struct rpc_conn *c);
const char *rpc_conn_peer_text(const struct rpc_conn *c); /* "192.0.2.1:40312" */

/* Liveness: after interval_ms without a byte from the client a PING is sent; without any byte for timeout_ms after it,
 * and with nothing taken of what it is slow to read (more where the measured round trip or its spread asks for it) the
 * connection is dead: open calls get RPC_DEAD and it is closed. interval_ms 0: no PING is sent, and silence proves
 * nothing. Holds until changed; 30,000 and 15,000 at first. */
void rpc_conn_set_ping(struct rpc_conn *c, unsigned interval_ms, unsigned timeout_ms);
/* Whose round trips are measured by these PINGs, as rpc_server_options.measured is told; 0, at first: nobody's. */
void rpc_conn_set_owner(struct rpc_conn *c, uint64_t owner);
int64_t rpc_conn_heard_ms(const struct rpc_conn *c); /* mono ms of the last byte that came */
/* TCP_USER_TIMEOUT; 90,000 at first. */
void rpc_conn_set_user_timeout(struct rpc_conn *c, unsigned ms);

/* What a connection may take is decided by what its machine key is worth. A handshake can be replayed: until the first
 * record opens, a key that owns a node is only claimed. Strangers (no node has their key) and claims are bounded in
 * number, in all and by IPv4 address or IPv6 /64 (those of this machine's loopback apart), in the size of their
 * requests and in time: 10 s until the first record, then 30 s without a call and 60 s for one. More of them wait,
 * their handshake unanswered, until there is a place. Those who wait for a person (a followup) are counted apart and
 * may take their time. A new connection starts as what rpc_server_options.knows says. */
enum rpc_standing { RPC_STRANGER, RPC_CLAIMED, RPC_WAITING, RPC_KNOWN, RPC_STANDINGS };
void rpc_conn_set_standing(struct rpc_conn *c, enum rpc_standing standing);

/* Closes at the end of this turn, after what is being written; open calls get RPC_SHUTDOWN. */
void rpc_conn_close(struct rpc_conn *c);

/* ---- The server ---- */

/* In milliseconds; 0: the usual. */
struct rpc_times {
    unsigned prove_ms;   /* until the first record; 10 s */
    unsigned request_ms; /* until a request is whole; 30 s */
    unsigned idle_ms;    /* of a stranger, without a call; 30 s */
    unsigned call_ms;    /* of a stranger, for a call that is no stream; 60 s */
};

struct rpc_server_options {
    struct rpc_times times;
    struct loops *loops;
    uint8_t private_key[CRYPTO_KEY_LEN];
    const struct rpc_route *routes; /* kept, not copied */
    size_t route_count;
    void *arg; /* given to handlers and to knows */
    /* Does a node with this machine key exist? Called on any loop's thread, must not block. */
    bool (*knows)(void *arg, const uint8_t machine_key[CRYPTO_KEY_LEN]);
    /* A PING of a connection with an owner was answered after so many us; -1: the connection was given up as dead. On
     * its loop's thread. NULL: nobody wants to know. */
    void (*measured)(void *arg, uint64_t owner, int64_t us);
    /* NULL: all bodies are held to the usual bounds. Otherwise asked when the head of a request for which there is a
     * route has come: how many bytes of its body are taken, beside those bounds; 0: the usual. Of a larger body no more
     * is read: the handler is called at once, with body NULL, and answers 413. */
    size_t (*body_max)(struct rpc *rpc, void *arg);
};

struct rpc_server *rpc_server_new(const struct rpc_server_options *options, struct err *e);
void rpc_server_accept(struct rpc_server *s, struct stream *stream, const struct head *head); /* see control_accept */
void rpc_server_free(struct rpc_server *s);                                                   /* see control_free */
/* Whether a machine that owns a node proved its key from there (its IPv4 address or IPv6 /64) not long ago; any thread.
 */
bool rpc_server_is_proved(struct rpc_server *s, const struct addr *from);

struct rpc_counts {
    unsigned connections, strangers, waiting, queued;
    uint64_t handshakes, handshakes_failed, calls, bytes_in, bytes_out, pings, dead;
};
void rpc_server_counts(struct rpc_server *s, struct rpc_counts *out); /* any thread */

#endif

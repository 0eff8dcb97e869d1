/* SPDX-License-Identifier: BSD-3-Clause */
/* One client connection.
 *
 * Anything that happens to it in a turn of its loop (bytes read, answers given, streams ready, a PING due) only changes
 * its state. conn_io.c runs once at the end of the turn: it pulls from streams, writes, notifies calls that have ended
 * and, if that was decided, closes the connection. So nothing is freed while a caller still uses it. */
#ifndef SERVER_RPC_CONN_H
#define SERVER_RPC_CONN_H

#include "base/vec.h"
#include "rpc/flood.h"
#include "rpc/server_state.h"

/* The limits of a connection. */
#define CONN_STREAMS_MAX    32
#define CONN_WINDOW         65535 /* per stream, for request bodies */
#define CONN_BODIES_MAX     (1024 * 1024)
#define CONN_BODIES_UNKNOWN (128 * 1024) /* for a machine without a node */
#define CONN_CALLS_UNKNOWN  8
#define CONN_HEADERS_MAX    (16 * 1024)       /* per request: names, values and 32 each, as HTTP/2 counts them */
#define CONN_IGNORED_MAX    (4 * 1024 * 1024) /* for refused bodies */
#define CONN_FRAME_MAX      (16384 + 16)      /* of HTTP/2, with its header */

struct rpc_bytes {
    VEC(struct chunk *) chunks;
    size_t first;     /* chunks before it are done */
    size_t offset;    /* within the first */
    size_t available; /* bytes in all */
};

enum rpc_call_state { CALL_READING, CALL_OPEN, CALL_ANSWERED, CALL_STREAMING };

/* See call.c. */
struct rpc_call {
    struct rpc rpc; /* first */
    struct rpc_call *next;
    int32_t stream_id;
    int64_t began; /* mono ms */
    enum rpc_call_state state;
    char *method, *path, *authority, *content_type; /* rpc points to these */
    struct buf body;
    size_t body_max;               /* as rpc_server_options.body_max returned; 0: the usual limits */
    const struct rpc_route *route; /* known once the header is complete; NULL: none matches */
    bool path_known;
    size_t headers; /* as CONN_HEADERS_MAX counts */
    unsigned retry_after;
    bool handled;     /* a handler has it: on_close must be called */
    bool ready;       /* rpc_stream_ready since the last pull */
    bool ended;       /* no more bytes will be added */
    bool announce;    /* on_written is due once all is out */
    bool closed;      /* HTTP/2 has finished with it */
    enum rpc_end why; /* set when closed */
    rpc_pull *pull;
    struct rpc_bytes out;
};

/* Tracks frame boundaries in the client's bytes. */
struct frame_cursor {
    uint32_t skip; /* remaining bytes of the current frame */
    uint8_t head[9], head_len;
};

enum rpc_ping_state { PING_IDLE, PING_OUT, PING_SUSPECT };

/* Private to ping.c. */
struct rpc_ping {
    struct loop_timer timer;
    enum rpc_ping_state state;
    unsigned unanswered; /* PINGs not acknowledged */
    unsigned interval_ms, timeout_ms;
    uint64_t dice;
    int64_t last_heard;         /* mono ms */
    int64_t sent_us;            /* the outstanding PING, or the last one; 0 before the first */
    int64_t srtt_us, spread_us; /* as TCP keeps them (RFC 6298); srtt_us is -1 before the first */
    uint64_t owner;             /* see rpc_conn_set_owner */
    void (*read_now)(struct rpc_conn *c);
};

struct rpc_conn {
    struct rpc_server *server;
    struct loop *loop;
    struct stream *stream;
    struct rpc_conn *next, *prev; /* on the same loop */
    uint8_t machine_key[CRYPTO_KEY_LEN];
    uint16_t version;
    enum rpc_standing standing;
    struct addr from; /* as entered in the limits */
    char peer[ADDR_PORT_TEXT_MAX];
    struct noise_reader in;
    struct noise_writer out;
    nghttp2_session *h2;
    bool has_frame_buffer; /* nghttp2 uses the loop's buffer */
    uint8_t *held;         /* the beginning of a record */
    size_t held_len;
    uint8_t *lead; /* precedes the first record: 101 and the handshake's answer */
    size_t lead_len;
    uint8_t *unsent; /* sealed, but not yet taken by the socket */
    size_t unsent_len, unsent_at;
    struct rpc_call *calls;
    unsigned call_count;
    size_t bodies, ignored;
    struct flood flood;
    struct frame_cursor frames;
    struct rpc_ping ping;
    struct loop_task flush;
    struct loop_timer deadline;
    bool proved; /* a record was opened: the machine is present, and this counts as one of its connections */
    int64_t opened, idle_since; /* monotonic ms; idle_since: when the last call ended, or the standing changed */
    int complaint;              /* nghttp2's error about a frame; 0: none */
    bool closing;
    enum rpc_end why;
};

void conn_touch(struct rpc_conn *c); /* writes to it at the end of this turn */
/* Decides to end the connection; only the first reason counts. reason (NULL: not worth a line) is logged with the
 * address. */
void conn_end(struct rpc_conn *c, enum rpc_end why, const char *reason);
void conn_abuse(struct rpc_conn *c, const char *what); /* the same for floods and broken frames, with GOAWAY */
void conn_watch_deadlines(struct rpc_conn *c);         /* from now on, while it has any */
void conn_prove(struct rpc_conn *c);                   /* the first record was opened */
void conn_call_opened(struct rpc_conn *c, struct rpc_call *call);
void conn_call_closed(struct rpc_conn *c);

#endif

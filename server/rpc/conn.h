/* SPDX-License-Identifier: BSD-3-Clause */
/* One client connection.
 *
 * Whatever happens to it in a turn of its loop (bytes read, answers given, streams ready, a PING due) only changes its
 * state. conn_io.c runs once at the end of the turn: it asks for what streams have to say, writes, tells calls that
 * ended and, where that was decided, takes the connection down. So nothing is freed under a caller's feet. */
#ifndef SERVER_RPC_CONN_H
#define SERVER_RPC_CONN_H

#include "base/vec.h"
#include "rpc/flood.h"
#include "rpc/server_state.h"

/* The bounds of a connection. */
#define CONN_STREAMS_MAX    32
#define CONN_WINDOW         65535 /* of each stream, for request bodies */
#define CONN_BODIES_MAX     (1024 * 1024)
#define CONN_BODIES_UNKNOWN (128 * 1024) /* of a machine without a node */
#define CONN_CALLS_UNKNOWN  8
#define CONN_HEADERS_MAX    (16 * 1024)       /* of one request: names, values and 32 each, as HTTP/2 counts them */
#define CONN_IGNORED_MAX    (4 * 1024 * 1024) /* of bodies that were refused */
#define CONN_FRAME_MAX      (16384 + 16)      /* of HTTP/2, with its head */

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
    char *method, *path, *authority, *content_type; /* what rpc points to */
    struct buf body;
    size_t body_max;               /* rpc_server_options.body_max; 0: the usual bounds */
    const struct rpc_route *route; /* once the head is there; NULL: none fits */
    bool path_known;
    size_t headers; /* as CONN_HEADERS_MAX counts */
    unsigned retry_after;
    bool handled;     /* a handler has it: on_close is due */
    bool ready;       /* rpc_stream_ready since the last pull */
    bool ended;       /* no more bytes will be added */
    bool announce;    /* on_written is due once all is out */
    bool closed;      /* HTTP/2 is done with it */
    enum rpc_end why; /* when closed */
    rpc_pull *pull;
    struct rpc_bytes out;
};

/* Where one frame ends and the next begins in what the client sends. */
struct frame_cursor {
    uint32_t skip; /* bytes of the current frame that are still to come */
    uint8_t head[9], head_len;
};

enum rpc_ping_state { PING_IDLE, PING_OUT, PING_SUSPECT };

/* Of ping.c. */
struct rpc_ping {
    struct loop_timer timer;
    enum rpc_ping_state state;
    unsigned unanswered; /* PINGs without their acknowledgement */
    unsigned interval_ms, timeout_ms;
    uint64_t dice;
    int64_t last_heard;         /* mono ms */
    int64_t sent_us;            /* of the PING that is out, or of the last one; 0 before the first */
    int64_t srtt_us, spread_us; /* as TCP keeps them (RFC 6298); srtt_us is -1 before the first */
    uint64_t owner;             /* see rpc_conn_set_owner */
    void (*read_now)(struct rpc_conn *c);
};

struct rpc_conn {
    struct rpc_server *server;
    struct loop *loop;
    struct stream *stream;
    struct rpc_conn *next, *prev; /* of the same loop */
    uint8_t machine_key[CRYPTO_KEY_LEN];
    uint16_t version;
    enum rpc_standing standing;
    struct addr from; /* as entered in the limits */
    char peer[ADDR_PORT_TEXT_MAX];
    struct noise_reader in;
    struct noise_writer out;
    nghttp2_session *h2;
    bool has_frame_buffer; /* nghttp2 has been given the loop's */
    uint8_t *held;         /* the beginning of a record */
    size_t held_len;
    uint8_t *lead; /* goes before the first record: 101 and the handshake's answer */
    size_t lead_len;
    uint8_t *unsent; /* sealed, and not yet taken by the socket */
    size_t unsent_len, unsent_at;
    struct rpc_call *calls;
    unsigned call_count;
    size_t bodies, ignored;
    struct flood flood;
    struct frame_cursor frames;
    struct rpc_ping ping;
    struct loop_task flush;
    struct loop_timer deadline;
    bool proved; /* a record opened: the machine is there, and this is counted as one of its connections */
    int64_t opened, idle_since; /* mono ms; idle_since: when the last call ended, or its standing changed */
    int complaint;              /* nghttp2's, about a frame; 0: none */
    bool closing;
    enum rpc_end why;
};

void conn_touch(struct rpc_conn *c); /* written to at the end of this turn */
/* Decides the end, the first reason counts; reason (NULL: nothing worth a line) is logged with the address. */
void conn_end(struct rpc_conn *c, enum rpc_end why, const char *reason);
void conn_abuse(struct rpc_conn *c, const char *what); /* the same for floods and broken frames, with GOAWAY */
void conn_watch_deadlines(struct rpc_conn *c);         /* from now on, for as long as it has any */
void conn_prove(struct rpc_conn *c);                   /* the first record opened */
void conn_call_opened(struct rpc_conn *c, struct rpc_call *call);
void conn_call_closed(struct rpc_conn *c);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* What the lower files of control know of each other: one client connection and the calls on it.
 *
 * Whatever happens to a connection in a turn of its loop (bytes read, answers given, streams ready, a PING due) only
 * changes its state; conn_flush runs once at the end of the turn, asks for what streams have to say, writes, tells
 * calls that ended, and, where that was decided, takes the connection down. So nothing is freed under a caller's feet.
 */
#ifndef SERVER_RPC_CONN_H
#define SERVER_RPC_CONN_H

#include <stdatomic.h>

#include <nghttp2/nghttp2.h>

#include "base/buf.h"
#include "base/vec.h"
#include "rpc/noise.h"
#include "rpc/rpc.h"

/* The bounds of a connection. */
#define CONN_STREAMS_MAX  32
#define CONN_WINDOW       65535 /* of each stream, for request bodies */
#define CONN_BODIES_MAX   (1024 * 1024)
#define CONN_HEADERS_MAX  (16 * 1024)       /* of one request: names, values and 32 each, as HTTP/2 counts them */
#define CONN_IGNORED_MAX  (4 * 1024 * 1024) /* of bodies that were refused */
#define CONN_UNSENT_LIMIT (64 * 1024)
#define CONN_STRANGER_MS  30000
#define CONN_FRAME_MAX    (16384 + 16) /* of HTTP/2, with its head */

/* ---- Bounds over all connections ---- */

#define LIMIT_STRANGERS   1024
#define LIMIT_PER_ADDRESS 64    /* strangers of one IPv4 address or IPv6 /64 */
#define LIMIT_LOCAL       12288 /* strangers of this machine, counted apart: a proxy that is not named as one brings all */
#define LIMIT_QUEUE       4096 /* strangers that wait for a place; of one address half as many */
#define LIMIT_WAITING     4096
#define LIMIT_PER_MACHINE 32 /* connections of one machine key; clients use up to three, and more while they flap */

struct limits;
struct limits *limits_new(void);
void limits_free(struct limits *l);
/* Any thread. false: the bound is reached. Whoever entered leaves, with the same arguments. */
bool limits_enter_machine(struct limits *l, const uint8_t machine_key[CRYPTO_KEY_LEN]);
void limits_leave_machine(struct limits *l, const uint8_t machine_key[CRYPTO_KEY_LEN]);
bool limits_enter(struct limits *l, enum rpc_standing standing, const struct addr *from);
void limits_leave(struct limits *l, enum rpc_standing standing, const struct addr *from);
bool limits_enter_queue(struct limits *l, const struct addr *from);
void limits_leave_queue(struct limits *l, const struct addr *from);
uint64_t limits_left(struct limits *l); /* how often anybody made room so far */
void limits_count(struct limits *l, struct rpc_counts *out);

/* ---- Floods ---- */

/* What a client may do without being useful, as allowances that refill with time. */
enum flood_kind {
    FLOOD_RESET,   /* RST_STREAM */
    FLOOD_CONTROL, /* SETTINGS, PING, PRIORITY, CONTINUATION, empty DATA, unknown frames */
    FLOOD_WINDOW,  /* WINDOW_UPDATE, beyond what the bytes that it was sent explain */
    FLOOD_REQUEST, /* HEADERS */
    FLOOD_KINDS,
};

struct flood {
    int64_t at; /* mono ms of the last refill */
    uint16_t left[FLOOD_KINDS];
};

void flood_init(struct flood *f, int64_t now);
bool flood_spend(struct flood *f, enum flood_kind kind, int64_t now); /* false: used up */
void flood_sent(struct flood *f, size_t bytes); /* bytes to the client explain updates of its window */
const char *flood_name(enum flood_kind kind);

/* Where one frame ends and the next begins in what the client sends. */
struct frames {
    uint32_t skip; /* bytes of the current frame that are still to come */
    uint8_t head[9], head_len;
};

/* ---- Calls ---- */

struct rpc_bytes {
    VEC(struct chunk *) chunks;
    size_t first;     /* chunks before it are done */
    size_t offset;    /* within the first */
    size_t available; /* bytes in all */
};

void bytes_release(struct rpc_bytes *b);

enum call_state { CALL_READING, CALL_OPEN, CALL_ANSWERED, CALL_STREAMING };

struct call {
    struct rpc rpc; /* first */
    struct call *next;
    int32_t stream_id;
    enum call_state state;
    char *method, *path, *authority, *content_type; /* what rpc points to */
    struct buf body;
    size_t headers; /* as CONN_HEADERS_MAX counts */
    unsigned retry_after;
    bool handled;     /* a handler has it: on_close is due */
    bool refused;     /* its body was too large: the rest is dropped */
    bool ready;       /* rpc_stream_ready since the last pull */
    bool ended;       /* no more bytes will be added */
    bool announce;    /* on_written is due once all is out */
    bool closed;      /* HTTP/2 is done with it */
    enum rpc_end why; /* when closed */
    rpc_pull *pull;
    struct rpc_bytes out;
};

/* ---- Connections ---- */

enum ping_state { PING_IDLE, PING_OUT, PING_SUSPECT };

struct ping {
    struct loop_timer timer;
    enum ping_state state;
    unsigned unanswered; /* PINGs without their acknowledgement */
    unsigned interval_ms, timeout_ms;
    uint64_t dice;
    int64_t last_heard;         /* mono ms */
    int64_t sent_us;            /* of the PING that is out, or of the last one; 0 before the first */
    int64_t srtt_us, spread_us; /* as TCP keeps them (RFC 6298); srtt_us is -1 before the first */
};

struct rpc_conn {
    struct rpc_server *server;
    struct loop *loop;
    struct stream *stream;
    struct rpc_conn *next, *prev; /* of the same loop */
    uint64_t id;
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
    struct call *calls;
    unsigned call_count;
    size_t bodies, ignored;
    struct flood flood;
    struct frames frames;
    struct ping ping;
    struct loop_task flush;
    struct loop_timer stranger_timer;
    int64_t idle_since; /* mono ms; when the last call ended */
    int complaint;      /* nghttp2's, about a frame; 0: none */
    bool closing;
    enum rpc_end why;
};

/* Those of one loop that wait for a place, the first for the longest. */
struct arrivals {
    struct rpc_server *server;
    struct loop *loop; /* NULL: nobody has come yet */
    VEC(struct arrival *) list;
    struct loop_timer timer;
    uint64_t left; /* limits_left, when all of them were tried */
};

struct rpc_server {
    struct rpc_server_options options;
    struct noise_server noise;
    struct limits *limits;
    struct buf early; /* the EarlyNoise message */
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *h2_options;
    struct rpc_conn **conns;   /* list heads, by loop; each touched by its loop only */
    uint8_t **frame_buffers;   /* by loop, too; see h2.c */
    struct arrivals *arrivals; /* and these */
    atomic_bool stopping;
    atomic_uint connections;
    atomic_uint_fast64_t next_id, handshakes, handshakes_failed, calls, bytes_in, bytes_out, pings, dead;
};

static inline void count_add(atomic_uint_fast64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* server.c: the places that a connection takes. After ENTER_FULL and ENTER_LATER it has none. */
enum enter { ENTER_IN, ENTER_LATER, ENTER_FULL };
enum enter server_enter(struct rpc_server *s, const struct noise_handshake *hs, const struct addr *from,
                        enum rpc_standing *standing);
void server_welcome(struct rpc_server *s, struct stream *stream, struct noise_handshake *hs,
                    enum rpc_standing standing);
void server_refuse_full(struct stream *stream);

/* arrive.c */
bool arrive(struct rpc_server *s, struct stream *stream, const struct noise_handshake *hs); /* false: too many wait */
void arrivals_end(struct arrivals *all);

/* Takes lead (allocated), the stream and the places in the limits. */
struct rpc_conn *conn_new(struct rpc_server *s, struct stream *stream, const struct noise_handshake *hs,
                          const struct noise_keys *keys, enum rpc_standing standing, void *lead, size_t lead_len);
void conn_touch(struct rpc_conn *c); /* conn_flush at the end of this turn */
/* Decides the end, the first reason counts; reason (NULL: nothing worth a line) is logged with the address. */
void conn_end(struct rpc_conn *c, enum rpc_end why, const char *reason);
void conn_abuse(struct rpc_conn *c, const char *what); /* the same for floods and broken frames, with GOAWAY */
void conn_read(struct rpc_conn *c);
void conn_close_now(struct rpc_conn *c); /* when the server goes down: writes what it can, and is gone */
void conn_call_opened(struct rpc_conn *c);
void conn_call_closed(struct rpc_conn *c);

/* h2.c */
int h2_server_init(struct rpc_server *s, struct err *e) WARN_UNUSED;
int h2_start(struct rpc_conn *c) WARN_UNUSED;
void h2_feed(struct rpc_conn *c, const uint8_t *bytes, size_t len);
void h2_produce(struct rpc_conn *c); /* fills the writer as far as it goes */

/* call.c */
struct call *call_new(struct rpc_conn *c, int32_t stream_id);
void call_free(struct call *call);
void call_dispatch(struct call *call);
void call_refuse(struct call *call, int status, const char *text);
void call_pull_all(struct rpc_conn *c);    /* asks idle streams that are ready */
void call_written_all(struct rpc_conn *c); /* everything produced is in the kernel */
void call_finish_all(struct rpc_conn *c);  /* tells and frees the closed ones */
void call_end_all(struct rpc_conn *c);     /* tells and frees all, for c->why */

/* ping.c */
void ping_start(struct rpc_conn *c);
void ping_heard(struct rpc_conn *c);
bool ping_is_expected(struct rpc_conn *c); /* an acknowledgement that came; false: nobody asked for it */
void ping_answered(struct rpc_conn *c, const uint8_t opaque[8]);

#endif

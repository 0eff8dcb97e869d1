/* SPDX-License-Identifier: BSD-3-Clause */
/* HTTP/1.1: listeners, requests, the search in tables of routes, answers. What is asked and who may ask it is the
 * business of whoever starts this room; it knows no tailnet. It alone knows libmicrohttpd, and never its TLS:
 * connections of the public listener arrive as sockets that server/front hands over.
 *
 * libmicrohttpd's threads only move bytes. The life of a request: its head is there, and its route is found; if a body
 * follows, admit says on a worker whether it is wanted at all; the whole request is served on a worker. Where that must
 * wait (for the core, for a disk) it returns HTTP_LATER, and a continuation finishes it. Exactly one thread at a time
 * owns a request. */
#ifndef SERVER_HTTP_HTTP_H
#define SERVER_HTTP_HTTP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "base/thread.h"
#include "net/prefixes.h"

struct http;

enum http_listener { HTTP_PUBLIC = 1, HTTP_UNIX = 2, HTTP_METRICS = 4 };

enum http_flow { HTTP_DONE, HTTP_LATER };

/* Threads that run what they are given, in order. */
enum http_workers {
    HTTP_FAST,   /* what never waits */
    HTTP_DISK,   /* what reads a disk */
    HTTP_HEAVY,  /* what computes for long */
    HTTP_HEALTH, /* what may hang */
    HTTP_WORKERS
};

#define HTTP_TARGET_MAX 8192
#define HTTP_PARAMS_MAX 4
#define HTTP_QUERY_MAX  32
#define HTTP_BODY_MAX   ((size_t)256 * 1024) /* where a route says nothing */

/* One path that is answered. Whoever has more to say of it makes this the first member of a struct of its own. */
struct http_route {
    const char *method;
    const char *path;   /* "/api/v1/node/{id}": what stands in braces is a parameter, one segment, unescaped */
    unsigned listeners; /* enum http_listener */
    size_t body_max;    /* bytes; 0: HTTP_BODY_MAX. Holds before the body is read */
    bool reserved;      /* answered however many connections there are; not with parameters in its path */
};

/* Routes of one kind: count of them, each of stride bytes. */
struct http_table {
    const void *routes;
    size_t count, stride;
};
const struct http_route *http_table_at(const struct http_table *table, size_t i);

struct http_pair {
    const char *name, *value;
};

/* An answer without a known length. Its owner makes it with one reference more, which closed gives back. */
struct http_source {
    /* Copies up to max bytes. 0: none now, and what attach brought will be called (wait is called before, so that it is
     * never called too early); -1: the end. */
    long (*take)(struct http_source *s, char *bytes, size_t max, void (*wait)(void *arg));
    void (*attach)(struct http_source *s, void (*resume)(void *arg), void *arg);
    void (*closed)(struct http_source *s); /* the client is gone, or was never there: the last call */
};

struct http_exchange;
struct http_request;
typedef enum http_flow http_continuation(struct http_request *r);

/* Options.request_size bytes are made for each request; these are the first of them. */
struct http_request {
    struct work work; /* first: this and the next ones are this room's */
    struct http *http;
    struct http_exchange *exchange;
    http_continuation *then;
    bool known; /* to whoever answers: over is still to be called */

    /* as it came; texts are the request's own */
    enum http_listener listener;
    char method[16];
    char *target;        /* undecoded, with the query */
    char *authorization; /* NULL: none */
    char *if_match, *idempotency_key, *last_event_id, *accept, *content_type, *cookie;
    const char *origin; /* whose page may read the answer, or "*"; NULL: none that asks */
    bool origin_counts; /* the answer to another one would differ */
    bool takes_zstd;    /* as a content coding */
    char peer[64];      /* address of the client, behind trusted proxies too, for the log; "": the unix socket */
    int peer_fd;        /* of the unix socket, for its peer's name; -1: none */
    bool peer_is_local; /* of this machine, and not through a proxy */
    struct buf body;
    bool body_follows; /* announced by the head */
    bool too_large;    /* the body, for its route */
    int64_t began_us;

    /* read from it */
    struct arena arena;
    const struct http_route *route; /* NULL: allow says why */
    char allow[64];                 /* methods that the path has, separated by ", "; "": nobody has the path */
    bool malformed;                 /* the path holds a bad escape */
    const char *path;               /* undecoded, without the query; in the arena */
    const char *params[HTTP_PARAMS_MAX];

    /* the answer: what http_reply and others below fill */
    int status; /* 0: none yet */
    const char *content_type_out;
    const char *encoding; /* NULL: out is as it is */
    bool encoding_counts; /* the answer to who takes another one would differ */
    struct buf out;
    struct http_pair headers[6]; /* names are static, values in the arena */
    size_t header_count;
    struct http_source *source; /* instead of out */
    const struct buf *lent;     /* instead of out: bytes that outlive the room and never change */
};

struct http_options {
    const char *unix_socket; /* a stale file is replaced, its folder made */
    unsigned unix_mode;
    const char *metrics_addr;        /* "": none */
    struct prefixes trusted_proxies; /* copied */
    struct strs cors_origins;        /* whose pages browsers let read answers; copied */
    const struct http_table *const *tables;
    size_t table_count;
    size_t request_size;
    /* The head of a request whose body follows. Without an answer in r afterwards the body is read. */
    void (*admit)(void *arg, struct http_request *r);
    enum http_flow (*serve)(void *arg, struct http_request *r);
    /* Once for each request that came so far: its answer is made, or (status 0) its client went away before. What the
     * two functions above took is given back. */
    void (*over)(void *arg, struct http_request *r);
    void *arg;
};

/* Opens the unix socket and the metrics listener and starts. What it cannot open is an error that names the key of the
 * configuration. The options' texts and tables outlive it. *out is set before the first request is served. */
int http_start(const struct http_options *options, struct http **out, struct err *e) WARN_UNUSED;
/* Refuses what comes, waits until what is in work is answered, closes everything, removes the socket, ends the workers.
 */
void http_stop(struct http *h);

/* A connection of the public listener, nothing read from it; taken in any case. A stream socket of any kind (TLS comes
 * through a socketpair); peer: who is at its other end; reserved: as http_is_reserved says of its first request. Any
 * thread. */
void http_take_socket(struct http *h, int fd, const struct addr_port *peer, bool reserved);
/* Whether a request is for a route that is reserved: its connection has a place kept for it. */
bool http_is_reserved(const struct http *h, const char *method, const char *path);

/* True once http_stop was called: whoever computes for long may leave it. */
const atomic_bool *http_stopping(const struct http *h);

struct http_counts {
    size_t active;                                 /* requests that are worked on */
    unsigned public_connections, unix_connections; /* open */
};
void http_counts(struct http *h, struct http_counts *out);

/* ---- while a request is served ---- */

/* Runs then on workers, and finishes the request if it says so; returns HTTP_LATER. Any thread. */
enum http_flow http_later(struct http_request *r, enum http_workers which, http_continuation *then);
/* Work that belongs to no request. */
void http_run(struct http *h, enum http_workers which, struct work *work);

/* Reads "a=1&b=2". ERR_INVALID for bad escapes, for a name that comes twice, for too many. */
int http_query(struct arena *arena, const char *text, struct http_pair out[HTTP_QUERY_MAX], size_t *count,
               struct err *e) WARN_UNUSED;

#define HTTP_JSON "application/json"
#define HTTP_TEXT "text/plain; charset=utf-8"

/* Empties the answer and gives it a status and a type; returns where its body is written. */
struct buf *http_reply(struct http_request *r, int status, const char *content_type);
enum http_flow http_reply_text(struct http_request *r, int status, const char *format, ...) PRINTF_LIKE(3, 4);
void http_header(struct http_request *r, const char *name, const char *value);

#endif

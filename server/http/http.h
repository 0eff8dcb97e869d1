/* SPDX-License-Identifier: BSD-3-Clause */
/* HTTP/1.1: listeners, requests, routing, answers. The caller decides what requests mean and who may make them; this
 * room knows nothing of the tailnet. Only this room knows libmicrohttpd, and never uses its TLS: connections of the
 * public listener arrive as sockets from server/front.
 *
 * libmicrohttpd's threads only move bytes. When the head of a request has arrived, its route is looked up; if a body
 * follows, admit decides on a worker whether to accept it; the complete request is served on a worker. A function that
 * must wait (for the core, for a disk) returns HTTP_LATER, and a continuation finishes the request. Exactly one thread
 * at a time owns a request. */
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

/* Threads that run their work in order. */
enum http_workers {
    HTTP_FAST,   /* never waits */
    HTTP_DISK,   /* reads a disk */
    HTTP_HEAVY,  /* computes for long */
    HTTP_HEALTH, /* may hang */
    HTTP_WORKERS
};

#define HTTP_TARGET_MAX 8192
#define HTTP_PARAMS_MAX 4
#define HTTP_QUERY_MAX  32
#define HTTP_BODY_MAX   ((size_t)256 * 1024) /* unless the route sets another */

/* One path that is served. A caller that needs more per route embeds this as the first member of its own struct. */
struct http_route {
    const char *method;
    const char *path;   /* "/api/v1/node/{id}": braces mark a parameter, one segment, unescaped */
    unsigned listeners; /* enum http_listener */
    size_t body_max;    /* bytes; 0: HTTP_BODY_MAX. Enforced before the body is read */
    bool reserved;      /* answered however many connections are open; the path must have no parameters */
};

/* A table of count routes, each stride bytes. */
struct http_table {
    const void *routes;
    size_t count, stride;
};
const struct http_route *http_table_at(const struct http_table *table, size_t i);

struct http_pair {
    const char *name, *value;
};

/* An answer of unknown length. Its owner makes it with an additional reference, which closed releases. */
struct http_source {
    /* Copies up to max bytes. 0: none yet; resume, as passed to attach, will be called (wait is called first, so that
     * resume never comes too early); -1: the end. */
    long (*take)(struct http_source *s, char *bytes, size_t max, void (*wait)(void *arg));
    /* gone: whether the client has closed its end, asked of the kernel now; only for a source that waits. */
    void (*attach)(struct http_source *s, void (*resume)(void *arg), bool (*gone)(void *arg), void *arg);
    void (*closed)(struct http_source *s); /* the last call: the client is gone, or never was there */
};

struct http_exchange;
struct http_request;
typedef enum http_flow http_continuation(struct http_request *r);

/* The first member of the options.request_size bytes that are allocated per request. */
struct http_request {
    struct work work; /* first: this and what follows up to known belong to this room */
    struct http *http;
    struct http_exchange *exchange;
    http_continuation *then;
    bool known; /* to the caller: over must still be called */

    /* as received; texts belong to the request */
    enum http_listener listener;
    char method[16];
    char *target;        /* undecoded, with the query */
    char *authorization; /* NULL: none */
    char *if_match, *idempotency_key, *last_event_id, *accept, *content_type, *cookie;
    const char *origin; /* origin whose pages may read the answer, or "*"; NULL: none */
    bool origin_counts; /* another origin would get a different answer */
    bool takes_zstd;    /* as a content coding */
    char peer[64];      /* the client's address, also behind trusted proxies, for the log; "": the unix socket */
    int peer_fd;        /* the unix socket, to find its peer's name; -1: none */
    bool peer_is_local; /* from this machine, and not through a proxy */
    struct buf body;
    bool body_follows; /* announced by the head */
    bool too_large;    /* the body exceeds its route's bound */
    int64_t began_us;

    /* parsed from it */
    struct arena arena;
    const struct http_route *route; /* NULL: see allow */
    char allow[64];                 /* methods of the path, separated by ", "; "": no such path */
    bool malformed;                 /* the path has a bad escape */
    const char *path;               /* undecoded, without the query; in the arena */
    const char *params[HTTP_PARAMS_MAX];

    /* the answer: filled in by http_reply and the functions below */
    int status; /* 0: none yet */
    const char *content_type_out;
    const char *encoding; /* NULL: out is not encoded */
    bool encoding_counts; /* the answer depends on Accept-Encoding */
    struct buf out;
    struct http_pair headers[6]; /* names are static, values in the arena */
    size_t header_count;
    struct http_source *source; /* instead of out */
    const struct buf *lent;     /* instead of out: bytes that outlive the room and never change */
};

struct http_options {
    const char *unix_socket; /* replaces a stale file and makes the folder */
    unsigned unix_mode;
    const char *metrics_addr;        /* "": none */
    struct prefixes trusted_proxies; /* copied */
    struct strs cors_origins;        /* origins whose pages may read answers in a browser; copied */
    const struct http_table *const *tables;
    size_t table_count;
    size_t request_size;
    /* Called with the head of a request whose body follows. If r has no answer afterwards, the body is read. */
    void (*admit)(void *arg, struct http_request *r);
    enum http_flow (*serve)(void *arg, struct http_request *r);
    /* Called once for each request that was passed to one of the functions above: its answer is made, or (status 0) its
     * client has gone. Releases what they took. */
    void (*over)(void *arg, struct http_request *r);
    void *arg;
};

/* Opens the unix socket and the metrics listener and starts. If it cannot open one, the error names the configuration
 * key. The options' texts and tables must outlive it. *out is set before the first request is served. */
int http_start(const struct http_options *options, struct http **out, struct err *e) WARN_UNUSED;
/* Refuses new requests, waits until those in flight are answered, closes everything, removes the socket and ends the
 * workers. */
void http_stop(struct http *h);

/* Takes a connection of the public listener from which nothing has been read, in any case. A stream socket of any kind
 * (TLS comes through a socketpair); peer: the address at its other end; reserved: http_is_reserved for its first
 * request. Any thread. */
void http_take_socket(struct http *h, int fd, const struct addr_port *peer, bool reserved);
/* Whether a request is for a reserved route: a place is kept for its connection. */
bool http_is_reserved(const struct http *h, const char *method, const char *path);

/* True once http_stop was called: long computations may stop early. */
const atomic_bool *http_stopping(const struct http *h);

struct http_counts {
    size_t active;                                 /* requests in flight */
    unsigned public_connections, unix_connections; /* open */
};
void http_counts(struct http *h, struct http_counts *out);

/* ---- while a request is served ---- */

/* Runs then on workers, and finishes the request if it returns so; returns HTTP_LATER. Any thread. */
enum http_flow http_later(struct http_request *r, enum http_workers which, http_continuation *then);
/* Runs work that belongs to no request. */
void http_run(struct http *h, enum http_workers which, struct work *work);

/* Parses "a=1&b=2". ERR_INVALID: a bad escape, a repeated name, or too many pairs. */
int http_query(struct arena *arena, const char *text, struct http_pair out[HTTP_QUERY_MAX], size_t *count,
               struct err *e) WARN_UNUSED;

#define HTTP_JSON "application/json"
#define HTTP_TEXT "text/plain; charset=utf-8"

/* Empties the answer, sets its status and type, and returns the buffer for its body. */
struct buf *http_reply(struct http_request *r, int status, const char *content_type);
enum http_flow http_reply_text(struct http_request *r, int status, const char *format, ...) PRINTF_LIKE(3, 4);
void http_header(struct http_request *r, const char *name, const char *value);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* The daemon's HTTP API as seen from a program: calls with JSON in and out, and the stream of events. Over the Unix
 * socket of this machine, or over https with a key. This room alone knows libcurl.
 *
 * A struct client belongs to one thread at a time; a second thread makes its own. Only client_abort may be called from
 * anywhere: it ends what the owner is waiting in. */
#ifndef COMMON_CLIENT_CLIENT_H
#define COMMON_CLIENT_CLIENT_H

#include "json/json.h"

#define CLIENT_ANSWER_MAX (256u << 20) /* bytes of one answer */
#define CLIENT_EVENT_MAX  (8u << 20)   /* bytes of one event of a stream */

/* Texts are borrowed by client_new and copied. */
struct client_options {
    const char *socket;     /* the Unix socket, used when address is NULL or "" */
    const char *address;    /* "https://host:port", or "host:port" for the same */
    const char *api_key;    /* for address */
    const char *user_agent; /* NULL: "headway/VERSION" */
    int64_t timeout_ms;     /* for connecting, and for an answer to begin; 0: 5 s. An answer may then take longer */
    bool insecure;          /* do not verify the certificate */
};

struct client;

/* ERR_INVALID for an address that is none, or one without a key. Nothing is sent yet. The caller owns *out. */
int client_new(const struct client_options *options, struct client **out, struct err *e) WARN_UNUSED;
void client_free(struct client *c);

/* The socket or the address, for messages. */
const char *client_target(const struct client *c);

struct client_call {
    const char *method, *path; /* "GET", "/api/v1/node?user=alice": the path is sent as it is, see client_escape */
    const json_t *body;        /* NULL: none */
    const char *if_match;      /* a version for If-Match, NULL: none */
    /* Not NULL: it gets the bytes of a good answer as they arrive, at most CLIENT_ANSWER_MAX, and there is no json. A
     * result other than 0 ends the call with it. */
    int (*bytes)(void *arg, const char *bytes, size_t len);
    void *arg;
    /* answers */
    int status;   /* HTTP status, 0 when there was no answer */
    bool sent;    /* the request left: without an answer, nobody knows whether it was carried out */
    json_t *json; /* the answer's JSON, also of an error, or NULL; the caller's (json_decref) */
};

/* Sends and waits. 0 for a status of 200 to 299. Otherwise the message in *e is the server's own; the code is made from
 * the status. A change (any method but GET) carries an Idempotency-Key and is sent again where the connection breaks,
 * for timeout_ms: it is made once. ERR_UNAVAILABLE: nobody answers there. ERR_DENIED: no right to open the socket.
 * ERR_TIMEOUT. ERR_BUSY: after client_abort. */
int client_call(struct client *c, struct client_call *call, struct err *e) WARN_UNUSED;

/* What the server said when it refused the last call, whole, where an err cuts it off; NULL: it did not refuse it.
 * Borrowed until the next call. */
const char *client_words(const struct client *c);

/* The most common form: method, path, body (NULL: none); *out (may be NULL) is the caller's. */
int client_json(struct client *c, const char *method, const char *path, const json_t *body, json_t **out,
                struct err *e) WARN_UNUSED;

/* Appends text with everything but unreserved characters escaped, for one segment of a path or a value of a query. */
void client_escape(struct buf *out, const char *text);

/* ---- the stream of events ---- */

struct client_stream {
    /* An event: its name ("message" when the server names none), its data, and its id ("" without one). A result other
     * than 0 ends the stream with that result. Texts are borrowed. */
    int (*event)(void *arg, const char *name, const char *id, const char *data, size_t len);
    /* The stream is open (why NULL), or it broke and is tried again after delay_ms. May be NULL. */
    void (*state)(void *arg, const struct err *why, int64_t delay_ms);
    /* Something came, be it only the server's sign of life, which it gives every API_ALIVE_MS. May be NULL. */
    void (*alive)(void *arg);
    void *arg;
};

/* Follows path (which may have a query) from the event since ("" for the newest) on until it is told to stop: after a
 * break it connects again by itself and asks for what came after the last id that it saw. It returns the callback's
 * result, ERR_BUSY after client_abort, or what trying again cannot mend: ERR_GONE (the server does not know the id any
 * more: take a new snapshot), ERR_UNAUTHENTICATED, ERR_DENIED, ERR_MISSING, ERR_INVALID. */
int client_follow(struct client *c, const char *path, const char *since, const struct client_stream *stream,
                  struct err *e) WARN_UNUSED;

/* Any thread: what c waits in, now or next, returns ERR_BUSY at once. */
void client_abort(struct client *c);
/* The owner: calls work again. */
void client_resume(struct client *c);

/* ---- documents of other servers ---- */

/* GETs url (http or https, certificates verified, up to five redirections) and appends what it answers to out, within
 * out's ceiling. stop (may be NULL) is asked about once a second whether to give
 * up. Only a status of 200 is no error. */
int client_fetch(const char *url, int64_t timeout_ms, bool (*stop)(void *arg), void *arg, struct buf *out,
                 struct err *e) WARN_UNUSED;

/* ---- the parts of a stream, for tests and fuzzing ---- */

/* text/event-stream, fed in pieces of any size. */
struct sse {
    struct buf line, data, name;
    struct buf id, next_id; /* of the last whole event; of the one that is being read */
    bool after_cr, first_line_done;
    int (*event)(void *arg, const char *name, const char *id, const char *data, size_t len);
    void *arg;
};
void sse_init(struct sse *s, int (*event)(void *arg, const char *name, const char *id, const char *data, size_t len),
              void *arg);
void sse_release(struct sse *s);
void sse_restart(struct sse *s); /* a new connection: what is half read is dropped, the last id is kept */
/* 0, the callback's result, or ERR_TOOBIG for an event over CLIENT_EVENT_MAX. */
int sse_feed(struct sse *s, const char *bytes, size_t len) WARN_UNUSED;

struct sockaddr;

/* A question to somebody else's server. Redirections are not followed. */
struct client_question {
    const char *url;
    const char *name;          /* what messages call it instead of the URL, where that is a secret; NULL: the URL */
    const char *form;          /* NULL: a GET; else a POST of application/x-www-form-urlencoded */
    const char *authorization; /* "Bearer ...", without control characters; NULL: none */
    const char *json;          /* NULL: none; else a POST of application/json */
    size_t json_len;           /* its length */
    const char *header;        /* one more, "Name: value"; NULL: none */
    int64_t timeout_ms;        /* for all of it */
    bool (*stop)(void *arg);   /* NULL: nothing ends it */
    /* Not NULL: asked about each address before it is connected to, whatever the name was looked up to; no proxy is
     * used then. A result other than 0 refuses it, with its message. Any thread. */
    int (*address)(void *arg, const struct sockaddr *address, struct err *e);
    void *arg;
};
/* Appends the answer's body, whatever its status, to out, whose bound holds; out NULL: what follows the status is not
 * read, and no error. ERR_UNAVAILABLE, ERR_DENIED for an address that was refused, ERR_TOOBIG; messages name the URL
 * only. */
int client_ask(const struct client_question *q, struct buf *out, long *status, struct err *e) WARN_UNUSED;

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* A client of the daemon's HTTP API: calls with JSON in both directions, and the stream of events, over this
 * machine's Unix socket or over https with an API key. Only this room uses libcurl. A struct client belongs to one
 * thread at a time; other threads create their own. Only client_abort may be called by any thread: it interrupts the
 * owner's wait. */
#ifndef COMMON_CLIENT_CLIENT_H
#define COMMON_CLIENT_CLIENT_H

#include "json/json.h"

#define CLIENT_ANSWER_MAX (256u << 20) /* bytes in an answer */
#define CLIENT_EVENT_MAX  (8u << 20)   /* bytes in an event of a stream */

/* client_new copies the strings. */
struct client_options {
    const char *socket;     /* the Unix socket, used if address is NULL or "" */
    const char *address;    /* "https://host:port", or "host:port" with the same meaning */
    const char *api_key;    /* for address */
    const char *user_agent; /* NULL: "headway/VERSION" */
    int64_t timeout_ms;     /* for connecting, and for the answer to begin; 0: 5 s */
    bool insecure;          /* do not verify the certificate */
};

struct client;

/* ERR_INVALID for an invalid address or an address without a key. Sends nothing. The caller owns *out. */
int client_new(const struct client_options *options, struct client **out, struct err *e) WARN_UNUSED;
void client_free(struct client *c);

/* The socket or the address, for messages. */
const char *client_target(const struct client *c);

struct client_call {
    const char *method, *path; /* "GET", "/api/v1/node?user=alice"; the path is sent unchanged, see client_escape */
    const json_t *body;        /* NULL: none */
    const char *if_match;      /* a version for If-Match; NULL: none */
    /* If not NULL, receives the body of a successful answer as it arrives, at most CLIENT_ANSWER_MAX bytes; json is
     * then NULL. A result other than 0 ends the call and becomes its result. */
    int (*bytes)(void *arg, const char *bytes, size_t len);
    void *arg;
    /* The members below are set by client_call. */
    int status;   /* HTTP status, 0 if there was no answer */
    bool sent;    /* the request was sent: if there is no answer, it may have been carried out */
    json_t *json; /* the JSON of the answer, even of an error, or NULL; the caller owns it (json_decref) */
};

/* Sends a call and waits for the answer. Returns 0 for a status of 200 to 299; otherwise *e has the server's message
 * and a code derived from the status. A change (any method but GET) carries an Idempotency-Key and is repeated for up
 * to timeout_ms if the connection breaks; the server makes it only once. ERR_UNAVAILABLE: no server answers.
 * ERR_DENIED: no permission to open the socket. ERR_TIMEOUT. ERR_BUSY: after client_abort. */
int client_call(struct client *c, struct client_call *call, struct err *e) WARN_UNUSED;

/* The server's complete message for the last call, which a struct err may truncate; NULL if the call was not refused.
 * Valid until the next call. */
const char *client_words(const struct client *c);

/* The common form: method, path, body (NULL: none); *out (may be NULL) is owned by the caller. */
int client_json(struct client *c, const char *method, const char *path, const json_t *body, json_t **out,
                struct err *e) WARN_UNUSED;

/* Appends text as one path segment or query value, escaping everything but unreserved characters. */
void client_escape(struct buf *out, const char *text);

/* ---- the stream of events ---- */

struct client_stream {
    /* Receives an event: its name ("message" if the server sends none), data and id ("" if none). A result other than 0
     * ends the stream and becomes its result. The strings are borrowed. */
    int (*event)(void *arg, const char *name, const char *id, const char *data, size_t len);
    /* The stream is open (why is NULL), or it broke and is retried after delay_ms. May be NULL. */
    void (*state)(void *arg, const struct err *why, int64_t delay_ms);
    /* Something arrived, if only the keepalive that the server sends every API_ALIVE_MS. May be NULL. */
    void (*alive)(void *arg);
    void *arg;
};

/* Follows path (which may have a query) from the event since on ("" for the newest) until it is stopped. After a break
 * it reconnects and asks for the events after the last id. Returns the callback's result, ERR_BUSY after client_abort,
 * or an error that retrying cannot fix: ERR_GONE (the server no longer has that event: fetch a new snapshot),
 * ERR_UNAUTHENTICATED, ERR_DENIED, ERR_MISSING, ERR_INVALID. */
int client_follow(struct client *c, const char *path, const char *since, const struct client_stream *stream,
                  struct err *e) WARN_UNUSED;

/* May be called by any thread: the present or next wait of c returns ERR_BUSY at once. */
void client_abort(struct client *c);
/* Called by the owner: makes calls possible again. */
void client_resume(struct client *c);

/* ---- documents of other servers ---- */

/* Fetches url (http or https, with verified certificates, up to five redirections) and appends the answer to out,
 * within its ceiling. stop (may be NULL) is called about once a second and returns true to give up. Any status other
 * than 200 is an error. */
int client_fetch(const char *url, int64_t timeout_ms, bool (*stop)(void *arg), void *arg, struct buf *out,
                 struct err *e) WARN_UNUSED;

/* ---- the parts of a stream, for tests and fuzzing ---- */

/* A parser of text/event-stream, fed with any amount of bytes at a time. */
struct sse {
    struct buf line, data, name;
    struct buf id, next_id; /* the last complete event; the one being read */
    bool after_cr, first_line_done;
    int (*event)(void *arg, const char *name, const char *id, const char *data, size_t len);
    void *arg;
};
void sse_init(struct sse *s, int (*event)(void *arg, const char *name, const char *id, const char *data, size_t len),
              void *arg);
void sse_release(struct sse *s);
void sse_restart(struct sse *s); /* for a new connection: drops an incomplete event, keeps the last id */
/* 0, the callback's result, or ERR_TOOBIG for an event larger than CLIENT_EVENT_MAX. */
int sse_feed(struct sse *s, const char *bytes, size_t len) WARN_UNUSED;

struct sockaddr;

/* A request to another server. Redirections are not followed. */
struct client_question {
    const char *url;
    const char *name;          /* used in messages in place of a secret URL; NULL: the URL */
    const char *form;          /* NULL: a GET; otherwise a POST of application/x-www-form-urlencoded */
    const char *authorization; /* "Bearer ...", without control characters; NULL: none */
    const char *json;          /* NULL: none; otherwise a POST of application/json */
    size_t json_len;           /* length of json */
    const char *header;        /* an additional "Name: value"; NULL: none */
    int64_t timeout_ms;        /* for the whole request */
    bool (*stop)(void *arg);   /* returns true to give up; NULL: never */
    /* If not NULL, called for each address before connecting to it, whatever name it was resolved from; no proxy is
     * used then. A result other than 0 refuses the address with the message in *e. Called in any thread. */
    int (*address)(void *arg, const struct sockaddr *address, struct err *e);
    void *arg;
};
/* Appends the body of the answer, whatever its status, to out, within its ceiling; if out is NULL, nothing after the
 * status is read, which is not an error. ERR_UNAVAILABLE; ERR_DENIED for a refused address; ERR_TOOBIG. Messages
 * contain nothing but the URL (or name) of the request. */
int client_ask(const struct client_question *q, struct buf *out, long *status, struct err *e) WARN_UNUSED;

#endif

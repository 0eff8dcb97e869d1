/* SPDX-License-Identifier: BSD-3-Clause */
/* A call of the API, and a request for one.
 *
 * A resource's file holds the functions that serve it and one table of its calls: each row has the path, the function,
 * the right it needs, the members of body and query, and the form of the answer. The dialect is a column of that row:
 * the function reads arguments by name and answers with an object, and args.c, reply.c and change.c adapt both to the
 * dialect. */
#ifndef SERVER_API_REQUEST_ENDPOINT_H
#define SERVER_API_REQUEST_ENDPOINT_H

#include "api/request/state.h"
#include "core/core.h"

#define API_LISTENERS (HTTP_PUBLIC | HTTP_UNIX)

enum api_need { NEED_NOTHING, NEED_READ, NEED_ADMIN };

/* How arguments are read, and what answers and errors look like: lines of text, headscale's objects (with the errors of
 * both its generations), Tailscale's, or headway's. */
enum dialect { DIALECT_TEXT, DIALECT_V1, DIALECT_V2, DIALECT_HEADWAY };

struct rest_request;
typedef enum http_flow api_handler(struct rest_request *r);

/* One call. Members of body, query and answer are "name:kind", separated by blanks. Kinds: text, bool, number, id (a
 * decimal number as text), time, object, and the names of the schemas in docs.c; a trailing [] makes a list. */
struct api_endpoint {
    struct http_route http;
    api_handler *run;
    enum api_need need;
    enum auth_scope scope; /* what an access token also needs; SCOPE_NONE left in by mistake refuses every token */
    bool raw;              /* the body is not a JSON object: the function reads http.body itself */
    enum dialect dialect;
    const char *id;     /* name of the operation, from which client generators name functions; NULL: none */
    const char *body;   /* NULL: not read, "": an object without members. /api/headway refuses members not listed */
    const char *query;  /* NULL: none */
    const char *answer; /* NULL: {} */
    const char *help;   /* one sentence */
};

/* The first part of a row. */
#define V1(how, where)                                                                                                 \
    .http.method = (how), .http.path = "/api/v1" where, .http.listeners = API_LISTENERS, .dialect = DIALECT_V1
#define V2(how, where)                                                                                                 \
    .http.method = (how), .http.path = "/api/v2" where, .http.listeners = API_LISTENERS, .dialect = DIALECT_V2
#define HEADWAY(how, where)                                                                                            \
    .http.method = (how), .http.path = "/api/headway" where, .http.listeners = API_LISTENERS, .dialect = DIALECT_HEADWAY
/* For the administrator of the machine. */
#define LOCAL(how, where)                                                                                              \
    .http.method = (how), .http.path = "/api/headway" where, .http.listeners = HTTP_UNIX, .dialect = DIALECT_HEADWAY
#define PAGE(how, where, at) .http.method = (how), .http.path = (where), .http.listeners = (at), .dialect = DIALECT_TEXT

#define API_TABLE(rows)                                                                                                \
    {                                                                                                                  \
        .routes = (rows), .count = ARRAY_LEN(rows), .stride = sizeof((rows)[0])                                        \
    }

/* The rows of all tables, in sequence. */
size_t endpoint_count(const struct api *api);
const struct api_endpoint *endpoint_at(const struct api *api, size_t i);

struct rest_request {
    struct http_request http; /* first */
    struct api *api;
    const struct api_endpoint *endpoint; /* never NULL: an unknown path gets one without a function */
    struct http_pair query[HTTP_QUERY_MAX];
    size_t query_count;
    json_t *json;  /* the body, an object; NULL: none */
    bool admitted; /* authenticated already: a body followed the head */
    struct auth_who who;
    const struct tailnet_snapshot *s; /* as of the request's arrival */
    bool dry_run, has_match, healthy, wrong_method;
    uint64_t match;
    const char *token; /* Idempotency-Key; NULL: none */
    size_t token_len;

    struct core_admin admin;
    struct core_elections elections;      /* a copy, if requested */
    const struct tailnet_snapshot *after; /* includes the core's change; NULL: the core was not asked */
    api_handler *then;                    /* continuation */
    void (*release)(void *state);         /* frees state when the request ends; NULL: nothing to free */
    api_handler *compute;                 /* run by heavy.c */
    struct rest_request *next;            /* in the list of those that wait for health */
    void *state;                          /* the handler's own, for its continuation; in the arena */
    struct err err;
    const char *words; /* in the arena: the error message where a struct err is too short for it; NULL: the err's */
};

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of this room know of each other.
 *
 * A resource's file holds the functions that serve it and one table of its calls: each row names path, function, right,
 * members of body and query, the form of the answer. A dialect is a column of that row: the function asks for arguments
 * by name and answers with an object, and args.c, reply.c and change.c do what the dialect wants. */
#ifndef SERVER_API_PRIVATE_H
#define SERVER_API_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/api.h"
#include "auth/auth.h"
#include "base/array.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "http/http.h"
#include "model/api.h"

#define DOORS_API (HTTP_PUBLIC | HTTP_UNIX)

enum api_need { NEED_NOTHING, NEED_READ, NEED_ADMIN };

/* How arguments are read and how answers and errors look: lines of text, headscale's objects (errors in the words of
 * both its generations), or our own. */
enum dialect { DIALECT_TEXT, DIALECT_V1, DIALECT_HEADWAY };

struct api_request;
typedef enum http_flow api_handler(struct api_request *r);

/* One call. Members of body, query and answer are "name:kind" separated by blanks. Kinds: text, bool, number, id (a
 * decimal number as text), time, object, the names of docs.c's schemas; with [] behind them lists. */
struct api_endpoint {
    struct http_route http;
    api_handler *run;
    enum api_need need;
    enum dialect dialect;
    const char *id;    /* the name of the operation, from which generated clients make names of functions; NULL: none */
    const char *body;  /* NULL: none is read, "": an object without members. Ours refuse members that are not here */
    const char *query; /* NULL: none */
    const char *answer; /* NULL: {} */
    const char *help;   /* one sentence */
};

/* The first part of a row. */
#define V1(how, where)                                                                                                 \
    .http.method = (how), .http.path = "/api/v1" where, .http.doors = DOORS_API, .dialect = DIALECT_V1
#define HEADWAY(how, where)                                                                                            \
    .http.method = (how), .http.path = "/api/headway" where, .http.doors = DOORS_API, .dialect = DIALECT_HEADWAY
#define PAGE(how, where, at) .http.method = (how), .http.path = (where), .http.doors = (at), .dialect = DIALECT_TEXT

#define API_TABLE(rows)                                                                                                \
    {                                                                                                                  \
        .routes = (rows), .count = ARRAY_LEN(rows), .stride = sizeof((rows)[0])                                        \
    }

/* One a resource, by file; api.c hands them to the router. */
extern const struct http_table users_table, preauthkeys_table, apikeys_table, nodes_table, routes_table, pending_table,
    policy_table, explain_table, journal_table, server_table, snapshot_table, docs_table, pages_table, devices_table,
    metrics_table, debug_table;
extern const struct http_table *const api_tables[];
extern const size_t api_table_count;
/* Their rows, one after the other. */
size_t api_endpoint_count(void);
const struct api_endpoint *api_endpoint_at(size_t i);

struct event_hub;
struct relay_names;
struct answer_counts;

struct api {
    struct api_options with;
    const struct config *config; /* changes by reload, read through api_config */
    struct auth *auth;
    struct http *http;
    struct event_hub *hub;
    int64_t started_ns;

    pthread_mutex_t lock; /* of what follows, and of config */
    struct {
        bool asking, ok;
        int64_t asked_ms, known_ms;
        struct api_request *waiting; /* linked by next */
        struct work work;
    } ping;
    struct relay_names *relays;
    struct answer_counts *counts; /* of answers by call and status: metrics.c */
};

const struct config *api_config(struct api *api); /* with a reference: config_unref */

struct api_request {
    struct http_request http; /* first */
    struct api *api;
    const struct api_endpoint *endpoint; /* never NULL: paths that nobody has get one without a function */
    struct http_pair query[HTTP_QUERY_MAX];
    size_t query_count;
    json_t *json;  /* of the body, an object; NULL: none */
    bool admitted; /* who is known: a body followed the head */
    struct auth_who who;
    const struct tailnet_snapshot *s; /* as of the arrival */
    bool dry_run, has_match, healthy, wrong_method;
    uint64_t match;

    struct core_admin admin;
    const struct tailnet_snapshot *after; /* holds what the core answered; NULL: it was not asked */
    api_handler *then;                    /* continuation */
    struct api_request *next;             /* of those that wait for health */
    void *state;                          /* the handler's, for its continuation; in the arena */
    struct err err;
    const char *words; /* in the arena: the message of the error where an err is too short for it, NULL: that one */
};

/* ---- request.c ---- */

/* The three that server/http calls. */
void request_admit(void *arg, struct http_request *r);
enum http_flow request_serve(void *arg, struct http_request *r);
void request_over(void *arg, struct http_request *r);
/* Runs then on workers, and afterwards finishes the request; returns HTTP_LATER. */
enum http_flow request_later(struct api_request *r, enum http_workers which, api_handler *then);
/* Sends r->admin to the core; then runs on a worker when it is answered (r->admin.call.code and .err). */
enum http_flow request_admin(struct api_request *r, api_handler *then);

/* ---- args.c: what was asked, by name: the body's member, else the query's ---- */

/* Each leaves *out as it was when the argument is absent or null, and returns 0; else ERR_INVALID with the name. On
 * /api/v1 names are taken in snake_case and any case too, and numbers, texts and booleans for each other. */
const char *arg_query(const struct api_request *r, const char *name); /* NULL: absent */
json_t *arg_json(const struct api_request *r, const char *name);      /* NULL: absent or null */
int arg_text(struct api_request *r, const char *name, const char **out) WARN_UNUSED;
int arg_bool(struct api_request *r, const char *name, bool *out) WARN_UNUSED;
int arg_id(struct api_request *r, const char *name, uint64_t *out) WARN_UNUSED; /* "" is 0 */
int arg_time(struct api_request *r, const char *name, int64_t *out) WARN_UNUSED;
int arg_texts(struct api_request *r, const char *name, struct strs *out, bool *given) WARN_UNUSED;
int arg_prefixes(struct api_request *r, const char *name, struct prefixes *out, bool *given) WARN_UNUSED;
int arg_user(struct api_request *r, const char *name, const struct user **out) WARN_UNUSED; /* by id or by name */
int param_id(struct api_request *r, size_t i, uint64_t *out) WARN_UNUSED;
/* The members of the body are among those of the row; else ERR_INVALID that names them. */
int args_known(struct api_request *r, const char *members) WARN_UNUSED;

/* ---- reply.c ---- */

struct json_out reply_json(struct api_request *r);  /* empties the answer: 200 and JSON to be written */
enum http_flow reply_object(struct api_request *r); /* {} */
enum http_flow reply_error(struct api_request *r, const struct err *e); /* in the call's dialect */
enum http_flow reply_error_with(struct api_request *r, const struct err *e,
                                const char *current); /* current: JSON, or NULL */
enum http_flow reply_code(struct api_request *r, int code, const char *format, ...) PRINTF_LIKE(3, 4);
/* With the problems' own words; without an error among them like reply_error. */
enum http_flow reply_problems(struct api_request *r, const struct err *e, const struct policy_problems *problems);
/* The body of an error. */
void error_write(struct buf *out, enum dialect dialect, int status, const struct err *e, const char *words,
                 const char *current); /* words NULL: the message of e */

/* ---- view.c: from a snapshot to the API's structs; memory from the arena or borrowed from the snapshot ---- */

struct relay_name {
    uint64_t id;
    char *code, *name;
};
struct relay_names { /* of one DERP map */
    atomic_uint refs;
    uint64_t version;
    struct relay_name *items;
    size_t len;
};
struct relay_names *relays_get(struct api *api, const struct tailnet_snapshot *s);
void relays_unref(struct relay_names *relays);

struct api_view {
    const struct tailnet_snapshot *s;
    const struct relay_names *relays; /* NULL: no names of relays */
    struct map nodes;                 /* id -> struct tailnet_node, filled when it is asked for often */
    bool nodes_filled;
    unsigned lookups;
};
void show_init(struct api_view *v, struct api *api, const struct tailnet_snapshot *s);
void show_release(struct api_view *v);
const struct tailnet_node *show_find_node(struct api_view *v, uint64_t id);

void show_user(const struct user *u, struct api_user *out); /* node_count stays 0 */
void show_preauth_key(struct api_view *v, const struct preauth_key *k, struct arena *a, struct api_preauth_key *out);
void show_api_key(const struct api_key *k, struct arena *a, struct api_api_key *out);
void show_node(struct api_view *v, const struct tailnet_node *n, struct arena *a, struct api_node *out);
void show_node_routes(struct api_view *v, const struct tailnet_node *n, struct arena *a, struct api_node *out);
void show_pending(struct api_view *v, const struct pending *p, struct arena *a, struct api_pending *out);
void show_event(const struct event *e, struct api_event *out); /* without its inverse */
/* The prefixes of the tailnet in their order, or only those of which only (not NULL) has one. */
void show_prefixes(struct api_view *v, const struct prefixes *only, struct arena *a, struct api_list *out);
const struct tailnet_node **show_nodes_by_id(const struct tailnet_snapshot *s, size_t *count); /* free() */
/* How many nodes each user has, by the index of snapshot.users; free(). */
uint64_t *show_node_counts(const struct tailnet_snapshot *s);

/* ---- objects.c: whole lists and objects into an answer ---- */

void write_node(struct json_out *o, struct api_view *v, const struct tailnet_node *n, enum api_scope scope);
void write_nodes(struct json_out *o, struct api_view *v, enum api_scope scope);
void write_user(struct json_out *o, struct api_view *v, const struct user *u, enum api_scope scope);
void write_users(struct json_out *o, struct api_view *v, enum api_scope scope);
void write_preauth_key(struct json_out *o, struct api_view *v, const struct preauth_key *k, const char *whole,
                       enum api_scope scope);
void write_preauth_keys(struct json_out *o, struct api_view *v, enum api_scope scope);
void write_api_key(struct json_out *o, const struct api_key *k, const char *whole, enum api_scope scope);
void write_api_keys(struct json_out *o, struct api_view *v, enum api_scope scope);
void write_pending(struct json_out *o, struct api_view *v, const struct pending *p);
void write_pendings(struct json_out *o, struct api_view *v, enum api_scope scope);
void write_prefixes(struct json_out *o, struct api_view *v, enum api_scope scope);
void write_event(struct json_out *o, const struct event *e);
void write_findings(struct json_out *o, const struct policy_problems *found); /* of a policy */
void write_event_id(struct json_out *o, const char *key, uint64_t run, uint64_t seq);

/* {"NAME": [...]}, what write writes. */
typedef void write_list(struct json_out *o, struct api_view *v, enum api_scope scope);
enum http_flow reply_list(struct api_request *r, const char *name, write_list *write);
enum api_scope scope_of(const struct api_request *r);

/* ---- change.c: an operation of the core ---- */

/* Sends r->admin and answers: on /api/v1 with the object, or {} where the row says nothing of an answer; on
 * /api/headway with {"event","version","result","inverse","text"}. */
enum http_flow change(struct api_request *r, enum admin_op op);
enum http_flow change_id(struct api_request *r, enum admin_op op); /* of the object whose id stands first in the path */
enum http_flow change_done(struct api_request *r);                 /* the answer, as a continuation */
/* The members of an answer that tell of a change: event, events, version, inverse, text. */
void write_change(struct json_out *o, const struct core_admin *a);
enum http_flow policy_change(struct api_request *r); /* policy.c: r->admin is filled */

/* ---- operations.c: operations of the core as calls of /api/headway, and back ---- */

#define STORED_MAX (16U << 20) /* of an entry's inverse: a policy of 4 MiB with its escapes */

/* Writes {"method","path","body"} of what the journal keeps; false: there is no such call. */
bool operation_as_call(const char *stored, struct buf *out);
/* Fills op and fields of *out; its texts are borrowed from *fields, the caller's (json_decref). */
int operation_read(struct arena *arena, const char *stored, json_t **fields, struct core_admin *out,
                   struct err *e) WARN_UNUSED;

#define POLICY_BODY_MAX                                                                                                \
    ((size_t)2 * POLICY_TEXT_MAX + 4096)         /* JSON may write a line's end and a quote in two bytes               \
                                                  */
const char *policy_mode(const struct config *c); /* "file" or "database" */

#define EVENTS_PAGE_MAX 1000 /* entries of the journal in one answer */

/* ---- diff.c ---- */

/* Members "changed" and "removed": what leads from one snapshot to another; all empty where they are the same. */
void write_difference(struct json_out *o, struct api *api, const struct tailnet_snapshot *was,
                      const struct tailnet_snapshot *is);

/* ---- events.c: the stream ---- */

int hub_start(struct api *api, struct event_hub **out, struct err *e) WARN_UNUSED;
void hub_end_streams(struct event_hub *hub); /* each stream ends; no new ones */
void hub_stop(struct event_hub *hub);
void hub_expect(struct event_hub *hub); /* somebody took a snapshot and will soon follow from it */
size_t hub_streams(struct event_hub *hub);
/* Answers with the stream; since NULL or "": from now on. */
enum http_flow events_follow(struct api_request *r, const char *since);

/* ---- metrics.c ---- */

void counts_init(struct api *api);
void count_answer(struct api *api, const struct api_request *r);
void counts_free(struct api *api);

/* ---- pages.c: a page in HTML, of which the caller writes the body into out; page_text escapes what it is given ----
 */

void html_escape(struct buf *out, const char *text);
void page_begin(struct api_request *r, int status, const char *title);
void page_text(struct api_request *r, const char *element, const char *text);
enum http_flow page_end(struct api_request *r);

#endif

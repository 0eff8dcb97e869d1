/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to the HTTP room.
 *
 * The life of a request: server.c gathers it (libmicrohttpd's thread), request.c reads its target, key and body and
 * calls the route's handler (a worker), the handler writes the answer into the request. Where it must wait (for the
 * core, for a disk) it returns LATER and a continuation finishes it on a worker. Exactly one thread at a time owns a
 * request. Handlers know nothing of libmicrohttpd. */
#ifndef SERVER_HTTP_PRIVATE_H
#define SERVER_HTTP_PRIVATE_H

#include <pthread.h>

#include "auth/auth.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/thread.h"
#include "base/vec.h"
#include "http/http.h"
#include "model/api.h"
#include "json/json.h"

#define BODY_MAX    (1024 * 1024)
#define TARGET_MAX  8192
#define PARAMS_MAX  4
#define QUERY_MAX   32
#define HEADERS_MAX 6

enum door { DOOR_PUBLIC = 1, DOOR_UNIX = 2, DOOR_METRICS = 4 };
#define DOORS_API (DOOR_PUBLIC | DOOR_UNIX)

enum need { NEED_NOTHING, NEED_READ, NEED_ADMIN };

/* How an error reads: a line of text, headscale's object (both generations in one), or ours. */
enum dialect { DIALECT_TEXT, DIALECT_V1, DIALECT_HEADWAY };

enum flow { DONE, LATER };

struct request;
typedef enum flow handler(struct request *r);

struct route {
    const char *method;
    const char *path; /* "/api/v1/node/{id}": what stands in braces is a parameter, one segment, unescaped */
    handler *run;
    enum need need;
    unsigned doors;
    enum dialect dialect;
    const char *takes; /* members of the body, separated by blanks; NULL: none. Ours refuse all others */
    const char *query; /* parameters behind '?', NULL: none */
    const char *help;  /* one sentence */
};
extern const struct route http_routes[];
extern const size_t http_route_count;

struct pair {
    const char *name, *value;
};

struct hub;
struct stream_out;

struct http {
    struct http_options with;
    const struct config *config; /* changes by reload, read through http_config */
    struct auth *auth;
    struct workers fast, disk, health; /* health: one thread, which a hung core may keep */
    struct hub *hub;
    struct server *server;
    int64_t started_ns;

    pthread_mutex_t lock; /* of what follows, and of config */
    pthread_cond_t idle;
    size_t active; /* requests between whole and answered */
    bool stopping;
    struct {
        bool asking, ok;
        int64_t asked_ms, known_ms;
        struct request *waiting; /* linked by next */
        struct work work;
    } ping;
    struct relays *relays;
    struct counted *counted; /* count of answers by method, route and status: metrics.c */
};

const struct config *http_config(struct http *h); /* with a reference: config_unref */

struct request {
    struct http *h;
    struct request *next;
    struct work work;
    void (*answered)(struct request *r); /* the answer is complete; the owner frees the request */
    void *owner;                         /* of whoever made it */

    /* as it came; texts are the request's own */
    enum door door;
    char method[16];
    char *target;        /* undecoded, with the query */
    char *authorization; /* NULL: none */
    char *if_match, *last_event_id, *accept, *forwarded_for;
    char peer[64]; /* address of the other end, for the log */
    int peer_fd;   /* of the unix socket, for its peer's name; -1: none */
    bool peer_is_local;
    struct buf body;
    bool too_large;

    /* read from it */
    struct arena arena;
    const struct route *route;
    const char *params[PARAMS_MAX];
    struct pair query[QUERY_MAX];
    size_t query_count;
    json_t *json; /* of the body, an object; NULL: none */
    struct auth_who who;
    const struct tailnet_snapshot *s; /* as of the arrival */
    bool dry_run, has_match, healthy, wrong_method;
    uint64_t match;

    /* work */
    struct core_admin admin;
    const struct tailnet_snapshot *after; /* holds what the core answered; NULL: it was not asked */
    handler *then;                        /* continuation */
    void *owner_data;                     /* the handler's, for its continuation; in the arena */
    struct err err;
    const char *words; /* in the arena: the message of the error where an err is too short for it, NULL: that one */

    /* the answer */
    int status;
    const char *content_type;
    struct buf out;
    struct pair headers[HEADERS_MAX]; /* names are static, values in the arena */
    size_t header_count;
    struct stream_out *stream; /* instead of out: events.c */
    int64_t began_us;
};

/* ---- request.c ---- */

/* Takes a request that is whole through everything, on a worker. It ends with r->answered, once. */
void request_start(struct request *r);
void request_free(struct request *r);
/* Runs then on the pool's threads, and afterwards finishes the request; returns LATER. */
enum flow request_later(struct request *r, struct workers *by, handler *then);
/* Sends r->admin to the core; then runs on a worker when it is answered (r->admin.call.code and .err). */
enum flow request_admin(struct request *r, handler *then);

/* ---- router.c ---- */

/* Finds the route of method and path (undecoded, without query) for the door and fills params (in arena). NULL: allow
 * is then the methods that the path has, separated by ", ", or "" when nobody has that path. malformed becomes true for
 * bad escapes. */
const struct route *router_find(const char *method, const char *path, enum door door, struct arena *arena,
                                const char *params[PARAMS_MAX], char allow[64], bool *malformed);
/* %XX in place of bytes; NULL for a bad escape, a NUL or invalid UTF-8. plus: '+' is a blank. */
const char *unescape(struct arena *arena, const char *text, size_t len, bool plus);
int query_parse(struct arena *arena, const char *text, struct pair out[QUERY_MAX], size_t *count,
                struct err *e) WARN_UNUSED;

/* ---- args.c: what was asked, by name: the body's member, else the query's ---- */

/* Each leaves *out as it was when the argument is absent or null, and returns 0; else ERR_INVALID with the name. On
 * /api/v1 names are taken in snake_case and any case too, and numbers, texts and booleans for each other. */
const char *arg_query(const struct request *r, const char *name); /* NULL: absent */
json_t *arg_json(const struct request *r, const char *name);      /* NULL: absent or null */
int arg_text(struct request *r, const char *name, const char **out) WARN_UNUSED;
int arg_bool(struct request *r, const char *name, bool *out) WARN_UNUSED;
int arg_id(struct request *r, const char *name, uint64_t *out) WARN_UNUSED; /* "" is 0 */
int arg_time(struct request *r, const char *name, int64_t *out) WARN_UNUSED;
int arg_texts(struct request *r, const char *name, struct strs *out, bool *given) WARN_UNUSED;
int arg_prefixes(struct request *r, const char *name, struct prefixes *out, bool *given) WARN_UNUSED;
int arg_user(struct request *r, const char *name, const struct user **out) WARN_UNUSED; /* by id or by name */
int param_id(struct request *r, size_t i, const char *name, uint64_t *out) WARN_UNUSED;
/* The members of the body are among the blank-separated words; else ERR_INVALID that names the nearest. */
int args_known(struct request *r, const char *words) WARN_UNUSED;

/* ---- respond.c ---- */

#define TYPE_JSON "application/json"
#define TYPE_TEXT "text/plain; charset=utf-8"
#define TYPE_HTML "text/html; charset=utf-8"
#define TYPE_YAML "application/yaml"

struct json_out reply_json(struct request *r); /* empties the answer: 200 and JSON to be written */
enum flow reply_object(struct request *r);     /* {} */
enum flow reply_text(struct request *r, int status, const char *format, ...) PRINTF_LIKE(3, 4);
enum flow reply_error(struct request *r, const struct err *e);                           /* in the route's dialect */
enum flow reply_error_with(struct request *r, const struct err *e, const char *current); /* current: JSON, or NULL */
enum flow reply_code(struct request *r, int code, const char *format, ...) PRINTF_LIKE(3, 4);
void reply_header(struct request *r, const char *name, const char *value);
/* With the problems' own words; without an error among them like reply_error. */
enum flow reply_problems(struct request *r, const struct err *e, const struct policy_problems *problems);
/* The body of an error. */
void error_write(struct buf *out, enum dialect dialect, int status, const struct err *e, const char *words,
                 const char *current); /* words NULL: the message of e */

/* ---- view.c: from a snapshot to the API's structs; memory from the arena or borrowed from the snapshot ---- */

struct relay_entry {
    uint64_t id;
    char *code, *name;
};
struct relays { /* of one DERP map */
    atomic_uint refs;
    uint64_t version;
    struct relay_entry *items;
    size_t len;
};
struct relays *relays_get(struct http *h, const struct tailnet_snapshot *s);
void relays_unref(struct relays *relays);

struct view {
    const struct tailnet_snapshot *s;
    const struct relays *relays; /* NULL: no names of relays */
    struct map nodes;            /* id -> struct tailnet_node, filled when it is asked for often */
    bool nodes_filled;
    unsigned lookups;
};
void show_init(struct view *v, struct http *h, const struct tailnet_snapshot *s);
void show_release(struct view *v);
const struct tailnet_node *show_find_node(struct view *v, uint64_t id);

void show_user(const struct user *u, struct api_user *out); /* node_count stays 0 */
void show_preauth_key(struct view *v, const struct preauth_key *k, struct arena *a, struct api_preauth_key *out);
void show_api_key(const struct api_key *k, struct arena *a, struct api_api_key *out);
void show_node(struct view *v, const struct tailnet_node *n, struct arena *a, struct api_node *out);
void show_node_routes(struct view *v, const struct tailnet_node *n, struct arena *a, struct api_node *out);
void show_pending(struct view *v, const struct pending *p, struct arena *a, struct api_pending *out);
void show_event(const struct event *e, struct api_event *out); /* without its inverse */
/* The prefixes of the tailnet in their order, or only those of which only (not NULL) has one. */
void show_prefixes(struct view *v, const struct prefixes *only, struct arena *a, struct api_list *out);
const struct tailnet_node **show_nodes_by_id(const struct tailnet_snapshot *s, size_t *count); /* free() */
/* How many nodes each user has, by the index of snapshot.users; free(). */
uint64_t *show_node_counts(const struct tailnet_snapshot *s);

/* ---- objects.c: whole lists and objects into an answer ---- */

void write_node(struct json_out *o, struct view *v, const struct tailnet_node *n, enum api_scope scope);
void write_nodes(struct json_out *o, struct view *v, enum api_scope scope);
void write_user(struct json_out *o, struct view *v, const struct user *u, enum api_scope scope);
void write_users(struct json_out *o, struct view *v);
void write_preauth_key(struct json_out *o, struct view *v, const struct preauth_key *k, const char *whole,
                       enum api_scope scope);
void write_preauth_keys(struct json_out *o, struct view *v);
void write_api_key(struct json_out *o, const struct api_key *k, const char *whole, enum api_scope scope);
void write_api_keys(struct json_out *o, const struct tailnet_snapshot *s);
void write_pending(struct json_out *o, struct view *v, const struct pending *p);
void write_pendings(struct json_out *o, struct view *v);
void write_prefixes(struct json_out *o, struct view *v, const struct prefixes *only);
void write_event(struct json_out *o, const struct event *e);
void write_findings(struct json_out *o, const struct policy_problems *found); /* of a policy */
void write_event_id(struct json_out *o, const char *key, uint64_t run, uint64_t seq);

enum list { LIST_NODES, LIST_USERS, LIST_PREAUTH_KEYS, LIST_API_KEYS, LIST_PENDING, LIST_PREFIXES };
enum flow reply_list(struct request *r, const char *name, enum list which); /* {"NAME": [...]} */

/* ---- change.c: an operation of the core, and the answers that several files give ---- */

/* The members of an answer that tell of a change: event, events, version, inverse, text. */
void write_change(struct json_out *o, const struct core_admin *a);
enum flow headway_change(struct request *r, enum admin_op op);
enum flow headway_change_id(struct request *r, enum admin_op op); /* of the object that the path names first */
enum flow v1_empty_done(struct request *r);                       /* {} or the error */
enum flow v1_node_done(struct request *r);                        /* {"node":...} or the error: nodes.c */
enum flow v1_node_change(struct request *r, enum admin_op op);    /* nodes.c */

const char *policy_mode(const struct config *c); /* "file" or "database" */

enum flow headway_policy_change(struct request *r); /* policy.c: r->admin is filled */

/* ---- operations.c: operations of the core as calls of /api/headway, and back ---- */

#define STORED_MAX (16U << 20) /* of an entry's inverse: a policy of 4 MiB with its escapes */

/* Writes {"method","path","body"} of what the journal keeps; false: there is no such call. */
bool operation_as_call(const char *stored, struct buf *out);
/* Fills op and fields of *out; its texts are borrowed from *fields, the caller's (json_decref). */
int operation_read(struct arena *arena, const char *stored, json_t **fields, struct core_admin *out,
                   struct err *e) WARN_UNUSED;

#define EVENTS_PAGE_MAX 1000 /* entries of the journal in one answer */

/* ---- diff.c ---- */

/* Members "changed" and "removed": what leads from one snapshot to another; all empty where they are the same. */
void write_difference(struct json_out *o, struct http *h, const struct tailnet_snapshot *was,
                      const struct tailnet_snapshot *is);

/* ---- events.c: the stream ---- */

int hub_start(struct http *h, struct hub **out, struct err *e) WARN_UNUSED;
void hub_end_streams(struct hub *hub); /* each stream ends; no new ones */
void hub_stop(struct hub *hub);
void hub_expect(struct hub *hub); /* somebody took a snapshot and will soon follow from it */
size_t hub_streams(struct hub *hub);
/* Answers with the stream; since NULL or "": from now on. */
enum flow events_follow(struct request *r, const char *since);

/* Of server.c's side of a stream. resume is called with the hub's lock held when bytes came for a stream that said it
 * waits. */
struct stream_out *stream_ref(struct stream_out *out);
void stream_unref(struct stream_out *out);
void stream_attach(struct stream_out *out, void (*resume)(void *arg), void *arg);
/* Copies up to max bytes. 0: none now, and resume will be called (wait is called under the lock); -1: the end. */
long stream_take(struct stream_out *out, char *bytes, size_t max, void (*wait)(void *arg));
void stream_closed(struct stream_out *out); /* the client is gone */

/* ---- metrics.c ---- */

void count_answer(struct http *h, const struct request *r);
void counted_free(struct http *h);

/* ---- server.c: libmicrohttpd ---- */

int server_start(struct http *h, struct server **out, struct err *e) WARN_UNUSED;
void server_refuse(struct server *s); /* no new connections; new requests are refused */
void server_stop(struct server *s);
void server_take(struct server *s, int fd, const struct addr_port *peer);
void server_counts(struct server *s, unsigned *public_connections, unsigned *unix_connections);

/* listen.c: sockets that listen. */
int listen_unix(const char *path, unsigned mode, struct err *e); /* the descriptor, or an error */
int listen_tcp(const char *text, const char *field, struct err *e);

/* ---- the handlers of the table in routes.c, by file ---- */

extern handler v1_users_list, v1_users_create, v1_users_delete, v1_users_rename;
extern handler v1_preauthkeys_list, v1_preauthkeys_create, v1_preauthkeys_expire, v1_preauthkeys_delete;
extern handler v1_apikeys_list, v1_apikeys_create, v1_apikeys_expire, v1_apikeys_delete;
extern handler v1_nodes_list, v1_nodes_get, v1_nodes_delete, v1_nodes_expire, v1_nodes_rename, v1_nodes_tags,
    v1_nodes_routes, v1_nodes_register, v1_nodes_backfill, v1_nodes_move, v1_debug_node;
extern handler v1_auth_register, v1_auth_approve, v1_auth_reject;
extern handler v1_policy_get, v1_policy_set, v1_policy_check, v1_health;
extern handler headway_whoami, headway_snapshot, headway_events, headway_pending, headway_pending_approve,
    headway_pending_reject, headway_routes, headway_prefixes, headway_primary, headway_node, headway_node_routes,
    headway_node_rename, headway_node_expire, headway_node_tags, headway_node_drain, headway_node_delete, headway_users,
    headway_user_create, headway_user_rename, headway_user_role, headway_user_delete, headway_preauthkeys,
    headway_preauthkey_create, headway_preauthkey_expire, headway_preauthkey_delete, headway_apikeys,
    headway_apikey_create, headway_apikey_expire, headway_apikey_delete, headway_undo, headway_backup,
    headway_policy_get, headway_policy_set, headway_policy_check, headway_policy_adopt, headway_policy_preview,
    headway_explain, headway_nodes, headway_relay;
extern handler page_root, page_robots, page_version, page_key, page_health, page_register, page_auth, page_verify,
    page_ping_response, page_docs, page_openapi, page_openapi_yaml, page_apple, page_windows, page_apple_profile;
extern handler metrics_page, debug_index, debug_overview, debug_routes, debug_derp, debug_policy;

void html_escape(struct buf *out, const char *text);

/* A page in HTML, of which the caller writes the body into r->out; page_text escapes what it is given. */
void page_begin(struct request *r, const char *title);
void page_text(struct request *r, const char *element, const char *text);
enum flow page_end(struct request *r);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* What the console knows of the tailnet: one object a node, route, prefix, event, ... with an address that stays the
 * same for as long as the object lives. Cursors and marks hold on to that address; an update replaces what is in it.
 * What goes away stays as a tombstone for some seconds. All texts were made safe to print when they were read.
 * The screen's thread owns the model; other threads only build deltas. */
#ifndef TUI_CONSOLE_MODEL_MODEL_H
#define TUI_CONSOLE_MODEL_MODEL_H

#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"
#include "console/screen/glyph.h"
#include "model/events.h"
#include "net/prefixes.h"

#define TOMBSTONE_MS 5000
#define CHANGED_MS   3000
#define EVENTS_KEPT  5000

enum row_kind {
    ROW_NODE,
    ROW_ROUTE,
    ROW_PREFIX,
    ROW_EVENT,
    ROW_PENDING,
    ROW_USER,
    ROW_PREAUTH_KEY,
    ROW_API_KEY,
    ROW_KINDS
};

struct row {
    enum row_kind kind;
    char *key;                           /* the id in the API: decimal digits, a prefix, an auth id, RUN.SEQ */
    int64_t changed_ms, gone_ms, new_ms; /* 0: not */
    unsigned changed;                    /* which of FIELD_... changed at changed_ms */
    bool marked, folded, seen;
    char *failure; /* what the server said to the last action on it; NULL: nothing */
};

enum changed_field {
    FIELD_NAME = 1,
    FIELD_OWNER = 2,
    FIELD_ADDRESS = 4,
    FIELD_ONLINE = 8,
    FIELD_ROUTES = 16,
    FIELD_EXPIRY = 32,
    FIELD_STATE = 64,
    FIELD_RELAY = 128
};

enum route_state {
    ROUTE_AVAILABLE,
    ROUTE_APPROVED,
    ROUTE_STANDBY,
    ROUTE_SERVING,
    ROUTE_OFFLINE,
    ROUTE_UNHEALTHY,
    ROUTE_STATES
};

struct m_node {
    struct row row;
    uint64_t id, version, user_id, cap_version;
    char *name, *hostname, *fqdn, *owner, *ipv4, *ipv6, *method, *os, *os_version, *client, *relay, *source;
    char *machine_key, *node_key, *key_text;
    char *words; /* all that a bare filter word is looked for in */
    bool online, healthy, expired, logged_out, ephemeral, exit_node, draining, tagged;
    int64_t last_seen_ns, expiry_ns, created_ns, since_ns;
    struct strs tags, endpoints;
    VEC(struct m_route *) routes; /* in the order of prefixes */
    unsigned available, approved, serving, waiting, unhealthy;
};

struct m_route {
    struct row row; /* key: the prefix */
    struct m_node *node;
    struct prefix prefix;
    enum route_state state;
    bool exit;
    char *primary, *primary_name, *reason, *approved_by;
};

struct m_router {
    char *node, *name, *reason;
    enum route_state state;
};

struct m_prefix {
    struct row row;
    struct prefix prefix;
    bool exit;
    char *primary, *primary_name;
    int64_t since_ns;
    VEC(struct m_router) routers;
};

struct m_event {
    struct row row;
    uint64_t run, seq;
    int64_t time_ns;
    char *event_kind, *actor, *object, *object_id, *object_name, *text, *detail, *undone_by;
    enum event_weight weight;
    bool undoable;
};

struct m_pending {
    struct row row;
    char *kind, *hostname, *os, *client, *source, *command, *machine_key, *ssh;
    struct strs tags, routes;
    int64_t created_ns, expires_ns;
};

struct m_user {
    struct row row;
    char *name, *display, *email, *provider, *role;
    int64_t created_ns;
    uint64_t version, nodes;
};

struct m_key { /* ROW_PREAUTH_KEY and ROW_API_KEY */
    struct row row;
    char *prefix, *user, *description;
    struct strs tags;
    bool reusable, ephemeral, used, read_only;
    int64_t expiry_ns, created_ns, last_seen_ns;
};

struct gone {
    enum row_kind kind;
    char *key;
};

/* What arrived: objects as they are now, and the ones that are gone. full: everything that is not named is gone. */
struct model_delta {
    bool full;
    int64_t time_ns; /* the server's, 0 where it did not say */
    char *event;     /* the journal id it is true for; NULL where it carries none */
    char *server_url, *server_version, *base_domain, *policy_mode;
    VEC(struct row *) rows;
    VEC(struct gone) gone;
};

struct row_table {
    VEC(struct row *) rows; /* tombstones included, in no order */
    struct map index;       /* key -> row, living ones */
    size_t marked;
};

enum note { NOTE_NEW, NOTE_CHANGED, NOTE_GONE, NOTE_FREED };

struct model {
    struct row_table tables[ROW_KINDS]; /* routes are in their node, not here */
    VEC(struct row *) dying;            /* tombstones, oldest first */
    bool filled;                        /* a snapshot was applied */
    char *event, *server_url, *server_version, *base_domain, *policy_mode;
    int64_t time_ns;                                              /* of the last delta, the server's clock */
    unsigned revision;                                            /* raised by every change */
    void (*note)(void *context, struct row *row, enum note what); /* NULL: nobody listens */
    void *context;
};

struct applied {
    size_t added, changed, gone;
};

void model_release(struct model *m);

/* Takes over what is in the delta, which is empty afterwards. */
struct applied model_apply(struct model *m, struct model_delta *d, int64_t now_ms);

/* Frees tombstones that were shown long enough; listeners are told first (NOTE_FREED). Returns when the next one is due
 * (milliseconds of the monotonic clock), or 0. */
int64_t model_sweep(struct model *m, int64_t now_ms);

void *model_find(const struct model *m, enum row_kind kind, const char *key);
const struct row_table *model_table(const struct model *m, enum row_kind kind);

void delta_release(struct model_delta *d);

/* A row on the heap with empty texts. */
void *row_new(enum row_kind kind, const char *key);
void row_free(struct row *row);

int m_state_parse(const char *text); /* -1 */
const char *m_state_name(enum route_state state);
enum glyph m_state_glyph(enum route_state state);

#endif

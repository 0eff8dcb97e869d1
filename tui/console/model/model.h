/* SPDX-License-Identifier: BSD-3-Clause */
/* The console's copy of the tailnet: an object for each node, route, prefix, event, ... whose address is stable for its
 * lifetime. Cursors and marks point to it; an update replaces its contents. A deleted object stays as a tombstone for
 * some seconds. All texts were made safe to print when they were read.
 * The screen's thread owns the model; other threads only build deltas. */
#ifndef TUI_CONSOLE_MODEL_MODEL_H
#define TUI_CONSOLE_MODEL_MODEL_H

#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"
#include "console/screen/glyph.h"
#include "model/api.h"
#include "tailscale/tailscale.h"

#define TOMBSTONE_MS 5000
#define CHANGED_MS   3000
#define TRIPS_SHOWN  16    /* round trips shown in lists */
#define EVENTS_KEPT  5000  /* newest entries of the journal */
#define EVENTS_MOST  15000 /* including those read back */
/* Bits of the row kinds whose past is known; of those that are swapped to show the past, see model_trade. */
#define MODEL_PAST   (1U << ROW_NODE | 1U << ROW_ROUTE | 1U << ROW_PREFIX | 1U << ROW_USER)
#define MODEL_TRADED (((1U << ROW_KINDS) - 1) & ~(1U << ROW_EVENT) & ~(1U << ROW_NEED))
/* Of those that are not in the snapshot, see app/asked.h. */
#define MODEL_ASKED (1U << ROW_OAUTH_CLIENT | 1U << ROW_LOGIN | 1U << ROW_WEBHOOK | 1U << ROW_DNS)

enum row_kind {
    ROW_NODE,
    ROW_ROUTE,
    ROW_PREFIX,
    ROW_EVENT,
    ROW_PENDING,
    ROW_USER,
    ROW_PREAUTH_KEY,
    ROW_API_KEY,
    ROW_OAUTH_CLIENT,
    ROW_LOGIN,
    ROW_WEBHOOK,
    ROW_DNS,  /* not the API's: a member of what clients are told of DNS */
    ROW_NEED, /* not the API's: something that needs attention, found by the console */
    ROW_KINDS
};

/* Facts about a route, prefix or router that are not part of its object; they survive updates. */
struct row_facts {
    unsigned warnings, notes; /* of "routes check" */
    const char *finding;      /* word for the gravest one, static; NULL: none */
    unsigned depth;           /* of a prefix: the number of listed prefixes that contain it */
    size_t hides;             /* of a prefix: the number of prefixes within it that are folded away */
    bool users_known, flips_known;
    uint64_t users, flips; /* nodes that the policy allows to use it; failovers within a day */
    /* Of a node: the last round trips of its control connection in microseconds, oldest first. */
    size_t trip_count;
    uint32_t trips[TRIPS_SHOWN]; /* GRAPH_LOST: no answer */
};

struct row {
    enum row_kind kind;
    char *key;                           /* the id in the API: decimal digits, a prefix, an auth id, RUN.SEQ */
    int64_t changed_ms, gone_ms, new_ms; /* 0: never */
    unsigned changed;                    /* the FIELD_... that changed at changed_ms */
    bool marked, folded, seen;
    bool opened;             /* of a node: its single-address routes are listed one by one */
    char *failure;           /* the error of the last action on it; NULL: none */
    struct row_facts *facts; /* NULL: none known */
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

/* Each holds the API's object (model/api.h), safe to print, and what the console derives from it. */
struct m_node {
    struct row row;
    struct api_node api; /* its routes are below; fqdn without the final dot */
    const char *owner;   /* its first tag, else its user's name */
    char ipv4[PREFIX_TEXT_MAX], ipv6[PREFIX_TEXT_MAX];
    char *words; /* the text that bare filter words are searched in */
    bool tagged;
    VEC(struct m_route *) routes; /* ordered by prefix */
    unsigned available, approved, serving, waiting, unhealthy;
    unsigned exit_users; /* online nodes that use it as exit node, as last counted for the list of exit nodes */
};

struct m_route {
    struct row row; /* key: the prefix */
    struct api_route api;
    struct m_node *node;
    size_t
        stands_for; /* number of the node's address routes that the list shows as this one row; 0: an ordinary route */
};

/* Whether the prefix is a single address; app connectors advertise very many. */
bool route_is_address(const struct m_route *r);

struct m_prefix {
    struct row row;
    struct api_prefix api;
    bool *drained; /* by router: whether its node is drained, maintained by the model; NULL: unknown */
};

static inline const struct api_router *router_at(const struct m_prefix *p, size_t i)
{
    return api_at(&p->api.routers, struct api_router, i);
}

static inline bool router_is_drained(const struct m_prefix *p, size_t i)
{
    return p->drained && p->drained[i];
}

struct m_event {
    struct row row;
    struct api_event api;
    bool read_back; /* fetched by looking back: entries after it may be missing */
};

struct m_pending {
    struct row row;
    struct api_pending api;
    char *ssh; /* describes the SSH session; NULL: none */
};

struct m_user {
    struct row row;
    struct api_user api;
};

struct m_preauth_key {
    struct row row;
    struct api_preauth_key api;
};

struct m_api_key {
    struct row row;
    struct api_api_key api;
};

struct m_oauth_client {
    struct row row;
    struct api_oauth_client api;
};

struct m_login { /* key: provider, issuer, subject */
    struct row row;
    struct api_identity api;
};

struct m_webhook {
    struct row row;
    struct api_webhook api;
    char *host; /* of its URL */
};

/* A member of what clients are told of DNS, or a domain of split DNS. Lists have blanks between their words. */
struct m_dns {
    struct row row;                      /* key: the member, "splitDNS DOMAIN" for a domain */
    const char *member, *label, *domain; /* member: its name in the API; domain: NULL: the member as a whole */
    const char *value, *configured;      /* configured: in the configuration; NULL: it does not have the domain */
    unsigned order;                      /* among all rows */
    bool set, fixed;                     /* set by an administrator; by the configuration alone */
    int64_t updated_ns;                  /* of DNS as a whole */
    uint64_t version;
};

/* Something that needs attention: one object, or several with the same problem. */
struct m_need {
    struct row row;   /* key: the code, followed by the object's key if there is one */
    int severity;     /* enum event_weight */
    char *code;       /* the kind of problem */
    enum row_kind of; /* the object's kind; ROW_KINDS: several objects or none */
    char *object;     /* its key; "" */
    char *name, *text;
};

struct gone {
    enum row_kind kind;
    char *key;
};

/* An update: objects in their current state, and deleted ones. */
struct model_delta {
    /* A complete state, possibly in several deltas: objects that none of them names are deleted at the end. expected:
     * its number of nodes, in the first delta; 0: unknown. */
    bool begins, ends;
    uint64_t expected;
    int64_t time_ns;          /* the server's clock; 0: unknown */
    char *event;              /* the journal id it corresponds to; NULL: none */
    struct api_server server; /* in the first delta */
    unsigned whole;           /* bits of kinds whose rows are complete: others of them are deleted */
    /* Of a page of the journal: where older entries begin (NULL: none), and how far back it reaches. */
    bool page;
    char *next;
    int64_t read_to_ns;
    /* Of a moment of the past: the oldest moment known; the policy in force then, as written (NULL: none). */
    int64_t since_ns;
    char *policy;
    VEC(struct row *) rows;
    VEC(struct gone) gone;
};

struct row_table {
    VEC(struct row *) rows; /* including tombstones, unordered */
    struct map index;       /* key -> row, without tombstones */
    size_t marked;
    bool known; /* of MODEL_ASKED: the server has answered */
};

enum note { NOTE_NEW, NOTE_CHANGED, NOTE_GONE, NOTE_FREED };

struct model {
    struct row_table tables[ROW_KINDS]; /* routes are in their nodes instead */
    VEC(struct row *) dying;            /* tombstones, oldest first */
    bool filled;                        /* a whole snapshot was applied */
    bool filling;                       /* one has been received in part */
    uint64_t expected;                  /* its number of nodes; 0: unknown */
    char *event;
    size_t read_back;         /* number of journal entries read back */
    char *journal_next;       /* where entries older than the loaded ones begin; "": none; NULL: unknown */
    int64_t journal_to_ns;    /* the time of the oldest loaded entry */
    struct api_server server; /* texts are NULL before the first snapshot */
    struct api_list findings; /* struct api_route_problem: see findings.h */
    bool findings_known;
    int64_t time_ns;                                              /* of the last delta, the server's clock */
    unsigned revision;                                            /* incremented by every change */
    void (*note)(void *context, struct row *row, enum note what); /* NULL: no listener */
    void *context;
};

struct applied {
    size_t added, changed, gone;
};

void model_release(struct model *m);

/* Takes ownership of the delta's contents, leaving it empty. */
struct applied model_apply(struct model *m, struct model_delta *d, int64_t now_ms);

/* Adds journal entries that were read back, without notifying listeners. Returns how many are new. */
size_t model_read_back(struct model *m, struct model_delta *d);
/* Frees the entries read back, without notifying listeners. */
void model_forget_read_back(struct model *m);

/* Swaps the tables of MODEL_TRADED between two models. Frees the tombstones in them and notifies the first model's
 * listeners of these only: they must look up their rows again. */
void model_trade(struct model *m, struct model *other, int64_t now_ms);

/* Frees tombstones that were shown long enough, after notifying listeners (NOTE_FREED). Returns when the next one is
 * due (monotonic milliseconds), or 0. */
int64_t model_sweep(struct model *m, int64_t now_ms);

void *model_find(const struct model *m, enum row_kind kind, const char *key);
struct m_node *model_node(const struct model *m, uint64_t id);
/* The number of online nodes that report using the exit node; appends some of their names to names, unless NULL. */
size_t model_exit_users(const struct model *m, uint64_t exit, struct buf *names);
const struct row_table *model_table(const struct model *m, enum row_kind kind);

#define FLIPS_UNKNOWN UINT64_MAX

struct row_facts *row_facts(struct row *row); /* never NULL */
/* To be called when facts of routes or prefixes changed: notifies lists that show or filter by them. */
void model_facts_changed(struct model *m);

void delta_release(struct model_delta *d);

/* A row made of an API object: moved into it, or decoded from JSON. NULL if it is not such an object or has no key. */
struct row *row_take(enum row_kind kind, void *object);
struct row *row_read(enum row_kind kind, const json_t *object);
/* The texts must be safe to print; see struct m_need. If of is NULL, the name distinguishes it from others of its code.
 */
struct row *row_need(const char *code, int severity, const struct row *of, const char *name, const char *text);
struct row *row_dns(const struct m_dns *like); /* texts are copied; of its row nothing is used */
void row_free(struct row *row);
const char *row_label(const struct row *row); /* its name, or whatever people call it */
/* For questions and titles: the label; for a key, its number and owner or purpose. The caller frees it. */
char *row_title(const struct row *row);
size_t row_size(enum row_kind kind); /* sizeof its struct */

/* Of a pre-auth key or an API key: its visible beginning, and its expiry. */
const char *key_row_text(const struct row *row);
int64_t key_row_expiry_ns(const struct row *row);
/* The owner of nodes registered with the key: its first tag, else its user's name; "" for neither. */
const char *preauth_key_owner(const struct row *row);

enum glyph route_state_glyph(int state);
enum glyph node_glyph(const struct m_node *n); /* of its state */
/* Appends system, version and address of what asks to join, as far as known. */
void pending_client(const struct m_pending *p, struct buf *out);
/* How far its OpenID login is; nothing where nobody began one. */
void pending_login(const struct m_pending *p, int64_t now_ns, struct buf *out);

#endif

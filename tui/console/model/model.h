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
#include "model/api.h"

#define TOMBSTONE_MS 5000
#define CHANGED_MS   3000
#define TRIPS_SHOWN  16    /* round trips of a node that lists show */
#define EVENTS_KEPT  5000  /* of the newest entries of the journal */
#define EVENTS_MOST  15000 /* with those that were read back */
/* Bits of the kinds of rows of which a moment of the past is known; those that change places for it; see model_trade.
 */
#define MODEL_PAST   (1U << ROW_NODE | 1U << ROW_ROUTE | 1U << ROW_PREFIX | 1U << ROW_USER)
#define MODEL_TRADED (((1U << ROW_KINDS) - 1) & ~(1U << ROW_EVENT) & ~(1U << ROW_NEED))

enum row_kind {
    ROW_NODE,
    ROW_ROUTE,
    ROW_PREFIX,
    ROW_EVENT,
    ROW_PENDING,
    ROW_USER,
    ROW_PREAUTH_KEY,
    ROW_API_KEY,
    ROW_NEED, /* not the API's: what the console found in the others that needs somebody */
    ROW_KINDS
};

/* What the console was told about a route, a prefix or a router beside the object itself: it stays over updates. */
struct row_facts {
    unsigned warnings, notes; /* of "routes check" */
    const char *finding;      /* the word of the gravest one, static; NULL: there is none */
    unsigned depth;           /* of a prefix: how many others of the list it lies within */
    bool users_known, flips_known;
    uint64_t users, flips; /* nodes that the policy lets use it; moves between routers within a day */
    /* Of a node: the last round trips of its control connection in us, oldest first. */
    size_t trip_count;
    uint32_t trips[TRIPS_SHOWN]; /* GRAPH_LOST: its client did not answer */
};

struct row {
    enum row_kind kind;
    char *key;                           /* the id in the API: decimal digits, a prefix, an auth id, RUN.SEQ */
    int64_t changed_ms, gone_ms, new_ms; /* 0: not */
    unsigned changed;                    /* which of FIELD_... changed at changed_ms */
    bool marked, folded, seen;
    bool opened;             /* of a node: the addresses among its routes are listed one by one */
    char *failure;           /* what the server said to the last action on it; NULL: nothing */
    struct row_facts *facts; /* NULL: nothing is known */
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

/* Each has the API's object (model/api.h), read for a terminal, and what the console makes of it. */
struct m_node {
    struct row row;
    struct api_node api; /* its routes are below; a final dot of its fqdn is cut off */
    const char *owner;   /* its first tag, else its user's name */
    char ipv4[PREFIX_TEXT_MAX], ipv6[PREFIX_TEXT_MAX];
    char *words; /* all that a bare filter word is looked for in */
    bool tagged;
    VEC(struct m_route *) routes; /* in the order of prefixes */
    unsigned available, approved, serving, waiting, unhealthy;
    unsigned exit_users; /* nodes that are online and use it as exit node, as the list of exit nodes counted last */
};

struct m_route {
    struct row row; /* key: the prefix */
    struct api_route api;
    struct m_node *node;
    size_t
        stands_for; /* addresses of the node in the same state that the list shows as this one row; 0: it is itself */
};

/* Whether the prefix is one address: app connectors learn very many. */
bool route_is_address(const struct m_route *r);

struct m_prefix {
    struct row row;
    struct api_prefix api;
    bool *drained; /* by router, kept by the model: its node is drained; NULL: not known yet */
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
    bool read_back; /* it was asked for because somebody went back so far: not all after it need be here */
};

struct m_pending {
    struct row row;
    struct api_pending api;
    char *ssh; /* who wants to be whom where; NULL: no SSH session */
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

/* Something that needs somebody: one object, or several with the same trouble. */
struct m_need {
    struct row row;   /* key: the code, for one object with the object's key behind it */
    int severity;     /* enum event_weight */
    char *code;       /* which kind of trouble */
    enum row_kind of; /* what the object is; ROW_KINDS: several objects, or none */
    char *object;     /* its key; "" */
    char *name, *text;
};

struct gone {
    enum row_kind kind;
    char *key;
};

/* What arrived: objects as they are now, and the ones that are gone. */
struct model_delta {
    /* A whole state, which may come in several deltas: what none of them names is gone at the end. expected: how many
     * nodes it has, where it begins; 0: it does not say. */
    bool begins, ends;
    uint64_t expected;
    int64_t time_ns;          /* the server's, 0 where it did not say */
    char *event;              /* the journal id it is true for; NULL where it carries none */
    struct api_server server; /* where it begins */
    /* Of a page of the journal: where older entries begin (NULL: there are none), and how far back was looked. */
    bool page;
    char *next;
    int64_t read_to_ns;
    /* Of a moment of the past: the oldest one that is known; the policy that was in force, as it was written (NULL:
     * none was). */
    int64_t since_ns;
    char *policy;
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
    bool filled;                        /* a snapshot was applied, whole */
    bool filling;                       /* one is being read, of which some came already */
    uint64_t expected;                  /* nodes that it has; 0: not known */
    char *event;
    size_t read_back;      /* entries of the journal that were */
    char *journal_next;    /* where those begin that are older than all that were not; "": nowhere; NULL: not known */
    int64_t journal_to_ns; /* the time of the oldest of these */
    struct api_server server; /* texts are NULL before the first snapshot */
    struct api_list findings; /* struct api_route_problem: see findings.h */
    bool findings_known;
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

/* Adds entries of the journal that were read back; listeners are not told. Returns how many are new. */
size_t model_read_back(struct model *m, struct model_delta *d);
/* Frees what was read back; listeners are not told. */
void model_forget_read_back(struct model *m);

/* The tables of MODEL_TRADED of both change places. Tombstones in them are freed; listeners of the first are told of
 * these, and of nothing else: they look for their rows anew. */
void model_trade(struct model *m, struct model *other, int64_t now_ms);

/* Frees tombstones that were shown long enough; listeners are told first (NOTE_FREED). Returns when the next one is due
 * (milliseconds of the monotonic clock), or 0. */
int64_t model_sweep(struct model *m, int64_t now_ms);

void *model_find(const struct model *m, enum row_kind kind, const char *key);
struct m_node *model_node(const struct model *m, uint64_t id);
/* How many nodes that are online say that they use the exit node; some of their names go to names (NULL: none). */
size_t model_exit_users(const struct model *m, uint64_t exit, struct buf *names);
const struct row_table *model_table(const struct model *m, enum row_kind kind);

#define FLIPS_UNKNOWN UINT64_MAX

struct row_facts *row_facts(struct row *row); /* never NULL */
/* Facts of routes and prefixes changed: lists that show or filter by them are told. */
void model_facts_changed(struct model *m);

void delta_release(struct model_delta *d);

/* A row of an API's object, which is moved into it, or which is read; NULL where it is none, or names nothing. */
struct row *row_take(enum row_kind kind, void *object);
struct row *row_read(enum row_kind kind, const json_t *object);
/* Of texts that are safe to print; see struct m_need. of NULL: the name tells it apart from others of the code. */
struct row *row_need(const char *code, int severity, const struct row *of, const char *name, const char *text);
void row_free(struct row *row);
const char *row_label(const struct row *row); /* its name, or what else people call it by */
/* For questions and titles: the label; of a key, which has none, its number and whose or what for it is. The caller's.
 */
char *row_title(const struct row *row);
size_t row_size(enum row_kind kind); /* of its struct */

/* Of a pre-auth key or an API key: what it begins with, and when it ends. */
const char *key_row_text(const struct row *row);
int64_t key_row_expiry_ns(const struct row *row);
/* Whose nodes a pre-auth key makes: its first tag, else its user's name; "" for neither. */
const char *preauth_key_owner(const struct row *row);

enum glyph route_state_glyph(int state);
enum glyph node_glyph(const struct m_node *n); /* how it is */
/* What asks to join: its system, version and address, as far as they are known. */
void pending_client(const struct m_pending *p, struct buf *out);

#endif

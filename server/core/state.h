/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to the core: all mutable state, touched by the core's thread only.
 *
 * Each record stands twice: as it is being decided on (work) and as it was published (published). A call changes work
 * and collects writes in a group; when the group is durable, published follows, readers are told and the group's calls
 * are answered. When a group cannot be written, work falls back to published everywhere and every call that relied on
 * it is refused: nothing was told, so nothing must be taken back. */
#ifndef SERVER_CORE_STATE_H
#define SERVER_CORE_STATE_H

#include <pthread.h>

#include <stdlib.h>

#include "base/map.h"
#include "base/thread.h"
#include "base/vec.h"
#include "core/core.h"
#include "model/events.h"
#include "policy/policy.h"
#include "routes/routes.h"
#include "tailnet/publish.h"

struct session {
    uint64_t id;
    struct slot *slot;
    struct session *next; /* of the same node */
    bool healthy;
};

struct slot {
    uint32_t index;
    uint64_t id; /* of the node; 0: free */
    const struct node *work, *published;
    struct node_live live;
    struct prefixes serving;
    struct session *sessions;
    struct slot *same_machine; /* next node of the machine key, by work */
    uint32_t dirty;            /* enum change_mask, to be published */
    uint64_t version;          /* change number of its last publication */
    bool rebuild, route_moved; /* rebuild: publish again even without a change that readers are told */
    bool reachable;            /* it has its first home relay or DiscoKey, to be published */
    bool expired;              /* as published */
    double penalty;            /* of going away, as of penalty_ms; see liveness.c */
    int64_t penalty_ms;
    bool suspect;     /* its last session ended; its grace has not passed yet */
    bool updated;     /* it sent an update of its own in this run: its streams' copies are older */
    int64_t ended_ms; /* when its last session ended, or when it was registered */
    int64_t grace_ms; /* until when it is not yet offline */
    int64_t free_ms;  /* when it was freed: not used again for a while */
};

struct cell { /* a user or a key */
    const void *work, *published;
};

/* What becomes durable together. */
struct group {
    struct group *next;
    struct core_state *state;
    VEC(struct store_write) writes;
    VEC(const struct event *) events; /* also among the writes; told in this order */
    VEC(bool) facts;                  /* for each: it is true whether or not it could be stored */
    struct core_call *calls, **calls_end;
    bool abandoned; /* decided upon a group that could not be written */
    int code;
    struct err err;
};

enum timer_kind { TIMER_GRACE, TIMER_EPHEMERAL, TIMER_EXPIRY, TIMER_PENDING, TIMER_SETTLE, TIMER_CALM };

struct timer {
    int64_t due_ms;
    enum timer_kind kind;
    uint64_t id; /* of a node, or 0 */
};

struct waiting { /* somebody's decision is waited for */
    struct pending *pending;
    VEC(struct core_call *) calls; /* struct core_register or struct core_ssh */
    bool decided, accepted;
    int64_t left_ms;  /* SSH: when the last that asked went away; 0: somebody waits */
    uint64_t node_id; /* of a decided registration */
};

struct meaning { /* a policy's text, read */
    const struct policy_text *text;
    struct policy *policy;
};

struct policy_ready { /* compiled, until the text is durable */
    const struct policy_text *text;
    struct policy *policy;               /* NULL: the text is empty */
    struct policy_view *view;            /* so */
    const struct tailnet_snapshot *base; /* what it was compiled over */
};

struct allocator {
    struct prefix range; /* bits 0 in addr: this family is not used */
    struct addr next;
};

struct deleted_machine { /* lately: a client that comes back is told to log in again instead of an error */
    uint8_t node_key[KEY_LEN];
};

struct core_state {
    struct core *core;
    const struct config *config;
    struct tailnet *tailnet;
    struct store *store;
    struct routes *routes;

    VEC(struct slot *) slots;                                           /* by index */
    size_t first_free;                                                  /* no free slot lies before it */
    struct map by_id, by_node_key, by_machine_key, by_name, by_address; /* -> struct slot, by work */
    struct map users, preauth_keys, api_keys;                           /* id -> struct cell */
    struct map sessions;                                                /* id -> struct session */
    struct map waiting;                                                 /* auth id -> struct waiting */
    struct map ssh_approved;                                            /* source, target, user -> mono ms */
    struct map deleted_keys;                                            /* node key -> 1, bounded */
    struct map quarantine; /* address -> mono ms until which it is not given out again */
    struct allocator v4, v6;
    const struct policy_text *policy_work, *policy_published;
    struct meaning meanings[2];
    struct policy_view *decider; /* users by work, no nodes; NULL: not made yet */
    const struct policy *decider_of;
    bool decider_stale;             /* the users changed */
    VEC(struct policy_ready) ready; /* in the order of their decisions */
    struct workers worker;          /* one thread: reads, checks and compiles policies, one after another */
    size_t jobs;                    /* policies that it examines */

    uint64_t next_id[RECORD_KINDS], next_session;
    uint64_t run, event_seq;          /* the newest entry that was numbered */
    uint64_t event_told, event_shown; /* the newest entry that was told, and that a snapshot says it contains */
    uint64_t change_seq;              /* the newest change that was published */

    struct group *open;                 /* collects; NULL: nothing yet */
    struct group *flying, **flying_end; /* submitted, oldest first */
    bool dry;                           /* the present call only asks what would happen */
    struct core_admin *admin;           /* the present administrative call, for its actor */

    bool users_dirty, preauth_keys_dirty, api_keys_dirty, pendings_dirty, primaries_dirty, policy_dirty;
    uint32_t tailnet_dirty; /* CHANGE_DNS, CHANGE_DERP, CHANGE_USERS, CHANGE_POLICY */
    struct tailnet_settings *settings;
    char *records; /* of the file that dns.extra_records_path names, as JSON; NULL: none */
    VEC(struct slot *) dirty_slots;
    VEC(struct primary *) primaries;          /* by prefix; what the store holds, or will */
    bool elect;                               /* routes were told something */
    struct core_call *answers, **answers_end; /* to be given after the next publish */

    VEC(struct timer) timers; /* a heap by due_ms */
    VEC(struct core_listener) listeners;
    struct core_counters counters;
};

/* commit.c: the open group. Records given to tx_put belong to the group from then on (dry runs let them go). */
void tx_put(struct core_state *s, void *record);
void tx_remove(struct core_state *s, const void *record);
/* After what it relies on is durable, or at the end of the turn. */
void tx_answer(struct core_state *s, struct core_call *call, int code);
/* At the end of the turn, whatever is being written: for what is volatile, and for refusals. */
void tx_answer_soon(struct core_state *s, struct core_call *call, int code);
void tx_give_answers(struct core_state *s);
void tx_submit(struct core_state *s);                  /* at the end of a turn */
void tx_finish(struct core_state *s, struct group *g); /* the store has answered */
uint64_t tx_new_id(struct core_state *s, enum record_kind kind);

/* journal.c: adds an entry to the open group; text and detail by format. Returned pointer is borrowed, NULL in a dry
 * run. The actor is the present administrative call's, or the one given. */
struct event_note {
    enum event_id id;
    const char *actor;  /* NULL: of the present call, or "server" */
    const char *object; /* "node", ... */
    uint64_t object_id;
    const char *object_name;
    char *detail, *inverse; /* taken over; NULL: none */
};
const struct event *journal(struct core_state *s, const struct event_note *note, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* {"method":..,"path":..,"body":..} for event_note.inverse; path by format, body JSON (taken over) or NULL. */
char *inverse(const char *method, char *body, const char *path, ...) PRINTF_LIKE(3, 4);
char *json_prefix_list(const struct prefixes *p); /* ["10.0.0.0/8", ...] */
char *json_tag_list(const struct strs *tags);

/* slots.c: nodes and what finds them. */
struct slot *slot_new(struct core_state *s, uint64_t node_id);
struct slot *slot_by_id(struct core_state *s, uint64_t id); /* NULL: unknown or being deleted */
struct slot *slot_by_node_key(struct core_state *s, const uint8_t key[KEY_LEN]);
struct slot *slot_by_machine(struct core_state *s, const uint8_t key[KEY_LEN]);    /* first; then same_machine */
void slot_set_work(struct core_state *s, struct slot *slot, const struct node *n); /* indexes follow; NULL: deleted */
void slot_free(struct core_state *s, struct slot *slot);
/* What the store holds of the node is now n (NULL: nothing): readers are told, routes follow. */
void slot_publish(struct core_state *s, struct slot *slot, const struct node *n);
void slots_user_changed(struct core_state *s, uint64_t user_id);
void slot_mark(struct core_state *s, struct slot *slot, uint32_t change_mask);
void slots_reset(struct core_state *s); /* work := published everywhere, indexes anew */
void slots_release(struct core_state *s);

const struct user *find_user(struct core_state *s, uint64_t id);
const struct user *find_user_by_name(struct core_state *s, const char *name, size_t *hits);
const struct preauth_key *find_preauth_key(struct core_state *s, uint64_t id);
struct cell *cell_of(struct core_state *s, enum record_kind kind, uint64_t id, bool make);
struct map *cells_of(struct core_state *s, enum record_kind kind);

/* names.c and addresses.c */
void name_sanitise(const char *hostname, char out[64]); /* a DNS label, "node" when nothing is left */
void name_unique(struct core_state *s, const char *base, const struct slot *self, char out[64]);
int name_check(struct core_state *s, const char *name, const struct slot *self, struct err *e) WARN_UNUSED;
bool name_is_derived(const char *given_name, const char *hostname);
int address_allocate(struct core_state *s, struct allocator *a, struct addr *out, struct err *e) WARN_UNUSED;
void address_free(struct core_state *s, const struct addr *a);
void address_set_ranges(struct core_state *s);

/* publish.c */
void publish(struct core_state *s);
void routes_follow(struct core_state *s,
                   struct slot *slot); /* tells routes what the node is now; elected at the next publish */

/* timers.c */
void timer_set(struct core_state *s, int64_t due_ms, enum timer_kind kind, uint64_t id);
int64_t timers_next(const struct core_state *s); /* mono ms; INT64_MAX: none */
void timers_run(struct core_state *s);
void timer_for_expiry(struct core_state *s, const struct node *n);

/* register.c, pending.c */
void register_run(struct core_state *s, struct core_call *call);
int register_complete(struct core_state *s, struct waiting *w, const struct user *user, struct slot **out,
                      struct err *e);
struct waiting *waiting_find(struct core_state *s, const char *auth_id);
struct waiting *waiting_new(struct core_state *s, const struct pending *fields, struct err *e);
void waiting_decide(struct core_state *s, struct waiting *w, bool accepted, uint64_t node_id);
void waiting_expire(struct core_state *s);
void waiting_drop_call(struct core_state *s, struct core_call *call); /* whose sender is gone */
void register_answer_followup(struct core_state *s, struct waiting *w, struct core_register *r);
void ssh_remember(struct core_state *s, const struct waiting *w);
void waiting_release(struct core_state *s);

/* identity.c: what registration and administration share about a node's owner, tags and routes. */
void node_apply_info(struct core_state *s, struct node *n, const struct client_info *info);
int node_check_tags(struct core_state *s, const struct strs *tags, const struct user *user,
                    const struct preauth_key *key, struct err *e) WARN_UNUSED;
void node_auto_approve(struct core_state *s, struct node *n);
void node_note_routes(struct core_state *s, const struct node *before, const struct node *after);
const char *owner_name(struct core_state *s, const struct node *n);
void slot_delete(struct core_state *s, struct slot *slot, const char *actor, const char *why);

/* map.c, liveness.c */
void map_run(struct core_state *s, struct core_call *call);
void session_open(struct core_state *s, struct slot *slot, const char *source, uint64_t *id);
void session_end_run(struct core_state *s, uint64_t id, enum session_end why);
void session_health_run(struct core_state *s, uint64_t id, bool healthy);
void node_cloned_run(struct core_state *s, uint64_t node_id, const char *where);
void slot_calm(struct core_state *s, struct slot *slot); /* if it has not gone away again */
void slot_offline(struct core_state *s, struct slot *slot, const char *why);

/* admin*.c: one function an operation, in a table by enum admin_op. 0 or an error in call.err. */
#define ADMIN_LATER 1 /* the call is answered by whoever took it over, with admin_begin and admin_end */
typedef int admin_function(struct core_state *s, struct core_admin *a, struct err *e);
void admin_run(struct core_state *s, struct core_call *call);
void admin_begin(struct core_state *s, struct core_admin *a);
void admin_end(struct core_state *s, struct core_admin *a, int code);
extern admin_function admin_user_create, admin_user_rename, admin_user_role, admin_user_delete, admin_preauthkey_create,
    admin_preauthkey_expire, admin_preauthkey_delete, admin_apikey_create, admin_apikey_expire, admin_apikey_delete,
    admin_node_rename, admin_node_tags, admin_node_expire, admin_node_delete, admin_node_routes, admin_routes_edit,
    admin_primary, admin_node_drain, admin_register, admin_auth_approve, admin_auth_reject, admin_debug_node,
    admin_backfill, admin_policy_set;
/* A choice of admin_primary is durable now. */
void primary_choose(struct core_state *s, const struct primary *choice);
int admin_matches(const struct core_admin *a, uint64_t version, struct err *e) WARN_UNUSED;
void admin_result(struct core_admin *a, const void *record); /* what the call answers with; takes a reference */

/* policy.c: what the policy says; without one nobody owns a tag and nothing is approved by itself. */
bool core_policy_may_tag(struct core_state *s, const struct user *user, const char *tag);
bool core_policy_knows_tag(struct core_state *s, const char *tag);
/* A grant with via leads somebody to this router, and another one could take over. */
bool core_policy_steers(struct core_state *s, const struct slot *slot);
bool core_policy_ssh_check(struct core_state *s, const struct node *source, const struct node *target, const char *user,
                           int64_t *period_ms);
/* What autoApprovers gives the node beyond what it has; out is released first. */
void core_policy_auto_approved(struct core_state *s, const struct node *n, struct prefixes *out);
/* The tailnet's view follows what is about to be published; with another policy or other users it is made anew. */
void core_policy_publish(struct core_state *s);
void core_policy_release(struct core_state *s);
/* On any thread: *out is the text, the caller's. */
int core_policy_read_file(const struct config *config, char **out, struct err *e) WARN_UNUSED;
/* The file's text becomes the policy unless it is none; the problems are logged. Stored too: a later start that finds
 * the file broken goes on with it. */
void core_policy_follow_file(struct core_state *s, const char *text);
int core_policy_start_with_file(struct core_state *s, const char *text); /* before there is a worker; without tests */
void policy_drop_ready(struct core_state *s);                            /* what they were compiled for is not true */
void policy_approve_all(struct core_state *s);

void ssh_run(struct core_state *s, struct core_call *call);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* All mutable state of the core, touched by the core's thread only.
 *
 * Each record stands twice: as it is being decided on (work) and as it was published (published). A call changes work
 * and collects writes in a group; when the group is durable, published follows, readers are told and the group's calls
 * are answered. When a group cannot be written, work falls back to published everywhere, the store refuses the groups
 * that were decided upon it, and their calls are decided again or refused: nothing was told, so nothing must be taken
 * back. */
#ifndef SERVER_CORE_STATE_STATE_H
#define SERVER_CORE_STATE_STATE_H

#include <pthread.h>

#include "base/map.h"
#include "base/thread.h"
#include "base/vec.h"
#include "core/core.h"
#include "routes/routes.h"
#include "tailnet/past.h"
#include "tailnet/publish.h"

struct call_done;
struct core_state;
struct slot;

struct call_queue { /* what comes to the core's thread */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct core_call *first, **end;
    uint64_t length, next_number;
    bool stopping;
};

enum timer_kind {
    TIMER_GRACE,
    TIMER_EPHEMERAL,
    TIMER_EXPIRY,
    TIMER_DAMPING,
    TIMER_CARRIED,
    TIMER_LEARNED,
    TIMER_PENDING, /* of the tailnet */
    TIMER_SETTLE,  /* of the tailnet */
    TIMER_NEAREST, /* of the tailnet */
    TIMER_HISTORY, /* of the tailnet */
    TIMER_FACTS,   /* of the tailnet: what happened and could not be written is written again */
    TIMER_ROUTES,  /* of the tailnet: a prefix has waited long enough to move */
    TIMER_TOKENS,  /* of the tailnet: an access token ends */
    TIMER_KINDS
};

struct node_session {
    uint64_t id;
    struct slot *slot;
    struct node_session *next; /* of the same node */
    bool healthy;
};

/* How many images one object can still cause at once, as of a time. */
struct past_budget {
    double images;
    int64_t since_ms; /* 0: it is whole */
};

/* A viewer where a prefix is served by the nearest router. */
struct nearest_viewer {
    uint64_t id;      /* of its node */
    uint32_t router;  /* slot, TAILNET_SLOT_NONE: it is served by the primary */
    int64_t moved_ms; /* when it moved to another router, INT64_MIN: never */
};
/* Viewers that went from one router to another, until the journal tells of them together. */
struct nearest_note {
    uint64_t from, to; /* ids */
    const char *cause;
    char *actor; /* the administrator whose change it follows, NULL: nobody's */
    size_t viewers;
    char names[160]; /* of the first */
};
struct nearest_state {
    struct prefix prefix;
    VEC(struct nearest_note) notes;
    int64_t noted_ms; /* when the journal told of some last; 0: never */
    char *actor;      /* whose change it was that viewers moved at acted_ms; NULL: nobody's */
    int64_t acted_ms;
    uint32_t primary;                   /* slot */
    VEC(uint32_t) routers;              /* slots of those that are well */
    VEC(struct nearest_viewer) viewers; /* by slot */
    /* For looking back: what moved since all viewers were kept, and who moved since that was kept too. */
    VEC(struct past_viewer) kept_moves;
    VEC(uint64_t) unkept; /* ids */
    bool unkept_all, kept_late;
    struct past_budget budget;
    bool grown;         /* while it is changed: it has a router that it had not */
    bool dirty;         /* to be published: another router serves somebody, or it has other routers */
    bool seen, changed; /* while it is followed: it is still served so; its routers are others now */
};

struct slot {
    uint32_t index;
    uint64_t id; /* of the node; 0: free */
    const struct node *work, *published;
    struct node_live live;
    struct prefixes serving;
    struct node_session *sessions;
    struct slot *same_machine; /* next node of the machine key, by work */
    uint32_t dirty;            /* enum change_mask, to be published */
    bool rebuild, route_moved; /* rebuild: publish again even without a change that readers are told */
    bool recorded;             /* it has another record, to be published */
    const char *actor;         /* whose change of its record is to be published; borrowed, NULL: nobody's */
    bool restated;             /* its client says otherwise now, which no entry of the journal tells */
    bool reachable;            /* it has its first home relay or DiscoKey, to be published */
    enum key_end key_end;      /* as its client was warned */
    bool expired;              /* as it is told: by its record when that was published, later by its timer */
    bool measured;             /* latencies are those of its NetInfo */
    struct relay_latencies latencies;
    double penalty; /* of going away, as of penalty_ms; see liveness.c */
    int64_t penalty_ms;
    struct prefixes learned; /* what it advertises, to be written together in a moment */
    bool learned_waits;
    int64_t learned_ms;        /* when what it advertises was written last */
    struct prefixes proven;    /* whose target answered through it in the last round of probes */
    struct prefixes confirmed; /* of those that it keeps without a control connection: asked since it was lost */
    int64_t carried_ms;        /* since when it keeps some so */
    int64_t verify_ms;         /* until when it keeps those that are not confirmed */
    bool suspect;              /* its last session ended; its grace has not passed yet */
    bool updated;              /* it sent an update of its own in this run: its streams' copies are older */
    int64_t heard_ms, lost_ms; /* of a session that ended silent; of the last sign of life before it went offline */
    /* How long it took from the first lost probe to the last verdict that it does not answer, and that a target does
     * not answer through it; 0: not known. */
    int64_t unhealthy_after_ms, unreached_after_ms;
    int64_t ended_ms; /* when its last session ended, or when it was registered */
    int64_t grace_ms; /* until when it is not yet offline */
    int64_t free_ms;  /* when it was freed: not used again for a while */
    double entries;   /* of the journal that its client may cause, as of entries_ms; see journal.c */
    int64_t entries_ms;
    struct past_budget budget;  /* for looking back; see past.c */
    bool image_late;            /* its image waits */
    unsigned left_out;          /* entries since the last one that was made */
    size_t timers[TIMER_KINDS]; /* places in the heap, from 1; 0: it is not set */
};

/* A user or a key. */
struct record_pair { /* a record as it is being decided on, and as it was published */
    const void *work, *published;
    int64_t pause_until_ms; /* mono; of a pre-auth key that was tried with a wrong secret */
};

/* What becomes durable together. */
struct commit_group {
    struct commit_group *next;
    struct core_state *state;
    VEC(struct store_write) writes;
    VEC(char *) actors;               /* for each: the administrator who causes it, NULL: none does */
    VEC(const struct event *) events; /* also among the writes; delivered in this order */
    VEC(bool) observed;               /* for each: it happened, whether or not it could be stored */
    struct core_call *calls, **calls_end;
    bool abandoned;  /* decided upon a group that could not be written */
    bool remade;     /* holds only what happened, for the second time */
    bool delivered;  /* its entries were given to listeners before: the journal lacked them */
    bool uncertain;  /* refused, because nobody knew whether it is durable */
    int64_t sent_us; /* mono, to the store */
    int code;
    struct err err;
};

struct timer {
    int64_t due_ms;
    enum timer_kind kind;
    struct slot *slot; /* NULL: of the tailnet */
};

struct pending_request {
    const struct pending *work, *published; /* published NULL: it is not durable yet, and nobody was told of it */
    struct core_call *calls;                /* struct core_register or struct core_ssh, which wait for the decision */
    void (*answer)(struct core_state *s, struct pending_request *w, struct core_call *call); /* each of them */
    int64_t ends_ms; /* mono ms: the wall clock may be set meanwhile */
    int64_t left_ms; /* SSH: when the last that asked went away; 0: somebody waits */
};

struct parsed_policy { /* a policy's text, parsed */
    const struct policy_text *text;
    struct policy *policy;
};

struct policy_ready { /* compiled, until the text is durable */
    const struct policy_text *text;
    struct policy *policy;               /* NULL: the text is empty */
    struct policy_view *view;            /* NULL: the text is empty */
    const struct tailnet_snapshot *base; /* what it was compiled over */
};

struct address_pool {
    struct prefix range; /* bits 0 in addr: this family is not used */
    struct addr next;
};

struct core_state {
    struct call_queue queue;
    const struct config *config;
    struct tailnet *tailnet;
    const struct tailnet_snapshot *own; /* where readers have one made from messages: the core's last; else NULL */
    struct store *store;
    struct routes *routes;

    VEC(struct slot *) slots;                                           /* by index */
    size_t first_free;                                                  /* no free slot lies before it */
    struct map by_id, by_node_key, by_machine_key, by_name, by_address; /* -> struct slot, by work */
    struct map users, preauth_keys, api_keys, identities;               /* id -> struct record_pair */
    struct map oauth_clients, oauth_tokens, webhooks;                   /* likewise */
    struct map prefix_moves;                                            /* prefix -> how often it moved; bounded */
    struct map prefix_settings;                                         /* prefix -> struct record_pair */
    struct map sessions;                                                /* id -> struct node_session */
    struct map pendings;                                                /* auth id -> struct pending_request */
    struct map waiting_calls;                                           /* number -> struct core_call */
    struct map history;                       /* object -> hash of its newest image; see past.c */
    int64_t history_ns;                       /* wall time of the newest image and publication */
    struct map ssh_approved;                  /* source, target, user -> mono ms */
    VEC(const struct deleted_node *) deleted; /* lately, oldest first; bounded */
    struct map deleted_keys;                  /* node key -> 1, of these */
    struct map calls_done; /* token -> struct call_done, of calls of administrators; see admin/repeated.c */
    VEC(struct call_done *) calls_kept; /* of these those that were done, oldest first; bounded */
    struct map quarantine;              /* address -> mono ms until which it is not given out again */
    struct address_pool v4, v6;
    const struct server_message *message_work, *message_published; /* NULL: none */
    const struct dns_settings *dns_work, *dns_published;           /* likewise */
    const struct policy_text *policy_work, *policy_published;
    struct parsed_policy parsed[2];
    struct policy_view *decider; /* users by work, no nodes; NULL: not made yet */
    const struct policy *decider_of;
    bool decider_stale;             /* the users changed */
    VEC(struct policy_ready) ready; /* in the order of their decisions */
    struct workers worker;          /* one thread: reads, checks and compiles policies, one after another */
    size_t jobs;                    /* policies that it examines */
    struct workers hasher;          /* one thread: computes slow hashes of imported pre-auth keys */
    struct slow_check *slow_checks; /* those that it computes */

    uint64_t next_id[RECORD_KINDS], next_session;
    uint64_t run, event_seq;  /* the newest entry that was numbered */
    uint64_t event_delivered; /* the newest entry that listeners were given */
    uint64_t event_published; /* the newest entry that a snapshot says it contains */
    uint64_t change_seq;      /* the newest change that was published */

    struct commit_group *open;                 /* collects; NULL: nothing yet */
    struct commit_group *flying, **flying_end; /* submitted, oldest first */
    struct commit_group *facts, **facts_end;   /* what happened while nothing could be written, oldest first; bounded */
    size_t fact_count;                         /* entries of the journal among these */
    bool unwritable;                           /* the last group was refused for what refuses them all */
    struct core_call *unsaid, **unsaid_end;    /* map requests that are written when that is over, oldest first */
    size_t unsaid_count;
    bool deciding_unsaid;           /* whether it can be written again is tried with one of them */
    struct commit_group *uncertain; /* refused, but they may be durable: the store says so later */
    uint64_t series;                /* of groups that are decided upon one another; see store_submit */
    bool dry;                       /* the present call only asks what would happen */
    struct core_admin *admin;       /* the present administrative call, for its actor */

    bool users_dirty, preauth_keys_dirty, api_keys_dirty, identities_dirty, pendings_dirty, primaries_dirty;
    bool policy_dirty;
    bool via_primaries_dirty, oauth_dirty, webhooks_dirty;
    char *policy_actor;                         /* who set the policy that is about to be published; NULL: nobody */
    struct policy_view *next_view;              /* of the policy that is about to be published; NULL: it has none */
    bool groups_known;                          /* elections are held in the groups of a policy */
    bool prefix_settings_dirty, settings_dirty; /* settings: other than what tailnet_dirty is about */
    bool message_dirty;
    uint32_t tailnet_dirty; /* CHANGE_DNS, CHANGE_DERP, CHANGE_USERS, CHANGE_POLICY, CHANGE_MESSAGE */
    struct tailnet_settings *settings;
    char *records; /* of the file that dns.extra_records_path names, as JSON; NULL: none */
    VEC(struct slot *) dirty_slots;
    VEC(struct primary *) primaries;          /* by prefix; what the store holds, or will */
    VEC(struct via_primary *) via_primaries;  /* likewise within groups of via, by prefix and tags */
    bool elect;                               /* routes were told something */
    VEC(struct nearest_state) nearest;        /* by prefix; those that are served by the nearest router */
    VEC(struct slot *) nearest_viewers;       /* to be looked at: they measured anew */
    bool nearest_all;                         /* all viewers are */
    bool nearest_dirty;                       /* to be published */
    bool nearest_settling;                    /* routers that served viewers before the start are waited for */
    char *nearest_ended_by;                   /* whose change ended the last ones; NULL: nobody's */
    struct core_call *answers, **answers_end; /* to be given after the next publish */
    struct core_call *retries, **retries_end; /* whose group could not be written */

    VEC(struct timer) timers; /* a heap by due_ms: one a kind for each node, and one for the tailnet */
    size_t timer_places[TIMER_KINDS];
    const char *rule_actor;   /* whose change of how a prefix is served is to be published; borrowed, NULL: nobody's */
    const char *follow_actor; /* whose write is followed now; NULL: nobody's */
    VEC(struct core_listener) listeners;
    VEC(struct core_exit_change) exit_changes; /* of the present publication */
    struct core_counters counters;
};

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* All mutable state of the core, touched only by the core's thread.
 *
 * Each record exists twice: the working version on which calls are decided (work) and the one that readers see
 * (published). A call changes work and collects writes in a group; when the group is durable, published follows,
 * readers are notified and the group's calls are answered. If a group cannot be written, work is reset to published
 * everywhere, the store refuses the groups that depended on it, and their calls are decided again or refused:
 * nothing was reported, so nothing must be retracted. */
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

struct call_queue { /* the input of the core's thread */
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
    TIMER_PENDING, /* tailnet-wide */
    TIMER_SETTLE,  /* tailnet-wide */
    TIMER_NEAREST, /* tailnet-wide */
    TIMER_HISTORY, /* tailnet-wide */
    TIMER_FACTS,   /* tailnet-wide: retries writing what happened and could not be written */
    TIMER_ROUTES,  /* tailnet-wide: a prefix has waited long enough to move */
    TIMER_TOKENS,  /* tailnet-wide: an access token expires */
    TIMER_KINDS
};

struct node_session {
    uint64_t id;
    struct slot *slot;
    struct node_session *next; /* of the same node */
    bool healthy;
};

/* How many images one object may still cause at once, as of a time. */
struct past_budget {
    double images;
    int64_t since_ms; /* 0: the budget is full */
};

/* A viewer of a prefix that is served by the nearest router. */
struct nearest_viewer {
    uint64_t id;      /* of its node */
    uint32_t router;  /* slot, TAILNET_SLOT_NONE: the primary serves it */
    int64_t moved_ms; /* when it last moved to another router, INT64_MIN: never */
};
/* Viewers that moved from one router to another, collected for one journal entry. */
struct nearest_note {
    uint64_t from, to; /* ids */
    const char *cause;
    char *actor; /* the administrator whose change caused it, NULL: none */
    size_t viewers;
    char names[160]; /* of the first few */
};
struct nearest_state {
    struct prefix prefix;
    VEC(struct nearest_note) notes;
    int64_t noted_ms; /* when the journal last had an entry of moves; 0: never */
    char *actor;      /* whose change moved viewers at acted_ms; NULL: no one's */
    int64_t acted_ms;
    uint32_t primary;                   /* slot */
    VEC(uint32_t) routers;              /* slots of the healthy ones */
    VEC(struct nearest_viewer) viewers; /* by slot */
    /* For looking back: moves since the last image of all viewers, and viewers that moved since the last image of
     * either kind. */
    VEC(struct past_viewer) kept_moves;
    VEC(uint64_t) unkept; /* ids */
    bool unkept_all, kept_late;
    struct past_budget budget;
    bool grown;         /* during a change: it has gained a router */
    bool dirty;         /* to be published: some viewer has another router, or the set of routers changed */
    bool seen, changed; /* during nearest_follow: still served in this way; its set of routers changed */
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
    bool rebuild, route_moved; /* rebuild: publish again even if readers see no change */
    bool recorded;             /* its record has changed, to be published */
    const char *actor;         /* whose change of its record is to be published; borrowed, NULL: no one's */
    bool restated;             /* its client now reports something else that no journal entry notes */
    bool reachable;            /* it has received its first home relay or DiscoKey, to be published */
    enum key_end key_end;      /* the last one that its client was warned of */
    bool expired;              /* as sent to clients: by its record when that was published, later by its timer */
    bool measured;             /* latencies are from its present NetInfo */
    struct relay_latencies latencies;
    double penalty; /* for going away, as of penalty_ms; see liveness.c */
    int64_t penalty_ms;
    struct prefixes learned; /* advertised routes, to be written together shortly */
    bool learned_waits;
    int64_t learned_ms;        /* when its advertised routes were last written */
    struct prefixes proven;    /* prefixes whose target answered through it in the last round of probes */
    struct prefixes confirmed; /* of those that it keeps without a control connection: probed since that was lost */
    int64_t carried_ms;        /* since when it keeps some of them */
    int64_t verify_ms;         /* until when it keeps unconfirmed ones */
    bool suspect;              /* its last session ended, and its grace has not passed yet */
    bool updated;              /* it sent an update of its own in this run: its streams' copies are older */
    int64_t heard_ms, lost_ms; /* of a session that ended silent; of the last sign of life before it went offline */
    /* Time from the first lost probe to the last verdict that it does not answer, and that a target does not answer
     * through it; 0: unknown. */
    int64_t unhealthy_after_ms, unreached_after_ms;
    int64_t ended_ms; /* when its last session ended, or when it was registered */
    int64_t grace_ms; /* until when it does not count as offline */
    int64_t free_ms;  /* when it was freed: not reused for a while */
    double entries;   /* journal entries that its client may still cause, as of entries_ms; see journal.c */
    int64_t entries_ms;
    struct past_budget budget;  /* for looking back; see past.c */
    bool image_late;            /* its image is pending */
    unsigned left_out;          /* journal entries suppressed since the last one written */
    size_t timers[TIMER_KINDS]; /* positions in the heap, from 1; 0: not set */
};

/* A user or a key. */
struct record_pair { /* a record in its working and its published version */
    const void *work, *published;
    int64_t pause_until_ms; /* mono; of a pre-auth key that was tried with a wrong secret */
};

/* Writes that become durable together. */
struct commit_group {
    struct commit_group *next;
    struct core_state *state;
    VEC(struct store_write) writes;
    VEC(char *) actors;               /* parallel: the administrator who caused it, NULL: none */
    VEC(const struct event *) events; /* also among the writes; delivered in this order */
    VEC(bool) observed;               /* parallel: it happened, whether or not it could be stored */
    struct core_call *calls, **calls_end;
    bool abandoned;  /* depended on a group that could not be written */
    bool remade;     /* holds only what happened, for the second time */
    bool delivered;  /* its entries were already given to listeners, without being in the journal */
    bool uncertain;  /* refused because it is unknown whether it is durable */
    int64_t sent_us; /* mono, to the store */
    int code;
    struct err err;
};

struct timer {
    int64_t due_ms;
    enum timer_kind kind;
    struct slot *slot; /* NULL: tailnet-wide */
};

struct pending_request {
    const struct pending *work, *published; /* published NULL: it is not durable yet, and no one was told of it */
    struct core_call *calls;                /* struct core_register or struct core_ssh, waiting for the decision */
    void (*answer)(struct core_state *s, struct pending_request *w,
                   struct core_call *call); /* called for each of them */
    int64_t ends_ms;                        /* mono ms: the wall clock may be set meanwhile */
    int64_t left_ms;                        /* SSH: when the last asker went away; 0: someone waits */
};

struct parsed_policy { /* a policy's text, parsed */
    const struct policy_text *text;
    struct policy *policy;
};

struct policy_ready { /* compiled, before the text is durable */
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
    const struct tailnet_snapshot *own; /* the core's last one, if readers get one decoded from messages; else NULL */
    struct store *store;
    struct routes *routes;

    VEC(struct slot *) slots;                                           /* by index */
    size_t first_free;                                                  /* no free slot has a lower index */
    struct map by_id, by_node_key, by_machine_key, by_name, by_address; /* -> struct slot, by work */
    struct map users, preauth_keys, api_keys, identities;               /* id -> struct record_pair */
    struct map oauth_clients, oauth_tokens, webhooks;                   /* likewise */
    struct map prefix_moves;                                            /* prefix -> number of its moves; bounded */
    struct map prefix_settings;                                         /* prefix -> struct record_pair */
    struct map sessions;                                                /* id -> struct node_session */
    struct map pendings;                                                /* auth id -> struct pending_request */
    struct map waiting_calls;                                           /* number -> struct core_call */
    struct map history;                       /* object -> hash of its newest image; see past.c */
    int64_t history_ns;                       /* wall time of the newest image and publication */
    struct map ssh_approved;                  /* source, target, user -> mono ms */
    VEC(const struct deleted_node *) deleted; /* recently, oldest first; bounded */
    struct map deleted_keys;                  /* node key -> 1, of these */
    struct map calls_done;              /* token -> struct call_done, of administrators' calls; see admin/repeated.c */
    VEC(struct call_done *) calls_kept; /* those of them that were done, oldest first; bounded */
    struct map quarantine;              /* address -> mono ms until which it is not assigned again */
    struct address_pool v4, v6;
    const struct server_message *message_work, *message_published; /* NULL: none */
    const struct dns_settings *dns_work, *dns_published;           /* likewise */
    const struct policy_text *policy_work, *policy_published;
    struct parsed_policy parsed[2];
    struct policy_view *decider; /* working version of the users, no nodes; NULL: not made yet */
    const struct policy *decider_of;
    bool decider_stale;             /* the users changed */
    VEC(struct policy_ready) ready; /* in order of their decisions */
    struct workers worker;          /* one thread: reads, checks and compiles policies, one after another */
    size_t jobs;                    /* policies that it is examining */
    struct workers hasher;          /* one thread: computes slow hashes of imported pre-auth keys */
    struct slow_check *slow_checks; /* those in progress */

    uint64_t next_id[RECORD_KINDS], next_session;
    uint64_t run, event_seq;  /* the newest numbered entry */
    uint64_t event_delivered; /* the newest entry given to listeners */
    uint64_t event_published; /* the newest entry that a snapshot claims to include */
    uint64_t change_seq;      /* the newest published change */

    struct commit_group *open;                 /* being collected; NULL: nothing yet */
    struct commit_group *flying, **flying_end; /* submitted, oldest first */
    struct commit_group *facts, **facts_end;   /* what happened while nothing could be written, oldest first; bounded */
    size_t fact_count;                         /* number of journal entries in these */
    bool unwritable;                           /* the last group was refused for a reason that affects all groups */
    struct core_call *unsaid, **unsaid_end;    /* map requests to be written when that is over, oldest first */
    size_t unsaid_count;
    bool deciding_unsaid;           /* one of them is being used to test whether writing works again */
    struct commit_group *uncertain; /* refused, but they may be durable: the store will report which */
    uint64_t series;                /* of groups that depend on one another; see store_submit */
    bool dry;                       /* the present call only asks what would happen */
    struct core_admin *admin;       /* the present administrative call, for its actor */

    bool users_dirty, preauth_keys_dirty, api_keys_dirty, identities_dirty, pendings_dirty, primaries_dirty;
    bool policy_dirty;
    bool via_primaries_dirty, oauth_dirty, webhooks_dirty;
    char *policy_actor;                         /* who set the policy about to be published; NULL: no one */
    struct policy_view *next_view;              /* of the policy about to be published; NULL: none */
    uint64_t view_counter;                      /* of the last view that was replaced, see policy_view_continue */
    bool groups_known;                          /* elections are held in the groups of a policy */
    bool prefix_settings_dirty, settings_dirty; /* settings: parts not covered by tailnet_dirty */
    bool message_dirty;
    uint32_t tailnet_dirty; /* CHANGE_DNS, CHANGE_DERP, CHANGE_USERS, CHANGE_POLICY, CHANGE_MESSAGE */
    struct tailnet_settings *settings;
    char *records; /* of the file that dns.extra_records_path names, as JSON; NULL: none */
    VEC(struct slot *) dirty_slots;
    VEC(struct primary *) primaries;          /* by prefix; what the store holds, or will hold */
    VEC(struct via_primary *) via_primaries;  /* likewise within groups of via, by prefix and tags */
    bool elect;                               /* routes has new input */
    VEC(struct nearest_state) nearest;        /* prefixes served by the nearest router, by prefix */
    VEC(struct slot *) nearest_viewers;       /* have measured anew and must be checked */
    bool nearest_all;                         /* all viewers must be checked */
    bool nearest_dirty;                       /* to be published */
    bool nearest_settling;                    /* waiting for routers that served viewers before the start */
    char *nearest_ended_by;                   /* whose change ended the last ones; NULL: no one's */
    struct core_call *answers, **answers_end; /* to be given after the next publication */
    struct core_call *retries, **retries_end; /* calls whose group could not be written */

    VEC(struct timer) timers; /* a heap by due_ms: one per kind for each node, and one for the tailnet */
    size_t timer_places[TIMER_KINDS];
    const char *rule_actor;   /* whose change of a prefix's settings is to be published; borrowed, NULL: no one's */
    const char *follow_actor; /* who caused the write being followed now; NULL: no one */
    VEC(struct core_listener) listeners;
    VEC(struct core_exit_change) exit_changes; /* of the present publication */
    struct core_counters counters;
};

#endif

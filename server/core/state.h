/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to the core: all mutable state, touched by the core's thread only.
 *
 * Each record stands twice: as it is being decided on (work) and as it was published (published). A call changes work
 * and collects writes in a group; when the group is durable, published follows, readers are told and the group's calls
 * are answered. When a group cannot be written, work falls back to published everywhere and every call that relied on
 * it is refused: nothing was told, so nothing must be taken back. */
#ifndef SERVER_CORE_STATE_H
#define SERVER_CORE_STATE_H

#include "base/map.h"
#include "base/thread.h"
#include "base/vec.h"
#include "core/addresses.h"
#include "core/core.h"
#include "core/policy.h"
#include "core/policy_set.h"
#include "core/slots.h"
#include "core/timers.h"
#include "routes/routes.h"

struct core_state {
    struct core *core;
    const struct config *config;
    struct tailnet *tailnet;
    struct store *store;
    struct routes *routes;

    VEC(struct slot *) slots;                                           /* by index */
    size_t first_free;                                                  /* no free slot lies before it */
    struct map by_id, by_node_key, by_machine_key, by_name, by_address; /* -> struct slot, by work */
    struct map users, preauth_keys, api_keys;                           /* id -> struct record_pair */
    struct map sessions;                                                /* id -> struct node_session */
    struct map pendings;                                                /* auth id -> struct pending_request */
    struct map waiting_calls;                                           /* number -> struct core_call */
    struct map ssh_approved;                                            /* source, target, user -> mono ms */
    struct map deleted_keys;                                            /* node key -> 1, bounded */
    struct map quarantine; /* address -> mono ms until which it is not given out again */
    struct address_pool v4, v6;
    const struct policy_text *policy_work, *policy_published;
    struct parsed_policy parsed[2];
    struct policy_view *decider; /* users by work, no nodes; NULL: not made yet */
    const struct policy *decider_of;
    bool decider_stale;             /* the users changed */
    VEC(struct policy_ready) ready; /* in the order of their decisions */
    struct workers worker;          /* one thread: reads, checks and compiles policies, one after another */
    size_t jobs;                    /* policies that it examines */

    uint64_t next_id[RECORD_KINDS], next_session;
    uint64_t run, event_seq;  /* the newest entry that was numbered */
    uint64_t event_delivered; /* the newest entry that listeners were given */
    uint64_t event_published; /* the newest entry that a snapshot says it contains */
    uint64_t change_seq;      /* the newest change that was published */

    struct commit_group *open;                 /* collects; NULL: nothing yet */
    struct commit_group *flying, **flying_end; /* submitted, oldest first */
    bool dry;                                  /* the present call only asks what would happen */
    struct core_admin *admin;                  /* the present administrative call, for its actor */

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

#endif

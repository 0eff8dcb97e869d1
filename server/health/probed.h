/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to the room: which prefixes are probed, for everybody, for via groups and for viewers of a nearest router,
 * and through which routers. */
#ifndef SERVER_HEALTH_PROBED_H
#define SERVER_HEALTH_PROBED_H

#include "health/helpers.h"

#define PROBED_MAX 64 /* prefixes */
#define PATHS_MAX  16 /* routers per prefix */

struct probed_path {
    uint64_t router;
    uint64_t seen; /* tick */
    bool serving, unreachable;
    bool proven;       /* the core knows that the target answered in the last round */
    int64_t lost_ms;   /* when the router lost its control connection, 0: it has one */
    int64_t began_ms;  /* start of the round */
    int64_t tested_ms; /* for a standby: when its last test ended, 0: never */
    uint64_t round;
    unsigned open; /* answers that this round waits for */
    unsigned bad, good;
    unsigned unheard;       /* consecutive rounds that were not good */
    int64_t due_ms, bad_ms; /* bad_ms: when the first of its bad rounds began */
    struct helper_result results[HELPERS];
};

struct probed_prefix {
    uint64_t number; /* identifies it in answers */
    struct prefix prefix;
    char *via;        /* the tags of the group, "": everybody */
    uint64_t nearest; /* id of the nearest router whose viewers it is for; 0: any */
    struct addr target;
    uint64_t primary; /* id of the router that serves, 0: none */
    uint64_t seen;
    struct probe_helpers helpers;
    struct probed_path paths[PATHS_MAX];
    size_t path_count;
    /* The standby being tested, and the helper that is led through it and cannot test the primary meanwhile. */
    uint64_t standby, led;
    int64_t standby_ms; /* when the test began, or, if it has ended, when it ended */
};

struct probed_set { /* all of them */
    struct probed_prefix *items[PROBED_MAX];
    size_t len;
    uint64_t numbers, tick;
};

struct probed_prefix *probed_by_number(struct probed_set *set, uint64_t number); /* NULL: it is no longer probed */
struct probed_path *probed_path_of(struct probed_prefix *p, uint64_t router);    /* NULL: none */
/* The router's path, made if it was missing; NULL: there are too many. */
struct probed_path *probed_path_make(struct probed_prefix *p, const struct tailnet_node *n);
/* Whether the node is a router of the prefix that packets may go through. */
bool probed_is_path(const struct probed_set *set, const struct probed_prefix *p, const struct tailnet_node *n);
/* Marks what must be probed in this tick, and adds what is new. */
void probed_take_targets(struct probed_set *set, const struct tailnet_snapshot *s);
/* The entry for everybody of the same prefix; NULL: none. */
struct probed_prefix *probed_of_all(struct probed_set *set, const struct prefix *prefix);
bool probed_goes_on(const struct probed_set *set, const struct prefix *prefix); /* for anybody, in this tick */

#endif

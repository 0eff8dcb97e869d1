/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to the room: which prefixes are probed, for everybody, for groups of via and for those that a router is the
 * nearest to, and through which routers. */
#ifndef SERVER_HEALTH_PROBED_H
#define SERVER_HEALTH_PROBED_H

#include "health/helpers.h"

#define PROBED_MAX 64 /* prefixes */
#define PATHS_MAX  16 /* routers of one */

struct probed_path {
    uint64_t router;
    uint64_t seen; /* tick */
    bool serving, unreachable;
    bool proven;       /* the core knows that the target answered in the last round */
    int64_t lost_ms;   /* when the router lost its control connection, 0: it has one */
    int64_t began_ms;  /* of the round */
    int64_t tested_ms; /* of a standby: when its last test ended, 0: never */
    uint64_t round;
    unsigned open; /* answers that this round waits for */
    unsigned bad, good;
    unsigned unheard;       /* rounds in a row that were not good */
    int64_t due_ms, bad_ms; /* bad_ms: when the first of its bad rounds began */
    struct helper_result results[HELPERS];
};

struct probed_prefix {
    uint64_t number; /* names it in answers */
    struct prefix prefix;
    char *via;        /* the tags of the group, "": everybody */
    uint64_t nearest; /* id of the router whose viewers it is about: those that it is the nearest to; 0: any */
    struct addr target;
    uint64_t primary; /* id of the router that serves, 0: nobody */
    uint64_t seen;
    struct probe_helpers helpers;
    struct probed_path paths[PATHS_MAX];
    size_t path_count;
    /* The standby that is tested, by a helper that is led through it and cannot tell of the primary meanwhile. */
    uint64_t standby, led;
    int64_t standby_ms; /* since when; of a test that ended: when that was */
};

struct probed_set { /* all of them */
    struct probed_prefix *items[PROBED_MAX];
    size_t len;
    uint64_t numbers, tick;
};

struct probed_prefix *probed_by_number(struct probed_set *set, uint64_t number); /* NULL: it is probed no more */
struct probed_path *probed_path_of(struct probed_prefix *p, uint64_t router);    /* NULL: none */
/* The router's path, a new one where there was none; NULL: there are too many. */
struct probed_path *probed_path_make(struct probed_prefix *p, const struct tailnet_node *n);
/* It is a router of the prefix, and packets may go through it. */
bool probed_is_path(const struct probed_set *set, const struct probed_prefix *p, const struct tailnet_node *n);
/* Marks what is to be probed in this tick, and adds what is new. */
void probed_take_targets(struct probed_set *set, const struct tailnet_snapshot *s);
/* The one of everybody for the same prefix; NULL: there is none. */
struct probed_prefix *probed_of_all(struct probed_set *set, const struct prefix *prefix);
bool probed_goes_on(const struct probed_set *set, const struct prefix *prefix); /* for somebody, in this tick */

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to the room: moves of prefixes, for everybody or within a via group, exit nodes that end, and whether clients
 * follow. Viewers of a prefix are asked; users of an exit node report by themselves when they use another one
 * (Hostinfo.ExitNodeID, from capability version 122). */
#ifndef SERVER_READBACK_MOVES_H
#define SERVER_READBACK_MOVES_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "base/vec.h"
#include "core/core.h"
#include "loop/loop.h"
#include "metrics/metrics.h"
#include "readback/readback.h"
#include "tailnet/tailnet.h"

#define MOVES_MAX  64 /* remembered */
#define SAMPLE_MAX 64 /* nodes asked per move */
#define ASKING_MAX 4  /* at the same time, in all */
#define ASK_MS     30000
#define AGAIN_MS   1000 /* before a node that has not followed yet is asked again */
#define ENDS_MS    60000

#define PREFERENCES_MAX 256 /* nodes whose preferences are known */

enum follower_state { FOLLOWER_WAITING, FOLLOWER_ASKED, FOLLOWER_FOLLOWS, FOLLOWER_UNSUPPORTED, FOLLOWER_GONE };

struct route_follower {
    uint64_t node;
    enum follower_state state;
    bool silent;    /* it did not answer, or not the last question */
    uint64_t uses;  /* the router that it reported to use, 0: none */
    int64_t due_ms; /* when to ask it (again) */
};

/* Prefixes that moved together from one router to another, or an exit node that its users must leave. */
struct readback_move {
    uint64_t number, from, to; /* to is 0 for an exit node */
    bool nearest;              /* concerns only viewers whose nearest router changed */
    uint64_t look;             /* in which it was seen */
    char *via;                 /* the group of routers in which they moved, NULL: for everybody */
    char *actor;               /* the administrator whose change caused it, NULL: none */
    const char *exit_end;      /* for an exit node: why it ended; NULL: not an exit node */
    struct prefixes prefixes;
    int64_t moved_ns, moved_ms; /* wall, monotonic */
    size_t viewers;             /* in all, when it began */
    VEC(struct route_follower) followers;
    bool unserved;        /* no router serves them any more, so nobody is asked */
    bool ended, complete; /* complete: all were asked, and followed or are gone */
};

/* A node's last report of its preferences. */
struct viewer_preference {
    uint64_t node;
    enum accepts_routes accepts;
    int64_t due_ms; /* when to ask it (again) */
};

struct readback {
    struct readback_options options; /* config: a reference, the loop's */
    struct loop *loop;
    struct loop_timer timer;
    bool looked;
    uint64_t looks;
    struct tailnet_nearest *nearest; /* as last seen; the loop's */
    struct map primaries;            /* prefix and group -> node id, as last seen; the loop's */

    pthread_mutex_t lock;              /* guards what follows */
    bool on;                           /* node.probe.read_back */
    bool forgot;                       /* a move was dropped before all its followers were known */
    uint64_t seen;                     /* the change up to which primaries were examined */
    VEC(struct readback_move *) moves; /* oldest first */
    struct map users;                  /* id of a node -> id of the exit node it uses */
    uint64_t next_number;
    unsigned asking;
    uint64_t questions, failed;
    struct metrics_times follow_times, leave_times;
    VEC(struct viewer_preference) preferences;
    unsigned preferences_asked; /* unanswered questions */
    uint32_t next_slot;         /* of the node to examine next */
};

/* moves.c */
/* Finds prefixes that moved; the caller must not hold the lock. */
void moves_look(struct readback *r, const struct tailnet_snapshot *s);
void moves_release(struct readback *r);
struct readback_move *moves_find(struct readback *r, uint64_t number); /* call with the lock held; NULL: forgotten */
/* Ends a move whose followers are decided, or whose time is over, and notes it; call with the lock held. */
void move_add_viewer(struct readback_move *m, uint64_t node, int64_t now_ms);
void move_keep(struct readback *r, struct readback_move *m); /* takes it over; call with the lock held */
void move_settle(struct readback *r, struct readback_move *m, int64_t now_ms);

/* The router that the viewer should use for the moved prefixes, and which of them (out is released first): the new
 * router, or the viewer's own if the nearest one serves. v NULL: there is no policy. */
uint64_t move_expects(const struct readback_move *m, const struct tailnet_snapshot *s, const struct policy_view *v,
                      const struct tailnet_node *viewer, struct prefixes *out);

/* exit_moves.c */
/* Listener of the core: which node uses which exit node, and which exit nodes end while in use. */
void exits_changed(void *arg, const struct core_exit_change *c);
/* Finds which exit nodes the users of an ended one use now; call with the lock held. */
void exit_follow(struct readback *r, const struct tailnet_snapshot *s, struct readback_move *m);

/* report.c */
void move_counts(const struct readback_move *m, size_t *followed, size_t *unsupported, size_t *gone);
void move_say(const struct readback *r, const struct readback_move *m, struct buf *out); /* as a sentence */

#endif

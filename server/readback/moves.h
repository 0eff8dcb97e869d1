/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to the room: moves of prefixes, for everybody or within a group of via, and exit nodes that end; and those
 * who follow. Who uses a prefix is asked; the users of an exit node say by themselves when they use another one
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

#define MOVES_MAX  64 /* that are remembered */
#define SAMPLE_MAX 64 /* nodes that are asked of one move */
#define ASKING_MAX 4  /* at the same time, in all */
#define ASK_MS     30000
#define AGAIN_MS   1000 /* until a node that does not follow yet is asked again */
#define ENDS_MS    60000

#define PREFERENCES_MAX 256 /* nodes whose preferences are known */

enum follower_state { FOLLOWER_WAITING, FOLLOWER_ASKED, FOLLOWER_FOLLOWS, FOLLOWER_UNSUPPORTED, FOLLOWER_GONE };

struct route_follower {
    uint64_t node;
    enum follower_state state;
    bool silent;    /* it has not answered, or not to its last question */
    uint64_t uses;  /* the router that it said it uses, 0: none */
    int64_t due_ms; /* when it is asked (again) */
};

/* Prefixes that went from one router to another at once, or an exit node that its users must leave. */
struct readback_move {
    uint64_t number, from, to; /* of an exit node to is 0 */
    bool nearest;              /* only of some viewers, to whom another router is nearer, or was */
    uint64_t look;             /* in which it was seen */
    char *via;                 /* the group of routers in which they moved, NULL: the election for everybody */
    char *actor;               /* the administrator whose change it follows, NULL: nobody's */
    const char *exit_end;      /* of an exit node: why it ended; NULL: it is none */
    struct prefixes prefixes;
    int64_t moved_ns, moved_ms; /* wall, mono */
    size_t viewers;             /* of all nodes, when it was begun */
    VEC(struct route_follower) followers;
    bool unserved;        /* nobody serves them any more, so nobody is asked */
    bool ended, complete; /* complete: all were asked, and follow or are gone */
};

/* What a node said last of its preferences. */
struct viewer_preference {
    uint64_t node;
    enum accepts_routes accepts;
    int64_t due_ms; /* when it is asked (again) */
};

struct readback {
    struct readback_options options; /* config: a reference, of the loop */
    struct loop *loop;
    struct loop_timer timer;
    bool looked;
    uint64_t looks;
    struct tailnet_nearest *nearest; /* as last seen; of the loop */
    struct map primaries;            /* prefix and group -> node id, as last seen; of the loop */

    pthread_mutex_t lock;              /* of what follows */
    bool on;                           /* node.probe.read_back */
    bool forgot;                       /* a move whose followers were not all known had to give way */
    uint64_t seen;                     /* the change up to which primaries were looked at */
    VEC(struct readback_move *) moves; /* oldest first */
    struct map users;                  /* id of a node that uses an exit node -> id of that */
    uint64_t next_number;
    unsigned asking;
    uint64_t questions, failed;
    struct metrics_times follow_times, leave_times;
    VEC(struct viewer_preference) preferences;
    unsigned preferences_asked; /* open questions */
    uint32_t next_slot;         /* of the node that is looked at next */
};

/* moves.c */
/* Looks for prefixes that moved; the caller does not hold the lock. */
void moves_look(struct readback *r, const struct tailnet_snapshot *s);
void moves_release(struct readback *r);
struct readback_move *moves_find(struct readback *r, uint64_t number); /* locked; NULL: forgotten */
/* Ends a move whose followers are decided, or whose time is over, and notes it; locked. */
void move_add_viewer(struct readback_move *m, uint64_t node, int64_t now_ms);
void move_keep(struct readback *r, struct readback_move *m); /* takes it over; locked */
void move_settle(struct readback *r, struct readback_move *m, int64_t now_ms);

/* The router that the viewer is to use for the moved prefixes, and which of them (out is released first): the new one,
 * or its own where the nearest one serves. v NULL: there is no policy. */
uint64_t move_expects(const struct readback_move *m, const struct tailnet_snapshot *s, const struct policy_view *v,
                      const struct tailnet_node *viewer, struct prefixes *out);

/* exit_moves.c */
/* The core's listener: who uses which, and which end while somebody does. */
void exits_changed(void *arg, const struct core_exit_change *c);
/* What the users of one use now; locked. */
void exit_follow(struct readback *r, const struct tailnet_snapshot *s, struct readback_move *m);

/* report.c */
void move_counts(const struct readback_move *m, size_t *followed, size_t *unsupported, size_t *gone);
void move_say(const struct readback *r, const struct readback_move *m, struct buf *out); /* in a sentence */

#endif

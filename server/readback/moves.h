/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to the room: moves of prefixes, and those who are asked whether they follow. */
#ifndef SERVER_READBACK_MOVES_H
#define SERVER_READBACK_MOVES_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "base/vec.h"
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

/* Prefixes that went from one router to another at once. */
struct readback_move {
    uint64_t number, from, to;
    struct prefixes prefixes;
    int64_t moved_ns, moved_ms; /* wall, mono */
    size_t viewers;             /* of all nodes, when it was begun */
    VEC(struct route_follower) followers;
    bool ended;
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
    uint64_t seen; /* the change up to which primaries were looked at */
    bool looked;
    struct map primaries; /* prefix -> node id, as last seen; of the loop */

    pthread_mutex_t lock;              /* of what follows */
    VEC(struct readback_move *) moves; /* oldest first */
    uint64_t next_number;
    unsigned asking;
    uint64_t questions, failed;
    struct metrics_times follow_times;
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
void move_settle(struct readback *r, struct readback_move *m, int64_t now_ms);

/* report.c */
void move_counts(const struct readback_move *m, size_t *followed, size_t *unsupported, size_t *gone);
void move_say(const struct readback *r, const struct readback_move *m, struct buf *out); /* in a sentence */

#endif

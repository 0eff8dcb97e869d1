/* SPDX-License-Identifier: BSD-3-Clause */
/* One publication as a message: what changed for readers. Nodes are identified by id: slots and change numbers are
 * local to each daemon. */
#ifndef SERVER_CORE_MESSAGE_PUBLICATION_H
#define SERVER_CORE_MESSAGE_PUBLICATION_H

#include "base/vec.h"
#include "core/message/members.h"
#include "tailnet/publish.h"

/* A run of a list of records in its new state. */
struct publication_item {
    uint32_t from, kept; /* this many of the previous records, from this place on */
    const void *record;  /* a new record, or NULL */
};
struct publication_list {
    char *name;
    VEC(struct publication_item) items;
};

struct publication_viewer {
    uint64_t viewer, router; /* router 0: the primary */
    int64_t moved_ms;
};
struct publication_nearest {
    struct prefix prefix;
    uint64_t primary;
    VEC(struct publication_viewer) viewers;
    char *actor; /* NULL: none */
    int64_t acted_ms;
};

/* One entry for the log of changes, and the node that resulted. */
struct publication_change {
    uint64_t node_id; /* 0: it concerns the whole tailnet */
    uint32_t mask;    /* enum change_mask; 0: no reader is told */
    bool route_moved, reachable;
    bool is_node, is_gone;
    const void *record; /* the node's; NULL: unchanged */
    struct node_live live;
    struct prefixes serving;
    bool expired;
};

struct publication {
    int64_t wall_ns;
    uint64_t event_run, event_seq;
    VEC(struct publication_list) lists;
    const void *policy, *message;          /* NULL: unchanged; likewise below */
    VEC(struct tailnet_settings) settings; /* one or none */
    bool is_nearest;
    VEC(struct publication_nearest) nearest;
    char *nearest_ended_by;                 /* NULL: no one */
    VEC(struct publication_change) changes; /* in order of their numbers */
};

extern const struct members publication_table;

/* The difference between one snapshot and the next, with the changes between them. Released with members_release. */
void publication_between(const struct tailnet_snapshot *before, const struct tailnet_snapshot *now,
                         const struct change *changes, size_t count, struct publication *out);

/* A node's slot; TAILNET_SLOT_NONE: it has none. */
typedef uint32_t publication_slot(void *arg, uint64_t node_id);
/* Makes the snapshot that follows base, and the changes with their numbers (free them). ERR_INVALID: it does not fit
 * base. */
int publication_apply(const struct publication *p, const struct tailnet_snapshot *base, publication_slot *slot_of,
                      void *arg, struct tailnet_snapshot **next, struct change **changes, size_t *count,
                      struct err *e) WARN_UNUSED;

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* One publication as a message: what readers are told of, and what became of it. Nodes are named by their ids: slots
 * and change numbers are each daemon's own. */
#ifndef SERVER_CORE_MESSAGE_PUBLICATION_H
#define SERVER_CORE_MESSAGE_PUBLICATION_H

#include "base/vec.h"
#include "core/message/members.h"
#include "tailnet/publish.h"

/* A part of a list of records as it is now. */
struct publication_item {
    uint32_t from, kept; /* so many of those that were there, from that place on */
    const void *record;  /* or NULL: a record that was not there */
};
struct publication_list {
    char *name;
    VEC(struct publication_item) items;
};

struct publication_viewer {
    uint64_t viewer, router; /* 0: the primary */
    int64_t moved_ms;
};
struct publication_nearest {
    struct prefix prefix;
    uint64_t primary;
    VEC(struct publication_viewer) viewers;
    char *actor; /* NULL: nobody's */
    int64_t acted_ms;
};

/* One change for the log of changes, and the node that it made. */
struct publication_change {
    uint64_t node_id; /* 0: it concerns the whole tailnet */
    uint32_t mask;    /* enum change_mask; 0: nobody is told */
    bool route_moved, reachable;
    bool is_node, is_gone;
    const void *record; /* of the node; NULL: as it was */
    struct node_live live;
    struct prefixes serving;
    bool expired;
};

struct publication {
    int64_t wall_ns;
    uint64_t event_run, event_seq;
    VEC(struct publication_list) lists;
    const void *policy, *message;          /* NULL: as they were; so the rest */
    VEC(struct tailnet_settings) settings; /* one or none */
    bool is_nearest;
    VEC(struct publication_nearest) nearest;
    char *nearest_ended_by;                 /* NULL: nobody */
    VEC(struct publication_change) changes; /* in the order of their numbers */
};

extern const struct members publication_table;

/* What leads from one snapshot to the next, with the changes between them. Released with members_release. */
void publication_between(const struct tailnet_snapshot *before, const struct tailnet_snapshot *now,
                         const struct change *changes, size_t count, struct publication *out);

/* Where a node stands; TAILNET_SLOT_NONE: nowhere. */
typedef uint32_t publication_slot(void *arg, uint64_t node_id);
/* The snapshot that follows base, and the changes with their numbers (free them). ERR_INVALID: it does not fit base. */
int publication_apply(const struct publication *p, const struct tailnet_snapshot *base, publication_slot *slot_of,
                      void *arg, struct tailnet_snapshot **next, struct change **changes, size_t *count,
                      struct err *e) WARN_UNUSED;

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Nodes: one slot a node, and the indexes that find it. A slot is also the node's place in a snapshot. */
#ifndef SERVER_CORE_SLOTS_H
#define SERVER_CORE_SLOTS_H

#include "tailnet/publish.h"

struct core_state;

struct node_session {
    uint64_t id;
    struct slot *slot;
    struct node_session *next; /* of the same node */
    bool healthy;
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
    bool reachable;            /* it has its first home relay or DiscoKey, to be published */
    bool expired;              /* as it is told: by its record when that was published, later by its timer */
    double penalty;            /* of going away, as of penalty_ms; see liveness.c */
    int64_t penalty_ms;
    bool suspect;     /* its last session ended; its grace has not passed yet */
    bool updated;     /* it sent an update of its own in this run: its streams' copies are older */
    int64_t ended_ms; /* when its last session ended, or when it was registered */
    int64_t grace_ms; /* until when it is not yet offline */
    int64_t free_ms;  /* when it was freed: not used again for a while */
};

struct slot *slot_new(struct core_state *s, uint64_t node_id);
struct slot *slot_by_id(struct core_state *s, uint64_t id); /* NULL: unknown or being deleted */
struct slot *slot_by_node_key(struct core_state *s, const uint8_t key[KEY_LEN]);
struct slot *slot_by_machine(struct core_state *s, const uint8_t key[KEY_LEN]);    /* first; then same_machine */
void slot_set_work(struct core_state *s, struct slot *slot, const struct node *n); /* indexes follow; NULL: deleted */
void slot_free(struct core_state *s, struct slot *slot);
/* What the store holds of the node is now n (NULL: nothing): readers are told, routes follow. */
void slot_publish(struct core_state *s, struct slot *slot, const struct node *n);
void slots_user_changed(struct core_state *s, uint64_t user_id);
void slot_mark(struct core_state *s, struct slot *slot, uint32_t change_mask);
void slots_reset(struct core_state *s); /* work := published everywhere, indexes anew */
void slots_release(struct core_state *s);

#endif

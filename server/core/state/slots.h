/* SPDX-License-Identifier: BSD-3-Clause */
/* Nodes: one slot a node, and the indexes that find it. A slot is also the node's place in a snapshot. */
#ifndef SERVER_CORE_STATE_SLOTS_H
#define SERVER_CORE_STATE_SLOTS_H

#include "tailnet/publish.h"

struct core_state;

struct slot *slot_new(struct core_state *s, uint64_t node_id);
struct slot *slot_by_id(struct core_state *s, uint64_t id); /* NULL: unknown or being deleted */
struct slot *slot_by_node_key(struct core_state *s, const uint8_t key[KEY_LEN]);
struct slot *slot_by_machine(struct core_state *s, const uint8_t key[KEY_LEN]);    /* first; then same_machine */
void slot_set_work(struct core_state *s, struct slot *slot, const struct node *n); /* indexes follow; NULL: deleted */
void slot_free(struct core_state *s, struct slot *slot);
/* What the store holds of the node is now n (NULL: nothing): readers are told, routes follow. */
void slot_publish(struct core_state *s, struct slot *slot, const struct node *n);
bool slot_is_expired(struct core_state *s, const struct node *n); /* or its user is suspended */
void slot_mark(struct core_state *s, struct slot *slot, uint32_t change_mask);
/* Tells routes what the node is now; the election is at the next publish. */
void routes_follow(struct core_state *s, struct slot *slot);
void slots_reset(struct core_state *s); /* work := published everywhere, indexes anew */
void slots_release(struct core_state *s);

#endif

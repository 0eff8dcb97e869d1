/* SPDX-License-Identifier: BSD-3-Clause */
/* Nodes: one slot per node, and the indexes that find it. The slot is also the node's index in a snapshot. */
#ifndef SERVER_CORE_STATE_SLOTS_H
#define SERVER_CORE_STATE_SLOTS_H

#include "tailnet/publish.h"

struct core_state;

struct slot *slot_new(struct core_state *s, uint64_t node_id);
struct slot *slot_by_id(struct core_state *s, uint64_t id); /* NULL: unknown or being deleted */
struct slot *slot_by_node_key(struct core_state *s, const uint8_t key[KEY_LEN]);
struct slot *slot_by_machine(struct core_state *s, const uint8_t key[KEY_LEN]); /* the first; follow same_machine */
void slot_set_work(struct core_state *s, struct slot *slot,
                   const struct node *n); /* updates the indexes; NULL: deleted */
void slot_free(struct core_state *s, struct slot *slot);
/* The store's version of the node is now n (NULL: none): updates readers and routes. */
void slot_publish(struct core_state *s, struct slot *slot, const struct node *n);
bool slot_is_expired(struct core_state *s, const struct node *n); /* also if its user is suspended */
void slot_mark(struct core_state *s, struct slot *slot, uint32_t change_mask);
/* Updates routes with the node's state; the election is at the next publication. */
void routes_follow(struct core_state *s, struct slot *slot);
void slots_reset(struct core_state *s); /* work := published everywhere; rebuilds the indexes */
void slots_release(struct core_state *s);

#endif

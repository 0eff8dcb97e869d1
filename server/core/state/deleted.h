/* SPDX-License-Identifier: BSD-3-Clause */
/* Recently deleted nodes: their clients are told so, and their addresses are not assigned again yet. */
#ifndef SERVER_CORE_STATE_DELETED_H
#define SERVER_CORE_STATE_DELETED_H

#include "model/record.h"

struct core_state;

void deleted_note(struct core_state *s, const struct node *n); /* with the deletion, in its group */
bool deleted_lately(const struct core_state *s, const uint8_t node_key[KEY_LEN]);
void deleted_load(struct core_state *s, struct deleted_node *const *items, size_t count); /* oldest first */
void deleted_release(struct core_state *s);

#endif

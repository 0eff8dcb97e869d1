/* SPDX-License-Identifier: BSD-3-Clause */
/* What registration, map requests and administration share about nodes. */
#ifndef SERVER_CORE_DECIDE_NODES_H
#define SERVER_CORE_DECIDE_NODES_H

#include "core/core.h"

struct core_state;
struct slot;

void node_apply_info(struct core_state *s, struct node *n, const struct client_info *info);
int node_check_tags(struct core_state *s, const struct strs *tags, const struct user *user,
                    const struct preauth_key *key, struct err *e) WARN_UNUSED;
void node_auto_approve(struct core_state *s, struct node *n);
void node_note_routes(struct core_state *s, const struct node *before, const struct node *after);
const char *owner_name(struct core_state *s, const struct node *n);
void slot_delete(struct core_state *s, struct slot *slot, const char *actor, const char *why);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to core: exit nodes and their users (Hostinfo.ExitNodeID). */
#ifndef SERVER_CORE_DECIDE_EXITS_H
#define SERVER_CORE_DECIDE_EXITS_H

#include <stdbool.h>

struct core_listener;
struct core_state;
struct slot;
struct tailnet_node;

/* Whether some user of this exit node could use another one at once: a client that chooses automatically (auto:any)
 * does so as soon as it learns that the node is offline. */
bool core_exit_is_replaceable(struct core_state *s, const struct slot *slot);

/* Journals what the publication of a node changes, and notifies listeners once it is made. */
void core_exits_note(struct core_state *s, struct slot *slot, const struct tailnet_node *before,
                     const struct tailnet_node *now);
void core_exits_tell(struct core_state *s);
/* Sends a new listener all present uses of exit nodes. */
void core_exits_tell_all(struct core_state *s, const struct core_listener *listener);

#endif

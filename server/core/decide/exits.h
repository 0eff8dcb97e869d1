/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to core: exit nodes and who uses which (Hostinfo.ExitNodeID). */
#ifndef SERVER_CORE_DECIDE_EXITS_H
#define SERVER_CORE_DECIDE_EXITS_H

#include <stdbool.h>

struct core_listener;
struct core_state;
struct slot;
struct tailnet_node;

/* Somebody uses the node as exit node and could use another one at once: a client that chooses for itself (auto:any)
 * does so as soon as it hears that the node is offline. */
bool core_exit_is_replaceable(struct core_state *s, const struct slot *slot);

/* Journals what a publication of a node changes, and tells who listens once it is made. */
void core_exits_note(struct core_state *s, struct slot *slot, const struct tailnet_node *before,
                     const struct tailnet_node *now);
void core_exits_tell(struct core_state *s);
/* Who uses which exit node, for one that listens from now on. */
void core_exits_tell_all(struct core_state *s, const struct core_listener *listener);

#endif

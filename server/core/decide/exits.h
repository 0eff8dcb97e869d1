/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to core: exit nodes and who uses which (Hostinfo.ExitNodeID). */
#ifndef SERVER_CORE_DECIDE_EXITS_H
#define SERVER_CORE_DECIDE_EXITS_H

#include <stdbool.h>

struct core_state;
struct slot;

/* Somebody uses the node as exit node and could use another one at once: a client that chooses for itself (auto:any)
 * does so as soon as it hears that the node is offline. */
bool core_exit_is_replaceable(struct core_state *s, const struct slot *slot);

#endif

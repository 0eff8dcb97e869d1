/* SPDX-License-Identifier: BSD-3-Clause */
/* From the state to what readers see. */
#ifndef SERVER_CORE_PUBLISH_H
#define SERVER_CORE_PUBLISH_H

struct core_state;
struct slot;

void publish(struct core_state *s);
/* Tells routes what the node is now; the election is at the next publish. */
void routes_follow(struct core_state *s, struct slot *slot);

#endif

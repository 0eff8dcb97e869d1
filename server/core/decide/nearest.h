/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to core: prefixes that are served by the router nearest to each viewer. Nothing of it is stored: after a
 * restart it follows from what the nodes measured. */
#ifndef SERVER_CORE_DECIDE_NEAREST_H
#define SERVER_CORE_DECIDE_NEAREST_H

#include <stdbool.h>

struct core_state;
struct slot;
struct tailnet_nearest;

/* The node has another NetInfo. */
void nearest_measured(struct core_state *s, struct slot *slot);
/* After elections (elected), and when nodes measured anew: chooses for all viewers that it concerns. */
void nearest_follow(struct core_state *s, bool elected);
/* As it is now, for the snapshot; NULL: nothing is served so. */
struct tailnet_nearest *nearest_publish(struct core_state *s);
void nearest_release(struct core_state *s);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to core: prefixes served by the router nearest to each viewer. Which router serves which viewer is stored
 * with the images for looking back, and continues from there after a restart. */
#ifndef SERVER_CORE_DECIDE_NEAREST_H
#define SERVER_CORE_DECIDE_NEAREST_H

#include <stdbool.h>

#include <stddef.h>

struct core_state;
struct history;
struct slot;
struct tailnet_nearest;

/* At start, before the first publication: restores who served whom from the newest images, and waits for their routers
 * until the settle time is over. */
void nearest_restore(struct core_state *s, struct history *const *images, size_t count);
void nearest_settled(struct core_state *s);

/* The node's NetInfo has changed. */
void nearest_measured(struct core_state *s, struct slot *slot);
/* After elections (elected), and when nodes have measured anew: chooses for all viewers concerned. */
void nearest_follow(struct core_state *s, bool elected);
/* The present state for the snapshot; before: as last published. NULL: no prefix is served in this way. */
struct tailnet_nearest *nearest_publish(struct core_state *s, const struct tailnet_nearest *before);
void nearest_release(struct core_state *s);

#endif

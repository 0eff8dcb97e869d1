/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to core: prefixes that are served by the router nearest to each viewer. Who serves whom is kept among what
 * is kept for looking back, and goes on from there after a restart. */
#ifndef SERVER_CORE_DECIDE_NEAREST_H
#define SERVER_CORE_DECIDE_NEAREST_H

#include <stdbool.h>

#include <stddef.h>

struct core_state;
struct history;
struct slot;
struct tailnet_nearest;

/* At start, before the first publication: who served whom, by the newest images. Until the settle time is over, their
 * routers are waited for. */
void nearest_restore(struct core_state *s, struct history *const *images, size_t count);
void nearest_settled(struct core_state *s);

/* The node has another NetInfo. */
void nearest_measured(struct core_state *s, struct slot *slot);
/* After elections (elected), and when nodes measured anew: chooses for all viewers that it concerns. */
void nearest_follow(struct core_state *s, bool elected);
/* As it is now, for the snapshot; NULL: nothing is served so. */
struct tailnet_nearest *nearest_publish(struct core_state *s);
void nearest_release(struct core_state *s);

#endif

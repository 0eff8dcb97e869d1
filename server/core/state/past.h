/* SPDX-License-Identifier: BSD-3-Clause */
/* Images for looking back: of each object that a publication visibly changes. Written asynchronously. */
#ifndef SERVER_CORE_STATE_PAST_H
#define SERVER_CORE_STATE_PAST_H

#include "core/state/state.h"

/* At start, before nodes are published: the newest images. */
void core_past_load(struct core_state *s, const struct store_past *past);
/* After the first publication: marks as gone what the images have and the tailnet does not. */
void core_past_reconcile(struct core_state *s);

/* The time of the next publication, later than any before. */
int64_t core_past_time(struct core_state *s);
/* The node as of that time; NULL: gone. */
void core_past_node(struct core_state *s, struct slot *slot, const struct tailnet_node *now);
/* Whether the newest image shows the node in this state. */
bool core_past_is(struct core_state *s, const struct tailnet_node *now);
void core_past_users(struct core_state *s);
void core_past_primary(struct core_state *s, const struct prefix *prefix, const struct primary *now);
void core_past_via_primary(struct core_state *s, const struct prefix *prefix, const char *tags,
                           const struct via_primary *now);
void core_past_dns(struct core_state *s);
void core_past_policy(struct core_state *s, const struct policy_text *now);
/* Another router serves the viewer; core_past_nearest then makes images of all such viewers from the snapshot that has
 * them. */
void core_past_viewer(struct nearest_state *n, uint64_t viewer);
void core_past_nearest(struct core_state *s, const struct tailnet_snapshot *now);
void core_past_nearest_ended(struct core_state *s, const struct prefix *p);

/* Nodes whose image was delayed: for their client to return after a start, or because it changed too often. */
void core_past_due(struct core_state *s);
/* These images could not be stored: they are made again. */
void core_past_lost(struct core_state *s, const struct commit_group *g);
void core_past_release(struct core_state *s);

#endif

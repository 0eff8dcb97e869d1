/* SPDX-License-Identifier: BSD-3-Clause */
/* The tailnet's policy view, as published. */
#ifndef SERVER_CORE_POLICY_PUBLISH_H
#define SERVER_CORE_POLICY_PUBLISH_H

#include <stddef.h>

struct core_state;
struct route_move;
struct route_moves;
struct via_primary;

/* Before an election: if the policy changed, makes its view and sets up elections in its groups of routers. */
void core_policy_prepare(struct core_state *s);
/* After it: updates the tailnet's view with what is about to be published, and with what moved. */
void core_policy_publish(struct core_state *s, const struct route_moves *moves);
void core_policy_release(struct core_state *s);

/* At start: the primaries within groups of via when this was last written. No other router takes their prefixes until
 * they are back or routes have settled. */
void core_policy_restore_servers(struct core_state *s, struct via_primary *const *list, size_t count);
/* A move within a group. */
void core_policy_remember(struct core_state *s, const struct route_move *m);
/* Where a choice began or ended within a group without a move. */
void core_policy_remember_choices(struct core_state *s);

#endif

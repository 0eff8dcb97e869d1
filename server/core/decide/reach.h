/* SPDX-License-Identifier: BSD-3-Clause */
/* What forwarding probes found: a prefix that a router does not reach counts as unhealthy there. */
#ifndef SERVER_CORE_DECIDE_REACH_H
#define SERVER_CORE_DECIDE_REACH_H

#include "core/core.h"

struct core_state;
struct slot;

/* The node went offline, or answers nothing any more: it keeps for a moment what was seen to get through it. Then the
 * elections must follow. */
void reach_lost(struct core_state *s, struct slot *slot);
void reach_regained(struct slot *slot); /* it is in contact again */
/* At start: a router may have been without control connection before, and forward all the same. Until the settle time
 * is over probes can find that out. After primaries and the settings of prefixes are loaded. */
void reach_restore(struct core_state *s);
void carried_due(struct core_state *s, struct slot *slot);
void reach_run(struct core_state *s, const struct core_reach *reach);
void probe_path_run(struct core_state *s, uint64_t router, uint64_t helper, const struct addr *target);

#endif

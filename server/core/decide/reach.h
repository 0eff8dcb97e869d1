/* SPDX-License-Identifier: BSD-3-Clause */
/* The results of forwarding probes: a router counts as unhealthy for a prefix that it does not reach. */
#ifndef SERVER_CORE_DECIDE_REACH_H
#define SERVER_CORE_DECIDE_REACH_H

#include "core/core.h"

struct core_state;
struct slot;

/* The node went offline or stopped answering: it briefly keeps the prefixes that were seen to get through. Elections
 * must follow. */
void reach_lost(struct core_state *s, struct slot *slot);
void reach_regained(struct slot *slot); /* it is in contact again */
/* At start: a router may have been without a control connection before and still forward. Probes can find that out
 * until the settle time is over. Call after primaries and prefix settings are loaded. */
void reach_restore(struct core_state *s);
void carried_due(struct core_state *s, struct slot *slot);
void reach_run(struct core_state *s, const struct core_reach *reach);
void probe_path_run(struct core_state *s, uint64_t router, uint64_t helper, const struct addr *target);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* What forwarding probes found: a prefix that a router does not reach counts as unhealthy there. */
#ifndef SERVER_CORE_DECIDE_REACH_H
#define SERVER_CORE_DECIDE_REACH_H

#include "core/core.h"

struct core_state;

void reach_run(struct core_state *s, const struct core_reach *reach);
void probe_path_run(struct core_state *s, uint64_t router, uint64_t helper, const struct addr *target);

#endif

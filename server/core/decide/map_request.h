/* SPDX-License-Identifier: BSD-3-Clause */
/* Map requests. */
#ifndef SERVER_CORE_DECIDE_MAP_REQUEST_H
#define SERVER_CORE_DECIDE_MAP_REQUEST_H

#include "core/core.h"

struct core_state;
struct slot;

void map_request_run(struct core_state *s, struct core_call *call);
/* While nothing can be written, known clients are served all the same; changes in what they report wait. Decides up to
 * max of the waiting requests; true: there were some. */
bool map_requests_unsaid(struct core_state *s, size_t max);
void map_requests_release(struct core_state *s);
/* Writes what the app connector learned since its last record. */
void learned_due(struct core_state *s, struct slot *slot);

#endif

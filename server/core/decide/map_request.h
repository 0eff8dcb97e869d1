/* SPDX-License-Identifier: BSD-3-Clause */
/* Map requests. */
#ifndef SERVER_CORE_DECIDE_MAP_REQUEST_H
#define SERVER_CORE_DECIDE_MAP_REQUEST_H

#include "core/core.h"

struct core_state;

void map_request_run(struct core_state *s, struct core_call *call);

#endif

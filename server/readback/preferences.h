/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to the room: asks nodes whether they accept routes. */
#ifndef SERVER_READBACK_PREFERENCES_H
#define SERVER_READBACK_PREFERENCES_H

#include "readback/moves.h"

/* Asks the next node, if one is due; call with the lock held. */
void preferences_ask(struct readback *r, const struct tailnet_snapshot *s, int64_t now_ms);

#endif

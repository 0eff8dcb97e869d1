/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SERVER_RELAY_REGION_H
#define SERVER_RELAY_REGION_H

#include "relay/state.h"

/* The member of Regions that is this relay's own, as JSON text ("\"999\":{...}"); nothing where it is switched off. */
void relay_region(const struct relay *r, const struct config *c, struct buf *out);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* The addresses at which clients find this server. */
#ifndef SERVER_API_VIEW_SERVER_ADDRESSES_H
#define SERVER_API_VIEW_SERVER_ADDRESSES_H

#include "api/request/state.h"

/* may_wait: may look up a name, which takes seconds if nobody answers; otherwise a result from the last ten minutes is
 * used. */
void server_addresses_get(struct api *api, const struct tailnet_snapshot *s, bool may_wait,
                          struct server_addresses *out);

#endif

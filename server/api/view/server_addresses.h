/* SPDX-License-Identifier: BSD-3-Clause */
/* Where clients find this server. */
#ifndef SERVER_API_VIEW_SERVER_ADDRESSES_H
#define SERVER_API_VIEW_SERVER_ADDRESSES_H

#include "api/request/state.h"

/* may_wait: a name may be looked up, which takes seconds where there is no answer; otherwise what was found in the last
 * ten minutes counts. */
void server_addresses_get(struct api *api, const struct tailnet_snapshot *s, bool may_wait,
                          struct server_addresses *out);

#endif

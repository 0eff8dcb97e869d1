/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of keys share. */
#ifndef SERVER_API_RESOURCES_KEYS_H
#define SERVER_API_RESOURCES_KEYS_H

#include "api/request/endpoint.h"

/* Whether the token that asks may give the scopes of r->admin to a client; ERR_DENIED names the first that it may not.
 */
int oauth_client_limits(struct rest_request *r) WARN_UNUSED;

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the files about keys. */
#ifndef SERVER_API_RESOURCES_KEYS_H
#define SERVER_API_RESOURCES_KEYS_H

#include "api/request/endpoint.h"

/* Checks that the requesting token may grant the scopes of r->admin to a client; ERR_DENIED names the first it may
 * not. */
int oauth_client_limits(struct rest_request *r) WARN_UNUSED;

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds the client behind reverse proxies. */
#ifndef COMMON_NET_FORWARDED_H
#define COMMON_NET_FORWARDED_H

#include "net/prefixes.h"

/* Fields of the request's head; NULL if absent. */
struct forwarded {
    const char *x_forwarded_for; /* all lines in order, joined by commas */
    const char *x_real_ip, *true_client_ip;
};

bool forwarded_is_trusted(const struct prefixes *trusted, const struct addr *a);

/* Replaces *peer, the peer of the socket, with the client. Only trusted proxies are believed. Each proxy appends the
 * address that it saw to X-Forwarded-For, so the list is read from its end for as long as the proxy that wrote the
 * entry is trusted. Without that field X-Real-IP is used, then True-Client-IP. Returns true if the client is not the
 * socket's peer. */
bool forwarded_client(const struct prefixes *trusted, const struct forwarded *said, struct addr_port *peer);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Which client is behind reverse proxies. */
#ifndef COMMON_NET_FORWARDED_H
#define COMMON_NET_FORWARDED_H

#include "net/prefixes.h"

/* What the request's head says; NULL: nothing. */
struct forwarded {
    const char *x_forwarded_for; /* all lines, in their order, joined by commas */
    const char *x_real_ip, *true_client_ip;
};

bool forwarded_is_trusted(const struct prefixes *trusted, const struct addr *a);

/* Replaces *peer, whom the socket shows, by the client. Nobody but a trusted proxy is believed. Each proxy appends to
 * X-Forwarded-For whom it saw, so that list is read from its end, for as long as the one who wrote it is trusted;
 * without it X-Real-IP counts, then True-Client-IP. true: the client is another one than the socket's peer. */
bool forwarded_client(const struct prefixes *trusted, const struct forwarded *said, struct addr_port *peer);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Conversion of socket addresses. */
#ifndef COMMON_NET_SOCKADDR_H
#define COMMON_NET_SOCKADDR_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "net/addr.h"

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

/* Converts an IPv4 or IPv6 address and nothing else. An IPv4-mapped address of a dual-stack socket becomes IPv4. */
void from_sockaddr(const union address *from, struct addr_port *out);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses as the system's sockets have them. */
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

/* IPv4 or IPv6, nothing else. An IPv4 address that a socket of both families shows in IPv6's form comes out as IPv4. */
void from_sockaddr(const union address *from, struct addr_port *out);

#endif

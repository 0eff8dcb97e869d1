/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/sockaddr.h"

#include <string.h>

void from_sockaddr(const union address *from, struct addr_port *out)
{
    *out = (struct addr_port){0};
    if (from->any.sa_family == AF_INET6) {
        const struct in6_addr *a = &from->in6.sin6_addr;
        bool mapped = IN6_IS_ADDR_V4MAPPED(a);
        out->port = ntohs(from->in6.sin6_port);
        out->addr.bits = mapped ? 32 : 128;
        memcpy(out->addr.bytes, a->s6_addr + (mapped ? 12 : 0), mapped ? 4 : 16);
    } else {
        out->port = ntohs(from->in.sin_port);
        out->addr.bits = 32;
        memcpy(out->addr.bytes, &from->in.sin_addr, 4);
    }
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4 and IPv6 addresses, alone and with a port, as values: copied freely, never allocated. */
#ifndef COMMON_NET_ADDR_H
#define COMMON_NET_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define ADDR_TEXT_MAX      46 /* INET6_ADDRSTRLEN */
#define ADDR_PORT_TEXT_MAX 56

struct addr {
    uint8_t bits;      /* 32 or 128, which is also the family; 0: no address */
    uint8_t bytes[16]; /* network byte order; IPv4 uses the first four, the rest are zero */
};

struct addr_port {
    struct addr addr;
    uint16_t port;
};

/* Parses a bare address. ERR_INVALID for a prefix and anything else, including zones ("fe80::1%eth0") and IPv4-mapped
 * IPv6 addresses; *out is then unchanged. */
int addr_parse(const char *text, struct addr *out, struct err *e) WARN_UNUSED;
/* Writes the canonical text (RFC 5952 for IPv6), "" for no address; returns text. */
char *addr_format(const struct addr *a, char text[ADDR_TEXT_MAX]);
bool addr_eq(const struct addr *a, const struct addr *b);
int addr_cmp(const struct addr *a, const struct addr *b); /* IPv4 sorts before IPv6 */

/* Steps to the next or previous address; at the end of the family it wraps around and returns false. */
bool addr_next(struct addr *a);
bool addr_previous(struct addr *a);

/* The number of leading bytes of an address by which clients are counted for limits: all four of IPv4, or the /64 of
 * IPv6, because a subscriber usually has a whole one. */
static inline size_t addr_source_len(const struct addr *a)
{
    return a->bits == 128 ? 8 : 4;
}
bool addr_is_loopback(const struct addr *a);

/* "1.2.3.4:41641" or "[2001:db8::1]:41641"; ERR_INVALID for anything else, including zones. */
int addr_port_parse(const char *text, struct addr_port *out, struct err *e) WARN_UNUSED;
char *addr_port_format(const struct addr_port *a, char text[ADDR_PORT_TEXT_MAX]);
bool addr_port_eq(const struct addr_port *a, const struct addr_port *b);

#endif

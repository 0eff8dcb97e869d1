/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses of both families, alone and with a port, as values: copied freely, never allocated. */
#ifndef COMMON_NET_ADDR_H
#define COMMON_NET_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define ADDR_TEXT_MAX      46 /* INET6_ADDRSTRLEN */
#define ADDR_PORT_TEXT_MAX 56

struct addr {
    uint8_t bits;      /* 32 or 128: also says the family; 0: none */
    uint8_t bytes[16]; /* network order; IPv4 uses the first four, the rest is zero */
};

struct addr_port {
    struct addr addr;
    uint16_t port;
};

/* A bare address. ERR_INVALID for a prefix and for anything else, zones ("fe80::1%eth0") and IPv4-mapped IPv6 addresses
 * included; *out is then untouched. */
int addr_parse(const char *text, struct addr *out, struct err *e) WARN_UNUSED;
/* Writes the canonical text (RFC 5952 for IPv6), "" for no address; returns text. */
char *addr_format(const struct addr *a, char text[ADDR_TEXT_MAX]);
bool addr_eq(const struct addr *a, const struct addr *b);
int addr_cmp(const struct addr *a, const struct addr *b); /* IPv4 before IPv6 */

/* To the neighbouring address; false, and it wraps around, at the end of the family. */
bool addr_next(struct addr *a);
bool addr_previous(struct addr *a);

/* The first bytes of an address by which limits are counted: all four of IPv4, the /64 of IPv6, which a subscriber
 * usually has for its own. */
static inline size_t addr_source_len(const struct addr *a)
{
    return a->bits == 128 ? 8 : 4;
}
bool addr_is_loopback(const struct addr *a);

/* "1.2.3.4:41641" or "[2001:db8::1]:41641"; ERR_INVALID on anything else, zones included. */
int addr_port_parse(const char *text, struct addr_port *out, struct err *e) WARN_UNUSED;
char *addr_port_format(const struct addr_port *a, char text[ADDR_PORT_TEXT_MAX]);
bool addr_port_eq(const struct addr_port *a, const struct addr_port *b);

#endif

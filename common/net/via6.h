/* SPDX-License-Identifier: BSD-3-Clause */
/* 4via6: the IPv4 network of a numbered site as an IPv6 prefix, which distinguishes sites that use the same network
 * (tailscale: net/tsaddr, MapVia): fd7a:115c:a1e0:b1a::/64, then the site in 32 bits, then the IPv4 address. */
#ifndef COMMON_NET_VIA6_H
#define COMMON_NET_VIA6_H

#include "net/prefix.h"

#define VIA6_RANGE    "fd7a:115c:a1e0:b1a::/64"
#define VIA6_SITE_MAX 65535 /* the most that clients accept */

bool via6_contains(const struct prefix *p); /* is p within VIA6_RANGE? */
/* Splits a prefix into the site and the IPv4 network; false if it is not a 4via6 prefix or spans several sites. */
bool via6_decode(const struct prefix *p, uint32_t *site, struct prefix *v4);
/* ERR_INVALID if the site is too large or the network is not IPv4. */
int via6_encode(uint64_t site, const struct prefix *v4, struct prefix *out, struct err *e) WARN_UNUSED;

/* A prefix as shown to people: "fd7a:115c:a1e0:b1a:0:7:a01:100/120 (site 7, 10.1.1.0/24)", or the plain text of any
 * other prefix; returns text. */
#define PREFIX_SHOWN_MAX (2 * PREFIX_TEXT_MAX + 24)
char *prefix_show(const struct prefix *p, char text[PREFIX_SHOWN_MAX]);

#endif

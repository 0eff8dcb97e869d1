/* SPDX-License-Identifier: BSD-3-Clause */
/* 4via6: an IPv4 network of a numbered site as an IPv6 prefix, so that equal networks of several sites can be told
 * apart (tailscale: net/tsaddr, MapVia). fd7a:115c:a1e0:b1a::/64, then the site in 32 bits, then the IPv4 address. */
#ifndef COMMON_NET_VIA6_H
#define COMMON_NET_VIA6_H

#include "net/prefix.h"

#define VIA6_RANGE    "fd7a:115c:a1e0:b1a::/64"
#define VIA6_SITE_MAX 65535 /* that clients take */

bool via6_contains(const struct prefix *p); /* p lies within the range */
/* The site and the IPv4 network of a prefix; false: it is none, or holds more than one site. */
bool via6_decode(const struct prefix *p, uint32_t *site, struct prefix *v4);
/* ERR_INVALID: the site is too large, or the network is not IPv4. */
int via6_encode(uint64_t site, const struct prefix *v4, struct prefix *out, struct err *e) WARN_UNUSED;

/* A prefix for people: "fd7a:115c:a1e0:b1a:0:7:a01:100/120 (site 7, 10.1.1.0/24)", any other as it is; returns text. */
#define PREFIX_SHOWN_MAX (2 * PREFIX_TEXT_MAX + 24)
char *prefix_show(const struct prefix *p, char text[PREFIX_SHOWN_MAX]);

#endif

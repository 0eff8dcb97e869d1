/* SPDX-License-Identifier: BSD-3-Clause */
/* Prefixes of both families, as values: copied freely, never allocated, no failure after parsing.
 *
 * A prefix is always masked. 10.0.0.7/24 is read as 10.0.0.0/24, because an approval that keeps host bits could never
 * equal what a router advertises. Callers that want to tell the user ask prefix_parse for it. */
#ifndef COMMON_NET_PREFIX_H
#define COMMON_NET_PREFIX_H

#include "net/addr.h"

#define PREFIX_TEXT_MAX 50 /* longest IPv6 text, '/', three digits, NUL */

struct prefix {
    struct addr addr;
    uint8_t bits; /* 0 .. addr.bits */
};

/* Reads "10.0.0.0/8", "fd00::/8" or a bare address (a /32 or /128). *masked, if not NULL, becomes true when host bits
 * were cleared. ERR_INVALID on anything else, zones and IPv4-mapped IPv6 addresses included; *out is then untouched. */
int prefix_parse(const char *text, struct prefix *out, bool *masked, struct err *e) __attribute__((warn_unused_result));

/* The same for a route, where a bare address is ERR_INVALID: whoever leaves out the length of 10.0.0.0 means a network,
 * and would get one address. */
int prefix_parse_route(const char *text, struct prefix *out, struct err *e) __attribute__((warn_unused_result));

/* Writes the canonical text (RFC 5952 for IPv6) with its length, also for a single address; returns text. */
char *prefix_format(const struct prefix *p, char text[PREFIX_TEXT_MAX]);

/* To the prefix of that length around it; bits is at most the present length. */
void prefix_shorten(struct prefix *p, uint8_t bits);

/* IPv4 before IPv6, then by address, then the wider one first: the order in which tables list routes. */
int prefix_cmp(const struct prefix *a, const struct prefix *b);

/* Every address of inner is in outer. A prefix covers itself; families never cover each other. */
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);

/* 0.0.0.0/0 or ::/0: offered by exit nodes, approved as a pair and never elected. */
bool prefix_is_exit(const struct prefix *p);

#endif

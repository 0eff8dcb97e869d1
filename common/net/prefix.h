/* SPDX-License-Identifier: BSD-3-Clause */
/* Prefixes of both families, as values: copied freely, never allocated. Once parsed, no operation on them can fail. A
 * prefix is always masked: 10.0.0.7/24 is read as 10.0.0.0/24, because an approval that kept host bits could never
 * equal what a router advertises. prefix_parse can report the change to callers that want to tell the user. */
#ifndef COMMON_NET_PREFIX_H
#define COMMON_NET_PREFIX_H

#include "net/addr.h"

#define PREFIX_TEXT_MAX 50 /* the longest IPv6 address, '/', three digits, NUL */

struct prefix {
    struct addr addr;
    uint8_t bits; /* 0 .. addr.bits */
};

/* Parses "10.0.0.0/8", "fd00::/8" or a bare address (a /32 or /128). *masked (may be NULL) becomes true if host bits
 * were cleared. ERR_INVALID for anything else, including zones and IPv4-mapped IPv6 addresses; *out is then
 * unchanged. */
int prefix_parse(const char *text, struct prefix *out, bool *masked, struct err *e) __attribute__((warn_unused_result));

/* The same for a route, except that a bare address is ERR_INVALID: a user who omits the length of 10.0.0.0 means a
 * network, but would get a single address. */
int prefix_parse_route(const char *text, struct prefix *out, struct err *e) __attribute__((warn_unused_result));

/* Writes the canonical text (RFC 5952 for IPv6), always with the length; returns text. */
char *prefix_format(const struct prefix *p, char text[PREFIX_TEXT_MAX]);

/* Replaces p with the enclosing prefix of that length; bits must not exceed the current length. */
void prefix_shorten(struct prefix *p, uint8_t bits);

/* IPv4 before IPv6, then by address, then the shorter prefix first: the order of routes in tables. */
int prefix_cmp(const struct prefix *a, const struct prefix *b);

/* Does outer contain every address of inner? A prefix covers itself; prefixes of different families never cover each
 * other. */
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);

/* 0.0.0.0/0 or ::/0: advertised by exit nodes, approved as a pair, and never subject to primary election. */
bool prefix_is_exit(const struct prefix *p);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets of addresses as sorted intervals, which can also hold ranges that are not prefixes and tell whether one set
 * overlaps or covers another. */
#ifndef COMMON_NET_RANGES_H
#define COMMON_NET_RANGES_H

#include "base/buf.h"
#include "net/prefixes.h"

struct addr_range {
    struct addr first, last; /* same family, first <= last */
};
struct addr_ranges {
    struct addr_range *items;
    size_t len, cap;
};

void ranges_release(struct addr_ranges *s);
void ranges_push(struct addr_ranges *s, const struct addr_range *r); /* call ranges_normalise after the last push */
void ranges_push_prefix(struct addr_ranges *s, const struct prefix *p);
void ranges_push_addr(struct addr_ranges *s, const struct addr *a); /* bits 0: adds nothing */
void ranges_normalise(struct addr_ranges *s);                       /* sorts and merges */
bool ranges_has(const struct addr_ranges *s, const struct addr *a);
bool ranges_overlap(const struct addr_ranges *a, const struct addr_ranges *b);
bool ranges_covers(const struct addr_ranges *outer, const struct addr_ranges *inner);

struct addr_range range_of(const struct prefix *p);
bool range_overlaps_prefix(const struct addr_range *r, const struct prefix *p);
bool range_has(const struct addr_range *r, const struct addr *a);
bool prefix_has_addr(const struct prefix *p, const struct addr *a);
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);

/* Ranges that Tailscale defines: the source "*", and autogroup:internet. */
#define TAILNET_RANGES  3
#define INTERNET_RANGES 7
extern const char *const tailnet_range_text[TAILNET_RANGES];
extern const char *const internet_range_text[INTERNET_RANGES];
void ranges_tailnet(struct addr_range out[TAILNET_RANGES]);
void ranges_internet(struct addr_range out[INTERNET_RANGES]);

/* Adds "a", "a/len" or "a-b"; "*" means everything (two ranges). Returns false for anything else. */
bool ranges_push_text(struct addr_ranges *s, const char *text);

#endif

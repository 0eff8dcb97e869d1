/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets of addresses as sorted intervals, for questions that prefixes cannot answer: is this covered, what is left. */
#ifndef COMMON_NET_RANGES_H
#define COMMON_NET_RANGES_H

#include "base/buf.h"
#include "net/prefixes.h"

struct range {
    struct addr first, last; /* one family, first <= last */
};
struct ranges {
    struct range *items;
    size_t len, cap;
};

void ranges_release(struct ranges *s);
void ranges_push(struct ranges *s, const struct range *r); /* call ranges_normalise when all are there */
void ranges_push_prefix(struct ranges *s, const struct prefix *p);
void ranges_push_addr(struct ranges *s, const struct addr *a); /* bits 0: nothing */
void ranges_push_all(struct ranges *s, const struct ranges *other);
void ranges_normalise(struct ranges *s); /* sorted, joined */
bool ranges_has(const struct ranges *s, const struct addr *a);
bool ranges_overlap(const struct ranges *a, const struct ranges *b);
bool ranges_covers(const struct ranges *outer, const struct ranges *inner);

struct range range_of(const struct prefix *p);
bool range_overlaps_prefix(const struct range *r, const struct prefix *p);
bool range_has(const struct range *r, const struct addr *a);
bool prefix_has_addr(const struct prefix *p, const struct addr *a);
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);

/* The service's own ranges: source "*", and autogroup:internet. */
#define TAILNET_RANGES  3
#define INTERNET_RANGES 7
extern const char *const tailnet_range_text[TAILNET_RANGES];
extern const char *const internet_range_text[INTERNET_RANGES];
void ranges_tailnet(struct range out[TAILNET_RANGES]);
void ranges_internet(struct range out[INTERNET_RANGES]);

/* "a", "a/len" and "a-b", "*" being everything (two ranges); false for anything else. */
bool ranges_push_text(struct ranges *s, const char *text);

#endif

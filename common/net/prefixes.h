/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets of prefixes: sorted, without duplicates. Membership is exact: a set with 10.0.0.0/8 does not contain
 * 10.1.0.0/16; use prefix_covers for that. */
#ifndef COMMON_NET_PREFIXES_H
#define COMMON_NET_PREFIXES_H

#include "net/prefix.h"

struct prefixes {
    struct prefix *items;
    size_t len, cap;
};

void prefixes_release(struct prefixes *s);
void prefixes_copy(struct prefixes *to, const struct prefixes *from); /* to is released first */
bool prefixes_has(const struct prefixes *s, const struct prefix *p);
bool prefixes_add(struct prefixes *s, const struct prefix *p); /* keeps the order; false if it was already there */
bool prefixes_del(struct prefixes *s, const struct prefix *p); /* false if it was not there */
bool prefixes_eq(const struct prefixes *a, const struct prefixes *b);
void prefixes_and(struct prefixes *out, const struct prefixes *a, const struct prefixes *b); /* out is released first */

/* Does the set contain 0.0.0.0/0 or ::/0? */
bool prefixes_has_exit(const struct prefixes *s);
/* If the set contains one of 0.0.0.0/0 and ::/0, adds the other. */
void prefixes_pair_exit(struct prefixes *s);

#endif

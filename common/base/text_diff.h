/* SPDX-License-Identifier: BSD-3-Clause */
/* What lines two texts differ in. Where they have little in common, all of the one is gone and all of the other is new;
 * the work is bounded. */
#ifndef COMMON_BASE_TEXT_DIFF_H
#define COMMON_BASE_TEXT_DIFF_H

#include "base/vec.h"

struct diff_line {
    char sign;        /* ' ', '-', '+'; '@' in front of a group of changes, without a text */
    const char *text; /* borrowed from one of the two texts */
    size_t len;
    size_t old, fresh; /* line numbers from 1; 0: not in that text */
};

struct diff {
    struct diff_line *items;
    size_t len, cap;
    size_t gone, came; /* lines */
};

/* Changed lines with some around them. The caller releases the items (vec_release). */
void textdiff(const char *old, size_t old_len, const char *fresh, size_t fresh_len, struct diff *out);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* The lines in which two texts differ. If the texts have little in common, all lines of the old one are removed and all
 * lines of the new one added: that bounds the work. */
#ifndef COMMON_BASE_TEXT_DIFF_H
#define COMMON_BASE_TEXT_DIFF_H

#include "base/vec.h"

struct diff_line {
    char sign;        /* ' ', '-', '+'; '@' before a group of changes, without text */
    const char *text; /* borrowed from one of the two texts */
    size_t len;
    size_t old, fresh; /* line numbers from 1; 0: not in that text */
};

struct diff {
    struct diff_line *items;
    size_t len, cap;
    size_t gone, came; /* lines removed and added */
};

/* The changed lines with some context. The caller releases the items (vec_release). */
void textdiff(const char *old, size_t old_len, const char *fresh, size_t fresh_len, struct diff *out);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Two texts that were made from the same one, brought together: lines that only one of them changed are taken from it;
 * where both changed the same lines differently, somebody has to choose. Pure; texts are borrowed. */
#ifndef TUI_CONSOLE_TEXT_MERGE_H
#define TUI_CONSOLE_TEXT_MERGE_H

#include <stdbool.h>

#include "base/vec.h"

struct merge_text {
    const char *text;
    size_t len;
};

enum merge_kind { MERGE_SAME, MERGE_THEIRS, MERGE_MINE, MERGE_ALIKE, MERGE_CONFLICT }; /* ALIKE: both did the same */
enum merge_choice { CHOICE_NONE, CHOICE_THEIRS, CHOICE_MINE, CHOICE_BOTH };            /* BOTH: theirs, then mine */

/* A run of whole lines. */
struct merge_piece {
    enum merge_kind kind;
    struct merge_text base, theirs, mine;
    size_t line; /* where it begins in mine, from 1 */
    enum merge_choice choice;
};
struct merge {
    struct merge_piece *items;
    size_t len, cap;
    size_t theirs, mine, conflicts; /* pieces of that kind */
};

void merge_make(struct merge *m, struct merge_text base, struct merge_text theirs, struct merge_text mine);
void merge_release(struct merge *m);

size_t merge_open(const struct merge *m); /* conflicts without a choice */
/* The text that the choices make; an open conflict keeps both. The caller owns it. */
char *merge_result(const struct merge *m, size_t *len);

#endif

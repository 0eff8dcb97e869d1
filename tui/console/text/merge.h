/* SPDX-License-Identifier: BSD-3-Clause */
/* Two texts that were made from the same one, brought together: what only one of them changed is taken from it; where
 * both changed the same differently, somebody has to choose. Policies are compared by their sections, members and
 * rules, so that two people may add to the same section; other texts by lines. Pure; texts are borrowed. */
#ifndef TUI_CONSOLE_TEXT_MERGE_H
#define TUI_CONSOLE_TEXT_MERGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"

struct merge_text {
    const char *text;
    size_t len;
};

enum merge_kind { MERGE_SAME, MERGE_THEIRS, MERGE_MINE, MERGE_ALIKE, MERGE_CONFLICT }; /* ALIKE: both did the same */
enum merge_choice { CHOICE_NONE, CHOICE_THEIRS, CHOICE_MINE, CHOICE_BOTH };            /* BOTH: theirs, then mine */

/* A run of whole lines, or a stretch of a policy. */
struct merge_piece {
    enum merge_kind kind;
    struct merge_text base, theirs, mine;
    size_t line; /* where it begins in mine, from 1 */
    enum merge_choice choice;
    /* Of a policy: the container that it is an item of (0: of none), and where in each text a comma belongs as soon as
     * another item of it follows (MERGE_NO_COMMA: nowhere). A value alone needs one only where both stay. */
    size_t container, their_comma, my_comma;
    bool value;
};
#define MERGE_NO_COMMA SIZE_MAX

struct merge {
    struct merge_piece *items;
    size_t len, cap;
    bool lines;                     /* the texts were compared by lines */
    size_t theirs, mine, conflicts; /* pieces of that kind */
};

void merge_make(struct merge *m, struct merge_text base, struct merge_text theirs, struct merge_text mine);
void merge_release(struct merge *m);

size_t merge_open(const struct merge *m); /* conflicts without a choice */
/* The text that the choices make; an open conflict keeps both. The caller owns it. */
char *merge_result(const struct merge *m, size_t *len);

#endif

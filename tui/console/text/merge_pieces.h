/* SPDX-License-Identifier: BSD-3-Clause */
/* What a merge is put together from. Texts are borrowed. */
#ifndef TUI_CONSOLE_TEXT_MERGE_PIECES_H
#define TUI_CONSOLE_TEXT_MERGE_PIECES_H

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

/* For each line of base the line of the other text that it is there, SIZE_MAX: none. The caller frees it. */
size_t *merge_matches(struct merge_text base, struct merge_text other, size_t base_lines, size_t other_lines);

/* Appends a piece; its kind follows from its texts. What all have alike is one piece with what stands before it. */
void merge_add(struct merge *m, struct merge_piece piece);

#endif

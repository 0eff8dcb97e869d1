/* SPDX-License-Identifier: BSD-3-Clause */
/* The pieces of a merge. Texts are borrowed. */
#ifndef TUI_CONSOLE_TEXT_MERGE_PIECES_H
#define TUI_CONSOLE_TEXT_MERGE_PIECES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"

struct merge_text {
    const char *text;
    size_t len;
};

enum merge_kind {
    MERGE_SAME,
    MERGE_THEIRS,
    MERGE_MINE,
    MERGE_ALIKE,
    MERGE_CONFLICT
};                                                                          /* ALIKE: both made the same change */
enum merge_choice { CHOICE_NONE, CHOICE_THEIRS, CHOICE_MINE, CHOICE_BOTH }; /* BOTH: theirs, then mine */

/* A run of whole lines, or a span of a policy. */
struct merge_piece {
    enum merge_kind kind;
    struct merge_text base, theirs, mine;
    size_t line; /* where it begins in mine, from 1 */
    enum merge_choice choice;
    /* For policies: the container it is an item of (0: none), and where each text needs a comma once another item
     * follows (MERGE_NO_COMMA: nowhere). A single value needs one only if both sides stay. */
    size_t container, their_comma, my_comma;
    bool value;
};
#define MERGE_NO_COMMA SIZE_MAX

struct merge {
    struct merge_piece *items;
    size_t len, cap;
    bool lines;                     /* compared by lines */
    size_t theirs, mine, conflicts; /* pieces of each kind */
};

/* For each line of base, the matching line of other; SIZE_MAX: none. The caller frees it. */
size_t *merge_matches(struct merge_text base, struct merge_text other, size_t base_lines, size_t other_lines);

/* Appends a piece, deriving its kind from its texts. Consecutive unchanged pieces are joined. */
void merge_add(struct merge *m, struct merge_piece piece);

#endif

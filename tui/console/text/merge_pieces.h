/* SPDX-License-Identifier: BSD-3-Clause */
/* How a merge is put together from its pieces: by lines, or by the sections of a policy. */
#ifndef TUI_CONSOLE_TEXT_MERGE_PIECES_H
#define TUI_CONSOLE_TEXT_MERGE_PIECES_H

#include "console/text/merge.h"

/* For each line of base the line of the other text that it is there, SIZE_MAX: none. The caller frees it. */
size_t *merge_matches(struct merge_text base, struct merge_text other, size_t base_lines, size_t other_lines);

/* Appends a piece; its kind follows from its texts. What all have alike is one piece with what stands before it. */
void merge_add(struct merge *m, struct merge_piece piece);

/* false: one of the texts is no policy, and nothing was added. */
bool merge_sections(struct merge *m, struct merge_text base, struct merge_text theirs, struct merge_text mine);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Two texts that were made from the same one, brought together: what only one of them changed is taken from it; where
 * both changed the same differently, somebody has to choose. Policies are compared by their sections, members and
 * rules, so that two people may add to the same section; other texts by lines. Pure; texts are borrowed. */
#ifndef TUI_CONSOLE_TEXT_MERGE_H
#define TUI_CONSOLE_TEXT_MERGE_H

#include "console/text/merge_pieces.h"

void merge_make(struct merge *m, struct merge_text base, struct merge_text theirs, struct merge_text mine);
void merge_release(struct merge *m);

size_t merge_open(const struct merge *m); /* conflicts without a choice */
/* The text that the choices make; an open conflict keeps both. The caller owns it. */
char *merge_result(const struct merge *m, size_t *len);

#endif

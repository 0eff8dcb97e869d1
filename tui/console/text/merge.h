/* SPDX-License-Identifier: BSD-3-Clause */
/* Three-way merge of texts: a change made by one side only is taken; a conflicting change needs a choice. Policies are
 * compared by sections, members and rules, so that two people can add to the same section; other texts by lines.
 * Pure; texts are borrowed. */
#ifndef TUI_CONSOLE_TEXT_MERGE_H
#define TUI_CONSOLE_TEXT_MERGE_H

#include "console/text/merge_pieces.h"

void merge_make(struct merge *m, struct merge_text base, struct merge_text theirs, struct merge_text mine);
void merge_release(struct merge *m);

size_t merge_open(const struct merge *m); /* conflicts without a choice */
/* The merged text; an open conflict keeps both sides. The caller frees it. */
char *merge_result(const struct merge *m, size_t *len);

#endif

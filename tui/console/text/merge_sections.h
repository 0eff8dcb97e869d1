/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TUI_CONSOLE_TEXT_MERGE_SECTIONS_H
#define TUI_CONSOLE_TEXT_MERGE_SECTIONS_H

#include "console/text/merge_pieces.h"

/* Merges by the sections of a policy into an empty merge. False if one of the texts is not a policy; nothing is added.
 */
bool merge_sections(struct merge *m, struct merge_text base, struct merge_text theirs, struct merge_text mine);

#endif

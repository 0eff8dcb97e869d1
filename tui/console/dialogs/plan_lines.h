/* SPDX-License-Identifier: BSD-3-Clause */
/* A plan as lines for a shell: what `headway` is told to make the same changes. */
#ifndef TUI_CONSOLE_DIALOGS_PLAN_LINES_H
#define TUI_CONSOLE_DIALOGS_PLAN_LINES_H

#include "console/dialogs/plan.h"

/* A line for each request that is neither left out nor refused; one that no command makes is a comment. now_ns: what
 * times are counted from where a command takes a duration. */
void plan_lines(const struct plan *p, int64_t now_ns, struct buf *out);

/* Appends a word as a shell reads it back, quoted where it has to be. */
void shell_word(const char *word, struct buf *out);

#endif

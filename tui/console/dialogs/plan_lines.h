/* SPDX-License-Identifier: BSD-3-Clause */
/* A plan as shell commands: calls of `headway` that make the same changes. */
#ifndef TUI_CONSOLE_DIALOGS_PLAN_LINES_H
#define TUI_CONSOLE_DIALOGS_PLAN_LINES_H

#include "console/dialogs/plan.h"

/* Appends a line for each request that is neither left out nor refused; a request without a command becomes a comment.
 * now_ns: the time from which durations are counted. */
void plan_lines(const struct plan *p, int64_t now_ns, struct buf *out);

/* Appends a word, quoted for a shell if necessary. */
void shell_word(const char *word, struct buf *out);

#endif

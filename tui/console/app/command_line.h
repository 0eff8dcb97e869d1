/* SPDX-License-Identifier: BSD-3-Clause */
/* The command prompt: running a line, and completing it. */
#ifndef TUI_CONSOLE_APP_COMMAND_LINE_H
#define TUI_CONSOLE_APP_COMMAND_LINE_H

#include "console/app/app.h"

/* Runs a line such as "nodes tag:web", or shows why it cannot. A name after a command that acts on rows, as in "approve
 * NODE PREFIX", first moves the cursor to that row: in the current list, or else in a list where the command works,
 * which is then opened. A name with '*' or '?' marks all matching rows of the current list. */
void command_run_line(struct app *app, const char *line);

struct completions {
    const char **items; /* borrowed; valid until the model changes */
    size_t len, cap;
    size_t typed; /* length of the line's end that each item completes, in bytes */
};

/* The possible completions of the last word, sorted, without duplicates: command names, then each command's arguments.
 * The caller releases *out (vec_release). */
void command_completions(struct app *app, const char *line, struct completions *out);
/* The same for a filter. */
void filter_completions(struct app *app, const char *text, struct completions *out);

#endif

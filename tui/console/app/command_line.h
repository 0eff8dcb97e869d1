/* SPDX-License-Identifier: BSD-3-Clause */
/* A line of the command prompt: running it, and words that could come next. */
#ifndef TUI_CONSOLE_APP_COMMAND_LINE_H
#define TUI_CONSOLE_APP_COMMAND_LINE_H

#include "console/app/app.h"

/* Runs a line such as "nodes tag:web", or says why not. A name after a command that acts on rows, "approve NODE
 * PREFIX", puts the cursor on its row first, in the list in front or else in one where the command works, which comes
 * to the front; with '*' or '?' it marks all rows of the list in front that are called so. */
void command_run_line(struct app *app, const char *line);

struct completions {
    const char **items; /* borrowed, until the model changes */
    size_t len, cap;
    size_t typed; /* how many of the last bytes of the line each of them begins with */
};

/* The words that what was typed last may become, in order, each once: names of commands, then what each takes. The
 * caller releases *out (vec_release). */
void command_completions(struct app *app, const char *line, struct completions *out);
/* The same in a filter. */
void filter_completions(struct app *app, const char *text, struct completions *out);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* What was typed at the prompts, by server, and the columns and filters of the user's own, kept over sessions in the
 * state directory. Errors are ignored: it is a comfort. */
#ifndef TUI_CONSOLE_HISTORY_H
#define TUI_CONSOLE_HISTORY_H

#include "console/app/app.h"

/* Instead of the prompts' lines that app has. */
void history_load(struct app *app, const char *state_dir);
void history_save(const struct app *app, const char *state_dir);

#endif

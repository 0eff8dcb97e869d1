/* SPDX-License-Identifier: BSD-3-Clause */
/* Prompt history by server, and the user's own columns and filters, kept between sessions in the state directory.
 * Errors are ignored: losing them costs little. */
#ifndef TUI_CONSOLE_HISTORY_H
#define TUI_CONSOLE_HISTORY_H

#include "console/app/app.h"

/* Replaces the history that app holds. */
void history_load(struct app *app, const char *state_dir);
void history_save(const struct app *app, const char *state_dir);

#endif

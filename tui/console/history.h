/* SPDX-License-Identifier: BSD-3-Clause */
/* What was typed at the prompts, kept over sessions in the state directory. Errors are ignored: it is a comfort. */
#ifndef TUI_CONSOLE_HISTORY_H
#define TUI_CONSOLE_HISTORY_H

#include "console/app/app.h"

void history_load(struct app *app, const char *state_dir);
void history_save(const struct app *app, const char *state_dir);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* The prompts in the line above the hints; their state is app->prompt. */
#ifndef TUI_CONSOLE_DIALOGS_PROMPT_H
#define TUI_CONSOLE_DIALOGS_PROMPT_H

#include "console/app/app.h"

void prompt_open(struct app *app, enum prompt_kind kind, const char *text);
void prompt_key(struct app *app, int key);
void prompt_draw(struct app *app, struct canvas *c, struct rect at);
void prompt_release(struct app *app);

#endif

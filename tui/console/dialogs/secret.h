/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TUI_CONSOLE_DIALOGS_SECRET_H
#define TUI_CONSOLE_DIALOGS_SECRET_H

struct app;

/* Shows a new key until Esc. It can be copied by itself or within the command that uses it (NULL: none). */
void dialog_secret(struct app *app, const char *title, const char *text, const char *command);

#endif

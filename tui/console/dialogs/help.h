/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TUI_CONSOLE_DIALOGS_HELP_H
#define TUI_CONSOLE_DIALOGS_HELP_H

struct app;

/* What can be done where the user is, and what cannot and why. */
void dialog_help(struct app *app);

#endif

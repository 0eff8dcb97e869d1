/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TUI_CONSOLE_DIALOGS_HELP_H
#define TUI_CONSOLE_DIALOGS_HELP_H

struct app;

/* Opens the help: the commands available here, and those that are not, with the reason. */
void dialog_help(struct app *app);

#endif

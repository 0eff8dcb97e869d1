/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TUI_CONSOLE_DIALOGS_COLUMN_CHOOSER_H
#define TUI_CONSOLE_DIALOGS_COLUMN_CHOOSER_H

struct app;

/* Opens the dialog that chooses and orders the columns of the current list. */
void column_chooser(struct app *app);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TUI_CONSOLE_DIALOGS_COLUMN_CHOOSER_H
#define TUI_CONSOLE_DIALOGS_COLUMN_CHOOSER_H

struct app;

/* Which columns the list in front shows, and in which order. */
void column_chooser(struct app *app);

#endif

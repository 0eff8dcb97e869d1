/* SPDX-License-Identifier: BSD-3-Clause */
/* A canvas as text: for screens that are made without a terminal. */
#ifndef TUI_CONSOLE_SCREEN_SCREEN_TEXT_H
#define TUI_CONSOLE_SCREEN_SCREEN_TEXT_H

#include "console/screen/canvas.h"

/* Lines without blanks at their ends. */
void screen_text(const struct canvas *c, struct buf *out);
/* The same with colours and looks as ANSI sequences (ECMA-48, SGR); each line begins and ends in the terminal's own. */
void screen_ansi(const struct canvas *c, int theme, enum depth depth, struct buf *out);

#endif

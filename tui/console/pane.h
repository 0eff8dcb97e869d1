/* SPDX-License-Identifier: BSD-3-Clause */
/* The pane below a list, which scrolls. */
#ifndef TUI_CONSOLE_PANE_H
#define TUI_CONSOLE_PANE_H

#include "console/app/app.h"

/* Draws the pane of the current part at its place in the layout. */
void pane_draw(struct app *app, struct canvas *c);

#endif

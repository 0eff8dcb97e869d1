/* SPDX-License-Identifier: BSD-3-Clause */
/* The pane below a list: what it has no room for is reached by scrolling. */
#ifndef TUI_CONSOLE_PANE_H
#define TUI_CONSOLE_PANE_H

#include "console/app/app.h"

/* The pane of the part in front, in its place of the layout. */
void pane_draw(struct app *app, struct canvas *c);

#endif

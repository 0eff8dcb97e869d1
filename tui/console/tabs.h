/* SPDX-License-Identifier: BSD-3-Clause */
/* The line of tabs, with the clock. */
#ifndef TUI_CONSOLE_TABS_H
#define TUI_CONSOLE_TABS_H

#include "console/app/app.h"

/* Draws them at the top, and notes where they can be clicked on. */
void tabs_draw(struct app *app, struct canvas *c, struct rect at);

#endif

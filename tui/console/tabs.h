/* SPDX-License-Identifier: BSD-3-Clause */
/* The line of tabs, with the clock. */
#ifndef TUI_CONSOLE_TABS_H
#define TUI_CONSOLE_TABS_H

#include "console/app/app.h"

/* Draws the tabs and registers them for clicks. */
void tabs_draw(struct app *app, struct canvas *c, struct rect at);

#endif

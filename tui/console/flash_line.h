/* SPDX-License-Identifier: BSD-3-Clause */
/* The line above the hints: the prompt, a change awaiting its answer, the last message, or the reason for the state of
 * the route under the cursor. */
#ifndef TUI_CONSOLE_FLASH_LINE_H
#define TUI_CONSOLE_FLASH_LINE_H

#include "console/app/app.h"

void flash_line_draw(struct app *app, struct canvas *c, struct rect at);

#endif

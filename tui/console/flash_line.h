/* SPDX-License-Identifier: BSD-3-Clause */
/* The line above the hints: the prompt, what was sent and has no answer, what was said last, or why the route under the
 * cursor is as it is. */
#ifndef TUI_CONSOLE_FLASH_LINE_H
#define TUI_CONSOLE_FLASH_LINE_H

#include "console/app/app.h"

void flash_line_draw(struct app *app, struct canvas *c, struct rect at);

#endif

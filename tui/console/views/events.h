/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TUI_CONSOLE_VIEWS_EVENTS_H
#define TUI_CONSOLE_VIEWS_EVENTS_H

#include "console/app/view.h"

extern const struct console_view events_view;
/* The newest events, below any view on a large screen. */
void events_draw_tail(struct app *app, struct canvas *c, struct rect at);

#endif

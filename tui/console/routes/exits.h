/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of the routes view that lists exit nodes. */
#ifndef TUI_CONSOLE_ROUTES_EXITS_H
#define TUI_CONSOLE_ROUTES_EXITS_H

#include "console/app/view.h"

extern const struct list_def exits_def;
void exits_pane(struct app *app, struct canvas *c, struct rect at);

#endif

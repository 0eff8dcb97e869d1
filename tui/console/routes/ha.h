/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of the routes view that lists prefixes with several routers. */
#ifndef TUI_CONSOLE_ROUTES_HA_H
#define TUI_CONSOLE_ROUTES_HA_H

#include "console/app/view.h"

extern const struct list_def ha_def;
void ha_pane(struct app *app, struct canvas *c, struct rect at);
bool ha_trouble(const struct app *app, char *text, size_t size);

#endif

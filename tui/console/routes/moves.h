/* SPDX-License-Identifier: BSD-3-Clause */
/* Who served a prefix: the last moves with how long each took, and a day as a line. */
#ifndef TUI_CONSOLE_ROUTES_MOVES_H
#define TUI_CONSOLE_ROUTES_MOVES_H

#include "console/app/app.h"

/* Draws what there is room for. */
void moves_draw(struct app *app, struct canvas *c, struct rect at, const struct m_prefix *p);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TUI_CONSOLE_VIEWS_NODE_H
#define TUI_CONSOLE_VIEWS_NODE_H

#include "console/app/view.h"

extern const struct console_view node_view;
/* Details of the row, for the pane at the right of a list. */
void node_peek_draw(struct app *app, struct canvas *c, struct rect at, struct row *row);

#endif

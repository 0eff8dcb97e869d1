/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TUI_CONSOLE_VIEWS_PENDING_H
#define TUI_CONSOLE_VIEWS_PENDING_H

#include "console/app/view.h"

extern const struct console_view pending_view;
/* The registration under the cursor. */
void pending_pane(struct app *app, struct canvas *c, struct rect at);

#endif

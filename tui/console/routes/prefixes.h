/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of the routes view that lists prefixes. */
#ifndef TUI_CONSOLE_ROUTES_PREFIXES_H
#define TUI_CONSOLE_ROUTES_PREFIXES_H

#include "console/app/view.h"

extern const struct list_def prefixes_def;
/* Who could take over, as both lists of prefixes say it: a drained router does where nobody else can. */
void prefix_standby(const struct m_prefix *p, struct list_field *out);
/* The routers of the prefix under the cursor. */
void prefixes_pane(struct app *app, struct canvas *c, struct rect at);
/* members: with the round trips and the age of each router's session, where there is room. */
void routers_pane(struct app *app, struct canvas *c, struct rect at, bool members);

/* Hides the prefixes within the one of the row, or shows them. Where there is nothing to hide, folds the narrowest that
 * contains it, and moves the cursor there. */
void prefixes_fold(struct list *l, struct row *row, bool fold);
const char *prefixes_no_fold(const struct list *l); /* why nothing folds in it now; NULL: it does */

#endif

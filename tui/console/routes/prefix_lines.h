/* SPDX-License-Identifier: BSD-3-Clause */
/* What is known of a prefix beside its routers, for panes and for "why": lines as in dialog_text. */
#ifndef TUI_CONSOLE_ROUTES_PREFIX_LINES_H
#define TUI_CONSOLE_ROUTES_PREFIX_LINES_H

#include "console/app/app.h"

/* What a 4via6 prefix stands for, how far clients follow, what is wrong and what to do, the probe and its verdict, who
 * takes over next, who may use it, what it lies within and contains. */
void prefix_lines(const struct app *app, const struct m_prefix *p, struct buf *out);
/* The same of a route of one router: its own findings only. */
void route_lines(const struct app *app, const struct m_route *r, struct buf *out);
/* Of a router: what it is drained to, and its findings. */
void router_lines(const struct app *app, const struct m_node *n, struct buf *out);
/* Whom the policy lets use the exit node. */
void allowed_line(const struct app *app, const struct m_route *exit, struct buf *out);
/* Who may use it, "31 nodes: a, b and 29 more"; nothing where that is not known. */
void use_lines(const struct app *app, const char *prefix, struct buf *out);

#endif

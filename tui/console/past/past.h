/* SPDX-License-Identifier: BSD-3-Clause */
/* Looking back: the nodes, routes, prefixes, users and the policy of a moment stand in for those of now, in all views;
 * nothing can be changed then. What happens meanwhile is applied to the objects of now, which wait beside. */
#ifndef TUI_CONSOLE_PAST_PAST_H
#define TUI_CONSOLE_PAST_PAST_H

#include "console/app/view.h"

/* Asks for the tailnet of a moment, or as an entry of the journal left it. It is shown when it arrives. */
void past_go(struct app *app, int64_t at_ns);
void past_go_to_event(struct app *app, const struct m_event *event);
/* Back to now; false: it is now. */
bool past_leave(struct app *app);
/* What the second line says; false: it is now, and nothing was asked for. */
bool past_banner(const struct app *app, char *text, size_t size);

/* Stands in for views that have nothing to show of the past: the policy of that moment; "not known". Has the commands.
 */
extern const struct console_view past_policy_view;
extern const struct console_view past_unknown_view;

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Time travel: all views show the nodes, routes, prefixes, users and policy of a moment in the past, read-only. Updates
 * meanwhile are applied to today's objects, which are kept aside. */
#ifndef TUI_CONSOLE_PAST_PAST_H
#define TUI_CONSOLE_PAST_PAST_H

#include "console/app/view.h"

/* Requests the tailnet at a moment, or after a journal entry. It is shown when it arrives. */
void past_go(struct app *app, int64_t at_ns);
void past_go_to_event(struct app *app, const struct m_event *event);
/* Returns to now; false if it is now already. */
bool past_leave(struct app *app);
/* The text of the second line; false if it is now and nothing was requested. */
bool past_banner(const struct app *app, char *text, size_t size);

/* Replace views that cannot show the past: the policy of that moment; a view saying that it is not known. */
extern const struct console_view past_policy_view;
extern const struct console_view past_unknown_view;

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Webhooks: receivers that are told of events, and how their deliveries go. */
#ifndef TUI_CONSOLE_TAILNET_WEBHOOKS_H
#define TUI_CONSOLE_TAILNET_WEBHOOKS_H

#include "console/app/view.h"

extern const struct console_view webhooks_view;

void webhook_form(struct app *app, const char *url);                                   /* for a new one */
void webhook_edit_form(struct app *app, const struct m_webhook *row);                  /* its events */
void webhook_why(const struct app *app, const struct m_webhook *row, struct buf *out); /* lines as in dialog_text */

#endif

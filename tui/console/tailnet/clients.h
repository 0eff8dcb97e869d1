/* SPDX-License-Identifier: BSD-3-Clause */
/* OAuth clients: programs that fetch access tokens of limited scope. A part of the view of keys. */
#ifndef TUI_CONSOLE_TAILNET_CLIENTS_H
#define TUI_CONSOLE_TAILNET_CLIENTS_H

#include "console/app/view.h"

extern const struct list_def oauth_clients_def;
extern const struct asked_rows oauth_clients_asked;

void oauth_client_form(struct app *app, const char *description);               /* the form for a new one */
void oauth_client_edit_form(struct app *app, const struct m_oauth_client *row); /* and for this one */
/* The facts behind it, lines as in dialog_text. */
void oauth_client_why(const struct app *app, const struct m_oauth_client *row, struct buf *out);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* What clients are told of DNS: members of the configuration, and what an administrator set in their place. */
#ifndef TUI_CONSOLE_TAILNET_DNS_H
#define TUI_CONSOLE_TAILNET_DNS_H

#include "console/app/view.h"

extern const struct console_view dns_view;

void dns_domain_form(struct app *app, const char *domain);                     /* name servers for one more domain */
void dns_edit_form(struct app *app, const struct m_dns *row);                  /* another value of the member */
void dns_why(const struct app *app, const struct m_dns *row, struct buf *out); /* lines as in dialog_text */

#endif

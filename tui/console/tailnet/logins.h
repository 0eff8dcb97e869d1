/* SPDX-License-Identifier: BSD-3-Clause */
/* Logins: whom OpenID providers know as which user. A part of the view of users. */
#ifndef TUI_CONSOLE_TAILNET_LOGINS_H
#define TUI_CONSOLE_TAILNET_LOGINS_H

#include "console/app/view.h"

extern const struct list_def logins_def;
extern const struct asked_rows logins_asked;
extern const struct command_table login_commands;

void login_why(const struct app *app, const struct m_login *row, struct buf *out); /* lines as in dialog_text */
/* A line for each login of the user, as far as they are known. */
void logins_of_user(const struct app *app, uint64_t user_id, struct buf *out);

#endif

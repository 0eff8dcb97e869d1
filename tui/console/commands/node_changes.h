/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TUI_CONSOLE_COMMANDS_NODE_CHANGES_H
#define TUI_CONSOLE_COMMANDS_NODE_CHANGES_H

#include "console/app/command.h"

/* Whether one of the nodes that an action is for needs approval; and, by a plan, approving those. */
bool approval_waits(struct app *app);
void approve_machines(struct app *app);

extern const struct command_table node_change_commands;

#endif

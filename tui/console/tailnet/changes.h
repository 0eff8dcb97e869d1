/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TUI_CONSOLE_TAILNET_CHANGES_H
#define TUI_CONSOLE_TAILNET_CHANGES_H

#include "console/app/command.h"

extern const struct command_table tailnet_change_commands;

#endif

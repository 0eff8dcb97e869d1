/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TUI_CONSOLE_COMMANDS_CREATE_H
#define TUI_CONSOLE_COMMANDS_CREATE_H

#include "console/app/command.h"

extern const struct command_table create_commands;

#endif

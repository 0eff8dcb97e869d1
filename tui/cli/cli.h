/* SPDX-License-Identifier: BSD-3-Clause */
/* The headway command: headscale's commands with their flags and output formats, and additional ones. Everything goes
 * through the daemon's API; help, completion and manual are generated from the command table. */
#ifndef TUI_CLI_CLI_H
#define TUI_CLI_CLI_H

#include <errno.h>

#include "base/buf.h"
#include "base/str.h"

struct console_options;

/* Whether it was invoked as headscale, through a link of that name, by scripts written for headscale. */
static inline bool program_is_headscale(void)
{
    return str_eq(program_invocation_short_name, "headscale");
}

static inline const char *program_name(void)
{
    return program_is_headscale() ? "headscale" : "headway";
}

/* Runs one command line and returns the exit status: 0 on success, when the user declines, and for help; else 1.
 * Without a command, if standard input and output are terminals, runs console (console/console.h); NULL: no console. */
int cli_main(int argc, char **argv, int (*console)(const struct console_options *options));

/* Generated texts: the commands in mdoc(7) for headway.1, and the completion script for "bash", "zsh" or "fish" (false
 * for any other shell). */
void cli_write_manual(struct buf *out);
bool cli_write_completion(const char *shell, struct buf *out);

#endif

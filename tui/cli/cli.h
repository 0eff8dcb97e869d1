/* SPDX-License-Identifier: BSD-3-Clause */
/* The headway command: a table of commands with headscale's names, flags, tables and output forms, and a few of our
 * own. Everything goes through the daemon's API; help, completion and manual come from the table. */
#ifndef TUI_CLI_CLI_H
#define TUI_CLI_CLI_H

#include <errno.h>

#include "base/buf.h"
#include "base/str.h"

struct console_options;

/* Called as headscale, by a link of that name: by scripts that were made for it. */
static inline bool program_is_headscale(void)
{
    return str_eq(program_invocation_short_name, "headscale");
}

static inline const char *program_name(void)
{
    return program_is_headscale() ? "headscale" : "headway";
}

/* Runs one command line and returns the exit status: 0 for done, declined and help, 1 for everything else. Without a
 * command word, and with a terminal on both sides, console is called (console/console.h); NULL: there is none. */
int cli_main(int argc, char **argv, int (*console)(const struct console_options *options));

/* The generated texts: the commands as mdoc(7) for headway.1, and the completion of "bash", "zsh" or "fish" (false for
 * another shell). */
void cli_write_manual(struct buf *out);
bool cli_write_completion(const char *shell, struct buf *out);

#endif

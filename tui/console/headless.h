/* SPDX-License-Identifier: BSD-3-Clause */
/* The console without a terminal: prints a screen or runs a script, using a daemon or a recording of one. */
#ifndef TUI_CONSOLE_HEADLESS_H
#define TUI_CONSOLE_HEADLESS_H

#include "console/options.h"

/* Returns the exit status; errors are on stderr. */
int headless_main(const struct console_options *options);

#endif

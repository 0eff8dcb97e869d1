/* SPDX-License-Identifier: BSD-3-Clause */
/* The console: an ncurses cockpit for nodes and routes. One thread owns the screen and never waits; two others speak
 * to the daemon and hand over what they read. Views draw on a canvas; screen/terminal.c alone knows curses. */
#ifndef TUI_CONSOLE_CONSOLE_H
#define TUI_CONSOLE_CONSOLE_H

#include "console/options.h"

/* Runs until the user quits; needs a terminal on standard input and output, but for a snapshot or a script. Returns the
 * exit status: 0 after q, 1 with what is wrong on stderr when the terminal cannot be used, an option names nothing
 * known, or a script expected something else. */
int console_main(const struct console_options *options);

#endif

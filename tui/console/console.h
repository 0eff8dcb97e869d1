/* SPDX-License-Identifier: BSD-3-Clause */
/* The console: an ncurses interface for nodes and routes. One thread owns the screen and never blocks; two others talk
 * to the daemon and pass on what they receive. Views draw on a canvas; only screen/terminal.c uses curses. */
#ifndef TUI_CONSOLE_CONSOLE_H
#define TUI_CONSOLE_CONSOLE_H

#include "console/options.h"

/* Runs until the user quits; needs a terminal on standard input and output except for a snapshot or a script. Returns
 * the exit status: 0 after q; 1 with a message on stderr if the terminal is unusable, an option names something
 * unknown, or a script's expectation failed. */
int console_main(const struct console_options *options);

#endif

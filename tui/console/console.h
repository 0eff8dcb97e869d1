/* SPDX-License-Identifier: BSD-3-Clause */
/* The console: an ncurses cockpit for nodes and routes. One thread owns the screen and never waits; two others speak
 * to the daemon and hand over what they read. Views draw on a canvas; screen/terminal.c alone knows curses. */
#ifndef TUI_CONSOLE_CONSOLE_H
#define TUI_CONSOLE_CONSOLE_H

#include <stdbool.h>

#include "base/err.h"

struct client_options;

struct console_options {
    const struct client_options *client; /* where the daemon is (common/client/client.h); borrowed */
    const char *theme;                   /* "dark", "light", "mono"; NULL: dark, or mono where NO_COLOR is set */
    const char *color;                   /* "auto", "never", "16", "256", "true"; NULL: auto */
    const char *state_dir;               /* where prompt history is kept; NULL: nowhere */
    const char *servers;                 /* the file that lists other servers; NULL: none */
    const char *server;                  /* which of them to start with; NULL: client */
    bool ascii;                          /* draw with ASCII even where the locale is UTF-8 */
    bool no_mouse;
};

/* Runs until the user quits. Needs a terminal on standard input and output. Returns the exit status: 0 after q, 1 with
 * one line on stderr when the terminal cannot be used or an option names nothing known. */
int console_main(const struct console_options *options);

#endif

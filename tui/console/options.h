/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of the console. */
#ifndef TUI_CONSOLE_OPTIONS_H
#define TUI_CONSOLE_OPTIONS_H

#include <stdbool.h>

struct client_options;

struct console_options {
    const struct client_options *client; /* where the daemon is (common/client/client.h); borrowed */
    const char *theme;                   /* a theme's name; NULL: as in settings, else default */
    const char *color;                   /* "auto", "never", "16", "256", "true"; NULL: auto */
    const char *state_dir;               /* where prompt history is kept; NULL: nowhere */
    const char *settings;                /* the user's console.yaml; NULL: none */
    const char *servers;                 /* the file that lists other servers; NULL: none */
    const char *server;                  /* the one to connect to first; NULL: client */
    const char *snapshot;                /* a command: print the screen after it and exit; NULL: none */
    const char *run;                     /* a script to run without a terminal; NULL: none */
    const char *replay;                  /* a recording, instead of a daemon; NULL: none */
    const char *size;                    /* screen size without a terminal; NULL: 80x24 */
    bool ascii;                          /* draw with ASCII even where the locale is UTF-8 */
    bool plain;                          /* no frames or rules, one column; events appear in the line of messages */
    bool no_mouse;
};

#endif

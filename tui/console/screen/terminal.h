/* SPDX-License-Identifier: BSD-3-Clause */
/* The terminal: canvases out, keys in. This file alone knows curses. Whatever ends the process, the terminal is put
 * back into the state it was found in. */
#ifndef TUI_CONSOLE_SCREEN_TERMINAL_H
#define TUI_CONSOLE_SCREEN_TERMINAL_H

#include "base/err.h"
#include "console/screen/canvas.h"
#include "console/screen/key.h"
#include "console/screen/theme.h"

/* Takes the terminal. colour: "auto", "never", "16", "256", "true". ERR_UNSUPPORTED says in words why not. */
int term_open(const char *colour, struct err *e) WARN_UNUSED;
void term_close(void);

bool term_utf8(void); /* the locale and the terminal can show the signs */
void term_size(int *rows, int *cols);
void term_mouse(bool on);

/* Writes what differs from the canvas before; all of it after term_redraw. */
void term_show(const struct canvas *c, int theme);
void term_redraw(void);
/* Hands text to the terminal for pasting (OSC 52). A terminal that does not know how ignores it. */
void term_copy(const char *text);

struct term_event {
    int key;                     /* CK_NONE: nothing waits */
    int row, col, clicks, wheel; /* for CK_MOUSE */
    bool menu;                   /* the right button */
};
/* Never waits. */
struct term_event term_read(void);

/* Gives the terminal to another program, and takes it again. */
void term_leave(void);
void term_enter(void);

/* Gives the terminal back, stops the process group, takes the terminal again when it continues. */
void term_suspend(void);

#endif

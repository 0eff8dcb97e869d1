/* SPDX-License-Identifier: BSD-3-Clause */
/* The terminal: canvases out, keys in. Only this file uses curses. However the process ends, the terminal's initial
 * state is restored. */
#ifndef TUI_CONSOLE_SCREEN_TERMINAL_H
#define TUI_CONSOLE_SCREEN_TERMINAL_H

#include "base/err.h"
#include "console/screen/canvas.h"
#include "console/screen/key.h"
#include "console/screen/theme.h"

/* Takes over the terminal. colour: "auto", "never", "16", "256", "true". ERR_UNSUPPORTED if the terminal is unusable.
 */
int term_open(const char *colour, struct err *e) WARN_UNUSED;
void term_close(void);

bool term_utf8(void); /* whether locale and terminal can show the glyphs */
void term_size(int *rows, int *cols);
void term_mouse(bool on);

/* Writes the cells that changed since the last canvas; all of them after term_redraw. */
void term_show(const struct canvas *c, int theme);
void term_redraw(void);
/* Copies text to the terminal's clipboard (OSC 52); terminals without support ignore it. */
void term_copy(const char *text);

struct term_event {
    int key;                     /* CK_NONE: no input */
    int row, col, clicks, wheel; /* for CK_MOUSE */
    bool menu;                   /* the right button */
};
/* Never blocks. */
struct term_event term_read(void);

/* Releases the terminal to another program; takes it back. */
void term_leave(void);
void term_enter(void);

/* Releases the terminal, stops the process group, and takes the terminal back when continued. */
void term_suspend(void);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* The layout of the screen, computed from its size and what is wanted. Rectangles never overlap. */
#ifndef TUI_CONSOLE_SCREEN_LAYOUT_H
#define TUI_CONSOLE_SCREEN_LAYOUT_H

#include "console/screen/canvas.h"

#define LAYOUT_LEAST_COLS 60
#define LAYOUT_LEAST_ROWS 16
#define LAYOUT_PEEK_COLS  110

struct layout_wish {
    bool header; /* a line of column titles */
    int pane;    /* rows below the body for details of the cursor's row; 0: none */
    bool peek;   /* a column at the right, if wide enough */
    bool tail;   /* the newest events at the bottom, if high enough */
    bool force;  /* draw even if it is too small */
};

struct layout {
    bool too_small; /* only body is set, to the whole screen */
    struct rect tabs, facts, header, body, pane, peek, tail, flash, hints;
};

struct layout layout_make(int rows, int cols, const struct layout_wish *wish);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/screen/layout.h"

#define PANE_BODY_LEAST 6 /* rows that a pane leaves to the list above it */
#define TAIL_ROWS       10

struct layout layout_make(int rows, int cols, const struct layout_wish *wish)
{
    struct layout l = {0};

    l.too_small = !wish->force && (rows < LAYOUT_LEAST_ROWS || cols < LAYOUT_LEAST_COLS);
    if (l.too_small || rows < 6 || cols < 10) {
        l.too_small = true;
        l.body = (struct rect){0, 0, rows, cols};
        return l;
    }
    l.tabs = (struct rect){0, 0, 1, cols};
    l.facts = (struct rect){1, 0, 1, cols};
    l.hints = (struct rect){rows - 1, 0, 1, cols};
    l.flash = (struct rect){rows - 2, 0, 1, cols};

    int top = 2, bottom = rows - 2, width = cols;
    if (wish->tail && rows >= 40 && cols >= LAYOUT_PEEK_COLS) {
        bottom -= TAIL_ROWS;
        l.tail = (struct rect){bottom, 0, TAIL_ROWS, cols};
    }
    if (wish->peek && cols >= LAYOUT_PEEK_COLS) {
        int peek = cols * 2 / 5;

        width = cols - peek - 1;
        l.peek = (struct rect){top, width + 1, bottom - top, peek};
    }
    if (wish->header) {
        l.header = (struct rect){top, 0, 1, width};
        top++;
    }
    if (wish->pane > 0 && bottom - top - wish->pane >= PANE_BODY_LEAST) {
        bottom -= wish->pane;
        l.pane = (struct rect){bottom, 0, wish->pane, width};
    }
    l.body = (struct rect){top, 0, bottom - top, width};
    return l;
}

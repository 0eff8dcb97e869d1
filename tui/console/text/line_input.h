/* SPDX-License-Identifier: BSD-3-Clause */
/* One line of text that is being typed. */
#ifndef TUI_CONSOLE_TEXT_LINE_INPUT_H
#define TUI_CONSOLE_TEXT_LINE_INPUT_H

#include "console/screen/canvas.h"

#define LINE_MAX_BYTES 65536

/* Zeroed it is empty; line_release gives back what it holds. */
struct line {
    char *text;          /* NULL: nothing was set or typed yet, see line_text */
    size_t len, at, cap; /* bytes; at: before which the next character goes */
    bool offered;        /* the first character that is typed replaces the text */
};

const char *line_text(const struct line *l);       /* borrowed until the next change */
void line_set(struct line *l, const char *text);   /* the cursor at its end */
void line_offer(struct line *l, const char *text); /* the same, to be taken as it is, edited, or typed over */
void line_release(struct line *l);
bool line_key(struct line *l, int key); /* false where the key edits nothing */
/* Draws the part around the cursor and puts the terminal's cursor there. */
void line_draw(const struct line *l, struct canvas *c, int row, int col, int width);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* A line of text being typed. */
#ifndef TUI_CONSOLE_TEXT_LINE_INPUT_H
#define TUI_CONSOLE_TEXT_LINE_INPUT_H

#include "console/screen/canvas.h"

#define LINE_MAX_BYTES 65536

/* Empty when zeroed; line_release frees its contents. */
struct line {
    char *text;          /* NULL: empty, see line_text */
    size_t len, at, cap; /* bytes; at: position of the cursor */
    bool offered;        /* the first character typed replaces the text */
};

const char *line_text(const struct line *l);       /* borrowed until the next change */
void line_set(struct line *l, const char *text);   /* cursor at the end */
void line_offer(struct line *l, const char *text); /* the same, but typing replaces it */
void line_release(struct line *l);
bool line_key(struct line *l, int key); /* false if the key edits nothing */
/* Draws the part around the cursor and puts the terminal's cursor there. */
void line_draw(const struct line *l, struct canvas *c, int row, int col, int width);

#endif

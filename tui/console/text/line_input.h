/* SPDX-License-Identifier: BSD-3-Clause */
/* One line of text that is being typed. */
#ifndef TUI_CONSOLE_TEXT_LINE_INPUT_H
#define TUI_CONSOLE_TEXT_LINE_INPUT_H

#include "console/screen/canvas.h"

#define LINE_MAX_BYTES 400

struct line {
    char text[LINE_MAX_BYTES];
    size_t len, at; /* bytes; at: before which the next character goes */
};

void line_set(struct line *l, const char *text); /* the cursor at its end */
bool line_key(struct line *l, int key);          /* false where the key edits nothing */
/* Draws the part around the cursor and puts the terminal's cursor there. */
void line_draw(const struct line *l, struct canvas *c, int row, int col, int width);

#endif

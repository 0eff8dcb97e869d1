/* SPDX-License-Identifier: BSD-3-Clause */
/* How the characters of a text that may hold anything take the cells of a line. */
#ifndef TUI_CONSOLE_SCREEN_CELLS_H
#define TUI_CONSOLE_SCREEN_CELLS_H

#include <stdbool.h>
#include <stddef.h>

#define CELLS_TAB   4 /* cells from one tab stop to the next */
#define CELLS_SHOWN 8

struct cells {
    char shown[CELLS_SHOWN]; /* what is drawn: never a control character, nor one that is not seen itself */
    size_t bytes;            /* that the character has */
    size_t width;            /* 0: it combines with the one before */
    bool strange;            /* it is shown by something else */
};

/* The character at the start of text, whose line is at this column. len is not 0. */
struct cells cells_next(const char *text, size_t len, size_t column, bool ascii);

/* The column of a byte of a line, and the byte at a column (or the last one before it). */
size_t cells_column(const char *line, size_t len, size_t at, bool ascii);
size_t cells_byte(const char *line, size_t len, size_t column, bool ascii);

#endif

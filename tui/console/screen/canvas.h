/* SPDX-License-Identifier: BSD-3-Clause */
/* What views draw on: a grid of cells, each a character with a role. It is independent of any terminal, so screens can
 * be produced, compared and tested anywhere. Drawing outside the grid is clipped; text never leaves its field. */
#ifndef TUI_CONSOLE_SCREEN_CANVAS_H
#define TUI_CONSOLE_SCREEN_CANVAS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "console/screen/glyph.h"
#include "console/screen/theme.h"

struct screen_cell {
    wchar_t text[3]; /* a character and up to two that combine with it; 0: the right half of a wide one */
    unsigned char width;
    unsigned char role;
    unsigned char flags; /* enum canvas_flag_bit */
    unsigned char zero;  /* no padding: cells are compared as bytes */
};

_Static_assert(sizeof(struct screen_cell) == 3 * sizeof(wchar_t) + 4, "a cell has holes");

enum canvas_flag_bit { CANVAS_SELECTED = 1, CANVAS_DIM = 2, CANVAS_STRUCK = 4 };

struct rect {
    int row, col, rows, cols;
};

/* An area that responds to mouse clicks. */
struct hit {
    struct rect at;
    int kind, value; /* the app's own */
};

struct canvas {
    int rows, cols;
    bool ascii;
    bool plain; /* no rules and frames: for screen readers */
    struct screen_cell *cells;
    int cursor_row, cursor_col; /* where to leave the terminal's cursor */
    bool cursor_shown;
    struct hit *hits;
    size_t hit_count, hit_cap;
};

/* Clears the canvas and sets its size; each dimension is at least 1. */
void canvas_start(struct canvas *c, int rows, int cols);
void canvas_release(struct canvas *c);

/* Draws text in a field of width columns; what does not fit is cut and its last column becomes '~'. Returns the columns
 * used. Control characters never reach a cell. */
int canvas_text(struct canvas *c, int row, int col, int width, enum role role, const char *text);
int canvas_textf(struct canvas *c, int row, int col, int width, enum role role, const char *format, ...)
    PRINTF_LIKE(6, 7);
/* The same for a name, which is cut after its first two thirds: names differ at their ends. */
int canvas_name(struct canvas *c, int row, int col, int width, enum role role, const char *name);
/* The same, right-aligned. */
void canvas_right(struct canvas *c, int row, int col, int width, enum role role, const char *text);
/* Draws text in the rectangle, wrapped at blanks where possible; the last line is cut. Returns the lines used. */
int canvas_wrap(struct canvas *c, struct rect at, enum role role, const char *text);
int canvas_lines(const struct canvas *c, int width, const char *text); /* lines needed */
/* Drawing GLYPH_CURSOR also places the terminal's cursor, which screen readers and magnifiers follow. */
int canvas_glyph(struct canvas *c, int row, int col, enum glyph glyph);
int canvas_glyph_as(struct canvas *c, int row, int col, enum glyph glyph, enum role role);
void canvas_rule(struct canvas *c, int row, int col, int width);
/* A rule with a title at the left and, if it fits, a note at the right. */
void canvas_section(struct canvas *c, int row, int col, int width, const char *left, const char *right);
void canvas_clear(struct canvas *c, struct rect at);
/* Copies rows of another canvas, clipped to this one. */
void canvas_copy(struct canvas *c, int row, int col, const struct canvas *from, int from_row, int rows);
void canvas_flag(struct canvas *c, struct rect at, unsigned flag);
void canvas_role(struct canvas *c, struct rect at, enum role role);

/* A frame with a title in its upper and a note in its lower border; clears the inside and moves the terminal's cursor
 * there. Returns the inside. */
struct rect canvas_frame(struct canvas *c, struct rect at, const char *title, const char *note);

void canvas_hit(struct canvas *c, struct rect at, int kind, int value);
const struct hit *canvas_hit_at(const struct canvas *c, int row, int col); /* the topmost one; NULL: none */

/* The width of text on this canvas, in columns. */
int canvas_width(const struct canvas *c, const char *text);

/* Decodes one UTF-8 character; an invalid byte is U+FFFD. Returns the bytes consumed, 0 at the end. */
size_t utf8_next(const char *text, wchar_t *rune);
void utf8_add(struct buf *out, wchar_t rune);

#endif

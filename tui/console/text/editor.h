/* SPDX-License-Identifier: BSD-3-Clause */
/* A text editor: cursor movement, typing, searching, drawing. Positions count bytes of UTF-8, columns count cells of
 * the terminal. Control characters in a text never reach the screen. */
#ifndef TUI_CONSOLE_TEXT_EDITOR_H
#define TUI_CONSOLE_TEXT_EDITOR_H

#include "console/screen/canvas.h"
#include "console/text/highlight.h"

struct editor {
    struct textbuf text;
    struct highlight colours;
    struct text_pos at;
    size_t wish;       /* the column that up and down aim for; SIZE_MAX: the cursor's */
    size_t top, left;  /* first line and column shown */
    size_t height;     /* lines last shown */
    struct rect shown; /* where their text was last drawn */
    int typed;         /* kind of the last key: a run of one kind is undone together */
    char *find;        /* the last search; NULL */
    struct bracket_pair {
        uint64_t serial;    /* of the text and ... */
        struct text_pos at; /* ... cursor position that the rest is valid for */
        struct text_pos ends[2];
        enum { PAIR_NONE, PAIR_HALF, PAIR_WHOLE } found; /* half: ends[0] is unmatched */
    } pair;
    bool ascii; /* the canvas is ASCII only */
};

void editor_init(struct editor *e);
void editor_release(struct editor *e);
void editor_load(struct editor *e, const char *text, size_t len);
/* Replaces the whole text as one undoable step. False if it is too large. */
bool editor_swap(struct editor *e, const char *text, size_t len);
/* Replaces from..to as one step and puts the cursor after it. False if there is no room. */
bool editor_replace(struct editor *e, struct text_pos from, struct text_pos to, const char *text, size_t len);

/* Handles a key; false if it does nothing here. Sets *full if there is no room. */
bool editor_key(struct editor *e, int key, bool *full);
/* Handles cursor keys only; false for any other key. */
bool editor_move_key(struct editor *e, int key);
void editor_move(struct editor *e, long lines);
/* Inserts text as one step; line ends are normalized, and control characters other than tabs dropped. False if there is
 * no room. */
bool editor_paste(struct editor *e, const char *text, size_t len);
/* Moves to the bracket matching the one at or before the cursor. False if there is none. */
bool editor_to_match(struct editor *e);
/* Marks the matching brackets in the roles of a line's bytes. */
void editor_mark_pair(struct editor *e, size_t line, unsigned char *roles, size_t count);
/* Line and column (in bytes) count from 1. */
void editor_go(struct editor *e, size_t line, size_t column);
bool editor_undo(struct editor *e);
bool editor_redo(struct editor *e);
/* Moves to the next or previous occurrence, wrapping around; lower case matches any case. False if there is none. */
bool editor_find(struct editor *e, const char *text, bool backwards);

/* Moves the cursor to the text nearest to a screen position. */
void editor_click(struct editor *e, int row, int col);

size_t editor_column(const struct editor *e); /* of the cursor, in cells, from 0 */

/* The mark in front of a line; sign NULL for none. */
struct editor_mark {
    const char *sign;
    enum role role;
};
typedef struct editor_mark editor_mark_of(const void *context, size_t line);

/* Scrolls to the cursor and draws. The terminal's cursor is shown while editing. */
void editor_draw(struct editor *e, struct canvas *c, struct rect at, bool editing, editor_mark_of *mark,
                 const void *context);

#endif

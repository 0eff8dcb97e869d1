/* SPDX-License-Identifier: BSD-3-Clause */
/* A text on the screen with a cursor: moving, typing, finding, drawing. Places are bytes of UTF-8, columns are cells of
 * the terminal. Nothing of a text reaches the screen as a control character, whatever it holds. */
#ifndef TUI_CONSOLE_TEXT_EDITOR_H
#define TUI_CONSOLE_TEXT_EDITOR_H

#include "console/screen/canvas.h"
#include "console/text/highlight.h"

struct editor {
    struct textbuf text;
    struct highlight colours;
    struct text_pos at;
    size_t wish;       /* the column that up and down aim at; SIZE_MAX: where the cursor is */
    size_t top, left;  /* the first line and the first column that are shown */
    size_t height;     /* lines that were shown last */
    struct rect shown; /* where their text was drawn */
    int typed;         /* what kind of key came last: a run of one kind is taken back at once */
    char *find;        /* what was looked for last, NULL */
    struct bracket_pair {
        uint64_t serial;    /* of the text ... */
        struct text_pos at; /* ... and the cursor's place for which the rest is true */
        struct text_pos ends[2];
        enum { PAIR_NONE, PAIR_HALF, PAIR_WHOLE } found; /* half: ends[0] has no other one */
    } pair;
    bool ascii; /* the canvas has no other characters */
};

void editor_init(struct editor *e);
void editor_release(struct editor *e);
void editor_load(struct editor *e, const char *text, size_t len);
/* The whole text by another one, as one step that can be taken back. False where it is too large. */
bool editor_swap(struct editor *e, const char *text, size_t len);
/* What stands between two places by another text, as one step; the cursor goes behind it. False where there is no
 * room. */
bool editor_replace(struct editor *e, struct text_pos from, struct text_pos to, const char *text, size_t len);

/* What a key does to the text or the cursor; false where it does nothing here. full is set where there is no room. */
bool editor_key(struct editor *e, int key, bool *full);
/* Moves the cursor and nothing else; false for keys that would change the text. */
bool editor_move_key(struct editor *e, int key);
void editor_move(struct editor *e, long lines);
/* Puts text in as one step; line ends become one kind, other control characters but tabs are left out. False where
 * there is no room. */
bool editor_paste(struct editor *e, const char *text, size_t len);
/* To the bracket that belongs to the one at the cursor, or before it. False: there is none. */
bool editor_to_match(struct editor *e);
/* The brackets that belong together, among the roles of a line's bytes. */
void editor_mark_pair(struct editor *e, size_t line, unsigned char *roles, size_t count);
/* Line and column (in bytes) count from 1. */
void editor_go(struct editor *e, size_t line, size_t column);
bool editor_undo(struct editor *e);
bool editor_redo(struct editor *e);
/* The next place of a text, or the one before, around the end; small letters find large ones too. False: nowhere. */
bool editor_find(struct editor *e, const char *text, bool backwards);

/* Puts the cursor at a place of the screen, as far as there is text. */
void editor_click(struct editor *e, int row, int col);

size_t editor_column(const struct editor *e); /* of the cursor, in cells, from 0 */

/* What stands in front of a line: a sign, NULL for none. */
struct editor_mark {
    const char *sign;
    enum role role;
};
typedef struct editor_mark editor_mark_of(const void *context, size_t line);

/* Scrolls to the cursor and draws. The terminal's cursor is shown while editing. */
void editor_draw(struct editor *e, struct canvas *c, struct rect at, bool editing, editor_mark_of *mark,
                 const void *context);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* A text being edited: its lines and the edits made, for undo and redo. Pure; the text is UTF-8 and is returned byte
 * for byte. */
#ifndef TUI_CONSOLE_TEXT_TEXT_BUFFER_H
#define TUI_CONSOLE_TEXT_TEXT_BUFFER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"

#define TEXTBUF_MAX   (4U << 20) /* bytes: the limit of a policy */
#define TEXTBUF_STEPS 20000      /* steps that can be undone */

struct text_pos {
    size_t line, at; /* from 0; at: bytes */
};

struct edit_line {
    char *bytes; /* not terminated */
    size_t len, cap;
};

struct text_step {
    struct text_pos from;
    char *gone, *came;
    size_t gone_len, came_len;
    unsigned group; /* steps of one group are undone together */
};

struct textbuf {
    VEC(struct edit_line) lines; /* never empty */
    VEC(struct text_step) steps;
    size_t done; /* steps before this one are applied, the others undone */
    unsigned group;
    size_t bytes;
    uint64_t serial;    /* incremented by each change */
    size_t lowest_line; /* the first line changed since this was last set to SIZE_MAX */
};

void textbuf_init(struct textbuf *t);
void textbuf_release(struct textbuf *t);

/* Replaces the text and drops the history. */
void textbuf_load(struct textbuf *t, const char *text, size_t len);

/* Replaces the text from..to (from <= to) as one step. *end (may be NULL) is the end of the new text. False, changing
 * nothing, if the text would exceed TEXTBUF_MAX. */
bool textbuf_replace(struct textbuf *t, struct text_pos from, struct text_pos to, const char *text, size_t len,
                     struct text_pos *end);
void textbuf_break(struct textbuf *t); /* the next step starts a new group */

/* *at: the new cursor position. False if there is nothing to undo or redo. */
bool textbuf_undo(struct textbuf *t, struct text_pos *at);
bool textbuf_redo(struct textbuf *t, struct text_pos *at);

struct text_pos textbuf_end(const struct textbuf *t);
bool textbuf_equals(const struct textbuf *t, const char *text, size_t len);
/* The whole text, terminated; the caller frees it. */
char *textbuf_copy(const struct textbuf *t, size_t *len);

#endif

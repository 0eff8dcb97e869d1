/* SPDX-License-Identifier: BSD-3-Clause */
/* A text that is being edited: lines, and all that was done to them, so that it can be taken back and done again. Pure;
 * the text is bytes of UTF-8 and is given back byte for byte. */
#ifndef TUI_CONSOLE_TEXT_TEXT_BUFFER_H
#define TUI_CONSOLE_TEXT_TEXT_BUFFER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"

#define TEXTBUF_MAX   (4U << 20) /* bytes: what a policy may have */
#define TEXTBUF_STEPS 20000      /* steps that can be taken back */

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
    unsigned group; /* steps of one group are taken back together */
};

struct textbuf {
    VEC(struct edit_line) lines; /* never empty */
    VEC(struct text_step) steps;
    size_t done; /* steps before this one are in force, the others were taken back */
    unsigned group;
    size_t bytes;
    uint64_t serial;    /* raised by each change */
    size_t lowest_line; /* the first line that changed since somebody set this to SIZE_MAX */
};

void textbuf_init(struct textbuf *t);
void textbuf_release(struct textbuf *t);

/* Another text, without a history. */
void textbuf_load(struct textbuf *t, const char *text, size_t len);

/* Replaces what is between two places (from not behind to) and makes it a step. *end (may be NULL) is where the new
 * text ends. False where the text would be larger than TEXTBUF_MAX: nothing is changed. */
bool textbuf_replace(struct textbuf *t, struct text_pos from, struct text_pos to, const char *text, size_t len,
                     struct text_pos *end);
void textbuf_break(struct textbuf *t); /* the next step starts a group of its own */

/* *at: where the cursor belongs. False where there is nothing more. */
bool textbuf_undo(struct textbuf *t, struct text_pos *at);
bool textbuf_redo(struct textbuf *t, struct text_pos *at);

struct text_pos textbuf_end(const struct textbuf *t);
bool textbuf_equals(const struct textbuf *t, const char *text, size_t len);
/* The whole text, terminated; the caller owns it. */
char *textbuf_copy(const struct textbuf *t, size_t *len);

#endif

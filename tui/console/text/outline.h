/* SPDX-License-Identifier: BSD-3-Clause */
/* What a text of HuJSON is made of, as far as it can be told while it is typed: which keys and strings stand where, and
 * which brackets belong together. Nothing is refused; what is no HuJSON is passed over. Pure, and as fast as reading:
 * each byte is looked at once. */
#ifndef TUI_CONSOLE_TEXT_OUTLINE_H
#define TUI_CONSOLE_TEXT_OUTLINE_H

#include "console/text/text_buffer.h"

#define OUTLINE_DEPTH 64 /* brackets in brackets; deeper ones have no path */
#define OUTLINE_PATH  256

/* One string (with or without its end), or the place where one could begin. */
struct outline_token {
    bool key;             /* it stands where a key of an object stands */
    bool string;          /* there is one; else the place between from and to is empty */
    const char *path;     /* "acls/[]/src/[]": the keys around it, cut to OUTLINE_PATH - 1 bytes */
    struct text_pos from; /* behind its quote */
    size_t len;           /* bytes, to the quote at its end or the end of its line */
    bool closed;          /* it has a quote at its end */
    const char *text;     /* borrowed, as it stands in the text */
};

/* Hands each string to fn, in the order of the text, until that returns false. */
void outline_each(const struct textbuf *t, bool (*fn)(void *arg, const struct outline_token *token), void *arg);

/* What stands at a place: the string that the place is in or at the end of, else the empty place. False: a comment. */
bool outline_at(const struct textbuf *t, struct text_pos at, struct outline_token *out, char path[OUTLINE_PATH]);

/* The bracket that belongs to the one at a place. False: there is none at the place, or its other one is missing. */
bool outline_match(const struct textbuf *t, struct text_pos at, struct text_pos *other);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* The outline of HuJSON text while it is being typed: keys, strings, and matching brackets. It accepts any text and
 * skips what is not HuJSON. Pure and linear: each byte is read once. */
#ifndef TUI_CONSOLE_TEXT_OUTLINE_H
#define TUI_CONSOLE_TEXT_OUTLINE_H

#include "console/text/text_buffer.h"

#define OUTLINE_DEPTH 64 /* nesting of brackets; deeper ones have no path */
#define OUTLINE_PATH  256

/* A string, possibly unterminated, or an empty place where one could begin. */
struct outline_token {
    bool key;             /* in the position of an object's key */
    bool string;          /* false: an empty place, len is 0 */
    const char *path;     /* "acls/[]/src/[]": the keys around it, cut to OUTLINE_PATH - 1 bytes */
    struct text_pos from; /* after its opening quote */
    size_t len;           /* bytes, up to its closing quote or the end of the line */
    bool closed;          /* it has a closing quote */
    const char *text;     /* borrowed; raw, as in the text */
};

/* Calls fn for each string in order until fn returns false. */
void outline_each(const struct textbuf *t, bool (*fn)(void *arg, const struct outline_token *token), void *arg);

/* Finds the string at or ending at a position, else the empty place there. False within a comment. */
bool outline_at(const struct textbuf *t, struct text_pos at, struct outline_token *out, char path[OUTLINE_PATH]);

/* Whether a path matches a pattern, in which '*' stands for any key. */
bool outline_fits(const char *pattern, const char *path);

/* Finds the bracket matching the one at a position. False if there is none or it is unmatched. */
bool outline_match(const struct textbuf *t, struct text_pos at, struct text_pos *other);

#endif

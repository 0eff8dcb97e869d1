/* SPDX-License-Identifier: BSD-3-Clause */
/* Texts and numbers as they arrive from outside: read whole or refused, shown without control sequences. */
#ifndef COMMON_BASE_STR_H
#define COMMON_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

static inline bool str_eq(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}
bool str_starts(const char *text, const char *start);
bool str_ends(const char *text, const char *end);

/* Copies into a fixed array, cut at its end, always terminated; returns false if it was cut. */
bool str_copy(char *out, size_t size, const char *text);

/* A decimal number without sign, leading zero or anything else, in [min, max]; ERR_INVALID names field and value. */
int str_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out, const char *field, struct err *e) WARN_UNUSED;

/* Valid UTF-8 without surrogates, overlong forms or NUL. */
bool str_utf8(const char *text, size_t len);

/* Text that a person may have written and that may be stored: valid UTF-8, no control characters, at most max bytes,
 * not empty unless allow_empty. ERR_INVALID names the field. */
int str_check(const char *text, size_t max, bool allow_empty, const char *field, struct err *e) WARN_UNUSED;

/* Appends text with control characters (C0, C1, DEL, bidirectional overrides) and invalid UTF-8 written as \xNN, so
 * that nothing from a client reaches a terminal or a log as a command to it. */
void str_safe(struct buf *out, const char *text, size_t len);
/* The same, but that lines stay lines, and tabs tabs. */
void str_safe_lines(struct buf *out, const char *text);

/* A copy without control characters, bidirectional overrides and what is no UTF-8, cut to max bytes at the end of a
 * character. */
char *str_clean(const char *text, size_t max);

/* Line and column (in bytes), from 1, of an offset in a text. */
void str_place(const char *text, size_t len, size_t offset, unsigned *line, unsigned *column);

/* How many edits lie between two words, at most 64 bytes of each considered: for "did you mean". */
size_t str_distance(const char *a, const char *b);

/* The nearest of count words (reached by stride bytes from one char * to the next), or NULL if none is near. */
const char *str_nearest(const char *word, const char *const *words, size_t count, size_t stride);

/* A list of texts, owned; a sorted set after strs_sort. */
struct strs {
    char **items;
    size_t len, cap;
};
void strs_release(struct strs *s);
void strs_push(struct strs *s, const char *text); /* a copy, at the end */
void strs_sort(struct strs *s);                   /* bytewise, without duplicates */
bool strs_has(const struct strs *s, const char *text);
void strs_copy(struct strs *to, const struct strs *from); /* to is released first */
bool strs_eq(const struct strs *a, const struct strs *b);

#endif

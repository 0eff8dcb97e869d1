/* SPDX-License-Identifier: BSD-3-Clause */
/* Strings and numbers from untrusted sources: parsed whole or refused, and shown without control sequences. */
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

/* Copies into a fixed array, truncating if necessary, always terminated; returns false if it was truncated. */
bool str_copy(char *out, size_t size, const char *text);

/* A decimal number in [min, max], without sign, leading zeros or other characters; ERR_INVALID names the field and the
 * value. */
int str_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out, const char *field, struct err *e) WARN_UNUSED;

/* Is it valid UTF-8, without surrogates, overlong forms or NUL? */
bool str_utf8(const char *text, size_t len);

/* Checks text that a person may have written and that may be stored: valid UTF-8, no control characters, at most max
 * bytes, not empty unless allow_empty. ERR_INVALID names the field. */
int str_check(const char *text, size_t max, bool allow_empty, const char *field, struct err *e) WARN_UNUSED;

/* Appends text with control characters (C0, C1, DEL, bidirectional overrides) and invalid UTF-8 written as \xNN, so
 * that text from clients cannot control a terminal or forge log lines. */
void str_safe(struct buf *out, const char *text, size_t len);
/* Like str_safe(), but keeps newlines and tabs. */
void str_safe_lines(struct buf *out, const char *text);

/* A copy without control characters, bidirectional overrides and invalid UTF-8, truncated to max bytes at a character
 * boundary. The caller frees it. */
char *str_clean(const char *text, size_t max);

/* The line and column (in bytes) of an offset in a text, both counted from 1. */
void str_place(const char *text, size_t len, size_t offset, unsigned *line, unsigned *column);

/* The edit distance between two words, of which at most 64 bytes each are considered: for "did you mean". */
size_t str_distance(const char *a, const char *b);

/* The word nearest to word, or NULL if none is near. The count words are char pointers that are stride bytes apart. */
const char *str_nearest(const char *word, const char *const *words, size_t count, size_t stride);

/* A list of strings, which it owns; a sorted set after strs_sort. */
struct strs {
    char **items;
    size_t len, cap;
};
void strs_release(struct strs *s);
void strs_push(struct strs *s, const char *text); /* appends a copy */
void strs_sort(struct strs *s);                   /* sorts bytewise and removes duplicates */
bool strs_has(const struct strs *s, const char *text);
void strs_copy(struct strs *to, const struct strs *from); /* to is released first */
bool strs_eq(const struct strs *a, const struct strs *b);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* HuJSON: JSON with comments and trailing commas, read into a tree that keeps the place of everything, so that errors
 * can point and one value can be replaced without touching the rest of the text. Duplicate names are refused. */
#ifndef COMMON_POLICY_LANG_HUJSON_H
#define COMMON_POLICY_LANG_HUJSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define HUJSON_DEPTH 64

enum hujson_kind { HUJSON_NULL, HUJSON_BOOL, HUJSON_NUMBER, HUJSON_STRING, HUJSON_ARRAY, HUJSON_OBJECT };

struct hujson {
    enum hujson_kind kind;
    bool truth;
    const char *text;  /* STRING: decoded, NUL terminated (and may hold none inside); NUMBER: as written */
    size_t start, end; /* bytes of the value in the text */
    /* As a member of an object. */
    const char *name; /* decoded; NULL for elements and the top */
    size_t name_start;
    struct hujson *first, *next; /* children in order; next sibling */
    size_t count;
};

struct hujson_error {
    size_t offset; /* of a comment or string that does not end: where it begins */
    bool syntax;   /* false: the text is HuJSON but not a value that is taken (duplicate name, invalid UTF-8) */
    char message[200];
};

/* Everything is allocated from a (which bounds the memory). ERR_INVALID or ERR_TOOBIG with *why filled. */
int hujson_read(const char *text, size_t len, struct arena *a, struct hujson **out,
                struct hujson_error *why) WARN_UNUSED;

/* All that is wrong with a text that hujson_read refuses, at most max (not 0): first what hujson_read says. An error
 * that may only follow from another one is left out. 0: nothing is wrong. */
size_t hujson_errors(const char *text, size_t len, struct arena *a, struct hujson_error *out, size_t max);

/* As a whole number of 64 bits, or a finite fraction: what JSON libraries take. */
bool hujson_number_fits(const struct hujson *number);

/* Appends the value as plain JSON: without comments, trailing commas and blanks. text is what it was read from. */
void hujson_plain(const struct hujson *v, const char *text, struct buf *out);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* HuJSON: JSON with comments and trailing commas, parsed into a tree with positions, so that errors can name their
 * place and a value can be replaced without changing the rest of the text. Duplicate names are refused. */
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
    const char *text;  /* STRING: decoded, NUL-terminated, without other NULs; NUMBER: as written */
    size_t start, end; /* bytes of the value in the text */
    /* Of a member of an object. */
    const char *name; /* decoded; NULL for elements and the top level */
    size_t name_start;
    struct hujson *first, *next; /* children in order; next sibling */
    size_t count;
};

struct hujson_error {
    size_t offset; /* of an unterminated comment or string: its start */
    bool syntax;   /* false: valid HuJSON with a value that is not accepted (duplicate name, invalid UTF-8) */
    char message[200];
};

/* Allocates everything in a, which limits the memory. ERR_INVALID or ERR_TOOBIG with *why filled. */
int hujson_read(const char *text, size_t len, struct arena *a, struct hujson **out,
                struct hujson_error *why) WARN_UNUSED;

/* All errors of a text that hujson_read refuses, at most max (not 0): first the one of hujson_read. Errors that may
 * only follow from another one are omitted. Returns their number, 0 if there are none. */
size_t hujson_errors(const char *text, size_t len, struct arena *a, struct hujson_error *out, size_t max);

/* Is it an integer of 64 bits or a finite fraction, as JSON libraries accept? */
bool hujson_number_fits(const struct hujson *number);

/* Appends the value as plain JSON, without comments, trailing commas and blanks. text is the text that was parsed. */
void hujson_plain(const struct hujson *v, const char *text, struct buf *out);

#endif

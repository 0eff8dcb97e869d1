/* SPDX-License-Identifier: BSD-3-Clause */
/* The head of an HTTP/1 request (RFC 9112), parsed strictly: anything that two parsers could understand differently is
 * refused. */
#ifndef COMMON_NET_HEAD_H
#define COMMON_NET_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define HEAD_MAX        8192 /* bytes, including the empty line */
#define HEAD_FIELDS_MAX 64

struct head_field {
    const char *name, *value; /* value without surrounding blanks */
};

/* All strings point into bytes, which the head owns. */
struct head {
    char *bytes;
    const char *method, *target, *path, *query; /* path excludes the query; query is "" if absent */
    unsigned minor;                             /* HTTP/1.minor: 0 or 1 */
    struct head_field fields[HEAD_FIELDS_MAX];
    size_t field_count;
};

/* Returns the size of the head in bytes once it is complete, 0 if more bytes are needed, or an error: ERR_INVALID, or
 * ERR_TOOBIG beyond HEAD_MAX or HEAD_FIELDS_MAX. *out is filled only when the head is complete. */
long head_parse(const void *bytes, size_t len, struct head *out, struct err *e);
void head_release(struct head *h);

/* The value of a field by its case-insensitive name, the first if there are several; NULL if absent. */
const char *head_get(const struct head *h, const char *name);

/* All lines of a comma-separated field, joined by commas; caller frees. NULL if absent. */
char *head_join(const struct head *h, const char *name);

/* Does any occurrence of a comma-separated field (Connection, Upgrade) contain the word, in any case? */
bool head_has_word(const struct head *h, const char *name, const char *word);

#endif

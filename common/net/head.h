/* SPDX-License-Identifier: BSD-3-Clause */
/* The head of an HTTP/1 request (RFC 9112), read strictly: what two readers could understand differently is refused. */
#ifndef COMMON_NET_HEAD_H
#define COMMON_NET_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define HEAD_MAX        8192 /* bytes, the empty line included */
#define HEAD_FIELDS_MAX 64

struct head_field {
    const char *name, *value; /* value without blanks around it */
};

/* All texts point into bytes, which is the head's own. */
struct head {
    char *bytes;
    const char *method, *target, *path, *query; /* path without the query; query "" when there is none */
    unsigned minor;                             /* HTTP/1.minor: 0 or 1 */
    struct head_field fields[HEAD_FIELDS_MAX];
    size_t field_count;
};

/* Returns how many bytes the head takes once it is whole, 0 when more is needed, or an error: ERR_INVALID, or
 * ERR_TOOBIG past HEAD_MAX or HEAD_FIELDS_MAX. *out is filled only when the head is whole. */
long head_parse(const void *bytes, size_t len, struct head *out, struct err *e);
void head_release(struct head *h);

/* The value of a field by its name in any case, the first if there are several; NULL when absent. */
const char *head_get(const struct head *h, const char *name);

/* All lines of a comma-separated field, joined by commas, the caller's; NULL when absent. */
char *head_join(const struct head *h, const char *name);

/* A comma-separated field (Connection, Upgrade) of which any occurrence holds the word, in any case. */
bool head_has_word(const struct head *h, const char *name, const char *word);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* A growing run of bytes with a ceiling. data is never NULL after the first write and always ends in a NUL that len
 * does not count. Writes past the ceiling set failed and are dropped, so a long sequence needs one check at its end. */
#ifndef COMMON_BASE_BUF_H
#define COMMON_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct buf {
    char *data;
    size_t len;
    size_t cap;
    size_t max; /* 0: no ceiling, for what the program itself sizes */
    bool failed;
};

#define BUF_INIT(ceiling)                                                                                              \
    {                                                                                                                  \
        .max = (ceiling)                                                                                               \
    }

void buf_release(struct buf *b);           /* frees the bytes; b can be used again, with the same ceiling */
void buf_clear(struct buf *b);             /* empties, keeps the memory */
char *buf_take(struct buf *b);             /* the caller owns the text (never NULL); b is empty again */
const char *buf_text(const struct buf *b); /* never NULL */

bool buf_reserve(struct buf *b, size_t more); /* room for more bytes; false past the ceiling */
void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_adds(struct buf *b, const char *text);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_addu(struct buf *b, uint64_t number); /* decimal */
void buf_cut(struct buf *b, size_t front);     /* drops bytes at the front */

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes: a buffer that grows up to a ceiling, and chunks that many owners share.
 *
 * The data of a buf is never NULL after the first write and always ends in a NUL that len does not count. Writes past
 * the ceiling set failed and are dropped, so a long sequence needs one check at its end. */
#ifndef COMMON_BASE_BUF_H
#define COMMON_BASE_BUF_H

#include <stdatomic.h>
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

/* Bytes that many owners share and nobody changes: encoded once, handed to every receiver without a copy. The count is
 * atomic: owners may live in different threads. */
struct chunk {
    atomic_uint refs;
    uint32_t len;
    uint8_t data[];
};

/* With one reference, the caller's. chunk_new copies; chunk_alloc leaves data to be filled before it is shared. */
struct chunk *chunk_new(const void *bytes, size_t len) __attribute__((returns_nonnull));
struct chunk *chunk_alloc(size_t len) __attribute__((returns_nonnull));

struct chunk *chunk_ref(struct chunk *c); /* one reference more; returns c */
void chunk_unref(struct chunk *c);        /* NULL is allowed */

#endif

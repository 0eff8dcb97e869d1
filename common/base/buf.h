/* SPDX-License-Identifier: BSD-3-Clause */
/* Byte buffers that grow up to a ceiling, and chunks shared by many owners. After the first write the data of a buf is
 * never NULL and always ends in a NUL that len does not count. Writes past the ceiling set failed and are dropped, so a
 * long sequence of writes needs one check at its end. */
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
    size_t max; /* 0: no ceiling, for data whose size the program itself determines */
    bool failed;
};

#define BUF_INIT(ceiling)                                                                                              \
    {                                                                                                                  \
        .max = (ceiling)                                                                                               \
    }

void buf_release(struct buf *b);           /* frees the bytes; b can be reused, with the same ceiling */
void buf_clear(struct buf *b);             /* empties it but keeps the memory */
char *buf_take(struct buf *b);             /* returns the text (never NULL; caller frees) and empties b */
const char *buf_text(const struct buf *b); /* never NULL */

bool buf_reserve(struct buf *b, size_t more); /* makes room for that many more bytes; false past the ceiling */
void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_adds(struct buf *b, const char *text);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_addu(struct buf *b, uint64_t number); /* decimal */

/* Immutable bytes shared by many owners: encoded once and handed to every receiver without copying. The count is
 * atomic, so owners may live in different threads. */
struct chunk {
    atomic_uint refs;
    uint32_t len;
    uint8_t data[];
};

/* Both return one reference, owned by the caller. chunk_new copies; the data of chunk_alloc is to be filled before it
 * is shared. */
struct chunk *chunk_new(const void *bytes, size_t len) __attribute__((returns_nonnull));
struct chunk *chunk_alloc(size_t len) __attribute__((returns_nonnull));

struct chunk *chunk_ref(struct chunk *c); /* adds a reference; returns c */
void chunk_unref(struct chunk *c);        /* may be NULL */

#endif

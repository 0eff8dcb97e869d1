/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes that many owners share and nobody changes: encoded once, handed to every receiver without a copy. The count is
 * atomic, so that owners may live in different threads. */
#ifndef COMMON_BASE_CHUNK_H
#define COMMON_BASE_CHUNK_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

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

/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/chunk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct chunk *chunk_alloc(size_t len)
{
    assert(len <= UINT32_MAX);
    /* Not mem_alloc: a large chunk is about to be overwritten whole, and zeroing it would cost as much again. */
    struct chunk *c = mem_resize(NULL, 1, sizeof(*c) + len);
    atomic_init(&c->refs, 1);
    c->len = (uint32_t)len;
    return c;
}

struct chunk *chunk_new(const void *bytes, size_t len)
{
    struct chunk *c = chunk_alloc(len);

    if (len)
        memcpy(c->data, bytes, len);
    return c;
}

struct chunk *chunk_ref(struct chunk *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void chunk_unref(struct chunk *c)
{
    if (c && atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) == 1)
        free(c);
}

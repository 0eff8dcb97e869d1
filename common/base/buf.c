/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void buf_release(struct buf *b)
{
    size_t max = b->max;

    free(b->data);
    *b = (struct buf){.max = max};
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data)
        b->data[0] = '\0';
}

char *buf_take(struct buf *b)
{
    char *text = b->data ? b->data : mem_strdup("");

    b->data = NULL;
    buf_release(b);
    return text;
}

const char *buf_text(const struct buf *b)
{
    return b->data ? b->data : "";
}

bool buf_reserve(struct buf *b, size_t more)
{
    if (b->failed || more > SIZE_MAX / 4 || (b->max && (b->len > b->max || more > b->max - b->len))) {
        b->failed = true;
        return false;
    }
    size_t need = b->len + more + 1;
    if (need <= b->cap)
        return true;
    size_t cap = b->cap ? b->cap : 64;
    while (cap < need)
        cap *= 2;
    b->data = mem_resize(b->data, cap, 1);
    b->data[b->len] = '\0';
    b->cap = cap;
    return true;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
    if (!buf_reserve(b, len))
        return;
    if (len)
        memcpy(b->data + b->len, bytes, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_adds(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_addc(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n >= 0 && buf_reserve(b, (size_t)n)) {
        vsnprintf(b->data + b->len, (size_t)n + 1, format, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

void buf_addu(struct buf *b, uint64_t number)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    buf_add(b, digits + at, sizeof(digits) - at);
}

/* ---- shared bytes ---- */

struct chunk *chunk_alloc(size_t len)
{
    assert(len <= UINT32_MAX);
    /* Not mem_alloc: the caller is about to overwrite the whole chunk, and zeroing it would cost as much again. */
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

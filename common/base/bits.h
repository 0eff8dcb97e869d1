/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets of small numbers as arrays of 64-bit words, sized by the caller: number i needs BITS_WORDS(i + 1) words. */
#ifndef COMMON_BASE_BITS_H
#define COMMON_BASE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

#define BITS_WORDS(count) (((count) + 63) / 64)

/* An empty set; the caller frees it with free(). */
static inline uint64_t *bits_new(size_t words)
{
    return mem_alloc((words ? words : 1) * sizeof(uint64_t));
}

static inline void bit_set(uint64_t *bits, uint32_t i)
{
    bits[i / 64] |= UINT64_C(1) << i % 64;
}

static inline void bit_clear(uint64_t *bits, uint32_t i)
{
    bits[i / 64] &= ~(UINT64_C(1) << i % 64);
}

static inline bool bit_has(const uint64_t *bits, uint32_t i)
{
    return bits[i / 64] >> i % 64 & 1;
}

static inline void bits_or(uint64_t *to, const uint64_t *from, size_t words)
{
    for (size_t i = 0; i < words; i++)
        to[i] |= from[i];
}

static inline bool bits_meet(const uint64_t *a, const uint64_t *b, size_t words)
{
    for (size_t i = 0; i < words; i++)
        if (a[i] & b[i])
            return true;
    return false;
}

/* The first member that is at least i; words * 64 if there is none. */
static inline uint32_t bits_next(const uint64_t *bits, size_t words, uint32_t i)
{
    size_t w = i / 64;

    if (w >= words)
        return (uint32_t)(words * 64);
    uint64_t x = bits[w] & ~UINT64_C(0) << i % 64;
    while (!x && ++w < words)
        x = bits[w];
    return x ? (uint32_t)(w * 64 + (size_t)__builtin_ctzll(x)) : (uint32_t)(words * 64);
}

/* Iterates over the members in ascending order. */
#define for_bits(i, bits, words)                                                                                       \
    for (uint32_t i = bits_next((bits), (words), 0); (i) < (words)*64;                                                 \
         (i) = bits_next((bits), (words), (i) + 1)) /* NOLINT(bugprone-macro-parentheses) */

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Helpers for arrays and for structures embedded in others. */
#ifndef COMMON_BASE_ARRAY_H
#define COMMON_BASE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

/* The number of items of an array (not of a pointer). */
#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* The structure of the given type that contains pointer as the given member. */
#define CONTAINER_OF(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* compare(key, item) is negative, zero or positive as key sorts before, equal to or after the item. */
typedef int array_compare(const void *key, const void *item);

/* Binary search in a sorted array of count items of size bytes: returns the index at which key is found or would be
 * inserted (after all smaller items). *found (may be NULL) reports whether it is present. */
static inline size_t array_search(const void *key, const void *items, size_t count, size_t size, array_compare *compare,
                                  bool *found)
{
    size_t low = 0, high = count;
    bool there = false;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(key, (const char *)items + middle * size);
        there = there || order == 0;
        if (order > 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (found)
        *found = there;
    return low;
}

#endif

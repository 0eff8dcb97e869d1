/* SPDX-License-Identifier: BSD-3-Clause */
/* Growable typed arrays: struct { T *items; size_t len, cap; }. A zeroed one is empty. */
#ifndef COMMON_BASE_VEC_H
#define COMMON_BASE_VEC_H

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define VEC(T)                                                                                                         \
    struct {                                                                                                           \
        T *items;                                                                                                      \
        size_t len, cap;                                                                                               \
    }

/* Appends an item and returns its address; the item is not zeroed. */
#define vec_add(v)                                                                                                     \
    (((v)->len == (v)->cap ? (void)((v)->cap = (v)->cap ? (v)->cap * 2 : 8,                                            \
                                    (v)->items = mem_resize((v)->items, (v)->cap, sizeof(*(v)->items)))                \
                           : (void)0),                                                                                 \
     &(v)->items[(v)->len++])
#define vec_push(v, value) (*vec_add(v) = (value))
/* Inserts an item at index i, before the one that is there, and returns its address. */
#define vec_insert(v, i)                                                                                               \
    ((void)vec_add(v), memmove(&(v)->items[(i) + 1], &(v)->items[i], ((v)->len - 1 - (i)) * sizeof(*(v)->items)),      \
     &(v)->items[i])
#define vec_release(v) (free((v)->items), (v)->items = NULL, (v)->len = (v)->cap = 0)
/* Removes one item and keeps the order of the rest. */
#define vec_remove(v, i)                                                                                               \
    (memmove(&(v)->items[i], &(v)->items[(i) + 1], ((v)->len - (i)-1) * sizeof(*(v)->items)), (v)->len--)

#endif

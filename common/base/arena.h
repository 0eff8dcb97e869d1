/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory with a single lifetime: a parse, a request, a compilation. Everything is freed at once. A ceiling bounds what
 * untrusted input can use; past it, allocations return NULL and the arena is marked as failed. */
#ifndef COMMON_BASE_ARENA_H
#define COMMON_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks;
    size_t used, max; /* bytes handed out; 0: no ceiling */
    bool failed;
};

#define ARENA_INIT(ceiling)                                                                                            \
    {                                                                                                                  \
        .max = (ceiling)                                                                                               \
    }

void arena_release(struct arena *a);
void *arena_alloc(struct arena *a, size_t size); /* zeroed, aligned for any type; NULL past the ceiling */
char *arena_strndup(struct arena *a, const char *text, size_t len);
char *arena_strdup(struct arena *a, const char *text);

#endif

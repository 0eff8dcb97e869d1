/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define BLOCK_SIZE 16384
#define ALIGN      16

struct arena_block {
    struct arena_block *next;
    size_t at, size;
    _Alignas(ALIGN) char bytes[];
};

void arena_release(struct arena *a)
{
    for (struct arena_block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    *a = (struct arena){.max = a->max};
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (a->failed || size > (size_t)1 << 40 || (a->max && (a->used > a->max || size > a->max - a->used))) {
        a->failed = true;
        return NULL;
    }
    size_t need = (size + ALIGN - 1) / ALIGN * ALIGN;
    struct arena_block *b = a->blocks;
    if (!b || b->size - b->at < need) {
        size_t room = need > BLOCK_SIZE / 4 ? need : BLOCK_SIZE;
        struct arena_block *fresh = mem_alloc(sizeof(*fresh) + room);
        fresh->size = room;
        /* A block made for one large allocation goes behind the current one, the rest of which stays in use. */
        if (b && room == need) {
            fresh->next = b->next;
            b->next = fresh;
        } else {
            fresh->next = b;
            a->blocks = fresh;
        }
        b = fresh;
    }
    void *piece = b->bytes + b->at;
    b->at += need;
    a->used += need;
    return piece;
}

char *arena_strndup(struct arena *a, const char *text, size_t len)
{
    char *copy = arena_alloc(a, len + 1);

    if (copy && len)
        memcpy(copy, text, len);
    return copy;
}

char *arena_strdup(struct arena *a, const char *text)
{
    return arena_strndup(a, text, strlen(text));
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* A hash map from bytes to pointers. Keys are copied; values remain the caller's. The hash is keyed with random bytes
 * per process, so that whoever chooses the keys cannot cause collisions. */
#ifndef COMMON_BASE_MAP_H
#define COMMON_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_entry {
    struct map_entry *next;
    void *value;
    uint64_t hash;
    size_t len;
    char key[]; /* len bytes and a NUL */
};

struct map {
    struct map_entry **buckets; /* NULL while empty */
    size_t bucket_count;        /* a power of two */
    size_t len;
};

/* SipHash-1-3 with this process's key. */
uint64_t map_hash(const void *bytes, size_t len);

void map_release(struct map *m); /* frees the entries, not the values; leaves an empty map */
void *map_get(const struct map *m, const void *key, size_t len);
bool map_has(const struct map *m, const void *key, size_t len);
void *map_put(struct map *m, const void *key, size_t len, void *value); /* returns the previous value, or NULL */
void *map_del(struct map *m, const void *key, size_t len);              /* returns the removed value, or NULL */

/* The same with a string or a number as the key. */
void *map_gets(const struct map *m, const char *key);
void *map_puts(struct map *m, const char *key, void *value);
void *map_dels(struct map *m, const char *key);
void *map_getu(const struct map *m, uint64_t key);
void *map_putu(struct map *m, uint64_t key, void *value);
void *map_delu(struct map *m, uint64_t key);

/* Iterates in no particular order: for (e = map_first(m); e; e = map_next(m, e)). The map must not change meanwhile. */
struct map_entry *map_first(const struct map *m);
struct map_entry *map_next(const struct map *m, const struct map_entry *e);

#endif

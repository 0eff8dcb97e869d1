/* SPDX-License-Identifier: BSD-3-Clause */
/* A hash map from bytes to pointers. Keys are copied; values stay the caller's. The hash is keyed at random for each
 * process, so that whoever chooses the keys cannot choose the collisions. */
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

void map_release(struct map *m); /* frees entries, not values; m is then an empty map */
void *map_get(const struct map *m, const void *key, size_t len);
bool map_has(const struct map *m, const void *key, size_t len);
void *map_put(struct map *m, const void *key, size_t len, void *value); /* returns the value that was there, or NULL */
void *map_del(struct map *m, const void *key, size_t len);              /* returns the value that was there, or NULL */

/* The same with a text or a number as key. */
void *map_gets(const struct map *m, const char *key);
void *map_puts(struct map *m, const char *key, void *value);
void *map_dels(struct map *m, const char *key);
void *map_getu(const struct map *m, uint64_t key);
void *map_putu(struct map *m, uint64_t key, void *value);
void *map_delu(struct map *m, uint64_t key);

/* Walks in no order: for (e = map_first(m); e; e = map_next(m, e)). The map may not be changed meanwhile. */
struct map_entry *map_first(const struct map *m);
struct map_entry *map_next(const struct map *m, const struct map_entry *e);

#endif

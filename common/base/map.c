/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/map.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"

static uint64_t seed[2];
static pthread_once_t seeded = PTHREAD_ONCE_INIT;

static void make_seed(void)
{
    random_bytes(seed, sizeof(seed));
}

static inline uint64_t rotate(uint64_t x, int by)
{
    return (x << by) | (x >> (64 - by));
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

uint64_t map_hash(const void *bytes, size_t len)
{
    const uint8_t *in = bytes;
    uint64_t word, last = (uint64_t)len << 56;

    pthread_once(&seeded, make_seed);
    uint64_t v[4] = {seed[0] ^ 0x736f6d6570736575ULL, seed[1] ^ 0x646f72616e646f6dULL, seed[0] ^ 0x6c7967656e657261ULL,
                     seed[1] ^ 0x7465646279746573ULL};
    size_t whole = len / 8 * 8;
    for (size_t i = 0; i < whole; i += 8) {
        memcpy(&word, in + i, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    for (size_t i = whole; i < len; i++)
        last |= (uint64_t)in[i] << (8 * (i - whole));
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void map_release(struct map *m)
{
    for (size_t i = 0; i < m->bucket_count; i++)
        for (struct map_entry *e = m->buckets[i], *next; e; e = next) {
            next = e->next;
            free(e);
        }
    free(m->buckets);
    *m = (struct map){0};
}

/* The address of the pointer to the entry, or of the place where it would be inserted. */
static struct map_entry **find(const struct map *m, uint64_t hash, const void *key, size_t len)
{
    struct map_entry **at = &m->buckets[hash & (m->bucket_count - 1)];

    while (*at && ((*at)->hash != hash || (*at)->len != len || memcmp((*at)->key, key, len) != 0))
        at = &(*at)->next;
    return at;
}

static struct map_entry *lookup(const struct map *m, const void *key, size_t len)
{
    return m->bucket_count ? *find(m, map_hash(key, len), key, len) : NULL;
}

void *map_get(const struct map *m, const void *key, size_t len)
{
    const struct map_entry *e = lookup(m, key, len);

    return e ? e->value : NULL;
}

bool map_has(const struct map *m, const void *key, size_t len)
{
    return lookup(m, key, len) != NULL;
}

static void grow(struct map *m)
{
    size_t count = m->bucket_count ? m->bucket_count * 2 : 16;
    struct map_entry **buckets = mem_alloc(count * sizeof(*buckets));

    for (size_t i = 0; i < m->bucket_count; i++)
        for (struct map_entry *e = m->buckets[i], *next; e; e = next) {
            next = e->next;
            e->next = buckets[e->hash & (count - 1)];
            buckets[e->hash & (count - 1)] = e;
        }
    free(m->buckets);
    m->buckets = buckets;
    m->bucket_count = count;
}

void *map_put(struct map *m, const void *key, size_t len, void *value)
{
    uint64_t hash = map_hash(key, len);

    if (m->len >= m->bucket_count)
        grow(m);
    struct map_entry **at = find(m, hash, key, len);
    if (*at) {
        void *old = (*at)->value;
        (*at)->value = value;
        return old;
    }
    struct map_entry *e = mem_alloc(sizeof(*e) + len + 1);
    e->hash = hash;
    e->len = len;
    e->value = value;
    if (len)
        memcpy(e->key, key, len);
    *at = e;
    m->len++;
    return NULL;
}

void *map_del(struct map *m, const void *key, size_t len)
{
    if (!m->bucket_count)
        return NULL;
    struct map_entry **at = find(m, map_hash(key, len), key, len), *e = *at;
    if (!e)
        return NULL;
    void *value = e->value;
    *at = e->next;
    free(e);
    m->len--;
    return value;
}

void *map_gets(const struct map *m, const char *key)
{
    return map_get(m, key, strlen(key));
}

void *map_puts(struct map *m, const char *key, void *value)
{
    return map_put(m, key, strlen(key), value);
}

void *map_dels(struct map *m, const char *key)
{
    return map_del(m, key, strlen(key));
}

void *map_getu(const struct map *m, uint64_t key)
{
    return map_get(m, &key, sizeof(key));
}

void *map_putu(struct map *m, uint64_t key, void *value)
{
    return map_put(m, &key, sizeof(key), value);
}

void *map_delu(struct map *m, uint64_t key)
{
    return map_del(m, &key, sizeof(key));
}

static struct map_entry *from_bucket(const struct map *m, size_t i)
{
    for (; i < m->bucket_count; i++)
        if (m->buckets[i])
            return m->buckets[i];
    return NULL;
}

struct map_entry *map_first(const struct map *m)
{
    return from_bucket(m, 0);
}

struct map_entry *map_next(const struct map *m, const struct map_entry *e)
{
    return e->next ? e->next : from_bucket(m, (e->hash & (m->bucket_count - 1)) + 1);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Computes which classes see each other, for all classes of a new view at once. Each unit lets one set of classes reach
 * another; equal sets are merged first, and the smaller side of each pair is iterated over, so that thousands of rules
 * over thousands of classes cost little more than the bits that they set. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/view/view.h"

/* ---- from the units of each class to the classes of each unit ---- */

/* Transposes a matrix of 64 by 64 bits. */
static void transpose64(uint64_t m[64])
{
    uint64_t mask = UINT64_C(0x00000000ffffffff);

    for (unsigned width = 32; width; width >>= 1, mask ^= mask << width)
        for (unsigned i = 0; i < 64; i = (i + width + 1) & ~width) {
            uint64_t t = ((m[i] >> width) ^ m[i + width]) & mask;
            m[i] ^= t << width;
            m[i + width] ^= t;
        }
}

/* Indexes by unit a set of each of 64 classes, which begins offset words into the class's sets. */
static void index_block(struct policy_view *v, size_t block, size_t offset, uint64_t **by_unit)
{
    size_t units = v->p->units.len;

    for (size_t w = 0; w < v->unit_words; w++) {
        uint64_t m[64] = {0}, any = 0;
        for (size_t i = 0; i < 64 && block * 64 + i < v->classes.len; i++) {
            const struct vclass *c = &v->classes.items[block * 64 + i];
            m[i] = c->serial ? c->src[offset + w] : 0;
            any |= m[i];
        }
        if (!any)
            continue;
        transpose64(m);
        for (size_t k = 0; k < 64 && w * 64 + k < units; k++)
            by_unit[w * 64 + k][block] = m[k];
    }
}

static void index_all(struct policy_view *v)
{
    for (size_t u = 0; u < v->p->units.len; u++) {
        v->unit_src[u] = bits_new(v->class_words);
        v->unit_dst[u] = bits_new(v->class_words);
        v->unit_recv[u] = bits_new(v->class_words);
    }
    for (size_t block = 0; block * 64 < v->classes.len; block++) {
        const struct vclass *c = &v->classes.items[block * 64];
        index_block(v, block, 0, v->unit_src);
        index_block(v, block, (size_t)(c->dst - c->src), v->unit_dst);
        index_block(v, block, (size_t)(c->recv - c->src), v->unit_recv);
    }
}

/* ---- who reaches whom ---- */

struct row_pair { /* classes that reach classes; the pair owns both sets */
    uint64_t *from, *to;
};
struct row_pairs {
    struct row_pair *items;
    size_t len, cap;
};

/* A copy of a, intersected with b unless that is NULL. */
static uint64_t *set_of(const uint64_t *a, const uint64_t *b, size_t words)
{
    uint64_t *set = mem_dup(a, words * sizeof(*a));

    for (size_t i = 0; b && i < words; i++)
        set[i] &= b[i];
    return set;
}

/* Merges a pair into an earlier one that has the same set on one side, by extending its other set. Takes ownership of
 * both sets. */
static void merge(struct row_pairs *pairs, struct map *known, struct row_pair pair, size_t words, bool by_from)
{
    uint64_t *same = by_from ? pair.from : pair.to, *other = by_from ? pair.to : pair.from;
    uintptr_t at = (uintptr_t)map_get(known, same, words * sizeof(*same));

    if (at) {
        struct row_pair *old = &pairs->items[at - 1];
        bits_or(by_from ? old->to : old->from, other, words);
        free(same);
        free(other);
        return;
    }
    vec_push(pairs, pair);
    (void)map_put(known, same, words * sizeof(*same), (void *)(uintptr_t)pairs->len);
}

static void add_pair(const struct policy_view *v, struct row_pairs *pairs, struct map *known, const uint64_t *from,
                     const uint64_t *from_too, const uint64_t *to, const uint64_t *to_too)
{
    size_t words = v->class_words;
    struct row_pair pair = {set_of(from, from_too, words), set_of(to, to_too, words)};

    if (bits_next(pair.from, words, 0) < words * 64 && bits_next(pair.to, words, 0) < words * 64) {
        merge(pairs, known, pair, words, true);
        return;
    }
    free(pair.from);
    free(pair.to);
}

/* A unit with via only counts if one of the two is a router for it. */
static struct row_pairs pairs_by_source(const struct policy_view *v)
{
    struct row_pairs pairs = {0};
    struct map known = {0};

    for (uint32_t u = 0; u < v->p->units.len; u++) {
        const uint64_t *src = v->unit_src[u], *dst = v->unit_dst[u], *recv = v->unit_recv[u];
        if (bit_has(v->plain_units, u)) {
            add_pair(v, &pairs, &known, src, NULL, dst, NULL);
        } else {
            add_pair(v, &pairs, &known, src, recv, dst, NULL);
            add_pair(v, &pairs, &known, src, NULL, dst, recv);
        }
    }
    map_release(&known);
    return pairs;
}

static struct row_pairs pairs_by_destination(const struct policy_view *v, struct row_pairs *all)
{
    struct row_pairs pairs = {0};
    struct map known = {0};

    for (size_t i = 0; i < all->len; i++)
        merge(&pairs, &known, all->items[i], v->class_words, false);
    map_release(&known);
    vec_release(all);
    return pairs;
}

static size_t size_of(const uint64_t *set, size_t words)
{
    size_t count = 0;

    for (size_t i = 0; i < words; i++)
        count += (size_t)__builtin_popcountll(set[i]);
    return count;
}

/* Returns false if this would exceed the budget of the view. */
static bool reach(struct policy_view *v, const struct row_pair *pair)
{
    size_t words = v->class_words, from = size_of(pair->from, words), to = size_of(pair->to, words);
    const uint64_t *few = from < to ? pair->from : pair->to, *many = from < to ? pair->to : pair->from;

    if (!view_spend(v, (from < to ? from : to) * words))
        return false;
    for_bits(id, few, words) bits_or(v->classes.items[id].row, many, words);
    return true;
}

/* Whoever reaches a node is seen by it. */
static void make_symmetric(struct policy_view *v)
{
    size_t blocks = (v->classes.len + 63) / 64;

    for (size_t a = 0; a < blocks; a++)
        for (size_t b = 0; b <= a; b++) {
            uint64_t x[64] = {0}, y[64] = {0}, xt[64], yt[64];
            for (size_t i = 0; i < 64; i++) {
                if (a * 64 + i < v->classes.len)
                    x[i] = v->classes.items[a * 64 + i].row[b];
                if (b * 64 + i < v->classes.len)
                    y[i] = v->classes.items[b * 64 + i].row[a];
            }
            memcpy(xt, x, sizeof(x));
            memcpy(yt, y, sizeof(y));
            transpose64(xt);
            transpose64(yt);
            for (size_t i = 0; i < 64; i++) {
                if (a * 64 + i < v->classes.len)
                    v->classes.items[a * 64 + i].row[b] |= yt[i];
                if (b * 64 + i < v->classes.len)
                    v->classes.items[b * 64 + i].row[a] |= xt[i];
            }
        }
}

/* Devices of one user of which one is a source of an autogroup:self unit. */
static bool reach_own(struct policy_view *v, const struct id_list *own)
{
    size_t words = v->class_words;
    uint64_t *all = bits_new(words), *sources = bits_new(words);
    bool room = view_spend(v, own->len * words);

    for (size_t i = 0; i < own->len; i++) {
        bit_set(all, own->items[i]);
        if (v->classes.items[own->items[i]].has_self)
            bit_set(sources, own->items[i]);
    }
    for (size_t i = 0; room && i < own->len; i++) {
        struct vclass *c = &v->classes.items[own->items[i]];
        bits_or(c->row, c->has_self ? all : sources, words);
    }
    free(all);
    free(sources);
    return room;
}

void class_rows(struct policy_view *v)
{
    size_t words = BITS_WORDS(v->classes.len);
    bool room = true;

    /* Memory: a row per class, three sets per unit and, until the end, two sets per pair. */
    if (!view_spend(v, WORD_COST * words * (v->classes.len + 5 * v->p->units.len)))
        return;
    v->class_words = words;
    for (size_t i = 0; i < v->classes.len; i++)
        v->classes.items[i].row = bits_new(words);
    index_all(v);
    struct row_pairs pairs = pairs_by_source(v);
    pairs = pairs_by_destination(v, &pairs);
    for (size_t i = 0; i < pairs.len; i++) {
        room = room && reach(v, &pairs.items[i]);
        free(pairs.items[i].from);
        free(pairs.items[i].to);
    }
    vec_release(&pairs);
    for (size_t i = 0; room && i < v->user_count; i++)
        room = reach_own(v, &v->users[i].classes);
    if (room)
        make_symmetric(v);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/prefixes.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"

void prefixes_release(struct prefixes *s)
{
    free(s->items);
    *s = (struct prefixes){0};
}

void prefixes_copy(struct prefixes *to, const struct prefixes *from)
{
    prefixes_release(to);
    if (!from->len)
        return;
    to->items = mem_dup(from->items, from->len * sizeof(*from->items));
    to->len = to->cap = from->len;
}

static int compare(const void *key, const void *item)
{
    return prefix_cmp(key, item);
}

/* The index of p, or the one at which it belongs. */
static size_t position(const struct prefixes *s, const struct prefix *p, bool *there)
{
    return array_search(p, s->items, s->len, sizeof(*s->items), compare, there);
}

bool prefixes_has(const struct prefixes *s, const struct prefix *p)
{
    bool there;

    position(s, p, &there);
    return there;
}

bool prefixes_add(struct prefixes *s, const struct prefix *p)
{
    bool there;
    size_t at = position(s, p, &there);

    if (there)
        return false;
    if (s->len == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 4;
        s->items = mem_resize(s->items, s->cap, sizeof(*s->items));
    }
    memmove(&s->items[at + 1], &s->items[at], (s->len - at) * sizeof(*s->items));
    s->items[at] = *p;
    s->len++;
    return true;
}

bool prefixes_del(struct prefixes *s, const struct prefix *p)
{
    bool there;
    size_t at = position(s, p, &there);

    if (!there)
        return false;
    s->len--;
    memmove(&s->items[at], &s->items[at + 1], (s->len - at) * sizeof(*s->items));
    return true;
}

bool prefixes_eq(const struct prefixes *a, const struct prefixes *b)
{
    if (a->len != b->len)
        return false;
    for (size_t i = 0; i < a->len; i++)
        if (prefix_cmp(&a->items[i], &b->items[i]) != 0)
            return false;
    return true;
}

void prefixes_and(struct prefixes *out, const struct prefixes *a, const struct prefixes *b)
{
    prefixes_release(out);
    for (size_t i = 0, k = 0; i < a->len && k < b->len;) {
        int order = prefix_cmp(&a->items[i], &b->items[k]);
        if (order == 0)
            prefixes_add(out, &a->items[i]);
        i += order <= 0;
        k += order >= 0;
    }
}

static const struct prefix exits[2] = {{.addr = {.bits = 32}}, {.addr = {.bits = 128}}};

bool prefixes_has_exit(const struct prefixes *s)
{
    return prefixes_has(s, &exits[0]) || prefixes_has(s, &exits[1]);
}

void prefixes_pair_exit(struct prefixes *s)
{
    if (!prefixes_has_exit(s))
        return;
    prefixes_add(s, &exits[0]);
    prefixes_add(s, &exits[1]);
}

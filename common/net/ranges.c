/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/ranges.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/vec.h"

const char *const tailnet_range_text[TAILNET_RANGES] = {"100.64.0.0-100.115.91.255", "100.115.94.0-100.127.255.255",
                                                        "fd7a:115c:a1e0::/48"};
const char *const internet_range_text[INTERNET_RANGES] = {"0.0.0.0-9.255.255.255",
                                                          "11.0.0.0-100.63.255.255",
                                                          "100.128.0.0-169.253.255.255",
                                                          "169.255.0.0-172.15.255.255",
                                                          "172.32.0.0-192.167.255.255",
                                                          "192.169.0.0-255.255.255.255",
                                                          "2000::-3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};

void ranges_release(struct addr_ranges *s)
{
    vec_release(s);
}

void ranges_push(struct addr_ranges *s, const struct addr_range *r)
{
    vec_push(s, *r);
}

struct addr_range range_of(const struct prefix *p)
{
    struct addr_range r = {p->addr, p->addr};

    for (unsigned i = 0; i < p->addr.bits / 8U; i++) {
        unsigned kept = p->bits > i * 8 ? p->bits - i * 8 : 0;
        r.last.bytes[i] |= (uint8_t)(kept >= 8 ? 0 : 0xffU >> kept);
    }
    return r;
}

void ranges_push_prefix(struct addr_ranges *s, const struct prefix *p)
{
    struct addr_range r = range_of(p);
    vec_push(s, r);
}

void ranges_push_addr(struct addr_ranges *s, const struct addr *a)
{
    struct addr_range r = {*a, *a};

    if (a->bits)
        vec_push(s, r);
}

static int by_first(const void *a, const void *b)
{
    const struct addr_range *x = a, *y = b;
    int order = addr_cmp(&x->first, &y->first);

    return order ? order : addr_cmp(&x->last, &y->last);
}

void ranges_normalise(struct addr_ranges *s)
{
    size_t kept = 0;

    if (s->len < 2)
        return;
    qsort(s->items, s->len, sizeof(*s->items), by_first);
    for (size_t i = 1; i < s->len; i++) {
        struct addr_range *last = &s->items[kept], *r = &s->items[i];
        struct addr after = last->last;
        bool more = addr_next(&after);

        if (r->first.bits == last->first.bits && (!more || addr_cmp(&r->first, &after) <= 0)) {
            if (addr_cmp(&r->last, &last->last) > 0)
                last->last = r->last;
        } else {
            s->items[++kept] = *r;
        }
    }
    s->len = kept + 1;
}

bool range_has(const struct addr_range *r, const struct addr *a)
{
    return a->bits == r->first.bits && addr_cmp(&r->first, a) <= 0 && addr_cmp(a, &r->last) <= 0;
}

static bool range_overlap(const struct addr_range *a, const struct addr_range *b)
{
    return a->first.bits == b->first.bits && addr_cmp(&a->first, &b->last) <= 0 && addr_cmp(&b->first, &a->last) <= 0;
}

bool range_overlaps_prefix(const struct addr_range *r, const struct prefix *p)
{
    struct addr_range other = range_of(p);
    return range_overlap(r, &other);
}

static int compare_last(const void *key, const void *item)
{
    return addr_cmp(key, &((const struct addr_range *)item)->last);
}

/* The first range that does not end before a. */
static size_t find(const struct addr_ranges *s, const struct addr *a)
{
    return array_search(a, s->items, s->len, sizeof(*s->items), compare_last, NULL);
}

bool ranges_has(const struct addr_ranges *s, const struct addr *a)
{
    size_t i = find(s, a);
    return i < s->len && range_has(&s->items[i], a);
}

bool ranges_overlap(const struct addr_ranges *a, const struct addr_ranges *b)
{
    for (size_t i = 0; i < a->len; i++) {
        size_t j = find(b, &a->items[i].first);
        if (j < b->len && range_overlap(&b->items[j], &a->items[i]))
            return true;
    }
    return false;
}

bool ranges_covers(const struct addr_ranges *outer, const struct addr_ranges *inner)
{
    for (size_t i = 0; i < inner->len; i++) {
        size_t j = find(outer, &inner->items[i].first);
        if (j == outer->len || !range_has(&outer->items[j], &inner->items[i].first) ||
            !range_has(&outer->items[j], &inner->items[i].last))
            return false;
    }
    return true;
}

bool prefix_has_addr(const struct prefix *p, const struct addr *a)
{
    struct prefix one = {*a, a->bits};
    return a->bits && prefix_covers(p, &one);
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
    return prefix_covers(a, b) || prefix_covers(b, a);
}

bool ranges_push_text(struct addr_ranges *s, const char *text)
{
    static const struct prefix all[2] = {{{.bits = 32}, 0}, {{.bits = 128}, 0}};
    const char *dash = strchr(text, '-');
    struct prefix p;

    if (strcmp(text, "*") == 0) {
        ranges_push_prefix(s, &all[0]);
        ranges_push_prefix(s, &all[1]);
        return true;
    }
    if (!dash) {
        if (prefix_parse(text, &p, NULL, NULL) < 0)
            return false;
        ranges_push_prefix(s, &p);
        return true;
    }
    struct addr_range r;
    char first[PREFIX_TEXT_MAX];

    if ((size_t)(dash - text) >= sizeof(first))
        return false;
    memcpy(first, text, (size_t)(dash - text));
    first[dash - text] = '\0';
    if (addr_parse(first, &r.first, NULL) < 0 || addr_parse(dash + 1, &r.last, NULL) < 0 ||
        r.first.bits != r.last.bits || addr_cmp(&r.first, &r.last) > 0)
        return false;
    ranges_push(s, &r);
    return true;
}

static void read_texts(const char *const *texts, size_t count, struct addr_range *out)
{
    struct addr_ranges s = {0};

    for (size_t i = 0; i < count; i++)
        if (ranges_push_text(&s, texts[i]))
            out[i] = s.items[s.len - 1];
    ranges_release(&s);
}

void ranges_tailnet(struct addr_range out[TAILNET_RANGES])
{
    read_texts(tailnet_range_text, TAILNET_RANGES, out);
}

void ranges_internet(struct addr_range out[INTERNET_RANGES])
{
    read_texts(internet_range_text, INTERNET_RANGES, out);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses of nodes: one per family, from the configured prefixes, never one that is in use, reserved or recently
 * freed. */
#include "core/state/addresses.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/random.h"
#include "core/state/state.h"

#define QUARANTINE_MS 600000 /* other nodes may still have a freed address in their maps */
#define TRIES_MAX     (1 << 22)

/* Ranges that clients treat specially: ChromeOS's containers, the MagicDNS resolvers. */
static const char *const reserved[] = {"100.115.92.0/23", "100.100.100.100/32", "fd7a:115c:a1e0::53/128"};

static bool is_reserved(const struct addr *a)
{
    struct prefix self = {.addr = *a, .bits = a->bits}, p;

    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (prefix_parse(reserved[i], &p, NULL, NULL) == 0 && prefix_covers(&p, &self))
            return true;
    return false;
}

static size_t bytes_of(const struct addr *a)
{
    return a->bits / 8;
}

static bool inside(const struct prefix *range, const struct addr *a)
{
    struct prefix self = {.addr = *a, .bits = a->bits};

    return prefix_covers(range, &self);
}

/* The first and last address of a range are not assigned. */
static bool is_edge(const struct prefix *range, const struct addr *a)
{
    bool zeros = true, ones = true;

    for (unsigned bit = range->bits; bit < a->bits; bit++) {
        bool set = a->bytes[bit / 8] >> (7 - bit % 8) & 1;
        zeros = zeros && !set;
        ones = ones && set;
    }
    return zeros || ones;
}

static void step(const struct prefix *range, struct addr *a)
{
    for (size_t i = bytes_of(a); i-- > 0;)
        if (++a->bytes[i])
            break;
    if (!inside(range, a))
        *a = range->addr;
}

static void random_start(const struct prefix *range, struct addr *a)
{
    *a = range->addr;
    for (unsigned bit = range->bits; bit < a->bits; bit++)
        if (random_below(2))
            a->bytes[bit / 8] |= (uint8_t)(1 << (7 - bit % 8));
}

static bool in_quarantine(struct core_state *s, const struct addr *a, int64_t now)
{
    intptr_t until = (intptr_t)map_get(&s->quarantine, a, sizeof(*a));

    if (until && until <= now)
        map_del(&s->quarantine, a, sizeof(*a));
    return until > now;
}

static bool search(struct core_state *s, struct address_pool *a, struct addr *at, bool even_quarantined)
{
    struct addr start = *at;
    int64_t now = clock_mono_ms();

    for (int tries = 0; tries < TRIES_MAX; tries++) {
        if (!is_edge(&a->range, at) && !is_reserved(at) && !map_has(&s->by_address, at, sizeof(*at)) &&
            (even_quarantined || !in_quarantine(s, at, now)))
            return true;
        step(&a->range, at);
        if (addr_eq(at, &start))
            return false;
    }
    return false;
}

int address_allocate(struct core_state *s, struct address_pool *a, struct addr *out, struct err *e)
{
    char text[PREFIX_TEXT_MAX];

    *out = (struct addr){0};
    if (!a->range.addr.bits)
        return 0;
    if (s->config->prefixes.allocation == ALLOCATE_RANDOM)
        random_start(&a->range, &a->next);
    if (!search(s, a, &a->next, false) && !search(s, a, &a->next, true))
        return err_set(e, ERR_UNAVAILABLE, "no free address is left in %s", prefix_format(&a->range, text));
    *out = a->next;
    step(&a->range, &a->next);
    return 0;
}

void address_free(struct core_state *s, const struct addr *a, int64_t age_ns)
{
    int64_t left_ms = QUARANTINE_MS - (age_ns > 0 ? age_ns / 1000000 : 0); /* the clock may have been set back */

    if (a->bits && left_ms > 0)
        map_put(&s->quarantine, a, sizeof(*a), (void *)(intptr_t)(clock_mono_ms() + left_ms));
}

void address_set_ranges(struct core_state *s)
{
    s->v4.range = s->config->prefixes.v4;
    s->v6.range = s->config->prefixes.v6;
    s->v4.next = s->v4.range.addr;
    s->v6.next = s->v6.range.addr;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/pulse/fleet.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#define RELAYS_SHOWN   6
#define VERSIONS_SHOWN 3
#define OLD_NAMED      4
#define OLD_MINORS     4 /* stable releases have even minor numbers: two of them */
#define MINORS_MAX     100000

/* ---- relays ---- */

struct relay_use {
    const char *name;
    size_t nodes;
};

static int most_used(const void *a, const void *b)
{
    const struct relay_use *p = a, *q = b;

    return p->nodes != q->nodes ? (p->nodes < q->nodes) - (p->nodes > q->nodes) : strcmp(p->name, q->name);
}

static void put_relays(struct relay_use *all, size_t count, size_t without, struct buf *out)
{
    size_t more = 0;

    if (count > 1)
        qsort(all, count, sizeof(*all), most_used);
    for (size_t i = 0; i < count; i++)
        if (i < RELAYS_SHOWN)
            buf_addf(out, "%s%s %zu", i ? ", " : "", all[i].name, all[i].nodes);
        else
            more += all[i].nodes;
    if (more)
        buf_addf(out, ", %zu others %zu", count - RELAYS_SHOWN, more);
    if (without)
        buf_addf(out, "%s%zu without a home relay", count ? "; " : "", without);
    if (!count && !without)
        buf_adds(out, "no node is online");
}

void fleet_relays(const struct model *m, struct buf *out)
{
    const struct row_table *t = model_table(m, ROW_NODE);
    VEC(struct relay_use) all = {0};
    struct map index = {0}; /* name -> place in all, from 1 */
    size_t without = 0;

    for (size_t i = 0; i < t->rows.len; i++) {
        const struct m_node *n = (const struct m_node *)t->rows.items[i];

        if (n->row.gone_ms || !n->api.online)
            continue;
        if (!*n->api.relay_name) {
            without++;
            continue;
        }
        size_t at = (size_t)(uintptr_t)map_gets(&index, n->api.relay_name);
        if (!at) {
            vec_push(&all, ((struct relay_use){.name = n->api.relay_name}));
            at = all.len;
            map_puts(&index, n->api.relay_name, (void *)(uintptr_t)at);
        }
        all.items[at - 1].nodes++;
    }
    put_relays(all.items, all.len, without, out);
    map_release(&index);
    vec_release(&all);
}

/* ---- versions ---- */

struct version_use {
    const struct m_node *node;
    unsigned long major, minor;
};

/* "1.82.0-t5a8b"; false: it is no version. */
static bool read_version(const char *text, struct version_use *out)
{
    char *end;

    out->major = strtoul(text, &end, 10);
    if (end == text || *end != '.')
        return false;
    text = end + 1;
    out->minor = strtoul(text, &end, 10);
    return end != text && out->major < MINORS_MAX && out->minor < MINORS_MAX;
}

static int newest_first(const void *a, const void *b)
{
    const struct version_use *p = a, *q = b;

    if (p->major != q->major)
        return p->major < q->major ? 1 : -1;
    if (p->minor != q->minor)
        return p->minor < q->minor ? 1 : -1;
    return strverscmp(p->node->api.given_name, q->node->api.given_name);
}

static bool is_old(const struct version_use *v, const struct version_use *newest)
{
    return v->major < newest->major || v->minor + OLD_MINORS <= newest->minor;
}

static void name_old(const struct version_use *old, size_t count, struct buf *out)
{
    buf_addf(out, "; old: %zu: ", count);
    for (size_t i = count, named = 0; i-- > 0 && named < OLD_NAMED; named++) /* the oldest first */
        buf_addf(out, "%s%s %lu.%lu", named ? ", " : "", old[i].node->api.given_name, old[i].major, old[i].minor);
    if (count > OLD_NAMED)
        buf_addf(out, " and %zu more", count - OLD_NAMED);
}

static size_t put_versions(const struct version_use *all, size_t count, struct buf *out)
{
    size_t shown = 0, at = 0, more = 0;

    while (at < count && !is_old(&all[at], &all[0])) {
        size_t same = 1;

        while (at + same < count && all[at + same].minor == all[at].minor && all[at + same].major == all[at].major)
            same++;
        if (shown++ < VERSIONS_SHOWN)
            buf_addf(out, "%s%lu.%lu %zu", at ? ", " : "", all[at].major, all[at].minor, same);
        else
            more += same;
        at += same;
    }
    if (more)
        buf_addf(out, ", others %zu", more);
    if (at < count)
        name_old(all + at, count - at, out);
    return count - at;
}

size_t fleet_versions(const struct model *m, struct buf *out)
{
    const struct row_table *t = model_table(m, ROW_NODE);
    VEC(struct version_use) all = {0};
    size_t unknown = 0;

    for (size_t i = 0; i < t->rows.len; i++) {
        struct version_use v = {.node = (const struct m_node *)t->rows.items[i]};

        if (v.node->row.gone_ms)
            continue;
        if (read_version(v.node->api.client_version, &v))
            vec_push(&all, v);
        else
            unknown++;
    }
    if (all.len > 1)
        qsort(all.items, all.len, sizeof(*all.items), newest_first);
    size_t old = put_versions(all.items, all.len, out);
    if (unknown)
        buf_addf(out, "%s%zu not known", all.len ? "; " : "", unknown);
    vec_release(&all);
    return old;
}

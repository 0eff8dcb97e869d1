/* SPDX-License-Identifier: BSD-3-Clause */
/* The packet filter in the form that clients receive: named parts, one or a few per source list, so that a node that
 * joins or leaves changes one small part of each list that contains it. Lists of up to 64 nodes are one part; longer
 * ones are divided by slots, which a node never changes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/view/filter_rules.h"

#define BLOCK_WHOLE  UINT32_MAX       /* the whole list is one part */
#define BLOCK_STATIC (UINT32_MAX - 1) /* the sources other than nodes of a divided list */

struct filter_part_key {
    bool self;
    uint32_t id, block, blocks; /* a list and its blocks of slots, or an autogroup:self unit and 64 devices */
};

struct filter_part_sink {
    void (*fn)(struct filter_part_sink *sink, const struct policy_part *part, const struct filter_part_key *key);
};

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t x = (a ^ b) * UINT64_C(0x9e3779b97f4a7c15) + b;

    x ^= x >> 29;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    return x ^ x >> 32;
}

/* Halves a run of blocks (their number is a power of two) until each part holds at most 64 nodes. The division depends
 * on the number of nodes on either side, so a node that joins or leaves only changes it when a part overflows. */
static void split_parts(const struct vlist *l, uint32_t list, uint32_t first, uint32_t blocks, uint64_t base,
                        struct filter_part_sink *sink)
{
    struct policy_part part;
    uint64_t newest = 0;
    size_t nodes = 0;

    for (uint32_t b = first; b < first + blocks; b++) {
        nodes += (size_t)__builtin_popcountll(l->members[b]);
        newest = l->block_versions[b] > newest ? l->block_versions[b] : newest;
    }
    if (!nodes)
        return;
    if (nodes > 64 && blocks > 1) {
        split_parts(l, list, first, blocks / 2, base, sink);
        split_parts(l, list, first + blocks / 2, blocks / 2, base, sink);
        return;
    }
    snprintf(part.name, sizeof(part.name), "l%u.%u.%u", list, first, blocks);
    part.version = mix(base, newest);
    sink->fn(sink, &part, &(struct filter_part_key){.id = list, .block = first, .blocks = blocks});
}

static void list_parts(const struct policy_view *v, const struct vnode *n, uint32_t list, struct filter_part_sink *sink)
{
    const struct vlist *l = &v->lists[list];
    uint64_t base = mix(v->classes.items[n->class_id].serial, n->version);
    uint64_t fixed = mix(base, l->any ? v->any_version : 0);
    struct policy_part part;

    if (l->danger || l->count <= 64) {
        if (!l->count && !l->danger && !l->any && !l->literals.len)
            return;
        snprintf(part.name, sizeof(part.name), "l%u", list);
        part.version = mix(fixed, l->danger ? 0 : l->version);
        sink->fn(sink, &part, &(struct filter_part_key){.id = list, .block = BLOCK_WHOLE});
        return;
    }
    if (l->any || l->literals.len) {
        snprintf(part.name, sizeof(part.name), "l%u", list);
        part.version = mix(fixed, 1);
        sink->fn(sink, &part, &(struct filter_part_key){.id = list, .block = BLOCK_STATIC});
    }
    split_parts(l, list, 0, (uint32_t)(v->slots / 64), base, sink);
}

static void self_parts(const struct policy_view *v, const struct vnode *n, struct filter_part_sink *sink)
{
    struct policy_part part;

    for (size_t i = 0; !n->tagged && n->user != NONE && i < v->self_units.len; i++) {
        uint32_t unit = v->self_units.items[i];
        struct id_list slots = {0};

        self_sources(v, n, &v->p->units.items[unit], &slots);
        for (uint32_t run = 0; run < (slots.len + 63) / 64; run++) {
            snprintf(part.name, sizeof(part.name), "u%u.%u", unit, run);
            part.version = mix(mix(v->classes.items[n->class_id].serial, n->version), v->users[n->user].version);
            sink->fn(sink, &part, &(struct filter_part_key){.self = true, .id = unit, .block = run});
        }
        vec_release(&slots);
    }
}

static void each_part(const struct policy_view *v, const struct vnode *n, struct filter_part_sink *sink)
{
    const struct vclass *c = &v->classes.items[n->class_id];
    uint64_t *seen = bits_new(v->p->lists.len / 64 + 1);

    for_bits(u, c->filter, v->unit_words) bit_set(seen, v->p->units.items[u].sources);
    for_bits(list, seen, v->p->lists.len / 64 + 1) list_parts(v, n, list, sink);
    free(seen);
    self_parts(v, n, sink);
}

/* ---- writing one part ---- */

static void static_sources(const struct policy_view *v, const struct vlist *l, struct buf *out)
{
    char text[PREFIX_TEXT_MAX];

    for (size_t i = 0; i < l->literals.len; i++)
        if (v->p->principals.items[l->literals.items[i]].kind == PRINCIPAL_PREFIX)
            emit_text(out, v->p->principals.items[l->literals.items[i]].text);
    if (!l->any)
        return;
    for (size_t i = 0; i < TAILNET_RANGES; i++)
        emit_text(out, tailnet_range_text[i]);
    for (size_t i = 0; i < v->pool_count; i++)
        emit_text(out, prefix_format(&v->pools[i], text));
    for (size_t i = 0; i < v->subnets.len; i++)
        emit_text(out, prefix_format(&v->subnets.items[i], text));
}

static void part_sources(const struct policy_view *v, const struct vnode *n, const struct filter_part_key *key,
                         struct buf *out)
{
    const struct vlist *l = key->self ? NULL : &v->lists[key->id];
    struct id_list slots = {0};

    if (key->self) {
        self_sources(v, n, &v->p->units.items[key->id], &slots);
        for (size_t i = key->block * 64U; i < slots.len && i < (key->block + 1U) * 64; i++)
            emit_addresses(&v->nodes[slots.items[i]], out);
        vec_release(&slots);
        return;
    }
    if (l->danger) {
        emit_text(out, "*");
        return;
    }
    if (key->block >= BLOCK_STATIC)
        static_sources(v, l, out);
    if (key->block == BLOCK_STATIC)
        return;
    size_t first = key->block == BLOCK_WHOLE ? 0 : key->block;
    size_t last = key->block == BLOCK_WHOLE ? v->slots / 64 : first + key->blocks;
    for (size_t b = first; b < last; b++)
        for (uint64_t left = l->members[b]; left; left &= left - 1)
            emit_addresses(&v->nodes[b * 64 + (size_t)__builtin_ctzll(left)], out);
}

/* What the rules of one part open, by protocol; equal sources are listed once. */
struct part_rule {
    int proto;
    struct buf dst;
};
struct part_rules {
    struct part_rule *items;
    size_t len, cap;
};

static struct buf *opened_for(struct part_rules *all, int proto)
{
    for (size_t i = 0; i < all->len; i++)
        if (all->items[i].proto == proto)
            return &all->items[i].dst;
    struct part_rule *o = vec_add(all);
    *o = (struct part_rule){.proto = proto};
    return &o->dst;
}

static void open_unit(const struct policy_view *v, const struct vnode *n, const struct policy_unit *u,
                      struct part_rules *all, struct buf *grants)
{
    for (size_t i = 0; u->ip && i < u->rule->services.len; i++)
        emit_ports(v, n, u, &u->rule->services.items[i], opened_for(all, u->rule->services.items[i].proto));
    size_t before = grants->len;
    if (u->cap)
        emit_grants(v, n, u, grants);
    if (u->rule->connector && grants->len > before)
        emit_resolving(u, opened_for(all, PROTO_DEFAULT));
}

static void write_part(const struct policy_view *v, const struct vnode *n, const struct filter_part_key *key,
                       struct buf *out)
{
    const struct vclass *c = &v->classes.items[n->class_id];
    struct buf sources = BUF_INIT(0), grants = BUF_INIT(0);
    struct part_rules all = {0};

    part_sources(v, n, key, &sources);
    if (key->self)
        open_unit(v, n, &v->p->units.items[key->id], &all, &grants);
    else
        for_bits(u, c->filter, v->unit_words) if (v->p->units.items[u].sources == key->id)
            open_unit(v, n, &v->p->units.items[u], &all, &grants);
    buf_addc(out, '[');
    for (size_t i = 0; i < all.len; i++) {
        if (all.items[i].dst.len)
            emit_rule(out, buf_text(&sources), all.items[i].proto, buf_text(&all.items[i].dst), false);
        buf_release(&all.items[i].dst);
    }
    if (grants.len)
        emit_rule(out, buf_text(&sources), PROTO_DEFAULT, buf_text(&grants), true);
    buf_addc(out, ']');
    vec_release(&all);
    buf_release(&grants);
    buf_release(&sources);
}

/* ---- differences ---- */

struct filter_delta {
    struct filter_part_sink sink;
    const struct policy_view *v;
    const struct vnode *n;
    const struct policy_parts *sent;
    struct policy_parts *now;
    struct buf *out;
    size_t members;
};

static int by_name(const void *a, const void *b)
{
    const struct policy_part *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static const struct policy_part *part_find(const struct policy_parts *parts, const struct policy_part *like)
{
    return parts && parts->len ? bsearch(like, parts->items, parts->len, sizeof(*like), by_name) : NULL;
}

static void delta_part(struct filter_part_sink *sink, const struct policy_part *part, const struct filter_part_key *key)
{
    struct filter_delta *d = (struct filter_delta *)sink;
    const struct policy_part *old = part_find(d->sent, part);

    vec_push(d->now, *part);
    if (old && old->version == part->version)
        return;
    d->members++;
    if (!d->out)
        return;
    emit_text(d->out, part->name);
    buf_addc(d->out, ':');
    write_part(d->v, d->n, key, d->out);
}

void policy_parts_release(struct policy_parts *p)
{
    vec_release(p);
}

size_t policy_filter_delta(const struct policy_view *v, uint32_t slot, const struct policy_parts *sent,
                           struct policy_parts *now, struct buf *out)
{
    struct filter_delta d = {
        .sink = {delta_part}, .v = v, .n = view_node(v, slot), .sent = sent, .now = now, .out = out};

    policy_parts_release(now);
    if (out)
        buf_addc(out, '{');
    if (d.n)
        each_part(v, d.n, &d.sink);
    if (now->len)
        qsort(now->items, now->len, sizeof(*now->items), by_name);
    for (size_t i = 0; sent && i < sent->len; i++) {
        if (part_find(now, &sent->items[i]))
            continue;
        d.members++;
        if (out) {
            emit_text(out, sent->items[i].name);
            buf_adds(out, ":null");
        }
    }
    if (out)
        buf_addc(out, '}');
    return d.members;
}

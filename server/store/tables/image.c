/* SPDX-License-Identifier: BSD-3-Clause */
/* What is read at start: lists of records by kind, and whether they are consistent. */
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/store.h"
#include "store/tables/engine.h"
#include "store/tables/tables.h"

static void *member(struct store_image *image, size_t offset)
{
    return (char *)image + offset;
}

struct record *image_add(struct store_image *image, enum record_kind kind)
{
    const struct store_table *t = &store_tables[kind];
    size_t *length = member(image, t->length);
    struct record **items, *r = record_new(kind);

    memcpy(&items, member(image, t->items), sizeof(items));
    if ((*length & (*length - 1)) == 0) /* full: room is a power of two */
        items = mem_resize(items, *length ? 2 * *length : 1, sizeof(struct record *));
    items[(*length)++] = r;
    memcpy(member(image, t->items), &items, sizeof(items));
    return r;
}

void image_make_lives(struct store_image *image)
{
    image->lives = mem_alloc((image->node_count + 1) * sizeof(*image->lives));
    for (size_t i = 0; i < image->node_count; i++)
        image->lives[i] = (struct node_live){.healthy = true, .net_info = mem_strdup(""), .source = mem_strdup("")};
}

struct node_live *image_live(struct store_image *image, uint64_t node_id)
{
    size_t at;

    return record_find(image->nodes, image->node_count, node_id, &at) ? &image->lives[at] : NULL;
}

static int check_node(struct store_image *image, struct node *n, struct err *e)
{
    unsigned long long id = n->r.id;

    if (n->user_id != 0 && !record_find(image->users, image->user_count, n->user_id, NULL))
        return err_field(e, ERR_IO, "user_id", "table node, row %llu (%.63s): its user %llu does not exist", id,
                         n->given_name, (unsigned long long)n->user_id);
    if (n->user_id == 0 && n->tags.len == 0)
        log_error("store", "table node, row %llu (%s): it has neither a user nor tags, nothing applies to it", id,
                  n->given_name);
    if (n->preauth_key_id != 0 && !record_find(image->preauth_keys, image->preauth_key_count, n->preauth_key_id, NULL))
        n->preauth_key_id = 0;
    return 0;
}

static int by_node(const void *a, const void *b)
{
    const struct primary *x = *(struct primary *const *)a, *y = *(struct primary *const *)b;

    return x->r.id != y->r.id ? (x->r.id < y->r.id ? -1 : 1) : prefix_cmp(&x->prefix, &y->prefix);
}

static void check_primaries(struct store_image *image)
{
    size_t kept = 0;

    for (size_t i = 0; i < image->primary_count; i++) {
        struct primary *p = image->primaries[i];
        char text[PREFIX_TEXT_MAX];
        if (record_find(image->nodes, image->node_count, p->r.id, NULL)) {
            image->primaries[kept++] = p;
            continue;
        }
        log_warn("store", "the router of %s, node %llu, does not exist: the prefix is elected anew",
                 prefix_format(&p->prefix, text), (unsigned long long)p->r.id);
        record_unref(p);
    }
    image->primary_count = kept;
    if (kept > 1)
        qsort(image->primaries, kept, sizeof(struct primary *), by_node);
}

int image_check(struct store_image *image, struct err *e)
{
    int code = 0;

    for (size_t i = 0; i < image->preauth_key_count; i++) {
        const struct preauth_key *k = image->preauth_keys[i];
        if (k->user_id != 0 && !record_find(image->users, image->user_count, k->user_id, NULL))
            return err_field(e, ERR_IO, "user_id", "table preauth_key, row %llu: its user %llu does not exist",
                             (unsigned long long)k->r.id, (unsigned long long)k->user_id);
    }
    for (size_t i = 0; i < image->identity_count; i++)
        if (!record_find(image->users, image->user_count, image->identities[i]->user_id, NULL))
            return err_field(e, ERR_IO, "user_id", "table identity, row %llu: its user %llu does not exist",
                             (unsigned long long)image->identities[i]->r.id,
                             (unsigned long long)image->identities[i]->user_id);
    for (size_t i = 0; i < image->node_count && code == 0; i++)
        code = check_node(image, image->nodes[i], e);
    check_primaries(image);
    return code;
}

void store_image_release(struct store_image *image)
{
    if (image->lives)
        for (size_t i = 0; i < image->node_count; i++)
            node_live_release(&image->lives[i]);
    free(image->lives);
    for (size_t kind = 0; kind < RECORD_KINDS; kind++) {
        const struct store_table *t = &store_tables[kind];
        struct record **items;
        if (!t->length)
            continue;
        memcpy(&items, member(image, t->items), sizeof(items));
        for (size_t i = 0; i < *(size_t *)member(image, t->length); i++)
            record_unref(items[i]);
        free(items);
    }
    *image = (struct store_image){0};
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* A delta of many items. No receiver gets itself, so a single message would have to be made for each; split by blocks
 * of the tailnet nearly all of it is made once. Like a full map it is one object in several frames. */
#include "netmap/messages.h"

/* Whole nodes first, then by slot. */
static int by_place(const void *a, const void *b)
{
    const struct netmap_item *x = a, *y = b;

    if (!x->patch != !y->patch)
        return x->patch ? 1 : -1;
    return x->node->slot < y->node->slot ? -1 : x->node->slot > y->node->slot;
}

/* Text between the pieces. */
static struct chunk *text_chunk(struct netmap_session *s, struct netmap_worker *w, const char *text)
{
    buf_clear(&w->key);
    buf_addc(&w->key, 'T');
    buf_addc(&w->key, (char)s->client.zstd);
    buf_adds(&w->key, text);
    struct chunk *c = cache_get(s->nm, &w->key, NULL);
    if (!c) {
        c = pack(w, text, strlen(text), s->client.zstd);
        cache_put(s->nm, &w->key, c, NULL);
    }
    return c;
}

/* The start: everything but the peers, and the opening of their list. */
static struct chunk *head_chunk(struct netmap_session *s, const struct netmap_access *a, struct netmap_worker *w,
                                const struct netmap_update *update, bool own, bool whole)
{
    struct json_out o = JSON_OUT(&w->json);

    name_rest(s, a, w, update, whole ? 'H' : 'h');
    bool share = !own && w->key.len <= KEY_SIZE_MAX;
    struct chunk *c = share ? cache_get(s->nm, &w->key, NULL) : NULL;
    if (c)
        return c;
    o.comma = own;
    put_rest(s, &o, a, w, update);
    json_key(&o, whole ? "PeersChanged" : "PeersChangedPatch");
    json_open(&o, '[');
    c = pack(w, w->json.data, w->json.len, s->client.zstd);
    if (share)
        cache_put(s->nm, &w->key, c, NULL);
    return c;
}

/* The block's version covers those of its nodes. */
static void name_items(struct netmap_session *s, const struct netmap_access *a, struct netmap_worker *w,
                       const struct netmap_item *items, size_t count, bool first)
{
    uint32_t block = items->node->slot / TAILNET_BLOCK;
    uint64_t mask = 0;

    buf_clear(&w->key);
    buf_addc(&w->key, items->patch ? 'P' : 'W');
    buf_addc(&w->key, (char)(s->client.zstd | first << 1));
    key_u64(&w->key, block);
    key_u64(&w->key, a->snapshot->blocks[block]->version);
    for (size_t i = 0; i < count; i++) {
        mask |= UINT64_C(1) << items[i].node->slot % TAILNET_BLOCK;
        if (items[i].patch)
            buf_addc(&w->key, (char)items[i].patch);
        else
            key_u64(&w->key, items[i].view.hash);
    }
    key_u64(&w->key, mask);
}

/* A run of items of one kind within one part of a block. */
static struct chunk *items_chunk(struct netmap_session *s, const struct netmap_access *a, struct netmap_worker *w,
                                 const struct netmap_item *items, size_t count, bool first, bool share)
{
    struct json_out o = JSON_OUT(&w->json);

    name_items(s, a, w, items, count, first);
    struct chunk *c = share ? cache_get(s->nm, &w->key, NULL) : NULL;
    if (c)
        return c;
    buf_clear(&w->json);
    o.comma = !first;
    for (size_t i = 0; i < count; i++)
        put_item(s, &o, a, &items[i]);
    c = pack(w, w->json.data, w->json.len, s->client.zstd);
    if (share)
        cache_put(s->nm, &w->key, c, NULL);
    return c;
}

/* The end of the part in which the slot's node may share a piece with others. */
static uint32_t part_end(uint32_t self, uint32_t slot)
{
    uint32_t block = slot / TAILNET_BLOCK * TAILNET_BLOCK;
    unsigned own = self % TAILNET_BLOCK, from = 0;

    if (self / TAILNET_BLOCK != slot / TAILNET_BLOCK)
        return block + TAILNET_BLOCK;
    while (from + own_part(own, from) <= slot - block)
        from += own_part(own, from);
    return block + from + own_part(own, from);
}

static void add_items(struct netmap_session *s, const struct netmap_access *a, const struct tailnet_node *self,
                      struct netmap_worker *w, const struct netmap_update *update, struct netmap_message *out)
{
    const struct netmap_item *items = update->items.items;
    bool first = true;

    for (size_t i = 0, next; i < update->items.len; i = next) {
        uint32_t end = part_end(self->slot, items[i].node->slot);
        for (next = i;
             next < update->items.len && items[next].node->slot < end && !items[next].patch == !items[i].patch;)
            next++;
        if (i && !items[i].patch != !items[i - 1].patch) {
            message_add(out, text_chunk(s, w, "],\"PeersChangedPatch\":["));
            first = true;
        }
        bool share = end <= self->slot || end - self->slot > OWN_PART; /* it does not contain the receiver */
        message_add(out, items_chunk(s, a, w, &items[i], next - i, first, share));
        first = false;
    }
}

void split_delta(struct netmap_session *s, const struct netmap_access *a, const struct tailnet_node *self,
                 struct netmap_worker *w, struct netmap_update *update, bool own, struct netmap_message *out)
{
    qsort(update->items.items, update->items.len, sizeof(*update->items.items), by_place);
    message_add(out, head_chunk(s, a, w, update, own, !update->items.items[0].patch));
    add_items(s, a, self, w, update, out);
    message_add(out, chunk_ref(s->nm->closing[s->client.zstd]));
}

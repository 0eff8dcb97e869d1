/* SPDX-License-Identifier: BSD-3-Clause */
/* What a receiver must be sent since its cursor: collected from the log, decided by the newest snapshot (removed, then
 * whole, then patched nodes), and encoded once for all receivers that need exactly the same. */
#include "netmap/connectors.h"
#include "netmap/dns.h"
#include "netmap/encode.h"
#include "netmap/exits.h"
#include "netmap/messages.h"

/* From this many items on a delta is made block by block: encoding one for each receiver would cost more than sending
 * it. */
#define SPLIT_ITEMS 32

static void touch(struct netmap_worker *w, uint32_t slot, uint32_t mask)
{
    if (!w->dirty.mask[slot])
        vec_push(&w->touched, slot);
    w->dirty.mask[slot] |= mask;
}

static void forget(struct netmap_session *s, struct netmap_worker *w, uint32_t slot, uint64_t id)
{
    vec_push(&w->removed, id);
    set_sent_peer(s, slot, false);
    exits_forget(s, slot);
}

#define STRUCTURE (CHANGE_ADDED | CHANGE_REMOVED | CHANGE_WHOLE | CHANGE_KEYS)

static void note(struct netmap_session *s, const struct change *c, struct netmap_worker *w,
                 struct netmap_update *update)
{
    if (c->slot == TAILNET_SLOT_NONE) {
        update->recheck |= (c->mask & CHANGE_POLICY) != 0;
        update->messages |= (c->mask & CHANGE_MESSAGE) != 0;
        update->steering |= (c->mask & CHANGE_STEERING) != 0;
        return;
    }
    update->messages |= s->self->exit_node_id && c->node_id == s->self->exit_node_id;
    update->structure |= (c->mask & STRUCTURE) || c->route_moved;
    if (c->slot >= w->dirty.slots)
        return;
    if (c->slot == s->client.slot) {
        update->self |= c->mask;
    } else if (c->mask & CHANGE_REMOVED) {
        if (sent_peer(s, c->slot))
            forget(s, w, c->slot, c->node_id);
        w->dirty.mask[c->slot] = 0; /* earlier bits were another node's; the slot stays in touched */
    } else {
        touch(w, c->slot, c->mask);
    }
}

/* The log does not reach back to the cursor: versions tell what is newer, and what was sent but is gone is removed. The
 * previous owner of a slot is known from its encodings; clients ignore the removal of an unknown peer. */
static void compare(struct netmap_session *s, const struct netmap_access *a, struct netmap_worker *w,
                    struct netmap_update *update)
{
    for (uint32_t slot = 0; slot < a->snapshot->block_count * TAILNET_BLOCK; slot++) {
        const struct tailnet_node *n = snapshot_node(a->snapshot, slot);
        uint64_t ids[2];

        if (n && n->version <= s->cursor)
            continue;
        if (slot == s->client.slot) {
            update->self = CHANGE_WHOLE | CHANGE_SELF;
            continue;
        }
        if (sent_peer(s, slot)) {
            fragment_owners(s->nm, slot, ids);
            for (int i = 0; i < 2; i++)
                if (ids[i] && (!n || ids[i] != n->record->r.id))
                    vec_push(&w->removed, ids[i]);
            if (!n) {
                set_sent_peer(s, slot, false);
                exits_forget(s, slot);
            }
        }
        if (n)
            touch(w, slot, CHANGE_ADDED | CHANGE_WHOLE);
    }
    update->recheck = update->structure = true;
}

static void collect(struct netmap_session *s, const struct netmap_access *a, struct netmap_worker *w,
                    struct netmap_update *update)
{
    struct change changes[256];
    uint64_t after = s->cursor;

    while (after < a->snapshot->seq) {
        long count = tailnet_changes(s->nm->tailnet, after, a->snapshot->seq, changes, 256);
        if (count < 0) {
            compare(s, a, w, update);
            break;
        }
        for (long i = 0; i < count; i++)
            note(s, &changes[i], w, update);
        if (count < 256)
            break;
        after = changes[count - 1].seq;
    }
    update->dns = a->snapshot->settings->dns_version > s->cursor;
    update->derp = a->snapshot->settings->derp_version > s->cursor;
    update->recheck |= a->snapshot->policy_version > s->cursor;
}

/* With a policy, visibility may have changed without a change of the node itself. */
static void recheck(struct netmap_session *s, const struct netmap_access *a, const struct tailnet_node *self,
                    struct netmap_worker *w)
{
    struct peer_view view = {0};

    for (size_t b = 0; b < a->snapshot->block_count; b++) {
        uint64_t visible = access_block(a, self, b);
        uint64_t sent = b < s->peers.len ? s->peers.words[b] : 0;
        for (unsigned k = 0; k < TAILNET_BLOCK; k++) {
            const struct tailnet_node *n = a->snapshot->blocks[b]->nodes[k];
            if (!n || !((visible | sent) >> k & 1))
                continue;
            if ((visible ^ sent) >> k & 1)
                touch(w, n->slot, CHANGE_ADDED);
            if ((visible & sent) >> k & 1) {
                access_peer(a, self, n, &view);
                if (view.hash != sent_view(s, n->slot))
                    touch(w, n->slot, CHANGE_WHOLE);
            }
        }
    }
    prefixes_release(&view.routes);
}

/* The receiver's router for a prefix, NONE: the same as for all. */
static uint32_t router_for(const struct tailnet_nearest *nearest, const struct prefix *p, uint32_t viewer)
{
    const struct nearest_prefix *n = tailnet_nearest_find(nearest, p);

    return n ? nearest_router(n, viewer) : TAILNET_SLOT_NONE;
}

static void touch_router(struct netmap_session *s, struct netmap_worker *w, uint32_t slot)
{
    if (slot < w->dirty.slots && slot != s->client.slot)
        touch(w, slot, CHANGE_WHOLE);
}

static void touch_moved(struct netmap_session *s, struct netmap_worker *w, const struct tailnet_nearest *list,
                        const struct tailnet_nearest *now)
{
    for (size_t i = 0; list && i < list->len; i++) {
        const struct prefix *p = &list->items[i].prefix;
        uint32_t was = router_for(s->nearest, p, s->client.slot), is = router_for(now, p, s->client.slot);
        if (was == is)
            continue;
        touch_router(s, w, was);
        touch_router(s, w, is);
        touch_router(s, w, list->items[i].primary);
    }
}

/* Whether the receiver itself, as nearest router, serves other prefixes than before. */
static bool serves_others(const struct tailnet_nearest *was, const struct tailnet_nearest *now, uint32_t slot)
{
    struct prefixes before = {0}, after = {0};

    tailnet_nearest_serving(was, slot, &before);
    tailnet_nearest_serving(now, slot, &after);
    bool differs = !prefixes_eq(&before, &after);
    prefixes_release(&before);
    prefixes_release(&after);
    return differs;
}

/* Where prefixes are served by the nearest router, the receiver's may have changed without a change of either
 * router. */
static void follow_nearest(struct netmap_session *s, const struct netmap_access *a, struct netmap_worker *w,
                           struct netmap_update *update)
{
    struct tailnet_nearest *now = a->snapshot->nearest;

    if (now == s->nearest)
        return;
    update->serving = serves_others(s->nearest, now, s->client.slot);
    touch_moved(s, w, s->nearest, now);
    touch_moved(s, w, now, now);
    nearest_sent(s, a->snapshot);
}

static void decide(struct netmap_session *s, const struct netmap_access *a, const struct tailnet_node *self,
                   struct netmap_worker *w, struct netmap_update *update)
{
    for (size_t i = 0; i < w->touched.len; i++) {
        uint32_t slot = w->touched.items[i], mask = w->dirty.mask[slot];
        const struct tailnet_node *n = snapshot_node(a->snapshot, slot);

        w->dirty.mask[slot] = 0; /* also guards against a slot that is listed twice */
        if (!n || !mask || s->client.omit_peers)
            continue;
        bool sent = sent_peer(s, slot);
        if (!access_visible(a, self, n)) {
            if (sent)
                forget(s, w, slot, n->record->r.id);
            continue;
        }
        update->connectors |= connectors_offered(n);
        struct netmap_item item = {.node = n};
        if (sent && !(mask & (CHANGE_ADDED | CHANGE_WHOLE))) {
            if (mask & CHANGE_ONLINE)
                exits_note(s, a, self, n, NULL);
            item.patch = mask & (CHANGE_ONLINE | CHANGE_ENDPOINTS | CHANGE_KEYS);
            if (!item.patch)
                continue;
        } else {
            set_sent_peer(s, slot, true);
            access_peer(a, self, n, &item.view);
            set_sent_view(s, slot, item.view.hash);
            exits_note(s, a, self, n, &item.view);
            if (!sent_user(s, encode_owner(n)))
                owners_add(&update->profiles, encode_owner(n));
        }
        vec_push(&update->items, item);
        /* A client turns a whole node that it knows into a patch if it can, and then drops the LastSeen of an offline
         * one if it had none before (peerChangeDiff). */
        if (sent && !item.patch && !n->live.online)
            vec_push(&update->items, ((struct netmap_item){.node = n, .patch = CHANGE_ONLINE}));
    }
}

static int by_id(const void *a, const void *b)
{
    const struct netmap_item *x = a, *y = b;

    return x->node->record->r.id < y->node->record->r.id ? -1 : x->node->record->r.id > y->node->record->r.id;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* Profiles that were sent and have changed. */
static void changed_profiles(struct netmap_session *s, const struct netmap_access *a, struct netmap_update *update)
{
    if (a->snapshot->users_version <= s->cursor)
        return;
    for (size_t i = 0; i < a->snapshot->user_count; i++) {
        uint64_t id = a->snapshot->users[i]->r.id;
        if (sent_user(s, id) && user_changed(s->nm, id) > s->cursor)
            owners_add(&update->profiles, id);
    }
}

static void put_items(struct netmap_session *s, struct json_out *o, const struct netmap_access *a,
                      const struct netmap_update *update, bool whole)
{
    bool open = false;

    for (size_t i = 0; i < update->items.len; i++) {
        const struct netmap_item *item = &update->items.items[i];
        if (whole != !item->patch)
            continue;
        if (!open) {
            json_key(o, whole ? "PeersChanged" : "PeersChangedPatch");
            json_open(o, '[');
            open = true;
        }
        put_item(s, o, a, item);
    }
    if (open)
        json_close(o, ']');
}

static void put_common(struct netmap_session *s, struct json_out *o, const struct netmap_access *a,
                       const struct netmap_worker *w, const struct netmap_update *update)
{
    put_rest(s, o, a, w, update);
    put_items(s, o, a, update, true);
    put_items(s, o, a, update, false);
}

/* Names the message's content, so that receivers of the same content share its bytes. */
static void name_content(struct netmap_session *s, const struct netmap_access *a, struct netmap_worker *w,
                         const struct netmap_update *update)
{
    struct buf *key = &w->key;

    name_rest(s, a, w, update, 'D');
    key_u64(key, update->items.len);
    for (size_t i = 0; i < update->items.len && key->len <= KEY_SIZE_MAX; i++) {
        const struct netmap_item *item = &update->items.items[i];
        key_u64(key, (uint64_t)item->node->slot << 32 | item->patch);
        key_u64(key, item->node->version);
        key_u64(key, item->view.hash);
    }
}

static struct chunk *common_chunk(struct netmap_session *s, const struct netmap_access *a, struct netmap_worker *w,
                                  const struct netmap_update *update)
{
    struct json_out o = JSON_OUT(&w->json);

    name_content(s, a, w, update);
    bool share = w->key.len <= KEY_SIZE_MAX;
    struct chunk *c = share ? cache_get(s->nm, &w->key, NULL) : NULL;
    if (c)
        return c;
    buf_clear(&w->json);
    json_open(&o, '{');
    put_common(s, &o, a, w, update);
    json_close(&o, '}');
    c = pack(w, w->json.data, w->json.len, s->client.zstd);
    if (share)
        cache_put(s->nm, &w->key, c, NULL);
    return c;
}

/* The members for this receiver alone; false: none. Leaves the object open in w->json. */
static bool put_private(struct netmap_session *s, struct json_out *o, const struct netmap_access *a,
                        const struct tailnet_node *self, const struct netmap_update *update)
{
    bool some = false, policy = update->recheck || (update->structure && a->view);

    json_open(o, '{');
    if (policy || update->steering || update->serving || s->exits_changed || update->self & ~(uint32_t)CHANGE_VOLATILE)
        some |= put_self(s, o, a, self, false);
    if (update->dns && !dns_is_own(a))
        s->dns_hash = 0; /* all are sent the same, with the common members */
    else if (policy || update->dns || update->connectors || update->self & ~(uint32_t)CHANGE_VOLATILE)
        some |= put_own_dns(s, o, a, self, false);
    if (policy) {
        some |= put_ssh(s, o, a, self, false);
        some |= access_filter(a, self, false, &s->filter, o);
    }
    if (policy || update->messages || update->self & ~(uint32_t)CHANGE_VOLATILE)
        some |= put_messages(o, a, self, s->client.cap_version, &s->messages);
    return some;
}

static void count(struct netmap_session *s, bool shared, size_t bytes)
{
    pthread_mutex_lock(&s->nm->lock);
    s->nm->counters.deltas++;
    s->nm->counters.shared_deltas += shared;
    s->nm->counters.compressed_bytes += bytes;
    pthread_mutex_unlock(&s->nm->lock);
}

bool delta_message(struct netmap_session *s, const struct netmap_access *a, const struct tailnet_node *self,
                   struct netmap_worker *w, struct netmap_message *out)
{
    struct netmap_update update = {0};
    struct json_out o = JSON_OUT(&w->json);

    collect(s, a, w, &update);
    update.recheck |=
        s->authorized != self->record->authorized; /* all peers appear or vanish, and so does the filter */
    if (update.recheck || (update.structure && a->view))
        recheck(s, a, self, w);
    follow_nearest(s, a, w, &update);
    decide(s, a, self, w, &update);
    changed_profiles(s, a, &update);
    if (update.items.len > 1 && update.items.len < SPLIT_ITEMS)
        qsort(update.items.items, update.items.len, sizeof(*update.items.items), by_id);
    if (w->removed.len > 1)
        qsort(w->removed.items, w->removed.len, sizeof(*w->removed.items), by_number);
    for (size_t i = 0; i < update.profiles.len; i++)
        set_sent_user(s, update.profiles.items[i]);

    bool common = update.items.len || w->removed.len || update.profiles.len || update.dns || update.derp;
    bool own = put_private(s, &o, a, self, &update);
    if (update.items.len >= SPLIT_ITEMS) {
        split_delta(s, a, self, w, &update, own, out);
    } else if (own) {
        put_common(s, &o, a, w, &update);
        json_close(&o, '}');
        message_add(out, pack(w, w->json.data, w->json.len, s->client.zstd));
    } else if (common) {
        message_add(out, common_chunk(s, a, w, &update));
    }
    if (own || common) {
        message_finish(s->nm, out, s->client.zstd);
        count(s, !own, out->bytes);
    }
    s->self_changed = update.self != 0;
    for (size_t i = 0; i < update.items.len; i++)
        prefixes_release(&update.items.items[i].view.routes);
    vec_release(&update.items);
    vec_release(&update.profiles);
    return own || common;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "netmap/cache.h"
#include "metrics/metrics.h"

#include <stdlib.h>

#include "base/array.h"
#include "metrics/metrics.h"
#include "netmap/access.h"
#include "netmap/encode.h"
#include "json/json.h"

static int compare(const void *key, const void *item)
{
    uint64_t a = *(const uint64_t *)key, b = *(const uint64_t *)item;

    return (a > b) - (a < b);
}

void owners_add(struct netmap_owners *o, uint64_t id)
{
    bool found;
    size_t at = array_search(&id, o->items, o->len, sizeof(id), compare, &found);

    if (!found)
        *vec_insert(o, at) = id;
}

static void unlink_entry(struct netmap *nm, struct cache_entry *e)
{
    *(e->newer ? &e->newer->older : &nm->newest) = e->older;
    *(e->older ? &e->older->newer : &nm->oldest) = e->newer;
}

static void link_newest(struct netmap *nm, struct cache_entry *e)
{
    e->newer = NULL;
    e->older = nm->newest;
    *(nm->newest ? &nm->newest->newer : &nm->oldest) = e;
    nm->newest = e;
}

static size_t cost(const struct cache_entry *e)
{
    return sizeof(*e) + sizeof(struct map_entry) + 2 * e->key_len + e->owners.len * sizeof(uint64_t) + e->bytes->len;
}

static void drop_entry(struct netmap *nm, struct cache_entry *e)
{
    unlink_entry(nm, e);
    map_del(&nm->shared, e->key, e->key_len);
    nm->shared_bytes -= cost(e);
    chunk_unref(e->bytes);
    vec_release(&e->owners);
    free(e);
}

struct chunk *cache_get(struct netmap *nm, const struct buf *key, struct netmap_owners *owners)
{
    struct chunk *c = NULL;

    pthread_mutex_lock(&nm->lock);
    struct cache_entry *e = map_get(&nm->shared, key->data, key->len);
    if (e) {
        unlink_entry(nm, e);
        link_newest(nm, e);
        e->used = nm->period;
        c = chunk_ref(e->bytes);
        for (size_t i = 0; owners && i < e->owners.len; i++)
            owners_add(owners, e->owners.items[i]);
        nm->counters.chunks_shared++;
    }
    pthread_mutex_unlock(&nm->lock);
    return c;
}

void cache_put(struct netmap *nm, const struct buf *key, struct chunk *bytes, const struct netmap_owners *owners)
{
    struct cache_entry *e = mem_alloc(sizeof(*e) + key->len);

    e->bytes = chunk_ref(bytes);
    e->key_len = key->len;
    memcpy(e->key, key->data, key->len);
    for (size_t i = 0; owners && i < owners->len; i++)
        vec_push(&e->owners, owners->items[i]);

    pthread_mutex_lock(&nm->lock);
    struct cache_entry *old = map_get(&nm->shared, key->data, key->len);
    if (old)
        drop_entry(nm, old);
    map_put(&nm->shared, key->data, key->len, e);
    link_newest(nm, e);
    e->used = nm->period;
    nm->shared_bytes += cost(e);
    nm->counters.chunks_made++;
    while (nm->shared_bytes > SHARED_MAX && nm->oldest != e)
        drop_entry(nm, nm->oldest);
    pthread_mutex_unlock(&nm->lock);
}

void netmap_trim(struct netmap *nm)
{
    struct netmap_worker *idle;

    pthread_mutex_lock(&nm->lock);
    nm->period++;
    while (nm->oldest && nm->period - nm->oldest->used >= 2)
        drop_entry(nm, nm->oldest);
    idle = nm->workers;
    nm->workers = NULL;
    pthread_mutex_unlock(&nm->lock);
    while (idle) {
        struct netmap_worker *next = idle->next;
        worker_free(idle);
        idle = next;
    }
}

static struct netmap_fragment *fragment_of(struct netmap *nm, uint32_t slot)
{
    while (nm->fragments.len <= slot)
        vec_push(&nm->fragments, ((struct netmap_fragment){0}));
    return &nm->fragments.items[slot];
}

struct chunk *fragment_get(struct netmap *nm, const struct tailnet_snapshot *s, const struct tailnet_node *n)
{
    struct chunk *json = NULL;

    pthread_mutex_lock(&nm->lock);
    struct netmap_fragment *f = fragment_of(nm, n->slot);
    if (f->json && f->version == n->version && f->id == n->record->r.id)
        json = chunk_ref(f->json);
    pthread_mutex_unlock(&nm->lock);
    if (json)
        return json;

    struct buf text = BUF_INIT(0);
    struct json_out o = JSON_OUT(&text);
    struct prefixes routes = {0};
    access_all_routes(n, &routes);
    encode_peer(&o, s, n, &routes, false);
    prefixes_release(&routes);
    json = chunk_new(text.data, text.len);
    buf_release(&text);

    pthread_mutex_lock(&nm->lock);
    f = fragment_of(nm, n->slot);
    nm->counters.nodes_encoded++;
    if (f->version <= n->version) {
        if (f->id != n->record->r.id)
            f->previous_id = f->id;
        f->id = n->record->r.id;
        f->version = n->version;
        chunk_unref(f->json);
        f->json = chunk_ref(json);
    }
    pthread_mutex_unlock(&nm->lock);
    return json;
}

void fragment_owners(struct netmap *nm, uint32_t slot, uint64_t ids[2])
{
    ids[0] = ids[1] = 0;
    pthread_mutex_lock(&nm->lock);
    if (slot < nm->fragments.len) {
        ids[0] = nm->fragments.items[slot].id;
        ids[1] = nm->fragments.items[slot].previous_id;
    }
    pthread_mutex_unlock(&nm->lock);
}

static void note_user(struct netmap *nm, const struct user *u, uint64_t version)
{
    struct known_user *k = map_getu(&nm->users, u->r.id);

    if (!k) {
        k = mem_alloc(sizeof(*k));
        map_putu(&nm->users, u->r.id, k);
    } else if (k->user == u) {
        return;
    }
    record_unref(k->user);
    k->user = record_ref(u);
    k->changed = version;
}

void users_look(struct netmap *nm, const struct tailnet_snapshot *s)
{
    pthread_mutex_lock(&nm->lock);
    if (nm->users_seen < s->users_version) {
        for (size_t i = 0; i < s->user_count; i++)
            note_user(nm, s->users[i], s->users_version);
        nm->users_seen = s->users_version;
    }
    pthread_mutex_unlock(&nm->lock);
}

uint64_t user_changed(struct netmap *nm, uint64_t id)
{
    pthread_mutex_lock(&nm->lock);
    const struct known_user *k = map_getu(&nm->users, id);
    uint64_t changed = k ? k->changed : 0;
    pthread_mutex_unlock(&nm->lock);
    return changed;
}

static void make_constants(struct netmap *nm)
{
    static const char keepalive[] = "{\"KeepAlive\":true}";
    struct netmap_worker *w = worker_take(nm, 0);

    for (int zstd = 0; zstd < 2; zstd++) {
        struct chunk *body = pack(w, keepalive, sizeof(keepalive) - 1, zstd);
        if (zstd)
            nm->keepalive_len = body->len;
        nm->keepalive[zstd] = chunk_alloc(body->len + 4);
        for (int i = 0; i < 4; i++)
            nm->keepalive[zstd]->data[i] = (uint8_t)(body->len >> 8 * i);
        memcpy(nm->keepalive[zstd]->data + 4, body->data, body->len);
        chunk_unref(body);
        nm->closing[zstd] = pack(w, "]}", 2, zstd);
    }
    nm->space = pack(w, " ", 1, true);
    worker_give(nm, w);
}

struct netmap *netmap_new(struct tailnet *t)
{
    struct netmap *nm = mem_alloc(sizeof(*nm));

    nm->tailnet = t;
    pthread_mutex_init(&nm->lock, NULL);
    make_constants(nm);
    return nm;
}

void netmap_free(struct netmap *nm)
{
    if (!nm)
        return;
    while (nm->newest)
        drop_entry(nm, nm->newest);
    map_release(&nm->shared);
    for (size_t i = 0; i < nm->fragments.len; i++)
        chunk_unref(nm->fragments.items[i].json);
    vec_release(&nm->fragments);
    for (struct map_entry *e = map_first(&nm->users); e; e = map_next(&nm->users, e)) {
        record_unref(((struct known_user *)e->value)->user);
        free(e->value);
    }
    map_release(&nm->users);
    while (nm->workers) {
        struct netmap_worker *w = nm->workers;
        nm->workers = w->next;
        worker_free(w);
    }
    for (int i = 0; i < 2; i++) {
        chunk_unref(nm->keepalive[i]);
        chunk_unref(nm->closing[i]);
    }
    chunk_unref(nm->space);
    pthread_mutex_destroy(&nm->lock);
    free(nm);
}

struct chunk *netmap_keepalive(struct netmap *nm, bool zstd)
{
    return chunk_ref(nm->keepalive[zstd]);
}

void netmap_counters(struct netmap *nm, struct netmap_counters *out)
{
    pthread_mutex_lock(&nm->lock);
    *out = nm->counters;
    out->cache_bytes = nm->shared_bytes;
    out->cache_entries = nm->shared.len;
    pthread_mutex_unlock(&nm->lock);
}

void netmap_metrics(struct netmap *nm, struct buf *out)
{
    struct netmap_counters n;

    netmap_counters(nm, &n);
    metrics_put(out, "headway_netmap_full_maps_total", "counter", "Full network maps that were made", n.full_maps);
    metrics_put(out, "headway_netmap_deltas_total", "counter", "Changes of network maps that were made", n.deltas);
    metrics_head(out, "headscale_mapresponse_generated_total", "counter",
                 "Network maps, and changes of peers, that were made");
    buf_addf(out,
             "headscale_mapresponse_generated_total{response_type=\"full\"} %llu\n"
             "headscale_mapresponse_generated_total{response_type=\"peers\"} %llu\n",
             (unsigned long long)n.full_maps, (unsigned long long)n.deltas);
    metrics_put(out, "headway_netmap_cache_bytes", "gauge", "Encoded peers that are kept for other maps",
                n.cache_bytes);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* The first message of a stream: a private frame, frames shared by all receivers, a closing frame. */
#include "base/array.h"
#include "base/clock.h"
#include "netmap/dns.h"
#include "netmap/encode.h"
#include "netmap/exits.h"
#include "netmap/messages.h"

struct block_member {
    const struct tailnet_node *node;
    struct peer_view view;
};

static int by_id(const void *a, const void *b)
{
    const struct block_member *x = a, *y = b;

    return x->node->record->r.id < y->node->record->r.id ? -1 : x->node->record->r.id > y->node->record->r.id;
}

/* The visible nodes of a block, ordered by id; returns their number. */
static size_t members(struct netmap_session *s, const struct netmap_access *a, const struct tailnet_node *self,
                      size_t block, uint64_t mask, struct block_member out[TAILNET_BLOCK])
{
    size_t count = 0;
    bool sorted = true;

    for (unsigned k = 0; k < TAILNET_BLOCK; k++) {
        if (!(mask >> k & 1))
            continue;
        struct block_member *m = &out[count++];
        *m = (struct block_member){.node = a->snapshot->blocks[block]->nodes[k]};
        access_peer(a, self, m->node, &m->view);
        set_sent_view(s, m->node->slot, m->view.hash);
        sorted = sorted && (count == 1 || by_id(m - 1, m) < 0);
    }
    if (!sorted)
        qsort(out, count, sizeof(*out), by_id);
    return count;
}

static void block_key(struct netmap_session *s, const struct netmap_access *a, size_t block, uint64_t mask, bool first,
                      const struct block_member *m, size_t count, struct buf *key)
{
    buf_clear(key);
    buf_addc(key, 'B');
    buf_addc(key, (char)(s->client.zstd | first << 1));
    key_u64(key, block);
    key_u64(key, a->snapshot->blocks[block]->version);
    key_u64(key, mask);
    for (size_t i = 0; i < count; i++)
        if (m[i].view.hash) {
            key_u64(key, m[i].node->slot);
            key_u64(key, m[i].view.hash);
        }
}

static struct chunk *encode_block(struct netmap_session *s, const struct netmap_access *a, bool first,
                                  const struct block_member *m, size_t count, struct netmap_worker *w,
                                  struct netmap_owners *owners)
{
    struct json_out o = JSON_OUT(&w->json);

    buf_clear(&w->json);
    o.comma = !first;
    for (size_t i = 0; i < count; i++) {
        put_peer(s, &o, a, m[i].node, &m[i].view);
        owners_add(owners, encode_owner(m[i].node));
    }
    return pack(w, w->json.data, w->json.len, s->client.zstd);
}

/* The chunk of the block's nodes in mask. Without a policy all receivers are shown the same, so for an existing chunk
 * its nodes need not be examined. */
static struct chunk *block_chunk(struct netmap_session *s, const struct netmap_access *a,
                                 const struct tailnet_node *self, size_t block, uint64_t mask, bool share, bool first,
                                 struct netmap_worker *w)
{
    struct block_member m[TAILNET_BLOCK];
    bool looked = a->view || a->snapshot->nearest;
    size_t count = looked ? members(s, a, self, block, mask, m) : 0;

    block_key(s, a, block, mask, first, m, count, &w->key);
    struct chunk *c = share ? cache_get(s->nm, &w->key, &w->owners) : NULL;
    if (!c) {
        struct netmap_owners owners = {0};
        if (!looked)
            count = members(s, a, self, block, mask, m);
        for (size_t i = 0; !looked && i < count; i++)
            share = share && !m[i].view.hash; /* the key does not cover it */
        c = encode_block(s, a, first, m, count, w, &owners);
        for (size_t i = 0; i < owners.len; i++)
            owners_add(&w->owners, owners.items[i]);
        if (share)
            cache_put(s->nm, &w->key, c, &owners);
        vec_release(&owners);
    }
    for (size_t i = 0; i < count; i++)
        prefixes_release(&m[i].view.routes);
    return c;
}

/* Everything that needs no comparison: the same for all clients of a capability version. */
static struct chunk *settings_chunk(struct netmap_session *s, const struct netmap_access *a, struct netmap_worker *w)
{
    bool pins = s->client.cap_version >= 115;

    buf_clear(&w->key);
    buf_addc(&w->key, 'S');
    buf_addc(&w->key, (char)(s->client.zstd | pins << 1 | dns_is_own(a) << 2));
    key_u64(&w->key, a->snapshot->settings->dns_version);
    key_u64(&w->key, a->snapshot->settings->derp_version);
    struct chunk *c = cache_get(s->nm, &w->key, NULL);
    if (c)
        return c;
    struct json_out o = JSON_OUT(&w->json);
    buf_clear(&w->json);
    o.comma = true;
    put_derp(&o, a, s->client.cap_version);
    put_dns(&o, a);
    json_put_bool(&o, "CollectServices", false);
    c = pack(w, w->json.data, w->json.len, s->client.zstd);
    cache_put(s->nm, &w->key, c, NULL);
    return c;
}

/* UserProfiles, and the start of Peers or the end of the object. */
static struct chunk *profiles_chunk(struct netmap_session *s, const struct netmap_access *a, bool peers,
                                    struct netmap_worker *w)
{
    buf_clear(&w->key);
    buf_addc(&w->key, 'U');
    buf_addc(&w->key, (char)(s->client.zstd | peers << 1));
    key_u64(&w->key, a->snapshot->users_version);
    for (size_t i = 0; i < w->owners.len; i++)
        key_u64(&w->key, w->owners.items[i]);
    bool share = w->key.len <= KEY_SIZE_MAX;
    struct chunk *c = share ? cache_get(s->nm, &w->key, NULL) : NULL;
    if (c)
        return c;
    struct json_out o = JSON_OUT(&w->json);
    buf_clear(&w->json);
    o.comma = true;
    put_profiles(&o, a, &w->owners);
    if (peers) {
        json_key(&o, "Peers");
        json_open(&o, '[');
    } else {
        json_close(&o, '}');
    }
    c = pack(w, w->json.data, w->json.len, s->client.zstd);
    if (share)
        cache_put(s->nm, &w->key, c, NULL);
    return c;
}

/* A refused client of an http:// address in a private network waits out that attempt's time limit, ten seconds, without
 * redialing: it waits for an HTTPS attempt that it never started (control/controlhttp). A dial plan turns one attempt
 * into several, each at the usual address since no other is named; the first success ends the others. The delays
 * differ, so that not all clients of a lost server dial at the same moment. */
static void put_dial_plan(struct netmap_session *s, struct json_out *o)
{
    static const unsigned starts[] = {0, 1, 2, 3, 5, 7, 10, 13, 17, 21};
    unsigned spread_ms = (unsigned)(s->client.node_id * 619 % 1000);
    char text[96];

    json_key(o, "ControlDialPlan");
    json_open(o, '{');
    json_key(o, "Candidates");
    json_open(o, '[');
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        int len = i ? snprintf(text, sizeof(text), "{\"DialStartDelaySec\":%u.%03u,\"DialTimeoutSec\":5}", starts[i],
                               spread_ms)
                    : snprintf(text, sizeof(text), "{\"DialTimeoutSec\":10}");
        json_raw(o, text, (size_t)len);
    }
    json_close(o, ']');
    json_close(o, '}');
}

static struct chunk *private_chunk(struct netmap_session *s, const struct netmap_access *a,
                                   const struct tailnet_node *self, struct netmap_worker *w)
{
    struct json_out o = JSON_OUT(&w->json);

    buf_clear(&w->json);
    json_open(&o, '{');
    put_self(s, &o, a, self, true);
    put_ssh(s, &o, a, self, true);
    put_own_dns(s, &o, a, self, true);
    access_filter(a, self, true, &s->filter, &o);
    put_messages(&o, a, self, s->client.cap_version, &s->messages);
    json_put_time(&o, "ControlTime", clock_wall_ns());
    if (s->client.redial)
        put_dial_plan(s, &o);
    return pack(w, w->json.data, w->json.len, s->client.zstd);
}

/* The receiver's own block lacks the receiver, so no one else can use it as it is. It is cut into aligned parts; all
 * but the part around the receiver are shared with the other half of its neighbours. */
static void add_own_block(struct netmap_session *s, const struct netmap_access *a, const struct tailnet_node *self,
                          uint64_t mask, struct netmap_worker *w, struct netmap_message *peers)
{
    unsigned own = self->slot % TAILNET_BLOCK, size;

    for (unsigned from = 0; from < TAILNET_BLOCK; from += size) {
        size = own_part(own, from);
        uint64_t part = mask & part_mask(from, size);
        if (part)
            message_add(peers, block_chunk(s, a, self, self->slot / TAILNET_BLOCK, part, own / size != from / size,
                                           peers->len == 0, w));
    }
}

static void add_blocks(struct netmap_session *s, const struct netmap_access *a, const struct tailnet_node *self,
                       struct netmap_worker *w, struct netmap_message *peers)
{
    for (size_t b = 0; b < a->snapshot->block_count; b++) {
        uint64_t mask = access_block(a, self, b);
        if (!mask)
            continue;
        if (self->slot / TAILNET_BLOCK == b)
            add_own_block(s, a, self, mask, w, peers);
        else
            message_add(peers, block_chunk(s, a, self, b, mask, true, peers->len == 0, w));
        set_sent_block(s, b, mask, a->snapshot->block_count);
    }
}

void full_map(struct netmap_session *s, const struct netmap_access *a, const struct tailnet_snapshot *peers_of,
              const struct tailnet_node *self, struct netmap_worker *w, struct netmap_message *out)
{
    struct netmap_access of_peers = {peers_of, a->view};
    struct netmap_message peers = {0};

    owners_add(&w->owners, encode_owner(self));
    if (!s->client.omit_peers) {
        add_blocks(s, &of_peers, self, w, &peers);
        exits_first(s, &of_peers, self);
        nearest_sent(s, peers_of);
    }
    for (size_t i = 0; i < w->owners.len; i++)
        set_sent_user(s, w->owners.items[i]);

    message_add(out, private_chunk(s, a, self, w));
    message_add(out, settings_chunk(s, a, w));
    message_add(out, profiles_chunk(s, a, peers.len > 0, w));
    for (size_t i = 0; i < peers.len; i++)
        message_add(out, peers.items[i]);
    if (peers.len)
        message_add(out, chunk_ref(s->nm->closing[s->client.zstd]));
    vec_release(&peers);
    message_finish(s->nm, out, s->client.zstd);
    s->self_changed = true;

    pthread_mutex_lock(&s->nm->lock);
    s->nm->counters.full_maps++;
    s->nm->counters.compressed_bytes += out->bytes;
    pthread_mutex_unlock(&s->nm->lock);
}

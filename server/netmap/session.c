/* SPDX-License-Identifier: BSD-3-Clause */
#include "netmap/session.h"

#include <stdlib.h>

#include "base/bits.h"
#include "netmap/encode.h"

#define USER_BITS (1u << 20) /* profiles of users with higher ids are sent with each of their nodes */

struct netmap_session *netmap_session_new(struct netmap *nm, const struct netmap_client *client)
{
    struct netmap_session *s = mem_alloc(sizeof(*s));

    s->nm = nm;
    s->client = *client;
    return s;
}

void netmap_session_free(struct netmap_session *s)
{
    if (!s)
        return;
    record_unref(s->self);
    free(s->peers.words);
    free(s->users.words);
    vec_release(&s->views);
    policy_parts_release(&s->filter.parts);
    free(s);
}

uint64_t netmap_session_seq(const struct netmap_session *s)
{
    return s->cursor;
}

bool netmap_session_self_changed(const struct netmap_session *s)
{
    return s->self_changed;
}

static bool has_bit(const uint64_t *words, size_t len, uint64_t i)
{
    return i / 64 < len && bit_has(words, (uint32_t)i);
}

static void set_bit(uint64_t **words, size_t *len, uint32_t i, bool on)
{
    if (i / 64 >= *len) {
        if (!on)
            return;
        size_t more = (size_t)(i / 64) + 1;
        *words = mem_resize(*words, more, sizeof(**words));
        memset(*words + *len, 0, (more - *len) * sizeof(**words));
        *len = more;
    }
    if (on)
        bit_set(*words, i);
    else
        bit_clear(*words, i);
}

bool told_peer(const struct netmap_session *s, uint32_t slot)
{
    return has_bit(s->peers.words, s->peers.len, slot);
}

void set_told_peer(struct netmap_session *s, uint32_t slot, bool told)
{
    set_bit(&s->peers.words, &s->peers.len, slot, told);
    if (!told)
        set_told_view(s, slot, 0);
}

void set_told_block(struct netmap_session *s, size_t block, uint64_t mask, size_t blocks)
{
    if (s->peers.len < blocks) {
        s->peers.words = mem_resize(s->peers.words, blocks, sizeof(*s->peers.words));
        memset(s->peers.words + s->peers.len, 0, (blocks - s->peers.len) * sizeof(*s->peers.words));
        s->peers.len = blocks;
    }
    s->peers.words[block] = mask;
}

bool told_user(const struct netmap_session *s, uint64_t id)
{
    return id == TAGGED_USER_ID ? s->tagged_told : has_bit(s->users.words, s->users.len, id);
}

void set_told_user(struct netmap_session *s, uint64_t id)
{
    if (id == TAGGED_USER_ID)
        s->tagged_told = true;
    else if (id < USER_BITS)
        set_bit(&s->users.words, &s->users.len, (uint32_t)id, true);
}

uint64_t told_view(const struct netmap_session *s, uint32_t slot)
{
    for (size_t i = 0; i < s->views.len; i++)
        if (s->views.items[i].slot == slot)
            return s->views.items[i].hash;
    return 0;
}

void set_told_view(struct netmap_session *s, uint32_t slot, uint64_t hash)
{
    for (size_t i = 0; i < s->views.len; i++) {
        if (s->views.items[i].slot != slot)
            continue;
        s->views.items[i].hash = hash;
        if (!hash)
            vec_remove(&s->views, i);
        return;
    }
    if (hash)
        vec_push(&s->views, ((struct told_view){slot, hash}));
}

void put_peer(struct netmap_session *s, struct json_out *o, const struct access *a, const struct tailnet_node *peer,
              const struct peer_view *view)
{
    if (view->hash) {
        encode_peer(o, a->snapshot, peer, &view->routes, view->no_ipv4);
        return;
    }
    struct chunk *json = fragment_get(s->nm, a->snapshot, peer);
    json_raw(o, (const char *)json->data, json->len);
    chunk_unref(json);
}

/* What a client must be told again of itself when it differs. The rest of its own node (endpoints, disco key, services)
 * came from it a moment ago, and each own node costs the client a rebuild. */
static uint64_t self_hash(const struct access *a, const struct tailnet_node *self)
{
    struct node *record = mem_dup_counted(self->record, sizeof(*record), sizeof(self->record->r.refs));
    struct tailnet_node brief = {
        .slot = self->slot, .record = record, .user = self->user, .serving = self->serving, .expired = self->expired};
    struct buf text = BUF_INIT(0);
    struct json_out o = JSON_OUT(&text);
    char no_hostinfo[] = "";

    memset(record->disco_key, 0, sizeof(record->disco_key));
    record->peer_hostinfo = no_hostinfo;
    record->cap_version = 0;
    encode_self(&o, a, &brief);
    uint64_t hash = map_hash(text.data, text.len);
    buf_release(&text);
    free(record); /* its texts and sets are those of the original */
    return hash;
}

bool put_self(struct netmap_session *s, struct json_out *o, const struct access *a, const struct tailnet_node *self,
              bool first)
{
    uint64_t hash = self_hash(a, self);

    if (!first && hash == s->self_hash)
        return false;
    s->self_hash = hash;
    json_key(o, "Node");
    encode_self(o, a, self);
    return true;
}

bool put_ssh(struct netmap_session *s, struct json_out *o, const struct access *a, const struct tailnet_node *self,
             bool first)
{
    struct buf text = BUF_INIT(0);
    uint64_t version = access_ssh_version(a, self);

    if (!first && version == s->ssh_version)
        return false;
    s->ssh_version = version;
    access_ssh(a, self, &text);
    json_key(o, "SSHPolicy");
    json_raw(o, text.data, text.len);
    buf_release(&text);
    return true;
}

void put_profiles(struct json_out *o, const struct access *a, const struct owners *owners)
{
    json_key(o, "UserProfiles");
    json_open(o, '[');
    for (size_t i = 0; i < owners->len; i++) {
        const struct user *u = snapshot_user(a->snapshot, owners->items[i]);
        if (u || owners->items[i] == TAGGED_USER_ID)
            encode_profile(o, u);
    }
    json_close(o, ']');
}

/* The client cannot check a pinned certificate (before capability version 115): it is told not to. What a relay
 * carries is encrypted end to end in any case. */
static void relax_pins(json_t *map)
{
    const char *id, *member;
    json_t *region, *node;
    size_t i;

    json_object_foreach(json_object_get(map, "Regions"), id, region)
    {
        json_array_foreach(json_object_get(region, "Nodes"), i, node)
        {
            member = json_string_value(json_object_get(node, "CertName"));
            if (!member || !str_starts(member, "sha256-raw:"))
                continue;
            json_object_del(node, "CertName");
            json_object_set_new(node, "InsecureForTests", json_true());
        }
    }
}

void put_derp(struct json_out *o, const struct access *a, unsigned cap_version)
{
    const char *text = a->snapshot->settings->derp_json;
    json_t *map;

    json_key(o, "DERPMap");
    if (cap_version >= 115 || a->snapshot->settings->strict_relay || !strstr(text, "sha256-raw:") ||
        json_read(text, strlen(text), 16u << 20, "DERP map", &map, NULL) < 0) {
        json_raw(o, text, strlen(text));
        return;
    }
    relax_pins(map);
    char *relaxed = json_compact(map);
    json_raw(o, relaxed, strlen(relaxed));
    free(relaxed);
    json_decref(map);
}

void put_dns(struct json_out *o, const struct access *a)
{
    json_key(o, "DNSConfig");
    json_raw(o, a->snapshot->settings->dns_json, strlen(a->snapshot->settings->dns_json));
    if (*a->snapshot->settings->domain)
        json_put_str(o, "Domain", a->snapshot->settings->domain);
    if (!a->snapshot->settings->logtail) {
        json_key(o, "Debug");
        json_raw(o, "{\"DisableLogTail\":true}", 23);
    }
}

static void say_goodbye(struct netmap *nm, struct worker *w, uint64_t node_id, const uint8_t node_key[KEY_LEN],
                        const char *name, bool zstd, struct netmap_message *out)
{
    struct json_out o = JSON_OUT(&w->json);

    json_open(&o, '{');
    json_key(&o, "Node");
    encode_goodbye(&o, node_id, node_key, name);
    json_key(&o, "UserProfiles");
    json_open(&o, '[');
    encode_profile(&o, NULL);
    json_close(&o, ']');
    json_close(&o, '}');
    message_add(out, pack(w, w->json.data, w->json.len, zstd));
    message_finish(nm, out, zstd);
}

void netmap_goodbye(struct netmap *nm, uint64_t node_id, const uint8_t node_key[KEY_LEN], const char *hostname,
                    bool zstd, struct netmap_message *out)
{
    struct worker *w = worker_take(nm, 0);

    say_goodbye(nm, w, node_id, node_key, hostname, zstd, out);
    worker_give(nm, w);
}

void netmap_ping(struct netmap *nm, const char *url, bool zstd, struct netmap_message *out)
{
    struct worker *w = worker_take(nm, 0);
    struct json_out o = JSON_OUT(&w->json);

    json_open(&o, '{');
    json_put_bool(&o, "KeepAlive", true); /* nothing else in it counts then */
    json_key(&o, "PingRequest");
    json_open(&o, '{');
    json_put_str(&o, "URL", url);
    json_put_bool(&o, "URLIsNoise", true);
    json_close(&o, '}');
    json_close(&o, '}');
    message_add(out, pack(w, w->json.data, w->json.len, zstd));
    message_finish(nm, out, zstd);
    worker_give(nm, w);
}

static enum netmap_next next_message(struct netmap_session *s, const struct access *a,
                                     const struct tailnet_snapshot *peers, struct worker *w, struct netmap_message *out)
{
    static const uint8_t no_key[KEY_LEN];
    const struct tailnet_node *self = snapshot_node(a->snapshot, s->client.slot);

    if (!self || self->record->r.id != s->client.node_id) {
        say_goodbye(s->nm, w, s->client.node_id, s->self ? s->self->node_key : no_key,
                    s->self ? s->self->given_name : "deleted", s->client.zstd, out);
        s->gone = true;
        return NETMAP_DELETED;
    }
    if (s->self != self->record) {
        record_unref(s->self);
        s->self = record_ref(self->record);
    }
    users_look(s->nm, a->snapshot);
    bool told = true;
    if (!s->started)
        full_map(s, a, peers, self, w, out);
    else
        told = delta(s, a, self, w, out);
    s->cursor = s->started ? a->snapshot->seq : peers->seq;
    s->started = true;
    return told ? NETMAP_TOLD : NETMAP_NOTHING;
}

enum netmap_next netmap_session_next(struct netmap_session *s, const struct tailnet_snapshot *snapshot,
                                     struct netmap_message *out)
{
    return netmap_session_first(s, snapshot, snapshot, out);
}

enum netmap_next netmap_session_first(struct netmap_session *s, const struct tailnet_snapshot *snapshot,
                                      const struct tailnet_snapshot *peers, struct netmap_message *out)
{
    s->self_changed = false;
    if (s->gone || (s->started && snapshot->seq <= s->cursor))
        return NETMAP_NOTHING;

    struct worker *w = worker_take(s->nm, snapshot->block_count * TAILNET_BLOCK);
    struct access a = {snapshot, tailnet_policy_read(s->nm->tailnet)};
    enum netmap_next next = next_message(s, &a, peers, w, out);
    tailnet_policy_done(s->nm->tailnet);
    worker_give(s->nm, w);
    return next;
}

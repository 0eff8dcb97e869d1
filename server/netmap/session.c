/* SPDX-License-Identifier: BSD-3-Clause */
#include "netmap/messages.h"

#include <stdlib.h>

#include "crypto/crypto.h"
#include "netmap/encode.h"

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
    vec_release(&s->exits);
    tailnet_nearest_unref(s->nearest);
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

static void say_goodbye(struct netmap *nm, struct netmap_worker *w, uint64_t node_id, const uint8_t node_key[KEY_LEN],
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
    struct netmap_worker *w = worker_take(nm, 0);

    say_goodbye(nm, w, node_id, node_key, hostname, zstd, out);
    worker_give(nm, w);
}

static void put_ping(struct json_out *o, const struct netmap_ping *ping)
{
    char ip[ADDR_TEXT_MAX];

    json_open(o, '{');
    json_put_str(o, "URL", ping->url);
    json_put_bool(o, "URLIsNoise", true);
    if (ping->types)
        json_put_str(o, "Types", ping->types);
    if (ping->target)
        json_put_str(o, "IP", addr_format(ping->target, ip));
    if (ping->payload) {
        struct buf text = BUF_INIT(0);
        crypto_base64(&text, ping->payload, ping->payload_len);
        json_put_str(o, "Payload", buf_text(&text));
        buf_release(&text);
    }
    json_close(o, '}');
}

void netmap_ping(struct netmap *nm, const struct netmap_ping *ping, bool zstd, struct netmap_message *out)
{
    struct netmap_worker *w = worker_take(nm, 0);
    struct json_out o = JSON_OUT(&w->json);

    json_open(&o, '{');
    json_put_bool(&o, "KeepAlive", true); /* clients ignore the rest of such a message */
    json_key(&o, "PingRequest");
    put_ping(&o, ping);
    json_close(&o, '}');
    message_add(out, pack(w, w->json.data, w->json.len, zstd));
    message_finish(nm, out, zstd);
    worker_give(nm, w);
}

static enum netmap_next next_message(struct netmap_session *s, const struct netmap_access *a,
                                     const struct tailnet_snapshot *peers, struct netmap_worker *w,
                                     struct netmap_message *out)
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
    bool sent = true;
    if (!s->started)
        full_map(s, a, peers, self, w, out);
    else
        sent = delta_message(s, a, self, w, out);
    s->cursor = s->started ? a->snapshot->seq : peers->seq;
    s->started = true;
    s->authorized = self->record->authorized;
    return sent ? NETMAP_MESSAGE : NETMAP_NOTHING;
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

    struct netmap_worker *w = worker_take(s->nm, snapshot->block_count * TAILNET_BLOCK);
    struct netmap_access a = {snapshot, tailnet_policy_read(s->nm->tailnet)};
    enum netmap_next next = next_message(s, &a, peers, w, out);
    tailnet_policy_done(s->nm->tailnet);
    worker_give(s->nm, w);
    return next;
}

bool netmap_whole(struct netmap *nm, const struct tailnet_snapshot *snapshot, uint64_t node_id, struct buf *out)
{
    const struct tailnet_node *n = snapshot_node_by_id(snapshot, node_id);
    struct netmap_message m = {0};

    if (!n)
        return false;
    struct netmap_session *s = netmap_session_new(
        nm, &(struct netmap_client){.node_id = node_id, .slot = n->slot, .cap_version = n->record->cap_version});
    (void)netmap_session_next(s, snapshot, &m);
    for (size_t i = 1; i < m.len; i++) /* after its length */
        buf_add(out, m.items[i]->data, m.items[i]->len);
    netmap_message_release(&m);
    netmap_session_free(s);
    return true;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "netmap/update.h"

#include "netmap/dns.h"
#include "netmap/encode.h"

void put_item(struct netmap_session *s, struct json_out *o, const struct netmap_access *a,
              const struct netmap_item *item)
{
    if (item->patch)
        encode_patch(o, item->node, item->patch);
    else
        put_peer(s, o, a, item->node, &item->view);
}

void put_rest(struct netmap_session *s, struct json_out *o, const struct netmap_access *a,
              const struct netmap_worker *w, const struct netmap_update *update)
{
    if (update->derp)
        put_derp(o, a, s->client.cap_version);
    if (update->dns)
        put_dns(o, a);
    if (w->removed.len) {
        json_key(o, "PeersRemoved");
        json_open(o, '[');
        for (size_t i = 0; i < w->removed.len; i++)
            json_u64(o, w->removed.items[i]);
        json_close(o, ']');
    }
    if (update->profiles.len)
        put_profiles(o, a, &update->profiles);
}

void name_rest(struct netmap_session *s, const struct netmap_access *a, struct netmap_worker *w,
               const struct netmap_update *update, char kind)
{
    struct buf *key = &w->key;

    buf_clear(key);
    buf_addc(key, kind);
    buf_addc(key, (char)(s->client.zstd | (s->client.cap_version >= 115) << 1 | update->dns << 2 | update->derp << 3 |
                         (update->dns && dns_is_own(a)) << 4));
    if (update->dns || update->derp) {
        key_u64(key, a->snapshot->settings->dns_version);
        key_u64(key, a->snapshot->settings->derp_version);
    }
    key_u64(key, w->removed.len);
    for (size_t i = 0; i < w->removed.len && key->len <= KEY_SIZE_MAX; i++)
        key_u64(key, w->removed.items[i]);
    if (update->profiles.len)
        key_u64(key, a->snapshot->users_version);
    for (size_t i = 0; i < update->profiles.len && key->len <= KEY_SIZE_MAX; i++)
        key_u64(key, update->profiles.items[i]);
}

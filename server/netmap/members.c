/* SPDX-License-Identifier: BSD-3-Clause */
#include "netmap/members.h"

#include <stdlib.h>

#include "netmap/dns.h"
#include "netmap/encode.h"

void put_peer(struct netmap_session *s, struct json_out *o, const struct netmap_access *a,
              const struct tailnet_node *peer, const struct peer_view *view)
{
    if (view->hash) {
        encode_peer(o, a->snapshot, peer, &view->routes, view->no_ipv4);
        return;
    }
    struct chunk *json = fragment_get(s->nm, a->snapshot, peer);
    json_raw(o, (const char *)json->data, json->len);
    chunk_unref(json);
}

/* The parts of its own node that a client must be sent when they change. The rest (endpoints, disco key, services) came
 * from the client itself, and each own node costs the client a rebuild. */
static uint64_t self_hash(const struct netmap_access *a, const struct tailnet_node *self)
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
    free(record); /* its texts and sets belong to the original */
    return hash;
}

bool put_self(struct netmap_session *s, struct json_out *o, const struct netmap_access *a,
              const struct tailnet_node *self, bool first)
{
    uint64_t hash = self_hash(a, self);

    if (!first && hash == s->self_hash && !s->exits_changed)
        return false;
    s->exits_changed = false;
    s->self_hash = hash;
    json_key(o, "Node");
    encode_self(o, a, self);
    return true;
}

bool put_ssh(struct netmap_session *s, struct json_out *o, const struct netmap_access *a,
             const struct tailnet_node *self, bool first)
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

bool put_own_dns(struct netmap_session *s, struct json_out *o, const struct netmap_access *a,
                 const struct tailnet_node *self, bool first)
{
    struct buf text = BUF_INIT(0);
    struct json_out own = JSON_OUT(&text);
    uint64_t hash = 0;

    if (dns_is_own(a)) {
        dns_put_own(&own, a, self);
        hash = map_hash(text.data, text.len);
    }
    /* What everyone is sent replaces its own configuration. */
    bool write = (hash && first) || hash != s->dns_hash;
    s->dns_hash = hash;
    if (write && hash)
        dns_put_own(o, a, self);
    else if (write)
        json_key(o, "DNSConfig"), json_raw(o, a->snapshot->settings->dns_json, strlen(a->snapshot->settings->dns_json));
    buf_release(&text);
    return write;
}

void put_profiles(struct json_out *o, const struct netmap_access *a, const struct netmap_owners *owners)
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

/* The client cannot check a pinned certificate (before capability version 115): it is told not to check. Relayed
 * traffic is encrypted end to end in any case. */
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

void put_derp(struct json_out *o, const struct netmap_access *a, unsigned cap_version)
{
    const char *text = a->snapshot->settings->derp_json;
    json_t *map;

    json_key(o, "DERPMap");
    if (cap_version >= 115 || a->snapshot->settings->strict_relay || !strstr(text, "sha256-raw:") ||
        json_read_large(text, strlen(text), 16u << 20, "DERP map", &map, NULL) < 0) {
        json_raw(o, text, strlen(text));
        return;
    }
    relax_pins(map);
    char *relaxed = json_compact(map);
    json_raw(o, relaxed, strlen(relaxed));
    free(relaxed);
    json_decref(map);
}

void put_dns(struct json_out *o, const struct netmap_access *a)
{
    if (!dns_is_own(a)) {
        json_key(o, "DNSConfig");
        json_raw(o, a->snapshot->settings->dns_json, strlen(a->snapshot->settings->dns_json));
    }
    if (*a->snapshot->settings->domain)
        json_put_str(o, "Domain", a->snapshot->settings->domain);
    if (!a->snapshot->settings->logtail) {
        json_key(o, "Debug");
        json_raw(o, "{\"DisableLogTail\":true}", 23);
    }
}

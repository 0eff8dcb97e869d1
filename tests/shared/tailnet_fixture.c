/* SPDX-License-Identifier: BSD-3-Clause */
#include "shared/tailnet_fixture.h"

#include <stdio.h>
#include <stdlib.h>

void test_tailnet_start(struct test_tailnet *w)
{
    *w = (struct test_tailnet){.tailnet = tailnet_new()};
    struct tailnet_settings *set = settings_new();

    mem_replace(&set->server_url, "http://127.0.0.1:8080");
    mem_replace(&set->domain, "127.0.0.1");
    mem_replace(&set->base_domain, "tn.example.com");
    mem_replace(&set->dns_json,
                "{\"Routes\":{\"tn.example.com\":[]},\"Domains\":[\"tn.example.com\"],\"Proxied\":true}");
    mem_replace(&set->derp_json,
                "{\"Regions\":{\"900\":{\"RegionID\":900,\"RegionCode\":\"lab\",\"RegionName\":\"Lab\",\"Nodes\":[{"
                "\"Name\":\"900a\",\"RegionID\":900,\"HostName\":\"r-1.relay.invalid\",\"CertName\":\"sha256-raw:00\","
                "\"IPv4\":\"192.0.2.10\",\"STUNPort\":3478,\"DERPPort\":8443}]}}}");
    w->next = snapshot_edit(NULL);
    snapshot_set_settings(w->next, set);
    settings_unref(set);
    test_tailnet_note(w, CHANGE_DNS | CHANGE_DERP);
    test_tailnet_publish(w);
}

static struct tailnet_snapshot *next(struct test_tailnet *w)
{
    if (!w->next) {
        const struct tailnet_snapshot *now = tailnet_pin(w->tailnet);
        w->next = snapshot_edit(now);
        tailnet_unpin(now);
    }
    return w->next;
}

void test_tailnet_stop(struct test_tailnet *w)
{
    if (w->next)
        tailnet_unpin(w->next);
    tailnet_free(w->tailnet);
    for (size_t i = 0; i < w->users.len; i++)
        record_unref(w->users.items[i]);
    vec_release(&w->users);
    vec_release(&w->changes);
}

struct user *test_tailnet_user(struct test_tailnet *w, uint64_t id, const char *name)
{
    struct user *u = user_new();

    u->r.id = id;
    mem_replace(&u->name, name);
    u->role = id == 1 ? ROLE_OWNER : ROLE_MEMBER;
    vec_push(&w->users, u);
    snapshot_set_users(next(w), (const struct user *const *)(const void *)w->users.items, w->users.len);
    test_tailnet_note(w, CHANGE_USERS);
    w->next->users_version = w->seq;
    return u;
}

/* Looks random but is always the same, because real keys do not compress either. */
static void key_from(uint8_t key[KEY_LEN], uint64_t id, uint64_t salt)
{
    uint64_t x = (id + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ salt * UINT64_C(0xbf58476d1ce4e5b9);

    for (unsigned i = 0; i < KEY_LEN; i++) {
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        key[i] = (uint8_t)(x * UINT64_C(0x2545f4914f6cdd1d) >> 56);
    }
}

struct node *test_tailnet_node(uint64_t id, const char *name, uint64_t user_id)
{
    struct node *n = node_new();

    n->r.id = id;
    n->r.version = 1;
    key_from(n->machine_key, id, 1);
    key_from(n->node_key, id, 2);
    key_from(n->disco_key, id, 3);
    mem_replace(&n->hostname, name);
    mem_replace(&n->given_name, name);
    n->user_id = user_id;
    n->ipv4 = (struct addr){32, {100, (uint8_t)(64 + (id >> 16)), (uint8_t)(id >> 8), (uint8_t)id}};
    n->ipv6 =
        (struct addr){128,
                      {0xfd, 0x7a, 0x11, 0x5c, 0xa1,
                       0xe0, [12] = 0, [13] = (uint8_t)(id >> 16), [14] = (uint8_t)(id >> 8), [15] = (uint8_t)id}};
    n->created_ns = INT64_C(1767225600000000000) + (int64_t)id * 1000000000;
    n->cap_version = 133;
    free(n->peer_hostinfo);
    n->peer_hostinfo =
        mem_format("{\"OS\":\"linux\",\"Hostname\":\"%s\",\"Services\":[{\"Proto\":\"peerapi4\",\"Port\":%u},"
                   "{\"Proto\":\"peerapi6\",\"Port\":%u}]}",
                   name, 40000 + (unsigned)(id % 20000), 41000 + (unsigned)(id * 7 % 20000));
    return n;
}

struct node_live test_tailnet_live(uint64_t id)
{
    struct node_live live = {.online = true, .healthy = true, .home_derp = 900};

    live.endpoints = mem_alloc(sizeof(*live.endpoints));
    live.endpoints[0] = (struct addr_port){{32, {172, 20, (uint8_t)(id >> 8), (uint8_t)id}}, 41641};
    live.endpoint_count = 1;
    live.net_info = mem_strdup("");
    live.source = mem_strdup("");
    return live;
}

static void change(struct test_tailnet *w, uint32_t slot, uint64_t id, uint32_t mask, bool moved)
{
    vec_push(&w->changes,
             ((struct change){.seq = ++w->seq, .node_id = id, .slot = slot, .mask = mask, .route_moved = moved}));
}

struct prefix test_tailnet_prefix(const char *text)
{
    struct prefix p;

    if (prefix_parse(text, &p, NULL, NULL) < 0)
        abort();
    return p;
}

void test_tailnet_put(struct test_tailnet *w, uint32_t slot, struct node *n, const struct node_live *live,
                      const char *const *serving, uint32_t mask)
{
    struct tailnet_snapshot *s = next(w);
    struct prefixes routes = {0};
    const struct user *owner = n->user_id ? snapshot_user(s, n->user_id) : NULL;

    for (; serving && *serving; serving++) {
        struct prefix p = test_tailnet_prefix(*serving);
        prefixes_add(&routes, &p);
    }
    change(w, slot, n->r.id, mask, routes.len > 0);
    snapshot_set_node(s, slot, tailnet_node_new(slot, w->seq, n, owner, live, &routes, false), w->seq);
    record_unref(n);
    prefixes_release(&routes);
}

void test_tailnet_change(struct test_tailnet *w, uint32_t slot, struct node *n, const struct node_live *live,
                         const struct prefixes *serving, bool expired)
{
    struct tailnet_snapshot *s = next(w);
    const struct tailnet_node *before = snapshot_node(s, slot);
    struct tailnet_node *now = tailnet_node_new(
        slot, before->version, n, n->user_id ? snapshot_user(s, n->user_id) : NULL, live, serving, expired);
    uint32_t mask = tailnet_node_difference(before, now);

    if (mask) {
        change(w, slot, n->r.id, mask, false);
        now->version = w->seq;
    }
    snapshot_set_node(s, slot, now, now->version);
    record_unref(n);
}

void test_tailnet_remove(struct test_tailnet *w, uint32_t slot)
{
    struct tailnet_snapshot *s = next(w);
    const struct tailnet_node *n = snapshot_node(s, slot);

    change(w, slot, n->record->r.id, CHANGE_REMOVED, false);
    snapshot_set_node(s, slot, NULL, w->seq);
}

void test_tailnet_note(struct test_tailnet *w, uint32_t mask)
{
    change(w, TAILNET_SLOT_NONE, 0, mask, false);
}

void test_tailnet_publish(struct test_tailnet *w)
{
    struct tailnet_snapshot *s = next(w);

    s->seq = w->seq;
    w->next = NULL;
    tailnet_publish(w->tailnet, s, w->changes.items, w->changes.len);
    w->changes.len = 0;
}

void test_tailnet_fill(struct test_tailnet *w, uint32_t count)
{
    char name[32];

    test_tailnet_user(w, 1, "alice");
    for (uint32_t i = 0; i < count; i++) {
        struct node_live live = test_tailnet_live(i + 1);
        snprintf(name, sizeof(name), "node-%u", i + 1);
        test_tailnet_put(w, i, test_tailnet_node(i + 1, name, 1), &live, NULL, CHANGE_ADDED);
        node_live_release(&live);
    }
    test_tailnet_publish(w);
}

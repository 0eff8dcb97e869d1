/* SPDX-License-Identifier: BSD-3-Clause */
#include "shared/client/held_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/str.h"
#include "shared/client/tailcfg_types.h"

void held_map_init(struct held_map *m)
{
    *m = (struct held_map){.peers = json_object(), .filters = json_object(), .messages = json_object()};
}

void held_map_release(struct held_map *m)
{
    json_decref(m->self);
    json_decref(m->peers);
    json_decref(m->filters);
    json_decref(m->messages);
}

json_t *held_map_peer(const struct held_map *m, const char *id)
{
    return json_object_get(m->peers, id);
}

static const char *id_of(const json_t *node, const char *member)
{
    static char text[32];

    snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(json_object_get(node, member)));
    return text;
}

/* tailscale: control/controlclient/map.go, updatePeersStateFromResponse */
static void patch_peer(json_t *peer, const json_t *patch)
{
    static const char *const members[] = {"Endpoints", "Key", "DiscoKey", "Online", "LastSeen", "CapMap"};
    json_t *value;

    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if ((value = json_object_get(patch, members[i])))
            json_object_set(peer, members[i], value);
    if ((value = json_object_get(patch, "DERPRegion")))
        json_object_set(peer, "HomeDERP", value);
    value = json_object_get(patch, "KeyExpiry");
    if (value && str_eq(json_string_value(value), "0001-01-01T00:00:00Z"))
        json_object_del(peer, "KeyExpiry");
    else if (value)
        json_object_set(peer, "KeyExpiry", value);
}

/* tailscale: control/controlclient/map.go, peerChangeDiff: a whole node that the client already has is applied as a
 * patch if the differences can be expressed as one. False if they cannot. */
static bool patch_by_diff(json_t *was, const json_t *now)
{
    static const char *const whole[] = {"StableID", "Name",    "User", "Addresses", "AllowedIPs",
                                        "Hostinfo", "Created", "Tags", "Expired",   "PrimaryRoutes"};
    static const char *const given[] = {"Key", "DiscoKey", "Endpoints", "Cap", "CapMap", "KeyExpiry"};
    static const char *const both[] = {"Online", "LastSeen"};
    json_t *value;

    for (size_t i = 0; i < ARRAY_LEN(whole); i++) {
        const json_t *a = json_object_get(was, whole[i]), *b = json_object_get(now, whole[i]);
        if ((a || b) && !json_equal(a, b))
            return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(given); i++)
        if ((value = json_object_get(now, given[i])))
            json_object_set(was, given[i], value);
        else
            json_object_del(was, given[i]);
    if ((value = json_object_get(now, "HomeDERP")))
        json_object_set(was, "HomeDERP", value);
    for (size_t i = 0; i < ARRAY_LEN(both); i++)
        if ((value = json_object_get(now, both[i])) && json_object_get(was, both[i]))
            json_object_set(was, both[i], value);
    return true;
}

/* Members are set, null removes one, and "*" removes all of them before the others are applied. */
static void patch_named(json_t *held, const json_t *patch)
{
    const char *name;
    json_t *value;

    if (json_is_null(json_object_get(patch, "*")))
        json_object_clear(held);
    json_object_foreach((json_t *)(uintptr_t)patch, name, value)
    {
        if (json_is_null(value))
            json_object_del(held, name);
        else
            json_object_set(held, name, value);
    }
}

void held_map_apply(struct held_map *m, const json_t *message)
{
    const json_t *list;
    json_t *item;
    size_t i;

    if ((item = json_object_get(message, "Node"))) {
        json_decref(m->self);
        m->self = json_incref(item);
    }
    patch_named(m->filters, json_object_get(message, "PacketFilters"));
    patch_named(m->messages, json_object_get(message, "DisplayMessages"));
    list = json_object_get(message, "Peers");
    if (list)
        json_object_clear(m->peers);
    json_array_foreach(list, i, item) json_object_set_new(m->peers, id_of(item, "ID"), json_deep_copy(item));
    list = json_object_get(message, "PeersRemoved");
    json_array_foreach(list, i, item)
    {
        char id[32];
        snprintf(id, sizeof(id), "%lld", (long long)json_integer_value(item));
        json_object_del(m->peers, id);
    }
    list = json_object_get(message, "PeersChanged");
    json_array_foreach(list, i, item)
    {
        json_t *peer = json_object_get(m->peers, id_of(item, "ID"));
        if (!peer || !patch_by_diff(peer, item))
            json_object_set_new(m->peers, id_of(item, "ID"), json_deep_copy(item));
    }
    list = json_object_get(message, "PeersChangedPatch");
    json_array_foreach(list, i, item)
    {
        json_t *peer = json_object_get(m->peers, id_of(item, "NodeID"));
        if (peer)
            patch_peer(peer, item);
    }
}

/* The last-seen time of an online peer is not used. */
static void settle(json_t *peer)
{
    if (json_is_true(json_object_get(peer, "Online")))
        json_object_del(peer, "LastSeen");
}

static void compare_peer(const char *id, const json_t *held, const json_t *fresh, const char *after)
{
    json_t *a = json_deep_copy(held), *b = json_deep_copy(fresh);

    settle(a);
    settle(b);
    if (!json_equal(a, b)) {
        char *x = json_dumps(a, JSON_COMPACT), *y = json_dumps(b, JSON_COMPACT);
        /* Too long for the text of a failure. */
        print_error("a client holds\n  %s\nand a fresh map says\n  %s\n", x ? x : "(nothing)", y ? y : "(nothing)");
        fail_msg("after %s peer %s is another one to a client than in a fresh map", after, id);
    }
    json_decref(a);
    json_decref(b);
}

/* A client is not sent again what it sent itself. */
static void compare_self(const json_t *held, const json_t *fresh, const char *after)
{
    static const char *const members[] = {
        "Name",   "User",    "Key",           "KeyExpiry", "Addresses", "AllowedIPs",       "Tags",
        "CapMap", "Expired", "PrimaryRoutes", "Created",   "ID",        "MachineAuthorized"};

    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const json_t *a = json_object_get(held, members[i]), *b = json_object_get(fresh, members[i]);
        if (!json_equal(a, b) && (a || b))
            fail_msg("after %s a client holds another %s of itself than a fresh map says", after, members[i]);
    }
}

/* If Go cannot decode a single member, a client refuses the whole map. */
static void check_types(const json_t *node, const char *after)
{
    const char *bad = tailcfg_check_node(node);

    if (bad)
        fail_msg("after %s a map holds a %s that no client could decode", after, bad);
}

/* A part without rules is the same as none. */
static void compare_named(const char *what, const json_t *held, const json_t *fresh, const char *after)
{
    json_t *a = json_copy((json_t *)(uintptr_t)held),
           *b = fresh ? json_copy((json_t *)(uintptr_t)fresh) : json_object();
    json_t *both[] = {a, b}, *value;
    const char *name;
    void *next;

    for (size_t i = 0; i < 2; i++)
        json_object_foreach_safe(both[i], next, name, value) if (json_is_array(value) && !json_array_size(value))
            json_object_del(both[i], name);
    if (!json_equal(a, b)) {
        char *x = json_dumps(a, JSON_COMPACT), *y = json_dumps(b, JSON_COMPACT);
        fail_msg("after %s a client holds other %s\n  %s\nthan a fresh map says\n  %s", after, what, x ? x : "",
                 y ? y : "");
    }
    json_decref(a);
    json_decref(b);
}

void held_map_compare(const struct held_map *m, const json_t *fresh, const char *after)
{
    json_t *peers = json_object_get(fresh, "Peers"), *item;
    size_t i;

    assert_int_equal(json_object_size(m->peers), json_array_size(peers));
    json_array_foreach(peers, i, item)
    {
        check_types(item, after);
        compare_peer(id_of(item, "ID"), json_object_get(m->peers, id_of(item, "ID")), item, after);
    }
    check_types(json_object_get(fresh, "Node"), after);
    compare_self(m->self, json_object_get(fresh, "Node"), after);
    compare_named("PacketFilters", m->filters, json_object_get(fresh, "PacketFilters"), after);
    compare_named("DisplayMessages", m->messages, json_object_get(fresh, "DisplayMessages"), after);
}

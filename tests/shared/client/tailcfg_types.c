/* SPDX-License-Identifier: BSD-3-Clause */
#include "shared/client/tailcfg_types.h"

#include <assert.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/str.h"
#include "crypto/crypto.h"
#include "net/prefix.h"

typedef bool check_value(const json_t *v);

struct member {
    const char *name;
    check_value *check;
    const struct member *of; /* of an object, or of each item of a list */
    size_t count;
};

static bool is_int(const json_t *v)
{
    return json_is_integer(v);
}

static bool is_uint16(const json_t *v)
{
    return json_is_integer(v) && json_integer_value(v) >= 0 && json_integer_value(v) <= UINT16_MAX;
}

static bool is_float(const json_t *v)
{
    return json_is_number(v);
}

static bool is_bool(const json_t *v)
{
    return json_is_boolean(v);
}

static bool is_text(const json_t *v)
{
    return json_is_string(v);
}

static bool is_time(const json_t *v)
{
    int64_t ns;

    return json_is_string(v) && time_parse(json_string_value(v), &ns, "time", NULL) == 0;
}

static bool is_key(const json_t *v, const char *kind)
{
    uint8_t key[CRYPTO_KEY_LEN];
    const char *text = json_string_value(v);

    return text && str_starts(text, kind) &&
           crypto_unhex(text + strlen(kind), strlen(text + strlen(kind)), key, sizeof(key));
}

static bool is_node_key(const json_t *v)
{
    return is_key(v, "nodekey:");
}

static bool is_disco_key(const json_t *v)
{
    return is_key(v, "discokey:");
}

static bool is_prefix(const json_t *v)
{
    struct prefix p;

    return json_is_string(v) && prefix_parse(json_string_value(v), &p, NULL, NULL) == 0;
}

static bool is_addr_port(const json_t *v)
{
    struct addr_port a;

    return json_is_string(v) && addr_port_parse(json_string_value(v), &a, NULL) == 0;
}

static bool each(const json_t *v, check_value *check)
{
    const json_t *item;
    size_t i;

    json_array_foreach(v, i, item)
    {
        if (!check(item))
            return false;
    }
    return json_is_array(v);
}

static bool is_texts(const json_t *v)
{
    return each(v, is_text);
}

static bool is_prefixes(const json_t *v)
{
    return each(v, is_prefix);
}

static bool is_addr_ports(const json_t *v)
{
    return each(v, is_addr_port);
}

/* map[NodeCapability][]RawMessage */
static bool is_cap_map(const json_t *v)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)v, key, value)
    {
        if (!json_is_array(value) && !json_is_null(value))
            return false;
    }
    return json_is_object(v);
}

static bool is_object(const json_t *v)
{
    return json_is_object(v);
}

static bool is_array(const json_t *v)
{
    return json_is_array(v);
}

static const struct member service[] = {{"Proto", is_text, NULL, 0}, {"Port", is_uint16, NULL, 0}};
static const struct member location[] = {
    {"Country", is_text, NULL, 0},  {"CountryCode", is_text, NULL, 0}, {"City", is_text, NULL, 0},
    {"CityCode", is_text, NULL, 0}, {"Latitude", is_float, NULL, 0},   {"Longitude", is_float, NULL, 0},
    {"Priority", is_int, NULL, 0},
};
static const struct member hostinfo[] = {
    {"OS", is_text, NULL, 0},
    {"Hostname", is_text, NULL, 0},
    {"Services", is_array, service, ARRAY_LEN(service)},
    {"sshHostKeys", is_texts, NULL, 0},
    {"Location", is_object, location, ARRAY_LEN(location)},
    {"AppConnector", is_bool, NULL, 0},
    {"RequestTags", is_texts, NULL, 0},
    {"RoutableIPs", is_prefixes, NULL, 0},
};
static const struct member node[] = {
    {"ID", is_int, NULL, 0},
    {"StableID", is_text, NULL, 0},
    {"Name", is_text, NULL, 0},
    {"User", is_int, NULL, 0},
    {"Key", is_node_key, NULL, 0},
    {"KeyExpiry", is_time, NULL, 0},
    {"DiscoKey", is_disco_key, NULL, 0},
    {"Addresses", is_prefixes, NULL, 0},
    {"AllowedIPs", is_prefixes, NULL, 0},
    {"Endpoints", is_addr_ports, NULL, 0},
    {"HomeDERP", is_int, NULL, 0},
    {"Hostinfo", is_object, hostinfo, ARRAY_LEN(hostinfo)},
    {"Created", is_time, NULL, 0},
    {"Cap", is_int, NULL, 0},
    {"Tags", is_texts, NULL, 0},
    {"PrimaryRoutes", is_prefixes, NULL, 0},
    {"LastSeen", is_time, NULL, 0},
    {"Online", is_bool, NULL, 0},
    {"MachineAuthorized", is_bool, NULL, 0},
    {"CapMap", is_cap_map, NULL, 0},
    {"Expired", is_bool, NULL, 0},
};

static const char *check_object(const json_t *object, const struct member *members, size_t count);

static const char *check_member(const json_t *v, const struct member *m)
{
    const json_t *item;
    size_t i;

    if (json_is_null(v)) /* Go leaves the member unchanged */
        return NULL;
    if (!m->check(v))
        return m->name;
    if (m->of && json_is_object(v))
        return check_object(v, m->of, m->count);
    json_array_foreach(v, i, item)
    {
        const char *bad = m->of ? check_object(item, m->of, m->count) : NULL;
        if (bad)
            return bad;
    }
    return NULL;
}

static const char *check_object(const json_t *object, const struct member *members, size_t count)
{
    const char *key;
    json_t *value;

    if (!json_is_object(object))
        return "an item that is no object";
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        const char *bad = key;
        for (size_t i = 0; i < count; i++) {
            assert(members[i].name);
            if (str_eq(members[i].name, key))
                bad = check_member(value, &members[i]);
        }
        if (bad)
            return bad;
    }
    return NULL;
}

const char *tailcfg_check_node(const json_t *n)
{
    return check_object(n, node, ARRAY_LEN(node));
}

const char *tailcfg_check_hostinfo(const json_t *h)
{
    return check_object(h, hostinfo, ARRAY_LEN(hostinfo));
}

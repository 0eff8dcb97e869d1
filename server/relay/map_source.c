/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/map_source.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "config/config.h"

#define REGION_MAX 65535 /* clients store the number in 16 bits */

enum map_field_kind { KIND_TEXT, KIND_INT, KIND_BOOL, KIND_REAL };

struct map_field {
    const char *name;
    enum map_field_kind kind;
};

/* tailcfg.DERPRegion and tailcfg.DERPNode */
static const struct map_field region_fields[] = {
    {"RegionCode", KIND_TEXT}, {"RegionName", KIND_TEXT}, {"Latitude", KIND_REAL},
    {"Longitude", KIND_REAL},  {"Avoid", KIND_BOOL},      {"NoMeasureNoHome", KIND_BOOL},
};
static const struct map_field node_fields[] = {
    {"Name", KIND_TEXT},       {"HostName", KIND_TEXT},  {"CertName", KIND_TEXT},         {"IPv4", KIND_TEXT},
    {"IPv6", KIND_TEXT},       {"STUNPort", KIND_INT},   {"STUNOnly", KIND_BOOL},         {"DERPPort", KIND_INT},
    {"STUNTestIP", KIND_TEXT}, {"CanPort80", KIND_BOOL}, {"InsecureForTests", KIND_BOOL},
};

static json_t *member(const json_t *object, const char *name)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (strcasecmp(key, name) == 0)
            return value;
    }
    return NULL;
}

static bool fits(const json_t *value, enum map_field_kind kind)
{
    switch (kind) {
    case KIND_TEXT:
        return json_is_string(value);
    case KIND_INT:
        return json_is_integer(value) && json_integer_value(value) >= -1 && json_integer_value(value) <= 65535;
    case KIND_BOOL:
        return json_is_boolean(value);
    case KIND_REAL:
        return json_is_number(value);
    }
    return false;
}

static int copy_fields(json_t *to, const json_t *from, const struct map_field *fields, size_t count, const char *where,
                       struct err *e)
{
    for (size_t i = 0; i < count; i++) {
        json_t *value = member(from, fields[i].name);
        if (!value || json_is_null(value))
            continue;
        /* In YAML a code such as 900 is a number unless it is quoted. */
        json_t *text = fields[i].kind == KIND_TEXT && json_is_integer(value)
                           ? json_sprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value))
                           : NULL;
        if (!text && !fits(value, fields[i].kind))
            return err_field(e, ERR_INVALID, fields[i].name, "%s: %s is not what it should be", where, fields[i].name);
        json_object_set(to, fields[i].name, text ? text : value);
        json_decref(text);
    }
    return 0;
}

static int read_nodes(json_t *region, const json_t *from, const char *id, struct err *e)
{
    json_t *nodes = json_array(), *list = member(from, "Nodes"), *one;
    size_t i;

    json_object_set_new(region, "Nodes", nodes);
    if (list && !json_is_null(list) && !json_is_array(list))
        return err_field(e, ERR_INVALID, "Nodes", "region %s: Nodes is no list", id);
    json_array_foreach(list, i, one)
    {
        json_t *node = json_object();
        json_array_append_new(nodes, node);
        if (!json_is_object(one) || !json_is_string(member(one, "HostName")) || !json_is_string(member(one, "Name")))
            return err_field(e, ERR_INVALID, "HostName", "region %s: node %zu has no Name or HostName", id, i + 1);
        /* Clients record latency under the node's number: with another one than the region's it would be useless. */
        json_object_set(node, "RegionID", json_object_get(region, "RegionID"));
        int rc = copy_fields(node, one, node_fields, ARRAY_LEN(node_fields), json_text(one, "Name", id), e);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int read_region(json_t *into, const char *id, const json_t *from, struct err *e)
{
    uint64_t number;
    json_t *region = json_object();

    json_object_set_new(into, id, region);
    if (str_u64(id, 1, REGION_MAX, &number, "RegionID", e) < 0)
        return ERR_INVALID;
    if (json_is_null(from)) {
        json_object_set_new(into, id, json_null());
        return 0;
    }
    if (!json_is_object(from))
        return err_field(e, ERR_INVALID, "Regions", "region %s is no object", id);
    json_object_set_new(region, "RegionID", json_integer((json_int_t)number));
    int rc = copy_fields(region, from, region_fields, ARRAY_LEN(region_fields), id, e);
    return rc < 0 ? rc : read_nodes(region, from, id, e);
}

int source_merge(json_t *regions, const char *text, size_t len, const char *what, struct err *e)
{
    struct buf json = BUF_INIT(SOURCE_MAX);
    json_t *map = NULL, *fresh = json_object(), *one;
    const char *id;
    int rc = config_yaml_json(text, len, &json, e);

    if (rc == 0)
        rc = json_read(json.data, json.len, SOURCE_MAX, what, &map, e);
    json_t *list = member(map, "Regions");
    if (rc == 0 && !json_is_object(list))
        rc = err_field(e, ERR_INVALID, "Regions", "there are no Regions");
    if (rc == 0)
        json_object_foreach(list, id, one)
        {
            if ((rc = read_region(fresh, id, one, e)) < 0)
                break;
        }
    if (rc == 0)
        json_object_foreach(fresh, id, one)
        {
            if (json_is_null(one))
                json_object_del(regions, id);
            else
                json_object_set(regions, id, one);
        }
    json_decref(fresh);
    json_decref(map);
    buf_release(&json);
    return rc;
}

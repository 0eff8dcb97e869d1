/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects as headscale up to 0.29 printed them: snake_case in the order of its message fields, numeric ids, times as
 * seconds and nanoseconds, empty members left out. */
#include <stdlib.h>

#include "base/clock.h"
#include "cli/output.h"

#define GO_ZERO_TIME INT64_C(-62135596800) /* the year 1, which Go has for "not set" */

enum how { AS_IS, AS_NUMBER, AS_TIME, AS_USER, AS_KEY, AS_METHOD };

struct field {
    const char *now, *then;
    enum how how;
};

static const struct field node_fields[] = {
    {"id", "id", AS_NUMBER},
    {"machineKey", "machine_key", AS_IS},
    {"nodeKey", "node_key", AS_IS},
    {"discoKey", "disco_key", AS_IS},
    {"ipAddresses", "ip_addresses", AS_IS},
    {"name", "name", AS_IS},
    {"user", "user", AS_USER},
    {"lastSeen", "last_seen", AS_TIME},
    {"expiry", "expiry", AS_TIME},
    {"preAuthKey", "pre_auth_key", AS_KEY},
    {"createdAt", "created_at", AS_TIME},
    {"registerMethod", "register_method", AS_METHOD},
    {"givenName", "given_name", AS_IS},
    {"online", "online", AS_IS},
    {"approvedRoutes", "approved_routes", AS_IS},
    {"availableRoutes", "available_routes", AS_IS},
    {"subnetRoutes", "subnet_routes", AS_IS},
    {"tags", "tags", AS_IS},
    {NULL, NULL, AS_IS},
};

static const struct field user_fields[] = {
    {"id", "id", AS_NUMBER},
    {"name", "name", AS_IS},
    {"createdAt", "created_at", AS_TIME},
    {"displayName", "display_name", AS_IS},
    {"email", "email", AS_IS},
    {"providerId", "provider_id", AS_IS},
    {"provider", "provider", AS_IS},
    {"profilePicUrl", "profile_pic_url", AS_IS},
    {NULL, NULL, AS_IS},
};

static const struct field key_fields[] = {
    {"user", "user", AS_USER},
    {"id", "id", AS_NUMBER},
    {"key", "key", AS_IS},
    {"reusable", "reusable", AS_IS},
    {"ephemeral", "ephemeral", AS_IS},
    {"used", "used", AS_IS},
    {"expiration", "expiration", AS_TIME},
    {"createdAt", "created_at", AS_TIME},
    {"aclTags", "acl_tags", AS_IS},
    {NULL, NULL, AS_IS},
};

static const struct field apikey_fields[] = {
    {"id", "id", AS_NUMBER},
    {"prefix", "prefix", AS_IS},
    {"expiration", "expiration", AS_TIME},
    {"createdAt", "created_at", AS_TIME},
    {"lastSeen", "last_seen", AS_TIME},
    {NULL, NULL, AS_IS},
};

static const struct field *const shapes[] = {
    [SHAPE_NODE] = node_fields,
    [SHAPE_USER] = user_fields,
    [SHAPE_PREAUTHKEY] = key_fields,
    [SHAPE_APIKEY] = apikey_fields,
};

static json_t *old_number(const json_t *value)
{
    const char *text = json_string_value(value);
    uint64_t number = 0;

    if (!text)
        return json_incref((json_t *)(uintptr_t)value);
    if (str_u64(text, 0, INT64_MAX, &number, "id", NULL) < 0)
        return json_integer(0);
    return json_integer((json_int_t)number);
}

static json_t *old_time(const json_t *value)
{
    int64_t ns = 0;
    json_t *time;

    if (!json_is_string(value) || time_parse(json_string_value(value), &ns, "time", NULL) < 0)
        return json_null();
    time = json_pack("{s:I}", "seconds", (json_int_t)(ns ? ns / NS_PER_SECOND : GO_ZERO_TIME));
    if (ns % NS_PER_SECOND)
        json_object_set_new(time, "nanos", json_integer(ns % NS_PER_SECOND));
    return time;
}

static json_t *old_method(const json_t *value)
{
    static const char *const names[] = {"REGISTER_METHOD_UNSPECIFIED", "REGISTER_METHOD_AUTH_KEY",
                                        "REGISTER_METHOD_CLI", "REGISTER_METHOD_OIDC"};

    for (int i = 0; i < 4; i++)
        if (json_is_string(value) && str_eq(json_string_value(value), names[i]))
            return json_integer(i);
    return json_integer(0);
}

static bool is_empty(const json_t *value)
{
    return json_is_null(value) || json_is_false(value) || (json_is_string(value) && json_string_length(value) == 0) ||
           (json_is_integer(value) && json_integer_value(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0);
}

static json_t *old_member(const json_t *value, enum how how, bool keep_empty)
{
    switch (how) {
    case AS_NUMBER:
        return old_number(value);
    case AS_TIME:
        return old_time(value);
    case AS_METHOD:
        return old_method(value);
    case AS_USER:
        return json_is_object(value) ? output_old(value, SHAPE_USER, keep_empty) : json_null();
    case AS_KEY:
        return json_is_object(value) ? output_old(value, SHAPE_PREAUTHKEY, keep_empty) : json_null();
    case AS_IS:
        break;
    }
    return json_incref((json_t *)(uintptr_t)value);
}

json_t *output_old(const json_t *value, enum shape shape, bool keep_empty)
{
    json_t *old, *item, *member;
    size_t i;

    if (shape == SHAPE_PLAIN || !(json_is_array(value) || json_is_object(value)))
        return json_incref((json_t *)(uintptr_t)value);
    if (json_is_array(value)) {
        if (json_array_size(value) == 0)
            return json_null();
        old = json_array();
        json_array_foreach(value, i, item) json_array_append_new(old, output_old(item, shape, keep_empty));
        return old;
    }
    old = json_object();
    for (const struct field *f = shapes[shape]; f->now; f++) {
        member = json_object_get(value, f->now);
        if (!member)
            continue;
        member = old_member(member, f->how, keep_empty);
        if (keep_empty || !is_empty(member))
            json_object_set(old, f->then, member);
        json_decref(member);
    }
    return old;
}

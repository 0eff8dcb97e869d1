/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/views/event_detail.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "json/json.h"

#define DETAIL_MAX (1U << 20) /* maximum bytes of JSON */

static void add_value(const json_t *value, struct buf *out);

static void add_members(const json_t *object, const char *between, struct buf *out)
{
    const char *name;
    const json_t *value;
    size_t count = 0;

    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        if (json_is_null(value))
            continue;
        buf_adds(out, count++ ? between : "");
        str_safe(out, name, strlen(name));
        buf_adds(out, ": ");
        add_value(value, out);
    }
}

static void add_value(const json_t *value, struct buf *out)
{
    const json_t *item;
    size_t i;

    if (json_is_string(value)) {
        str_safe(out, json_string_value(value), json_string_length(value));
    } else if (json_is_object(value)) {
        buf_addc(out, '(');
        add_members(value, ", ", out);
        buf_addc(out, ')');
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, item)
        {
            buf_adds(out, i ? ", " : "");
            add_value(item, out);
        }
    } else if (json_is_integer(value)) {
        buf_addf(out, "%lld", (long long)json_integer_value(value));
    } else if (json_is_real(value)) {
        buf_addf(out, "%g", json_real_value(value));
    } else if (json_is_boolean(value)) {
        buf_adds(out, json_is_true(value) ? "yes" : "no");
    }
}

/* The detail as an object; NULL if it is not one. The caller releases it. */
static json_t *read_detail(const char *json)
{
    json_t *root = NULL;

    if (!json || json_read(json, strlen(json), DETAIL_MAX, "detail", &root, NULL) < 0)
        return NULL;
    if (json_is_object(root))
        return root;
    json_decref(root);
    return NULL;
}

void event_detail(const char *json, struct buf *out)
{
    json_t *root = read_detail(json);

    if (root)
        add_members(root, "; ", out);
    json_decref(root);
}

void event_because(const char *json, struct buf *out)
{
    json_t *root = read_detail(json);
    const char *cause = json_text(root, "cause", "");
    json_int_t detected = json_integer_value(json_object_get(root, "detectionMs"));

    str_safe(out, cause, strlen(cause));
    if (detected > 0)
        buf_addf(out, "%sfound %lld ms after the last sign of life or the first lost probe", out->len ? ", " : "",
                 (long long)detected);
    json_decref(root);
}

/* The routers that a prefix moved from and to, by name. */
static void add_move(json_t *root, struct buf *out)
{
    const char *from = json_text(root, "fromName", ""), *to = json_text(root, "toName", "");

    if (!*from && !*to)
        return;
    buf_adds(out, "from ");
    str_safe(out, *from ? from : "nobody", strlen(*from ? from : "nobody"));
    buf_adds(out, " to ");
    str_safe(out, *to ? to : "nobody", strlen(*to ? to : "nobody"));
}

void event_effect(const char *json, struct buf *out)
{
    static const char *const said[] = {"cause", "detectionMs", "fromName", "toName"};
    json_t *root = read_detail(json);

    if (root) {
        add_move(root, out);
        if (out->len) {
            json_object_del(root, "from");
            json_object_del(root, "to");
        }
        for (size_t i = 0; i < ARRAY_LEN(said); i++)
            json_object_del(root, said[i]);
        if (out->len && json_object_size(root))
            buf_adds(out, "; ");
        add_members(root, "; ", out);
    }
    json_decref(root);
}

void event_object(const char *object, uint64_t id, const char *name, struct buf *out)
{
    static const char *const keys[][2] = {{"apikey", "API key"}, {"preauthkey", "pre-auth key"}};

    for (size_t i = 0; id && i < ARRAY_LEN(keys); i++)
        if (str_eq(object, keys[i][0])) {
            buf_addf(out, "%s %llu", keys[i][1], (unsigned long long)id);
            return;
        }
    buf_addf(out, "%s%s%s", object, str_eq(object, name) ? "" : " ", str_eq(object, name) ? "" : name);
}

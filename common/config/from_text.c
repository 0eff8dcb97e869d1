/* SPDX-License-Identifier: BSD-3-Clause */
/* Values from one text, as environment variables and defaults have them. */
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"
#include "config/keys.h"
#include "config/read.h"
#include "json/json.h"

#define JSON_MAX (1u << 20)

/* The text of a JSON value that stands alone, the caller's; NULL for a list, an object or nothing. */
static char *scalar_text(const json_t *value)
{
    if (json_is_string(value))
        return mem_strdup(json_string_value(value));
    return json_is_number(value) || json_is_boolean(value) ? json_compact(value) : NULL;
}

static bool push_text(struct strs *to, const json_t *value)
{
    char *text = scalar_text(value);

    if (text)
        strs_push(to, text);
    free(text);
    return text != NULL;
}

static bool add_member(struct raw_value *v, const char *name, const json_t *value)
{
    struct raw_item *item = vec_add(v);
    json_t *one;
    size_t i;

    *item = (struct raw_item){.name = mem_strdup(name)};
    if (!json_is_array(value))
        return json_is_null(value) || push_text(&item->values, value);
    json_array_foreach(value, i, one) if (!push_text(&item->values, one)) return false;
    return true;
}

static bool add_object(struct raw_value *v, const json_t *object)
{
    struct raw_item *item = vec_add(v);
    const char *name;
    json_t *value;

    *item = (struct raw_item){.name = mem_strdup("")};
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        char *text = scalar_text(value);
        if (!text)
            return false;
        struct config_pair pair = {mem_strdup(name), text};
        vec_push(&item->fields, pair);
    }
    return json_is_object(object);
}

static bool add_all(const json_t *all, struct raw_value *v)
{
    const char *name;
    json_t *value;
    size_t i;

    if (v->shape == RAW_MAP) {
        json_object_foreach((json_t *)(uintptr_t)all, name, value) if (!add_member(v, name, value)) return false;
        return json_is_object(all);
    }
    json_array_foreach(all, i, value)
    {
        bool good = v->shape == RAW_OBJECTS ? add_object(v, value) : !json_is_array(value) && add_member(v, "", value);
        if (!good || (v->shape == RAW_LIST && v->items[i].values.len != 1))
            return false;
    }
    return json_is_array(all);
}

static int from_json(const struct config_key *key, const char *text, struct raw_value *v, struct err *e)
{
    static const char *const wanted[] = {
        [RAW_LIST] = "a JSON list such as [\"a\", \"b\"]",
        [RAW_MAP] = "a JSON object such as {\"a\": \"b\"}",
        [RAW_OBJECTS] = "a JSON list of objects such as [{\"name\": \"a.example.com\", \"value\": \"100.64.0.3\"}]"};
    json_t *all = NULL;
    int r = json_read(text, strlen(text), JSON_MAX, key->name, &all, e);

    v->shape = value_shape(key);
    if (r == 0 && !add_all(all, v))
        r = value_wrong(e, key, text, wanted[v->shape]);
    json_decref(all);
    return r;
}

int value_split(const struct config_key *key, const char *text, struct raw_value *v, struct err *e)
{
    if (text[0] == '[' && (text[strspn(text + 1, " \t\r\n") + 1] == '"' || text[1] == ']'))
        return from_json(key, text, v, e);
    v->shape = RAW_LIST;
    for (const char *at = text;;) {
        at += strspn(at, " \t\r\n");
        size_t n = strcspn(at, " \t\r\n");
        if (n == 0)
            return 0;
        struct raw_item item = {.name = mem_strdup("")};
        char *one = mem_strndup(at, n);
        strs_push(&item.values, one);
        free(one);
        vec_push(v, item);
        at += n;
    }
}

int value_set_text(struct config *c, const struct config_key *key, const char *text, const char *dir,
                   struct value_skips *skips, struct err *e)
{
    struct raw_value v = {.shape = RAW_SCALAR};
    enum raw_shape shape = value_shape(key);
    int r = 0;

    if (shape == RAW_LIST)
        r = value_split(key, text, &v, e);
    else if (shape != RAW_SCALAR && *text)
        r = from_json(key, text, &v, e);
    else
        v.text = mem_strdup(text);
    if (r == 0)
        r = value_set(c, key, &v, dir, skips, e);
    raw_release(&v);
    return r;
}

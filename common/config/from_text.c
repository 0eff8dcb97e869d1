/* SPDX-License-Identifier: BSD-3-Clause */
/* Values from a single string, as in environment variables and defaults. */
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"
#include "config/keys.h"
#include "config/read.h"
#include "json/json.h"

#define JSON_MAX (1u << 20)
#define TEXT_MAX (64u << 10) /* of a nested value */

/* The text of a JSON scalar, caller frees; NULL for a list, an object or null. */
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
            text = json_is_null(value) ? mem_strdup("") : json_compact(value);
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

/* ---- oidc.providers: each object has the members that stand alone below oidc for a single provider ---- */

static const struct config_key *member_key(const char *name)
{
    const struct config_key *key;

    for (size_t i = 0; (key = provider_key(i)); i++)
        if (strcasecmp(provider_key_name(key), name) == 0)
            return key;
    return NULL;
}

struct provider_reader {
    const struct config_key *key; /* of the list */
    size_t index;
    struct config *scratch; /* its flat provider receives the values */
    struct value_skips *skips;
    struct err *e;
};

static int read_member(struct provider_reader *r, const char *name, const char *text)
{
    const struct config_key *key = member_key(name);
    struct err why = {0};

    if (!key)
        return err_field(r->e, ERR_INVALID, r->key->name, "%s[%zu]: a provider has no \"%.60s\"", r->key->name,
                         r->index, name);
    if (value_set_text(r->scratch, key, text, "", r->skips, &why) < 0)
        return err_field(r->e, ERR_INVALID, r->key->name, "%s[%zu]: %s", r->key->name, r->index, why.message);
    return 0;
}

/* A group of members: "pkce: {enabled: true}". */
static int read_group(struct provider_reader *r, const char *name, const char *text)
{
    json_t *group = NULL, *value;
    const char *member;
    int rc = json_read(text, strlen(text), TEXT_MAX, r->key->name, &group, r->e);

    json_object_foreach(group, member, value)
    {
        char *whole = mem_format("%s.%s", name, member);
        char *one = json_is_string(value) ? mem_strdup(json_string_value(value)) : json_compact(value);
        if (rc == 0)
            rc = read_member(r, whole, one);
        free(one);
        free(whole);
    }
    json_decref(group);
    return rc;
}

static int read_field(struct provider_reader *r, const struct config_pair *field)
{
    char *group = mem_format("oidc.%s", field->name);
    bool is_group = key_has_child(group) && *field->value == '{';

    free(group);
    return is_group ? read_group(r, field->name, field->value) : read_member(r, field->name, field->value);
}

static int read_one(struct provider_reader *r, const struct raw_item *item)
{
    const struct config_key *key;
    int rc = 0;

    for (size_t i = 0; (key = provider_key(i)); i++)
        if (value_set_text(r->scratch, key, key->fallback, "", NULL, r->e) < 0)
            return ERR_INVALID;
    mem_replace(&r->scratch->oidc.flat.name, "");
    for (size_t i = 0; rc == 0 && i < item->fields.len; i++)
        rc = read_field(r, &item->fields.items[i]);
    return rc;
}

int read_providers(const struct config_key *key, const struct raw_value *v, void *out, struct value_skips *skips,
                   struct err *e)
{
    struct config *scratch = mem_alloc(sizeof(*scratch));
    struct provider_reader r = {.key = key, .scratch = scratch, .skips = skips, .e = e};
    int rc = 0;

    for (r.index = 0; rc == 0 && r.index < v->len; r.index++)
        if ((rc = read_one(&r, &v->items[r.index])) == 0)
            provider_copy(vec_add((struct config_providers *)out), &scratch->oidc.flat);
    provider_free(&scratch->oidc.flat);
    free(scratch);
    return rc;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes a configuration as a file: the keys that were given, with the values that were read. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config/keys.h"
#include "json/json.h"

/* JSON is valid YAML, so strings need no other quoting. */
static void put_list(struct json_out *o, const struct strs *list)
{
    json_open(o, '[');
    for (size_t i = 0; i < list->len; i++)
        json_str(o, list->items[i]);
    json_close(o, ']');
}

static void put_map(struct json_out *o, const struct config_pairs *map)
{
    json_open(o, '{');
    for (size_t i = 0; i < map->len; i++)
        json_put_str(o, map->items[i].name, map->items[i].value);
    json_close(o, '}');
}

static void put_split(struct json_out *o, const struct config_splits *splits)
{
    json_open(o, '{');
    for (size_t i = 0; i < splits->len; i++) {
        json_key(o, splits->items[i].domain);
        put_list(o, &splits->items[i].servers);
    }
    json_close(o, '}');
}

static void put_records(struct json_out *o, const struct config_records *records)
{
    json_open(o, '[');
    for (size_t i = 0; i < records->len; i++) {
        json_open(o, '{');
        json_put_str(o, "name", records->items[i].name);
        json_put_str(o, "type", records->items[i].type);
        json_put_str(o, "value", records->items[i].value);
        json_close(o, '}');
    }
    json_close(o, ']');
}

static void put_at(const struct config_key *key, const void *value, bool hide, struct buf *out);

static void put_providers(const struct config_providers *list, bool hide, struct json_out *o)
{
    const struct config_key *key;

    json_open(o, '[');
    for (size_t i = 0; i < list->len; i++) {
        json_open(o, '{');
        for (size_t k = 0; (key = provider_key(k)); k++) {
            struct buf text = BUF_INIT(0);
            put_at(key, provider_member(&list->items[i], key), hide, &text);
            json_key(o, provider_key_name(key));
            json_raw(o, buf_text(&text), text.len);
            buf_release(&text);
        }
        json_close(o, '}');
    }
    json_close(o, ']');
}

static void put_prefixes(struct json_out *o, const struct prefixes *set)
{
    char text[PREFIX_TEXT_MAX];

    json_open(o, '[');
    for (size_t i = 0; i < set->len; i++)
        json_str(o, prefix_format(&set->items[i], text));
    json_close(o, ']');
}

/* hide: replace secrets with "(hidden)". */
static void put_at(const struct config_key *key, const void *value, bool hide, struct buf *out)
{
    struct json_out o = JSON_OUT(out);
    struct buf text = BUF_INIT(0);

    switch (key->type) {
    case TYPE_BOOL:
    case TYPE_INT:
        value_write(key, value, out);
        break;
    case TYPE_PROVIDERS:
        put_providers(value, hide, &o);
        break;
    case TYPE_MAP:
        put_map(&o, value);
        break;
    case TYPE_SPLIT:
        put_split(&o, value);
        break;
    case TYPE_RECORDS:
        put_records(&o, value);
        break;
    case TYPE_PREFIXES:
        put_prefixes(&o, value);
        break;
    case TYPE_LIST:
    case TYPE_SERVERS:
    case TYPE_DOMAINS:
    case TYPE_URLS:
    case TYPE_ORIGINS:
        put_list(&o, value);
        break;
    default:
        value_write(key, value, &text);
        json_str(&o, hide && key->secret && text.len ? "(hidden)" : buf_text(&text));
        break;
    }
    buf_release(&text);
}

static void put_value(const struct config *c, const struct config_key *key, bool hide, struct buf *out)
{
    put_at(key, (const char *)c + key->offset, hide, out);
}

/* Writes the lines of the groups that contain name but not the previous key, then the name of the value. */
static const char *open_groups(const char *before, const char *name, struct buf *out)
{
    const char *at = name;
    int depth = 0;
    bool common = true;

    for (const char *dot; (dot = strchr(at, '.')); at = dot + 1, depth++) {
        size_t front = (size_t)(dot + 1 - name);
        common = common && strncmp(before, name, front) == 0;
        if (!common)
            buf_addf(out, "%*s%.*s:\n", 2 * depth, "", (int)(dot - at), at);
    }
    buf_addf(out, "%*s%s: ", 2 * depth, "", at);
    return name;
}

void config_write(const struct config *c, const struct config_override *overrides, size_t count, struct buf *out)
{
    struct strs names = {0};
    const char *before = "";

    strs_copy(&names, &c->given);
    for (size_t i = 0; i < count; i++)
        strs_push(&names, overrides[i].key);
    strs_sort(&names);
    for (size_t i = 0; i < names.len; i++) {
        const struct config_key *key = key_find(names.items[i]);
        const struct config_override *other = NULL;
        for (size_t k = 0; k < count; k++)
            if (str_eq(overrides[k].key, names.items[i]))
                other = &overrides[k];
        if (!key || (other ? !other->value : key->nowhere))
            continue;
        before = open_groups(before, key->name, out);
        if (other)
            buf_adds(out, other->value);
        else
            put_value(c, key, false, out);
        buf_addc(out, '\n');
    }
    strs_release(&names);
}

/* ---- for people ---- */

/* Closes the groups of before that do not contain name, opens those that do, and writes the name of the value. */
static void change_groups(const char *before, const char *name, struct json_out *o)
{
    size_t common = 0;

    for (size_t i = 0; before[i] && before[i] == name[i]; i++)
        if (name[i] == '.')
            common = i + 1;
    for (const char *dot = strchr(before + common, '.'); dot; dot = strchr(dot + 1, '.'))
        json_close(o, '}');
    for (const char *at = name + common, *dot; at; at = dot ? dot + 1 : NULL) {
        char word[64];
        dot = strchr(at, '.');
        snprintf(word, sizeof(word), "%.*s", (int)(dot ? dot - at : (ptrdiff_t)strlen(at)), at);
        json_key(o, word);
        if (dot)
            json_open(o, '{');
    }
}

static void describe_value(const struct config *c, const struct config_key *key, struct json_out *o)
{
    struct buf text = BUF_INIT(0);

    put_value(c, key, true, &text);
    json_raw(o, buf_text(&text), text.len);
    buf_release(&text);
}

void config_describe(const struct config *c, struct json_out *o)
{
    struct strs names = {0};
    const char *before = "";

    for (size_t i = 0; i < config_key_count; i++)
        if (!config_keys[i].nowhere)
            strs_push(&names, config_keys[i].name);
    strs_sort(&names);
    json_open(o, '{');
    for (size_t i = 0; i < names.len; i++) {
        change_groups(before, names.items[i], o);
        describe_value(c, key_find(names.items[i]), o);
        before = names.items[i];
    }
    for (const char *dot = strchr(before, '.'); dot; dot = strchr(dot + 1, '.'))
        json_close(o, '}');
    json_close(o, '}');
    strs_release(&names);
}

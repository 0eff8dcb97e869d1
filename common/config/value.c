/* SPDX-License-Identifier: BSD-3-Clause */
/* Values by type: set from YAML or text, written as text, copied, released. */
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/vec.h"
#include "config/keys.h"
#include "config/read.h"

static void *member_of(const struct config *c, const struct config_key *key)
{
    return (char *)(uintptr_t)c + key->offset;
}

/* ---- written ---- */

static void write_bool(const struct config_key *key, const void *value, struct buf *out)
{
    (void)key;
    buf_adds(out, *(const bool *)value ? "true" : "false");
}

static void write_int(const struct config_key *key, const void *value, struct buf *out)
{
    (void)key;
    buf_addf(out, "%lld", (long long)*(const int64_t *)value);
}

static void write_duration(const struct config_key *key, const void *value, struct buf *out)
{
    char text[TIME_TEXT_MAX];

    (void)key;
    buf_adds(out, duration_format(*(const int64_t *)value, text));
}

static void write_mode(const struct config_key *key, const void *value, struct buf *out)
{
    (void)key;
    buf_addf(out, "%04llo", (unsigned long long)*(const int64_t *)value);
}

static void write_enum(const struct config_key *key, const void *value, struct buf *out)
{
    const char *at = key->words;

    for (int64_t i = *(const int64_t *)value; i > 0; i--)
        at += strcspn(at, "|") + 1;
    buf_add(out, at, strcspn(at, "|"));
}

static void write_text(const struct config_key *key, const void *value, struct buf *out)
{
    const char *text = *(char *const *)value;

    (void)key;
    buf_adds(out, text ? text : "");
}

static void write_prefix(const struct config_key *key, const void *value, struct buf *out)
{
    const struct prefix *p = value;
    char text[PREFIX_TEXT_MAX];

    (void)key;
    if (p->addr.bits)
        buf_adds(out, prefix_format(p, text));
}

static void write_prefixes(const struct config_key *key, const void *value, struct buf *out)
{
    const struct prefixes *list = value;

    for (size_t i = 0; i < list->len; i++) {
        buf_adds(out, i ? " " : "");
        write_prefix(key, &list->items[i], out);
    }
}

static void write_list(const struct config_key *key, const void *value, struct buf *out)
{
    const struct strs *list = value;

    (void)key;
    for (size_t i = 0; i < list->len; i++)
        buf_addf(out, "%s%s", i ? " " : "", list->items[i]);
}

static void write_map(const struct config_key *key, const void *value, struct buf *out)
{
    const struct config_pairs *pairs = value;

    (void)key;
    for (size_t i = 0; i < pairs->len; i++)
        buf_addf(out, "%s%s=%s", i ? " " : "", pairs->items[i].name, pairs->items[i].value);
}

static void write_split(const struct config_key *key, const void *value, struct buf *out)
{
    const struct config_splits *splits = value;

    for (size_t i = 0; i < splits->len; i++) {
        buf_addf(out, "%s%s: ", i ? "; " : "", splits->items[i].domain);
        write_list(key, &splits->items[i].servers, out);
    }
}

static void write_records(const struct config_key *key, const void *value, struct buf *out)
{
    const struct config_records *records = value;

    (void)key;
    for (size_t i = 0; i < records->len; i++)
        buf_addf(out, "%s%s %s %s", i ? "; " : "", records->items[i].name, records->items[i].type,
                 records->items[i].value);
}

/* ---- released ---- */

static void free_text(void *value)
{
    free(*(char **)value);
}

static void free_prefixes(void *value)
{
    prefixes_release(value);
}

static void free_list(void *value)
{
    strs_release(value);
}

static void free_map(void *value)
{
    struct config_pairs *pairs = value;

    for (size_t i = 0; i < pairs->len; i++) {
        free(pairs->items[i].name);
        free(pairs->items[i].value);
    }
    free(pairs->items);
}

static void free_split(void *value)
{
    struct config_splits *splits = value;

    for (size_t i = 0; i < splits->len; i++) {
        free(splits->items[i].domain);
        strs_release(&splits->items[i].servers);
    }
    free(splits->items);
}

static void free_records(void *value)
{
    struct config_records *records = value;

    for (size_t i = 0; i < records->len; i++) {
        free(records->items[i].name);
        free(records->items[i].type);
        free(records->items[i].value);
    }
    free(records->items);
}

/* ---- copied ---- */

static void copy_text(void *to, const void *from)
{
    *(char **)to = mem_strdup(*(char *const *)from);
}

static void copy_prefixes(void *to, const void *from)
{
    prefixes_copy(to, from);
}

static void copy_list(void *to, const void *from)
{
    strs_copy(to, from);
}

static void copy_map(void *to, const void *from)
{
    const struct config_pairs *pairs = from;

    for (size_t i = 0; i < pairs->len; i++) {
        struct config_pair pair = {mem_strdup(pairs->items[i].name), mem_strdup(pairs->items[i].value)};
        vec_push((struct config_pairs *)to, pair);
    }
}

static void copy_split(void *to, const void *from)
{
    const struct config_splits *splits = from;

    for (size_t i = 0; i < splits->len; i++) {
        struct config_split *split = vec_add((struct config_splits *)to);
        *split = (struct config_split){.domain = mem_strdup(splits->items[i].domain)};
        strs_copy(&split->servers, &splits->items[i].servers);
    }
}

static void copy_records(void *to, const void *from)
{
    const struct config_records *records = from;

    for (size_t i = 0; i < records->len; i++) {
        const struct config_record *r = &records->items[i];
        struct config_record record = {mem_strdup(r->name), mem_strdup(r->type), mem_strdup(r->value)};
        vec_push((struct config_records *)to, record);
    }
}

static void value_clone(const struct config_key *key, void *to, const void *from); /* to is zeroed */
static void value_free(const struct config_key *key, void *value);

/* ---- providers: each of their members as the key that stands alone ---- */

void provider_copy(struct config_provider *to, const struct config_provider *from)
{
    const struct config_key *key;

    *to = (struct config_provider){0};
    for (size_t i = 0; (key = provider_key(i)); i++)
        value_clone(key, provider_member(to, key), provider_member(from, key));
}

void provider_free(struct config_provider *p)
{
    const struct config_key *key;

    for (size_t i = 0; (key = provider_key(i)); i++)
        value_free(key, provider_member(p, key));
}

static void write_providers(const struct config_key *key, const void *value, struct buf *out)
{
    const struct config_providers *list = value;
    const struct config_key *member;

    (void)key;
    for (size_t i = 0; i < list->len; i++)
        for (size_t k = 0; (member = provider_key(k)); k++) {
            buf_addf(out, "%s%s: ", k ? ", " : i ? "; " : "", provider_key_name(member));
            value_write(member, provider_member(&list->items[i], member), out);
        }
}

static void free_providers(void *value)
{
    struct config_providers *list = value;

    for (size_t i = 0; i < list->len; i++)
        provider_free(&list->items[i]);
    free(list->items);
}

static void copy_providers(void *to, const void *from)
{
    const struct config_providers *list = from;

    for (size_t i = 0; i < list->len; i++)
        provider_copy(vec_add((struct config_providers *)to), &list->items[i]);
}

static const struct type {
    int (*one)(const struct config_key *key, const char *text, void *out, struct err *e);
    int (*many)(const struct config_key *key, const struct raw_value *v, void *out, struct value_skips *skips,
                struct err *e);
    void (*write)(const struct config_key *key, const void *value, struct buf *out);
    void (*release)(void *value);
    void (*copy)(void *to, const void *from); /* NULL: copied as bytes */
    size_t size;
    enum raw_shape shape; /* the shape that many expects */
} types[TYPE_COUNT] = {
    [TYPE_BOOL] = {.one = read_bool, .write = write_bool, .size = sizeof(bool)},
    [TYPE_INT] = {.one = read_int, .write = write_int, .size = sizeof(int64_t)},
    [TYPE_DURATION] = {.one = read_duration, .write = write_duration, .size = sizeof(int64_t)},
    [TYPE_MODE] = {.one = read_mode, .write = write_mode, .size = sizeof(int64_t)},
    [TYPE_ENUM] = {.one = read_enum, .write = write_enum, .size = sizeof(int64_t)},
    [TYPE_WORD] =
        {.one = read_word, .write = write_text, .release = free_text, .copy = copy_text, .size = sizeof(char *)},
    [TYPE_TEXT] =
        {.one = read_text, .write = write_text, .release = free_text, .copy = copy_text, .size = sizeof(char *)},
    [TYPE_PATH] =
        {.one = read_text, .write = write_text, .release = free_text, .copy = copy_text, .size = sizeof(char *)},
    [TYPE_URL] =
        {.one = read_url, .write = write_text, .release = free_text, .copy = copy_text, .size = sizeof(char *)},
    [TYPE_LISTEN] =
        {.one = read_listen, .write = write_text, .release = free_text, .copy = copy_text, .size = sizeof(char *)},
    [TYPE_ADDR] =
        {.one = read_addr, .write = write_text, .release = free_text, .copy = copy_text, .size = sizeof(char *)},
    [TYPE_PREFIX] = {.one = read_prefix, .write = write_prefix, .size = sizeof(struct prefix)},
    [TYPE_PREFIXES] = {.many = read_prefixes,
                       .write = write_prefixes,
                       .release = free_prefixes,
                       .copy = copy_prefixes,
                       .size = sizeof(struct prefixes),
                       .shape = RAW_LIST},
    [TYPE_LIST] = {.many = read_list,
                   .write = write_list,
                   .release = free_list,
                   .copy = copy_list,
                   .size = sizeof(struct strs),
                   .shape = RAW_LIST},
    [TYPE_SERVERS] = {.many = read_servers,
                      .write = write_list,
                      .release = free_list,
                      .copy = copy_list,
                      .size = sizeof(struct strs),
                      .shape = RAW_LIST},
    [TYPE_DOMAINS] = {.many = read_domains,
                      .write = write_list,
                      .release = free_list,
                      .copy = copy_list,
                      .size = sizeof(struct strs),
                      .shape = RAW_LIST},
    [TYPE_URLS] = {.many = read_urls,
                   .write = write_list,
                   .release = free_list,
                   .copy = copy_list,
                   .size = sizeof(struct strs),
                   .shape = RAW_LIST},
    [TYPE_ORIGINS] = {.many = read_origins,
                      .write = write_list,
                      .release = free_list,
                      .copy = copy_list,
                      .size = sizeof(struct strs),
                      .shape = RAW_LIST},
    [TYPE_MAP] = {.many = read_map,
                  .write = write_map,
                  .release = free_map,
                  .copy = copy_map,
                  .size = sizeof(struct config_pairs),
                  .shape = RAW_MAP},
    [TYPE_SPLIT] = {.many = read_split,
                    .write = write_split,
                    .release = free_split,
                    .copy = copy_split,
                    .size = sizeof(struct config_splits),
                    .shape = RAW_MAP},
    [TYPE_RECORDS] = {.many = read_records,
                      .write = write_records,
                      .release = free_records,
                      .copy = copy_records,
                      .size = sizeof(struct config_records),
                      .shape = RAW_OBJECTS},
    [TYPE_PROVIDERS] = {.many = read_providers,
                        .write = write_providers,
                        .release = free_providers,
                        .copy = copy_providers,
                        .size = sizeof(struct config_providers),
                        .shape = RAW_OBJECTS},
};

void value_write(const struct config_key *key, const void *value, struct buf *out)
{
    types[key->type].write(key, value, out);
}

static void value_clone(const struct config_key *key, void *to, const void *from)
{
    if (types[key->type].copy)
        types[key->type].copy(to, from);
    else
        memcpy(to, from, types[key->type].size);
}

static void value_free(const struct config_key *key, void *value)
{
    if (types[key->type].release)
        types[key->type].release(value);
    memset(value, 0, types[key->type].size);
}

void value_release(struct config *c, const struct config_key *key)
{
    if (key->nowhere)
        return;
    if (types[key->type].release)
        types[key->type].release(member_of(c, key));
    memset(member_of(c, key), 0, types[key->type].size);
}

void value_text(const struct config *c, const struct config_key *key, struct buf *out)
{
    if (!key->nowhere)
        types[key->type].write(key, member_of(c, key), out);
}

void value_copy(struct config *c, const struct config *from, const struct config_key *key)
{
    const struct type *type = &types[key->type];

    if (key->nowhere)
        return;
    value_release(c, key);
    if (type->copy)
        type->copy(member_of(c, key), member_of(from, key));
    else
        memcpy(member_of(c, key), member_of(from, key), type->size);
}

bool value_is_given(const struct config_key *key, const struct raw_value *v)
{
    bool takes_empty = types[key->type].many || (key->type >= TYPE_TEXT && key->type <= TYPE_PREFIX);

    return v->shape != RAW_NULL && (v->shape != RAW_SCALAR || *v->text || takes_empty);
}

enum raw_shape value_shape(const struct config_key *key)
{
    return types[key->type].many ? types[key->type].shape : RAW_SCALAR;
}

static int set_many(const struct config_key *key, const struct raw_value *v, void *out, struct value_skips *skips,
                    struct err *e)
{
    struct raw_value list = {0};
    int r = 0;

    if (v->shape == RAW_SCALAR && types[key->type].shape == RAW_LIST) {
        r = value_split(key, v->text, &list, e);
        v = &list;
    }
    bool empty = v->shape == RAW_SCALAR ? !*v->text : v->len == 0;
    if (r == 0)
        r = v->shape == types[key->type].shape || empty
                ? types[key->type].many(key, v, out, skips, e)
                : err_field(e, ERR_INVALID, key->name, "%s must be %s", key->name,
                            types[key->type].shape == RAW_LIST  ? "a list"
                            : types[key->type].shape == RAW_MAP ? "a map"
                                                                : "a list of objects");
    raw_release(&list);
    return r;
}

int value_set(struct config *c, const struct config_key *key, const struct raw_value *v, const char *dir,
              struct value_skips *skips, struct err *e)
{
    const struct type *type = &types[key->type];
    union {
        bool flag;
        int64_t number;
        char *text;
        struct prefix prefix;
        struct prefixes prefixes;
        struct strs list;
        struct config_pairs pairs;
    } scratch = {0};
    char *path = NULL;

    _Static_assert(sizeof(scratch) >= sizeof(struct config_splits) && sizeof(scratch) >= sizeof(struct config_records),
                   "a value of each type fits");
    if (!value_is_given(key, v))
        return 0;
    assert(v->shape != RAW_SCALAR || v->text);
    if (type->one && v->shape != RAW_SCALAR)
        return err_field(e, ERR_INVALID, key->name, "%s must be one value, not a list or a map", key->name);
    if (key->type == TYPE_PATH && v->shape == RAW_SCALAR && *dir && *v->text && *v->text != '/')
        path = mem_format("%s/%s", dir, v->text);
    int r = type->one ? type->one(key, path ? path : v->text, &scratch, e) : set_many(key, v, &scratch, skips, e);
    free(path);
    if (r == 0 && !key->nowhere) { /* an invalid value does not replace the old one */
        value_release(c, key);
        memcpy(member_of(c, key), &scratch, type->size);
    } else if (type->release) {
        type->release(&scratch);
    }
    return r;
}

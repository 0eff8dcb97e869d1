/* SPDX-License-Identifier: BSD-3-Clause */
/* Values by type: read from YAML or text, written as text, released. */
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/vec.h"
#include "config/keys.h"
#include "json/json.h"

#define TEXT_LIMIT 4096 /* bytes of one text */

static void *member_of(const struct config *c, const struct config_key *key)
{
    return (char *)(uintptr_t)c + key->offset;
}

static int wrong(struct err *e, const struct config_key *key, const char *text, const char *wanted)
{
    return err_field(e, ERR_INVALID, key->name, "%s: '%.60s' is not %s", key->name, text, wanted);
}

/* ---- one text ---- */

static int read_bool(const struct config_key *key, const char *text, void *out, struct err *e)
{
    static const char *const words[] = {"false", "no", "off", "0", "true", "yes", "on", "1"};

    for (size_t i = 0; i < 8; i++)
        if (strcasecmp(text, words[i]) == 0) {
            *(bool *)out = i >= 4;
            return 0;
        }
    return wrong(e, key, text, "true or false");
}

static int read_int(const struct config_key *key, const char *text, void *out, struct err *e)
{
    uint64_t number = 0;
    int r = str_u64(text, (uint64_t)key->min, (uint64_t)key->max, &number, key->name, e);

    if (r == 0)
        *(int64_t *)out = (int64_t)number;
    return r;
}

static int read_duration(const struct config_key *key, const char *text, void *out, struct err *e)
{
    char low[TIME_TEXT_MAX], high[TIME_TEXT_MAX];
    int64_t ns = 0;

    if (duration_parse(text, &ns, key->name, e) < 0)
        return ERR_INVALID;
    if (ns < key->min || ns > key->max)
        return err_field(e, ERR_INVALID, key->name, "%s: %.40s is not between %s and %s", key->name, text,
                         duration_format(key->min, low), duration_format(key->max, high));
    *(int64_t *)out = ns;
    return 0;
}

static int read_mode(const struct config_key *key, const char *text, void *out, struct err *e)
{
    const char *digits = text + (text[0] == '0' && (text[1] == 'o' || text[1] == 'O') ? 2 : 0);
    int64_t mode = 0;

    if (!*digits || strlen(digits) > 4 || strspn(digits, "01234567") != strlen(digits))
        return wrong(e, key, text, "an octal mode such as \"0770\"");
    for (; *digits; digits++)
        mode = mode * 8 + (*digits - '0');
    if (mode > 0777)
        return wrong(e, key, text, "an octal mode of at most \"0777\"");
    *(int64_t *)out = mode;
    return 0;
}

/* The index of text in "a|b|c", -1 for none. */
static int word_index(const char *words, const char *text)
{
    size_t len = strlen(text);
    int index = 0;

    for (const char *at = words;; index++) {
        size_t n = strcspn(at, "|");
        if (n == len && strncasecmp(at, text, n) == 0)
            return index;
        if (!at[n])
            return -1;
        at += n + 1;
    }
}

static int no_word(const struct config_key *key, const char *text, struct err *e)
{
    return err_field(e, ERR_INVALID, key->name, "%s: '%.60s' is not one of %s", key->name, text, key->words);
}

static int read_enum(const struct config_key *key, const char *text, void *out, struct err *e)
{
    int index = word_index(key->words, text);

    if (index < 0)
        return no_word(key, text, e);
    *(int64_t *)out = index;
    return 0;
}

static int read_text(const struct config_key *key, const char *text, void *out, struct err *e)
{
    struct err why;

    if (str_check(text, TEXT_LIMIT, true, key->name, &why) < 0) {
        if (e)
            *e = why;
        return ERR_INVALID;
    }
    mem_replace(out, text);
    return 0;
}

static int read_word(const struct config_key *key, const char *text, void *out, struct err *e)
{
    if (word_index(key->words, text) < 0)
        return no_word(key, text, e);
    return read_text(key, text, out, e);
}

static int read_url(const struct config_key *key, const char *text, void *out, struct err *e)
{
    const char *rest = str_starts(text, "https://") ? text + 8 : str_starts(text, "http://") ? text + 7 : NULL;
    size_t len = strlen(text);

    if (!*text)
        return read_text(key, text, out, e);
    if (!rest || !*rest || *rest == '/' || *rest == ':')
        return err_field(e, ERR_INVALID, key->name,
                         "%s must start with https:// or http:// and name a host, not '%.60s'", key->name, text);
    for (const char *at = text; *at; at++)
        if (isspace((unsigned char)*at) || strchr("\"<>\\^`{|}", *at))
            return wrong(e, key, text, "a URL");
    while (len > 8 && text[len - 1] == '/')
        len--;
    char *cut = mem_strndup(text, len);
    int r = read_text(key, cut, out, e);
    free(cut);
    return r;
}

static int read_listen(const struct config_key *key, const char *text, void *out, struct err *e)
{
    struct config_listen parts;

    if (*text && config_listen_parse(text, key->name, &parts, e) < 0)
        return ERR_INVALID;
    return read_text(key, text, out, e);
}

static int read_addr(const struct config_key *key, const char *text, void *out, struct err *e)
{
    struct addr addr;

    if (*text && addr_parse(text, &addr, NULL) < 0)
        return wrong(e, key, text, "an address");
    return read_text(key, text, out, e);
}

static int read_prefix(const struct config_key *key, const char *text, void *out, struct err *e)
{
    struct prefix p;
    uint8_t bits = str_ends(key->name, "v4") ? 32 : 128;

    if (!strchr(text, '/') || prefix_parse(text, &p, NULL, NULL) < 0 || p.addr.bits != bits)
        return wrong(e, key, text, bits == 32 ? "an IPv4 prefix such as 100.64.0.0/10" : "an IPv6 prefix");
    *(struct prefix *)out = p;
    return 0;
}

/* ---- lists and maps ---- */

static int item_text(const struct config_key *key, size_t index, const char *text, struct err *e)
{
    struct err why = {0};

    if (str_check(text, TEXT_LIMIT, false, key->name, &why) == 0)
        return 0;
    return err_field(e, ERR_INVALID, key->name, "%s[%zu] is empty, too long or holds control characters", key->name,
                     index);
}

static int read_list(const struct config_key *key, const struct raw_value *v, void *out, struct err *e)
{
    struct strs *list = out;

    for (size_t i = 0; i < v->len; i++) {
        if (item_text(key, i, v->items[i].values.items[0], e) < 0)
            return ERR_INVALID;
        strs_push(list, v->items[i].values.items[0]);
    }
    return 0;
}

static int read_prefixes(const struct config_key *key, const struct raw_value *v, void *out, struct err *e)
{
    for (size_t i = 0; i < v->len; i++) {
        const char *text = v->items[i].values.items[0];
        struct prefix p;
        if (!strchr(text, '/') || prefix_parse(text, &p, NULL, NULL) < 0)
            return err_field(e, ERR_INVALID, key->name, "%s[%zu] \"%.60s\" is not a prefix such as 10.0.0.0/8",
                             key->name, i, text);
        if (prefix_is_exit(&p))
            return err_field(e, ERR_INVALID, key->name, "%s[%zu] \"%.60s\": 0.0.0.0/0 and ::/0 are not allowed",
                             key->name, i, text);
        prefixes_add(out, &p);
    }
    return 0;
}

static int read_map(const struct config_key *key, const struct raw_value *v, void *out, struct err *e)
{
    struct config_pairs *pairs = out;

    for (size_t i = 0; i < v->len; i++) {
        if (v->items[i].values.len != 1)
            return err_field(e, ERR_INVALID, key->name, "%s.%.60s must be one text", key->name, v->items[i].name);
        struct config_pair pair = {mem_strdup(v->items[i].name), mem_strdup(v->items[i].values.items[0])};
        vec_push(pairs, pair);
    }
    return 0;
}

static int read_split(const struct config_key *key, const struct raw_value *v, void *out, struct err *e)
{
    struct config_splits *splits = out;

    for (size_t i = 0; i < v->len; i++) {
        if (item_text(key, i, v->items[i].name, e) < 0)
            return ERR_INVALID;
        struct config_split *split = vec_add(splits);
        *split = (struct config_split){.domain = mem_strdup(v->items[i].name)};
        for (char *c = split->domain; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        for (size_t j = 0; j < v->items[i].values.len; j++) {
            if (item_text(key, i, v->items[i].values.items[j], e) < 0)
                return ERR_INVALID;
            strs_push(&split->servers, v->items[i].values.items[j]);
        }
    }
    return 0;
}

static int read_records(const struct config_key *key, const struct raw_value *v, void *out, struct err *e)
{
    static const char *const names[] = {"name", "type", "value"};
    struct config_records *records = out;

    for (size_t i = 0; i < v->len; i++) {
        const struct config_pairs *fields = &v->items[i].fields;
        struct config_record *record = vec_add(records);
        char **members[] = {&record->name, &record->type, &record->value};

        *record = (struct config_record){mem_strdup(""), mem_strdup(""), mem_strdup("")};
        for (size_t j = 0; j < fields->len; j++) {
            size_t k = 0;
            while (k < 3 && strcasecmp(names[k], fields->items[j].name) != 0)
                k++;
            if (k == 3)
                return err_field(e, ERR_INVALID, key->name, "%s[%zu]: '%.40s' is not one of name, type, value",
                                 key->name, i, fields->items[j].name);
            if (item_text(key, i, fields->items[j].value, e) < 0)
                return ERR_INVALID;
            mem_replace(members[k], fields->items[j].value);
        }
        struct addr addr;
        bool v6 = str_eq(record->type, "AAAA");
        if (!*record->type)
            mem_replace(&record->type, "A");
        if (!*record->name || (!v6 && !str_eq(record->type, "A")) || addr_parse(record->value, &addr, NULL) < 0 ||
            addr.bits != (v6 ? 128 : 32))
            return err_field(
                e, ERR_INVALID, key->name,
                "%s[%zu]: needs a name, the type A or AAAA and an address of that type, not '%.40s' '%.40s'", key->name,
                i, record->type, record->value);
    }
    return 0;
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

static const struct type {
    int (*one)(const struct config_key *key, const char *text, void *out, struct err *e);
    int (*many)(const struct config_key *key, const struct raw_value *v, void *out, struct err *e);
    void (*write)(const struct config_key *key, const void *value, struct buf *out);
    void (*release)(void *value);
    size_t size;
    int shape; /* for many */
} types[TYPE_COUNT] = {
    [TYPE_BOOL] = {.one = read_bool, .write = write_bool, .size = sizeof(bool)},
    [TYPE_INT] = {.one = read_int, .write = write_int, .size = sizeof(int64_t)},
    [TYPE_DURATION] = {.one = read_duration, .write = write_duration, .size = sizeof(int64_t)},
    [TYPE_MODE] = {.one = read_mode, .write = write_mode, .size = sizeof(int64_t)},
    [TYPE_ENUM] = {.one = read_enum, .write = write_enum, .size = sizeof(int64_t)},
    [TYPE_WORD] = {.one = read_word, .write = write_text, .release = free_text, .size = sizeof(char *)},
    [TYPE_TEXT] = {.one = read_text, .write = write_text, .release = free_text, .size = sizeof(char *)},
    [TYPE_PATH] = {.one = read_text, .write = write_text, .release = free_text, .size = sizeof(char *)},
    [TYPE_URL] = {.one = read_url, .write = write_text, .release = free_text, .size = sizeof(char *)},
    [TYPE_LISTEN] = {.one = read_listen, .write = write_text, .release = free_text, .size = sizeof(char *)},
    [TYPE_ADDR] = {.one = read_addr, .write = write_text, .release = free_text, .size = sizeof(char *)},
    [TYPE_PREFIX] = {.one = read_prefix, .write = write_prefix, .size = sizeof(struct prefix)},
    [TYPE_PREFIXES] = {.many = read_prefixes,
                       .write = write_prefixes,
                       .release = free_prefixes,
                       .size = sizeof(struct prefixes),
                       .shape = RAW_LIST},
    [TYPE_LIST] =
        {.many = read_list, .write = write_list, .release = free_list, .size = sizeof(struct strs), .shape = RAW_LIST},
    [TYPE_MAP] = {.many = read_map,
                  .write = write_map,
                  .release = free_map,
                  .size = sizeof(struct config_pairs),
                  .shape = RAW_MAP},
    [TYPE_SPLIT] = {.many = read_split,
                    .write = write_split,
                    .release = free_split,
                    .size = sizeof(struct config_splits),
                    .shape = RAW_MAP},
    [TYPE_RECORDS] = {.many = read_records,
                      .write = write_records,
                      .release = free_records,
                      .size = sizeof(struct config_records),
                      .shape = RAW_OBJECTS},
};

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

/* Texts that are separated by white space become a list. */
static void split_list(const char *text, struct raw_value *v)
{
    v->shape = RAW_LIST;
    for (const char *at = text;;) {
        at += strspn(at, " \t\r\n");
        size_t n = strcspn(at, " \t\r\n");
        if (n == 0)
            return;
        struct raw_item item = {.name = mem_strdup("")};
        char *one = mem_strndup(at, n);
        strs_push(&item.values, one);
        free(one);
        vec_push(v, item);
        at += n;
    }
}

static int set_many(const struct config_key *key, const struct raw_value *v, void *out, struct err *e)
{
    struct raw_value list = {0};

    if (v->shape == RAW_SCALAR && types[key->type].shape == RAW_LIST) {
        split_list(v->text, &list);
        v = &list;
    }
    bool empty = v->shape == RAW_SCALAR ? !*v->text : v->len == 0;
    int r = (int)v->shape == types[key->type].shape || empty
                ? types[key->type].many(key, v, out, e)
                : err_field(e, ERR_INVALID, key->name, "%s must be %s", key->name,
                            types[key->type].shape == RAW_LIST  ? "a list"
                            : types[key->type].shape == RAW_MAP ? "a map"
                                                                : "a list of objects");
    raw_release(&list);
    return r;
}

int value_set(struct config *c, const struct config_key *key, const struct raw_value *v, const char *dir, struct err *e)
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
    void *out = key->nowhere ? (void *)&scratch : member_of(c, key);
    char *path = NULL;

    _Static_assert(sizeof(scratch) >= sizeof(struct config_splits) && sizeof(scratch) >= sizeof(struct config_records),
                   "a value of each type fits");
    if (v->shape == RAW_NULL)
        return 0;
    assert(v->shape != RAW_SCALAR || v->text);
    if (type->one && v->shape != RAW_SCALAR)
        return err_field(e, ERR_INVALID, key->name, "%s must be one value, not a list or a map", key->name);
    value_release(c, key);
    if (key->type == TYPE_PATH && v->shape == RAW_SCALAR && *dir && *v->text && *v->text != '/')
        path = mem_format("%s/%s", dir, v->text);
    int r = type->one ? type->one(key, path ? path : v->text, out, e) : set_many(key, v, out, e);
    free(path);
    if (key->nowhere && type->release)
        type->release(&scratch);
    return r;
}

/* {"name": "text"} or {"name": ["text"]}, as environment variables write maps. */
static int map_from_json(const struct config_key *key, const char *text, struct raw_value *v, struct err *e)
{
    json_t *object = NULL, *value, *item;
    const char *name;
    size_t i;
    int r = json_read(text, strlen(text), 65536, key->name, &object, e);

    if (r == 0 && !json_is_object(object))
        r = wrong(e, key, text, "a JSON object");
    v->shape = RAW_MAP;
    if (r == 0) {
        json_object_foreach(object, name, value)
        {
            struct raw_item one = {.name = mem_strdup(name)};
            if (json_is_string(value))
                strs_push(&one.values, json_string_value(value));
            json_array_foreach(value, i, item) if (json_is_string(item))
                strs_push(&one.values, json_string_value(item));
            vec_push(v, one);
        }
    }
    json_decref(object);
    return r;
}

int value_set_text(struct config *c, const struct config_key *key, const char *text, const char *dir, struct err *e)
{
    struct raw_value v = {.shape = RAW_SCALAR};
    int r = 0;

    if (types[key->type].shape == RAW_OBJECTS && *text)
        return err_field(e, ERR_INVALID, key->name, "%s cannot be set by the environment", key->name);
    if (types[key->type].shape == RAW_MAP && *text)
        r = map_from_json(key, text, &v, e);
    else if (types[key->type].many)
        split_list(text, &v);
    else
        v.text = mem_strdup(text);
    if (r == 0)
        r = value_set(c, key, &v, dir, e);
    raw_release(&v);
    return r;
}

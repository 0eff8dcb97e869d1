/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads structs from JSON, and frees what such a struct owns. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/api.h"
#include "model/shape.h"

#define LIST_MAX 1000000 /* elements read of one list */
#define SAFE_MAX 2048    /* bytes in a string for a terminal */

static const char empty[] = "";

int api_event_id_parse(const char *text, struct api_event_id *out, struct err *e)
{
    const char *dot = strchr(text, '.');
    char run[21];
    struct api_event_id id;

    if (!dot || (size_t)(dot - text) >= sizeof(run))
        return err_field(e, ERR_INVALID, "event", "'%.60s' is not an event id: RUN.SEQ is expected, such as 3.127",
                         text);
    memcpy(run, text, (size_t)(dot - text));
    run[dot - text] = '\0';
    if (str_u64(run, 1, UINT64_MAX, &id.run, "event", NULL) < 0 ||
        str_u64(dot + 1, 0, UINT64_MAX, &id.seq, "event", NULL) < 0)
        return err_field(e, ERR_INVALID, "event", "'%.60s' is not an event id: RUN.SEQ is expected, such as 3.127",
                         text);
    *out = id;
    return 0;
}

static void release_text(const char **at)
{
    void *text;

    memcpy(&text, at, sizeof(text)); /* owned here, although const for writers */
    if (*at != empty)
        free(text);
    *at = NULL;
}

static void release_value(const struct api_field *f, void *at)
{
    switch (f->kind) {
    case KIND_TEXT:
    case KIND_TEXT_OR_NULL:
    case KIND_JSON:
        release_text(at);
        break;
    case KIND_PREFIXES:
        prefixes_release(at);
        break;
    case KIND_TEXTS:
        strs_release(at);
        break;
    case KIND_ENDPOINTS:
        free(((struct api_endpoints *)at)->items);
        break;
    case KIND_ONE:
        if (*(void **)at) {
            api_release(f->shape, *(void **)at);
            free(*(void **)at);
        }
        break;
    case KIND_PART:
        api_release(f->shape, at);
        break;
    case KIND_MANY:
        api_release_list(f->shape, at);
        break;
    case KIND_ID:
    case KIND_U64:
    case KIND_BOOL:
    case KIND_TIME:
    case KIND_CREATED:
    case KIND_WORD:
    case KIND_PREFIX:
    case KIND_ADDRS:
    case KIND_EVENT_ID:
        break;
    }
}

void api_release(const struct api_shape *shape, void *object)
{
    for (size_t i = 0; i < shape->count; i++)
        release_value(&shape->fields[i], (char *)object + shape->fields[i].offset);
    memset(object, 0, shape->size);
}

void api_release_list(const struct api_shape *shape, struct api_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        api_release(shape, (char *)list->items + i * shape->size);
    free(list->items);
    *list = (struct api_list){0};
}

static int wrong(struct err *e, const struct api_field *f, const char *kind)
{
    return err_field(e, ERR_INVALID, f->name, "%s must be %s", f->name, kind);
}

/* An owned copy, or the shared empty string. */
static const char *take_text(const char *text, enum api_reading how)
{
    struct buf b = BUF_INIT(0);

    if (!*text)
        return empty;
    if (how != API_FOR_TERMINAL)
        return mem_strdup(text);
    str_safe(&b, text, strnlen(text, SAFE_MAX));
    return buf_take(&b);
}

static int read_number(const struct api_field *f, const json_t *v, uint64_t *out, struct err *e)
{
    if (json_is_string(v))
        return str_u64(json_string_value(v), 0, UINT64_MAX, out, f->name, e);
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return wrong(e, f, "a whole number that is not negative");
    *out = (uint64_t)json_integer_value(v);
    return 0;
}

static int read_word(const struct api_field *f, const json_t *v, int *out, struct err *e)
{
    const char *word = json_string_value(v);

    for (int i = 0; word && i < f->words->count; i++)
        if (str_eq(word, f->words->name(i))) {
            *out = i;
            return 0;
        }
    *out = API_UNKNOWN;
    return err_field(e, ERR_INVALID, f->name, "%s has the unknown value '%.60s'", f->name, word ? word : "(no text)");
}

static int read_one(const struct api_field *f, const json_t *v, void *at, enum api_reading how, struct err *e)
{
    void *object = mem_alloc(f->shape->size);
    int code = api_read(f->shape, v, object, how, e);

    if (code < 0) {
        free(object);
        return code;
    }
    *(void **)at = object;
    return 0;
}

static int read_text_element(const struct api_field *f, const char *text, void *at, enum api_reading how, struct err *e)
{
    if (f->kind == KIND_TEXTS) {
        const char *taken = take_text(text, how);
        strs_push(at, taken);
        release_text(&taken);
        return 0;
    }
    if (f->kind == KIND_PREFIXES) {
        struct prefix p;
        int code = prefix_parse(text, &p, NULL, e);
        if (code == 0 && prefixes_has(at, &p) == false)
            prefixes_add(at, &p);
        return code;
    }
    if (f->kind == KIND_ADDRS) {
        struct api_addrs *addrs = at;
        struct addr a;
        int code = addr_parse(text, &a, e);
        if (code == 0)
            *(a.bits == 32 ? &addrs->v4 : &addrs->v6) = a;
        return code;
    }
    struct api_endpoints *endpoints = at;
    struct addr_port a;
    int code = addr_port_parse(text, &a, e);
    if (code == 0) {
        endpoints->items = mem_resize(endpoints->items, endpoints->len + 1, sizeof(a));
        endpoints->items[endpoints->len++] = a;
    }
    return code;
}

static int read_texts(const struct api_field *f, const json_t *v, void *at, enum api_reading how, struct err *e)
{
    if (!json_is_array(v) || json_array_size(v) > LIST_MAX)
        return wrong(e, f, "a list of texts");
    for (size_t i = 0; i < json_array_size(v); i++) {
        const char *text = json_string_value(json_array_get(v, i));
        int code = text ? read_text_element(f, text, at, how, e) : wrong(e, f, "a list of texts");
        if (code < 0 && how == API_STRICT) {
            if (text)
                err_prefix(e, "%s", f->name);
            return code;
        }
    }
    return 0;
}

static int read_text_value(const struct api_field *f, const json_t *v, void *at, enum api_reading how, struct err *e)
{
    const char *text = json_string_value(v);

    if (!text)
        return wrong(e, f, "a text");
    switch (f->kind) {
    case KIND_TIME:
    case KIND_CREATED:
        return time_parse(text, at, f->name, e);
    case KIND_PREFIX:
        return prefix_parse(text, at, NULL, e);
    case KIND_EVENT_ID:
        return api_event_id_parse(text, at, e);
    default:
        *(const char **)at = take_text(text, how);
        return 0;
    }
}

static void read_json(const json_t *v, const char **at, enum api_reading how)
{
    char *text = json_compact(v);

    *at = take_text(text, how);
    free(text);
}

static int read_value(const struct api_field *f, const json_t *v, void *at, enum api_reading how, struct err *e)
{
    switch (f->kind) {
    case KIND_ID:
    case KIND_U64:
        return read_number(f, v, at, e);
    case KIND_BOOL:
        if (!json_is_boolean(v))
            return wrong(e, f, "true or false");
        *(bool *)at = json_boolean_value(v);
        return 0;
    case KIND_TEXT:
    case KIND_TEXT_OR_NULL:
    case KIND_TIME:
    case KIND_CREATED:
    case KIND_PREFIX:
    case KIND_EVENT_ID:
        return read_text_value(f, v, at, how, e);
    case KIND_JSON:
        read_json(v, at, how);
        return 0;
    case KIND_WORD:
        return read_word(f, v, at, e);
    case KIND_PREFIXES:
    case KIND_TEXTS:
    case KIND_ADDRS:
    case KIND_ENDPOINTS:
        return read_texts(f, v, at, how, e);
    case KIND_ONE:
        return read_one(f, v, at, how, e);
    case KIND_PART:
        return api_read(f->shape, v, at, how, e);
    case KIND_MANY:
        return api_read_list(f->shape, v, at, how, e);
    }
    return 0;
}

static void set_default(const struct api_field *f, void *at, enum api_reading how)
{
    if (f->kind == KIND_TEXT || (f->kind == KIND_TEXT_OR_NULL && how == API_FOR_TERMINAL))
        *(const char **)at = empty;
    else if (f->kind == KIND_PART)
        for (size_t i = 0; i < f->shape->count; i++)
            set_default(&f->shape->fields[i], (char *)at + f->shape->fields[i].offset, how);
}

int api_read(const struct api_shape *shape, const json_t *json, void *out, enum api_reading how, struct err *e)
{
    memset(out, 0, shape->size);
    for (size_t i = 0; i < shape->count; i++)
        set_default(&shape->fields[i], (char *)out + shape->fields[i].offset, how);
    if (!json_is_object(json))
        return err_set(e, ERR_INVALID, "%s must be an object", shape->what);
    for (size_t i = 0; i < shape->count; i++) {
        const struct api_field *f = &shape->fields[i];
        const json_t *v = json_object_get(json, f->name);
        struct err why = {0};
        if (!v || json_is_null(v))
            continue;
        int code = read_value(f, v, (char *)out + f->offset, how, &why);
        if (code < 0 && how == API_STRICT) {
            api_release(shape, out);
            err_prefix(&why, "%s", shape->what);
            if (e)
                *e = why;
            return code;
        }
    }
    return 0;
}

int api_read_list(const struct api_shape *shape, const json_t *json, struct api_list *out, enum api_reading how,
                  struct err *e)
{
    size_t len = json_array_size(json);

    *out = (struct api_list){0};
    if (!json_is_array(json) || len > LIST_MAX)
        return err_set(e, ERR_INVALID, "a list of objects (%s) is expected", shape->what);
    if (len == 0)
        return 0;
    out->items = mem_resize(NULL, len, shape->size);
    for (size_t i = 0; i < len; i++) {
        int code = api_read(shape, json_array_get(json, i), (char *)out->items + out->len * shape->size, how, e);
        if (code < 0 && how == API_STRICT) {
            api_release_list(shape, out);
            return code;
        }
        out->len += code == 0;
    }
    return 0;
}

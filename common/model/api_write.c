/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes structs as JSON, as in the API and as in the command line of headscale 0.29. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/api.h"
#include "model/shape.h"

char *api_event_id_format(const struct api_event_id *id, char text[API_EVENT_ID_MAX])
{
    struct buf b = BUF_INIT(0);

    buf_addu(&b, id->run);
    buf_addc(&b, '.');
    buf_addu(&b, id->seq);
    str_copy(text, API_EVENT_ID_MAX, buf_text(&b));
    buf_release(&b);
    return text;
}

static void put_prefixes(struct json_out *o, const struct prefixes *set)
{
    char text[PREFIX_TEXT_MAX];

    json_open(o, '[');
    for (size_t i = 0; i < set->len; i++)
        json_str(o, prefix_format(&set->items[i], text));
    json_close(o, ']');
}

static void write_addrs(struct json_out *o, const struct api_addrs *addrs)
{
    char text[PREFIX_TEXT_MAX];

    json_open(o, '[');
    if (addrs->v4.bits)
        json_str(o, addr_format(&addrs->v4, text));
    if (addrs->v6.bits)
        json_str(o, addr_format(&addrs->v6, text));
    json_close(o, ']');
}

static void write_lists(struct json_out *o, const struct api_field *f, const void *at, enum api_scope scope)
{
    char text[ADDR_PORT_TEXT_MAX];

    json_open(o, '[');
    if (f->kind == KIND_TEXTS) {
        const struct strs *texts = at;
        for (size_t i = 0; i < texts->len; i++)
            json_str(o, texts->items[i]);
    } else if (f->kind == KIND_ENDPOINTS) {
        const struct api_endpoints *endpoints = at;
        for (size_t i = 0; i < endpoints->len; i++)
            json_str(o, addr_port_format(&endpoints->items[i], text));
    } else {
        const struct api_list *list = at;
        for (size_t i = 0; i < list->len; i++)
            api_write(o, f->shape, (const char *)list->items + i * f->shape->size, scope);
    }
    json_close(o, ']');
}

static void write_text(struct json_out *o, const char *text, bool is_json)
{
    if (!text)
        json_nil(o);
    else if (is_json)
        json_raw(o, text, strlen(text));
    else
        json_str(o, text);
}

/* NULL for a value without a word. */
static const char *word_of(const struct api_field *f, const void *at)
{
    int value = *(const int *)at;

    return value >= 0 && value < f->words->count ? f->words->name(value) : NULL;
}

/* A missing id is null, except in headscale's API, whose clients expect a string (debug/node). */
static void write_id(struct json_out *o, uint64_t id, enum api_scope scope)
{
    struct buf b = BUF_INIT(0);

    if (!id && scope != API_V1) {
        json_nil(o);
        return;
    }
    buf_addu(&b, id);
    json_strn(o, b.data, b.len);
    buf_release(&b);
}

static void put_event_id(struct json_out *o, const struct api_event_id *id)
{
    char text[API_EVENT_ID_MAX];

    write_text(o, id->run ? api_event_id_format(id, text) : NULL, false);
}

static bool is_empty(const struct api_field *f, const void *at)
{
    switch (f->kind) {
    case KIND_ID:
    case KIND_U64:
        return *(const uint64_t *)at == 0;
    case KIND_BOOL:
        return !*(const bool *)at;
    case KIND_TEXT:
    case KIND_TEXT_OR_NULL:
    case KIND_JSON:
        return !*(const char *const *)at || !**(const char *const *)at;
    case KIND_TIME:
        return *(const int64_t *)at == 0;
    case KIND_WORD:
        return *(const int *)at <= 0;
    case KIND_PREFIXES:
        return ((const struct prefixes *)at)->len == 0;
    case KIND_TEXTS:
        return ((const struct strs *)at)->len == 0;
    case KIND_ADDRS:
        return !((const struct api_addrs *)at)->v4.bits && !((const struct api_addrs *)at)->v6.bits;
    case KIND_ENDPOINTS:
        return ((const struct api_endpoints *)at)->len == 0;
    case KIND_EVENT_ID:
        return ((const struct api_event_id *)at)->run == 0;
    case KIND_ONE:
        return !*(const void *const *)at;
    case KIND_MANY:
        return ((const struct api_list *)at)->len == 0;
    case KIND_CREATED:
    case KIND_PREFIX:
    case KIND_PART:
        break;
    }
    return false;
}

static void write_value(struct json_out *o, const struct api_field *f, const void *at, enum api_scope scope)
{
    /* Nested objects omit the top-level members. */
    enum api_scope inside = scope == API_HEADWAY_TOP ? API_HEADWAY : scope;
    char text[PREFIX_TEXT_MAX], time[TIME_TEXT_MAX];

    switch (f->kind) {
    case KIND_ID:
        write_id(o, *(const uint64_t *)at, scope);
        break;
    case KIND_U64:
        json_u64(o, *(const uint64_t *)at);
        break;
    case KIND_BOOL:
        json_bool(o, *(const bool *)at);
        break;
    case KIND_TEXT:
    case KIND_TEXT_OR_NULL:
        write_text(o, *(const char *const *)at, false);
        break;
    case KIND_JSON:
        write_text(o, *(const char *const *)at, true);
        break;
    case KIND_TIME:
        json_time(o, *(const int64_t *)at);
        break;
    case KIND_CREATED:
        json_str(o, time_format(*(const int64_t *)at, time));
        break;
    case KIND_WORD:
        write_text(o, word_of(f, at), false);
        break;
    case KIND_PREFIX:
        write_text(o, ((const struct prefix *)at)->addr.bits ? prefix_format(at, text) : NULL, false);
        break;
    case KIND_PREFIXES:
        put_prefixes(o, at);
        break;
    case KIND_ADDRS:
        write_addrs(o, at);
        break;
    case KIND_EVENT_ID:
        put_event_id(o, at);
        break;
    case KIND_ONE:
        if (*(const void *const *)at)
            api_write(o, f->shape, *(const void *const *)at, inside);
        else
            json_nil(o);
        break;
    case KIND_PART:
        api_write(o, f->shape, at, scope);
        break;
    case KIND_TEXTS:
    case KIND_ENDPOINTS:
        write_lists(o, f, at, inside);
        break;
    case KIND_MANY:
        write_lists(o, f, at, scope);
        break;
    }
}

void api_write_members(struct json_out *o, const struct api_shape *shape, const void *object, enum api_scope scope)
{
    for (size_t i = 0; i < shape->count; i++) {
        const struct api_field *f = &shape->fields[i];
        if (f->scope > scope || (f->optional && is_empty(f, (const char *)object + f->offset)))
            continue;
        json_key(o, f->name);
        write_value(o, f, (const char *)object + f->offset, scope);
    }
}

void api_write(struct json_out *o, const struct api_shape *shape, const void *object, enum api_scope scope)
{
    json_open(o, '{');
    api_write_members(o, shape, object, scope);
    json_close(o, '}');
}

/* ---- as headscale 0.29 printed objects ---- */

#define GO_ZERO_SECONDS INT64_C(-62135596800) /* the year 1: Go's value for a time that is not set */

static void write_time_029(struct json_out *o, int64_t ns)
{
    json_open(o, '{');
    json_put_i64(o, "seconds", ns ? ns / NS_PER_SECOND : GO_ZERO_SECONDS);
    if (ns % NS_PER_SECOND)
        json_put_i64(o, "nanos", ns % NS_PER_SECOND);
    json_close(o, '}');
}

static void write_object_029(struct json_out *o, const struct api_shape *shape, const void *object, bool keep_empty);

static void write_value_029(struct json_out *o, const struct api_field *f, const void *at, bool keep_empty)
{
    switch (f->kind) {
    case KIND_ID:
        json_u64(o, *(const uint64_t *)at);
        break;
    case KIND_TIME:
    case KIND_CREATED:
        if (f->kind == KIND_TIME && is_empty(f, at))
            json_nil(o);
        else
            write_time_029(o, *(const int64_t *)at);
        break;
    case KIND_WORD:
        json_u64(o, is_empty(f, at) ? 0 : (uint64_t) * (const int *)at);
        break;
    case KIND_ONE:
        if (is_empty(f, at))
            json_nil(o);
        else
            write_object_029(o, f->shape, *(const void *const *)at, keep_empty);
        break;
    default:
        write_value(o, f, at, API_V1);
    }
}

static void write_object_029(struct json_out *o, const struct api_shape *shape, const void *object, bool keep_empty)
{
    json_open(o, '{');
    for (size_t i = 0; i < shape->count; i++) {
        const struct api_field *f = &shape->fields[i];
        const void *at = (const char *)object + f->offset;
        if (!f->old || (!keep_empty && is_empty(f, at)))
            continue;
        json_key(o, f->old);
        write_value_029(o, f, at, keep_empty);
    }
    json_close(o, '}');
}

static void read_and_write_029(struct json_out *o, const struct api_shape *shape, const json_t *json, bool keep_empty)
{
    void *object = mem_alloc(shape->size);

    if (api_read(shape, json, object, API_LENIENT, NULL) == 0) {
        write_object_029(o, shape, object, keep_empty);
        api_release(shape, object);
    }
    free(object);
}

void api_write_029(struct json_out *o, const struct api_shape *shape, const json_t *value, bool keep_empty)
{
    if (json_is_object(value)) {
        read_and_write_029(o, shape, value, keep_empty);
    } else if (json_array_size(value)) {
        json_open(o, '[');
        for (size_t i = 0; i < json_array_size(value); i++)
            read_and_write_029(o, shape, json_array_get(value, i), keep_empty);
        json_close(o, ']');
    } else {
        json_nil(o);
    }
}

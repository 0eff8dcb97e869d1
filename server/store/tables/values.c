/* SPDX-License-Identifier: BSD-3-Clause */
/* Conversion of column values to text and back. */
#include <stdio.h>

#include "base/mem.h"
#include "store/tables/tables.h"
#include "json/json.h"

#define LISTS_MAX (1024u * 1024u) /* bytes of one JSON list */

bool column_list_text(const struct member *c, const void *value, struct buf *json)
{
    struct json_out o = JSON_OUT(json);
    char text[ADDR_PORT_TEXT_MAX > PREFIX_TEXT_MAX ? ADDR_PORT_TEXT_MAX : PREFIX_TEXT_MAX];

    json_open(&o, '[');
    if (c->type == MEMBER_STRS) {
        const struct strs *list = value;
        for (size_t i = 0; i < list->len; i++)
            json_str(&o, list->items[i]);
    } else if (c->type == MEMBER_PREFIXES) {
        const struct prefixes *list = value;
        for (size_t i = 0; i < list->len; i++)
            json_str(&o, prefix_format(&list->items[i], text));
    } else {
        const struct node_live *live = value;
        for (size_t i = 0; i < live->endpoint_count; i++)
            json_str(&o, addr_port_format(&live->endpoints[i], text));
    }
    json_close(&o, ']');
    return !json->failed && json->len <= LISTS_MAX;
}

static const char *number_text(struct arena *a, long long value)
{
    char text[24];

    snprintf(text, sizeof(text), "%lld", value);
    return arena_strdup(a, text);
}

const char *column_text(const struct member *c, const void *value, struct arena *a, const char **why)
{
    char text[PREFIX_TEXT_MAX];
    struct buf b = BUF_INIT(0);
    unsigned number;
    const char *s;

    switch (c->type) {
    case MEMBER_U64:
        if (*(const uint64_t *)value > INT64_MAX)
            *why = "it is too large";
        return number_text(a, (long long)*(const uint64_t *)value);
    case MEMBER_TIME:
        return number_text(a, *(const int64_t *)value);
    case MEMBER_U32:
        return number_text(a, *(const uint32_t *)value);
    case MEMBER_BOOL:
        return *(const bool *)value ? "t" : "f";
    case MEMBER_ENUM:
        memcpy(&number, value, sizeof(number));
        if (number > c->max)
            *why = "it is too large";
        return number_text(a, number);
    case MEMBER_TEXT:
        s = *(char *const *)value ? *(char *const *)value : "";
        /* What cannot be read back must not be stored: the next start would fail on it. */
        if (!str_utf8(s, strlen(s)))
            *why = "it is no UTF-8";
        return s;
    case MEMBER_KEY:
        return value;
    case MEMBER_ADDR:
        return ((const struct addr *)value)->bits ? arena_strdup(a, addr_format(value, text)) : NULL;
    case MEMBER_PREFIX:
        return arena_strdup(a, prefix_format(value, text));
    case MEMBER_STRS:
    case MEMBER_PREFIXES:
    case MEMBER_ENDPOINTS:
    default: /* only in messages */
        break;
    }
    if (!column_list_text(c, value, &b))
        *why = "it is too long";
    s = arena_strdup(a, buf_text(&b));
    buf_release(&b);
    return s;
}

static int each_text(const char *json, int (*add)(void *to, const char *text), void *to)
{
    json_t *list = NULL, *item;
    size_t i;
    int code = json_read_large(json, strlen(json), LISTS_MAX, "list", &list, NULL);

    if (code == 0 && !json_is_array(list))
        code = ERR_INVALID;
    if (code == 0)
        json_array_foreach(list, i, item)
        {
            code = json_is_string(item) ? add(to, json_string_value(item)) : ERR_INVALID;
            if (code < 0)
                break;
        }
    json_decref(list);
    return code;
}

static int add_str(void *to, const char *text)
{
    strs_push(to, text);
    return 0;
}

static int add_prefix(void *to, const char *text)
{
    struct prefix p;
    int code = prefix_parse(text, &p, NULL, NULL);

    if (code == 0)
        prefixes_add(to, &p);
    return code;
}

static int add_endpoint(void *to, const char *text)
{
    struct node_live *live = to;
    struct addr_port ap;
    int code = addr_port_parse(text, &ap, NULL);

    if (code < 0)
        return code;
    live->endpoints = mem_resize(live->endpoints, live->endpoint_count + 1, sizeof(ap));
    live->endpoints[live->endpoint_count++] = ap;
    return 0;
}

const char *column_read_text(const struct member *c, const char *text, void *value)
{
    switch (c->type) {
    case MEMBER_ADDR:
        return addr_parse(text, value, NULL) < 0 ? "an address" : NULL;
    case MEMBER_PREFIX:
        return prefix_parse(text, value, NULL, NULL) < 0 ? "a prefix" : NULL;
    case MEMBER_STRS:
        return each_text(text, add_str, value) < 0 ? "a list of texts" : NULL;
    case MEMBER_PREFIXES:
        return each_text(text, add_prefix, value) < 0 ? "a list of prefixes" : NULL;
    case MEMBER_ENDPOINTS:
        return each_text(text, add_endpoint, value) < 0 ? "a list of addresses with ports" : NULL;
    default:
        mem_replace(value, text);
        return NULL;
    }
}

const char *column_read_number(const struct member *c, int64_t number, void *value)
{
    uint32_t small = (uint32_t)number;

    if (c->type == MEMBER_TIME) {
        *(int64_t *)value = number;
        return NULL;
    }
    if (number < 0)
        return "a number of at least 0";
    if (c->type == MEMBER_U64) {
        *(uint64_t *)value = (uint64_t)number;
    } else if (c->type == MEMBER_BOOL) {
        if (number > 1)
            return "0 or 1";
        *(bool *)value = number == 1;
    } else {
        if (number > (c->type == MEMBER_ENUM ? (int64_t)c->max : (int64_t)UINT32_MAX))
            return "a number in the range that this version knows";
        memcpy(value, &small, sizeof(small));
    }
    return NULL;
}

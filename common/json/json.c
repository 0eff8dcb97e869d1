/* SPDX-License-Identifier: BSD-3-Clause */
#include "json/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

#define DEPTH_MAX 64

/* jansson recurses; its own depth limit (2048) is too much for a small thread stack. */
struct json_size {
    int depth;     /* the greatest depth */
    size_t values; /* approximate: each value but the first follows a comma or a bracket */
};

static struct json_size measure(const char *text, size_t len)
{
    struct json_size size = {0, 1};
    int depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < len; i++) {
        if (quoted) {
            if (text[i] == '\\')
                i++;
            else if (text[i] == '"')
                quoted = false;
        } else if (text[i] == '"') {
            quoted = true;
        } else if (text[i] == '{' || text[i] == '[') {
            size.values++;
            depth++;
            size.depth = depth > size.depth ? depth : size.depth;
        } else if (text[i] == '}' || text[i] == ']') {
            depth--;
        } else if (text[i] == ',') {
            size.values++;
        }
    }
    return size;
}

/* Messages of jansson that are meant for programmers, and their replacements for users. */
static const struct {
    const char *said, *instead;
} reasons[] = {
    {"\\u0000 is not allowed without JSON_ALLOW_NUL", "a text must not hold the character \\u0000"},
    {"NUL byte in object key not supported", "a name must not hold the character \\u0000"},
    {"unable to decode byte ", "this is no UTF-8: the byte "},
    {"too big negative integer", "a number is too small"},
    {"too big integer", "a number is too large"},
    {"real number overflow", "a number is too large"},
    {"maximum parsing depth reached", "it is nested too deep"},
    {"premature end of input", "it ends too early"},
    {"unexpected token near end of file", "it ends too early"},
    {"invalid token near '\xef\xbb\xbf'", "it begins with a byte order mark: leave that out"},
};

static int refuse_syntax(const json_error_t *why, const char *what, struct err *e)
{
    const char *instead = "", *rest = why->text;

    for (size_t i = 0; i < ARRAY_LEN(reasons) && !*instead; i++)
        if (str_starts(why->text, reasons[i].said)) {
            instead = reasons[i].instead;
            rest = why->text + strlen(reasons[i].said);
        }
    return err_set(e, ERR_INVALID, "%s is not valid JSON: line %d, column %d: %s%s", what, why->line, why->column,
                   instead, rest);
}

static int read_value(const char *text, size_t len, size_t max, size_t values, const char *what, json_t **out,
                      struct err *e)
{
    json_error_t why;

    *out = NULL;
    if (len > max)
        return err_set(e, ERR_TOOBIG, "%s of %zu bytes is too large, at most %zu are taken", what, len, max);
    struct json_size size = measure(text, len);
    if (size.depth > DEPTH_MAX)
        return err_set(e, ERR_INVALID, "%s is nested more than %d levels deep", what, DEPTH_MAX);
    if (size.values > values)
        return err_set(e, ERR_TOOBIG, "%s holds more than %zu values", what, values);
    *out = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (!*out)
        return refuse_syntax(&why, what, e);
    return 0;
}

int json_read(const char *text, size_t len, size_t max, const char *what, json_t **out, struct err *e)
{
    return read_value(text, len, max, JSON_VALUES_MAX, what, out, e);
}

int json_read_large(const char *text, size_t len, size_t max, const char *what, json_t **out, struct err *e)
{
    return read_value(text, len, max, SIZE_MAX, what, out, e);
}

static int wrong(struct err *e, const char *key, const char *kind)
{
    return err_field(e, ERR_INVALID, key, "%s must be %s", key, kind);
}

static const json_t *member(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);

    return json_is_null(v) ? NULL : v;
}

int json_get_str(const json_t *object, const char *key, const char **out, struct err *e)
{
    const json_t *v = member(object, key);

    if (!v)
        return 0;
    if (!json_is_string(v))
        return wrong(e, key, "a text");
    *out = json_string_value(v);
    return 0;
}

int json_get_bool(const json_t *object, const char *key, bool *out, struct err *e)
{
    const json_t *v = member(object, key);

    if (!v)
        return 0;
    if (!json_is_boolean(v))
        return wrong(e, key, "true or false");
    *out = json_boolean_value(v);
    return 0;
}

int json_get_u64(const json_t *object, const char *key, uint64_t *out, struct err *e)
{
    const json_t *v = member(object, key);

    if (!v)
        return 0;
    if (json_is_string(v))
        return str_u64(json_string_value(v), 0, UINT64_MAX, out, key, e);
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return wrong(e, key, "a whole number that is not negative");
    *out = (uint64_t)json_integer_value(v);
    return 0;
}

static int get_container(const json_t *object, const char *key, json_type type, const char *kind, json_t **out,
                         struct err *e)
{
    json_t *v = json_object_get(object, key);

    if (!v || json_is_null(v))
        return 0;
    if (json_typeof(v) != type)
        return wrong(e, key, kind);
    *out = v;
    return 0;
}

int json_get_array(const json_t *object, const char *key, json_t **out, struct err *e)
{
    return get_container(object, key, JSON_ARRAY, "a list", out, e);
}

int json_get_object(const json_t *object, const char *key, json_t **out, struct err *e)
{
    return get_container(object, key, JSON_OBJECT, "an object", out, e);
}

const char *json_text(const json_t *object, const char *key, const char *fallback)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : fallback;
}

char *json_compact(const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);

    return text ? text : mem_strdup("null");
}

static void element(struct json_out *o)
{
    if (o->comma)
        buf_addc(o->b, ',');
    o->comma = true;
}

void json_open(struct json_out *o, char bracket)
{
    element(o);
    buf_addc(o->b, bracket);
    o->comma = false;
}

void json_close(struct json_out *o, char bracket)
{
    buf_addc(o->b, bracket);
    o->comma = true;
}

static void quoted(struct buf *b, const char *text, size_t len)
{
    size_t plain = 0, i = 0;

    buf_addc(b, '"');
    for (; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_add(b, text + plain, i - plain);
        plain = i + 1;
        switch (c) {
        case '"':
        case '\\':
            buf_addc(b, '\\');
            buf_addc(b, (char)c);
            break;
        case '\n':
            buf_adds(b, "\\n");
            break;
        default:
            buf_addf(b, "\\u%04x", c);
        }
    }
    buf_add(b, text + plain, i - plain);
    buf_addc(b, '"');
}

void json_key(struct json_out *o, const char *key)
{
    element(o);
    quoted(o->b, key, strlen(key));
    buf_addc(o->b, ':');
    o->comma = false;
}

void json_strn(struct json_out *o, const char *text, size_t len)
{
    element(o);
    if (str_utf8(text, len)) {
        quoted(o->b, text, len);
        return;
    }
    struct buf mended = BUF_INIT(0);
    for (size_t i = 0; i < len;) {
        size_t n = 1;
        while (n < 4 && i + n < len && !str_utf8(text + i, n))
            n++;
        if (str_utf8(text + i, n)) {
            buf_add(&mended, text + i, n);
            i += n;
        } else {
            buf_adds(&mended, "\xef\xbf\xbd");
            i++;
        }
    }
    quoted(o->b, buf_text(&mended), mended.len);
    buf_release(&mended);
}

void json_str(struct json_out *o, const char *text)
{
    json_strn(o, text, strlen(text));
}

void json_u64(struct json_out *o, uint64_t value)
{
    element(o);
    buf_addu(o->b, value);
}

void json_i64(struct json_out *o, int64_t value)
{
    element(o);
    if (value < 0)
        buf_addc(o->b, '-');
    buf_addu(o->b, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void json_bool(struct json_out *o, bool value)
{
    element(o);
    buf_adds(o->b, value ? "true" : "false");
}

void json_nil(struct json_out *o)
{
    element(o);
    buf_adds(o->b, "null");
}

void json_raw(struct json_out *o, const char *json, size_t len)
{
    element(o);
    buf_add(o->b, json, len);
}

void json_time(struct json_out *o, int64_t wall_ns)
{
    char text[TIME_TEXT_MAX];

    if (wall_ns == 0)
        json_nil(o);
    else
        json_str(o, time_format(wall_ns, text));
}

void json_put_str(struct json_out *o, const char *key, const char *text)
{
    json_key(o, key);
    json_str(o, text);
}

void json_put_u64(struct json_out *o, const char *key, uint64_t value)
{
    json_key(o, key);
    json_u64(o, value);
}

void json_put_id(struct json_out *o, const char *key, uint64_t value)
{
    json_key(o, key);
    element(o);
    buf_addc(o->b, '"');
    buf_addu(o->b, value);
    buf_addc(o->b, '"');
}

void json_put_i64(struct json_out *o, const char *key, int64_t value)
{
    json_key(o, key);
    json_i64(o, value);
}

void json_put_bool(struct json_out *o, const char *key, bool value)
{
    json_key(o, key);
    json_bool(o, value);
}

void json_put_time(struct json_out *o, const char *key, int64_t wall_ns)
{
    json_key(o, key);
    json_time(o, wall_ns);
}

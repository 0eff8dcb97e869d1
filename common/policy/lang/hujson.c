/* SPDX-License-Identifier: BSD-3-Clause */
/* One pass, recursive to HUJSON_DEPTH. Messages are those of the library behind the service, because people search for
 * them. Names are compared within their object through a sorted copy, so a hostile object costs n log n. */
#include "policy/lang/hujson.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

struct hujson_reader {
    const char *text;
    size_t len, at;
    struct arena *arena;
    struct hujson_error *why;
    int depth;
    int code;
};

static int fail(struct hujson_reader *r, size_t offset, bool syntax, const char *format, ...) PRINTF_LIKE(4, 5);
static int fail(struct hujson_reader *r, size_t offset, bool syntax, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    r->why->offset = offset;
    r->why->syntax = syntax;
    vsnprintf(r->why->message, sizeof(r->why->message), format, args);
    va_end(args);
    return r->code = ERR_INVALID;
}

static int too_big(struct hujson_reader *r)
{
    fail(r, r->at, true, "the text needs too much memory");
    return r->code = ERR_TOOBIG;
}

/* A character as the messages show it: quoted, escaped where it is not printable. */
static const char *quoted(const struct hujson_reader *r, char out[16])
{
    unsigned char c = (unsigned char)r->text[r->at];
    size_t n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

    if (c == '\'' || c == '\\')
        snprintf(out, 16, "'\\%c'", c);
    else if (c == '\n' || c == '\t' || c == '\r')
        snprintf(out, 16, "'\\%c'", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
    else if (c >= 0x20 && c < 0x7f)
        snprintf(out, 16, "'%c'", c);
    else if (c >= 0x80 && r->at + n <= r->len && str_utf8(r->text + r->at, n))
        snprintf(out, 16, "'%.*s'", (int)n, r->text + r->at);
    else
        snprintf(out, 16, "'\\x%02x'", c);
    return out;
}

static int skip_comment(struct hujson_reader *r)
{
    size_t start = r->at;
    const char *from = r->text + start + 2;
    size_t rest = r->len - start - 2;
    const char *end = r->text[start + 1] == '/' ? memchr(from, '\n', rest) : memmem(from, rest, "*/", 2);

    if (!end)
        return fail(r, start, true, "parsing comment: unexpected EOF");
    r->at = (size_t)(end - r->text) + (r->text[start + 1] == '/' ? 1 : 2);
    if (!str_utf8(r->text + start, r->at - start))
        return fail(r, start, true, "invalid UTF-8 in comment");
    return 0;
}

/* Whitespace and comments. where names what was being read, for an end of the text. */
static int skip(struct hujson_reader *r, const char *where)
{
    while (r->at < r->len) {
        char c = r->text[r->at];

        if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
            r->at++;
        else if (c == '/' && r->at + 1 < r->len && (r->text[r->at + 1] == '/' || r->text[r->at + 1] == '*')) {
            if (skip_comment(r) < 0)
                return r->code;
        } else {
            return 0;
        }
    }
    return where ? fail(r, r->len, true, "parsing %s: unexpected EOF", where) : 0;
}

static int hex4(const char *p, unsigned *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                                : 99;
        if (digit == 99)
            return -1;
        *out = *out * 16 + digit;
    }
    return 0;
}

static size_t put_utf8(char *out, unsigned c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* One escape at r->at (the backslash); appends to out. Surrogates must come in pairs. */
static int unescape(struct hujson_reader *r, char *out, size_t *n)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    unsigned unit, low;

    if (r->at + 1 >= r->len)
        return -1;
    const char *simple = strchr(from, r->text[r->at + 1]);
    if (simple && *simple) {
        out[(*n)++] = to[simple - from];
        r->at += 2;
        return 0;
    }
    if (r->text[r->at + 1] != 'u' || r->at + 6 > r->len || hex4(r->text + r->at + 2, &unit) < 0 || unit == 0)
        return -1;
    r->at += 6;
    if (unit >= 0xdc00 && unit < 0xe000)
        return -1;
    if (unit >= 0xd800 && unit < 0xdc00) {
        if (r->at + 6 > r->len || r->text[r->at] != '\\' || r->text[r->at + 1] != 'u' ||
            hex4(r->text + r->at + 2, &low) < 0 || low < 0xdc00 || low >= 0xe000)
            return -1;
        r->at += 6;
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    }
    *n += put_utf8(out + *n, unit);
    return 0;
}

static int read_string(struct hujson_reader *r, const char **out)
{
    size_t start = r->at, end = start + 1, n = 0;

    while (end < r->len && r->text[end] != '"')
        end += r->text[end] == '\\' ? 2 : 1;
    if (end >= r->len)
        return fail(r, start, true, "parsing string: unexpected EOF");
    char *s = arena_alloc(r->arena, end - start + 4);
    if (!s)
        return too_big(r);
    for (r->at = start + 1; r->at < end;) {
        if (r->text[r->at] != '\\') {
            if ((unsigned char)r->text[r->at] < 0x20)
                return fail(r, start, true, "invalid literal: control character in string");
            s[n++] = r->text[r->at++];
        } else if (unescape(r, s, &n) < 0) {
            return fail(r, start, true, "invalid literal: %.*s", (int)(end - start < 60 ? end - start + 1 : 60),
                        r->text + start);
        }
    }
    r->at = end + 1;
    s[n] = '\0';
    if (!str_utf8(s, n))
        return fail(r, start, false, "jsontext: invalid UTF-8");
    *out = s;
    return 0;
}

static size_t digits(const char *s, size_t at, size_t len)
{
    size_t n = 0;

    while (at + n < len && s[at + n] >= '0' && s[at + n] <= '9')
        n++;
    return n;
}

static bool number_ok(const char *s, size_t len)
{
    size_t at = len && s[0] == '-' ? 1 : 0, n = digits(s, at, len);

    if (n == 0 || (n > 1 && s[at] == '0'))
        return false;
    at += n;
    if (at < len && s[at] == '.') {
        n = digits(s, ++at, len);
        if (!n)
            return false;
        at += n;
    }
    if (at < len && (s[at] == 'e' || s[at] == 'E')) {
        at++;
        if (at < len && (s[at] == '+' || s[at] == '-'))
            at++;
        n = digits(s, at, len);
        if (!n)
            return false;
        at += n;
    }
    return at == len;
}

/* true, false, null, a number: everything up to the next delimiter. */
static int read_word(struct hujson_reader *r, struct hujson *v)
{
    size_t start = r->at, n = 0;

    while (start + n < r->len && !memchr(" \t\r\n,:]}[{\"/", r->text[start + n], 12))
        n++;
    const char *word = r->text + start;

    r->at += n;
    if (n == 4 && memcmp(word, "null", 4) == 0) {
        v->kind = HUJSON_NULL;
    } else if (n == 4 && memcmp(word, "true", 4) == 0) {
        v->kind = HUJSON_BOOL;
        v->truth = true;
    } else if (n == 5 && memcmp(word, "false", 5) == 0) {
        v->kind = HUJSON_BOOL;
    } else if (number_ok(word, n)) {
        v->kind = HUJSON_NUMBER;
        v->text = arena_strndup(r->arena, word, n);
        if (!v->text)
            return too_big(r);
    } else {
        return fail(r, start, true, "invalid literal: %.*s", (int)(n < 60 ? n : 60), word);
    }
    return 0;
}

static int read_value(struct hujson_reader *r, struct hujson *v);

static int by_name(const void *a, const void *b)
{
    const struct hujson *const *x = a, *const *y = b;
    int order = strcmp((*x)->name, (*y)->name);

    return order ? order : ((*x)->name_start > (*y)->name_start) - ((*x)->name_start < (*y)->name_start);
}

static int check_names(struct hujson_reader *r, const struct hujson *object)
{
    const struct hujson **sorted;
    size_t n = 0;
    int code = 0;

    if (object->count < 2)
        return 0;
    sorted = mem_alloc(object->count * sizeof(const struct hujson *));
    for (const struct hujson *m = object->first; m; m = m->next)
        sorted[n++] = m;
    qsort(sorted, n, sizeof(const struct hujson *), by_name);
    for (size_t i = 1; i < n && code == 0; i++)
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0)
            code = fail(r, sorted[i]->name_start, false, "jsontext: duplicate object member name \"%.80s\"",
                        sorted[i]->name);
    free(sorted);
    return code;
}

static int read_name(struct hujson_reader *r, struct hujson *m)
{
    char q[16];

    if (r->text[r->at] != '"')
        return fail(r, r->at, true, "invalid character %s at start of object name", quoted(r, q));
    m->name_start = r->at;
    if (read_string(r, &m->name) < 0 || skip(r, "object after name") < 0)
        return r->code;
    if (r->text[r->at] != ':')
        return fail(r, r->at, true, "invalid character %s after object name", quoted(r, q));
    r->at++;
    return 0;
}

/* The members or elements behind an opening bracket. */
static int read_children(struct hujson_reader *r, struct hujson *v)
{
    bool object = v->kind == HUJSON_OBJECT;
    char close = object ? '}' : ']', q[16];
    struct hujson **link = &v->first;

    r->at++;
    if (++r->depth > HUJSON_DEPTH)
        return fail(r, v->start, true, "nested more than %d levels deep", HUJSON_DEPTH);
    for (;;) {
        if (skip(r, object ? (v->count ? "object after value" : "value") : (v->count ? "array after value" : "value")) <
            0)
            return r->code;
        if (r->text[r->at] == close)
            break;
        struct hujson *child = arena_alloc(r->arena, sizeof(*child));
        if (!child)
            return too_big(r);
        if ((object && read_name(r, child) < 0) || read_value(r, child) < 0 ||
            skip(r, object ? "object after value" : "array after value") < 0)
            return r->code;
        *link = child;
        link = &child->next;
        v->count++;
        if (r->text[r->at] == ',')
            r->at++;
        else if (r->text[r->at] != close)
            return fail(r, r->at, true, "invalid character %s after %s value (expecting ',' or '%c')", quoted(r, q),
                        object ? "object" : "array", close);
    }
    r->at++;
    r->depth--;
    return object ? check_names(r, v) : 0;
}

static int read_value(struct hujson_reader *r, struct hujson *v)
{
    char q[16];
    int code = 0;

    if (skip(r, "value") < 0)
        return r->code;
    v->start = r->at;
    switch (r->text[r->at]) {
    case '{':
    case '[':
        v->kind = r->text[r->at] == '{' ? HUJSON_OBJECT : HUJSON_ARRAY;
        code = read_children(r, v);
        break;
    case '"':
        v->kind = HUJSON_STRING;
        code = read_string(r, &v->text);
        break;
    default:
        if (!memchr("-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", r->text[r->at], 63) ||
            r->text[r->at] == '\0')
            return fail(r, r->at, true, "invalid character %s at start of value%s", quoted(r, q),
                        r->text[r->at] == '\'' ? " (strings stand in double quotes)" : "");
        code = read_word(r, v);
    }
    v->end = r->at;
    return code;
}

int hujson_read(const char *text, size_t len, struct arena *a, struct hujson **out, struct hujson_error *why)
{
    struct hujson_reader r = {.text = text, .len = len, .arena = a, .why = why};
    struct hujson *top = arena_alloc(a, sizeof(*top));
    char q[16];

    *out = NULL;
    *why = (struct hujson_error){0};
    const char *zero = memchr(text, '\0', len);
    if (zero)
        return fail(&r, (size_t)(zero - text), true, "invalid character '\\x00': a text holds no zero bytes");
    if (!top)
        return too_big(&r);
    if (read_value(&r, top) < 0 || skip(&r, NULL) < 0)
        return r.code;
    if (r.at < len)
        return fail(&r, r.at, true, "invalid character %s after top-level value", quoted(&r, q));
    *out = top;
    return 0;
}

bool hujson_number_fits(const struct hujson *number)
{
    const char *digits = number->text + (number->text[0] == '-');

    if (number->text[strcspn(number->text, ".eE")])
        return isfinite(strtod(number->text, NULL));
    size_t n = strlen(digits);
    return n < 19 ||
           (n == 19 && strcmp(digits, number->text == digits ? "9223372036854775807" : "9223372036854775808") <= 0);
}

void hujson_plain(const struct hujson *v, const char *text, struct buf *out)
{
    bool object = v->kind == HUJSON_OBJECT, comma = false;

    if (v->kind != HUJSON_OBJECT && v->kind != HUJSON_ARRAY) {
        buf_add(out, text + v->start, v->end - v->start);
        return;
    }
    buf_addc(out, object ? '{' : '[');
    for (const struct hujson *m = v->first; m; m = m->next) {
        if (comma)
            buf_addc(out, ',');
        comma = true;
        if (object) {
            size_t end = m->name_start + 1;
            while (text[end] != '"')
                end += text[end] == '\\' ? 2 : 1;
            buf_add(out, text + m->name_start, end + 1 - m->name_start);
            buf_addc(out, ':');
        }
        hujson_plain(m, text, out);
    }
    buf_addc(out, object ? '}' : ']');
}

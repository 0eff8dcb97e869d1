/* SPDX-License-Identifier: BSD-3-Clause */
/* A single pass, step by step. The messages are those of the library that Tailscale's service uses, because people
 * search for them. Names are compared within their object through a sorted copy, so a hostile object costs n log n. */
#include "policy/lang/hujson_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

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

/* A character as shown in messages: quoted, and escaped if it is not printable. */
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

/* Skips white space and comments. where names what was being read, in case the text ends. */
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

/* Decodes one escape at r->at (the backslash) and appends it to out. Surrogates must come in pairs. */
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

/* Decodes the text between the quotes at r->at and end into s, which has room for as many bytes, and moves r->at past
 * it. */
static int decode_string(struct hujson_reader *r, size_t end, char *s)
{
    size_t start = r->at, n = 0;

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
    return 0;
}

/* out NULL: only checks it. */
static int read_string(struct hujson_reader *r, const char **out)
{
    size_t start = r->at, end = start + 1;

    while (end < r->len && r->text[end] != '"')
        end += r->text[end] == '\\' ? 2 : 1;
    if (end >= r->len)
        return fail(r, start, true, "parsing string: unexpected EOF");
    char *s = out ? arena_alloc(r->arena, end - start + 4) : mem_alloc(end - start + 4);
    if (!s)
        return too_big(r);
    int code = decode_string(r, end, s);
    if (!out)
        free(s);
    else if (code == 0)
        *out = s;
    return code;
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

/* Reads true, false, null or a number: everything up to the next delimiter. */
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
        if (r->child && !(v->text = arena_strndup(r->arena, word, n)))
            return too_big(r);
    } else {
        return fail(r, start, true, "invalid literal: %.*s", (int)(n < 60 ? n : 60), word);
    }
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const struct hujson *const *x = a, *const *y = b;
    int order = strcmp((*x)->name, (*y)->name);

    return order ? order : ((*x)->name_start > (*y)->name_start) - ((*x)->name_start < (*y)->name_start);
}

int hujson_names(struct hujson_reader *r, const struct hujson *object)
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

/* ---- one step ---- */

/* What was being read, in case the text ends here. */
static const char *where(const struct hujson_reader *r)
{
    const struct hujson_frame *f = r->depth ? &r->frames[r->depth - 1] : NULL;

    if (!f || r->state == HUJSON_WANT_VALUE || (r->state == HUJSON_WANT_ITEM && !f->count))
        return "value";
    if (r->state == HUJSON_AFTER_NAME)
        return "object after name";
    return f->object ? "object after value" : "array after value";
}

/* Called after each value. NULL: it is not kept. */
static void value_done(struct hujson_reader *r, struct hujson *v)
{
    struct hujson_frame *f = r->depth ? &r->frames[r->depth - 1] : NULL;

    r->state = HUJSON_AFTER_VALUE;
    if (!f)
        return;
    f->count++;
    if (f->v && v) {
        *f->link = v;
        f->link = &v->next;
        f->v->count = f->count;
    }
}

static int open_container(struct hujson_reader *r)
{
    struct hujson *v = r->child;

    if (r->depth == HUJSON_DEPTH)
        return fail(r, r->at, true, "nested more than %d levels deep", HUJSON_DEPTH);
    r->frames[r->depth++] =
        (struct hujson_frame){.object = r->text[r->at] == '{', .item = r->at, .v = v, .link = v ? &v->first : NULL};
    if (v)
        v->kind = r->text[r->at] == '{' ? HUJSON_OBJECT : HUJSON_ARRAY;
    r->child = NULL;
    r->at++;
    r->state = HUJSON_WANT_ITEM;
    return 0;
}

static int close_container(struct hujson_reader *r)
{
    const struct hujson_frame f = r->frames[--r->depth];

    r->at++;
    if (f.v)
        f.v->end = r->at;
    value_done(r, f.v);
    return f.object && f.v && !f.doubtful ? hujson_names(r, f.v) : 0;
}

static int read_name(struct hujson_reader *r)
{
    char q[16];

    if (r->text[r->at] != '"')
        return fail(r, r->at, true, "invalid character %s at start of object name", quoted(r, q));
    if (r->child)
        r->child->name_start = r->at;
    r->last = r->at;
    if (read_string(r, r->child ? &r->child->name : NULL) < 0)
        return r->code;
    r->state = HUJSON_AFTER_NAME;
    return 0;
}

static int read_value(struct hujson_reader *r)
{
    struct hujson unkept = {0}, *v = r->child ? r->child : &unkept;
    char q[16], c = r->text[r->at];

    v->start = r->at;
    if (c == '{' || c == '[')
        return open_container(r);
    r->last = r->at;
    if (c == '"') {
        v->kind = HUJSON_STRING;
        if (read_string(r, r->child ? &v->text : NULL) < 0)
            return r->code;
    } else if (c != '\0' && memchr("-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", c, 63)) {
        if (read_word(r, v) < 0)
            return r->code;
    } else {
        return fail(r, r->at, true, "invalid character %s at start of value%s", quoted(r, q),
                    c == '\'' ? " (strings stand in double quotes)" : "");
    }
    v->end = r->at;
    value_done(r, r->child);
    r->child = NULL;
    return 0;
}

/* Reads a member, an element, or the end of the container. */
static int read_item(struct hujson_reader *r)
{
    struct hujson_frame *f = &r->frames[r->depth - 1];

    if (r->text[r->at] == (f->object ? '}' : ']'))
        return close_container(r);
    f->item = r->at;
    if (f->v && !(r->child = arena_alloc(r->arena, sizeof(*r->child))))
        return too_big(r);
    return f->object ? read_name(r) : read_value(r);
}

static int read_after_value(struct hujson_reader *r)
{
    bool object = r->frames[r->depth - 1].object;
    char close = object ? '}' : ']', q[16];

    if (r->text[r->at] == close)
        return close_container(r);
    if (r->text[r->at] != ',')
        return fail(r, r->at, true, "invalid character %s after %s value (expecting ',' or '%c')", quoted(r, q),
                    object ? "object" : "array", close);
    r->at++;
    r->state = HUJSON_WANT_ITEM;
    return 0;
}

int hujson_step(struct hujson_reader *r)
{
    bool last = r->depth == 0 && r->state == HUJSON_AFTER_VALUE;
    char q[16];

    r->code = 0;
    if (skip(r, last ? NULL : where(r)) < 0)
        return r->code;
    if (last && r->at < r->len)
        return fail(r, r->at, true, "invalid character %s after top-level value", quoted(r, q));
    if (last)
        r->state = HUJSON_DONE;
    switch (r->state) {
    case HUJSON_WANT_VALUE:
        return read_value(r);
    case HUJSON_WANT_ITEM:
        return read_item(r);
    case HUJSON_AFTER_NAME:
        if (r->text[r->at] != ':')
            return fail(r, r->at, true, "invalid character %s after object name", quoted(r, q));
        r->at++;
        r->state = HUJSON_WANT_VALUE;
        return 0;
    case HUJSON_AFTER_VALUE:
        return read_after_value(r);
    case HUJSON_DONE:
        break;
    }
    return 0;
}

int hujson_begin(struct hujson_reader *r)
{
    const char *zero = memchr(r->text, '\0', r->len);

    *r->why = (struct hujson_error){0};
    if (zero)
        return fail(r, (size_t)(zero - r->text), true, "invalid character '\\x00': a text holds no zero bytes");
    r->child = arena_alloc(r->arena, sizeof(*r->child));
    return r->child ? 0 : too_big(r);
}

int hujson_read(const char *text, size_t len, struct arena *a, struct hujson **out, struct hujson_error *why)
{
    struct hujson_reader r = {.text = text, .len = len, .arena = a, .why = why};

    *out = NULL;
    if (hujson_begin(&r) < 0)
        return r.code;
    struct hujson *top = r.child;
    while (r.state != HUJSON_DONE)
        if (hujson_step(&r) < 0)
            return r.code;
    *out = top;
    return 0;
}

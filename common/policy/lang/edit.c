/* SPDX-License-Identifier: BSD-3-Clause */
/* Changing one value of a text and nothing else. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/lang/rules.h"

/* The next token of a JSON pointer, decoded; NULL at the end. The caller frees it. */
static char *next_token(const char **pointer)
{
    struct buf b = BUF_INIT(0);

    if (**pointer != '/')
        return NULL;
    for ((*pointer)++; **pointer && **pointer != '/'; (*pointer)++) {
        char c = **pointer;
        if (c == '~' && ((*pointer)[1] == '0' || (*pointer)[1] == '1'))
            c = *++*pointer == '0' ? '~' : '/';
        buf_addc(&b, c);
    }
    return buf_take(&b);
}

static const struct hujson *child(const struct hujson *v, const char *token)
{
    uint64_t index;

    if (v->kind == HUJSON_OBJECT)
        return hujson_member(v, token);
    if (v->kind != HUJSON_ARRAY || str_u64(token, 0, SIZE_MAX, &index, "", NULL) < 0)
        return NULL;
    const struct hujson *e = v->first;
    while (e && index--)
        e = e->next;
    return e;
}

/* The first byte from at on that is no blank and in no comment. */
static size_t skip_blank(const char *text, size_t at, size_t end)
{
    while (at < end) {
        if (strchr(" \t\r\n", text[at]) && text[at]) {
            at++;
        } else if (text[at] == '/' && at + 1 < end && text[at + 1] == '/') {
            const char *lf = memchr(text + at, '\n', end - at);
            at = lf ? (size_t)(lf - text) + 1 : end;
        } else if (text[at] == '/' && at + 1 < end && text[at + 1] == '*') {
            const char *close = memmem(text + at + 2, end - at - 2, "*/", 2);
            at = close ? (size_t)(close - text) + 2 : end;
        } else {
            break;
        }
    }
    return at;
}

/* White space in front of the line's first byte, for a new line like it. */
static void add_indent(const char *text, size_t at, struct buf *out)
{
    size_t line = at;

    while (line > 0 && text[line - 1] != '\n')
        line--;
    size_t n = strspn(text + line, " \t");
    buf_add(out, text + line, line + n > at ? at - line : n);
}

/* Puts a member (name not NULL) or element behind the last one of a container. */
static void insert(const char *text, const struct hujson *in, const char *name, const char *value, struct buf *out,
                   size_t *resume)
{
    const struct hujson *last = in->first;

    while (last && last->next)
        last = last->next;
    size_t at = last ? last->end : in->start + 1;
    bool lines = last && memchr(text + in->start, '\n', last->start - in->start);
    size_t comma = last ? skip_blank(text, last->end, in->end) : at;
    bool has_comma = last && text[comma] == ',';

    if (has_comma)
        at = comma + 1;
    buf_add(out, text, at);
    if (last && !has_comma)
        buf_addc(out, ',');
    if (lines) {
        buf_addc(out, '\n');
        add_indent(text, last->name ? last->name_start : last->start, out);
    } else if (last) {
        buf_addc(out, ' ');
    }
    if (name) {
        buf_addc(out, '"');
        for (const char *c = name; *c; c++) {
            if (*c == '"' || *c == '\\')
                buf_addc(out, '\\');
            buf_addc(out, *c);
        }
        buf_adds(out, "\": ");
    }
    buf_adds(out, value);
    if (has_comma)
        buf_addc(out, ',');
    *resume = at;
}

/* Cuts a value out with the comma that follows it (or, at the end, the one before). */
static void cut(const char *text, const struct hujson *in, const struct hujson *v, struct buf *out, size_t *resume)
{
    size_t start = v->name ? v->name_start : v->start;
    size_t after = skip_blank(text, v->end, in->end);

    *resume = v->end;
    if (text[after] == ',') {
        *resume = after + 1;
        while (text[*resume] == ' ' || text[*resume] == '\t')
            (*resume)++;
        if (text[*resume] == '\n') { /* the whole line, when nothing else is on it */
            size_t line = start;
            while (line > 0 && (text[line - 1] == ' ' || text[line - 1] == '\t'))
                line--;
            if (line > 0 && text[line - 1] == '\n') {
                start = line;
                (*resume)++;
            }
        }
    } else {
        const struct hujson *before = NULL;
        for (const struct hujson *m = in->first; m != v; m = m->next)
            before = m;
        if (before) {
            size_t comma = skip_blank(text, before->end, in->end);
            buf_add(out, text, comma);
            buf_add(out, text + comma + 1, start - comma - 1);
            while (out->len && strchr(" \t\r\n", out->data[out->len - 1]))
                out->len--;
            return;
        }
    }
    buf_add(out, text, start);
}

static int edit(const char *text, const struct hujson *top, const char *pointer, const char *value, struct buf *out,
                size_t *resume, struct err *e)
{
    const struct hujson *in = NULL, *at = top;
    const char *rest = pointer;
    char *token;

    while ((token = next_token(&rest))) {
        const struct hujson *next = child(at, token);
        bool last = !*rest;

        if (!next && last && value && (at->kind == HUJSON_OBJECT || (at->kind == HUJSON_ARRAY && str_eq(token, "-")))) {
            insert(text, at, at->kind == HUJSON_OBJECT ? token : NULL, value, out, resume);
            free(token);
            return 0;
        }
        free(token);
        if (!next)
            return err_set(e, ERR_MISSING, "the policy has nothing at \"%s\"", pointer);
        in = at;
        at = next;
    }
    if (*rest || (!in && !value))
        return err_set(e, ERR_INVALID, "\"%s\" is no place in a policy", pointer);
    if (!value) {
        cut(text, in, at, out, resume);
        return 0;
    }
    buf_add(out, text, at->start);
    buf_adds(out, value);
    *resume = at->end;
    return 0;
}

int policy_text_edit(const char *text, size_t len, const char *pointer, const char *value, struct buf *out,
                     struct err *e)
{
    struct arena a = ARENA_INIT(64U << 20);
    struct hujson_error why;
    struct hujson *top, *checked;
    size_t resume = 0;

    if (len > POLICY_TEXT_MAX)
        return err_set(e, ERR_TOOBIG, "a policy of %zu bytes is too large", len);
    char *copy = mem_strndup(text, len);
    int code = hujson_read(copy, len, &a, &top, &why);
    if (code < 0)
        err_set(e, (enum err_code)code, "%s", why.message);
    if (code == 0 && value && hujson_read(value, strlen(value), &a, &checked, &why) < 0)
        code = err_set(e, ERR_INVALID, "the new value is no JSON: %s", why.message);
    if (code == 0)
        code = edit(copy, top, pointer, value, out, &resume, e);
    if (code == 0)
        buf_add(out, copy + resume, len - resume);
    if (code == 0 && out->failed)
        code = err_set(e, ERR_TOOBIG, "the policy would become too large");
    free(copy);
    arena_release(&a);
    return code;
}

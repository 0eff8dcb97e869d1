/* SPDX-License-Identifier: BSD-3-Clause */
/* One pass over the text, with a stack of open brackets. */
#include "console/text/outline.h"

#include <string.h>

#include "base/str.h"

struct bracket {
    struct text_pos at;
    char sign;
    bool value;      /* of an object: a value comes next, not a key */
    const char *key; /* the key of that value */
    size_t key_len;
};

struct outline {
    struct bracket stack[OUTLINE_DEPTH];
    size_t depth; /* may exceed the stack */
    char path[OUTLINE_PATH];
    /* Callbacks; each returns false to stop. A comment and a gap end before to. */
    bool (*on_string)(struct outline *o, const struct outline_token *token);
    bool (*on_bracket)(struct outline *o, struct text_pos at, const struct bracket *opened);
    bool (*on_gap)(struct outline *o, size_t line, size_t from, size_t to, bool comment);
    void *arg;
};

static struct bracket *top(struct outline *o)
{
    return o->depth && o->depth <= OUTLINE_DEPTH ? &o->stack[o->depth - 1] : NULL;
}

static bool at_key(struct outline *o)
{
    const struct bracket *b = top(o);

    return b && b->sign == '{' && !b->value;
}

static void path_add(char *path, size_t *used, const char *name, size_t len)
{
    if (*used && *used + 1 < OUTLINE_PATH)
        path[(*used)++] = '/';
    if (len > OUTLINE_PATH - 1 - *used)
        len = OUTLINE_PATH - 1 - *used;
    memcpy(path + *used, name, len);
    *used += len;
    path[*used] = '\0';
}

static const char *path_of(struct outline *o)
{
    size_t used = 0;

    o->path[0] = '\0';
    for (size_t i = 0; i < o->depth && i < OUTLINE_DEPTH; i++) {
        const struct bracket *b = &o->stack[i];

        if (b->sign == '[')
            path_add(o->path, &used, "[]", 2);
        else if (b->value)
            path_add(o->path, &used, b->key, b->key_len);
    }
    return o->path;
}

static bool sign(struct outline *o, struct text_pos at, char c)
{
    struct bracket *b = top(o);
    bool more = true;

    if (c == '{' || c == '[') {
        if (o->depth < OUTLINE_DEPTH)
            o->stack[o->depth] = (struct bracket){.at = at, .sign = c, .key = ""};
        o->depth++;
    } else if (c == '}' || c == ']') {
        if (o->on_bracket)
            more = o->on_bracket(o, at, b && b->sign == (c == '}' ? '{' : '[') ? b : NULL);
        o->depth -= o->depth > 0;
    } else if (b && c == ':') {
        b->value = b->sign == '{';
    } else if (b && c == ',') {
        b->value = false;
    }
    return more;
}

static bool string(struct outline *o, const struct edit_line *l, struct text_pos at, size_t *end)
{
    struct outline_token token = {
        .key = at_key(o), .string = true, .from = {at.line, at.at + 1}, .text = l->bytes + at.at + 1};
    struct bracket *b = top(o);
    size_t i = at.at + 1;

    while (i < l->len && l->bytes[i] != '"')
        i += l->bytes[i] == '\\' && i + 1 < l->len ? 2 : 1;
    token.len = i - at.at - 1;
    token.closed = i < l->len;
    *end = i + token.closed;
    if (b && token.key) {
        b->key = token.text;
        b->key_len = token.len;
    }
    return !o->on_string || o->on_string(o, &token);
}

static size_t comment_end(const struct edit_line *l, size_t from, bool *open)
{
    const char *end = l->len - from >= 2 ? memmem(l->bytes + from, l->len - from, "*/", 2) : NULL;

    *open = !end;
    return end ? (size_t)(end - l->bytes) + 2 : l->len;
}

/* The end of the token that begins here: a comment, a string, or one byte. */
static bool token(struct outline *o, const struct edit_line *l, struct text_pos at, size_t *end, bool *comment)
{
    const char *bytes = l->bytes + at.at;
    bool pair = at.at + 1 < l->len && bytes[0] == '/';

    if (bytes[0] == '"')
        return string(o, l, at, end);
    if (pair && (bytes[1] == '/' || bytes[1] == '*')) {
        *end = bytes[1] == '/' ? l->len : comment_end(l, at.at + 2, comment);
        return !o->on_gap || o->on_gap(o, at.line, at.at, bytes[1] == '/' ? SIZE_MAX : *end, true);
    }
    *end = at.at + 1;
    return (!o->on_gap || o->on_gap(o, at.line, at.at, *end, false)) && sign(o, at, bytes[0]);
}

static void run(struct outline *o, const struct textbuf *t)
{
    bool comment = false;

    for (size_t line = 0; line < t->lines.len; line++) {
        const struct edit_line *l = &t->lines.items[line];
        size_t at = 0;

        if (comment) {
            at = comment_end(l, 0, &comment);
            if (o->on_gap && !o->on_gap(o, line, 0, at, true))
                return;
        }
        while (at < l->len) {
            size_t end = l->len;

            if (!token(o, l, (struct text_pos){line, at}, &end, &comment))
                return;
            at = end;
        }
        if (o->on_gap && !comment && !o->on_gap(o, line, at, SIZE_MAX, false))
            return;
    }
}

/* ---- all strings ---- */

struct each {
    bool (*fn)(void *arg, const struct outline_token *token);
    void *arg;
};

static bool hand_over(struct outline *o, const struct outline_token *token)
{
    const struct each *e = o->arg;
    struct outline_token whole = *token;

    whole.path = path_of(o);
    return e->fn(e->arg, &whole);
}

void outline_each(const struct textbuf *t, bool (*fn)(void *arg, const struct outline_token *token), void *arg)
{
    struct each e = {fn, arg};
    struct outline o = {.on_string = hand_over, .arg = &e};

    run(&o, t);
}

/* ---- one place ---- */

struct search {
    struct text_pos at;
    struct outline_token *out;
    bool found;
};

static bool found_at(struct outline *o, const struct outline_token *token)
{
    struct search *s = o->arg;

    *s->out = *token;
    s->out->path = path_of(o);
    s->found = true;
    return false;
}

static bool stop_at_string(struct outline *o, const struct outline_token *token)
{
    const struct search *s = o->arg;
    bool inside =
        token->from.line == s->at.line && token->from.at <= s->at.at && s->at.at <= token->from.at + token->len;

    return !inside || found_at(o, token);
}

static bool stop_at_gap(struct outline *o, size_t line, size_t from, size_t to, bool comment)
{
    const struct search *s = o->arg;
    bool before = line < s->at.line || (line == s->at.line && to <= s->at.at);

    if (before)
        return true;
    if (comment && line == s->at.line && s->at.at > from)
        return false;
    return found_at(o, &(struct outline_token){.key = at_key(o), .from = s->at, .text = ""});
}

bool outline_at(const struct textbuf *t, struct text_pos at, struct outline_token *out, char path[OUTLINE_PATH])
{
    struct search s = {.at = at, .out = out};
    struct outline o = {.on_string = stop_at_string, .on_gap = stop_at_gap, .arg = &s};

    *out = (struct outline_token){0};
    run(&o, t);
    str_copy(path, OUTLINE_PATH, s.found ? out->path : "");
    out->path = path;
    return s.found;
}

/* ---- brackets ---- */

struct pair {
    struct text_pos at, *other;
    bool found;
};

static bool same_place(struct text_pos a, struct text_pos b)
{
    return a.line == b.line && a.at == b.at;
}

static bool closes(struct outline *o, struct text_pos at, const struct bracket *opened)
{
    struct pair *p = o->arg;
    bool here = same_place(at, p->at);

    if (opened && (here || same_place(opened->at, p->at))) {
        *p->other = here ? opened->at : at;
        p->found = true;
    }
    return !p->found && !here;
}

bool outline_match(const struct textbuf *t, struct text_pos at, struct text_pos *other)
{
    struct pair p = {.at = at, .other = other};
    struct outline o = {.on_bracket = closes, .arg = &p};
    const struct edit_line *l = at.line < t->lines.len ? &t->lines.items[at.line] : NULL;

    if (!l || at.at >= l->len || !strchr("{}[]", l->bytes[at.at]) || !l->bytes[at.at])
        return false;
    run(&o, t);
    return p.found;
}

/* ---- paths ---- */

bool outline_fits(const char *pattern, const char *path)
{
    for (; *pattern && *pattern != '*'; pattern++, path++)
        if (*pattern != *path)
            return false;
    if (!*pattern)
        return !*path;
    for (;; path++) {
        if (outline_fits(pattern + 1, path))
            return true;
        if (!*path)
            return false;
    }
}

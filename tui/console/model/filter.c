/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/model/filter.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/prefixes.h"

#define TERMS_MAX 32
#define WORD_MAX  200

enum op { OP_CONTAINS, OP_EQUALS, OP_STATE, OP_REGEX, OP_OLDER, OP_NEWER, OP_WITHIN, OP_OVERLAPS };

struct alternative {
    const struct filter_field *field; /* NULL: the row's words */
    enum op op;
    char *word;
    bool fold;
    regex_t regex;
    int64_t ns;
    struct prefix net;
};

struct filter_term {
    bool negated;
    VEC(struct alternative) any;
};

void filter_release(struct filter *f)
{
    for (size_t i = 0; i < f->len; i++) {
        for (size_t j = 0; j < f->terms[i].any.len; j++) {
            struct alternative *a = &f->terms[i].any.items[j];

            if (a->op == OP_REGEX)
                regfree(&a->regex);
            free(a->word);
        }
        vec_release(&f->terms[i].any);
    }
    free(f->terms);
    *f = (struct filter){0};
}

static bool has_capital(const char *text)
{
    for (; *text; text++)
        if (isupper((unsigned char)*text))
            return true;
    return false;
}

static const struct filter_field *field_find(const struct filter_fields *fields, const char *name, size_t len)
{
    for (size_t i = 0; i < fields->len; i++)
        if (strlen(fields->items[i].name) == len && memcmp(fields->items[i].name, name, len) == 0)
            return &fields->items[i];
    return NULL;
}

static int parse_regex(struct alternative *a, const char *pattern, struct err *e)
{
    int r = regcomp(&a->regex, pattern, REG_EXTENDED | REG_NOSUB | (has_capital(pattern) ? 0 : REG_ICASE));

    if (r) {
        char why[120];

        regerror(r, &a->regex, why, sizeof(why));
        return err_set(e, ERR_INVALID, "'%.40s': %s", pattern, why);
    }
    a->op = OP_REGEX;
    return 0;
}

/* Whether one of the words begins with the text. */
static bool word_begins(const char *words, const char *start)
{
    size_t len = strlen(start);

    for (const char *at = words; *at; at += strcspn(at, " ")) {
        at += strspn(at, " ");
        if (strncasecmp(at, start, len) == 0)
            return true;
    }
    return false;
}

/* Parses what follows the field's name: an operator and a value. */
static int parse_value(struct alternative *a, char op, const char *value, const char *states, struct err *e)
{
    enum filter_kind kind = a->field->kind;

    if (!*value)
        return err_set(e, ERR_INVALID, "%s%c needs a value", a->field->name, op);
    if (kind == FILTER_SINCE || kind == FILTER_UNTIL) {
        if (op != '<' && op != '>')
            return err_set(e, ERR_INVALID, "%s needs < or > and a time, such as %s>7d", a->field->name, a->field->name);
        a->op = op == '>' ? OP_OLDER : OP_NEWER;
        return duration_parse(value, &a->ns, a->field->name, e);
    }
    if (op == '<' || op == '>')
        return err_set(e, ERR_INVALID, "%s is not a time: use %s:value", a->field->name, a->field->name);
    if (kind == FILTER_NETWORK && (op == '~' || strchr(value, '/'))) {
        a->op = op == '~' ? OP_OVERLAPS : OP_WITHIN;
        return prefix_parse(value, &a->net, NULL, e);
    }
    if (op == '~')
        return parse_regex(a, value, e);
    if (op == '=' && kind != FILTER_STATE) {
        a->op = OP_EQUALS;
        a->word = mem_strdup(value);
        return 0;
    }
    if (kind == FILTER_STATE && states && !word_begins(states, value))
        return err_set(e, ERR_INVALID, "%s: '%.40s' is none of %s", a->field->name, value, states);
    a->op = kind == FILTER_STATE ? OP_STATE : OP_CONTAINS;
    a->word = mem_strdup(value);
    a->fold = !has_capital(value);
    return 0;
}

/* Whether a word with a colon is merely a word, not key:value: part of an address, a tag, a key. */
static bool is_plain_start(const char *word, size_t len)
{
    static const char *const starts[] = {"tag",  "group",   "autogroup", "ipset", "host",
                                         "mkey", "nodekey", "discokey",  "http",  "https"};

    if (len <= 4 && strspn(word, "0123456789abcdefABCDEF") >= len)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(starts); i++)
        if (strlen(starts[i]) == len && strncmp(starts[i], word, len) == 0)
            return true;
    return strspn(word, "abcdefghijklmnopqrstuvwxyz") < len; /* keys consist of lower-case letters */
}

static int unknown_key(const char *word, size_t len, const struct filter_fields *fields, struct err *e)
{
    struct buf names = BUF_INIT(0);

    for (size_t i = 0; i < fields->len; i++)
        buf_addf(&names, "%s%s", i ? " " : ": use ", fields->items[i].name);
    int r = err_set(e, ERR_INVALID, "unknown key '%.*s'%s", (int)(len < 40 ? len : 40), word, buf_text(&names));
    buf_release(&names);
    return r;
}

static int parse_alternative(struct alternative *a, const char *word, const struct filter_fields *fields, struct err *e)
{
    size_t name = strcspn(word, ":~<>=");

    *a = (struct alternative){0};
    if (name && word[name]) {
        a->field = field_find(fields, word, name);
        if (a->field)
            return parse_value(a, word[name], word + name + 1, fields->states, e);
        if (word[name] != '=' && (word[name] != ':' || !is_plain_start(word, name)))
            return unknown_key(word, name, fields, e);
    }
    if (word[0] == '~')
        return parse_regex(a, word + 1, e);
    a->op = OP_CONTAINS;
    a->word = mem_strdup(word);
    a->fold = !has_capital(word);
    return 0;
}

static int parse_term(struct filter_term *term, char *word, const struct filter_fields *fields, struct err *e)
{
    if (*word == '!') {
        term->negated = true;
        word++;
    }
    if (!*word)
        return err_set(e, ERR_INVALID, "'!' needs a word");
    /* In a regular expression the bar is part of it. */
    bool whole = word[0] == '~';
    for (char *next = word; next; word = next) {
        struct alternative a;

        next = whole ? NULL : strchr(word, '|');
        if (next)
            *next++ = '\0';
        if (!*word)
            continue;
        int r = parse_alternative(&a, word, fields, e);
        if (r < 0) {
            free(a.word);
            return r;
        }
        vec_push(&term->any, a);
    }
    return 0;
}

/* ---- saved filters ---- */

#define NESTED_MAX 4

const char *saved_filter_find(const struct saved_filters *s, const char *name)
{
    for (size_t i = 0; s && i < s->len; i++)
        if (str_eq(s->items[i].name, name))
            return s->items[i].text;
    return NULL;
}

static void saved_remove(struct saved_filters *s, const char *name)
{
    for (size_t i = s->len; i-- > 0;)
        if (str_eq(s->items[i].name, name)) {
            free(s->items[i].text);
            free(s->items[i].name); /* name may point to it */
            vec_remove(s, i);
            return;
        }
}

int saved_filter_set(struct saved_filters *s, const char *name, const char *text, struct err *e)
{
    static const char signs[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t len = strspn(name, signs);

    if (!len || name[len] || len > SAVED_NAME_MAX)
        return err_set(e, ERR_INVALID, "a filter's name has letters, digits, '-' and '_', at most %d, not '%.60s'",
                       SAVED_NAME_MAX, name);
    saved_remove(s, name);
    if (!*text)
        return 0;
    if (s->len >= SAVED_FILTERS_MAX)
        return err_set(e, ERR_TOOBIG, "there are %d saved filters already", SAVED_FILTERS_MAX);
    vec_push(s, ((struct saved_filter){.name = mem_strdup(name), .text = mem_strdup(text)}));
    return 0;
}

void saved_filters_release(struct saved_filters *s)
{
    while (s->len)
        saved_remove(s, s->items[s->len - 1].name);
    vec_release(s);
}

/* ---- the whole filter ---- */

struct filter_parser {
    const struct filter_fields *fields;
    const struct saved_filters *saved;
    VEC(struct filter_term) terms;
    size_t at; /* column of the current word */
    int depth; /* nesting of saved filters */
};

static int parse_words(struct filter_parser *p, const char *text, struct err *e);

static int parse_saved(struct filter_parser *p, const char *name, struct err *e)
{
    const char *text = saved_filter_find(p->saved, name);
    int r;

    if (!text)
        return err_set(e, ERR_INVALID, "no saved filter @%.60s", name);
    if (p->depth >= NESTED_MAX)
        return err_set(e, ERR_INVALID, "@%.60s holds too many saved filters in each other", name);
    p->depth++;
    r = parse_words(p, text, e);
    p->depth--;
    return r;
}

static int parse_words(struct filter_parser *p, const char *text, struct err *e)
{
    for (size_t pos = 0;;) {
        char word[WORD_MAX];
        struct filter_term term = {0};
        int r;

        pos += strspn(text + pos, " ");
        size_t len = strcspn(text + pos, " ");
        if (!len)
            return 0;
        p->at = p->depth ? p->at : pos;
        if (len >= sizeof(word) || p->terms.len >= TERMS_MAX)
            return err_set(e, ERR_TOOBIG, "the filter is too long");
        memcpy(word, text + pos, len);
        word[len] = '\0';
        pos += len;
        if (word[0] == '@' && p->saved) {
            r = parse_saved(p, word + 1, e);
        } else {
            r = parse_term(&term, word, p->fields, e);
            vec_push(&p->terms, term);
        }
        if (r < 0)
            return r;
    }
}

int filter_parse(const char *text, const struct filter_fields *fields, const struct saved_filters *saved,
                 struct filter *out, size_t *at, struct err *e)
{
    struct filter_parser p = {.fields = fields, .saved = saved};
    int r = parse_words(&p, text, e);
    struct filter made = {p.terms.items, p.terms.len, p.terms.cap};

    if (at)
        *at = p.at;
    if (r < 0) {
        filter_release(&made);
        return r;
    }
    filter_release(out);
    *out = made;
    return 0;
}

static bool contains(const char *text, const struct alternative *a)
{
    return (a->fold ? strcasestr(text, a->word) : strstr(text, a->word)) != NULL;
}

/* Whether the value is the whole text or one of its words. */
static bool has_word(const char *text, const char *word)
{
    size_t len = strlen(word);

    if (str_eq(text, word))
        return true;
    for (const char *at = text; *at; at += strcspn(at, " ")) {
        at += strspn(at, " ");
        if (strcspn(at, " ") == len && strncmp(at, word, len) == 0)
            return true;
    }
    return false;
}

static bool any_network(const char *text, const struct alternative *a)
{
    char word[PREFIX_TEXT_MAX];

    for (;;) {
        struct prefix p;

        text += strspn(text, " ");
        size_t len = strcspn(text, " ");
        if (!len)
            return false;
        if (len < sizeof(word)) {
            memcpy(word, text, len);
            word[len] = '\0';
            if (prefix_parse(word, &p, NULL, NULL) == 0 &&
                (prefix_covers(&a->net, &p) || (a->op == OP_OVERLAPS && prefix_covers(&p, &a->net))))
                return true;
        }
        text += len;
    }
}

static bool time_holds(const struct alternative *a, const struct row *row, int64_t now_ns)
{
    int64_t at = a->field->time(row), distance;

    if (a->field->kind == FILTER_SINCE) {
        if (!at)
            return a->op == OP_OLDER;
        distance = at == FILTER_NOW ? 0 : now_ns - at;
    } else {
        if (!at)
            return a->op == OP_OLDER;
        distance = at - now_ns;
    }
    return a->op == OP_OLDER ? distance > a->ns : distance < a->ns;
}

static bool alternative_holds(const struct alternative *a, const struct filter_fields *fields, const struct row *row,
                              int64_t now_ns, struct buf *scratch)
{
    if (a->op == OP_OLDER || a->op == OP_NEWER)
        return time_holds(a, row, now_ns);
    buf_clear(scratch);
    if (a->field)
        a->field->text(row, scratch);
    else
        fields->words(row, scratch);
    const char *text = buf_text(scratch);
    if (a->op == OP_REGEX)
        return regexec(&a->regex, text, 0, NULL, 0) == 0;
    if (a->op == OP_CONTAINS)
        return contains(text, a);
    if (a->op == OP_EQUALS)
        return has_word(text, a->word);
    if (a->op == OP_STATE)
        return word_begins(text, a->word);
    return any_network(text, a);
}

void filter_exactly(const char *field, const char *value, struct buf *out)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_/:";

    if (!strpbrk(value, " |")) {
        buf_addf(out, "%s=%s", field, value);
        return;
    }
    /* A blank ends a word, and a bar an alternative. */
    buf_addf(out, "%s~^", field);
    for (; *value; value++)
        buf_addc(out, strchr(plain, *value) ? *value : '.');
    buf_addc(out, '$');
}

bool filter_match(const struct filter *f, const struct filter_fields *fields, const struct row *row, int64_t now_ns)
{
    struct buf scratch = BUF_INIT(0);
    bool holds = true;

    for (size_t i = 0; i < f->len && holds; i++) {
        const struct filter_term *term = &f->terms[i];
        bool any = term->any.len == 0;

        for (size_t j = 0; j < term->any.len && !any; j++)
            any = alternative_holds(&term->any.items[j], fields, row, now_ns, &scratch);
        holds = any != term->negated;
    }
    buf_release(&scratch);
    return holds;
}

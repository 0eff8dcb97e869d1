/* SPDX-License-Identifier: BSD-3-Clause */
/* TOML 1.0 (https://toml.io/en/v1.0.0), complete and strict: the larger part are the rules about defining a table
 * twice. */
#include "config/toml.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "config/toml_values.h"
#include "config/tree.h"

#define DEPTH_MAX 32

/* How a table or list was defined: decides what may still be added to it. */
enum made {
    MADE_VALUE = 1, /* a scalar, an array of values or an inline table: complete */
    MADE_BY_HEADER, /* [a.b]: may be defined only once */
    MADE_ABOVE,     /* a, defined by [a.b] */
    MADE_BY_DOTS,   /* a, defined by a.b = 1 */
    MADE_MANY,      /* the array of [[a]] */
};

struct toml {
    const char *at, *end;
    yaml_document_t *doc;
    unsigned line, depth;
    struct map names;    /* from a table's number and a member's name to the member's node */
    VEC(enum made) made; /* by node number */
    struct err *e;
};

struct toml_key { /* the parts of a key such as a."b.c".d */
    VEC(char *) parts;
    unsigned line;
};

PRINTF_LIKE(2, 3)
static int fail(struct toml *t, const char *format, ...)
{
    char text[200];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return err_set(t->e, ERR_INVALID, "%s", text);
}

static int too_many(struct toml *t)
{
    return err_set(t->e, ERR_TOOBIG, "more than %d values", TREE_NODES_MAX);
}

/* ---- blanks and ends of lines ---- */

static char peek(const struct toml *t)
{
    return t->at < t->end ? *t->at : '\0'; /* the text contains no NUL */
}

static bool is_next(const struct toml *t, const char *text)
{
    size_t n = strlen(text);

    return (size_t)(t->end - t->at) >= n && memcmp(t->at, text, n) == 0;
}

static void skip_blanks(struct toml *t)
{
    while (peek(t) == ' ' || peek(t) == '\t')
        t->at++;
}

static bool take_newline(struct toml *t)
{
    size_t n = is_next(t, "\n") ? 1 : is_next(t, "\r\n") ? 2 : 0;

    t->at += n;
    t->line += n > 0;
    return n > 0;
}

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

static int skip_comment(struct toml *t)
{
    if (peek(t) != '#')
        return 0;
    while (t->at < t->end && *t->at != '\n' && !is_next(t, "\r\n"))
        if (is_control(*t->at++))
            return fail(t, "a control character stands in a comment");
    return 0;
}

static int end_line(struct toml *t)
{
    skip_blanks(t);
    if (skip_comment(t) < 0)
        return ERR_INVALID;
    if (t->at == t->end || take_newline(t))
        return 0;
    return fail(t, "something stands behind the end of the statement: one key and its value go on one line, and texts "
                   "need quotes");
}

/* Skips blanks, comments and newlines between the items of an array. */
static int skip_lines(struct toml *t)
{
    do {
        skip_blanks(t);
        if (skip_comment(t) < 0)
            return ERR_INVALID;
    } while (take_newline(t));
    return 0;
}

/* ---- texts ---- */

static int add_escape(struct toml *t, struct buf *out)
{
    static const char names[] = "btnfr\"\\", bytes[] = "\b\t\n\f\r\"\\";
    char c = peek(t);
    const char *which = c ? strchr(names, c) : NULL;
    size_t digits = c == 'u' ? 4 : c == 'U' ? 8 : 0;
    uint32_t rune = 0;

    t->at += c != '\0';
    if (which) {
        buf_addc(out, bytes[which - names]);
        return 0;
    }
    if (!digits)
        return fail(t, "a backslash in a text in double quotes begins an escape: write \\\\, or use single quotes");
    for (size_t i = 0; i < digits; i++, t->at++) {
        if (!isxdigit((unsigned char)peek(t)))
            return fail(t, "\\%c needs %zu hexadecimal digits", c, digits);
        rune = rune << 4 | (uint32_t)(isdigit((unsigned char)*t->at) ? *t->at - '0' : (*t->at | 0x20) - 'a' + 10);
    }
    if (rune == 0 || rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000))
        return fail(t, "\\%c%0*x is no character", c, (int)digits, rune);
    toml_utf8(out, rune);
    return 0;
}

/* A backslash at the end of a line also removes the blanks and newlines that follow. */
static bool take_folded(struct toml *t)
{
    const char *start = t->at;

    skip_blanks(t);
    if (!take_newline(t)) {
        t->at = start;
        return false;
    }
    do
        skip_blanks(t);
    while (take_newline(t));
    return true;
}

static int read_long_text(struct toml *t, char quote, struct buf *out)
{
    const char close[] = {quote, quote, quote, '\0'};
    unsigned began = t->line;

    (void)take_newline(t);
    while (t->at < t->end) {
        const char *here = t->at;
        if (is_next(t, close)) { /* up to two more quotes belong to the string */
            for (int more = 0; more < 2 && t->at + 3 < t->end && t->at[3] == quote; more++)
                buf_addc(out, *t->at++);
            t->at += 3;
            return 0;
        }
        if (take_newline(t)) {
            buf_add(out, here, (size_t)(t->at - here));
        } else if (quote == '"' && *t->at == '\\') {
            t->at++;
            if (!take_folded(t) && add_escape(t, out) < 0)
                return ERR_INVALID;
        } else if (is_control(*t->at)) {
            return fail(t, "a control character stands in a text");
        } else {
            buf_addc(out, *t->at++);
        }
    }
    t->line = began;
    return fail(t, "a text in %s is not closed", close);
}

static int read_text(struct toml *t, bool key, struct buf *out)
{
    const char quote = *t->at++;
    const char twice[] = {quote, quote, '\0'};

    if (!key && is_next(t, twice)) {
        t->at += 2;
        return read_long_text(t, quote, out);
    }
    while (peek(t) != quote) {
        if (t->at == t->end || *t->at == '\n' || is_next(t, "\r\n"))
            return fail(t, "a text in %c is not closed on its line", quote);
        if (quote == '"' && *t->at == '\\') {
            t->at++;
            if (add_escape(t, out) < 0)
                return ERR_INVALID;
        } else if (is_control(*t->at)) {
            return fail(t, "a control character stands in a text");
        } else {
            buf_addc(out, *t->at++);
        }
    }
    t->at++;
    return 0;
}

/* ---- keys and tables ---- */

static void release_key(struct toml_key *key)
{
    for (size_t i = 0; i < key->parts.len; i++)
        free(key->parts.items[i]);
    vec_release(&key->parts);
}

static bool is_bare(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_';
}

static int read_key(struct toml *t, struct toml_key *key)
{
    int rc = 0;

    key->line = t->line;
    for (;;) {
        struct buf part = BUF_INIT(0);
        skip_blanks(t);
        if (peek(t) == '"' || peek(t) == '\'')
            rc = read_text(t, true, &part);
        else if (!is_bare(peek(t)))
            rc = fail(t, "here a key was expected, of letters, digits, '_' and '-', or in quotes");
        else
            while (is_bare(peek(t)))
                buf_addc(&part, *t->at++);
        if (rc == 0)
            vec_push(&key->parts, mem_strdup(buf_text(&part)));
        buf_release(&part);
        if (rc == 0)
            skip_blanks(t);
        if (rc < 0 || peek(t) != '.')
            return rc;
        if (key->parts.len == DEPTH_MAX)
            return fail(t, "a key has more than %d parts", DEPTH_MAX);
        t->at++;
    }
}

static char *member_name(int table, const char *name, size_t *len)
{
    *len = sizeof(table) + strlen(name);
    char *whole = mem_alloc(*len);
    memcpy(whole, &table, sizeof(table));
    memcpy(whole + sizeof(table), name, *len - sizeof(table));
    return whole;
}

static int find(const struct toml *t, int table, const char *name)
{
    size_t len;
    char *whole = member_name(table, name, &len);
    int node = (int)(intptr_t)map_get(&t->names, whole, len);

    free(whole);
    return node;
}

static int note_made(struct toml *t, int node, enum made made)
{
    while (t->made.len <= (size_t)node)
        vec_push(&t->made, MADE_VALUE);
    assert(t->made.items);
    t->made.items[node] = made;
    return node;
}

static bool put(struct toml *t, int table, const char *name, int value, unsigned line)
{
    size_t len;
    char *whole = member_name(table, name, &len);

    map_put(&t->names, whole, len, (void *)(intptr_t)value);
    free(whole);
    return tree_put(t->doc, table, name, strlen(name), value, line);
}

static int new_table(struct toml *t, int parent, const char *name, enum made made, unsigned line)
{
    int table = tree_map(t->doc, line);

    if (!table || (parent && !put(t, parent, name, table, line)))
        return 0;
    return note_made(t, table, made);
}

static int last_of(const struct toml *t, int list)
{
    return yaml_document_get_node(t->doc, list)->data.sequence.items.top[-1];
}

/* Enters the tables named by all but the last part of the key, creating missing ones as made by by. */
static int enter(struct toml *t, int table, const struct toml_key *key, enum made by, int *out)
{
    for (size_t i = 0; i + 1 < key->parts.len; i++) {
        const char *name = key->parts.items[i];
        int next = find(t, table, name);
        if (!next) {
            if (!(next = new_table(t, table, name, by, key->line)))
                return too_many(t);
        } else if (t->made.items[next] == MADE_VALUE) {
            return fail(t, "'%.60s' has a value already, and nothing can be added to it", name);
        } else if (by == MADE_BY_DOTS && t->made.items[next] != MADE_BY_DOTS) {
            return fail(t, "'%.60s' is a table with a header of its own: put the key there", name);
        }
        table = t->made.items[next] == MADE_MANY ? last_of(t, next) : next;
    }
    *out = table;
    return 0;
}

static int open_table(struct toml *t, const struct toml_key *key, int *table)
{
    const char *name = key->parts.items[key->parts.len - 1];
    int parent = 0, there;

    if (enter(t, 1, key, MADE_ABOVE, &parent) < 0)
        return ERR_INVALID;
    there = find(t, parent, name);
    if (there && t->made.items[there] != MADE_ABOVE)
        return fail(t, "'%.60s' stands here twice", name);
    *table = there ? note_made(t, there, MADE_BY_HEADER) : new_table(t, parent, name, MADE_BY_HEADER, key->line);
    return *table ? 0 : too_many(t);
}

static int add_table(struct toml *t, const struct toml_key *key, int *table)
{
    const char *name = key->parts.items[key->parts.len - 1];
    int parent = 0, list;

    if (enter(t, 1, key, MADE_ABOVE, &parent) < 0)
        return ERR_INVALID;
    list = find(t, parent, name);
    if (list && t->made.items[list] != MADE_MANY)
        return fail(t, "'%.60s' stands here twice, and not as [[%.60s]]", name, name);
    if (!list) {
        list = tree_list(t->doc, key->line);
        if (!list || !put(t, parent, name, list, key->line))
            return too_many(t);
        note_made(t, list, MADE_MANY);
    }
    *table = new_table(t, 0, "", MADE_BY_HEADER, key->line);
    return tree_append(t->doc, list, *table) ? 0 : too_many(t);
}

static int read_header(struct toml *t, int *table)
{
    bool many = is_next(t, "[[");
    struct toml_key key = {0};

    t->at += many ? 2 : 1;
    int rc = read_key(t, &key);
    if (rc == 0 && !is_next(t, many ? "]]" : "]"))
        rc = fail(t, "%s is missing behind the name of a table", many ? "]]" : "]");
    if (rc == 0) {
        t->at += many ? 2 : 1;
        rc = many ? add_table(t, &key, table) : open_table(t, &key, table);
    }
    release_key(&key);
    return rc;
}

/* ---- values ---- */

static int read_value(struct toml *t, int *out);

static int read_pair(struct toml *t, int table)
{
    struct toml_key key = {0};
    int value = 0, into = 0, rc = read_key(t, &key);

    if (rc == 0 && peek(t) != '=')
        rc = fail(t, "'=' is missing behind a key");
    if (rc == 0)
        rc = enter(t, table, &key, MADE_BY_DOTS, &into);
    const char *name = rc == 0 ? key.parts.items[key.parts.len - 1] : "";
    if (rc == 0 && find(t, into, name))
        rc = fail(t, "'%.60s' stands here twice", name);
    if (rc == 0) {
        t->at++;
        skip_blanks(t);
        rc = read_value(t, &value);
    }
    if (rc == 0 && !put(t, into, name, value, key.line))
        rc = too_many(t);
    release_key(&key);
    return rc;
}

static int read_list(struct toml *t, int *out)
{
    int list = tree_list(t->doc, t->line), item = 0;

    for (;;) {
        if (skip_lines(t) < 0)
            return ERR_INVALID;
        if (peek(t) == ']')
            break;
        if (read_value(t, &item) < 0)
            return ERR_INVALID;
        if (!list || !tree_append(t->doc, list, item))
            return too_many(t);
        if (skip_lines(t) < 0)
            return ERR_INVALID;
        if (peek(t) != ',' && peek(t) != ']')
            return fail(t, "a list needs ',' between its members and ']' at its end");
        t->at += peek(t) == ',';
    }
    t->at++;
    *out = list;
    return list ? 0 : too_many(t);
}

static int read_inline_table(struct toml *t, int *out)
{
    int table = new_table(t, 0, "", MADE_BY_DOTS, t->line);

    if (!table)
        return too_many(t);
    skip_blanks(t);
    for (bool more = peek(t) != '}'; more;) {
        if (read_pair(t, table) < 0)
            return ERR_INVALID;
        skip_blanks(t);
        more = peek(t) == ',';
        if (!more && peek(t) != '}')
            return fail(t, "a table in braces needs ',' between its members and '}' at its end, all on one line");
        t->at += more;
    }
    t->at++;
    *out = note_made(t, table, MADE_VALUE);
    return 0;
}

static int read_scalar(struct toml *t, int *out)
{
    struct buf text = BUF_INIT(0);
    bool quoted = peek(t) == '"' || peek(t) == '\'';
    unsigned line = t->line;
    size_t n = 0;
    int rc = 0;

    if (quoted) {
        rc = read_text(t, false, &text);
    } else if (!toml_plain(t->at, (size_t)(t->end - t->at), &text, &n)) {
        rc = fail(t, n ? "'%.*s' is no value of TOML: texts need quotes" : "a value is missing", (int)(n < 60 ? n : 60),
                  t->at);
    } else {
        t->at += n;
    }
    if (rc == 0) {
        *out = tree_scalar(t->doc, buf_text(&text), text.len, quoted, line);
        rc = *out ? 0 : too_many(t);
    }
    buf_release(&text);
    return rc;
}

static int read_value(struct toml *t, int *out)
{
    char c = peek(t);
    int rc;

    if (c != '[' && c != '{')
        rc = read_scalar(t, out);
    else if (t->depth == DEPTH_MAX)
        rc = fail(t, "nested more than %d deep", DEPTH_MAX);
    else {
        t->at++;
        t->depth++;
        rc = c == '[' ? read_list(t, out) : read_inline_table(t, out);
        t->depth--;
    }
    if (rc == 0)
        note_made(t, *out, MADE_VALUE);
    return rc;
}

static int read_statements(struct toml *t)
{
    int table = new_table(t, 0, "", MADE_BY_HEADER, 1);

    while (t->at < t->end) {
        skip_blanks(t);
        if (t->at < t->end && !strchr("#\r\n", *t->at) &&
            (peek(t) == '[' ? read_header(t, &table) : read_pair(t, table)) < 0)
            return ERR_INVALID;
        if (end_line(t) < 0)
            return ERR_INVALID;
    }
    return 0;
}

/* The first line that is not valid UTF-8, 0 if none. */
static unsigned bad_line(const char *text, size_t len)
{
    unsigned line = 1;

    for (size_t at = 0; at < len; line++) {
        const char *stop = memchr(text + at, '\n', len - at);
        size_t n = stop ? (size_t)(stop - text) - at : len - at;
        if (!str_utf8(text + at, n))
            return line;
        at += n + 1;
    }
    return 0;
}

int toml_document(const char *text, size_t len, yaml_document_t *doc, unsigned *line, struct err *e)
{
    struct toml t = {.at = text, .end = text + len, .doc = doc, .line = 1, .e = e};

    if ((*line = bad_line(text, len)))
        return err_set(e, ERR_INVALID, "this is no UTF-8 text");
    tree_start(doc);
    int rc = read_statements(&t);
    if (rc < 0) {
        *line = t.line;
        yaml_document_delete(doc);
    }
    map_release(&t.names);
    vec_release(&t.made);
    return rc;
}

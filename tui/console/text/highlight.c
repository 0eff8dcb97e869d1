/* SPDX-License-Identifier: BSD-3-Clause */
#include "console/text/highlight.h"

#include <ctype.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/str.h"

void highlight_release(struct highlight *h)
{
    free(h->open);
    *h = (struct highlight){0};
}

/* The end of a string that begins at the quote; len if unterminated. */
static size_t string_end(const char *line, size_t len, size_t at)
{
    for (at++; at < len && line[at] != '"'; at++)
        at += line[at] == '\\';
    return at < len ? at + 1 : len;
}

static size_t comment_end(const char *line, size_t len, size_t at)
{
    const char *end = len - at >= 2 ? memmem(line + at, len - at, "*/", 2) : NULL;

    return end ? (size_t)(end - line) + 2 : len;
}

static bool ends_comment(const char *line, size_t end, size_t from)
{
    return end >= from + 2 && line[end - 1] == '/' && line[end - 2] == '*';
}

static bool leaves_open(const char *line, size_t len, bool open)
{
    size_t at = 0;

    if (open) {
        at = comment_end(line, len, 0);
        if (!ends_comment(line, at, 0))
            return true;
    }
    while (at < len) {
        if (line[at] == '"') {
            at = string_end(line, len, at);
        } else if (line[at] == '/' && at + 1 < len && line[at + 1] == '/') {
            return false;
        } else if (line[at] == '/' && at + 1 < len && line[at + 1] == '*') {
            size_t end = comment_end(line, len, at + 2);

            if (!ends_comment(line, end, at + 2))
                return true;
            at = end;
        } else {
            at++;
        }
    }
    return false;
}

bool highlight_open(struct highlight *h, struct textbuf *t, size_t line)
{
    if (h->known > t->lowest_line + 1 && t->lowest_line != SIZE_MAX)
        h->known = t->lowest_line + 1;
    t->lowest_line = SIZE_MAX;
    if (line >= h->cap) {
        h->cap = line + line / 2 + 64;
        h->open = mem_resize(h->open, h->cap, 1);
    }
    if (!h->known) {
        h->open[0] = false;
        h->known = 1;
    }
    for (; h->known <= line; h->known++) {
        const struct edit_line *l = &t->lines.items[h->known - 1];

        h->open[h->known] = leaves_open(l->bytes, l->len, h->open[h->known - 1]);
    }
    return h->open[line];
}

static bool is_selector(const char *text, size_t len)
{
    static const char *const starts[] = {"tag:", "group:", "autogroup:", "ipset:", "svc:", "host:"};

    for (size_t i = 0; i < ARRAY_LEN(starts); i++)
        if (len > strlen(starts[i]) && memcmp(text, starts[i], strlen(starts[i])) == 0)
            return true;
    size_t digits = 0, dots = 0, others = 0;
    for (size_t i = 0; i < len; i++) {
        digits += isxdigit((unsigned char)text[i]) != 0;
        dots += text[i] == '.' || text[i] == ':';
        others += !isxdigit((unsigned char)text[i]) && !strchr(".:/,-*", text[i]);
    }
    return digits && dots >= 2 && !others;
}

static enum role string_role(const char *line, size_t len, size_t from, size_t end)
{
    if (end - from < 2 || line[end - 1] != '"')
        return ROLE_CODE_ERROR;
    size_t next = end;
    while (next < len && (line[next] == ' ' || line[next] == '\t'))
        next++;
    if (next < len && line[next] == ':')
        return ROLE_CODE_KEY;
    return is_selector(line + from + 1, end - from - 2) ? ROLE_CODE_NAME : ROLE_CODE_STRING;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '+' || c == '.' || c == '_';
}

static enum role word_role(const char *word, size_t len)
{
    static const char *const known[] = {"true", "false", "null"};

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strlen(known[i]) == len && memcmp(word, known[i], len) == 0)
            return ROLE_CODE_NUMBER;
    return isdigit((unsigned char)word[0]) || word[0] == '-' ? ROLE_CODE_NUMBER : ROLE_CODE_ERROR;
}

/* The end of the token at a position, and its role. */
static size_t token(const char *line, size_t len, size_t at, enum role *role)
{
    size_t end = at + 1;

    if (line[at] == '"') {
        end = string_end(line, len, at);
        *role = string_role(line, len, at, end);
    } else if (line[at] == '/' && end < len && line[end] == '/') {
        end = len;
        *role = ROLE_CODE_COMMENT;
    } else if (line[at] == '/' && end < len && line[end] == '*') {
        end = comment_end(line, len, at + 2);
        *role = ROLE_CODE_COMMENT;
    } else if (is_word(line[at])) {
        while (end < len && is_word(line[end]))
            end++;
        *role = word_role(line + at, end - at);
    } else {
        *role = strchr("{}[],:\r\t ", line[at]) && line[at] ? ROLE_TEXT : ROLE_CODE_ERROR;
    }
    return end;
}

void highlight_line(const char *line, size_t len, bool comment_open, unsigned char *roles)
{
    size_t at = comment_open ? comment_end(line, len, 0) : 0;

    if (at)
        memset(roles, ROLE_CODE_COMMENT, at);
    while (at < len) {
        enum role role = ROLE_TEXT;
        size_t end = token(line, len, at, &role);

        memset(roles + at, (int)role, end - at);
        at = end;
    }
}

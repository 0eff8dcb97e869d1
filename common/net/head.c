/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/head.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

/* A token of RFC 9110, 5.6.2: field names and methods. */
static bool is_token(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (!c || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return len > 0;
}

/* Only visible characters; for a value also blanks and bytes above ASCII. */
static bool is_clean(const char *text, size_t len, bool value)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == 0x7f || (c < 0x20 && !(value && c == '\t')) || (!value && (c == ' ' || c > 0x7f)))
            return false;
    }
    return true;
}

/* Terminates the line at text, which ends in CR LF before end, and returns the start of the next one; NULL for a bare
 * LF or CR. */
static char *cut_line(char *text, char *end)
{
    char *lf = memchr(text, '\n', (size_t)(end - text));

    if (!lf || lf == text || lf[-1] != '\r' || memchr(text, '\r', (size_t)(lf - 1 - text)))
        return NULL;
    lf[-1] = '\0';
    return lf + 1;
}

static int read_request_line(char *line, size_t len, struct head *out, struct err *e)
{
    char *target = strchr(line, ' '), *version = target ? strchr(target + 1, ' ') : NULL;

    if (strlen(line) != len || !version)
        return err_set(e, ERR_INVALID, "the request line has not three words");
    *target++ = '\0';
    *version++ = '\0';
    if (!is_token(line, strlen(line)))
        return err_set(e, ERR_INVALID, "the method is no word");
    if (!is_clean(target, strlen(target), false) || !*target)
        return err_set(e, ERR_INVALID, "the target holds forbidden characters");
    if (!str_eq(version, "HTTP/1.1") && !str_eq(version, "HTTP/1.0"))
        return err_set(e, ERR_INVALID, "the version is not HTTP/1.0 or HTTP/1.1");
    out->method = line;
    out->minor = version[7] == '1';
    out->target = target;
    return 0;
}

static int read_field(char *line, size_t len, struct head *out, struct err *e)
{
    char *colon = memchr(line, ':', len), *value;

    if (!colon || !is_token(line, (size_t)(colon - line)))
        return err_set(e, ERR_INVALID, "a header line has no name");
    if (out->field_count == HEAD_FIELDS_MAX)
        return err_set(e, ERR_TOOBIG, "more than %d header lines", HEAD_FIELDS_MAX);
    *colon = '\0';
    value = colon + 1;
    char *end = line + len;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (!is_clean(value, (size_t)(end - value), true))
        return err_set(e, ERR_INVALID, "a header value holds control characters");
    *end = '\0';
    out->fields[out->field_count++] = (struct head_field){line, value};
    return 0;
}

static int read_lines(char *bytes, size_t len, struct head *out, struct err *e)
{
    char *end = bytes + len, *line = bytes, *next = cut_line(line, end);
    int rc = next ? read_request_line(line, (size_t)(next - line) - 2, out, e) : ERR_INVALID;

    if (!next)
        return err_set(e, ERR_INVALID, "the request line does not end in CR LF");
    while (!rc) {
        line = next;
        next = cut_line(line, end);
        if (!next)
            return err_set(e, ERR_INVALID, "a header line does not end in CR LF");
        if (!*line && next == line + 2)
            return next == end ? 0 : err_set(e, ERR_INVALID, "an empty line within the head");
        rc = read_field(line, (size_t)(next - line) - 2, out, e);
    }
    return rc;
}

/* The path and the query are copied behind the head, so that target is preserved. */
static void split_target(struct head *h, char *room)
{
    size_t len = strlen(h->target);
    const char *start = h->target;

    if (strncasecmp(start, "http://", 7) == 0 || strncasecmp(start, "https://", 8) == 0) {
        start = strchr(strchr(start, ':') + 3, '/');
        if (!start)
            start = "/";
        len = strlen(start);
    }
    memcpy(room, start, len + 1);
    char *mark = strchr(room, '?');
    h->path = room;
    h->query = mark ? mark + 1 : room + len;
    if (mark)
        *mark = '\0';
}

long head_parse(const void *bytes, size_t len, struct head *out, struct err *e)
{
    static const char blank[] = "\r\n\r\n";
    const char *end = memmem(bytes, len < HEAD_MAX ? len : HEAD_MAX, blank, 4);

    if (!end) {
        const char *lf = memchr(bytes, '\n', len);
        if (len >= HEAD_MAX)
            return err_set(e, ERR_TOOBIG, "the request head is larger than %d bytes", HEAD_MAX);
        /* Refused at once instead of waiting for the rest of a head: this is not HTTP. */
        if (len && ((!lf && memchr(bytes, '\0', len)) || (lf && (lf == bytes || lf[-1] != '\r'))))
            return err_set(e, ERR_INVALID, "this is not HTTP");
        return 0;
    }
    size_t whole = (size_t)(end - (const char *)bytes) + 4;
    struct head head = {.bytes = mem_resize(NULL, 2, whole + 1)};
    memcpy(head.bytes, bytes, whole);
    head.bytes[whole] = '\0';
    int rc = read_lines(head.bytes, whole, &head, e);
    if (rc < 0) {
        head_release(&head);
        return rc;
    }
    split_target(&head, head.bytes + whole + 1);
    *out = head;
    return (long)whole;
}

void head_release(struct head *h)
{
    free(h->bytes);
    *h = (struct head){0};
}

const char *head_get(const struct head *h, const char *name)
{
    for (size_t i = 0; i < h->field_count; i++)
        if (strcasecmp(h->fields[i].name, name) == 0)
            return h->fields[i].value;
    return NULL;
}

char *head_join(const struct head *h, const char *name)
{
    struct buf all = BUF_INIT(0);
    bool any = false;

    for (size_t i = 0; i < h->field_count; i++)
        if (strcasecmp(h->fields[i].name, name) == 0) {
            buf_addf(&all, "%s%s", any ? "," : "", h->fields[i].value);
            any = true;
        }
    return any ? buf_take(&all) : NULL;
}

static bool list_has(const char *list, const char *word)
{
    size_t len = strlen(word);

    while (*list) {
        list += strspn(list, " \t,");
        size_t n = strcspn(list, ",");
        size_t trimmed = n;
        while (trimmed && (list[trimmed - 1] == ' ' || list[trimmed - 1] == '\t'))
            trimmed--;
        if (trimmed == len && strncasecmp(list, word, len) == 0)
            return true;
        list += n;
    }
    return false;
}

bool head_has_word(const struct head *h, const char *name, const char *word)
{
    for (size_t i = 0; i < h->field_count; i++)
        if (strcasecmp(h->fields[i].name, name) == 0 && list_has(h->fields[i].value, word))
            return true;
    return false;
}

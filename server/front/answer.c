/* SPDX-License-Identifier: BSD-3-Clause */
#include "front/answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"

#define ANSWER_HEAD_MAX ((size_t)32 * 1024)

void answer_expect(struct answer *a, const struct head *request)
{
    answer_release(a);
    *a = (struct answer){.state = ANSWER_HEAD, .to_head = str_eq(request->method, "HEAD")};
}

void answer_release(struct answer *a)
{
    buf_release(&a->head);
    a->state = ANSWER_NONE;
}

/* The value of a line "Name: value"; NULL: the line has another name. */
static const char *value_of(const char *line, const char *name)
{
    size_t len = strlen(name);

    return strncasecmp(line, name, len) == 0 && line[len] == ':' ? line + len + 1 + strspn(line + len + 1, " ") : NULL;
}

/* The head is complete, up to its empty line. */
static void head_ended(struct answer *a)
{
    const char *text = buf_text(&a->head), *value;
    bool chunked = false, sized = false, informs = str_starts(text, "HTTP/1.1 1");
    bool bare = a->to_head || str_starts(text, "HTTP/1.1 204") || str_starts(text, "HTTP/1.1 304");

    for (const char *line = text, *next; line; line = next) {
        next = strstr(line, "\r\n");
        next = next ? next + 2 : NULL;
        if ((value = value_of(line, "Content-Length"))) {
            char *number = mem_strndup(value, strcspn(value, "\r"));
            sized = str_u64(number, 0, INT64_MAX, &a->left, "Content-Length", NULL) == 0;
            free(number);
        } else if ((value = value_of(line, "Transfer-Encoding"))) {
            chunked = strncasecmp(value, "chunked\r", 8) == 0;
        }
    }
    buf_release(&a->head);
    if (informs)
        a->state = ANSWER_HEAD; /* the final answer follows */
    else if (bare || (sized && !a->left))
        a->state = ANSWER_NONE;
    else
        a->state = chunked ? ANSWER_CHUNKS : sized ? ANSWER_BODY : ANSWER_OPEN;
    a->framing = (struct framing){.state = FRAMING_SIZE};
}

/* Returns how many of the bytes belong to the head. */
static size_t take_head(struct answer *a, const uint8_t *bytes, size_t len)
{
    static const char blank[] = "\r\n\r\n";
    size_t before = a->head.len;

    buf_add(&a->head, bytes, len);
    size_t from = before < 3 ? 0 : before - 3;
    const char *end = memmem(a->head.data + from, a->head.len - from, blank, 4);
    if (!end) {
        if (a->head.len > ANSWER_HEAD_MAX)
            a->state = ANSWER_OPEN;
        return len;
    }
    a->head.len = (size_t)(end - (char *)a->head.data) + 4;
    size_t taken = a->head.len - before;
    a->head.data[a->head.len] = '\0'; /* the bytes behind it do not belong to it */
    head_ended(a);
    return taken;
}

bool answer_take(struct answer *a, const uint8_t *bytes, size_t len)
{
    size_t at = 0;

    if (a->state == ANSWER_NONE)
        return false;
    while (at < len && a->state != ANSWER_NONE && a->state != ANSWER_OPEN) {
        if (a->state == ANSWER_HEAD) {
            at += take_head(a, bytes + at, len - at);
        } else if (a->state == ANSWER_BODY) {
            size_t part = a->left < len - at ? (size_t)a->left : len - at;
            a->left -= part;
            at += part;
            a->state = a->left ? ANSWER_BODY : ANSWER_NONE;
        } else {
            at += framing_take(&a->framing, bytes + at, len - at);
            if (a->framing.state == FRAMING_HEAD || a->framing.state == FRAMING_BAD)
                a->state = a->framing.state == FRAMING_HEAD ? ANSWER_NONE : ANSWER_OPEN;
        }
    }
    return a->state == ANSWER_NONE;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Server-sent events as in the HTML standard: lines end in LF, CR or CRLF; the fields are data, event and id; an empty
 * line ends an event; a line that begins with a colon is a comment. */
#include "base/str.h"
#include "client/client.h"

#define FIELD_MAX 1024 /* bytes in a name or an id */

void sse_init(struct sse *s, int (*event)(void *arg, const char *name, const char *id, const char *data, size_t len),
              void *arg)
{
    *s = (struct sse){.line = BUF_INIT(CLIENT_EVENT_MAX),
                      .data = BUF_INIT(CLIENT_EVENT_MAX),
                      .name = BUF_INIT(FIELD_MAX),
                      .id = BUF_INIT(FIELD_MAX),
                      .next_id = BUF_INIT(FIELD_MAX),
                      .event = event,
                      .arg = arg};
}

void sse_release(struct sse *s)
{
    buf_release(&s->line);
    buf_release(&s->data);
    buf_release(&s->name);
    buf_release(&s->id);
    buf_release(&s->next_id);
}

void sse_restart(struct sse *s)
{
    buf_clear(&s->line);
    buf_clear(&s->data);
    buf_clear(&s->name);
    buf_clear(&s->next_id);
    buf_add(&s->next_id, buf_text(&s->id), s->id.len);
    s->after_cr = s->first_line_done = false;
}

static void set(struct buf *field, const char *value, size_t len)
{
    if (len > FIELD_MAX || memchr(value, '\0', len))
        return;
    buf_clear(field);
    buf_add(field, value, len);
}

static int dispatch(struct sse *s)
{
    int r = 0;

    set(&s->id, buf_text(&s->next_id), s->next_id.len);
    if (s->data.len) {
        s->data.data[--s->data.len] = '\0'; /* the newline after the last line of data */
        r = s->event(s->arg, s->name.len ? buf_text(&s->name) : "message", buf_text(&s->id), buf_text(&s->data),
                     s->data.len);
    }
    buf_clear(&s->data);
    buf_clear(&s->name);
    return r;
}

static int end_line(struct sse *s)
{
    const char *line = buf_text(&s->line), *value;
    size_t len = s->line.len, name_len;

    if (!s->first_line_done && len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
        line += 3;
        len -= 3;
    }
    s->first_line_done = true;
    if (len == 0) {
        buf_clear(&s->line);
        return dispatch(s);
    }
    const char *colon = memchr(line, ':', len);
    name_len = colon ? (size_t)(colon - line) : len;
    value = colon ? colon + 1 : line + len;
    size_t value_len = (size_t)(line + len - value);
    if (value_len && *value == ' ') {
        value++;
        value_len--;
    }
    if (name_len == 4 && memcmp(line, "data", 4) == 0) {
        buf_add(&s->data, value, value_len);
        buf_addc(&s->data, '\n');
    } else if (name_len == 5 && memcmp(line, "event", 5) == 0) {
        set(&s->name, value, value_len);
    } else if (name_len == 2 && memcmp(line, "id", 2) == 0) {
        set(&s->next_id, value, value_len);
    }
    buf_clear(&s->line);
    return 0;
}

int sse_feed(struct sse *s, const char *bytes, size_t len)
{
    const char *end = bytes + len;

    while (bytes < end) {
        if (s->after_cr && *bytes == '\n') {
            s->after_cr = false;
            bytes++;
            continue;
        }
        s->after_cr = false;
        size_t n = 0;
        while (bytes + n < end && bytes[n] != '\n' && bytes[n] != '\r')
            n++;
        buf_add(&s->line, bytes, n);
        bytes += n;
        if (bytes == end)
            break;
        s->after_cr = *bytes++ == '\r';
        int r = end_line(s);
        if (r)
            return r;
        if (s->data.failed || s->line.failed)
            break;
    }
    return s->data.failed || s->line.failed ? ERR_TOOBIG : 0;
}

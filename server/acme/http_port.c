/* SPDX-License-Identifier: BSD-3-Clause */
#include "acme/http_port.h"

#include <string.h>

#include "base/str.h"

static void put(struct buf *out, bool with_body, const char *status, const char *fields, const char *body)
{
    buf_addf(out, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\nConnection: close\r\n\r\n%s", status, fields, strlen(body),
             with_body ? body : "");
}

void acme_port_answer(struct acme_port *p, const struct head *head, struct buf *out)
{
    bool get = str_eq(head->method, "GET");
    char text[CHALLENGE_TEXT_MAX + 1];

    if (!get && !str_eq(head->method, "HEAD")) {
        put(out, true, "405 Method Not Allowed", "Allow: GET, HEAD\r\nContent-Type: text/plain\r\n", "use https\n");
    } else if (!str_starts(head->path, CHALLENGE_PATH)) {
        struct buf fields = BUF_INIT(0);
        /* Never to the host that the request names: its sender could redirect others anywhere. */
        buf_addf(&fields, "Location: %s%s\r\nContent-Type: text/plain\r\n", p->origin,
                 head->target[0] == '/' ? head->target : "/");
        put(out, get, "302 Found", buf_text(&fields), "use https\n");
        buf_release(&fields);
    } else if (challenges_answer(p->challenges, head->path + strlen(CHALLENGE_PATH), text)) {
        put(out, get, "200 OK", "Content-Type: application/octet-stream\r\n", text);
    } else {
        put(out, get, "404 Not Found", "Content-Type: text/plain\r\n", "no such challenge\n");
    }
}

void acme_port_accept(void *arg, struct stream *stream, const struct head *head)
{
    struct buf out = BUF_INIT(0);

    acme_port_answer(arg, head, &out);
    /* It fits into a fresh socket's buffer. */
    stream_write(stream, out.data, out.len, NULL);
    stream_shutdown(stream);
    stream_close(stream);
    buf_release(&out);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers. An error of /api/v1 is one object with the members of both headscale generations: {code, message, details}
 * as grpc-gateway wrote it up to 0.29, and {title, status, detail, errors} (RFC 9457) of 0.30. */
#include <stdarg.h>
#include <stdio.h>

#include "api/request/reply.h"

static const struct {
    int status;
    int grpc; /* google.rpc.Code */
    const char *title;
} statuses[] = {
    {200, 0, "OK"},
    {400, 3, "Bad Request"},
    {401, 16, "Unauthorized"},
    {403, 7, "Forbidden"},
    {404, 5, "Not Found"},
    {405, 12, "Method Not Allowed"},
    {409, 6, "Conflict"},
    {410, 5, "Gone"},
    {412, 9, "Precondition Failed"},
    {413, 3, "Content Too Large"},
    {429, 8, "Too Many Requests"},
    {500, 13, "Internal Server Error"},
    {501, 12, "Not Implemented"},
    {503, 14, "Service Unavailable"},
    {504, 4, "Gateway Timeout"},
};

static size_t status_index(int status)
{
    size_t i = 0;

    while (i + 1 < ARRAY_LEN(statuses) && statuses[i].status != status)
        i++;
    return i;
}

struct json_out reply_json(struct rest_request *r)
{
    return (struct json_out)JSON_OUT(http_reply(&r->http, 200, HTTP_JSON));
}

enum http_flow reply_object(struct rest_request *r)
{
    struct json_out o = reply_json(r);

    json_open(&o, '{');
    json_close(&o, '}');
    return HTTP_DONE;
}

static void write_v1(struct json_out *o, int status, const struct err *e, const char *words)
{
    size_t i = status_index(status);

    json_open(o, '{');
    json_put_i64(o, "code", statuses[i].grpc);
    json_put_str(o, "message", words);
    json_key(o, "details");
    json_open(o, '[');
    json_close(o, ']');
    json_put_str(o, "title", statuses[i].title);
    json_put_i64(o, "status", status);
    json_put_str(o, "detail", words);
    json_key(o, "errors");
    json_open(o, '[');
    if (*e->field) {
        json_open(o, '{');
        json_put_str(o, "message", words);
        json_put_str(o, "location", e->field);
        json_close(o, '}');
    }
    json_close(o, ']');
    json_close(o, '}');
}

/* Tailscale's form, with the values that headscale 0.30 uses. */
static void write_v2(struct json_out *o, int status, const struct err *e, const char *words)
{
    json_open(o, '{');
    json_put_str(o, "message", words);
    if (*e->field) {
        json_key(o, "data");
        json_open(o, '[');
        json_open(o, '{');
        json_put_str(o, "field", e->field);
        json_key(o, "errors");
        json_open(o, '[');
        json_str(o, words);
        json_close(o, ']');
        json_close(o, '}');
        json_close(o, ']');
    }
    json_put_i64(o, "status", status);
    json_close(o, '}');
}

static void write_headway(struct json_out *o, const struct err *e, const char *words, const char *current)
{
    json_open(o, '{');
    json_key(o, "error");
    json_open(o, '{');
    json_put_str(o, "code", err_word(e->code));
    json_put_str(o, "message", words);
    json_put_str(o, "field", e->field);
    json_close(o, '}');
    if (current) {
        json_key(o, "current");
        json_raw(o, current, strlen(current));
    }
    json_close(o, '}');
}

void error_write(struct buf *out, enum dialect dialect, int status, const struct err *e, const char *words,
                 const char *current)
{
    struct json_out o = JSON_OUT(out);

    if (!words)
        words = e->message;
    switch (dialect) {
    case DIALECT_TEXT:
        buf_adds(out, words);
        buf_addc(out, '\n');
        break;
    case DIALECT_V1:
        write_v1(&o, status, e, words);
        break;
    case DIALECT_V2:
        write_v2(&o, status, e, words);
        break;
    case DIALECT_HEADWAY:
        write_headway(&o, e, words, current);
        break;
    }
}

/* headscale 0.30 sends errors as problem documents; programs made for older releases accept plain JSON alone, and some
 * of their libraries read nothing else. */
static const char *error_type(const struct rest_request *r)
{
    const char *accept = r->http.accept;

    if (r->endpoint->dialect == DIALECT_TEXT)
        return HTTP_TEXT;
    if (r->endpoint->dialect == DIALECT_V2)
        return "application/problem+json";
    if (r->endpoint->dialect == DIALECT_V1 && (!accept || strstr(accept, "*/*") || strstr(accept, "problem+json")))
        return "application/problem+json";
    return HTTP_JSON;
}

enum http_flow reply_error_with(struct rest_request *r, const struct err *e, const char *current)
{
    int status = r->wrong_method ? 405 : err_http(e->code);
    struct buf *out = http_reply(&r->http, status, error_type(r));

    error_write(out, r->endpoint->dialect, status, e, r->words, current);
    if (status == 503 || status == 429)
        http_header(&r->http, "Retry-After", "1");
    return HTTP_DONE;
}

enum http_flow reply_error(struct rest_request *r, const struct err *e)
{
    return reply_error_with(r, e, NULL);
}

enum http_flow reply_code(struct rest_request *r, int code, const char *format, ...)
{
    struct err e = {.code = (enum err_code)code};
    va_list args;

    va_start(args, format);
    vsnprintf(e.message, sizeof(e.message), format, args);
    va_end(args);
    return reply_error(r, &e);
}

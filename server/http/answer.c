/* SPDX-License-Identifier: BSD-3-Clause */
#include "http/answer.h"

#include <string.h>

#include "base/array.h"
#include "http/endless.h"
#include "http/origin.h"

enum MHD_Result answer_plain(struct MHD_Connection *c, unsigned status, const char *text)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", HTTP_TEXT);
    MHD_add_response_header(response, "Connection", "close");
    result = MHD_queue_response(c, status, response);
    MHD_destroy_response(response);
    return result;
}

static struct MHD_Response *make_response(struct http_request *r, struct MHD_Connection *c,
                                          struct http_endless *endless)
{
    struct MHD_Response *response;
    size_t len = r->out.len;

    if (r->lent)
        return MHD_create_response_from_buffer(r->lent->len, r->lent->data, MHD_RESPMEM_PERSISTENT);
    if (!r->source)
        return MHD_create_response_from_buffer(len, buf_take(&r->out), MHD_RESPMEM_MUST_FREE);
    response = http_endless_response(endless, r->source, c);
    if (response)
        r->source = NULL; /* owned by the response now */
    return response;
}

static const struct http_pair always[] = {
    {"X-Frame-Options", "DENY"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cache-Control", "no-store"},
};

enum MHD_Result answer_request(struct MHD_Connection *c, struct http_request *r, struct http_endless *endless)
{
    struct MHD_Response *response = make_response(r, c, endless);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    if (r->content_type_out)
        MHD_add_response_header(response, "Content-Type", r->content_type_out);
    for (size_t i = 0; i < ARRAY_LEN(always); i++)
        MHD_add_response_header(response, always[i].name, always[i].value);
    /* Pages are self-contained: they load nothing, run no script, cannot be framed, and post their forms here. */
    MHD_add_response_header(response, "Content-Security-Policy",
                            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
                            "form-action 'self'; frame-ancestors 'none'");
    if (r->encoding_counts)
        MHD_add_response_header(response, "Vary", "Accept-Encoding");
    if (r->encoding)
        MHD_add_response_header(response, "Content-Encoding", r->encoding);
    origin_add_headers(response, r);
    for (size_t i = 0; i < r->header_count; i++)
        MHD_add_response_header(response, r->headers[i].name, r->headers[i].value);
    result = MHD_queue_response(c, (unsigned)r->status, response);
    MHD_destroy_response(response);
    return result;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "http/origin.h"

#include <string.h>
#include <strings.h>

#include "base/array.h"

const char *origin_find(const struct strs *origins, const char *said)
{
    for (size_t i = 0; said && i < origins->len; i++)
        if (str_eq(origins->items[i], "*") || strcasecmp(origins->items[i], said) == 0)
            return origins->items[i];
    return NULL;
}

bool origin_is_preflight(struct MHD_Connection *c, const struct http_request *r)
{
    return r->origin && str_eq(r->method, "OPTIONS") && *r->allow && !r->body_follows &&
           MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Access-Control-Request-Method");
}

void origin_answer_preflight(struct http_request *r)
{
    const struct http_pair headers[] = {
        {"Access-Control-Allow-Methods", r->allow},
        {"Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, If-Match, Last-Event-ID"},
        {"Access-Control-Max-Age", "600"},
    };

    r->status = 204;
    memcpy(r->headers, headers, sizeof(headers));
    r->header_count = ARRAY_LEN(headers);
}

void origin_add_headers(struct MHD_Response *response, const struct http_request *r)
{
    if (r->origin_counts)
        MHD_add_response_header(response, "Vary", "Origin");
    if (!r->origin)
        return;
    MHD_add_response_header(response, "Access-Control-Allow-Origin", r->origin);
    MHD_add_response_header(response, "Access-Control-Expose-Headers", "ETag");
}

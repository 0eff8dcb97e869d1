/* SPDX-License-Identifier: BSD-3-Clause */
/* The API's documentation as a page, from the tables of calls. */
#include "api/pages/html.h"
#include "api/pages/openapi.h"
#include "api/pages/tables.h"
#include "api/request/args.h"
#include "api/request/reply.h"

static void doc_row(struct buf *out, const struct api_endpoint *e)
{
    buf_addf(out, "<tr><td>%s</td><td>", e->http.method);
    html_escape(out, e->http.path);
    buf_adds(out, "<br><small>");
    html_escape(out, e->help);
    if (e->body && *e->body) {
        buf_adds(out, " Body: ");
        html_escape(out, e->body);
        buf_addc(out, '.');
    }
    if (e->query) {
        buf_adds(out, " Query: ");
        html_escape(out, e->query);
        buf_addc(out, '.');
    }
    buf_adds(out, "</small></td></tr>\n");
}

static enum http_flow docs_page(struct rest_request *r)
{
    page_begin(r, 200, "The API of this server");
    page_text(r, "p",
              "Over HTTPS with the header Authorization: Bearer KEY (headway apikeys create), or over the "
              "server's unix socket without a key. /api/v1 is headscale's, /api/v2 is Tailscale's, /api/headway adds "
              "to them.");
    buf_adds(&r->http.out, "<table>\n");
    for (size_t i = 0; i < endpoint_count(r->api); i++)
        if (endpoint_at(r->api, i)->dialect != DIALECT_TEXT)
            doc_row(&r->http.out, endpoint_at(r->api, i));
    buf_adds(&r->http.out, "</table>\n");
    return page_end(r);
}

static const struct api_endpoint rows[] = {
    {V1("GET", "/docs"), .run = docs_page, .answer = "page", .help = "This table"},
    {V1("GET", "/openapi.json"), .run = openapi_json, .answer = "page", .help = "The same for programs (OpenAPI 3.0)"},
    {V1("GET", "/openapi-3.0.json"), .run = openapi_json, .answer = "page", .help = "The same under its other name"},
    {V1("GET", "/openapi.yaml"), .run = openapi_yaml, .answer = "page", .help = "The same as YAML"},
    {V1("GET", "/openapi-3.0.yaml"), .run = openapi_yaml, .answer = "page", .help = "The same under its other name"},
    {V2("GET", "/docs"), .run = docs_page, .answer = "page", .help = "This table"},
    {V2("GET", "/openapi.json"), .run = openapi_json, .answer = "page", .help = "The calls of /api/v2 for programs"},
    {V2("GET", "/openapi-3.0.json"), .run = openapi_json, .answer = "page", .help = "The same under its other name"},
    {V2("GET", "/openapi.yaml"), .run = openapi_yaml, .answer = "page", .help = "The same as YAML"},
    {V2("GET", "/openapi-3.0.yaml"), .run = openapi_yaml, .answer = "page", .help = "The same under its other name"},
    {PAGE("GET", "/swagger", HTTP_PUBLIC), .run = docs_page, .help = "The API's documentation under its older name"},
    {PAGE("GET", "/swagger/v1/openapiv2.json", HTTP_PUBLIC), .run = openapi_json, .help = "The same for programs"},
};
const struct http_table docs_table = API_TABLE(rows);

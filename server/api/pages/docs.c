/* SPDX-License-Identifier: BSD-3-Clause */
/* The API's documentation, from the table of routes: a page, and OpenAPI. */
#include <stdio.h>
#include <stdlib.h>

#include "api/pages/html.h"
#include "api/pages/tables.h"
#include "api/request/args.h"
#include "api/request/reply.h"

extern const char *const headway_version;

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
              "server's unix socket without a key. /api/v1 is headscale's, /api/headway adds to it.");
    buf_adds(&r->http.out, "<table>\n");
    for (size_t i = 0; i < endpoint_count(r->api); i++)
        if (endpoint_at(r->api, i)->dialect != DIALECT_TEXT)
            doc_row(&r->http.out, endpoint_at(r->api, i));
    buf_adds(&r->http.out, "</table>\n");
    return page_end(r);
}

static void openapi_parameters(struct json_out *o, const struct api_endpoint *e)
{
    char name[64];

    json_key(o, "parameters");
    json_open(o, '[');
    for (const char *at = strchr(e->http.path, '{'); at; at = strchr(at + 1, '{')) {
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(at + 1, "}"), at + 1);
        json_open(o, '{');
        json_put_str(o, "name", name);
        json_put_str(o, "in", "path");
        json_put_bool(o, "required", true);
        json_key(o, "schema");
        json_raw(o, "{\"type\":\"string\"}", 17);
        json_close(o, '}');
    }
    for (const char *at = e->query; at && *at; at += strspn(at, " ")) {
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, ": "), at);
        json_open(o, '{');
        json_put_str(o, "name", name);
        json_put_str(o, "in", "query");
        json_key(o, "schema");
        json_raw(o, "{\"type\":\"string\"}", 17);
        json_close(o, '}');
        at += strcspn(at, " ");
    }
    json_close(o, ']');
}

static void openapi_body(struct json_out *o, const char *takes)
{
    char name[64];

    if (!takes || !*takes)
        return;
    json_key(o, "requestBody");
    json_open(o, '{');
    json_key(o, "content");
    json_open(o, '{');
    json_key(o, HTTP_JSON);
    json_open(o, '{');
    json_key(o, "schema");
    json_open(o, '{');
    json_put_str(o, "type", "object");
    json_key(o, "properties");
    json_open(o, '{');
    for (const char *at = takes; *at; at += strspn(at, " ")) {
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, ": "), at);
        json_key(o, name);
        json_raw(o, "{}", 2);
        at += strcspn(at, " ");
    }
    for (int depth = 0; depth < 5; depth++)
        json_close(o, '}');
}

static void openapi_operation(struct json_out *o, const struct api_endpoint *e)
{
    struct buf method = BUF_INIT(16);

    for (const char *c = e->http.method; *c; c++)
        buf_addc(&method, (char)(*c | 32));
    json_key(o, buf_text(&method));
    json_open(o, '{');
    if (e->id)
        json_put_str(o, "operationId", e->id);
    json_put_str(o, "summary", e->help);
    openapi_parameters(o, e);
    openapi_body(o, e->body);
    json_key(o, "responses");
    json_raw(o, "{\"200\":{\"description\":\"done\"},\"default\":{\"description\":\"an error\"}}", 67);
    json_close(o, '}');
    buf_release(&method);
}

static bool seen_before(const struct api *api, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (str_eq(endpoint_at(api, k)->http.path, endpoint_at(api, i)->http.path))
            return true;
    return false;
}

static enum http_flow openapi_json(struct rest_request *r)
{
    struct json_out o = reply_json(r);

    json_open(&o, '{');
    json_put_str(&o, "openapi", "3.0.3");
    json_key(&o, "info");
    json_open(&o, '{');
    json_put_str(&o, "title", "headway");
    json_put_str(&o, "version", headway_version);
    json_close(&o, '}');
    json_key(&o, "paths");
    json_open(&o, '{');
    for (size_t i = 0; i < endpoint_count(r->api); i++) {
        if (endpoint_at(r->api, i)->dialect == DIALECT_TEXT || seen_before(r->api, i))
            continue;
        json_key(&o, endpoint_at(r->api, i)->http.path);
        json_open(&o, '{');
        for (size_t k = i; k < endpoint_count(r->api); k++)
            if (str_eq(endpoint_at(r->api, k)->http.path, endpoint_at(r->api, i)->http.path))
                openapi_operation(&o, endpoint_at(r->api, k));
        json_close(&o, '}');
    }
    json_close(&o, '}');
    json_close(&o, '}');
    return HTTP_DONE;
}

/* What is JSON is YAML. */
static enum http_flow openapi_yaml(struct rest_request *r)
{
    enum http_flow flow = openapi_json(r);

    r->http.content_type_out = "application/yaml";
    return flow;
}

static const struct api_endpoint rows[] = {
    {V1("GET", "/docs"), .run = docs_page, .answer = "", .help = "This table"},
    {V1("GET", "/openapi.json"), .run = openapi_json, .answer = "", .help = "The same for programs (OpenAPI 3.0)"},
    {V1("GET", "/openapi-3.0.json"), .run = openapi_json, .answer = "", .help = "The same under its other name"},
    {V1("GET", "/openapi.yaml"), .run = openapi_yaml, .answer = "", .help = "The same as YAML"},
    {V1("GET", "/openapi-3.0.yaml"), .run = openapi_yaml, .answer = "", .help = "The same under its other name"},
    {PAGE("GET", "/swagger", HTTP_PUBLIC), .run = docs_page, .help = "The API's documentation under its older name"},
    {PAGE("GET", "/swagger/v1/openapiv2.json", HTTP_PUBLIC), .run = openapi_json, .help = "The same for programs"},
};
const struct http_table docs_table = API_TABLE(rows);

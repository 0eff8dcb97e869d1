/* SPDX-License-Identifier: BSD-3-Clause */
/* The API's documentation, from the table of routes: a page, and OpenAPI. */
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "http/private.h"

extern const char *const headway_version;

static void doc_row(struct buf *out, const struct route *route)
{
    buf_addf(out, "<tr><td>%s</td><td>", route->method);
    html_escape(out, route->path);
    buf_adds(out, "<br><small>");
    html_escape(out, route->help);
    if (route->takes && *route->takes) {
        buf_adds(out, " Body: ");
        html_escape(out, route->takes);
        buf_addc(out, '.');
    }
    if (route->query) {
        buf_adds(out, " Query: ");
        html_escape(out, route->query);
        buf_addc(out, '.');
    }
    buf_adds(out, "</small></td></tr>\n");
}

enum flow page_docs(struct request *r)
{
    page_begin(r, "The API of this server");
    page_text(r, "p",
              "Over HTTPS with the header Authorization: Bearer KEY (headway apikeys create), or over the "
              "server's unix socket without a key. /api/v1 is headscale's, /api/headway adds to it.");
    buf_adds(&r->out, "<table>\n");
    for (size_t i = 0; i < http_route_count; i++)
        if (http_routes[i].dialect != DIALECT_TEXT)
            doc_row(&r->out, &http_routes[i]);
    buf_adds(&r->out, "</table>\n");
    return page_end(r);
}

static void openapi_parameters(struct json_out *o, const struct route *route)
{
    char name[64];

    json_key(o, "parameters");
    json_open(o, '[');
    for (const char *at = strchr(route->path, '{'); at; at = strchr(at + 1, '{')) {
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(at + 1, "}"), at + 1);
        json_open(o, '{');
        json_put_str(o, "name", name);
        json_put_str(o, "in", "path");
        json_put_bool(o, "required", true);
        json_key(o, "schema");
        json_raw(o, "{\"type\":\"string\"}", 17);
        json_close(o, '}');
    }
    for (const char *at = route->query; at && *at; at += strspn(at, " ")) {
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, " "), at);
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
    json_key(o, TYPE_JSON);
    json_open(o, '{');
    json_key(o, "schema");
    json_open(o, '{');
    json_put_str(o, "type", "object");
    json_key(o, "properties");
    json_open(o, '{');
    for (const char *at = takes; *at; at += strspn(at, " ")) {
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, " "), at);
        json_key(o, name);
        json_raw(o, "{}", 2);
        at += strcspn(at, " ");
    }
    for (int depth = 0; depth < 5; depth++)
        json_close(o, '}');
}

/* headscale's, from which generated clients take the names of their functions (headscale: openapi/). */
static const struct {
    const char *method, *path, *id;
} operations[] = {
    {"GET", "/api/v1/user", "listUsers"},
    {"POST", "/api/v1/user", "createUser"},
    {"DELETE", "/api/v1/user/{id}", "deleteUser"},
    {"POST", "/api/v1/user/{id}/rename/{newName}", "renameUser"},
    {"GET", "/api/v1/preauthkey", "listPreAuthKeys"},
    {"POST", "/api/v1/preauthkey", "createPreAuthKey"},
    {"POST", "/api/v1/preauthkey/expire", "expirePreAuthKey"},
    {"DELETE", "/api/v1/preauthkey", "deletePreAuthKey"},
    {"GET", "/api/v1/node", "listNodes"},
    {"GET", "/api/v1/node/{nodeId}", "getNode"},
    {"DELETE", "/api/v1/node/{nodeId}", "deleteNode"},
    {"POST", "/api/v1/node/{nodeId}/expire", "expireNode"},
    {"POST", "/api/v1/node/{nodeId}/rename/{newName}", "renameNode"},
    {"POST", "/api/v1/node/{nodeId}/tags", "setTags"},
    {"POST", "/api/v1/node/{nodeId}/approve_routes", "setApprovedRoutes"},
    {"POST", "/api/v1/node/register", "registerNode"},
    {"POST", "/api/v1/node/backfillips", "backfillNodeIPs"},
    {"POST", "/api/v1/debug/node", "debugCreateNode"},
    {"POST", "/api/v1/auth/register", "authRegister"},
    {"POST", "/api/v1/auth/approve", "authApprove"},
    {"POST", "/api/v1/auth/reject", "authReject"},
    {"GET", "/api/v1/apikey", "listApiKeys"},
    {"POST", "/api/v1/apikey", "createApiKey"},
    {"POST", "/api/v1/apikey/expire", "expireApiKey"},
    {"DELETE", "/api/v1/apikey/{prefix}", "deleteApiKey"},
    {"GET", "/api/v1/policy", "getPolicy"},
    {"PUT", "/api/v1/policy", "setPolicy"},
    {"POST", "/api/v1/policy/check", "checkPolicy"},
    {"GET", "/api/v1/health", "health"},
};

static const char *operation_id(const struct route *route)
{
    for (size_t i = 0; i < ARRAY_LEN(operations); i++)
        if (str_eq(operations[i].method, route->method) && str_eq(operations[i].path, route->path))
            return operations[i].id;
    return NULL;
}

static void openapi_operation(struct json_out *o, const struct route *route)
{
    struct buf method = BUF_INIT(16);

    for (const char *c = route->method; *c; c++)
        buf_addc(&method, (char)(*c | 32));
    json_key(o, buf_text(&method));
    json_open(o, '{');
    if (operation_id(route))
        json_put_str(o, "operationId", operation_id(route));
    json_put_str(o, "summary", route->help);
    openapi_parameters(o, route);
    openapi_body(o, route->takes);
    json_key(o, "responses");
    json_raw(o, "{\"200\":{\"description\":\"done\"},\"default\":{\"description\":\"an error\"}}", 67);
    json_close(o, '}');
    buf_release(&method);
}

static bool seen_before(size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (str_eq(http_routes[k].path, http_routes[i].path))
            return true;
    return false;
}

enum flow page_openapi(struct request *r)
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
    for (size_t i = 0; i < http_route_count; i++) {
        if (http_routes[i].dialect == DIALECT_TEXT || seen_before(i))
            continue;
        json_key(&o, http_routes[i].path);
        json_open(&o, '{');
        for (size_t k = i; k < http_route_count; k++)
            if (str_eq(http_routes[k].path, http_routes[i].path))
                openapi_operation(&o, &http_routes[k]);
        json_close(&o, '}');
    }
    json_close(&o, '}');
    json_close(&o, '}');
    return DONE;
}

/* What is JSON is YAML. */
enum flow page_openapi_yaml(struct request *r)
{
    enum flow flow = page_openapi(r);

    r->content_type = TYPE_YAML;
    return flow;
}

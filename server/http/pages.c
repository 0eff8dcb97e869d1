/* SPDX-License-Identifier: BSD-3-Clause */
/* Web pages and the small answers of the public door. Pages load nothing and run no script. */
#include <stdio.h>
#include <stdlib.h>

#include "http/private.h"

#define KEY_MIN_VERSION 39 /* tailcfg.CapabilityVersion from which clients speak Noise */
#define VERIFY_MAX      4096

/* What /version says first, for interfaces made for headscale that switch features on by its number. */
#define AS_HEADSCALE "v0.29.2"

extern const char *const headway_version;

void html_escape(struct buf *out, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '<':
            buf_adds(out, "&lt;");
            break;
        case '>':
            buf_adds(out, "&gt;");
            break;
        case '&':
            buf_adds(out, "&amp;");
            break;
        case '"':
            buf_adds(out, "&quot;");
            break;
        case '\'':
            buf_adds(out, "&#39;");
            break;
        default:
            buf_addc(out, *text);
        }
}

void page_begin(struct request *r, const char *title)
{
    buf_clear(&r->out);
    r->status = 200;
    r->content_type = TYPE_HTML;
    buf_adds(&r->out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                      "<link rel=\"icon\" href=\"data:,\">\n<title>");
    html_escape(&r->out, title);
    buf_adds(&r->out, "</title>\n<style>\n:root{color-scheme:light dark}\n"
                      "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:4rem auto;padding:0 1rem}\n"
                      "h1{font-size:1.4rem}\npre{padding:1rem;border:1px solid #8888;border-radius:6px;overflow-x:auto;"
                      "white-space:pre-wrap;overflow-wrap:anywhere}\ntable{border-collapse:collapse}\n"
                      "td,th{text-align:left;vertical-align:top;padding:.2rem .8rem .2rem 0}\nsmall{opacity:.7}\n"
                      "</style>\n</head>\n<body>\n<h1>");
    html_escape(&r->out, title);
    buf_adds(&r->out, "</h1>\n");
}

enum flow page_end(struct request *r)
{
    buf_adds(&r->out, "</body>\n</html>\n");
    return DONE;
}

void page_text(struct request *r, const char *element, const char *text)
{
    buf_addf(&r->out, "<%s>", element);
    html_escape(&r->out, text);
    buf_addf(&r->out, "</%s>\n", element);
}

enum flow page_root(struct request *r)
{
    page_begin(r, "headway");
    page_text(r, "p", "This is the control server of a private network. There is nothing to see here in a browser.");
    return page_end(r);
}

enum flow page_robots(struct request *r)
{
    return reply_text(r, 200, "User-agent: *\nDisallow: /\n");
}

enum flow page_version(struct request *r)
{
    struct json_out o = reply_json(r);

    json_open(&o, '{');
    json_put_str(&o, "version", AS_HEADSCALE);
    json_put_str(&o, "headway", headway_version);
    json_put_str(&o, "commit", headway_version);
    json_put_str(&o, "buildTime", "unknown");
    json_key(&o, "go");
    json_open(&o, '{');
    json_put_str(&o, "version", "none");
    json_put_str(&o, "os", "linux");
    json_put_str(&o, "arch", sizeof(void *) == 8 ? "64-bit" : "32-bit");
    json_close(&o, '}');
    json_put_bool(&o, "dirty", strstr(headway_version, "-dirty") != NULL);
    json_close(&o, '}');
    return DONE;
}

enum flow page_key(struct request *r)
{
    static const uint8_t zeros[KEY_LEN];
    const char *text = arg_query(r, "v");
    char key[KEY_TEXT_MAX];
    uint64_t version;

    if (!text || !*text)
        return reply_text(r, 400, "capability version must be set\n");
    if (str_u64(text, 0, INT32_MAX, &version, "v", NULL) < 0)
        return reply_text(r, 400, "invalid capability version\n");
    if (version < KEY_MIN_VERSION)
        return reply_text(r, 200, "%s", "");
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_put_str(&o, "legacyPublicKey", key_format("mkey:", zeros, key));
    json_put_str(&o, "publicKey", key_format("mkey:", r->h->with.public_key, key));
    json_close(&o, '}');
    return DONE;
}

/* ---- waiting decisions ---- */

/* "hskey-authreq-" and 24 characters, or these alone as up to headscale 0.28. */
static const char *read_auth_id(const char *text)
{
    static const char start[] = "hskey-authreq-";
    const char *id = str_starts(text, start) ? text + strlen(start) : text;

    if (strlen(id) != 24 || strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != 24)
        return NULL;
    return id;
}

static enum flow bad_auth_id(struct request *r)
{
    page_begin(r, "This link is incomplete");
    page_text(r, "p",
              "The id at its end must be hskey-authreq- and 24 characters. Take the whole link that the client "
              "printed, or run tailscale up again.");
    r->status = 400;
    return page_end(r);
}

enum flow page_register(struct request *r)
{
    const char *id = read_auth_id(r->params[0]);

    if (!id)
        return bad_auth_id(r);
    page_begin(r, "Register this machine");
    page_text(r, "p",
              "An administrator of the network admits it with this command, with the name of the user that it "
              "shall belong to in place of USERNAME:");
    buf_adds(&r->out, "<pre>headway auth register --auth-id hskey-authreq-");
    html_escape(&r->out, id);
    buf_adds(&r->out, " --user USERNAME</pre>\n");
    page_text(r, "p",
              "The machine waits meanwhile and goes on by itself. It is also listed in the console, under "
              "pending registrations.");
    page_text(r, "small",
              "Only pass this on if you started it yourself: whoever is admitted becomes part of the "
              "network.");
    return page_end(r);
}

enum flow page_auth(struct request *r)
{
    const char *id = read_auth_id(r->params[0]);

    if (!id)
        return bad_auth_id(r);
    page_begin(r, "Confirm this session");
    page_text(r, "p", "An administrator of the network lets it go on with this command:");
    buf_adds(&r->out, "<pre>headway auth approve --auth-id hskey-authreq-");
    html_escape(&r->out, id);
    buf_adds(&r->out, "</pre>\n");
    page_text(r, "p", "The session waits meanwhile and goes on by itself.");
    return page_end(r);
}

/* ---- relays and pings ---- */

enum flow page_verify(struct request *r)
{
    const char *text = NULL;
    uint8_t key[KEY_LEN];

    if (r->body.len > VERIFY_MAX)
        return reply_text(r, 413, "the body is larger than %d bytes\n", VERIFY_MAX);
    if (arg_text(r, "NodePublic", &text) < 0 || !text || key_parse("nodekey:", text, key, "NodePublic", &r->err) < 0)
        return reply_text(r, 400, "NodePublic must be a node key: nodekey: and 64 hexadecimal digits\n");
    uint32_t slot = tailnet_find_key(r->h->with.tailnet, key);
    const struct tailnet_node *n = NULL;
    if (slot != TAILNET_SLOT_NONE && slot / TAILNET_BLOCK < r->s->block_count && r->s->blocks[slot / TAILNET_BLOCK])
        n = r->s->blocks[slot / TAILNET_BLOCK]->nodes[slot % TAILNET_BLOCK];
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_put_bool(&o, "Allow", n && memcmp(n->record->node_key, key, KEY_LEN) == 0 && !n->expired);
    json_close(&o, '}');
    return DONE;
}

enum flow page_ping_response(struct request *r)
{
    const char *id = arg_query(r, "id");

    if (!id || !*id)
        return reply_text(r, 400, "id is missing\n");
    if (!r->h->with.ping_response || !r->h->with.ping_response(r->h->with.arg, id))
        return reply_text(r, 404, "no such ping\n");
    return reply_text(r, 200, "%s", "");
}

/* ---- the API's documentation, from the table of routes ---- */

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
    for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++)
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

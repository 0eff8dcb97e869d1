/* SPDX-License-Identifier: BSD-3-Clause */
/* Builds the description as a tree, and writes it as JSON or YAML. */
#include "api/pages/openapi.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/request/reply.h"
#include "model/api.h"
#include "model/api_health.h"
#include "model/api_past.h"
#include "model/version.h"
#include "tailscale/tailscale.h"

#define SCHEMAS "#/components/schemas/"

/* The names of objects in the rows: headscale's forms, and headway's. Those of /api/v2 are the same in both places. */
static const struct {
    const char *name, *v1_place, *headway_place;
    const struct api_shape *shape;
    bool v2;
} objects[] = {
#define OBJECT(name, shape)                                                                                            \
    {                                                                                                                  \
        name, SCHEMAS name, SCHEMAS "Headway" name, &(shape), false                                                    \
    }
    OBJECT("User", api_user_shape),
    OBJECT("Identity", api_identity_shape),
    OBJECT("PreAuthKey", api_preauth_key_shape),
    OBJECT("ApiKey", api_api_key_shape),
    OBJECT("Node", api_node_shape),
    OBJECT("NodeRoute", api_node_route_shape),
    OBJECT("RouteProblem", api_route_problem_shape),
    OBJECT("Prefix", api_prefix_shape),
    OBJECT("Drain", api_drain_shape),
    OBJECT("Exit", api_exit_shape),
    OBJECT("Pending", api_pending_shape),
    OBJECT("Event", api_event_shape),
    OBJECT("Page", api_page_shape),
    OBJECT("Samples", api_samples_shape),
    OBJECT("RoundTrips", api_round_trips_shape),
    OBJECT("EventCounts", api_event_counts_shape),
    OBJECT("Snapshot", api_snapshot_shape),
    OBJECT("Whoami", api_whoami_shape),
    OBJECT("Change", api_change_shape),
    OBJECT("Policy", api_policy_shape),
    OBJECT("PolicyVersions", api_policy_versions_shape),
    OBJECT("Message", api_message_shape),
    OBJECT("Dns", api_dns_shape),
    OBJECT("State", api_past_shape),
    OBJECT("RouteHistory", api_route_history_shape),
    OBJECT("Check", api_check_shape),
    OBJECT("Preview", api_preview_shape),
    OBJECT("Simulation", api_simulation_shape),
    OBJECT("Followers", api_followers_shape),
    OBJECT("Diff", api_diff_shape),
    OBJECT("Explanation", api_explanation_shape),
    OBJECT("Reach", api_reach_shape),
    OBJECT("Neighbours", api_neighbours_shape),
    OBJECT("ReachHistory", api_reach_history_shape),
    OBJECT("Backup", api_backup_shape),
    OBJECT("Health", api_health_shape),
    OBJECT("App", api_app_shape),
    OBJECT("HealthReason", api_health_reason_shape),
    OBJECT("OAuthClient", api_oauth_client_shape),
    OBJECT("Webhook", api_webhook_shape),
#define V2_OBJECT(name, shape)                                                                                         \
    {                                                                                                                  \
        name, SCHEMAS name, SCHEMAS name, &(shape), true                                                               \
    }
    V2_OBJECT("Key", api_v2_key_shape),
    V2_OBJECT("Device", api_v2_device_shape),
    V2_OBJECT("DeviceRoutes", api_v2_routes_shape),
    V2_OBJECT("TailnetUser", api_v2_user_shape),
    V2_OBJECT("Settings", api_v2_settings_shape),
    V2_OBJECT("TailnetWebhook", api_v2_webhook_shape),
#undef V2_OBJECT
#undef OBJECT
};

static const struct {
    const char *kind, *schema;
} kinds[] = {
    {"text", "{\"type\":\"string\"}"},
    {"id", "{\"type\":\"string\",\"pattern\":\"^[0-9]+$\"}"},
    {"time", "{\"type\":\"string\",\"format\":\"date-time\",\"nullable\":true}"},
    {"bool", "{\"type\":\"boolean\"}"},
    {"number", "{\"type\":\"integer\"}"},
    {"object", "{\"type\":\"object\"}"},
};

static const char v1_error[] =
    "{\"type\":\"object\",\"properties\":{\"code\":{\"type\":\"integer\"},\"message\":{\"type\":\"string\"},"
    "\"details\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},\"title\":{\"type\":\"string\"},"
    "\"status\":{\"type\":\"integer\"},\"detail\":{\"type\":\"string\"},\"errors\":{\"type\":\"array\","
    "\"items\":{\"type\":\"object\",\"properties\":{\"message\":{\"type\":\"string\"},\"location\":"
    "{\"type\":\"string\"}}}}}}";
static const char headway_error[] =
    "{\"type\":\"object\",\"properties\":{\"error\":{\"type\":\"object\",\"properties\":{\"code\":"
    "{\"type\":\"string\"},\"message\":{\"type\":\"string\"},\"field\":{\"type\":\"string\"}}},"
    "\"current\":{\"type\":\"object\"}}}";

static const char v2_error[] =
    "{\"type\":\"object\",\"properties\":{\"message\":{\"type\":\"string\"},\"status\":{\"type\":\"integer\"},"
    "\"data\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"field\":{\"type\":\"string\"},"
    "\"errors\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}}}}";

static json_t *parsed(const char *text)
{
    json_t *value = NULL;

    if (json_read(text, strlen(text), strlen(text), "a schema", &value, NULL) < 0)
        return json_object();
    return value;
}

static const char *place_of(const struct api_shape *shape, enum api_scope scope)
{
    for (size_t i = 0; i < ARRAY_LEN(objects); i++)
        if (objects[i].shape == shape)
            return scope == API_V1 ? objects[i].v1_place : objects[i].headway_place;
    return NULL;
}

static json_t *kind_schema(const char *kind, size_t len, enum api_scope scope)
{
    if (len > 2 && memcmp(kind + len - 2, "[]", 2) == 0)
        return json_pack("{s:s, s:o}", "type", "array", "items", kind_schema(kind, len - 2, scope));
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strlen(kinds[i].kind) == len && memcmp(kinds[i].kind, kind, len) == 0)
            return parsed(kinds[i].schema);
    for (size_t i = 0; i < ARRAY_LEN(objects); i++)
        if (strlen(objects[i].name) == len && memcmp(objects[i].name, kind, len) == 0)
            return json_pack("{s:s}", "$ref", place_of(objects[i].shape, scope));
    return json_object();
}

/* Calls each for the members of "name:kind ...", with len 0 for one without a name. */
typedef void each_member(void *arg, const char *name, size_t len, const char *kind, size_t kind_len);
static void walk(const char *members, each_member *each, void *arg)
{
    for (const char *at = members; at && *at; at += strspn(at, " ")) {
        size_t whole = strcspn(at, " "), name = strcspn(at, ": ");
        if (name < whole)
            each(arg, at, name, at + name + 1, whole - name - 1);
        else
            each(arg, at, 0, at, whole);
        at += whole;
    }
}

struct schema_parts {
    json_t *all, *properties;
    enum api_scope scope;
};

/* The object in the answer to a change: absent if nothing changed. */
static json_t *maybe(json_t *schema)
{
    return json_pack("{s:[o], s:b}", "allOf", schema, "nullable", 1);
}

static void add_part(void *arg, const char *name, size_t len, const char *kind, size_t kind_len)
{
    struct schema_parts *p = arg;

    if (len == strlen("result") && memcmp(name, "result", len) == 0)
        json_object_setn_new(p->properties, name, len, maybe(kind_schema(kind, kind_len, p->scope)));
    else if (len)
        json_object_setn_new(p->properties, name, len, kind_schema(kind, kind_len, p->scope));
    else
        json_array_append_new(p->all, kind_schema(kind, kind_len, p->scope));
}

/* An object with the members; members that are whole objects precede these. */
static json_t *members_schema(const char *members, enum api_scope scope)
{
    struct schema_parts p = {json_array(), json_object(), scope};
    json_t *schema;

    walk(members, add_part, &p);
    json_t *object = json_pack("{s:s, s:O}", "type", "object", "properties", p.properties);
    if (!json_array_size(p.all)) {
        schema = json_incref(object);
    } else if (json_array_size(p.all) == 1 && !json_object_size(p.properties)) {
        schema = json_incref(json_array_get(p.all, 0));
    } else {
        json_array_append(p.all, object);
        schema = json_pack("{s:O}", "allOf", p.all);
    }
    json_decref(object);
    json_decref(p.all);
    json_decref(p.properties);
    return schema;
}

static json_t *content(const char *type, json_t *schema)
{
    return json_pack("{s:{s:o}}", type, "schema", schema);
}

static void add_query(void *arg, const char *name, size_t len, const char *kind, size_t kind_len)
{
    json_array_append_new(arg, json_pack("{s:s%, s:s, s:o}", "name", name, len, "in", "query", "schema",
                                         kind_schema(kind, kind_len, API_V1)));
}

/* What every change also accepts: request/request.c reads them. */
static const struct {
    const char *name, *help;
} change_headers[] = {
    {"If-Match", "The version in quotes that the object must have, such as \"7\" (of /api/v2: the ETag of the policy)"},
    {"Idempotency-Key",
     "Names the call: when it comes again with the same key it is answered as before, and done once"},
};

static void add_headers(json_t *list)
{
    for (size_t i = 0; i < ARRAY_LEN(change_headers); i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:{s:s}}", "name", change_headers[i].name, "in", "header",
                                        "description", change_headers[i].help, "schema", "type", "string"));
}

static json_t *parameters(const struct api_endpoint *e)
{
    json_t *list = json_array();

    for (const char *at = strchr(e->http.path, '{'); at; at = strchr(at + 1, '{'))
        json_array_append_new(list, json_pack("{s:s%, s:s, s:b, s:{s:s}}", "name", at + 1, strcspn(at + 1, "}"), "in",
                                              "path", "required", 1, "schema", "type", "string"));
    walk(e->query, add_query, list);
    if (e->need == NEED_ADMIN && !str_eq(e->http.method, "GET"))
        add_headers(list);
    return list;
}

/* RFC 6749, 5.2: unlike the dialect's other errors. */
static const char token_error[] = "{\"type\":\"object\",\"required\":[\"error\"],\"properties\":{\"error\":{\"type\":"
                                  "\"string\"},\"error_description\":{\"type\":\"string\"}}}";

static json_t *error_content(const struct api_endpoint *e, enum api_scope scope)
{
    const char *place = scope == API_HEADWAY ? SCHEMAS "HeadwayError" : SCHEMAS "Error";

    if (str_eq(e->http.path, "/api/v2/oauth/token"))
        return content(HTTP_JSON, parsed(token_error));
    return content(scope == API_HEADWAY ? HTTP_JSON : "application/problem+json", json_pack("{s:s}", "$ref", place));
}

static json_t *responses(const struct api_endpoint *e, enum api_scope scope)
{
    bool page = e->answer && str_eq(e->answer, "page");
    json_t *good = page ? content("text/html", parsed(kinds[0].schema))
                        : content(HTTP_JSON, members_schema(e->answer ? e->answer : "", scope));

    json_t *all = json_pack("{s:{s:s, s:o}, s:{s:s, s:o}}", "200", "description", "done", "content", good, "default",
                            "description", "an error", "content", error_content(e, scope));
    if (e->dialect == DIALECT_V1 && e->need != NEED_NOTHING) {
        json_t *refused = error_content(e, scope);
        json_object_update_missing_new(refused, content("text/plain", parsed(kinds[0].schema)));
        json_object_set_new(all, "401",
                            json_pack("{s:s, s:o}", "description",
                                      "no valid key; a text unless the request names a type of JSON in Accept",
                                      "content", refused));
    }
    return all;
}

static json_t *operation(const struct api_endpoint *e)
{
    enum api_scope scope = e->dialect == DIALECT_V1 || e->dialect == DIALECT_V2 ? API_V1 : API_HEADWAY;
    char name[64];
    json_t *o = json_object();

    if (e->id)
        json_object_set_new(o, "operationId", json_string(e->id));
    json_object_set_new(o, "summary", json_string(e->help));
    if (e->need == NEED_NOTHING)
        json_object_set_new(o, "security", json_array());
    else
        json_object_set_new(o, "x-required-scope", json_string(auth_scope_name(e->scope, name, e->need == NEED_READ)));
    json_object_set_new(o, "parameters", parameters(e));
    if (e->body && *e->body)
        json_object_set_new(o, "requestBody",
                            json_pack("{s:o}", "content", content(HTTP_JSON, members_schema(e->body, scope))));
    json_object_set_new(o, "responses", responses(e, scope));
    return o;
}

static json_t *paths(const struct api *api, bool v2)
{
    json_t *all = json_object();

    for (size_t i = 0; i < endpoint_count(api); i++) {
        const struct api_endpoint *e = endpoint_at(api, i);
        char method[sizeof(((struct http_request *)0)->method)] = "";
        if (!str_starts(e->http.path, "/api/") || str_starts(e->http.path, "/api/v2/") != v2)
            continue;
        json_t *path = json_object_get(all, e->http.path);
        if (!path) {
            path = json_object();
            json_object_set_new(all, e->http.path, path);
        }
        for (size_t k = 0; e->http.method[k]; k++)
            method[k] = (char)(e->http.method[k] | 32);
        json_object_set_new(path, method, operation(e));
    }
    return all;
}

static json_t *schemas(bool v2)
{
    json_t *all = json_pack("{s:o}", "Error", parsed(v2 ? v2_error : v1_error));

    if (!v2)
        json_object_set_new(all, "HeadwayError", parsed(headway_error));

    for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
        if (objects[i].v2 != v2)
            continue;
        json_object_set_new(all, objects[i].v1_place + strlen(SCHEMAS), api_schema(objects[i].shape, API_V1, place_of));
        if (!v2)
            json_object_set_new(all, objects[i].headway_place + strlen(SCHEMAS),
                                api_schema(objects[i].shape, API_HEADWAY_TOP, place_of));
    }
    return all;
}

static json_t *description(const struct api *api, bool v2)
{
    return json_pack("{s:s, s:{s:s, s:s}, s:[{s:[]}], s:o, s:{s:o, s:{s:{s:s, s:s}}}}", "openapi", "3.0.3", "info",
                     "title", "headway", "version", headway_version, "security", "key", "paths", paths(api, v2),
                     "components", "schemas", schemas(v2), "securitySchemes", "key", "type", "http", "scheme",
                     "bearer");
}

static void put_json(struct buf *out, const json_t *tree)
{
    char *text = json_dumps(tree, JSON_COMPACT);

    buf_adds(out, text);
    free(text);
}

/* ---- YAML: blocks for objects and lists, texts in JSON's quotes ---- */

static void put_scalar(struct buf *out, const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

    buf_adds(out, text);
    buf_addc(out, '\n');
    free(text);
}

static void put_key(struct buf *out, const char *key)
{
    bool plain = *key && strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_") == strlen(key) &&
                 strlen(key) > 3; /* shorter ones may be words of YAML: y, on, off */

    buf_addf(out, plain ? "%s:" : "\"%s\":", key);
}

static void put_block(struct buf *out, const json_t *value, int depth);

/* What follows a key or a dash. */
static void put_value(struct buf *out, const json_t *value, int depth)
{
    bool empty = !json_object_size(value) && !json_array_size(value);

    buf_addc(out, empty ? ' ' : '\n');
    if (empty)
        put_scalar(out, value);
    else
        put_block(out, value, depth + 1);
}

static void put_block(struct buf *out, const json_t *value, int depth)
{
    const char *key;
    json_t *item;
    size_t i;

    json_array_foreach(value, i, item)
    {
        buf_addf(out, "%*s-", 2 * depth, "");
        put_value(out, item, depth);
    }
    json_object_foreach((json_t *)(uintptr_t)value, key, item)
    {
        buf_addf(out, "%*s", 2 * depth, "");
        put_key(out, key);
        put_value(out, item, depth);
    }
}

static void put_yaml(struct buf *out, const json_t *tree)
{
    put_block(out, tree, 0);
}

/* ---- answers ---- */

/* Anybody may ask: it is made once, and slow readers hold no copies. */
static enum http_flow answer(struct rest_request *r, bool yaml, const char *type,
                             void (*put)(struct buf *out, const json_t *tree))
{
    bool v2 = r->endpoint->dialect == DIALECT_V2;
    struct buf *made = &r->api->openapi[v2][yaml];

    pthread_mutex_lock(&r->api->lock);
    if (!made->len) {
        json_t *tree = description(r->api, v2);
        put(made, tree);
        json_decref(tree);
    }
    pthread_mutex_unlock(&r->api->lock);
    http_reply(&r->http, 200, type);
    r->http.lent = made;
    return HTTP_DONE;
}

enum http_flow openapi_json(struct rest_request *r)
{
    return answer(r, false, HTTP_JSON, put_json);
}

enum http_flow openapi_yaml(struct rest_request *r)
{
    return answer(r, true, "application/yaml", put_yaml);
}

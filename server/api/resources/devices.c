/* SPDX-License-Identifier: BSD-3-Clause */
/* Nodes and their routes in the form of Tailscale's API v2. */
#include <stdlib.h>

#include "api/request/args.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/tables.h"
#include "api/view/tailscale_objects.h"
#include "api/view/view.h"

/* NULL, with the answer made: not an id, or no node has it. */
static const struct tailnet_node *named_device(struct rest_request *r)
{
    const struct tailnet_node *n = NULL;
    uint64_t id;

    if (str_u64(r->http.params[0], 1, UINT64_MAX, &id, "id", NULL) == 0)
        n = snapshot_node_by_id(r->s, id);
    if (n)
        r->admin.id = id;
    else
        reply_code(r, ERR_MISSING, "device not found");
    return n;
}

static bool wants_all_fields(const struct rest_request *r)
{
    const char *fields = arg_query(r, "fields");

    return fields && str_eq(fields, "all");
}

static enum http_flow devices_list(struct rest_request *r)
{
    size_t count;
    const struct tailnet_node **nodes = show_nodes_by_id(r->s, &count);
    struct json_out o = reply_json(r);

    json_open(&o, '{');
    json_key(&o, "devices");
    json_open(&o, '[');
    for (size_t i = 0; i < count; i++)
        write_v2_device(&o, nodes[i], wants_all_fields(r));
    json_close(&o, ']');
    json_close(&o, '}');
    free(nodes);
    return HTTP_DONE;
}

static enum http_flow device_get(struct rest_request *r)
{
    const struct tailnet_node *n = named_device(r);

    if (n) {
        struct json_out o = reply_json(r);
        write_v2_device(&o, n, wants_all_fields(r));
    }
    return HTTP_DONE;
}

static enum http_flow changed(struct rest_request *r)
{
    return r->admin.call.code < 0 ? reply_error(r, &r->admin.call.err) : reply_object(r);
}

static enum http_flow change_device(struct rest_request *r, enum admin_op op)
{
    r->admin.op = op;
    return request_admin(r, changed);
}

static enum http_flow device_delete(struct rest_request *r)
{
    return named_device(r) ? change_device(r, ADMIN_NODE_DELETE) : HTTP_DONE;
}

static enum http_flow device_authorize(struct rest_request *r)
{
    if (!named_device(r))
        return HTTP_DONE;
    if (!arg_json(r, "authorized"))
        return reply_code(r, ERR_INVALID, "authorized is missing: true or false");
    return arg_bool(r, "authorized", &r->admin.flag) < 0 ? reply_error(r, &r->err)
                                                         : change_device(r, ADMIN_NODE_AUTHORIZE);
}

static enum http_flow device_name(struct rest_request *r)
{
    if (!named_device(r))
        return HTTP_DONE;
    r->admin.name = "";
    return arg_text(r, "name", &r->admin.name) < 0 ? reply_error(r, &r->err) : change_device(r, ADMIN_NODE_RENAME);
}

/* A tagged node stays tagged: an empty list changes nothing, which lets Terraform remove its resource. */
static enum http_flow device_tags(struct rest_request *r)
{
    bool given;

    if (!named_device(r))
        return HTTP_DONE;
    if (arg_texts(r, "tags", &r->admin.tags, &given) < 0)
        return reply_error(r, &r->err);
    return r->admin.tags.len ? change_device(r, ADMIN_NODE_TAGS) : reply_object(r);
}

static enum http_flow device_expire(struct rest_request *r)
{
    return named_device(r) ? change_device(r, ADMIN_NODE_EXPIRE) : HTTP_DONE;
}

/* Enabling expiry again sets an expiry only if the configuration gives one to new nodes. */
static enum http_flow device_key(struct rest_request *r)
{
    const struct tailnet_node *n = named_device(r);
    const struct config *c = api_config(r->api);
    int64_t life_ns = c->node.expiry;

    config_unref(c);
    if (!n)
        return HTTP_DONE;
    if (arg_bool(r, "keyExpiryDisabled", &r->admin.flag) < 0)
        return reply_error(r, &r->err);
    if (r->admin.flag ? !n->record->expiry_ns : n->record->expiry_ns || !life_ns || n->record->tags.len)
        return reply_object(r);
    if (!r->admin.flag)
        r->admin.time_ns = clock_wall_ns() + life_ns;
    return change_device(r, ADMIN_NODE_EXPIRE);
}

static enum http_flow routes_get(struct rest_request *r)
{
    const struct tailnet_node *n = named_device(r);

    if (n) {
        struct json_out o = reply_json(r);
        write_v2_routes(&o, n->record);
    }
    return HTTP_DONE;
}

static enum http_flow routes_changed(struct rest_request *r)
{
    if (r->admin.call.code < 0)
        return reply_error(r, &r->admin.call.err);
    struct json_out o = reply_json(r);
    write_v2_routes(&o, r->admin.record);
    return HTTP_DONE;
}

static enum http_flow routes_set(struct rest_request *r)
{
    bool given;

    if (!named_device(r))
        return HTTP_DONE;
    if (arg_prefixes(r, "routes", &r->admin.prefixes, &given) < 0)
        return reply_error(r, &r->err);
    r->admin.op = ADMIN_NODE_ROUTES;
    return request_admin(r, routes_changed);
}

static const struct api_endpoint rows[] = {
    {V2("GET", "/tailnet/-/devices"), .run = devices_list, .need = NEED_READ, .scope = SCOPE_DEVICES_CORE,
     .id = "listDevices", .query = "fields:text", .answer = "devices:Device[]",
     .help = "All nodes, with their routes for fields=all"},
    {V2("GET", "/device/{id}"), .run = device_get, .need = NEED_READ, .scope = SCOPE_DEVICES_CORE, .id = "getDevice",
     .query = "fields:text", .answer = "Device", .help = "One node"},
    {V2("DELETE", "/device/{id}"), .run = device_delete, .need = NEED_ADMIN, .scope = SCOPE_DEVICES_CORE,
     .id = "deleteDevice", .help = "Removes a node"},
    {V2("POST", "/device/{id}/authorized"), .run = device_authorize, .need = NEED_ADMIN, .scope = SCOPE_DEVICES_CORE,
     .id = "authorizeDevice", .body = "authorized:bool", .help = "Lets a node take part in the tailnet, or no longer"},
    {V2("POST", "/device/{id}/name"), .run = device_name, .need = NEED_ADMIN, .scope = SCOPE_DEVICES_CORE,
     .id = "setDeviceName", .body = "name:text", .help = "Gives a node another name"},
    {V2("POST", "/device/{id}/tags"), .run = device_tags, .need = NEED_ADMIN, .scope = SCOPE_DEVICES_CORE,
     .id = "setDeviceTags", .body = "tags:text[]", .help = "Sets a node's tags; a token gives those that it may"},
    {V2("POST", "/device/{id}/key"), .run = device_key, .need = NEED_ADMIN, .scope = SCOPE_DEVICES_CORE,
     .id = "setDeviceKey", .body = "keyExpiryDisabled:bool", .help = "Whether a node's key never expires"},
    {V2("POST", "/device/{id}/expire"), .run = device_expire, .need = NEED_ADMIN, .scope = SCOPE_DEVICES_CORE,
     .id = "expireDeviceKey", .body = "", .help = "Ends a node's key: it must log in again"},
    {V2("GET", "/device/{id}/routes"), .run = routes_get, .need = NEED_READ, .scope = SCOPE_DEVICES_ROUTES,
     .id = "listDeviceRoutes", .answer = "DeviceRoutes", .help = "Routes that a node advertises, and those approved"},
    {V2("POST", "/device/{id}/routes"), .run = routes_set, .need = NEED_ADMIN, .scope = SCOPE_DEVICES_ROUTES,
     .id = "setDeviceRoutes", .body = "routes:text[]", .answer = "DeviceRoutes",
     .help = "Approves these routes of a node and no others"},
};
const struct http_table v2_devices_table = API_TABLE(rows);

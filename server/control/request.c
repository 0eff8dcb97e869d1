/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/request.h"

#include "base/clock.h"
#include "base/mem.h"
#include "crypto/crypto.h"

static int read_key(const json_t *o, const char *field, const char *prefix, uint8_t out[KEY_LEN], struct err *e)
{
    const char *text = NULL;

    if (json_get_str(o, field, &text, e) < 0)
        return ERR_INVALID;
    return text ? key_parse(prefix, text, out, field, e) : 0;
}

static int read_root(const void *body, size_t len, const char *what, json_t **root, struct err *e)
{
    if (json_read(body, len, REQUEST_BODY_MAX, what, root, e) < 0)
        return ERR_INVALID;
    if (!json_is_object(*root))
        return err_set(e, ERR_INVALID, "a %s must be an object", what);
    return 0;
}

/* The version is read first, alone: a client that is too old is told so, whatever else it sends. */
static int read_version(const json_t *root, unsigned *version, struct err *e)
{
    uint64_t v = 0;

    if (json_get_u64(root, "Version", &v, e) < 0)
        return ERR_INVALID;
    *version = v <= 100000 ? (unsigned)v : 100000;
    return 0;
}

static int read_hostinfo(const json_t *root, struct request_info *out, struct err *e)
{
    json_t *hostinfo = NULL;

    if (json_get_object(root, "Hostinfo", &hostinfo, e) < 0)
        return ERR_INVALID;
    return request_info_read(hostinfo, out, e);
}

static int need_node_key(const uint8_t key[KEY_LEN], struct err *e)
{
    return key_is_zero(key) ? err_field(e, ERR_INVALID, "NodeKey", "NodeKey is missing or zero") : 0;
}

/* "https://host/register/ID" -> "ID" */
static const char *last_part(const char *url)
{
    const char *slash = strrchr(url, '/');

    return slash ? slash + 1 : url;
}

int register_request_read(const void *body, size_t len, struct register_request *out, struct err *e)
{
    const char *expiry = NULL, *followup = NULL, *key = NULL;
    json_t *auth = NULL;

    *out = (struct register_request){0};
    if (read_root(body, len, "register request", &out->root, e) < 0 || read_version(out->root, &out->version, e) < 0)
        return ERR_INVALID;
    if (read_key(out->root, "NodeKey", "nodekey:", out->node_key, e) < 0 ||
        read_key(out->root, "OldNodeKey", "nodekey:", out->old_node_key, e) < 0 ||
        need_node_key(out->node_key, e) < 0 || json_get_object(out->root, "Auth", &auth, e) < 0 ||
        (auth && json_get_str(auth, "AuthKey", &key, e) < 0) || json_get_str(out->root, "Expiry", &expiry, e) < 0 ||
        json_get_str(out->root, "Followup", &followup, e) < 0 ||
        json_get_bool(out->root, "Ephemeral", &out->ephemeral, e) < 0)
        return ERR_INVALID;
    if (expiry && time_parse(expiry, &out->expiry_ns, "Expiry", e) < 0)
        return ERR_INVALID;
    if (key && strlen(key) > 4 * REQUEST_TEXT_MAX)
        return err_field(e, ERR_INVALID, "AuthKey", "AuthKey is too long for a key");
    out->auth_key = key && *key ? key : NULL;
    if (followup && *followup) {
        followup = last_part(followup);
        out->followup = strlen(followup) == AUTH_ID_LEN ? followup : "unknown";
    }
    return read_hostinfo(out->root, &out->client, e);
}

void register_request_release(struct register_request *r)
{
    request_info_release(&r->client);
    if (r->auth_key) /* a text owned by root */
        crypto_wipe((char *)(uintptr_t)r->auth_key, strlen(r->auth_key));
    r->auth_key = NULL;
    json_decref(r->root);
    r->root = NULL;
}

/* fe80::/10: useless without a zone, and the parser refuses zones. */
static bool is_link_local(const struct addr *a)
{
    return a->bits == 128 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

static bool has_endpoint(const struct map_request *r, const struct addr_port *a)
{
    for (size_t i = 0; i < r->endpoint_count; i++)
        if (addr_port_eq(&r->endpoints[i], a))
            return true;
    return false;
}

/* Leaves out endpoints that no other node could use, duplicates, and those beyond the limit. */
static int read_endpoints(const json_t *root, struct map_request *out, struct err *e)
{
    json_t *list = NULL, *types = NULL, *item;
    size_t i;

    if (json_get_array(root, "Endpoints", &list, e) < 0 || json_get_array(root, "EndpointTypes", &types, e) < 0)
        return ERR_INVALID;
    /* Clients omit an empty list: in an update of its own, which is complete, absence means none. */
    out->has_endpoints = list != NULL || !out->stream;
    size_t most = json_array_size(list) < ENDPOINTS_MAX ? json_array_size(list) : ENDPOINTS_MAX;
    if (most) {
        out->endpoints = mem_alloc(most * sizeof(*out->endpoints));
        out->endpoint_types = mem_alloc(most * sizeof(*out->endpoint_types));
    }
    json_array_foreach(list, i, item)
    {
        struct addr_port a;
        if (!json_is_string(item))
            return err_field(e, ERR_INVALID, "Endpoints", "Endpoints must hold texts");
        if (addr_port_parse(json_string_value(item), &a, NULL) < 0 || is_link_local(&a.addr) || has_endpoint(out, &a))
            continue;
        if (out->endpoint_count == ENDPOINTS_MAX) {
            out->client.cut = "endpoints";
            break;
        }
        json_int_t type = json_integer_value(json_array_get(types, i));
        out->endpoint_types[out->endpoint_count] = type > 0 && type < 256 ? (uint8_t)type : 0;
        out->endpoints[out->endpoint_count++] = a;
    }
    return 0;
}

/* Warnings of the client. Nothing depends on them, so excess ones and those that are not text are left out. */
static int read_flags(const json_t *root, struct map_request *out, struct err *e)
{
    json_t *list = NULL, *item;
    size_t i;

    if (json_get_array(root, "DebugFlags", &list, e) < 0)
        return ERR_INVALID;
    json_array_foreach(list, i, item)
    {
        if (out->flags.len == REQUEST_FLAGS_MAX)
            break;
        if (!json_is_string(item))
            continue;
        char *flag = str_clean(json_string_value(item), REQUEST_TEXT_MAX);
        strs_push(&out->flags, flag);
        free(flag);
    }
    return 0;
}

static int read_map(const json_t *root, struct map_request *out, struct err *e)
{
    const char *compress = "";

    if (read_version(root, &out->version, e) < 0 || read_key(root, "NodeKey", "nodekey:", out->node_key, e) < 0 ||
        read_key(root, "DiscoKey", "discokey:", out->disco_key, e) < 0 || need_node_key(out->node_key, e) < 0 ||
        json_get_str(root, "Compress", &compress, e) < 0 || json_get_bool(root, "Stream", &out->stream, e) < 0 ||
        json_get_bool(root, "OmitPeers", &out->omit_peers, e) < 0 ||
        json_get_bool(root, "ReadOnly", &out->read_only, e) < 0 || read_endpoints(root, out, e) < 0 ||
        read_flags(root, out, e) < 0)
        return ERR_INVALID;
    out->zstd = str_eq(compress, "zstd");
    const char *cut = out->client.cut;
    int code = read_hostinfo(root, &out->client, e);
    if (!out->client.cut)
        out->client.cut = cut;
    if (out->client.routes_cut)
        strs_push(&out->flags, "warn-too-many-routes");
    return code;
}

/* Everything is copied: thousands of these may wait for the core, and a copy is smaller than the request's text. */
int map_request_read(const void *body, size_t len, struct map_request *out, struct err *e)
{
    json_t *root = NULL;

    *out = (struct map_request){0};
    int code = read_root(body, len, "map request", &root, e);
    if (code == 0)
        code = read_map(root, out, e);
    json_decref(root);
    return code;
}

void map_request_release(struct map_request *r)
{
    request_info_release(&r->client);
    free(r->endpoints);
    free(r->endpoint_types);
    strs_release(&r->flags);
    r->endpoints = NULL;
    r->endpoint_types = NULL;
    r->endpoint_count = 0;
}

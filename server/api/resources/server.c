/* SPDX-License-Identifier: BSD-3-Clause */
/* The server itself: who the caller is, the relay, version and public key, copies of the database. */
#include <stdlib.h>
#include <sys/stat.h>

#include "api/change/change.h"
#include "api/request/args.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/policy.h"
#include "api/resources/tables.h"
#include "api/view/objects.h"
#include "model/version.h"

#define KEY_MIN_VERSION 39 /* first tailcfg.CapabilityVersion of clients that speak Noise */
#define VERIFY_MAX      4096

const char *policy_mode(const struct config *c)
{
    return config_policy_is_file(c) ? "file" : "database";
}

static enum http_flow whoami(struct rest_request *r)
{
    const struct config *c = api_config(r->api);
    struct json_out o = reply_json(r);
    struct api_whoami me = {.actor = r->who.actor,
                            .scope = r->who.read_only ? "read" : "admin",
                            .version = headway_version,
                            .server_url = c->server_url,
                            .base_domain = c->dns.base_domain,
                            .policy_mode = policy_mode(c),
                            .time_ns = clock_wall_ns(),
                            .read_only = r->who.read_only,
                            .limits = {.body_bytes = HTTP_BODY_MAX, .events_page = EVENTS_PAGE_MAX}};

    config_listens(c, &me.listens);
    api_write(&o, &api_whoami_shape, &me, API_HEADWAY);
    strs_release(&me.listens);
    config_unref(c);
    return HTTP_DONE;
}

static enum http_flow relay_state(struct rest_request *r)
{
    if (!r->api->with.relay_status) {
        struct err e;
        err_set(&e, ERR_UNAVAILABLE, "this server has no relay");
        return reply_error(r, &e);
    }
    struct json_out o = reply_json(r);
    r->api->with.relay_status(r->api->with.arg, &o);
    return HTTP_DONE;
}

static enum http_flow run_backup(struct rest_request *r)
{
    const char *path = r->state;
    struct stat file;

    if (store_backup(r->api->with.store, path, &r->err) < 0)
        return reply_error(r, &r->err);
    log_info("http", "%s copied the database to %s", r->who.actor, path);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_key(&o, "result");
    struct api_backup copied = {.path = path, .bytes = stat(path, &file) == 0 ? (uint64_t)file.st_size : 0};
    api_write(&o, &api_backup_shape, &copied, API_HEADWAY);
    json_close(&o, '}');
    return HTTP_DONE;
}

static enum http_flow backup(struct rest_request *r)
{
    const char *path = "";

    if (arg_text(r, "path", &path) < 0 || str_check(path, 4000, false, "path", &r->err) < 0)
        return reply_error(r, &r->err);
    if (path[0] != '/') {
        err_field(&r->err, ERR_INVALID, "path", "path must be absolute: '%.120s'", path);
        return reply_error(r, &r->err);
    }
    r->state = arena_strdup(&r->http.arena, path);
    return request_later(r, HTTP_DISK, run_backup);
}

static enum http_flow message_get(struct rest_request *r)
{
    struct json_out o = reply_json(r);

    write_message(&o, r->s->message, scope_of(r));
    return HTTP_DONE;
}

static enum http_flow message_set(struct rest_request *r)
{
    if (arg_text(r, "text", &r->admin.text) < 0 || arg_text(r, "severity", &r->admin.severity) < 0 ||
        arg_text(r, "url", &r->admin.url) < 0)
        return reply_error(r, &r->err);
    return change(r, ADMIN_SERVER_MESSAGE);
}

static enum http_flow version(struct rest_request *r)
{
    struct json_out o = reply_json(r);
    struct api_version v;

    api_version_fill(&v);
    api_write(&o, &api_version_shape, &v, API_V1);
    return HTTP_DONE;
}

static enum http_flow public_key(struct rest_request *r)
{
    static const uint8_t zeros[KEY_LEN];
    const char *text = arg_query(r, "v");
    char key[KEY_TEXT_MAX];
    uint64_t version;

    if (!text || !*text)
        return http_reply_text(&r->http, 400, "capability version must be set\n");
    if (str_u64(text, 0, INT32_MAX, &version, "v", NULL) < 0)
        return http_reply_text(&r->http, 400, "invalid capability version\n");
    if (version < KEY_MIN_VERSION)
        return http_reply_text(&r->http, 200, "%s", "");
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_put_str(&o, "legacyPublicKey", key_format("mkey:", zeros, key));
    json_put_str(&o, "publicKey", key_format("mkey:", r->api->with.public_key, key));
    json_close(&o, '}');
    return HTTP_DONE;
}

static enum http_flow verify(struct rest_request *r)
{
    const char *text = NULL;
    uint8_t key[KEY_LEN];

    if (arg_text(r, "NodePublic", &text) < 0 || !text || key_parse("nodekey:", text, key, "NodePublic", &r->err) < 0)
        return http_reply_text(&r->http, 400, "NodePublic must be a node key: nodekey: and 64 hexadecimal digits\n");
    uint32_t slot = tailnet_find_key(r->api->with.tailnet, key);
    const struct tailnet_node *n = NULL;
    if (slot != TAILNET_SLOT_NONE && slot / TAILNET_BLOCK < r->s->block_count && r->s->blocks[slot / TAILNET_BLOCK])
        n = r->s->blocks[slot / TAILNET_BLOCK]->nodes[slot % TAILNET_BLOCK];
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_put_bool(&o, "Allow", n && memcmp(n->record->node_key, key, KEY_LEN) == 0 && !n->expired);
    json_close(&o, '}');
    return HTTP_DONE;
}

static enum http_flow ping_response(struct rest_request *r)
{
    const char *id = arg_query(r, "id");

    if (!id || !*id)
        return http_reply_text(&r->http, 400, "id is missing\n");
    if (!r->api->with.ping_response || !r->api->with.ping_response(r->api->with.arg, id))
        return http_reply_text(&r->http, 404, "no such ping\n");
    return http_reply_text(&r->http, 200, "%s", "");
}

static const struct api_endpoint rows[] = {
    {HEADWAY("GET", "/whoami"), .run = whoami, .need = NEED_READ, .scope = SCOPE_ANY, .answer = "Whoami",
     .help = "Who asks, what they may, what answers"},
    {HEADWAY("GET", "/relay/status"), .run = relay_state, .need = NEED_READ, .scope = SCOPE_ALL, .answer = "object",
     .help = "The built-in relay: who is connected, what went through, what was dropped"},
    {HEADWAY("GET", "/message"), .run = message_get, .need = NEED_READ, .scope = SCOPE_FEATURE_SETTINGS,
     .answer = "Message", .help = "What the users of all clients are told"},
    {HEADWAY("PUT", "/message"), .run = message_set, .need = NEED_ADMIN, .scope = SCOPE_FEATURE_SETTINGS,
     .body = "text:text severity:text url:text", .query = "dry_run:bool", .answer = "Change result:Message",
     .help = "Tells the users of all clients something; an empty text takes it back"},
    {LOCAL("POST", "/backup"), .run = backup, .need = NEED_ADMIN, .scope = SCOPE_NEVER, .body = "path:text",
     .answer = "result:Backup", .help = "Copies the database to a new file; on the unix socket only"},
    {PAGE("GET", "/version", HTTP_PUBLIC | HTTP_UNIX | HTTP_METRICS), .run = version, .help = "The version"},
    {PAGE("GET", "/key", HTTP_PUBLIC), .http.reserved = true, .run = public_key, .query = "v:number",
     .help = "The server's public key, for Tailscale clients"},
    {PAGE("POST", "/verify", HTTP_PUBLIC), .http.body_max = VERIFY_MAX, .run = verify,
     .body = "NodePublic:text Source:text", .help = "Whether a relay may serve a node"},
    {PAGE("GET", "/machine/ping-response", HTTP_PUBLIC), .run = ping_response, .query = "id:text",
     .help = "A client answers a ping"},
};
const struct http_table server_table = API_TABLE(rows);

/* SPDX-License-Identifier: BSD-3-Clause */
/* Tailscale's "keys": pre-auth keys and OAuth clients as one resource. A token sees and makes the kinds that its scopes
 * name. */
#include "api/request/args.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/keys.h"
#include "api/resources/tables.h"
#include "api/view/tailscale_objects.h"
#include "tailscale/tailscale.h"

#define SECONDS_MAX     (100 * 365 * 86400LL)
#define DESCRIPTION_MAX 50

static bool may(const struct rest_request *r, enum auth_scope scope, bool read)
{
    return !r->who.token || auth_scope_granted(&r->who.token->scopes, scope, read);
}

static int lacks(struct rest_request *r, enum auth_scope scope, bool read)
{
    char name[64];

    if (may(r, scope, read))
        return 0;
    return err_set(&r->err, ERR_DENIED, "token is missing the required scope %s", auth_scope_name(scope, name, read));
}

static enum http_flow keys_list(struct rest_request *r)
{
    struct json_out o = reply_json(r);
    int64_t now = clock_wall_ns();

    json_open(&o, '{');
    json_key(&o, "keys");
    json_open(&o, '[');
    for (size_t i = 0; i < r->s->preauth_key_count && may(r, SCOPE_AUTH_KEYS, true); i++)
        write_v2_auth_key(&o, r->s->preauth_keys[i], NULL, now);
    for (size_t i = 0; i < r->s->oauth_client_count && may(r, SCOPE_OAUTH_KEYS, true); i++)
        write_v2_client(&o, r->s->oauth_clients[i], NULL);
    json_close(&o, ']');
    json_close(&o, '}');
    return HTTP_DONE;
}

/* NULL: no client has the name. */
static const struct oauth_client *named_client(const struct rest_request *r)
{
    for (size_t i = 0; i < r->s->oauth_client_count; i++)
        if (str_eq(r->s->oauth_clients[i]->client_id, r->http.params[0]))
            return r->s->oauth_clients[i];
    return NULL;
}

static const struct preauth_key *named_auth_key(const struct rest_request *r)
{
    uint64_t id;

    return str_u64(r->http.params[0], 1, UINT64_MAX, &id, "id", NULL) < 0 ? NULL : snapshot_preauth_key(r->s, id);
}

/* Clients first, if the token may see them: their ids are not numbers. Otherwise the answer must not reveal what
 * exists. */
static enum http_flow key_get(struct rest_request *r)
{
    const struct oauth_client *c = may(r, SCOPE_OAUTH_KEYS, true) ? named_client(r) : NULL;
    const struct preauth_key *k = named_auth_key(r);

    if (!c && lacks(r, SCOPE_AUTH_KEYS, true) < 0)
        return reply_error(r, &r->err);
    if (!c && !k)
        return reply_code(r, ERR_MISSING, "auth key not found");
    struct json_out o = reply_json(r);
    if (c)
        write_v2_client(&o, c, NULL);
    else
        write_v2_auth_key(&o, k, NULL, clock_wall_ns());
    return HTTP_DONE;
}

static enum http_flow deleted(struct rest_request *r)
{
    return r->admin.call.code < 0 ? reply_error(r, &r->admin.call.err) : reply_object(r);
}

static enum http_flow key_delete(struct rest_request *r)
{
    const struct oauth_client *c = may(r, SCOPE_OAUTH_KEYS, false) ? named_client(r) : NULL;
    const struct preauth_key *k = named_auth_key(r);

    if (!c && lacks(r, SCOPE_AUTH_KEYS, false) < 0)
        return reply_error(r, &r->err);
    if (!c && !k)
        return reply_code(r, ERR_MISSING, "auth key not found");
    r->admin.id = c ? c->r.id : k->r.id;
    r->admin.op = c ? ADMIN_OAUTH_CLIENT_DELETE : ADMIN_PREAUTHKEY_REVOKE;
    return request_admin(r, deleted);
}

/* ---- making one ---- */

static enum http_flow made(struct rest_request *r)
{
    const struct core_admin *a = &r->admin;

    if (a->call.code < 0)
        return reply_error(r, &a->call.err);
    struct json_out o = reply_json(r);
    if (a->op == ADMIN_OAUTH_CLIENT_CREATE || a->op == ADMIN_OAUTH_CLIENT_SET)
        write_v2_client(&o, a->record, a->secret);
    else
        write_v2_auth_key(&o, a->record, a->secret, clock_wall_ns());
    return HTTP_DONE;
}

static int read_seconds(struct rest_request *r)
{
    json_t *v = arg_json(r, "expirySeconds");
    json_int_t seconds = json_integer_value(v);

    if (v && !json_is_integer(v))
        return err_field(&r->err, ERR_INVALID, "expirySeconds", "expirySeconds must be a number of seconds");
    if (seconds > SECONDS_MAX)
        return err_field(&r->err, ERR_INVALID, "expirySeconds", "expirySeconds must be at most %lld", SECONDS_MAX);
    r->admin.time_ns = clock_wall_ns() + (seconds > 0 ? seconds : V2_DEFAULT_KEY_SECONDS) * NS_PER_SECOND;
    return 0;
}

static int read_capability(struct rest_request *r, const json_t *create, const char *name, bool *out)
{
    const json_t *v = json_object_get(create, name);

    if (v && !json_is_null(v) && !json_is_boolean(v))
        return err_field(&r->err, ERR_INVALID, name, "%s must be true or false", name);
    *out = json_is_true(v);
    return 0;
}

static int read_auth_key(struct rest_request *r)
{
    json_t *capabilities = arg_json(r, "capabilities");
    const json_t *create = json_object_get(json_object_get(capabilities, "devices"), "create");
    bool preauthorized;

    if (capabilities && !json_is_object(create))
        return err_field(&r->err, ERR_INVALID, "capabilities", "capabilities must be {\"devices\":{\"create\":{...}}}");
    if (read_capability(r, create, "reusable", &r->admin.reusable) < 0 ||
        read_capability(r, create, "ephemeral", &r->admin.ephemeral) < 0 ||
        read_capability(r, create, "preauthorized", &preauthorized) < 0 ||
        arg_texts_of(r, json_object_get(create, "tags"), "tags", &r->admin.tags) < 0 || read_seconds(r) < 0)
        return r->err.code;
    r->admin.needs_approval = !preauthorized;
    if (!r->admin.tags.len && !r->who.token && !r->who.user_id)
        return err_field(&r->err, ERR_INVALID, "tags",
                         "an auth key without tags must be created with a user-owned API key (headway apikeys create "
                         "--user NAME)");
    r->admin.user_id = r->admin.tags.len ? 0 : r->who.user_id;
    return 0;
}

static enum http_flow key_create(struct rest_request *r)
{
    const char *type = "auth";
    bool given, client;

    if (arg_text(r, "keyType", &type) < 0 || arg_text(r, "description", &r->admin.name) < 0)
        return reply_error(r, &r->err);
    client = str_eq(type, "client");
    int code = client || str_eq(type, "auth") || !*type
                   ? lacks(r, client ? SCOPE_OAUTH_KEYS : SCOPE_AUTH_KEYS, false)
                   : err_field(&r->err, ERR_INVALID, "keyType", "keyType must be auth or client");
    if (code == 0 && r->admin.name && strlen(r->admin.name) > DESCRIPTION_MAX)
        code = err_field(&r->err, ERR_INVALID, "description", "description has at most %d characters", DESCRIPTION_MAX);
    if (code == 0 && client)
        code = arg_texts(r, "scopes", &r->admin.scopes, &given);
    if (code == 0 && client)
        code = arg_texts(r, "tags", &r->admin.tags, &given);
    if (code == 0)
        code = client ? oauth_client_limits(r) : read_auth_key(r);
    if (code < 0)
        return reply_error(r, &r->err);
    r->admin.op = client ? ADMIN_OAUTH_CLIENT_CREATE : ADMIN_PREAUTHKEY_CREATE;
    return request_admin(r, made);
}

static enum http_flow key_set(struct rest_request *r)
{
    const struct oauth_client *c = named_client(r);
    bool given;

    if (!c)
        return reply_code(r, ERR_MISSING, "OAuth client not found");
    if (arg_text(r, "description", &r->admin.name) < 0 || arg_texts(r, "scopes", &r->admin.scopes, &given) < 0 ||
        arg_texts(r, "tags", &r->admin.tags, &given) < 0 || oauth_client_limits(r) < 0)
        return reply_error(r, &r->err);
    r->admin.id = c->r.id;
    r->admin.op = ADMIN_OAUTH_CLIENT_SET;
    return request_admin(r, made);
}

static const struct api_endpoint rows[] = {
    {V2("GET", "/tailnet/-/keys"), .run = keys_list, .need = NEED_READ, .scope = SCOPE_KEYS, .id = "listKeys",
     .query = "all:bool", .answer = "keys:Key[]", .help = "Auth keys and OAuth clients, those that a token may see"},
    {V2("POST", "/tailnet/-/keys"), .run = key_create, .need = NEED_ADMIN, .scope = SCOPE_KEYS, .id = "createKey",
     .body = "keyType:text capabilities:object expirySeconds:number description:text scopes:text[] tags:text[]",
     .answer = "Key", .help = "Makes an auth key or an OAuth client; the only answer with its secret"},
    {V2("GET", "/tailnet/-/keys/{keyId}"), .run = key_get, .need = NEED_READ, .scope = SCOPE_KEYS, .id = "getKey",
     .answer = "Key", .help = "One of them"},
    {V2("PUT", "/tailnet/-/keys/{keyId}"), .run = key_set, .need = NEED_ADMIN, .scope = SCOPE_OAUTH_KEYS,
     .id = "setKey", .body = "keyType:text description:text scopes:text[] tags:text[]", .answer = "Key",
     .help = "Changes an OAuth client; its access tokens end"},
    {V2("DELETE", "/tailnet/-/keys/{keyId}"), .run = key_delete, .need = NEED_ADMIN, .scope = SCOPE_KEYS,
     .id = "deleteKey", .help = "Revokes an auth key, which stays listed for a while, or removes an OAuth client"},
};
const struct http_table keys_table = API_TABLE(rows);

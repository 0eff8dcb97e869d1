/* SPDX-License-Identifier: BSD-3-Clause */
/* Pre-auth keys and API keys. */
#include "api/change/change.h"
#include "api/request/args.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/tables.h"
#include "api/view/objects.h"
#include "model/secret.h"

/* The lifetime of a key if none is given, as on the command line. */
#define HOUR_NS        (3600 * (int64_t)1000000000)
#define PREAUTH_KEY_NS HOUR_NS
#define API_KEY_NS     (90 * 24 * HOUR_NS)

/* ---- pre-auth keys ---- */

static enum http_flow preauthkeys_list(struct rest_request *r)
{
    const struct user *only = NULL;
    struct api_view v;

    if (arg_user(r, "user", &only) < 0)
        return reply_error(r, &r->err);
    if (!only)
        return reply_list(r, "preAuthKeys", write_preauth_keys);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_key(&o, "preAuthKeys");
    json_open(&o, '[');
    show_init(&v, NULL, r->s);
    for (size_t i = 0; i < r->s->preauth_key_count; i++)
        if (r->s->preauth_keys[i]->user_id == only->r.id)
            write_preauth_key(&o, &v, r->s->preauth_keys[i], NULL, scope_of(r));
    show_release(&v);
    json_close(&o, ']');
    json_close(&o, '}');
    return HTTP_DONE;
}

static enum http_flow preauthkey_create(struct rest_request *r)
{
    const char *tags = r->endpoint->dialect == DIALECT_V1 ? "aclTags" : "tags";
    const struct user *user = NULL;
    bool given, preauthorized = true;

    if (arg_user_id(r, "user", &user) < 0 || arg_bool(r, "reusable", &r->admin.reusable) < 0 ||
        arg_bool(r, "ephemeral", &r->admin.ephemeral) < 0 || arg_expiration(r, PREAUTH_KEY_NS, &r->admin.time_ns) < 0 ||
        arg_bool(r, "preauthorized", &preauthorized) < 0 || arg_texts(r, tags, &r->admin.tags, &given) < 0)
        return reply_error(r, &r->err);
    r->admin.needs_approval = !preauthorized;
    r->admin.user_id = user ? user->r.id : 0;
    return change(r, ADMIN_PREAUTHKEY_CREATE);
}

/* {id}, or up to 0.27 {user, key}: the whole key, or the part that lists show. An administrator who may name a key by
 * its prefix does not have a slow hash computed. */
static int preauthkey_named(struct rest_request *r, uint64_t *id)
{
    const char *key = "", *secret;
    char prefix[SECRET_PREFIX_LEN + 1], shown[SECRET_TEXT_MAX];

    if (arg_id(r, "id", id) < 0 || arg_text(r, "key", &key) < 0)
        return r->err.code;
    if (*id || !*key)
        return *id ? 0 : err_field(&r->err, ERR_INVALID, "id", "missing --id parameter: no key is named");
    bool whole = secret_split(SECRET_PREAUTH_KEY, key, prefix, &secret);
    for (size_t i = 0; i < r->s->preauth_key_count; i++) {
        const struct preauth_key *k = r->s->preauth_keys[i];
        if (str_eq(secret_masked(SECRET_PREAUTH_KEY, k->prefix, k->secret_hash, shown), key) ||
            (!*k->prefix && secret_fits(k->secret_hash, key)) ||
            (whole && *prefix && str_eq(prefix, k->prefix) &&
             (secret_is_slow(k->secret_hash) || secret_fits(k->secret_hash, secret)))) {
            *id = k->r.id;
            return 0;
        }
    }
    return err_field(&r->err, ERR_MISSING, "key", "pre-auth key not found");
}

/* The key's id is in the path, or the body names the key. */
static enum http_flow preauthkey_change(struct rest_request *r, enum admin_op op)
{
    int code = r->http.params[0] ? param_id(r, 0, &r->admin.id) : preauthkey_named(r, &r->admin.id);

    return code < 0 ? reply_error(r, &r->err) : change(r, op);
}

static enum http_flow preauthkey_expire(struct rest_request *r)
{
    return preauthkey_change(r, ADMIN_PREAUTHKEY_EXPIRE);
}

static enum http_flow preauthkey_delete(struct rest_request *r)
{
    return preauthkey_change(r, ADMIN_PREAUTHKEY_DELETE);
}

static const struct api_endpoint preauthkey_rows[] = {
    {V1("GET", "/preauthkey"), .run = preauthkeys_list, .need = NEED_READ, .scope = SCOPE_AUTH_KEYS,
     .id = "listPreAuthKeys", .query = "user:text", .answer = "preAuthKeys:PreAuthKey[]",
     .help = "Pre-auth keys, of one user where one is named"},
    {V1("POST", "/preauthkey"), .run = preauthkey_create, .need = NEED_ADMIN, .scope = SCOPE_AUTH_KEYS,
     .id = "createPreAuthKey",
     .body = "user:id reusable:bool ephemeral:bool expiration:time aclTags:text[] preauthorized:bool",
     .answer = "preAuthKey:PreAuthKey", .help = "Makes a pre-auth key; the only answer with the whole key"},
    {V1("POST", "/preauthkey/expire"), .run = preauthkey_expire, .need = NEED_ADMIN, .scope = SCOPE_AUTH_KEYS,
     .id = "expirePreAuthKey", .body = "id:id user:text key:text", .help = "Ends a pre-auth key"},
    {V1("DELETE", "/preauthkey"), .run = preauthkey_delete, .need = NEED_ADMIN, .scope = SCOPE_AUTH_KEYS,
     .id = "deletePreAuthKey", .query = "id:id", .help = "Removes a pre-auth key; its nodes stay"},

    {HEADWAY("GET", "/preauthkeys"), .run = preauthkeys_list, .need = NEED_READ, .scope = SCOPE_AUTH_KEYS,
     .answer = "preAuthKeys:PreAuthKey[]", .help = "Pre-auth keys"},
    {HEADWAY("POST", "/preauthkeys"), .run = preauthkey_create, .need = NEED_ADMIN, .scope = SCOPE_AUTH_KEYS,
     .body = "user:text reusable:bool ephemeral:bool expiration:time tags:text[] preauthorized:bool",
     .query = "dry_run:bool", .answer = "Change result:PreAuthKey",
     .help = "Makes a pre-auth key; the only answer with the whole key"},
    {HEADWAY("POST", "/preauthkeys/{id}/expire"), .run = preauthkey_expire, .need = NEED_ADMIN,
     .scope = SCOPE_AUTH_KEYS, .body = "", .query = "dry_run:bool", .answer = "Change result:PreAuthKey",
     .help = "Ends a pre-auth key"},
    {HEADWAY("DELETE", "/preauthkeys/{id}"), .run = preauthkey_delete, .need = NEED_ADMIN, .scope = SCOPE_AUTH_KEYS,
     .query = "dry_run:bool", .answer = "Change result:PreAuthKey", .help = "Removes a pre-auth key"},
};
const struct http_table preauthkeys_table = API_TABLE(preauthkey_rows);

/* ---- API keys ---- */

static enum http_flow apikeys_list(struct rest_request *r)
{
    return reply_list(r, "apiKeys", write_api_keys);
}

static enum http_flow apikey_create(struct rest_request *r)
{
    const struct user *owner = NULL;

    if (arg_expiration(r, API_KEY_NS, &r->admin.time_ns) < 0 || arg_text(r, "description", &r->admin.name) < 0 ||
        arg_bool(r, "readOnly", &r->admin.read_only) < 0 || arg_user(r, "user", &owner) < 0)
        return reply_error(r, &r->err);
    r->admin.user_id = owner ? owner->r.id : 0;
    return change(r, ADMIN_APIKEY_CREATE);
}

/* As in headscale: an id or a prefix; the prefix may be in the path. */
static enum http_flow apikey_change(struct rest_request *r, enum admin_op op)
{
    const char *text = r->http.params[0];
    char prefix[SECRET_PREFIX_LEN + 1];

    if (arg_id(r, "id", &r->admin.id) < 0 || (!text && arg_text(r, "prefix", &text) < 0))
        return reply_error(r, &r->err);
    if (text && !*text)
        text = NULL;
    if (!r->admin.id && !text)
        return reply_code(r, ERR_INVALID, "must provide id or prefix");
    if (r->admin.id && text)
        return reply_code(r, ERR_INVALID, "provide either id or prefix, not both");
    if (text) {
        if (secret_prefix_parse(SECRET_API_KEY, text, prefix, &r->err) < 0) {
            r->err.code = ERR_MISSING; /* no key has it: headscale's answer */
            return reply_error(r, &r->err);
        }
        r->admin.prefix = arena_strdup(&r->http.arena, prefix);
    }
    return change(r, op);
}

static enum http_flow apikey_expire(struct rest_request *r)
{
    return apikey_change(r, ADMIN_APIKEY_EXPIRE);
}

static enum http_flow apikey_delete(struct rest_request *r)
{
    return apikey_change(r, ADMIN_APIKEY_DELETE);
}

static enum http_flow apikey_expire_id(struct rest_request *r)
{
    return change_id(r, ADMIN_APIKEY_EXPIRE);
}

static enum http_flow apikey_delete_id(struct rest_request *r)
{
    return change_id(r, ADMIN_APIKEY_DELETE);
}

static const struct api_endpoint apikey_rows[] = {
    {V1("GET", "/apikey"), .run = apikeys_list, .need = NEED_READ, .scope = SCOPE_ALL, .id = "listApiKeys",
     .answer = "apiKeys:ApiKey[]", .help = "API keys"},
    {V1("POST", "/apikey"), .run = apikey_create, .need = NEED_ADMIN, .scope = SCOPE_NEVER, .id = "createApiKey",
     .body = "expiration:time description:text readOnly:bool user:text", .answer = "apiKey:text expiration:time",
     .help = "Makes an API key; the only answer with the whole key"},
    {V1("POST", "/apikey/expire"), .run = apikey_expire, .need = NEED_ADMIN, .scope = SCOPE_NEVER, .id = "expireApiKey",
     .body = "prefix:text id:id", .help = "Ends an API key"},
    {V1("DELETE", "/apikey/{prefix}"), .run = apikey_delete, .need = NEED_ADMIN, .scope = SCOPE_NEVER,
     .id = "deleteApiKey", .query = "id:id", .help = "Removes an API key"},
    {V1("DELETE", "/apikey"), .run = apikey_delete, .need = NEED_ADMIN, .scope = SCOPE_NEVER,
     .query = "id:id prefix:text", .help = "Removes an API key by its id"},

    {HEADWAY("GET", "/apikeys"), .run = apikeys_list, .need = NEED_READ, .scope = SCOPE_ALL,
     .answer = "apiKeys:ApiKey[]", .help = "API keys"},
    {HEADWAY("POST", "/apikeys"), .run = apikey_create, .need = NEED_ADMIN, .scope = SCOPE_NEVER,
     .body = "description:text readOnly:bool expiration:time user:text", .query = "dry_run:bool",
     .answer = "Change result:ApiKey", .help = "Makes an API key; the only answer with the whole key"},
    {HEADWAY("POST", "/apikeys/{id}/expire"), .run = apikey_expire_id, .need = NEED_ADMIN, .scope = SCOPE_NEVER,
     .body = "", .query = "dry_run:bool", .answer = "Change result:ApiKey", .help = "Ends an API key"},
    {HEADWAY("DELETE", "/apikeys/{id}"), .run = apikey_delete_id, .need = NEED_ADMIN, .scope = SCOPE_NEVER,
     .query = "dry_run:bool", .answer = "Change result:ApiKey", .help = "Removes an API key"},
};
const struct http_table apikeys_table = API_TABLE(apikey_rows);

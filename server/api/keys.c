/* SPDX-License-Identifier: BSD-3-Clause */
/* Pre-auth keys and API keys. */
#include "http/private.h"
#include "model/secret.h"

/* ---- pre-auth keys ---- */

enum flow v1_preauthkeys_list(struct request *r)
{
    const struct user *only = NULL;
    struct view v;

    if (arg_user(r, "user", &only) < 0)
        return reply_error(r, &r->err);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_key(&o, "preAuthKeys");
    json_open(&o, '[');
    show_init(&v, NULL, r->s);
    for (size_t i = 0; i < r->s->preauth_key_count; i++)
        if (!only || r->s->preauth_keys[i]->user_id == only->r.id)
            write_preauth_key(&o, &v, r->s->preauth_keys[i], NULL, API_V1);
    show_release(&v);
    json_close(&o, ']');
    json_close(&o, '}');
    return DONE;
}

static enum flow preauthkey_done(struct request *r)
{
    struct view v;

    if (r->admin.call.code < 0)
        return reply_error(r, &r->admin.call.err);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_key(&o, "preAuthKey");
    show_init(&v, NULL, r->after);
    write_preauth_key(&o, &v, r->admin.record, r->admin.secret, API_V1);
    show_release(&v);
    json_close(&o, '}');
    return DONE;
}

/* Without an expiration the key does not expire; headscale makes one that is expired at birth, which serves nobody. */
enum flow v1_preauthkeys_create(struct request *r)
{
    const struct user *user = NULL;
    bool given;

    if (arg_user(r, "user", &user) < 0 || arg_bool(r, "reusable", &r->admin.reusable) < 0 ||
        arg_bool(r, "ephemeral", &r->admin.ephemeral) < 0 || arg_time(r, "expiration", &r->admin.time_ns) < 0 ||
        arg_texts(r, "aclTags", &r->admin.tags, &given) < 0)
        return reply_error(r, &r->err);
    r->admin.op = ADMIN_PREAUTHKEY_CREATE;
    r->admin.user_id = user ? user->r.id : 0;
    return request_admin(r, preauthkey_done);
}

/* {id}, or up to 0.27 {user, key}: the whole key or what lists show of it. */
static int preauthkey_named(struct request *r, uint64_t *id)
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
            (whole && *prefix && str_eq(prefix, k->prefix) && secret_fits(k->secret_hash, secret))) {
            *id = k->r.id;
            return 0;
        }
    }
    return err_field(&r->err, ERR_MISSING, "key", "pre-auth key not found");
}

enum flow v1_preauthkeys_expire(struct request *r)
{
    if (preauthkey_named(r, &r->admin.id) < 0)
        return reply_error(r, &r->err);
    r->admin.op = ADMIN_PREAUTHKEY_EXPIRE;
    return request_admin(r, v1_empty_done);
}

enum flow v1_preauthkeys_delete(struct request *r)
{
    if (preauthkey_named(r, &r->admin.id) < 0)
        return reply_error(r, &r->err);
    r->admin.op = ADMIN_PREAUTHKEY_DELETE;
    return request_admin(r, v1_empty_done);
}

enum flow headway_preauthkeys(struct request *r)
{
    return reply_list(r, "preAuthKeys", LIST_PREAUTH_KEYS);
}

enum flow headway_preauthkey_create(struct request *r)
{
    const struct user *user = NULL;
    bool given;

    if (arg_user(r, "user", &user) < 0 || arg_bool(r, "reusable", &r->admin.reusable) < 0 ||
        arg_bool(r, "ephemeral", &r->admin.ephemeral) < 0 || arg_time(r, "expiration", &r->admin.time_ns) < 0 ||
        arg_texts(r, "tags", &r->admin.tags, &given) < 0)
        return reply_error(r, &r->err);
    r->admin.user_id = user ? user->r.id : 0;
    return headway_change(r, ADMIN_PREAUTHKEY_CREATE);
}

enum flow headway_preauthkey_expire(struct request *r)
{
    return headway_change_id(r, ADMIN_PREAUTHKEY_EXPIRE);
}

enum flow headway_preauthkey_delete(struct request *r)
{
    return headway_change_id(r, ADMIN_PREAUTHKEY_DELETE);
}

/* ---- API keys ---- */

enum flow v1_apikeys_list(struct request *r)
{
    struct json_out o = reply_json(r);

    json_open(&o, '{');
    json_key(&o, "apiKeys");
    json_open(&o, '[');
    for (size_t i = 0; i < r->s->api_key_count; i++)
        write_api_key(&o, r->s->api_keys[i], NULL, API_V1);
    json_close(&o, ']');
    json_close(&o, '}');
    return DONE;
}

static enum flow apikey_done(struct request *r)
{
    if (r->admin.call.code < 0)
        return reply_error(r, &r->admin.call.err);
    struct json_out o = reply_json(r);
    json_open(&o, '{');
    json_put_str(&o, "apiKey", r->admin.secret ? r->admin.secret : "");
    json_close(&o, '}');
    return DONE;
}

enum flow v1_apikeys_create(struct request *r)
{
    if (arg_time(r, "expiration", &r->admin.time_ns) < 0 || arg_text(r, "description", &r->admin.name) < 0 ||
        arg_bool(r, "readOnly", &r->admin.read_only) < 0)
        return reply_error(r, &r->err);
    r->admin.op = ADMIN_APIKEY_CREATE;
    return request_admin(r, apikey_done);
}

static enum flow apikey_change(struct request *r, enum admin_op op, const char *given)
{
    const char *text = given;
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
        if (secret_prefix_parse(SECRET_API_KEY, text, prefix, &r->err) < 0)
            return reply_error(r, &r->err);
        r->admin.prefix = arena_strdup(&r->arena, prefix);
    }
    r->admin.op = op;
    return request_admin(r, v1_empty_done);
}

enum flow v1_apikeys_expire(struct request *r)
{
    return apikey_change(r, ADMIN_APIKEY_EXPIRE, NULL);
}

enum flow v1_apikeys_delete(struct request *r)
{
    return apikey_change(r, ADMIN_APIKEY_DELETE, r->params[0]);
}

enum flow headway_apikeys(struct request *r)
{
    return reply_list(r, "apiKeys", LIST_API_KEYS);
}

enum flow headway_apikey_create(struct request *r)
{
    if (arg_text(r, "description", &r->admin.name) < 0 || arg_bool(r, "readOnly", &r->admin.read_only) < 0 ||
        arg_time(r, "expiration", &r->admin.time_ns) < 0)
        return reply_error(r, &r->err);
    return headway_change(r, ADMIN_APIKEY_CREATE);
}

enum flow headway_apikey_expire(struct request *r)
{
    return headway_change_id(r, ADMIN_APIKEY_EXPIRE);
}

enum flow headway_apikey_delete(struct request *r)
{
    return headway_change_id(r, ADMIN_APIKEY_DELETE);
}

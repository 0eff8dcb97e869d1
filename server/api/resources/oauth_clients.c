/* SPDX-License-Identifier: BSD-3-Clause */
/* OAuth clients: programs that fetch access tokens, and the call that issues them (RFC 6749, 4.4). */
#include <stdio.h>

#include "api/change/change.h"
#include "api/request/args.h"
#include "api/request/heavy.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "api/resources/keys.h"
#include "api/resources/tables.h"
#include "api/view/objects.h"
#include "crypto/crypto.h"
#include "net/prefix.h"
#include "net/url.h"

#define TOKEN_SECONDS 3600
#define FORM_MAX      16384

/* ---- clients ---- */

static enum http_flow clients_list(struct rest_request *r)
{
    return reply_list(r, "oauthClients", write_oauth_clients);
}

int oauth_client_limits(struct rest_request *r)
{
    const char *missing;

    if (r->who.token && !auth_scopes_within(&r->who.token->scopes, &r->admin.scopes, &missing))
        return err_field(&r->err, ERR_DENIED, "scopes",
                         "client may not be granted scope %.64s beyond the creating token", missing);
    return 0;
}

static int read_client(struct rest_request *r)
{
    bool given;

    if (arg_text(r, "description", &r->admin.name) < 0 || arg_texts(r, "scopes", &r->admin.scopes, &given) < 0 ||
        arg_texts(r, "tags", &r->admin.tags, &given) < 0)
        return r->err.code;
    return oauth_client_limits(r);
}

static enum http_flow client_create(struct rest_request *r)
{
    return read_client(r) < 0 ? reply_error(r, &r->err) : change(r, ADMIN_OAUTH_CLIENT_CREATE);
}

/* By its client id, which has 12 digits, or by its number, which never has as many. */
static enum http_flow change_client(struct rest_request *r, enum admin_op op)
{
    if (strlen(r->http.params[0]) != SECRET_PREFIX_LEN)
        return change_id(r, op);
    r->admin.prefix = r->http.params[0];
    return change(r, op);
}

static enum http_flow client_set(struct rest_request *r)
{
    return read_client(r) < 0 ? reply_error(r, &r->err) : change_client(r, ADMIN_OAUTH_CLIENT_SET);
}

static enum http_flow client_delete(struct rest_request *r)
{
    return change_client(r, ADMIN_OAUTH_CLIENT_DELETE);
}

static const struct api_endpoint client_rows[] = {
    {HEADWAY("GET", "/oauth-clients"), .run = clients_list, .need = NEED_READ, .scope = SCOPE_OAUTH_KEYS,
     .answer = "oauthClients:OAuthClient[]", .help = "OAuth clients"},
    {HEADWAY("POST", "/oauth-clients"), .run = client_create, .need = NEED_ADMIN, .scope = SCOPE_OAUTH_KEYS,
     .body = "description:text scopes:text[] tags:text[]", .query = "dry_run:bool",
     .answer = "Change result:OAuthClient", .help = "Makes an OAuth client; the only answer with its secret"},
    {HEADWAY("PUT", "/oauth-clients/{id}"), .run = client_set, .need = NEED_ADMIN, .scope = SCOPE_OAUTH_KEYS,
     .body = "description:text scopes:text[] tags:text[]", .query = "dry_run:bool",
     .answer = "Change result:OAuthClient", .help = "Changes an OAuth client; its access tokens end"},
    {HEADWAY("DELETE", "/oauth-clients/{id}"), .run = client_delete, .need = NEED_ADMIN, .scope = SCOPE_OAUTH_KEYS,
     .query = "dry_run:bool", .answer = "Change result:OAuthClient",
     .help = "Removes an OAuth client and its access tokens"},
};
const struct http_table oauth_clients_table = API_TABLE(client_rows);

/* ---- tokens ---- */

struct token_request {
    const char *secret, *scope, *tags;
};

/* Errors have RFC 6749's form, not the API's. */
static enum http_flow refuse(struct rest_request *r, int status, const char *word, const char *text)
{
    struct json_out o = JSON_OUT(http_reply(&r->http, status, HTTP_JSON));

    http_header(&r->http, "Cache-Control", "no-store");
    http_header(&r->http, "Pragma", "no-cache");
    if (status == 401)
        http_header(&r->http, "WWW-Authenticate", "Basic realm=\"headway\"");
    if (status == 503)
        http_header(&r->http, "Retry-After", "1");
    json_open(&o, '{');
    json_put_str(&o, "error", word);
    json_put_str(&o, "error_description", text);
    json_close(&o, '}');
    return HTTP_DONE;
}

static const char *form_value(const struct http_pair *pairs, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(pairs[i].name, name))
            return pairs[i].value;
    return "";
}

/* The password of a Basic header: clients send their secret there (RFC 6749), escaped as in a form. */
static const char *basic_secret(struct rest_request *r)
{
    static const char basic[] = "Basic ";
    const char *header = r->http.authorization;
    size_t room = header ? strlen(header) : 0;

    if (!header || !str_starts(header, basic))
        return "";
    char *text = arena_alloc(&r->http.arena, room + 1);
    long len = crypto_unbase64(header + strlen(basic), room - strlen(basic), (uint8_t *)text, room);
    text[len > 0 ? len : 0] = '\0';
    const char *colon = strchr(text, ':');
    const char *secret = colon ? url_unescape(&r->http.arena, colon + 1, strlen(colon + 1), true) : NULL;
    return secret ? secret : "";
}

static void split_words(const char *text, struct strs *out)
{
    struct buf word = BUF_INIT(0);

    for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
        size_t len = strcspn(text, " ");
        buf_add(&word, text, len);
        strs_push(out, buf_text(&word));
        word.len = 0;
        text += len;
    }
    buf_release(&word);
}

static enum http_flow token_made(struct rest_request *r)
{
    struct buf words = BUF_INIT(0);

    if (r->admin.call.code < 0)
        return refuse(r, err_http(r->admin.call.err.code), "server_error", r->admin.call.err.message);
    struct json_out o = reply_json(r);
    http_header(&r->http, "Cache-Control", "no-store");
    http_header(&r->http, "Pragma", "no-cache");
    for (size_t i = 0; i < r->admin.scopes.len; i++)
        buf_addf(&words, "%s%s", i ? " " : "", r->admin.scopes.items[i]);
    json_open(&o, '{');
    json_put_str(&o, "access_token", r->admin.secret);
    json_put_str(&o, "token_type", "Bearer");
    json_put_i64(&o, "expires_in", TOKEN_SECONDS);
    if (words.len)
        json_put_str(&o, "scope", buf_text(&words));
    json_close(&o, '}');
    buf_release(&words);
    return HTTP_DONE;
}

/* Narrows the scopes to the requested ones, or all that the client may have. false: refused. */
static bool narrow(struct rest_request *r, const struct oauth_client *c, const struct token_request *t)
{
    const char *missing = NULL;
    bool all = strs_has(&c->scopes, "all");

    split_words(t->scope, &r->admin.scopes);
    split_words(t->tags, &r->admin.tags);
    if (!auth_scopes_within(&c->scopes, &r->admin.scopes, &missing)) {
        refuse(r, 400, "invalid_scope", "a scope that was asked for is not granted to this client");
        return false;
    }
    for (size_t i = 0; i < r->admin.tags.len; i++) {
        const char *tag = r->admin.tags.items[i];
        if (!str_starts(tag, "tag:") || str_check(tag, 255, false, "tags", NULL) < 0 ||
            (!all && !strs_has(&c->tags, tag))) {
            refuse(r, 400, "invalid_target", "a tag that was asked for is not granted to this client");
            return false;
        }
    }
    if (!r->admin.scopes.len)
        strs_copy(&r->admin.scopes, &c->scopes);
    if (!r->admin.tags.len)
        strs_copy(&r->admin.tags, &c->tags);
    return true;
}

static enum http_flow decide(struct rest_request *r, bool may_be_slow);

static enum http_flow decide_slowly(struct rest_request *r)
{
    return decide(r, true);
}

/* Requests without a key count by IPv4 address or IPv6 /64: each may have one slow hash computed at a time. */
static uint64_t number_of_peer(const struct rest_request *r)
{
    uint8_t digest[CRYPTO_HASH_LEN];
    struct prefix peer;
    uint64_t number;

    if (!*r->http.peer || prefix_parse(r->http.peer, &peer, NULL, NULL) < 0)
        return 0;
    crypto_sha256(peer.addr.bytes, peer.addr.bits == 32 ? 4 : 8, digest);
    memcpy(&number, digest, sizeof(number));
    return number | UINT64_C(1) << 62;
}

static enum http_flow decide(struct rest_request *r, bool may_be_slow)
{
    const struct token_request *t = r->state;
    const struct oauth_client *c;
    char fast[SECRET_HASH_MAX];
    bool slow;
    int code = auth_client(r->api->auth, r->s, t->secret, may_be_slow, &slow, &c, fast, &r->err);

    if (slow) {
        r->who.key_id = number_of_peer(r);
        return heavy_later(r, decide_slowly);
    }
    if (code == ERR_BUSY)
        return refuse(r, 503, "temporarily_unavailable", r->err.message);
    if (code < 0)
        return refuse(r, 401, "invalid_client", "invalid client credentials");
    if (!narrow(r, c, t))
        return HTTP_DONE;
    r->admin.op = ADMIN_OAUTH_TOKEN;
    r->admin.id = c->r.id;
    r->admin.text = *fast ? arena_strdup(&r->http.arena, fast) : NULL;
    r->admin.time_ns = clock_wall_ns() + TOKEN_SECONDS * NS_PER_SECOND;
    snprintf(r->who.actor, sizeof(r->who.actor), "OAuth client %s", c->client_id);
    return request_admin(r, token_made);
}

static enum http_flow token_create(struct rest_request *r)
{
    struct token_request *t = arena_alloc(&r->http.arena, sizeof(*t));
    struct http_pair *pairs = arena_alloc(&r->http.arena, HTTP_QUERY_MAX * sizeof(*pairs));
    size_t count = 0;

    *t = (struct token_request){0};
    if (strlen(buf_text(&r->http.body)) != r->http.body.len ||
        http_query(&r->http.arena, buf_text(&r->http.body), pairs, &count, &r->err) < 0)
        return refuse(r, 400, "invalid_request", "the body is no form: grant_type=client_credentials&...");
    const char *grant = form_value(pairs, count, "grant_type");
    if (*grant && !str_eq(grant, "client_credentials"))
        return refuse(r, 400, "unsupported_grant_type", "only the client_credentials grant is supported");
    t->secret = form_value(pairs, count, "client_secret");
    t->scope = form_value(pairs, count, "scope");
    t->tags = form_value(pairs, count, "tags");
    if (!*t->secret)
        t->secret = basic_secret(r);
    if (!*t->secret)
        return refuse(r, 401, "invalid_client", "missing client credentials");
    /* Tailscale's command line appends options to the secret: "?ephemeral=false". */
    t->secret = arena_strndup(&r->http.arena, t->secret, strcspn(t->secret, "?"));
    r->state = t;
    return decide(r, false);
}

static const struct api_endpoint token_rows[] = {
    {V2("POST", "/oauth/token"), .http.body_max = FORM_MAX, .run = token_create, .raw = true, .id = "createOAuthToken",
     .answer = "access_token:text token_type:text expires_in:number scope:text",
     .help =
         "Gives an OAuth client an access token for an hour (a form: client_secret, and scope and tags to narrow it)"},
};
const struct http_table oauth_token_table = API_TABLE(token_rows);

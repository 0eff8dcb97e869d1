/* SPDX-License-Identifier: BSD-3-Clause */
/* The steps of a request: who makes it, for which call, whether it is permitted and well-formed; then its function. */
#include <stdlib.h>

#include "api/request/args.h"
#include "api/request/counts.h"
#include "api/request/reply.h"
#include "api/request/request.h"
#include "base/array.h"
#include "crypto/crypto.h"

#define TAILNET   "/api/v2/tailnet/" /* followed by the tailnet, always "-" */
#define TOKEN_MIN 16
#define TOKEN_MAX 128

static struct rest_request *of(struct http_request *http)
{
    return (struct rest_request *)http;
}

static enum http_flow run_continuation(struct http_request *http)
{
    struct rest_request *r = of(http);

    return r->then(r);
}

enum http_flow request_later(struct rest_request *r, enum http_workers which, api_handler *then)
{
    r->then = then;
    return http_later(&r->http, which, run_continuation);
}

/* On the core's thread. */
static void core_answered(struct core_call *call)
{
    struct rest_request *r = call->owner;

    r->after = tailnet_pin(r->api->with.tailnet);
    http_later(&r->http, HTTP_FAST, run_continuation);
}

enum http_flow request_admin(struct rest_request *r, api_handler *then)
{
    r->then = then;
    r->admin.call.done = core_answered;
    r->admin.call.owner = r;
    r->admin.actor = r->who.actor;
    r->admin.dry_run = r->dry_run;
    r->admin.has_match = r->has_match;
    r->admin.match = r->match;
    r->admin.limited = r->who.token != NULL;
    if (r->who.token)
        strs_copy(&r->admin.limits, &r->who.token->tags);
    core_admin(r->api->with.core, &r->admin);
    return HTTP_LATER;
}

enum http_flow request_elections(struct rest_request *r, api_handler *then)
{
    r->then = then;
    r->elections.call.done = core_answered;
    r->elections.call.owner = r;
    core_elections(r->api->with.core, &r->elections);
    return HTTP_LATER;
}

/* ---- the head ---- */

static const struct api_endpoint nobody[] = {
    [DIALECT_TEXT] = {.dialect = DIALECT_TEXT},
    [DIALECT_V1] = {.dialect = DIALECT_V1},
    [DIALECT_V2] = {.dialect = DIALECT_V2},
    [DIALECT_HEADWAY] = {.dialect = DIALECT_HEADWAY},
};

static void begin(struct api *api, struct rest_request *r)
{
    const char *path = r->http.path ? r->http.path : "";
    enum dialect dialect = str_starts(path, "/api/headway") ? DIALECT_HEADWAY
                           : str_starts(path, "/api/v2/")   ? DIALECT_V2
                           : str_starts(path, "/api/")      ? DIALECT_V1
                                                            : DIALECT_TEXT;

    r->api = api;
    r->endpoint = r->http.route ? (const struct api_endpoint *)r->http.route : &nobody[dialect];
    r->s = tailnet_pin(api->with.tailnet);
}

static struct log_limit wrong_keys;

/* Everything below /api demands the key first, as headscale's gateway did: a stranger cannot learn what exists. */
static int authenticate(struct rest_request *r)
{
    bool api = str_starts(r->http.target, "/api/") && r->http.listener != HTTP_METRICS;

    if (r->http.listener == HTTP_UNIX) {
        auth_peer(r->http.peer_fd, &r->who);
        return 0;
    }
    if (!api || (r->endpoint->run && r->endpoint->need == NEED_NOTHING))
        return 0;
    int code = auth_header(r->api->auth, r->s, r->http.authorization, clock_wall_ns(), &r->who, &r->err);
    if (code == 0 && !r->who.token)
        core_apikey_seen(r->api->with.core, r->who.key_id, r->who.fast_hash);
    else if (code < 0 && r->http.authorization && code != ERR_BUSY)
        log_limited(&wrong_keys, 5, LOG_LEVEL_WARN, "http", "%s came with an API key that is unknown or expired",
                    r->http.peer);
    return code;
}

/* Old web interfaces compare this body with the word; a client that asks for JSON gets JSON. */
static void refuse_stranger(struct rest_request *r)
{
    if (r->endpoint->dialect == DIALECT_V2)
        str_copy(r->err.message, sizeof(r->err.message), "unauthorized");
    if (r->endpoint->dialect == DIALECT_HEADWAY || r->endpoint->dialect == DIALECT_V2 ||
        (r->http.accept && strstr(r->http.accept, "json")))
        reply_error(r, &r->err);
    else
        http_reply_text(&r->http, 401, "Unauthorized");
    http_header(&r->http, "WWW-Authenticate", "Bearer");
}

static int refuse_path(struct rest_request *r)
{
    const char *path = r->http.path ? r->http.path : "";

    if (r->http.malformed)
        return err_set(&r->err, ERR_INVALID, "the path holds a malformed escape, or no UTF-8: %.120s", path);
    if (r->endpoint->dialect == DIALECT_V2 && !*r->http.allow && str_starts(path, TAILNET) &&
        !str_starts(path, TAILNET "-/"))
        return err_set(&r->err, ERR_MISSING, "tailnet not found");
    if (!*r->http.allow)
        return err_set(&r->err, ERR_MISSING,
                       r->endpoint->dialect == DIALECT_V1 ? "Not Found" : "there is nothing at %.120s", path);
    http_header(&r->http, "Allow", r->http.allow);
    r->wrong_method = true;
    return err_set(&r->err, ERR_UNSUPPORTED, "Method Not Allowed: %s is for %s", path, r->http.allow);
}

static int read_if_match(struct rest_request *r)
{
    const char *text = r->http.if_match;
    char digits[24];
    size_t len = text ? strlen(text) : 0;

    if (!text || str_eq(text, "*"))
        return 0;
    if (len >= 2 && len < sizeof(digits) && text[0] == '"' && text[len - 1] == '"') {
        memcpy(digits, text + 1, len - 2);
        digits[len - 2] = '\0';
        if (str_u64(digits, 0, UINT64_MAX, &r->match, "If-Match", NULL) == 0) {
            r->has_match = true;
            return 0;
        }
    }
    return err_field(&r->err, ERR_INVALID, "If-Match", "If-Match must be a version in quotes, such as \"7\": %.60s",
                     text);
}

/* Reads the value as in the IETF's draft, a quoted text, or unquoted as most clients send it. */
static int read_idempotency_key(struct rest_request *r)
{
    const char *text = r->http.idempotency_key;
    size_t len = text ? strlen(text) : 0;

    if (!text || r->endpoint->need == NEED_NOTHING) /* nothing would tie the answer to the client */
        return 0;
    if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
        text++;
        len -= 2;
    }
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] >= 0x7f)
            len = 0;
    if (len < TOKEN_MIN || len > TOKEN_MAX)
        return err_field(&r->err, ERR_INVALID, "Idempotency-Key",
                         "Idempotency-Key must be %d to %d printable characters, and random", TOKEN_MIN, TOKEN_MAX);
    r->token = text;
    r->token_len = len;
    return 0;
}

/* Covers the call and its body, and what only the same client can repeat. */
static void make_token(struct rest_request *r)
{
    static const char id[] = "headway call", seal[] = "headway call's secret";
    const char *match = r->http.if_match ? r->http.if_match : "";
    const struct auth_who *who = &r->who;
    const struct crypto_part request[] = {{r->http.method, strlen(r->http.method) + 1},
                                          {r->http.target, strlen(r->http.target) + 1},
                                          {match, strlen(match) + 1},
                                          {r->http.body.data, r->http.body.len}};
    struct crypto_part asker[] = {{id, sizeof(id)},
                                  {&who->key_id, sizeof(who->key_id)},
                                  {who->actor, strlen(who->actor) + 1},
                                  {r->token, r->token_len}};

    crypto_blake2s(request, ARRAY_LEN(request), r->admin.token.request);
    crypto_blake2s(asker, ARRAY_LEN(asker), r->admin.token.id);
    asker[0] = (struct crypto_part){seal, sizeof(seal)};
    crypto_blake2s(asker, ARRAY_LEN(asker), r->admin.token.seal);
    r->admin.has_token = true;
}

/* A dry run counts as reading: it is refused for calls that have none, so that nothing is changed by mistake. */
static int read_dry_run(struct rest_request *r)
{
    const char *query = r->endpoint->query;
    int code = arg_bool(r, "dry_run", &r->dry_run);

    if (code < 0 || !r->dry_run || (query && strstr(query, "dry_run:bool")))
        return code;
    r->dry_run = false;
    if (r->endpoint->need != NEED_ADMIN)
        return 0;
    return err_field(&r->err, ERR_INVALID, "dry_run", "%s %.80s has no dry run", r->http.method, r->http.path);
}

static int read_query(struct rest_request *r)
{
    const char *question = strchr(r->http.target, '?');
    int code = http_query(&r->http.arena, question ? question + 1 : "", r->query, &r->query_count, &r->err);

    if (code == 0 && r->endpoint->dialect != DIALECT_V2)
        code = read_if_match(r); /* on /api/v2 it is a hash, which the function compares */
    if (code == 0)
        code = read_idempotency_key(r);
    if (code == 0 && r->endpoint->dialect == DIALECT_HEADWAY && arg_query(r, "dry_run"))
        code = read_dry_run(r);
    return code;
}

static int may(struct rest_request *r)
{
    bool reads = r->endpoint->need != NEED_ADMIN || r->dry_run;
    char name[64];

    if (r->who.token && r->endpoint->need != NEED_NOTHING &&
        !auth_scope_granted(&r->who.token->scopes, r->endpoint->scope, reads))
        return err_set(&r->err, ERR_DENIED, "token is missing the required scope %s",
                       auth_scope_name(r->endpoint->scope, name, reads));
    if (r->endpoint->need == NEED_ADMIN && r->who.read_only && !r->dry_run)
        return err_set(&r->err, ERR_DENIED, "the API key '%.80s' may only read", r->who.actor);
    return 0;
}

static int check_size(struct rest_request *r)
{
    if (!r->http.too_large)
        return 0;
    return err_set(&r->err, ERR_TOOBIG, "the body is larger than the %zu bytes that %s %.80s takes", r->http.body.max,
                   r->http.method, r->http.path);
}

/* Checks everything that the head decides. false: it is answered. */
static bool admit(struct api *api, struct rest_request *r)
{
    if (r->admitted)
        return true;
    begin(api, r);
    int code = authenticate(r);
    if (code < 0) {
        if (code == ERR_BUSY)
            reply_error(r, &r->err);
        else
            refuse_stranger(r);
        return false;
    }
    if ((!r->endpoint->run && refuse_path(r) < 0) || read_query(r) < 0 || may(r) < 0 ||
        (r->endpoint->need == NEED_NOTHING && check_size(r) < 0)) {
        reply_error(r, &r->err);
        return false;
    }
    r->admitted = true;
    return true;
}

static void unpin(struct rest_request *r)
{
    tailnet_unpin(r->s);
    r->s = NULL;
}

void request_admit(void *arg, struct http_request *http)
{
    admit(arg, of(http));
    unpin(of(http)); /* the body may arrive slowly */
}

/* ---- the body ---- */

static int read_body(struct rest_request *r)
{
    bool lenient = r->endpoint->dialect != DIALECT_HEADWAY;
    int code = check_size(r);

    if (code == 0 && r->token)
        make_token(r);
    if (code < 0 || !r->http.body.len || r->endpoint->raw || (lenient && !r->endpoint->body))
        return code;
    code = json_read(r->http.body.data, r->http.body.len, r->http.body.max, "the body", &r->json, &r->err);
    if (code < 0)
        return code;
    buf_release(&r->http.body);
    if (json_is_null(r->json)) {
        json_decref(r->json);
        r->json = NULL;
    }
    if (r->json && !json_is_object(r->json))
        return err_set(&r->err, ERR_INVALID, "the body must be a JSON object");
    return lenient ? args_any_known(r, r->endpoint->body) : args_known(r, r->endpoint->body);
}

enum http_flow request_serve(void *arg, struct http_request *http)
{
    struct rest_request *r = of(http);

    if (!admit(arg, r))
        return HTTP_DONE;
    if (!r->s)
        r->s = tailnet_pin(r->api->with.tailnet);
    if (read_body(r) < 0)
        return reply_error(r, &r->err);
    return r->endpoint->run(r);
}

void request_over(void *arg, struct http_request *http)
{
    struct rest_request *r = of(http);

    counts_add(arg, r);
    core_admin_release(&r->admin);
    auth_who_release(&r->who);
    routes_free(r->elections.routes);
    if (r->release)
        r->release(r->state);
    json_decref(r->json);
    r->json = NULL;
    unpin(r);
    tailnet_unpin(r->after);
}

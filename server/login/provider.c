/* SPDX-License-Identifier: BSD-3-Clause */
#include "login/provider.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/client.h"
#include "crypto/crypto.h"
#include "login/claims.h"
#include "login/encoding.h"

#define ANSWER_MAX    ((size_t)256 * 1024)
#define SECRET_MAX    4096
#define PATIENCE_MS   10000
#define DISCOVERED_MS (INT64_C(3600) * 1000)
#define FAILED_MIN_MS 1000 /* for which a failure is remembered: others need not wait for the same one */
#define FAILED_MAX_MS 10000
#define KEYS_AGAIN_MS 60000 /* an unknown key causes no more requests than this */

/* ---- the secret ---- */

/* Expands $NAME and ${NAME} in a path, as headscale does. */
static char *expand(const char *path)
{
    struct buf out = BUF_INIT(0);

    while (*path) {
        size_t skip = *path == '$' ? 1 + (path[1] == '{') : 0;
        size_t len = skip ? strspn(path + skip, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") : 0;
        if (!len) {
            buf_addc(&out, *path++);
            continue;
        }
        char *name = mem_strndup(path + skip, len);
        const char *value = getenv(name);
        buf_adds(&out, value ? value : "");
        free(name);
        path += skip + len + (skip == 2 && path[skip + len] == '}');
    }
    return buf_take(&out);
}

static int read_secret(const struct config_provider *c, char **out, struct err *e)
{
    struct buf text = BUF_INIT(SECRET_MAX);
    char *path;
    int rc;

    if (!*c->client_secret_path) {
        *out = mem_strdup(c->client_secret);
        return 0;
    }
    path = expand(c->client_secret_path);
    rc = file_read(path, FILE_ANY, &text, e);
    if (rc == 0) {
        const char *secret = buf_text(&text);
        size_t len = strlen(secret);
        while (len && strchr(" \t\r\n", secret[len - 1]))
            len--;
        *out = mem_strndup(secret, len);
        if (!len)
            rc = err_set(e, ERR_INVALID, "%.120s holds no secret", path);
    }
    if (rc < 0)
        err_prefix(e, "client_secret_path");
    crypto_wipe(text.data, text.len);
    buf_release(&text);
    free(path);
    return rc;
}

int provider_init(struct provider *p, const struct config_provider *c, bool (*stop)(void *arg), void *arg,
                  struct err *e)
{
    *p = (struct provider){.c = c, .stop = stop, .arg = arg};
    pthread_mutex_init(&p->lock, NULL);
    return read_secret(c, &p->secret, e);
}

static void forget_metadata(struct provider *p)
{
    char **const texts[] = {&p->issuer, &p->authorization, &p->token, &p->userinfo, &p->jwks};

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        free(*texts[i]);
        *texts[i] = NULL;
    }
}

void provider_release(struct provider *p)
{
    if (p->secret)
        crypto_wipe(p->secret, strlen(p->secret));
    free(p->secret);
    forget_metadata(p);
    jose_keys_free(p->keys);
    pthread_mutex_destroy(&p->lock);
}

/* ---- questions ---- */

static void note_trouble(struct provider *p, int rc, const struct err *e)
{
    pthread_mutex_lock(&p->lock);
    str_copy(p->trouble, sizeof(p->trouble), rc < 0 ? e->message : "");
    pthread_mutex_unlock(&p->lock);
}

void provider_trouble(struct provider *p, char *text, size_t size)
{
    pthread_mutex_lock(&p->lock);
    str_copy(text, size, p->trouble);
    pthread_mutex_unlock(&p->lock);
}

static int ask(struct provider *p, const char *url, const char *form, const char *authorization, struct buf *answer,
               long *status, struct err *e)
{
    struct err why = {0};
    const struct client_question q = {.url = url,
                                      .form = form,
                                      .authorization = authorization,
                                      .timeout_ms = PATIENCE_MS,
                                      .stop = p->stop,
                                      .arg = p->arg};
    int rc = client_ask(&q, answer, status, &why);

    note_trouble(p, rc, &why);
    if (rc < 0)
        return err_set(e, ERR_UNAVAILABLE, "the provider %s is not reached: %.160s", p->c->name, why.message);
    return 0;
}

static int ask_json(struct provider *p, const char *url, const char *authorization, json_t **out, struct err *e)
{
    struct buf answer = BUF_INIT(ANSWER_MAX);
    struct err why = {0};
    long status;
    int rc = ask(p, url, NULL, authorization, &answer, &status, e);

    if (rc == 0 && status != 200)
        rc = err_set(e, ERR_UNAVAILABLE, "%.140s answered with status %ld", url, status);
    if (rc == 0 && json_read(answer.data ? answer.data : "", answer.len, ANSWER_MAX, "the answer", out, &why) < 0)
        rc = err_set(e, ERR_UNAVAILABLE, "%.120s answered what is no JSON: %.80s", url, why.message);
    if (rc == 0 && !json_is_object(*out)) {
        json_decref(*out);
        rc = err_set(e, ERR_UNAVAILABLE, "%.140s answered no JSON object", url);
    }
    buf_release(&answer);
    return rc;
}

/* ---- discovery ---- */

/* Only a trailing slash may differ: the most common mistake. */
static bool same_issuer(const char *configured, const char *said)
{
    size_t len = strlen(configured);

    return strncmp(configured, said, len) == 0 && (!said[len] || (said[len] == '/' && !said[len + 1]));
}

/* https, unless the administrator wrote http for the issuer. */
static bool is_endpoint(const struct provider *p, const char *url)
{
    bool plain = str_starts(p->c->issuer, "http://");
    const char *host = str_starts(url, "https://") ? url + 8 : plain && str_starts(url, "http://") ? url + 7 : "";

    return *host && *host != '/' && strlen(url) < 2048 && str_check(url, 2048, false, "", NULL) == 0 &&
           !strpbrk(url, " \"<>\\^`{|}#");
}

static bool lists(const json_t *list, const char *word, bool fallback)
{
    const json_t *one;
    size_t i;
    bool found = !json_is_array(list) && fallback;

    json_array_foreach(list, i, one) found = found || (json_is_string(one) && str_eq(json_string_value(one), word));
    return found;
}

static int check_metadata(const struct provider *p, const json_t *m, struct err *e)
{
    static const char *const endpoints[] = {"authorization_endpoint", "token_endpoint", "jwks_uri"};
    const json_t *algorithms = json_object_get(m, "id_token_signing_alg_values_supported");
    const char *issuer = json_text(m, "issuer", "");

    if (strstr(issuer, "{tenantid}"))
        return err_set(e, ERR_INVALID,
                       "the issuer is that of all tenants together: put the id of your tenant into oidc.issuer");
    if (!same_issuer(p->c->issuer, issuer))
        return err_set(e, ERR_INVALID, "the provider calls itself '%.80s', not '%.80s' as the configuration", issuer,
                       p->c->issuer);
    for (size_t i = 0; i < sizeof(endpoints) / sizeof(*endpoints); i++)
        if (!is_endpoint(p, json_text(m, endpoints[i], "")))
            return err_set(e, ERR_INVALID, "the provider's %s is no %s URL", endpoints[i],
                           str_starts(p->c->issuer, "http://") ? "http" : "https");
    if (json_is_array(algorithms) && !lists(algorithms, "RS256", false) && !lists(algorithms, "PS256", false) &&
        !lists(algorithms, "ES256", false) && !lists(algorithms, "ES384", false))
        return err_set(e, ERR_UNSUPPORTED,
                       "the provider signs with %s, and only RS256, PS256, ES256 and ES384 are taken",
                       lists(algorithms, "EdDSA", false) ? "EdDSA" : "none of what can be verified here");
    return 0;
}

static void take_metadata(struct provider *p, const json_t *m)
{
    const char *userinfo = json_text(m, "userinfo_endpoint", "");
    const json_t *methods = json_object_get(m, "token_endpoint_auth_methods_supported");

    pthread_mutex_lock(&p->lock);
    forget_metadata(p);
    p->issuer = mem_strdup(json_text(m, "issuer", ""));
    p->authorization = mem_strdup(json_text(m, "authorization_endpoint", ""));
    p->token = mem_strdup(json_text(m, "token_endpoint", ""));
    p->userinfo = mem_strdup(is_endpoint(p, userinfo) ? userinfo : "");
    p->jwks = mem_strdup(json_text(m, "jwks_uri", ""));
    p->takes_s256 = lists(json_object_get(m, "code_challenge_methods_supported"), "S256", false);
    p->takes_post = lists(methods, "client_secret_post", false);
    p->takes_basic = !p->only_post && (lists(methods, "client_secret_basic", true) || !p->takes_post);
    p->discovered_ms = clock_mono_ms();
    p->failed_until_ms = 0;
    pthread_mutex_unlock(&p->lock);
}

static void keep_failure(struct provider *p, int64_t asked_ms, const struct err *why)
{
    int64_t now = clock_mono_ms(), stands = 10 * (now - asked_ms);

    pthread_mutex_lock(&p->lock);
    p->failed_until_ms = now + (stands < FAILED_MIN_MS   ? FAILED_MIN_MS
                                : stands > FAILED_MAX_MS ? FAILED_MAX_MS
                                                         : stands);
    p->failure = *why;
    pthread_mutex_unlock(&p->lock);
}

int provider_ask_again(struct provider *p, struct err *e)
{
    char *url = mem_format("%s/.well-known/openid-configuration", p->c->issuer);
    int64_t asked_ms = clock_mono_ms();
    json_t *metadata = NULL;
    struct err why = {0};
    int rc = ask_json(p, url, NULL, &metadata, &why);

    free(url);
    if (rc == 0)
        rc = check_metadata(p, metadata, &why);
    if (rc == 0) {
        take_metadata(p, metadata);
    } else {
        note_trouble(p, rc, &why);
        keep_failure(p, asked_ms, &why);
    }
    if (rc < 0 && e)
        *e = why;
    json_decref(metadata);
    return rc;
}

int provider_discover(struct provider *p, struct err *e)
{
    struct err why = {0};
    int64_t now = clock_mono_ms();

    pthread_mutex_lock(&p->lock);
    int64_t at = p->discovered_ms;
    bool failed = now < p->failed_until_ms;
    if (failed)
        why = p->failure;
    pthread_mutex_unlock(&p->lock);
    if (at && now - at < DISCOVERED_MS)
        return 0;
    int rc = failed ? (int)why.code : provider_ask_again(p, &why);
    if (rc < 0 && at && rc == ERR_UNAVAILABLE)
        return 0;
    if (rc < 0 && e)
        *e = why;
    return rc;
}

static char *copy_of(struct provider *p, char *const *text)
{
    pthread_mutex_lock(&p->lock);
    char *copy = mem_strdup(*text ? *text : "");
    pthread_mutex_unlock(&p->lock);
    return copy;
}

char *provider_authorization_url(struct provider *p)
{
    return copy_of(p, &p->authorization);
}

char *provider_issuer(struct provider *p)
{
    return copy_of(p, &p->issuer);
}

bool provider_takes_s256(struct provider *p)
{
    pthread_mutex_lock(&p->lock);
    bool takes = p->takes_s256;
    pthread_mutex_unlock(&p->lock);
    return takes;
}

/* ---- tokens ---- */

static void wipe(char **text)
{
    if (*text)
        crypto_wipe(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

void provider_tokens_release(struct provider_tokens *t)
{
    wipe(&t->id_token);
    wipe(&t->access_token);
    wipe(&t->refresh_token);
}

/* The name and secret, each escaped as a form value (RFC 6749, 2.3.1). */
static char *basic_authorization(const struct provider *p)
{
    struct buf pair = BUF_INIT(0), text = BUF_INIT(0);

    encode_form(&pair, p->c->client_id);
    buf_addc(&pair, ':');
    encode_form(&pair, p->secret);
    buf_adds(&text, "Basic ");
    crypto_base64(&text, pair.data, pair.len);
    crypto_wipe(pair.data, pair.len);
    buf_release(&pair);
    return buf_take(&text);
}

/* Printable and without blanks: it goes into a header. NULL: absent or unusable. */
static char *token_text(const json_t *answer, const char *name)
{
    const char *text = json_text(answer, name, "");

    if (!*text || strlen(text) > JOSE_TOKEN_MAX)
        return NULL;
    for (const char *c = text; *c; c++)
        if (*c <= ' ' || *c > '~')
            return NULL;
    return mem_strdup(text);
}

/* OAuth's error codes are words; any other text there is the provider's own, and not shown. */
static int refused(const struct provider *p, const json_t *answer, long status, bool *unknown, struct err *e)
{
    const char *word = json_text(answer, "error", "");
    bool is_word = *word && strlen(word) <= 40 && strspn(word, "abcdefghijklmnopqrstuvwxyz_") == strlen(word);

    *unknown = str_eq(word, "invalid_client") || str_eq(word, "invalid_request");
    if (str_eq(word, "invalid_grant"))
        return err_set(e, ERR_DENIED, "the provider %s refuses it (invalid_grant)", p->c->name);
    if (str_eq(word, "invalid_client"))
        return err_set(e, ERR_UNAVAILABLE,
                       "the provider %s does not accept this server (invalid_client): compare client_id and the secret",
                       p->c->name);
    return err_set(e, ERR_UNAVAILABLE, "the provider %s answered with status %ld%s%s", p->c->name, status,
                   is_word ? ": " : "", is_word ? word : "");
}

static int read_tokens(const struct provider *p, const struct buf *answer, long status, struct provider_tokens *out,
                       bool *unknown, struct err *e)
{
    json_t *tokens = NULL;
    int rc = 0;

    if (json_read(answer->data ? answer->data : "", answer->len, ANSWER_MAX, "the answer", &tokens, NULL) < 0 ||
        !json_is_object(tokens))
        rc = err_set(e, ERR_UNAVAILABLE, "the provider %s answered with status %ld and no JSON object", p->c->name,
                     status);
    else if (status != 200)
        rc = refused(p, tokens, status, unknown, e);
    if (rc == 0)
        *out = (struct provider_tokens){.id_token = token_text(tokens, "id_token"),
                                        .access_token = token_text(tokens, "access_token"),
                                        .refresh_token = token_text(tokens, "refresh_token")};
    json_decref(tokens);
    return rc;
}

/* unknown: the provider did not accept the client's credentials. */
static int send_form(struct provider *p, const struct buf *form, bool basic, struct provider_tokens *out, bool *unknown,
                     struct err *e)
{
    struct buf answer = BUF_INIT(ANSWER_MAX), body = BUF_INIT(0);
    char *url = copy_of(p, &p->token), *authorization = basic ? basic_authorization(p) : NULL;
    long status;

    buf_add(&body, form->data, form->len);
    if (!basic) {
        encode_pair(&body, "client_id", p->c->client_id);
        encode_pair(&body, "client_secret", p->secret);
    }
    int rc = ask(p, url, buf_text(&body), authorization, &answer, &status, e);
    if (rc == 0)
        rc = read_tokens(p, &answer, status, out, unknown, e);
    if (answer.data)
        crypto_wipe(answer.data, answer.len);
    crypto_wipe(body.data, body.len);
    wipe(&authorization);
    buf_release(&answer);
    buf_release(&body);
    free(url);
    return rc;
}

/* Wipes form. Some providers list both ways for a client to authenticate but do not know it by the first (mockoidc):
 * those are tried with the second, as programs in Go do. */
static int ask_tokens(struct provider *p, struct buf *form, struct provider_tokens *out, struct err *e)
{
    bool unknown = false, still = false;

    *out = (struct provider_tokens){0};
    pthread_mutex_lock(&p->lock);
    bool basic = p->takes_basic, post = p->takes_post;
    pthread_mutex_unlock(&p->lock);
    int rc = send_form(p, form, basic, out, &unknown, e);
    if (rc < 0 && unknown && basic && post) {
        rc = send_form(p, form, false, out, &still, e);
        pthread_mutex_lock(&p->lock);
        p->only_post = !still && (rc == 0 || rc == ERR_DENIED);
        p->takes_basic = !p->only_post;
        pthread_mutex_unlock(&p->lock);
    }
    crypto_wipe(form->data, form->len);
    buf_release(form);
    return rc;
}

int provider_exchange(struct provider *p, const char *code, const char *redirect_uri, const char *verifier,
                      struct provider_tokens *out, struct err *e)
{
    struct buf form = BUF_INIT(0);

    encode_pair(&form, "grant_type", "authorization_code");
    encode_pair(&form, "code", code);
    encode_pair(&form, "redirect_uri", redirect_uri);
    if (verifier)
        encode_pair(&form, "code_verifier", verifier);
    int rc = ask_tokens(p, &form, out, e);
    if (rc == 0 && !out->id_token) {
        provider_tokens_release(out);
        rc = err_set(e, ERR_UNAVAILABLE, "the provider %s gave no ID token: is the scope openid allowed?", p->c->name);
    }
    return rc;
}

int provider_refresh(struct provider *p, const char *refresh_token, struct provider_tokens *out, struct err *e)
{
    struct buf form = BUF_INIT(0);
    int rc = provider_discover(p, e);

    if (rc < 0)
        return rc;
    encode_pair(&form, "grant_type", "refresh_token");
    encode_pair(&form, "refresh_token", refresh_token);
    return ask_tokens(p, &form, out, e);
}

/* ---- claims ---- */

static int fetch_keys(struct provider *p, struct err *e)
{
    struct buf answer = BUF_INIT(JOSE_KEYS_MAX);
    char *url = copy_of(p, &p->jwks);
    struct jose_keys *keys = NULL, *old;
    long status;
    int rc = ask(p, url, NULL, NULL, &answer, &status, e);

    if (rc == 0 && status != 200)
        rc = err_set(e, ERR_UNAVAILABLE, "%.140s answered with status %ld", url, status);
    if (rc == 0 && (rc = jose_keys_read(answer.data ? answer.data : "", answer.len, &keys, e)) < 0)
        err_prefix(e, "%.100s", url);
    if (rc == 0) {
        pthread_mutex_lock(&p->lock);
        old = p->keys;
        p->keys = keys;
        p->keys_ms = clock_mono_ms();
        pthread_mutex_unlock(&p->lock);
        jose_keys_free(old);
    }
    buf_release(&answer);
    free(url);
    return rc;
}

static int verify(struct provider *p, const char *token, json_t **out, bool *sha384, struct err *e)
{
    pthread_mutex_lock(&p->lock);
    int rc = p->keys ? jose_verify(p->keys, token, out, sha384, e) : ERR_MISSING;
    pthread_mutex_unlock(&p->lock);
    return rc;
}

/* Keys are fetched once an hour; for an unknown key, once a minute at most. */
static bool wants_keys(struct provider *p, bool unknown)
{
    int64_t now = clock_mono_ms();

    pthread_mutex_lock(&p->lock);
    bool wants = !p->keys || now - p->keys_ms >= DISCOVERED_MS;
    if (!wants && unknown && (!p->tried_ms || now - p->tried_ms >= KEYS_AGAIN_MS)) {
        p->tried_ms = now;
        wants = true;
    }
    pthread_mutex_unlock(&p->lock);
    return wants;
}

static int verified_claims(struct provider *p, const char *token, json_t **out, bool *sha384, struct err *e)
{
    struct err why = {0};

    if (wants_keys(p, false) && fetch_keys(p, &why) < 0)
        log_warn("login", "%s: %s", p->c->name, why.message);
    int rc = verify(p, token, out, sha384, e);
    if (rc == ERR_MISSING && wants_keys(p, true) && (rc = fetch_keys(p, e)) == 0)
        rc = verify(p, token, out, sha384, e);
    if (rc == ERR_MISSING && why.code) /* there are no keys at all */
        *e = why;
    else if (rc == ERR_MISSING)
        e->code = ERR_DENIED;
    return rc < 0 ? (int)e->code : 0;
}

int provider_userinfo(struct provider *p, const struct provider_tokens *t, json_t **out, struct err *e)
{
    char *url = copy_of(p, &p->userinfo), *authorization = NULL;
    int rc;

    if (!*url || !t->access_token) {
        free(url);
        return err_set(e, ERR_MISSING, "the provider %s has no UserInfo", p->c->name);
    }
    authorization = mem_format("Bearer %s", t->access_token);
    rc = ask_json(p, url, authorization, out, e);
    wipe(&authorization);
    free(url);
    return rc;
}

int provider_claims(struct provider *p, const struct provider_tokens *t, const char *nonce, json_t **out, struct err *e)
{
    char *issuer = provider_issuer(p);
    struct claims_expected x = {.issuer = issuer,
                                .client_id = p->c->client_id,
                                .nonce = nonce,
                                .access_token = t->access_token,
                                .now_s = clock_wall_ns() / NS_PER_SECOND};
    json_t *claims = NULL, *userinfo = NULL;
    struct err why = {0};
    int rc = verified_claims(p, t->id_token, &claims, &x.sha384, e);

    if (rc == 0)
        rc = claims_check(claims, &x, e);
    free(issuer);
    if (rc < 0) {
        json_decref(claims);
        return rc;
    }
    /* As in headscale: a failure is only logged. */
    if (provider_userinfo(p, t, &userinfo, &why) == 0) {
        if (!claims_overlay(claims, userinfo))
            log_warn("login", "%s: UserInfo is of another subject, and not used", p->c->name);
        json_decref(userinfo);
    } else if (why.code != ERR_MISSING) {
        log_warn("login", "%s: UserInfo: %s", p->c->name, why.message);
    }
    *out = claims;
    return 0;
}

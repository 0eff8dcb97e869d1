/* SPDX-License-Identifier: BSD-3-Clause */
/* Serves one request of a browser. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "login/claims.h"
#include "login/encoding.h"
#include "login/state.h"

#define CALLBACK_PATH  "/oidc/callback"
#define CONFIRM_PATH   "/register/confirm/"
#define CONFIRM_COOKIE "headway_confirm"
#define COOKIE_S       (LOGIN_TIME_MS / 1000)
#define USED_MAX       4096
#define WAITING_MAX    64 /* visits that wait for one provider */
#define MARK_LEN       6  /* digits of the state that go into its cookie's name, to keep simultaneous logins apart */

/* ---- cookies ---- */

/* The value of a cookie, at most as long as a token; false: absent, or longer. */
static bool read_cookie(const char *header, const char *name, char value[LOGIN_TOKEN_LEN + 1])
{
    size_t len = strlen(name);

    for (const char *at = header ? header : ""; *at; at += strcspn(at, ";"), at += *at == ';') {
        at += strspn(at, " \t");
        if (strncmp(at, name, len) != 0 || at[len] != '=')
            continue;
        size_t n = strcspn(at + len + 1, "; \t");
        if (n != LOGIN_TOKEN_LEN)
            return false;
        memcpy(value, at + len + 1, n);
        value[n] = '\0';
        return true;
    }
    return false;
}

static char *make_cookie(const struct login *l, const char *name, const char *value, const char *path, bool strict)
{
    return mem_format("%s=%s; Path=%s; Max-Age=%d; HttpOnly; SameSite=%s%s", name, value, path, *value ? COOKIE_S : 0,
                      strict ? "Strict" : "Lax", l->secure ? "; Secure" : "");
}

static void state_cookie_name(const char *state, char name[16 + MARK_LEN])
{
    snprintf(name, 16 + MARK_LEN, "state_%.*s", MARK_LEN, state);
}

/* ---- the beginning ---- */

static const struct pending *find_pending(struct login *l, const char *auth_id, struct err *e)
{
    const struct tailnet_snapshot *s = tailnet_pin(l->tailnet);
    const struct pending *p = record_ref(snapshot_pending(s, auth_id));

    tailnet_unpin(s);
    if (!p)
        err_set(e, ERR_GONE, "nothing waits under this link any more: run tailscale up again");
    return p;
}

/* The source that a login counts against: an IPv4 address, or the /64 of an IPv6 address. */
static void source_of(const char *peer, char *out, size_t size)
{
    struct addr a;
    struct buf text = BUF_INIT(0);

    if (peer && addr_parse(peer, &a, NULL) == 0)
        crypto_hex(&text, a.bytes, addr_source_len(&a));
    else
        buf_adds(&text, "local");
    str_copy(out, size, buf_text(&text));
    buf_release(&text);
}

static bool uses_pkce(struct provider *p)
{
    return p->c->pkce_enabled || provider_takes_s256(p);
}

static void add_challenge(struct buf *query, struct provider *p, const char *verifier)
{
    uint8_t hash[CRYPTO_HASH_LEN];
    struct buf text = BUF_INIT(0);
    bool plain = strcasecmp(p->c->pkce_method, "plain") == 0 && !provider_takes_s256(p);

    if (plain) {
        buf_adds(&text, verifier);
    } else {
        crypto_sha256(verifier, strlen(verifier), hash);
        encode_base64url(&text, hash, sizeof(hash));
    }
    encode_pair(query, "code_challenge", buf_text(&text));
    encode_pair(query, "code_challenge_method", plain ? "plain" : "S256");
    buf_release(&text);
}

static void add_scope(struct buf *query, const struct config_provider *c)
{
    struct buf scope = BUF_INIT(0);

    for (size_t i = 0; i < c->scope.len; i++)
        buf_addf(&scope, "%s%s", i ? " " : "", c->scope.items[i]);
    /* Google has no such scope, and refuses it: access_type in extra_params has the same effect there. */
    if (c->refresh_interval && !strs_has(&c->scope, "offline_access") && !strstr(c->issuer, "://accounts.google.com"))
        buf_adds(&scope, " offline_access");
    encode_pair(query, "scope", buf_text(&scope));
    buf_release(&scope);
}

/* Demands a fresh login instead of an earlier one. Google refuses the prompt. */
static void add_fresh(struct buf *query, const struct config_provider *c)
{
    if (!strstr(c->issuer, "://accounts.google.com"))
        encode_pair(query, "prompt", "login");
    encode_pair(query, "max_age", "0");
}

/* One per provider, so that none can pass off another's answer (RFC 9700, 4.4.2). */
static char *redirect_uri(const struct login *l, const struct provider *p)
{
    return p->c == &l->config->oidc.flat ? mem_format("%s", l->redirect_uri)
                                         : mem_format("%s/%s", l->redirect_uri, p->c->name);
}

static char *authorization_location(struct login *l, const struct once *o)
{
    const struct config_provider *c = o->provider->c;
    char *url = provider_authorization_url(o->provider), *back = redirect_uri(l, o->provider), *whole;
    struct buf query = BUF_INIT(0);

    encode_pair(&query, "response_type", "code");
    encode_pair(&query, "client_id", c->client_id);
    encode_pair(&query, "redirect_uri", back);
    add_scope(&query, c);
    encode_pair(&query, "state", o->token);
    encode_pair(&query, "nonce", o->nonce);
    if (*o->verifier)
        add_challenge(&query, o->provider, o->verifier);
    if (o->fresh_s)
        add_fresh(&query, c);
    for (size_t i = 0; i < c->extra_params.len; i++)
        if (!o->fresh_s ||
            (!str_eq(c->extra_params.items[i].name, "prompt") && !str_eq(c->extra_params.items[i].name, "max_age")))
            encode_pair(&query, c->extra_params.items[i].name, c->extra_params.items[i].value);
    whole = mem_format("%s%c%s", url, strchr(url, '?') ? '&' : '?', buf_text(&query));
    buf_release(&query);
    free(back);
    free(url);
    return whole;
}

static int start_flow(struct login *l, struct login_visit *v, struct provider *p)
{
    char source[64], cookie[LOGIN_TOKEN_LEN + 1], name[16 + MARK_LEN];
    bool pkce = uses_pkce(p);

    source_of(v->peer, source, sizeof(source));
    pthread_mutex_lock(&l->lock);
    struct once *o = once_add(&l->begun, source, v->auth_id, cookie, &v->err);
    if (o) {
        o->provider = p;
        o->fresh_s = v->pending->ssh ? clock_wall_ns() / NS_PER_SECOND : 0;
        crypto_random_hex(o->nonce, LOGIN_TOKEN_LEN / 2);
        if (pkce)
            crypto_random_hex(o->verifier, LOGIN_TOKEN_LEN / 2);
        v->location = authorization_location(l, o);
        state_cookie_name(o->token, name);
        v->set_cookies[0] = make_cookie(l, name, cookie, CALLBACK_PATH, false);
        v->outcome = VISIT_REDIRECT;
    }
    pthread_mutex_unlock(&l->lock);
    return o ? 0 : ERR_BUSY;
}

static int begin(struct login *l, struct login_visit *v)
{
    struct provider *p = v->provider ? login_provider(l, v->provider) : l->providers;
    int rc;

    if (!(v->pending = find_pending(l, v->auth_id, &v->err)))
        return ERR_GONE;
    if (!p)
        return err_set(&v->err, ERR_MISSING, "there is no provider of that name");
    if (!v->provider && l->provider_count > 1) {
        v->outcome = VISIT_CHOOSE;
        return 0;
    }
    if ((rc = provider_discover(p, &v->err)) < 0)
        return rc;
    return start_flow(l, v, p);
}

/* ---- the callback ---- */

/* No token is accepted twice, whatever its nonce. */
static int use_once(struct login *l, const char *id_token, struct err *e)
{
    uint8_t hash[CRYPTO_HASH_LEN];
    bool seen = false;

    crypto_sha256(id_token, strlen(id_token), hash);
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < USED_MAX && !seen; i++)
        seen = crypto_equal(l->used[i], hash, sizeof(hash));
    if (!seen)
        memcpy(l->used[l->used_at++ % USED_MAX], hash, sizeof(hash));
    pthread_mutex_unlock(&l->lock);
    return seen ? err_set(e, ERR_DENIED, "the provider's token was used before") : 0;
}

static int fetch_claims(struct login *l, const struct login_visit *v, const struct once *o, struct login_claims *claims,
                        char **refresh_token, struct err *e)
{
    struct provider_tokens tokens = {0};
    json_t *said = NULL;
    char *back = redirect_uri(l, o->provider);
    int rc = provider_exchange(o->provider, v->code, back, *o->verifier ? o->verifier : NULL, &tokens, e);

    if (rc == 0)
        rc = use_once(l, tokens.id_token, e);
    if (rc == 0)
        rc = provider_claims(o->provider, &tokens, o->nonce, &said, e);
    if (rc == 0 && o->fresh_s)
        rc = claims_fresh(said, o->fresh_s, e);
    if (rc == 0)
        rc = claims_read(said, o->provider->c, claims, e);
    if (rc == 0 && tokens.refresh_token && o->provider->c->refresh_interval)
        *refresh_token = crypto_text_seal(l->key, tokens.refresh_token);
    json_decref(said);
    free(back);
    provider_tokens_release(&tokens);
    return rc;
}

static int identify(struct login *l, struct login_visit *v, const struct provider *p, const char *issuer,
                    const struct login_claims *claims, const char *refresh_token, uint64_t *identity_id)
{
    struct core_login call = {.step = LOGIN_IDENTIFY,
                              .provider = p->c->name,
                              .issuer = issuer,
                              .subject = claims->subject,
                              .username = claims->username,
                              .email = claims_trust_email(p->c, claims) ? claims->email : "",
                              .display_name = claims->display_name,
                              .picture_url = claims->picture_url,
                              .has_groups = true,
                              .groups = claims->groups,
                              .refresh_token = refresh_token};
    int rc = login_ask_core(l, &call, &v->err);

    v->user = call.user;
    *identity_id = call.known_id;
    return rc;
}

/* Stores what the confirmation will need. */
static int ask(struct login *l, struct login_visit *v, const struct once *begun, uint64_t identity_id,
               int64_t expiry_ns)
{
    char source[64], cookie[LOGIN_TOKEN_LEN + 1];

    snprintf(source, sizeof(source), "user %llu", (unsigned long long)v->user->r.id);
    pthread_mutex_lock(&l->lock);
    struct once *o = once_add(&l->asked, source, begun->auth_id, cookie, &v->err);
    if (o) {
        char *path = mem_format(CONFIRM_PATH "%s", begun->auth_id);
        o->provider = begun->provider;
        o->identity_id = identity_id;
        o->user_id = v->user->r.id;
        o->expiry_ns = expiry_ns;
        v->answer_token = mem_strdup(o->token);
        v->set_cookies[1] = make_cookie(l, CONFIRM_COOKIE, cookie, path, true);
        v->outcome = VISIT_ASK;
        free(path);
    }
    pthread_mutex_unlock(&l->lock);
    return o ? 0 : ERR_BUSY;
}

static int admit(struct login *l, struct login_visit *v, const struct once *o)
{
    const struct config_provider *c = o->provider->c;
    struct login_claims claims = {0};
    char *refresh_token = NULL, *issuer = provider_issuer(o->provider);
    uint64_t identity_id = 0;
    int rc = fetch_claims(l, v, o, &claims, &refresh_token, &v->err);

    if (rc == 0 && (rc = claims_allowed(c, &claims, &v->err)) < 0)
        log_warn("login", "%s refused: %s", c->name, v->err.message);
    if (rc == 0)
        rc = identify(l, v, o->provider, issuer, &claims, refresh_token, &identity_id);
    if (rc == 0)
        rc = ask(l, v, o, identity_id, c->use_expiry_from_token ? claims.expires_s * NS_PER_SECOND : 0);
    free(refresh_token);
    free(issuer);
    claims_release(&claims);
    return rc;
}

/* An answer from another provider does not fit this login, by its path or its issuer (RFC 9207). */
static int check_sender(struct login *l, const struct login_visit *v, struct provider *p, struct err *e)
{
    char *issuer = provider_issuer(p);
    const char *name = p->c == &l->config->oidc.flat ? "" : p->c->name;
    bool same = (!v->issuer || str_eq(v->issuer, issuer)) && str_eq(v->provider ? v->provider : "", name);

    free(issuer);
    return same ? 0 : err_set(e, ERR_DENIED, "the answer is from another provider than this login was begun with");
}

/* What a provider returns instead of a code may be any text, except for OAuth's few error codes. */
static int refused(const char *word, struct err *e)
{
    bool plain = strlen(word) <= 40 && strspn(word, "abcdefghijklmnopqrstuvwxyz_") == strlen(word);

    return err_set(e, ERR_DENIED, "the provider did not let you in%s%s", plain ? ": " : "", plain ? word : "");
}

static int callback(struct login *l, struct login_visit *v)
{
    char cookie[LOGIN_TOKEN_LEN + 1], name[16 + MARK_LEN];
    int rc;

    if (!v->state || strlen(v->state) != LOGIN_TOKEN_LEN || (!v->code && !v->refusal))
        return err_set(&v->err, ERR_INVALID,
                       "the answer of the provider is incomplete: open the link of the client again");
    state_cookie_name(v->state, name);
    if (!read_cookie(v->cookies, name, cookie))
        return err_set(&v->err, ERR_DENIED,
                       "this browser did not begin this login, or keeps no cookies: open the link of the client again");
    pthread_mutex_lock(&l->lock);
    struct once *o = once_take(&l->begun, v->state, cookie, &v->err);
    pthread_mutex_unlock(&l->lock);
    if (!o)
        return v->err.code;
    v->set_cookies[0] = make_cookie(l, name, "", CALLBACK_PATH, false);
    rc = check_sender(l, v, o->provider, &v->err);
    if (rc == 0 && v->refusal)
        rc = refused(v->refusal, &v->err);
    if (rc == 0 && !(v->pending = find_pending(l, o->auth_id, &v->err)))
        rc = ERR_GONE;
    if (rc == 0)
        rc = admit(l, v, o);
    crypto_wipe(o, sizeof(*o));
    free(o);
    return rc;
}

/* ---- the confirmation ---- */

static int confirm(struct login *l, struct login_visit *v)
{
    char cookie[LOGIN_TOKEN_LEN + 1];
    int rc;

    if (!v->form_token || strlen(v->form_token) != LOGIN_TOKEN_LEN || !read_cookie(v->cookies, CONFIRM_COOKIE, cookie))
        return err_set(&v->err, ERR_DENIED,
                       "this is not the browser that was asked: open the link of the client again");
    pthread_mutex_lock(&l->lock);
    struct once *o = once_take(&l->asked, v->form_token, cookie, &v->err);
    pthread_mutex_unlock(&l->lock);
    if (!o)
        return v->err.code;
    if (!str_eq(o->auth_id, v->auth_id)) {
        rc = err_set(&v->err, ERR_DENIED, "the confirmation is of another login");
    } else if (!(v->pending = find_pending(l, o->auth_id, &v->err))) {
        rc = ERR_GONE;
    } else {
        struct core_login call = {.step = LOGIN_CONFIRM,
                                  .auth_id = o->auth_id,
                                  .user_id = o->user_id,
                                  .identity_id = o->identity_id,
                                  .expiry_ns = o->expiry_ns};
        rc = login_ask_core(l, &call, &v->err);
        v->user = call.user;
    }
    if (rc == 0)
        v->outcome = VISIT_DONE;
    free(o);
    return rc;
}

/* ---- visits ---- */

/* The provider that a visit will ask; NULL: none. Call with the lock held. */
static struct provider *provider_of(struct login *l, const struct login_visit *v)
{
    const struct once *o;

    if (v->kind == VISIT_BEGIN)
        return v->provider ? login_provider(l, v->provider) : l->provider_count == 1 ? l->providers : NULL;
    o = v->kind == VISIT_CALLBACK && v->state ? map_gets(&l->begun.by_token, v->state) : NULL;
    return o ? o->provider : NULL;
}

/* A slow provider delays only its own people. 1: the visit waits, and will run again. */
static int take_turn(struct login *l, struct login_visit *v)
{
    int rc = 0;

    if (v->turn_of)
        return 0;
    pthread_mutex_lock(&l->lock);
    struct provider *p = provider_of(l, v);
    if (p && p->waiting >= WAITING_MAX) {
        rc = err_set(&v->err, ERR_BUSY, "the provider %s is slow to answer: try again in a minute", p->c->name);
    } else if (p && p->visits >= l->turns) {
        v->turn_of = p;
        v->work.next = NULL;
        *(p->first ? &p->last->next : &p->first) = &v->work;
        p->last = &v->work;
        p->waiting++;
        rc = 1;
    } else if (p) {
        v->turn_of = p;
        p->visits++;
    }
    pthread_mutex_unlock(&l->lock);
    return rc;
}

/* Passes the turn to the visit that has waited longest. Call with the lock held. */
static void end_turn(struct login *l, struct provider *p)
{
    struct work *next = p->first;

    if (!next) {
        p->visits--;
        return;
    }
    p->first = next->next;
    p->waiting--;
    workers_add(&l->workers, next);
}

void visit_run(struct work *work)
{
    static int (*const kinds[])(struct login *, struct login_visit *) = {
        [VISIT_BEGIN] = begin, [VISIT_CALLBACK] = callback, [VISIT_CONFIRM] = confirm};
    struct login_visit *v = CONTAINER_OF(work, struct login_visit, work);
    struct login *l = v->login;
    int rc = take_turn(l, v);

    if (rc > 0)
        return;
    if (rc == 0)
        rc = kinds[v->kind](l, v);
    if (rc < 0) {
        v->outcome = VISIT_FAILED;
        log_info("login", "%s: %s", v->kind == VISIT_CALLBACK ? "a login failed" : "a page was refused",
                 v->err.message);
    }
    pthread_mutex_lock(&l->lock);
    l->visits--;
    if (v->turn_of)
        end_turn(l, v->turn_of);
    pthread_mutex_unlock(&l->lock);
    v->done(v);
}

void login_visit_release(struct login_visit *v)
{
    free(v->location);
    free(v->answer_token);
    free(v->set_cookies[0]);
    free(v->set_cookies[1]);
    record_unref(v->pending);
    record_unref(v->user);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* One OpenID provider over the wire: discovery, keys, tokens, UserInfo. Each request has ten seconds and a bound on
 * its answer, and follows no redirect; no message contains a secret. Called on the room's own threads, several at a
 * time. */
#ifndef SERVER_LOGIN_PROVIDER_H
#define SERVER_LOGIN_PROVIDER_H

#include <pthread.h>

#include "base/thread.h"
#include "config/config.h"
#include "login/jose.h"

struct provider {
    const struct config_provider *c; /* from the configuration, which outlives it */
    char *secret;
    bool (*stop)(void *arg);
    void *arg;
    pthread_mutex_t lock; /* guards all that follows */
    char *issuer, *authorization, *token, *userinfo, *jwks;
    bool takes_s256, takes_basic, takes_post; /* the latter two: how this server may authenticate to get tokens */
    bool only_post;                           /* it lists another way, and is mistaken */
    int64_t discovered_ms;                    /* monotonic; 0: not yet */
    struct jose_keys *keys;
    int64_t keys_ms, tried_ms; /* when they were fetched; when an unknown one last caused a request */
    char trouble[240];         /* why the last request failed; "": it succeeded */
    int64_t failed_until_ms;   /* until when the last failed discovery is remembered, monotonic; 0: it succeeded */
    struct err failure;        /* and its error */
    /* guarded by the room's lock: how many visits have their turn, and those that wait for one */
    size_t visits, waiting;
    struct work *first, *last;
};

/* Reads the secret and nothing else: ERR_INVALID, ERR_MISSING if it cannot. */
int provider_init(struct provider *p, const struct config_provider *c, bool (*stop)(void *arg), void *arg,
                  struct err *e) WARN_UNUSED;
void provider_release(struct provider *p);

/* Fetches the provider's metadata, again after an hour; an older answer is used if no newer one can be had. A failure
 * is remembered for ten times as long as it took, one to ten seconds, and repeated without another request. */
int provider_discover(struct provider *p, struct err *e) WARN_UNUSED;
/* The same, at once. */
int provider_ask_again(struct provider *p, struct err *e) WARN_UNUSED;
/* Why it cannot be reached; "": it can, or was not tried yet. */
void provider_trouble(struct provider *p, char *text, size_t size);

/* Where to send a browser, and the issuer that signs the answer; caller frees. After provider_discover. */
char *provider_authorization_url(struct provider *p);
char *provider_issuer(struct provider *p);
bool provider_takes_s256(struct provider *p);

struct provider_tokens {
    char *id_token, *access_token, *refresh_token; /* NULL: absent */
};
void provider_tokens_release(struct provider_tokens *t); /* wipes them */
/* Fetches the tokens for a code (verifier NULL: without PKCE), or for a refresh token. ERR_DENIED: the provider refuses
 * it ("invalid_grant"); ERR_UNAVAILABLE: anything else. */
int provider_exchange(struct provider *p, const char *code, const char *redirect_uri, const char *verifier,
                      struct provider_tokens *out, struct err *e) WARN_UNUSED;
int provider_refresh(struct provider *p, const char *refresh_token, struct provider_tokens *out,
                     struct err *e) WARN_UNUSED;

/* The claims of an ID token that is meant for this login, with those of UserInfo added; caller frees. nonce NULL: a
 * refresh. */
int provider_claims(struct provider *p, const struct provider_tokens *t, const char *nonce, json_t **out,
                    struct err *e) WARN_UNUSED;
/* The same from UserInfo alone, for a refresh without an ID token. */
int provider_userinfo(struct provider *p, const struct provider_tokens *t, json_t **out, struct err *e) WARN_UNUSED;

#endif

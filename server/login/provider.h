/* SPDX-License-Identifier: BSD-3-Clause */
/* One OpenID provider over the wire: discovery, keys, tokens, UserInfo. Each question has ten seconds and a bound on
 * its answer, and follows no redirection; nothing of a secret is in a message. Called on the room's own threads,
 * several at once. */
#ifndef SERVER_LOGIN_PROVIDER_H
#define SERVER_LOGIN_PROVIDER_H

#include <pthread.h>

#include "base/thread.h"
#include "config/config.h"
#include "login/jose.h"

struct provider {
    const struct config_provider *c; /* of the configuration, which stays */
    char *secret;
    bool (*stop)(void *arg);
    void *arg;
    pthread_mutex_t lock; /* all that follows */
    char *issuer, *authorization, *token, *userinfo, *jwks;
    bool takes_s256, takes_basic, takes_post; /* the latter: how this server says who it is to get tokens */
    bool only_post;                           /* it says otherwise, and is mistaken */
    int64_t discovered_ms;                    /* mono; 0: not yet */
    struct jose_keys *keys;
    int64_t keys_ms, tried_ms; /* when they came; when they were last asked for because of an unknown one */
    char trouble[240];         /* why the last question failed; "": it did not */
    int64_t failed_until_ms;   /* until when the last discovery's failure stands, mono; 0: it succeeded */
    struct err failure;        /* and how */
    /* with the room's lock: so many visits have their turn, and who waits for one */
    size_t visits, waiting;
    struct work *first, *last;
};

/* The secret is read, nothing else: ERR_INVALID, ERR_MISSING where it cannot be. */
int provider_init(struct provider *p, const struct config_provider *c, bool (*stop)(void *arg), void *arg,
                  struct err *e) WARN_UNUSED;
void provider_release(struct provider *p);

/* What the provider says of itself, asked for again after an hour; an older answer does where there is no newer one.
 * A failure stands for ten times as long as it took, from one to ten seconds, without another question. */
int provider_discover(struct provider *p, struct err *e) WARN_UNUSED;
/* Asks now. */
int provider_ask_again(struct provider *p, struct err *e) WARN_UNUSED;
/* Why it is not reached, "": it is, or nobody asked yet. */
void provider_trouble(struct provider *p, char *text, size_t size);

/* Where a browser is sent, and by which issuer the answer is signed; the caller's. After provider_discover. */
char *provider_authorization_url(struct provider *p);
char *provider_issuer(struct provider *p);
bool provider_takes_s256(struct provider *p);

struct provider_tokens {
    char *id_token, *access_token, *refresh_token; /* NULL: not given */
};
void provider_tokens_release(struct provider_tokens *t); /* wipes them */
/* The tokens for a code (verifier NULL: without PKCE), or for a refresh token. ERR_DENIED: the provider refuses it
 * ("invalid_grant"); ERR_UNAVAILABLE: anything else. */
int provider_exchange(struct provider *p, const char *code, const char *redirect_uri, const char *verifier,
                      struct provider_tokens *out, struct err *e) WARN_UNUSED;
int provider_refresh(struct provider *p, const char *refresh_token, struct provider_tokens *out,
                     struct err *e) WARN_UNUSED;

/* The claims of an ID token that is meant for this login, with what UserInfo adds; the caller's. nonce NULL: of a
 * refresh. */
int provider_claims(struct provider *p, const struct provider_tokens *t, const char *nonce, json_t **out,
                    struct err *e) WARN_UNUSED;
/* The same of UserInfo alone, for a refresh that brought no ID token. */
int provider_userinfo(struct provider *p, const struct provider_tokens *t, json_t **out, struct err *e) WARN_UNUSED;

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* What the room keeps: logins that are under way, and what waits for a yes. */
#ifndef SERVER_LOGIN_STATE_H
#define SERVER_LOGIN_STATE_H

#include <stdatomic.h>

#include "base/map.h"
#include "base/vec.h"
#include "login/login.h"
#include "login/provider.h"

#define LOGIN_TIME_MS   (15 * 60 * 1000)
#define LOGIN_TOKEN_LEN 64 /* hexadecimal digits */

/* One entry of a table of things that end by themselves, are taken once, and belong to a cookie. */
struct once {
    struct once *next; /* younger */
    char token[LOGIN_TOKEN_LEN + 1];
    uint8_t cookie[CRYPTO_HASH_LEN]; /* digest of the cookie's value */
    char source[64];                 /* whom it counts for */
    int64_t ends_ms;
    char auth_id[AUTH_ID_LEN + 1];
    struct provider *provider;
    /* until the callback */
    int64_t fresh_s; /* the person must have logged in at the provider since, wall time; 0: whenever that was */
    char nonce[LOGIN_TOKEN_LEN + 1], verifier[LOGIN_TOKEN_LEN + 1];
    /* after it */
    uint64_t user_id, identity_id;
    int64_t expiry_ns;
};
struct once_table {
    struct map by_token;
    struct once *oldest, **youngest;
    size_t max, per_source;
    size_t site_len; /* digits of a source that name the site it belongs to; 0: there are no sites */
};

struct login {
    const struct config *config;
    struct core *core;
    struct tailnet *tailnet;
    uint8_t key[CRYPTO_KEY_LEN]; /* that refresh tokens are encrypted with */
    struct provider *providers;
    size_t provider_count;
    size_t turns;       /* visits of one provider at a time; others wait for theirs */
    char *redirect_uri; /* of the provider whose keys stand alone */
    bool secure;        /* browsers come by https */
    struct workers workers;
    struct thread renewer;
    atomic_bool stopping;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    size_t visits;
    struct once_table begun, asked;
    uint8_t (*used)[CRYPTO_HASH_LEN]; /* ID tokens that came lately: none comes twice */
    size_t used_at;
};

void once_init(struct once_table *t, size_t max, size_t per_source, size_t site_len);
void once_release(struct once_table *t);
/* A new entry with a token, and the value of its cookie. The oldest entry of a source, site or auth_id that has too
 * many gives way. NULL, with ERR_BUSY: there are too many of all, and none of this source. Tables are used with the
 * lock held. */
struct once *once_add(struct once_table *t, const char *source, const char *auth_id, char cookie[LOGIN_TOKEN_LEN + 1],
                      struct err *e);
/* Takes the entry out: the caller's (free). NULL: there is none of that token, ERR_GONE; or the cookie is not its,
 * ERR_DENIED, and the entry stays. */
struct once *once_take(struct once_table *t, const char *token, const char *cookie, struct err *e);

/* Asks the core, and waits. */
int login_ask_core(struct login *l, struct core_login *call, struct err *e) WARN_UNUSED;

struct provider *login_provider(struct login *l, const char *name); /* NULL: unknown */
/* What an identity's provider says, by its claims. ERR_DENIED: it may not log in. */
struct login_claims;

void visit_run(struct work *work);
void *renewer_run(void *arg);

#endif

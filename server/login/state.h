/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of this room: logins in progress, and those that await confirmation. */
#ifndef SERVER_LOGIN_STATE_H
#define SERVER_LOGIN_STATE_H

#include <stdatomic.h>

#include "base/map.h"
#include "base/vec.h"
#include "login/login.h"
#include "login/provider.h"

#define LOGIN_TIME_MS   (15 * 60 * 1000)
#define LOGIN_TOKEN_LEN 64 /* hexadecimal digits */

/* An entry of a table whose entries expire, are taken once, and belong to a cookie. */
struct once {
    struct once *next; /* younger */
    char token[LOGIN_TOKEN_LEN + 1];
    uint8_t cookie[CRYPTO_HASH_LEN]; /* digest of the cookie's value */
    char source[64];                 /* the address it counts against */
    int64_t ends_ms;
    char auth_id[AUTH_ID_LEN + 1];
    struct provider *provider;
    /* until the callback */
    int64_t fresh_s; /* the person must have logged in at the provider since then, wall time; 0: any time */
    char nonce[LOGIN_TOKEN_LEN + 1], verifier[LOGIN_TOKEN_LEN + 1];
    /* after it */
    uint64_t user_id, identity_id;
    int64_t expiry_ns;
};
struct once_table {
    struct map by_token;
    struct once *oldest, **youngest;
    size_t max, per_source;
    size_t site_len; /* leading digits of a source that identify its site; 0: there are no sites */
};

struct login {
    const struct config *config;
    struct core *core;
    struct tailnet *tailnet;
    uint8_t key[CRYPTO_KEY_LEN]; /* encrypts refresh tokens */
    struct provider *providers;
    size_t provider_count;
    size_t turns;       /* visits per provider at a time; others wait their turn */
    char *redirect_uri; /* of the provider configured directly below oidc */
    bool secure;        /* browsers come by https */
    struct workers workers;
    struct thread renewer;
    atomic_bool stopping;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    size_t visits;
    struct once_table begun, asked;
    uint8_t (*used)[CRYPTO_HASH_LEN]; /* recent ID tokens: none is accepted twice */
    size_t used_at;
};

void once_init(struct once_table *t, size_t max, size_t per_source, size_t site_len);
void once_release(struct once_table *t);
/* Adds an entry with a token, and returns the value of its cookie. If a source, site or auth_id has too many entries,
 * its oldest is dropped. NULL with ERR_BUSY: the table is full, and no entry is of this source. Call with the lock
 * held. */
struct once *once_add(struct once_table *t, const char *source, const char *auth_id, char cookie[LOGIN_TOKEN_LEN + 1],
                      struct err *e);
/* Removes the entry and gives it to the caller (free). NULL with ERR_GONE: no entry has the token; with ERR_DENIED: the
 * cookie is another one's, and the entry stays. */
struct once *once_take(struct once_table *t, const char *token, const char *cookie, struct err *e);

/* Asks the core, and waits for its answer. */
int login_ask_core(struct login *l, struct core_login *call, struct err *e) WARN_UNUSED;

struct provider *login_provider(struct login *l, const char *name); /* NULL: unknown */
/* What an identity's provider says of it: its claims. ERR_DENIED: it may not log in. */
struct login_claims;

void visit_run(struct work *work);
void *renewer_run(void *arg);

#endif

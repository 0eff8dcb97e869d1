/* SPDX-License-Identifier: BSD-3-Clause */
#include "acme/challenges.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "crypto/crypto.h"

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void challenges_init(struct acme_challenges *c, const char *type, const char *host, struct loop_tls *tls)
{
    c->type = type;
    c->host = host;
    c->tls = tls;
    c->count = 0;
    pthread_mutex_init(&c->lock, NULL);
}

void challenges_release(struct acme_challenges *c)
{
    challenges_clear(c);
    pthread_mutex_destroy(&c->lock);
}

static bool is_digest(const char *text)
{
    uint8_t digest[CRYPTO_HASH_LEN];

    return crypto_unbase64url(text, strlen(text), digest, sizeof(digest)) == CRYPTO_HASH_LEN;
}

/* The key authorization of RFC 8555, 8.1: the token, a dot, the digest of the account's key. */
static bool fits_token(const char *text, const char *token, size_t len)
{
    return strncmp(text, token, len) == 0 && text[len] == '.' && is_digest(text + len + 1);
}

static size_t find(const struct acme_challenges *c, const char *token)
{
    size_t i = 0;

    while (i < c->count && !str_eq(c->items[i].token, token))
        i++;
    return i;
}

static int begin_http(struct acme_challenges *c, const struct hook_message *m, struct err *e)
{
    size_t len = strlen(m->token);
    int rc = 0;

    if (!len || len > CHALLENGE_TOKEN_MAX || strspn(m->token, base64url) != len)
        return err_set(e, ERR_INVALID, "the authority's token is no token: '%.80s'", m->token);
    if (strlen(m->authorization) > CHALLENGE_TEXT_MAX || !fits_token(m->authorization, m->token, len))
        return err_set(e, ERR_INVALID, "the answer to a challenge does not fit its token");
    pthread_mutex_lock(&c->lock);
    size_t i = find(c, m->token);
    if (i == CHALLENGES_MAX) {
        rc = err_set(e, ERR_BUSY, "the order has more than %d challenges", CHALLENGES_MAX);
    } else {
        (void)str_copy(c->items[i].token, sizeof(c->items[i].token), m->token);
        (void)str_copy(c->items[i].text, sizeof(c->items[i].text), m->authorization);
        c->count += i == c->count;
    }
    pthread_mutex_unlock(&c->lock);
    return rc;
}

static int begin_tls(struct acme_challenges *c, const struct hook_message *m, struct err *e)
{
    uint8_t digest[CRYPTO_HASH_LEN];
    struct buf pem = BUF_INIT(0);

    if (crypto_unbase64url(m->authorization, strlen(m->authorization), digest, sizeof(digest)) != CRYPTO_HASH_LEN)
        return err_set(e, ERR_INVALID, "the answer to a challenge is no digest");
    crypto_certificate_acme(c->host, digest, &pem);
    int rc = loop_tls_set_challenge(c->tls, c->host, buf_text(&pem), e);
    crypto_wipe(pem.data, pem.len);
    buf_release(&pem);
    return rc;
}

int challenges_hear(struct acme_challenges *c, const struct hook_message *m, struct err *e)
{
    if (m->method != HOOK_BEGIN) {
        challenges_clear(c);
        return 0;
    }
    if (!str_eq(m->type, c->type))
        return err_set(e, ERR_UNSUPPORTED, "a challenge of another type: %.40s", m->type);
    if (strcasecmp(m->identifier, c->host) != 0)
        return err_set(e, ERR_INVALID, "a challenge for another name: '%.80s'", m->identifier);
    return str_eq(m->type, "http-01") ? begin_http(c, m, e) : begin_tls(c, m, e);
}

void challenges_clear(struct acme_challenges *c)
{
    pthread_mutex_lock(&c->lock);
    c->count = 0;
    memset(c->items, 0, sizeof(c->items));
    pthread_mutex_unlock(&c->lock);
    if (c->tls)
        loop_tls_clear_challenge(c->tls);
}

bool challenges_answer(struct acme_challenges *c, const char *token, char text[CHALLENGE_TEXT_MAX + 1])
{
    pthread_mutex_lock(&c->lock);
    size_t i = find(c, token);
    bool found = i < c->count;
    if (found)
        (void)str_copy(text, CHALLENGE_TEXT_MAX + 1, c->items[i].text);
    pthread_mutex_unlock(&c->lock);
    return found;
}

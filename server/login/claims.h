/* SPDX-License-Identifier: BSD-3-Clause */
/* What a provider asserts about a person: whether a token is meant for this login (OpenID Connect Core 3.1.3.7), which
 * of its claims are used, and who may log in. Claims are the provider's words, often the person's own: they are
 * bounded, valid UTF-8 and free of control characters here, and escaped where they are shown. */
#ifndef SERVER_LOGIN_CLAIMS_H
#define SERVER_LOGIN_CLAIMS_H

#include "config/config.h"
#include "json/json.h"

struct claims_expected {
    const char *issuer; /* in the provider's own spelling */
    const char *client_id;
    const char *nonce;        /* NULL: a refresh, which has none */
    const char *access_token; /* checked against at_hash; NULL: not checked */
    bool sha384;              /* at_hash uses SHA-384, as the token's signature does, not SHA-256 */
    int64_t now_s;
};

/* Whether a token with a valid signature is meant for this login; the message of ERR_DENIED explains why not. */
int claims_check(const json_t *token, const struct claims_expected *x, struct err *e) WARN_UNUSED;

/* Whether the person has logged in at the provider since then, if the token gives the time. ERR_DENIED: not since. */
int claims_fresh(const json_t *token, int64_t since_s, struct err *e) WARN_UNUSED;

/* Replaces claims of the token by those that UserInfo has for the same subject. False: UserInfo is about another
 * subject. */
bool claims_overlay(json_t *token, const json_t *userinfo);

enum claim_truth { CLAIM_ABSENT, CLAIM_FALSE, CLAIM_TRUE };
struct login_claims {
    char *subject, *username, *email, *display_name, *picture_url; /* "": absent or unusable */
    enum claim_truth email_verified;
    bool has_groups;      /* the provider lists groups, perhaps none */
    bool groups_left_out; /* there are more than the provider puts into a token */
    struct strs groups;   /* sorted */
    int64_t expires_s;    /* of the token; 0: not given */
};
/* ERR_DENIED: there is no usable subject. */
int claims_read(const json_t *claims, const struct config_provider *p, struct login_claims *out,
                struct err *e) WARN_UNUSED;
void claims_release(struct login_claims *c);

bool claims_trust_email(const struct config_provider *p, const struct login_claims *c);
/* ERR_DENIED names the list that excludes the person. */
int claims_allowed(const struct config_provider *p, const struct login_claims *c, struct err *e) WARN_UNUSED;
/* The same for a refresh, where a missing claim excludes nobody. */
int claims_still_allowed(const struct config_provider *p, const struct login_claims *c, struct err *e) WARN_UNUSED;

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* What a provider says of a person: whether a token is meant for this login (OpenID Connect Core 3.1.3.7), what of it
 * is used, and who may come in. Claims are the provider's, and often the person's own, words: they are bounded, valid
 * UTF-8 and free of control characters here, and escaped where they are shown. */
#ifndef SERVER_LOGIN_CLAIMS_H
#define SERVER_LOGIN_CLAIMS_H

#include "config/config.h"
#include "json/json.h"

struct claims_expected {
    const char *issuer; /* as the provider itself spells it */
    const char *client_id;
    const char *nonce;        /* NULL: of a refresh, which has none */
    const char *access_token; /* what at_hash is checked against; NULL: nothing */
    bool sha384;              /* at_hash is made with it, as the token's signature is, and not with SHA-256 */
    int64_t now_s;
};

/* Whether a token whose signature is right is for this login: ERR_DENIED says what is wrong with it. */
int claims_check(const json_t *token, const struct claims_expected *x, struct err *e) WARN_UNUSED;

/* Whether the person logged in at the provider since then, where the token says when that was. ERR_DENIED: not since.
 */
int claims_fresh(const json_t *token, int64_t since_s, struct err *e) WARN_UNUSED;

/* What UserInfo says of the same subject takes the place of what the token says, where it says something. False: it is
 * of somebody else. */
bool claims_overlay(json_t *token, const json_t *userinfo);

enum claim_truth { CLAIM_ABSENT, CLAIM_FALSE, CLAIM_TRUE };
struct login_claims {
    char *subject, *username, *email, *display_name, *picture_url; /* "": not said, or unusable */
    enum claim_truth email_verified;
    bool has_groups;      /* the provider says which, if only that there are none */
    bool groups_left_out; /* there are more than the provider puts into a token */
    struct strs groups;   /* sorted */
    int64_t expires_s;    /* of the token; 0: it does not say */
};
/* ERR_DENIED: there is no usable subject. */
int claims_read(const json_t *claims, const struct config_provider *p, struct login_claims *out,
                struct err *e) WARN_UNUSED;
void claims_release(struct login_claims *c);

bool claims_trust_email(const struct config_provider *p, const struct login_claims *c);
/* ERR_DENIED names the list that keeps the person out. */
int claims_allowed(const struct config_provider *p, const struct login_claims *c, struct err *e) WARN_UNUSED;
/* The same of a refresh, where what the provider leaves out keeps nobody out. */
int claims_still_allowed(const struct config_provider *p, const struct login_claims *c, struct err *e) WARN_UNUSED;

#endif

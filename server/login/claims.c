/* SPDX-License-Identifier: BSD-3-Clause */
#include "login/claims.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "crypto/crypto.h"
#include "login/encoding.h"

#define SKEW_S      60  /* seconds that clocks may differ */
#define ISSUED_S    600 /* seconds between a token's issue and now, at most */
#define GROUPS_MAX  1000
#define TEXT_MAX    255
#define URL_MAX     2048
#define EXPIRES_MAX 9e9 /* seconds; as nanoseconds it still fits */

/* ---- a token ---- */

static bool number_of(const json_t *token, const char *name, double *out)
{
    const json_t *value = json_object_get(token, name);

    *out = json_is_number(value) ? json_number_value(value) : 0;
    return json_is_number(value);
}

static bool is_audience(const json_t *aud, const char *client_id)
{
    const json_t *one;
    size_t i;
    bool found = json_is_string(aud) && str_eq(json_string_value(aud), client_id);

    json_array_foreach(aud, i, one) found = found || (json_is_string(one) && str_eq(json_string_value(one), client_id));
    return found;
}

static int check_times(const json_t *token, const struct claims_expected *x, struct err *e)
{
    double expires, issued, from, now = (double)x->now_s;

    if (!number_of(token, "exp", &expires))
        return err_set(e, ERR_DENIED, "the token does not say when it expires");
    if (expires + SKEW_S < now)
        return err_set(e, ERR_DENIED, "the token has expired: compare the clocks of this server and the provider");
    if (!number_of(token, "iat", &issued))
        return err_set(e, ERR_DENIED, "the token does not say when it was issued");
    if (issued - ISSUED_S > now || issued + ISSUED_S < now)
        return err_set(e, ERR_DENIED,
                       "the token was issued at another time: compare the clocks of this server and the provider");
    if (number_of(token, "nbf", &from) && from - SKEW_S > now)
        return err_set(e, ERR_DENIED, "the token is not valid yet");
    return 0;
}

static bool hash_fits(const json_t *token, const struct claims_expected *x)
{
    const char *said = json_text(token, "at_hash", NULL);
    uint8_t hash[CRYPTO_SHA384_LEN];
    size_t len = x->sha384 ? CRYPTO_SHA384_LEN : CRYPTO_HASH_LEN;
    struct buf text = BUF_INIT(64);

    if (!said || !x->access_token)
        return true;
    if (!x->sha384)
        crypto_sha256(x->access_token, strlen(x->access_token), hash);
    else if (!crypto_sha384(x->access_token, strlen(x->access_token), hash))
        return false;
    encode_base64url(&text, hash, len / 2);
    bool same = str_eq(buf_text(&text), said);
    buf_release(&text);
    return same;
}

int claims_check(const json_t *token, const struct claims_expected *x, struct err *e)
{
    const json_t *party = json_object_get(token, "azp");

    if (!str_eq(json_text(token, "iss", ""), x->issuer))
        return err_set(e, ERR_DENIED, "the token is from another issuer");
    if (!is_audience(json_object_get(token, "aud"), x->client_id))
        return err_set(e, ERR_DENIED, "the token is for another client");
    if (party && (!json_is_string(party) || !str_eq(json_string_value(party), x->client_id)))
        return err_set(e, ERR_DENIED, "the token was given to another client");
    if (!*json_text(token, "sub", ""))
        return err_set(e, ERR_DENIED, "the token names no subject");
    if (x->nonce && !str_eq(json_text(token, "nonce", ""), x->nonce))
        return err_set(e, ERR_DENIED, "the token belongs to another login");
    if (!hash_fits(token, x))
        return err_set(e, ERR_DENIED, "the token does not belong to the access token");
    return check_times(token, x, e);
}

int claims_fresh(const json_t *token, int64_t since_s, struct err *e)
{
    double logged_in;

    if (!number_of(token, "auth_time", &logged_in) || logged_in + SKEW_S >= (double)since_s)
        return 0;
    return err_set(e, ERR_DENIED, "the provider did not ask you to log in again, which an SSH session needs");
}

/* ---- what is said ---- */

static bool is_empty(const json_t *value)
{
    return json_is_null(value) || (json_is_string(value) && !*json_string_value(value));
}

bool claims_overlay(json_t *token, const json_t *userinfo)
{
    static const char *const fixed[] = {"iss", "aud",   "azp",     "exp",       "iat",
                                        "nbf", "nonce", "at_hash", "auth_time", NULL};
    const char *name;
    json_t *value;

    if (!str_eq(json_text(token, "sub", ""), json_text(userinfo, "sub", "?")))
        return false;
    bool says_other_email = !str_eq(json_text(userinfo, "email", ""), "") &&
                            !str_eq(json_text(userinfo, "email", ""), json_text(token, "email", ""));
    json_object_foreach((json_t *)(uintptr_t)userinfo, name, value)
    {
        size_t i = 0;
        while (fixed[i] && !str_eq(fixed[i], name))
            i++;
        if (!fixed[i] && !is_empty(value))
            json_object_set(token, name, value);
    }
    if (!json_object_get(userinfo, "email_verified") && says_other_email)
        json_object_del(token, "email_verified");
    return true;
}

/* Finds a claim by its name, which may contain dots, otherwise by the path of names between them. */
static const json_t *find(const json_t *claims, const char *path)
{
    const json_t *at = json_object_get(claims, path);

    if (at || !strchr(path, '.'))
        return at;
    char *copy = mem_strdup(path);
    at = claims;
    for (char *part = copy, *next; part && at; part = next) {
        next = strchr(part, '.');
        if (next)
            *next++ = '\0';
        at = json_object_get(at, part);
    }
    free(copy);
    return at;
}

static char *text_of(const json_t *value, size_t max)
{
    const char *text = json_is_string(value) ? json_string_value(value) : "";

    return mem_strdup(str_check(text, max, true, "", NULL) == 0 ? text : "");
}

static void add_group(struct strs *groups, const char *name)
{
    if (groups->len < GROUPS_MAX && str_check(name, TEXT_MAX, false, "", NULL) == 0)
        strs_push(groups, name);
}

static void read_groups(const json_t *value, struct strs *groups)
{
    const char *name;
    json_t *one;
    size_t i;

    if (json_is_string(value))
        add_group(groups, json_string_value(value));
    json_array_foreach(value, i, one)
    {
        if (json_is_string(one))
            add_group(groups, json_string_value(one));
    }
    json_object_foreach((json_t *)(uintptr_t)value, name, one) add_group(groups, name);
    strs_sort(groups);
}

static enum claim_truth truth_of(const json_t *value)
{
    if (json_is_boolean(value))
        return json_is_true(value) ? CLAIM_TRUE : CLAIM_FALSE;
    if (json_is_string(value))
        return strcasecmp(json_string_value(value), "true") == 0 ? CLAIM_TRUE : CLAIM_FALSE;
    return value && !json_is_null(value) ? CLAIM_FALSE : CLAIM_ABSENT;
}

static bool trusts(const struct config_provider *p, enum claim_truth verified)
{
    if (strcasecmp(p->email_verified_required, "false") == 0 || verified == CLAIM_TRUE)
        return true;
    return strcasecmp(p->email_verified_required, "if-present") == 0 && verified == CLAIM_ABSENT;
}

/* A single address, with something on both sides of one '@'. */
static bool is_email(const char *text)
{
    const char *at = strchr(text, '@');

    return at && at > text && at[1] && !strchr(at + 1, '@') && !strpbrk(text, " \t<>\"',;()[]\\:/");
}

static bool is_picture(const char *url)
{
    return (str_starts(url, "https://") || str_starts(url, "http://")) && !strpbrk(url, " \"<>\\^`{|}");
}

/* If people can write any mail address into their profile, they could become its owner. */
static bool subject_holds(const struct config_provider *p, const json_t *claims)
{
    enum claim_truth verified = truth_of(json_object_get(claims, "email_verified"));

    if (str_eq(p->subject_claim, "email"))
        return trusts(p, verified);
    return !str_eq(p->subject_claim, p->email_claim) || trusts(p, CLAIM_ABSENT);
}

int claims_read(const json_t *claims, const struct config_provider *p, struct login_claims *out, struct err *e)
{
    const json_t *groups;
    double expires;

    *out = (struct login_claims){.subject = text_of(find(claims, p->subject_claim), TEXT_MAX),
                                 .username = text_of(json_object_get(claims, "preferred_username"), TEXT_MAX),
                                 .email = text_of(find(claims, p->email_claim), TEXT_MAX),
                                 .display_name = text_of(json_object_get(claims, "name"), TEXT_MAX),
                                 .picture_url = text_of(json_object_get(claims, "picture"), URL_MAX),
                                 .email_verified = CLAIM_ABSENT};
    if (str_eq(p->email_claim, "email")) /* the only claim that it refers to */
        out->email_verified = truth_of(json_object_get(claims, "email_verified"));
    if (!is_email(out->email))
        mem_replace(&out->email, "");
    if (!is_picture(out->picture_url))
        mem_replace(&out->picture_url, "");
    groups = find(claims, p->groups_claim);
    out->has_groups = groups && !json_is_null(groups);
    read_groups(groups, &out->groups);
    out->groups_left_out = json_object_get(json_object_get(claims, "_claim_names"), "groups") ||
                           json_is_true(json_object_get(claims, "hasgroups"));
    if (number_of(claims, "exp", &expires) && expires > 0 && expires < EXPIRES_MAX)
        out->expires_s = (int64_t)expires;
    if (!subject_holds(p, claims))
        return err_field(e, ERR_DENIED, "email",
                         "the provider does not say that your mail address, which you are known by, is verified");
    if (*out->subject)
        return 0;
    return err_set(e, ERR_DENIED, "the provider does not say who you are: the claim '%.60s' is missing or unusable",
                   p->subject_claim);
}

void claims_release(struct login_claims *c)
{
    free(c->subject);
    free(c->username);
    free(c->email);
    free(c->display_name);
    free(c->picture_url);
    strs_release(&c->groups);
    *c = (struct login_claims){0};
}

/* ---- who may come in ---- */

bool claims_trust_email(const struct config_provider *p, const struct login_claims *c)
{
    return *c->email && trusts(p, c->email_verified);
}

/* As in headscale: exact, including case, as the provider writes it. */
static int check_email(const struct config_provider *p, const struct login_claims *c, struct err *e)
{
    const char *at = strrchr(c->email, '@');

    if (!p->allowed_domains.len && !p->allowed_users.len)
        return 0;
    if (!*c->email)
        return err_field(e, ERR_DENIED, "email", "the provider does not tell your mail address, which allowed_%s needs",
                         p->allowed_users.len ? "users" : "domains");
    if (!claims_trust_email(p, c))
        return err_field(e, ERR_DENIED, "email", "the provider does not say that your mail address is verified");
    if (p->allowed_domains.len && !strs_has(&p->allowed_domains, at ? at + 1 : ""))
        return err_field(e, ERR_DENIED, "allowed_domains",
                         "the domain of your mail address is not among those allowed");
    if (p->allowed_users.len && !strs_has(&p->allowed_users, c->email))
        return err_field(e, ERR_DENIED, "allowed_users", "your mail address is not among those allowed");
    return 0;
}

static int check_groups(const struct config_provider *p, const struct login_claims *c, struct err *e)
{
    bool member = !p->allowed_groups.len;

    for (size_t i = 0; i < p->allowed_groups.len; i++)
        for (size_t k = 0; k < c->groups.len; k++)
            member = member || str_eq(p->allowed_groups.items[i], c->groups.items[k]);
    if (!member && c->groups_left_out)
        return err_field(e, ERR_DENIED, "allowed_groups",
                         "you are in more groups than the provider lists: have it list only those of this application");
    return member ? 0 : err_field(e, ERR_DENIED, "allowed_groups", "you are in none of the groups allowed");
}

int claims_allowed(const struct config_provider *p, const struct login_claims *c, struct err *e)
{
    int rc = check_groups(p, c, e);

    return rc < 0 ? rc : check_email(p, c, e);
}

int claims_still_allowed(const struct config_provider *p, const struct login_claims *c, struct err *e)
{
    int rc = c->has_groups && !c->groups_left_out ? check_groups(p, c, e) : 0;

    if (rc < 0 || !*c->email || (c->email_verified == CLAIM_ABSENT && !claims_trust_email(p, c)))
        return rc;
    return check_email(p, c, e);
}

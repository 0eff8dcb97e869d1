/* SPDX-License-Identifier: BSD-3-Clause */
#include "login/jose.h"

#include <cjose/cjose.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"

#define KEYS_MAX   64
#define RSA_BITS   2048
#define HEADER_MAX 4096
#define BASE64URL  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

static const struct algorithm {
    const char *name;
    cjose_jwk_kty_t kind;
    size_t bits; /* of a curve */
    bool sha384;
} algorithms[] = {
    {"RS256", CJOSE_JWK_KTY_RSA, 0, false},
    {"PS256", CJOSE_JWK_KTY_RSA, 0, false},
    {"ES256", CJOSE_JWK_KTY_EC, 256, false},
    {"ES384", CJOSE_JWK_KTY_EC, 384, true},
};

struct jose_key {
    cjose_jwk_t *jwk;
    char *id;  /* "": it has none */
    char *alg; /* its algorithm; "": any that fits */
    cjose_jwk_kty_t kind;
    size_t bits;
};

struct jose_keys {
    VEC(struct jose_key) list;
};

/* ---- keys ---- */

/* A key marked for a use other than verification is ignored. */
static bool may_verify(const json_t *key)
{
    const json_t *operations = json_object_get(key, "key_ops"), *one;
    bool verifies = !operations;
    size_t i;

    json_array_foreach(operations, i, one) verifies =
        verifies || (json_is_string(one) && str_eq(json_string_value(one), "verify"));
    return str_eq(json_text(key, "use", "sig"), "sig") && verifies;
}

static bool is_strong(const struct jose_key *k)
{
    return k->kind == CJOSE_JWK_KTY_RSA ? k->bits >= RSA_BITS && k->bits <= 16384
                                        : k->kind == CJOSE_JWK_KTY_EC && (k->bits == 256 || k->bits == 384);
}

/* Only the public part of a key in the set: a provider that publishes a private one gets no use of it here. */
static cjose_jwk_t *import(const json_t *key)
{
    static const char *const members[] = {"kty", "n", "e", "crv", "x", "y"};
    json_t *public = json_object();
    cjose_jwk_t *jwk = NULL;
    cjose_err why;

    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (json_is_string(json_object_get(key, members[i])))
            json_object_set(public, members[i], json_object_get(key, members[i]));
    if (str_eq(json_text(key, "kty", ""), "RSA") || str_eq(json_text(key, "kty", ""), "EC")) {
        char *text = json_compact(public);
        jwk = cjose_jwk_import(text, strlen(text), &why);
        free(text);
    }
    json_decref(public);
    return jwk;
}

static void add_key(struct jose_keys *keys, const json_t *key)
{
    struct jose_key k = {0};
    cjose_err why;

    if (!json_is_object(key) || !may_verify(key) || keys->list.len >= KEYS_MAX || !(k.jwk = import(key)))
        return;
    k.kind = cjose_jwk_get_kty(k.jwk, &why);
    k.bits = cjose_jwk_get_keysize(k.jwk, &why);
    if (!is_strong(&k)) {
        cjose_jwk_release(k.jwk);
        return;
    }
    k.id = mem_strdup(json_text(key, "kid", ""));
    k.alg = mem_strdup(json_text(key, "alg", ""));
    vec_push(&keys->list, k);
}

int jose_keys_read(const char *text, size_t len, struct jose_keys **out, struct err *e)
{
    struct jose_keys *keys;
    json_t *set = NULL, *list = NULL, *key;
    size_t i;
    int rc = json_read(text, len, JOSE_KEYS_MAX, "the key set", &set, e);

    if (rc < 0)
        return rc;
    if (!json_is_object(set) || !json_is_array(list = json_object_get(set, "keys"))) {
        json_decref(set);
        return err_set(e, ERR_INVALID, "the key set has no list of keys");
    }
    keys = mem_alloc(sizeof(*keys));
    json_array_foreach(list, i, key) add_key(keys, key);
    json_decref(set);
    if (!keys->list.len) {
        jose_keys_free(keys);
        return err_set(e, ERR_INVALID,
                       "the key set holds no key that can be used: RSA of at least %d bits, P-256 or P-384", RSA_BITS);
    }
    *out = keys;
    return 0;
}

void jose_keys_free(struct jose_keys *keys)
{
    if (!keys)
        return;
    for (size_t i = 0; i < keys->list.len; i++) {
        cjose_jwk_release(keys->list.items[i].jwk);
        free(keys->list.items[i].id);
        free(keys->list.items[i].alg);
    }
    vec_release(&keys->list);
    free(keys);
}

/* ---- tokens ---- */

static int check_form(const char *token, struct err *e)
{
    size_t len = strlen(token), dots = 0;

    for (const char *c = token; *c; c++)
        dots += *c == '.';
    if (len > JOSE_TOKEN_MAX)
        return err_set(e, ERR_TOOBIG, "the token has more than %zu bytes", JOSE_TOKEN_MAX);
    if (dots == 4)
        return err_set(e, ERR_UNSUPPORTED,
                       "the token is encrypted: have the provider sign tokens for this client and not encrypt them");
    if (dots != 2 || strspn(token, BASE64URL ".") != len || token[0] == '.' || strcspn(token, ".") > HEADER_MAX)
        return err_set(e, ERR_DENIED, "the token is no signed token");
    return 0;
}

static int find_algorithm(const char *name, const struct algorithm **out, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
        if (str_eq(algorithms[i].name, name)) {
            *out = &algorithms[i];
            return 0;
        }
    if (str_eq(name, "EdDSA"))
        return err_set(e, ERR_UNSUPPORTED,
                       "the token is signed with EdDSA, which this server cannot verify: have the provider sign with "
                       "ES256 or RS256 for this client");
    return err_set(e, ERR_UNSUPPORTED, "the token is signed with '%.20s': only RS256, PS256, ES256 and ES384 are taken",
                   name);
}

static int read_header(const char *token, const struct algorithm **algorithm, char **key_id, struct err *e)
{
    size_t len = strcspn(token, ".");
    uint8_t *bytes = NULL;
    size_t count = 0;
    cjose_err why;
    json_t *header = NULL;
    int rc;

    if (!cjose_base64url_decode(token, len, &bytes, &count, &why))
        return err_set(e, ERR_DENIED, "the token's header is not base64url");
    rc = json_read((const char *)bytes, count, HEADER_MAX, "the token's header", &header, e);
    cjose_get_dealloc()(bytes);
    if (rc < 0)
        return rc;
    if (!json_is_object(header) || json_object_get(header, "crit"))
        rc = err_set(e, ERR_UNSUPPORTED, "the token's header is none, or wants something that is not known here");
    else
        rc = find_algorithm(json_text(header, "alg", "none"), algorithm, e);
    if (rc == 0)
        *key_id = mem_strdup(json_text(header, "kid", ""));
    json_decref(header);
    return rc;
}

static bool fits(const struct jose_key *k, const struct algorithm *a, const char *key_id)
{
    return k->kind == a->kind && (!a->bits || k->bits == a->bits) && (!*k->alg || str_eq(k->alg, a->name)) &&
           (!*key_id || str_eq(k->id, key_id));
}

/* The claims of a token signed with the key; NULL: it is not. */
static char *signed_by(const struct jose_key *k, const char *token, size_t *len)
{
    cjose_err why;
    cjose_jws_t *jws = cjose_jws_import(token, strlen(token), &why);
    uint8_t *bytes = NULL;
    char *text = NULL;

    if (jws && cjose_jws_verify(jws, k->jwk, &why) && cjose_jws_get_plaintext(jws, &bytes, len, &why))
        text = mem_strndup((const char *)bytes, *len);
    if (jws)
        cjose_jws_release(jws);
    return text;
}

int jose_verify(const struct jose_keys *keys, const char *token, json_t **claims, bool *sha384, struct err *e)
{
    const struct algorithm *algorithm = NULL;
    char *key_id = NULL, *text = NULL;
    size_t tried = 0, len = 0;
    int rc = check_form(token, e);

    if (rc == 0)
        rc = read_header(token, &algorithm, &key_id, e);
    for (size_t i = 0; rc == 0 && !text && i < keys->list.len; i++)
        if (fits(&keys->list.items[i], algorithm, key_id)) {
            tried++;
            text = signed_by(&keys->list.items[i], token, &len);
        }
    if (rc == 0 && !text)
        rc = tried && *key_id ? err_set(e, ERR_DENIED, "the token's signature is wrong")
                              : err_set(e, ERR_MISSING, "the token is signed by a key that the provider does not list");
    if (rc == 0)
        rc = json_read(text, len, JOSE_TOKEN_MAX, "the token", claims, e);
    if (rc == 0 && !json_is_object(*claims)) {
        json_decref(*claims);
        rc = err_set(e, ERR_DENIED, "the token holds no claims");
    }
    if (rc == 0)
        *sha384 = algorithm->sha384;
    free(text);
    free(key_id);
    return rc;
}

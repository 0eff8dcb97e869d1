/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/secret.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/random.h"
#include "base/str.h"
#include "crypto/crypto.h"

#define SECRET_LEN        64
#define LEGACY_PREFIX_LEN 7
#define LEGACY_SECRET_LEN 32
#define OLDEST_PREFIX_LEN 10 /* headscale up to 0.24: the same numbers of bytes, as base64 */
#define OLDEST_SECRET_LEN 43
#define LEGACY_KEY_MAX    64

static const char *const starts[] = {[SECRET_PREAUTH_KEY] = "hskey-auth-",
                                     [SECRET_API_KEY] = "hskey-api-",
                                     [SECRET_OAUTH_CLIENT] = "hskey-client-",
                                     [SECRET_OAUTH_TOKEN] = "hskey-oauthtok-"};
static const char tailscale_client[] = "tskey-client-";
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void secret_digest(const char *secret, char out[SECRET_HASH_MAX])
{
    uint8_t digest[CRYPTO_HASH_LEN];
    struct buf b = BUF_INIT(SECRET_HASH_MAX);

    crypto_sha256(secret, strlen(secret), digest);
    buf_adds(&b, "sha256:");
    crypto_hex(&b, digest, sizeof(digest));
    str_copy(out, SECRET_HASH_MAX, buf_text(&b));
    buf_release(&b);
}

void secret_make(enum secret_kind kind, struct secret *out)
{
    char secret[SECRET_LEN + 1];

    crypto_random_hex(out->prefix, SECRET_PREFIX_LEN / 2);
    crypto_random_hex(secret, SECRET_LEN / 2);
    snprintf(out->text, sizeof(out->text), "%s%s-%s", starts[kind], out->prefix, secret);
    secret_digest(secret, out->hash);
    crypto_wipe(secret, sizeof(secret));
}

static bool of_alphabet(const char *text, size_t len)
{
    return strnlen(text, len) == len && strspn(text, alphabet) >= len;
}

static bool split_legacy(enum secret_kind kind, const char *text, char *prefix, const char **secret)
{
    size_t len = strnlen(text, LEGACY_KEY_MAX + 1);

    prefix[0] = '\0';
    *secret = text;
    if (kind != SECRET_PREAUTH_KEY && kind != SECRET_API_KEY)
        return false;
    if (kind == SECRET_PREAUTH_KEY)
        return len > 0 && len <= LEGACY_KEY_MAX && of_alphabet(text, len);
    size_t prefix_len = len == OLDEST_PREFIX_LEN + 1 + OLDEST_SECRET_LEN ? OLDEST_PREFIX_LEN : LEGACY_PREFIX_LEN;
    if ((len != OLDEST_PREFIX_LEN + 1 + OLDEST_SECRET_LEN && len != LEGACY_PREFIX_LEN + 1 + LEGACY_SECRET_LEN) ||
        text[prefix_len] != '.' || !of_alphabet(text, prefix_len) ||
        !of_alphabet(text + prefix_len + 1, len - prefix_len - 1))
        return false;
    memcpy(prefix, text, prefix_len);
    prefix[prefix_len] = '\0';
    *secret = text + prefix_len + 1;
    return true;
}

bool secret_split(enum secret_kind kind, const char *text, char prefix[SECRET_PREFIX_LEN + 1], const char **secret)
{
    const char *start =
        kind == SECRET_OAUTH_CLIENT && str_starts(text, tailscale_client) ? tailscale_client : starts[kind];

    if (!str_starts(text, start))
        return split_legacy(kind, text, prefix, secret);
    text += strlen(start);
    if (strnlen(text, SECRET_TEXT_MAX) != SECRET_PREFIX_LEN + 1 + SECRET_LEN || text[SECRET_PREFIX_LEN] != '-' ||
        !of_alphabet(text, SECRET_PREFIX_LEN) || !of_alphabet(text + SECRET_PREFIX_LEN + 1, SECRET_LEN))
        return false;
    memcpy(prefix, text, SECRET_PREFIX_LEN);
    prefix[SECRET_PREFIX_LEN] = '\0';
    *secret = text + SECRET_PREFIX_LEN + 1;
    return true;
}

bool secret_is_slow(const char *secret_hash)
{
    return secret_hash[0] == '$';
}

bool secret_fits(const char *secret_hash, const char *secret)
{
    char digest[SECRET_HASH_MAX];

    if (secret_is_slow(secret_hash))
        return str_starts(secret_hash, "$argon2id$") ? crypto_argon2id_fits(secret, secret_hash)
                                                     : crypto_bcrypt_fits(secret, secret_hash);
    if (str_starts(secret_hash, "plain:")) {
        const char *want = secret_hash + strlen("plain:");
        return strlen(want) == strlen(secret) && crypto_equal(want, secret, strlen(want));
    }
    secret_digest(secret, digest);
    return strlen(secret_hash) == strlen(digest) && crypto_equal(secret_hash, digest, strlen(digest));
}

char *secret_masked(enum secret_kind kind, const char *prefix, const char *secret_hash, char text[SECRET_TEXT_MAX])
{
    size_t len = strlen(prefix);

    if (len == 0 && str_starts(secret_hash, "plain:"))
        snprintf(text, SECRET_TEXT_MAX, "%.6s***", secret_hash + strlen("plain:"));
    else if (len == LEGACY_PREFIX_LEN || len == OLDEST_PREFIX_LEN)
        snprintf(text, SECRET_TEXT_MAX, "%s***", prefix);
    else
        snprintf(text, SECRET_TEXT_MAX, "%s%.*s-***", starts[kind], SECRET_PREFIX_LEN, prefix);
    return text;
}

int secret_prefix_parse(enum secret_kind kind, const char *text, char prefix[SECRET_PREFIX_LEN + 1], struct err *e)
{
    const char *at = text, *secret;
    size_t len;

    if (secret_split(kind, text, prefix, &secret) && *prefix)
        return 0;
    if (str_starts(at, starts[kind]))
        at += strlen(starts[kind]);
    len = strnlen(at, SECRET_TEXT_MAX);
    if (len > 3 && str_eq(at + len - 3, "***"))
        len -= 3;
    if (len == SECRET_PREFIX_LEN + 1 && at[SECRET_PREFIX_LEN] == '-')
        len--;
    if ((len != SECRET_PREFIX_LEN && len != LEGACY_PREFIX_LEN && len != OLDEST_PREFIX_LEN) || !of_alphabet(at, len))
        return err_field(e, ERR_INVALID, "prefix",
                         "'%.80s' is not the prefix of a key: it has %d characters, or %d or "
                         "%d",
                         text, SECRET_PREFIX_LEN, LEGACY_PREFIX_LEN, OLDEST_PREFIX_LEN);
    memcpy(prefix, at, len);
    prefix[len] = '\0';
    return 0;
}

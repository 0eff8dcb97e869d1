/* SPDX-License-Identifier: BSD-3-Clause */
/* What OpenID providers and browsers send: the first byte says whether it is a key set, a token or claims. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/config.h"
#include "login/claims.h"
#include "login/jose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_claims(const struct config_provider *p, const char *text, size_t len)
{
    const struct claims_expected x = {.issuer = "https://id.example.com", .client_id = "c", .nonce = "n", .now_s = 1};
    struct login_claims out = {0};
    json_t *claims = NULL, *info = NULL;

    if (json_read(text, len, 65536, "a token", &claims, NULL) < 0)
        return;
    (void)!claims_check(claims, &x, NULL);
    if (json_is_object(claims)) {
        info = json_deep_copy(claims);
        (void)claims_overlay(claims, info);
    }
    if (claims_read(claims, p, &out, NULL) == 0)
        (void)!claims_allowed(p, &out, NULL);
    claims_release(&out);
    json_decref(claims);
    json_decref(info);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char config[] = "server_url: http://h:1\noidc: {issuer: 'https://id.example.com', client_id: c, "
                                 "client_secret: s, groups_claim: a.b, allowed_groups: [g], allowed_domains: [d]}\n";
    static const char set[] =
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KP"
        "Aqv7D4\",\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}]}"; /* RFC 7517, A.1 */
    static struct config *c;
    static struct jose_keys *keys;
    struct jose_keys *read = NULL;
    json_t *claims = NULL;
    bool sha384;

    if (!c && (config_parse(config, strlen(config), "config.yaml", &c, NULL, NULL) < 0 ||
               jose_keys_read(set, strlen(set), &keys, NULL) < 0))
        __builtin_trap();
    if (!size)
        return 0;
    char *text = mem_strndup((const char *)data + 1, size - 1);
    switch (data[0] % 3) {
    case 0:
        if (jose_keys_read(text, strlen(text), &read, NULL) == 0)
            jose_keys_free(read);
        break;
    case 1:
        if (jose_verify(keys, text, &claims, &sha384, NULL) == 0)
            __builtin_trap(); /* nobody has the key */
        break;
    default:
        read_claims(config_provider(c, 0), text, strlen(text));
        break;
    }
    free(text);
    return 0;
}

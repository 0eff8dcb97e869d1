/* SPDX-License-Identifier: BSD-3-Clause */
/* Which tokens are accepted. tokens.json contains a key set, a token for each of its keys, and a key that is too weak;
 * they were made with openssl by tests/shared/openid_provider.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/file.h"
#include "base/mem.h"
#include "login/encoding.h"
#include "login/jose.h"

static json_t *vectors;
static struct jose_keys *keys;

static int begin(void **state)
{
    struct buf text = BUF_INIT(1 << 20);

    (void)state;
    assert_int_equal(file_read("tests/unit/login/tokens.json", FILE_ANY, &text, NULL), 0);
    assert_int_equal(json_read(buf_text(&text), text.len, 1 << 20, "tokens.json", &vectors, NULL), 0);
    buf_release(&text);
    const char *set = json_text(vectors, "keys", "");
    assert_int_equal(jose_keys_read(set, strlen(set), &keys, NULL), 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    jose_keys_free(keys);
    json_decref(vectors);
    return 0;
}

static const char *token_of(const char *algorithm)
{
    return json_text(json_object_get(vectors, "tokens"), algorithm, "");
}

static int verify(const char *token, struct err *e)
{
    json_t *claims = NULL;
    bool sha384;
    int rc = jose_verify(keys, token, &claims, &sha384, e);

    json_decref(claims);
    return rc;
}

static void each_algorithm_is_taken(void **state)
{
    static const char *const names[] = {"RS256", "PS256", "ES256", "ES384"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        json_t *claims = NULL;
        bool sha384 = false;
        assert_int_equal(jose_verify(keys, token_of(names[i]), &claims, &sha384, NULL), 0);
        assert_string_equal(json_text(claims, "sub", ""), "7");
        assert_int_equal(sha384, i == 3);
        json_decref(claims);
    }
}

static void no_byte_can_be_changed(void **state)
{
    char *token = mem_strdup(token_of("ES256"));
    size_t len = strlen(token);

    (void)state;
    for (size_t i = 0; i + 1 < len; i++) { /* the last digit has bits that nothing stands for */
        char kept = token[i];
        token[i] = kept == 'A' ? 'B' : 'A';
        assert_int_not_equal(verify(token, NULL), 0);
        token[i] = kept;
    }
    for (size_t cut = 0; cut < len; cut++) {
        char kept = token[cut];
        token[cut] = '\0';
        assert_int_not_equal(verify(token, NULL), 0);
        token[cut] = kept;
    }
    assert_int_equal(verify(token, NULL), 0);
    free(token);
}

/* The payload and signature of a good token behind another header. */
static void assert_header(const char *header, int code, const char *said)
{
    struct buf token = BUF_INIT(0);
    struct err e = {0};

    encode_base64url(&token, header, strlen(header));
    buf_adds(&token, strchr(token_of("RS256"), '.'));
    int rc = verify(buf_text(&token), &e);
    if (rc != code || !strstr(e.message, said))
        fail_msg("%s: %d %s", header, rc, e.message);
    buf_release(&token);
}

static void headers_lead_nobody_astray(void **state)
{
    (void)state;
    assert_header("{\"alg\":\"none\"}", ERR_UNSUPPORTED, "'none'");
    assert_header("{}", ERR_UNSUPPORTED, "'none'");
    assert_header("{\"alg\":7}", ERR_UNSUPPORTED, "'none'");
    assert_header("{\"alg\":\"HS256\",\"kid\":\"rs256\"}", ERR_UNSUPPORTED, "'HS256'");
    assert_header("{\"alg\":\"EdDSA\"}", ERR_UNSUPPORTED, "EdDSA");
    assert_header("{\"alg\":\"rs256\"}", ERR_UNSUPPORTED, "'rs256'");
    assert_header("{\"alg\":\"RS256\",\"kid\":\"rs256\",\"crit\":[\"b64\"],\"b64\":false}", ERR_UNSUPPORTED,
                  "not known");
    assert_header("{\"alg\":\"RS256\",\"kid\":\"nobody\"}", ERR_MISSING, "does not list");
    assert_header("{\"alg\":\"ES256\",\"kid\":\"rs256\"}", ERR_MISSING, "does not list"); /* a key of another kind */
    assert_header("{\"alg\":\"RS256\",\"kid\":\"rs256\",\"x\":1}", ERR_DENIED, "signature");
    assert_header("[]", ERR_UNSUPPORTED, "header");
    assert_int_equal(verify("eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d", NULL), ERR_UNSUPPORTED);
    assert_int_equal(verify("", NULL), ERR_DENIED);
    assert_int_equal(verify("..", NULL), ERR_DENIED);
    assert_int_equal(verify("a.b.c\n", NULL), ERR_DENIED);
}

static void a_token_is_bounded(void **state)
{
    char *long_one = mem_alloc(JOSE_TOKEN_MAX + 8);

    (void)state;
    memset(long_one, 'A', JOSE_TOKEN_MAX + 7);
    long_one[10] = long_one[20] = '.';
    assert_int_equal(verify(long_one, NULL), ERR_TOOBIG);
    free(long_one);
}

static void only_keys_that_can_verify_are_kept(void **state)
{
    static const char *const sets[] = {
        "",
        "[]",
        "{}",
        "{\"keys\":7}",
        "{\"keys\":[]}",
        "{\"keys\":[7,null,{}]}",
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AA\",\"e\":\"AQAB\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}]}",
    };
    const char *weak = json_text(vectors, "weak", "");
    struct jose_keys *none = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sets); i++)
        assert_int_not_equal(jose_keys_read(sets[i], strlen(sets[i]), &none, NULL), 0);
    assert_int_equal(jose_keys_read(weak, strlen(weak), &none, NULL), ERR_INVALID);
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_algorithm_is_taken),
        cmocka_unit_test(no_byte_can_be_changed),
        cmocka_unit_test(headers_lead_nobody_astray),
        cmocka_unit_test(a_token_is_bounded),
        cmocka_unit_test(only_keys_that_can_verify_are_kept),
    };
    return cmocka_run_group_tests(tests, begin, end);
}

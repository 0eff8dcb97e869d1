/* SPDX-License-Identifier: BSD-3-Clause */
/* The wrapper produces the results of the standards' test vectors, in one piece and in several. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/str.h"
#include "crypto/crypto.h"

static void unhex(const char *text, uint8_t *out, size_t len)
{
    assert_true(crypto_unhex(text, strlen(text), out, len));
}

static void assert_hex(const uint8_t *bytes, size_t len, const char *text)
{
    uint8_t want[64];

    unhex(text, want, len);
    assert_memory_equal(bytes, want, len);
}

static void digests_match_their_vectors(void **state)
{
    uint8_t out[CRYPTO_HASH_LEN], key[32];

    (void)state;
    crypto_sha256("abc", 3, out);
    assert_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    /* RFC 7693, appendix B */
    crypto_blake2s((struct crypto_part[]){{"a", 1}, {"bc", 2}}, 2, out);
    assert_hex(out, 32, "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982");
    for (uint8_t i = 0; i < 32; i++)
        key[i] = i;
    crypto_hmac_blake2s(key, 32, &(struct crypto_part){"abc", 3}, 1, out);
    assert_hex(out, 32, "82623be5bc0a391b24dce53e67d028eff92d586de0485ac37822e597d049c74f");
}

static void a_digest_may_replace_its_input(void **state)
{
    uint8_t h[CRYPTO_HASH_LEN], want[CRYPTO_HASH_LEN];

    (void)state;
    crypto_blake2s(&(struct crypto_part){"x", 1}, 1, h);
    crypto_blake2s((struct crypto_part[]){{h, 32}, {"y", 1}}, 2, want);
    crypto_blake2s((struct crypto_part[]){{h, 32}, {"y", 1}}, 2, h);
    assert_memory_equal(h, want, 32);
}

static void x25519_agrees_and_refuses_points_that_force_zero(void **state)
{
    static const uint8_t zero[32];
    uint8_t a_priv[32], a_pub[32], b_pub[32], ab[32], ba[32];

    (void)state;
    crypto_x25519_generate(a_priv, a_pub);
    struct crypto_dh *a = crypto_dh_new(a_priv), *b = crypto_dh_generate(b_pub);
    assert_int_equal(crypto_dh_shared(a, b_pub, ab), 0);
    assert_int_equal(crypto_dh_shared(b, a_pub, ba), 0);
    assert_memory_equal(ab, ba, 32);
    assert_int_equal(crypto_dh_shared(a, zero, ab), ERR_INVALID);
    crypto_dh_free(a);
    crypto_dh_free(b);
    /* A pair that Go's curve25519 package made. */
    unhex("404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f", a_priv, 32);
    crypto_x25519_public(a_priv, a_pub);
    assert_hex(a_pub, 32, "79a631eede1bf9c98f12032cdeadd0e7a079398fc786b88cc846ec89af85a51a");
}

static void a_message_sealed_in_pieces_opens_whole_and_nothing_else_opens(void **state)
{
    uint8_t key[32] = {7}, nonce[12] = {0}, text[300], sealed[300], back[300], tag[16];

    (void)state;
    memset(text, 'a', sizeof(text));
    struct crypto_aead *seal = crypto_aead_new(key, true), *open = crypto_aead_new(key, false);
    for (unsigned round = 0; round < 3; round++) {
        nonce[11] = (uint8_t)round;
        crypto_aead_begin(seal, nonce, NULL, 0);
        crypto_aead_update(seal, text, 1, sealed);
        crypto_aead_update(seal, text + 1, 130, sealed + 1);
        crypto_aead_update(seal, text + 131, 169, sealed + 131);
        crypto_aead_seal_end(seal, tag);
        crypto_aead_begin(open, nonce, NULL, 0);
        crypto_aead_update(open, sealed, sizeof(sealed), back);
        assert_true(crypto_aead_open_end(open, tag));
        assert_memory_equal(back, text, sizeof(text));
        sealed[299] ^= 1;
        crypto_aead_begin(open, nonce, NULL, 0);
        crypto_aead_update(open, sealed, sizeof(sealed), back);
        assert_false(crypto_aead_open_end(open, tag));
    }
    crypto_aead_free(seal);
    crypto_aead_free(open);
}

static void imported_bcrypt_rows_are_verified(void **state)
{
    static const char hash[] = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

    (void)state;
    assert_false(crypto_bcrypt_fits("U*V", hash));
    assert_false(crypto_bcrypt_fits("x", "$6$abc$def"));
    assert_false(crypto_bcrypt_fits("x", ""));
    assert_false(crypto_bcrypt_fits("x", "$2a$"));
    assert_true(crypto_bcrypt_fits("U*U", hash)); /* a vector of crypt_blowfish's own tests */
}

static void bytes_as_text_and_back(void **state)
{
    static const char *const bad[] = {"QR==", "QQ=", "QQ", "QUJD\n", "Q===", "=", "QQ==QQ==", "Q-_="};
    struct buf b = BUF_INIT(16);
    uint8_t out[8];
    char hex[41];

    (void)state;
    crypto_hex(&b, "\0\xffz", 3);
    assert_string_equal(buf_text(&b), "00ff7a");
    crypto_hex(&b, "123456", 6);
    assert_true(b.failed); /* past the ceiling */
    buf_release(&b);
    assert_true(crypto_unhex("00fF7A", 6, out, 3));
    assert_memory_equal(out, "\0\xffz", 3);
    assert_false(crypto_unhex("00ff7", 5, out, 3));
    assert_false(crypto_unhex("00ff7a", 6, out, 2));
    assert_false(crypto_unhex("00ffg0", 6, out, 3));
    crypto_base64(&b, "headway", 7);
    assert_string_equal(buf_text(&b), "aGVhZHdheQ==");
    buf_release(&b);
    assert_int_equal(crypto_unbase64("aGVhZHdheQ==", 12, out, sizeof(out)), 7);
    assert_memory_equal(out, "headway", 7);
    assert_int_equal(crypto_unbase64("aGVhZHdheQ==", 12, out, 6), -1);
    assert_int_equal(crypto_unbase64("", 0, out, 0), 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(crypto_unbase64(bad[i], strlen(bad[i]), out, sizeof(out)), -1);
    crypto_random_hex(hex, 20);
    assert_int_equal(strlen(hex), 40);
    assert_int_equal(strspn(hex, "0123456789abcdef"), 40);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_match_their_vectors),
        cmocka_unit_test(bytes_as_text_and_back),
        cmocka_unit_test(a_digest_may_replace_its_input),
        cmocka_unit_test(x25519_agrees_and_refuses_points_that_force_zero),
        cmocka_unit_test(a_message_sealed_in_pieces_opens_whole_and_nothing_else_opens),
        cmocka_unit_test(imported_bcrypt_rows_are_verified),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

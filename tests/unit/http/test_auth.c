/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys as text (made, split, verified, shown without their secret), and the identity of a request's sender. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/auth.h"
#include "base/array.h"
#include "base/mem.h"
#include "model/secret.h"
#include <stdio.h>

#define S64      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define S32      "0123456789abcdef0123456789abcdef"
#define ARGON2ID "$argon2id$v=19$m=19456,t=2,p=1$WzS9vp/KmVmDb1m1uCwdww$DQfwdThhdrwfDHOBrrQKB7fJtRMH9EjJvMsZb8NzT5U"
#define BCRYPT   "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW" /* of "U*U": crypt_blowfish's vector */

static void a_made_key_fits_its_own_hash_only(void **state)
{
    struct secret a, b;
    char prefix[SECRET_PREFIX_LEN + 1];
    const char *secret;

    (void)state;
    for (int kind = SECRET_PREAUTH_KEY; kind <= SECRET_API_KEY; kind++) {
        secret_make((enum secret_kind)kind, &a);
        secret_make((enum secret_kind)kind, &b);
        assert_true(secret_split((enum secret_kind)kind, a.text, prefix, &secret));
        assert_string_equal(prefix, a.prefix);
        assert_true(secret_fits(a.hash, secret));
        assert_false(secret_fits(b.hash, secret));
        assert_null(strstr(a.hash, secret));
        assert_false(secret_is_slow(a.hash));
    }
}

static void keys_are_cut_by_length(void **state)
{
    static const struct {
        enum secret_kind kind;
        const char *text, *prefix, *secret;
    } cases[] = {
        {SECRET_API_KEY, "hskey-api-0123456789ab-" S64, "0123456789ab", S64},
        {SECRET_API_KEY, "hskey-api--_A3456789-b-" S64, "-_A3456789-b", S64},
        {SECRET_API_KEY, "abcdefg." S32, "abcdefg", S32},
        {SECRET_API_KEY, "abcdefghij." S32 "0123456789a", "abcdefghij", S32 "0123456789a"},
        {SECRET_API_KEY, "abcdefg." S32 "0123456789a", NULL, NULL},
        {SECRET_API_KEY, "abcdefghij." S32, NULL, NULL},
        {SECRET_PREAUTH_KEY, "hskey-auth-0123456789ab-" S64, "0123456789ab", S64},
        {SECRET_PREAUTH_KEY, S32 "0123456789abcdef", "", S32 "0123456789abcdef"},
        {SECRET_API_KEY, "hskey-auth-0123456789ab-" S64, NULL, NULL},
        {SECRET_API_KEY, "hskey-api-0123456789ab-" S64 "0", NULL, NULL},
        {SECRET_API_KEY, "hskey-api-0123456789ab_" S64, NULL, NULL},
        {SECRET_API_KEY, "hskey-api-0123456789ab-", NULL, NULL},
        {SECRET_API_KEY, "hskey-api-01234567'9ab-" S64, NULL, NULL},
        {SECRET_API_KEY, "abcdef." S32 "0", NULL, NULL},
        {SECRET_API_KEY, "", NULL, NULL},
        {SECRET_PREAUTH_KEY, "", NULL, NULL},
        {SECRET_PREAUTH_KEY, "with blank", NULL, NULL},
        {SECRET_PREAUTH_KEY, S64 "0", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char prefix[SECRET_PREFIX_LEN + 1];
        const char *secret;
        bool cut = secret_split(cases[i].kind, cases[i].text, prefix, &secret);

        assert_int_equal(cut, cases[i].secret != NULL);
        if (cut) {
            assert_string_equal(prefix, cases[i].prefix);
            assert_string_equal(secret, cases[i].secret);
        }
    }
}

static void imported_rows_are_verified(void **state)
{
    (void)state;
    assert_true(secret_fits("plain:" S32, S32));
    assert_false(secret_fits("plain:" S32, S64));
    assert_false(secret_fits("plain:", "x"));
    assert_false(secret_fits("", ""));
    assert_true(secret_is_slow(BCRYPT));
    assert_true(secret_fits(BCRYPT, "U*U"));
    assert_false(secret_fits(BCRYPT, "U*V"));
    assert_true(secret_is_slow(ARGON2ID));
    assert_true(secret_fits(ARGON2ID, S64));
    assert_false(secret_fits(ARGON2ID, S32));
    /* Nobody makes the server compute for minutes, or fill its memory. */
    assert_false(secret_fits("$argon2id$v=19$m=4194304,t=2,p=1$WzS9vp/KmVmDb1m1uCwdww$"
                             "DQfwdThhdrwfDHOBrrQKB7fJtRMH9EjJvMsZb8NzT5U",
                             S64));
    assert_false(secret_fits("$argon2id$v=19$m=19456,t=99,p=1$WzS9vp/KmVmDb1m1uCwdww$"
                             "DQfwdThhdrwfDHOBrrQKB7fJtRMH9EjJvMsZb8NzT5U",
                             S64));
    assert_false(secret_fits("$argon2id$", S64));
}

static void a_client_is_known_by_its_imported_secret(void **state)
{
    struct oauth_client *c = oauth_client_new();
    const struct oauth_client *list[] = {c}, *found;
    struct tailnet_snapshot s = {.oauth_clients = list, .oauth_client_count = 1};
    struct auth *a = auth_new();
    char fast[SECRET_HASH_MAX];
    struct err e;
    bool slow;

    (void)state;
    mem_replace(&c->client_id, "0123456789ab");
    mem_replace(&c->secret_hash, ARGON2ID);
    assert_int_equal(auth_client(a, &s, "hskey-client-0123456789ab-" S64, false, &slow, &found, fast, &e), 0);
    assert_true(slow && !found); /* nothing that takes long was computed */
    assert_int_equal(auth_client(a, &s, "hskey-client-0123456789ab-" S64, true, &slow, &found, fast, &e), 0);
    assert_ptr_equal(found, c);
    assert_true(secret_fits(fast, S64));
    assert_int_equal(auth_client(a, &s, "hskey-client-0123456789ac-" S64, true, &slow, &found, fast, &e),
                     ERR_UNAUTHENTICATED);
    record_unref(c);
    auth_free(a);
}

static void prefixes_are_shown_and_read_back(void **state)
{
    static const char *const forms[] = {"0123456789ab", "hskey-api-0123456789ab", "hskey-api-0123456789ab-***",
                                        ("hskey-api-0123456789ab-" S64)};
    char prefix[SECRET_PREFIX_LEN + 1], text[SECRET_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        assert_int_equal(secret_prefix_parse(SECRET_API_KEY, forms[i], prefix, NULL), 0);
        assert_string_equal(prefix, "0123456789ab");
    }
    assert_int_equal(secret_prefix_parse(SECRET_API_KEY, "abcdefg***", prefix, NULL), 0);
    assert_string_equal(prefix, "abcdefg");
    assert_int_equal(secret_prefix_parse(SECRET_API_KEY, "abc", prefix, NULL), ERR_INVALID);
    assert_int_equal(secret_prefix_parse(SECRET_API_KEY, "", prefix, NULL), ERR_INVALID);
    assert_string_equal(secret_masked(SECRET_API_KEY, "abcdefg", "$2a$", text), "abcdefg***");
    assert_string_equal(secret_masked(SECRET_PREAUTH_KEY, "0123456789ab", "sha256:", text),
                        "hskey-auth-0123456789ab-***");
    assert_string_equal(secret_masked(SECRET_PREAUTH_KEY, "", "plain:" S32, text), "012345***");
}

static void a_bearer_is_known_by_its_key(void **state)
{
    struct secret made;
    struct api_key *k = api_key_new();
    const struct api_key *list[] = {k};
    struct tailnet_snapshot s = {.api_keys = list, .api_key_count = 1};
    struct auth *a = auth_new();
    struct auth_who who;
    struct err e;

    (void)state;
    secret_make(SECRET_API_KEY, &made);
    k->r.id = 5;
    mem_replace(&k->prefix, made.prefix);
    mem_replace(&k->secret_hash, made.hash);
    k->expiration_ns = 1000;
    char *good = mem_format("Bearer %s", made.text), *lower = mem_format("bearer %s", made.text);
    char *bad = mem_format("Bearer %s", made.text), *last = bad + strlen(bad) - 1;
    *last = *last == '0' ? '1' : '0';

    assert_int_equal(auth_header(a, &s, good, 999, &who, &e), 0);
    assert_int_equal(who.key_id, 5);
    assert_false(who.read_only);
    assert_string_equal(who.actor, "API key 5"); /* nobody knows its key by its prefix */
    assert_int_equal(auth_header(a, &s, good, 1000, &who, &e), ERR_UNAUTHENTICATED);
    assert_string_equal(e.message, "Unauthorized");
    assert_int_equal(auth_header(a, &s, bad, 999, &who, &e), ERR_UNAUTHENTICATED);
    assert_int_equal(auth_header(a, &s, lower, 999, &who, &e), ERR_UNAUTHENTICATED);
    assert_int_equal(auth_header(a, &s, "Bearer ", 999, &who, &e), ERR_UNAUTHENTICATED);
    assert_int_equal(auth_header(a, &s, NULL, 999, &who, &e), ERR_UNAUTHENTICATED);
    k->expiration_ns = 0;
    k->read_only = true;
    mem_replace(&k->description, "cron");
    assert_int_equal(auth_header(a, &s, good, INT64_MAX, &who, &e), 0);
    assert_true(who.read_only);
    assert_string_equal(who.actor, "cron");
    s.api_key_count = 0;
    assert_int_equal(auth_header(a, &s, good, 999, &who, &e), ERR_UNAUTHENTICATED);
    free(good);
    free(lower);
    free(bad);
    record_unref(k);
    auth_free(a);
}

static void an_imported_key_is_remembered_until_it_changes(void **state)
{
    struct api_key *k = api_key_new();
    const struct api_key *list[] = {k};
    struct tailnet_snapshot s = {.api_keys = list, .api_key_count = 1};
    struct auth *a = auth_new();
    struct auth_who who;

    (void)state;
    mem_replace(&k->prefix, "abcdefg");
    /* bcrypt of S32, cost 4 */
    mem_replace(&k->secret_hash, "$2b$04$Y0Hpq7WFrmA2BQRIEKx5XueRzZs5a1UlwKfkmX4c9A0kfbImx337m");
    for (int round = 0; round < 2; round++)
        assert_int_equal(auth_header(a, &s, "Bearer abcdefg." S32, 1, &who, NULL), 0);
    mem_replace(&k->secret_hash, BCRYPT);
    assert_int_equal(auth_header(a, &s, "Bearer abcdefg." S32, 1, &who, NULL), ERR_UNAUTHENTICATED);
    record_unref(k);
    auth_free(a);
}

/* Whoever knows a key's prefix and tries secrets does not keep the server computing, and hinders nobody who was let in.
 */
static void who_tries_secrets_of_an_imported_key_waits(void **state)
{
    static const char good[] = "Bearer abcdefg." S32;
    struct api_key *k = api_key_new();
    const struct api_key *list[] = {k};
    struct tailnet_snapshot s = {.api_keys = list, .api_key_count = 1};
    struct auth *a = auth_new();
    struct auth_who who;
    char other[64];

    (void)state;
    mem_replace(&k->prefix, "abcdefg");
    mem_replace(&k->secret_hash, "$2b$12$Y0Hpq7WFrmA2BQRIEKx5XueRzZs5a1UlwKfkmX4c9A0kfbImx337m"); /* of something */
    snprintf(other, sizeof(other), "%s", good);
    other[strlen(other) - 1] ^= 1;
    assert_int_equal(auth_header(a, &s, good, 1, &who, NULL), ERR_UNAUTHENTICATED);
    assert_int_equal(auth_header(a, &s, good, 1, &who, NULL), ERR_UNAUTHENTICATED); /* remembered */
    assert_int_equal(auth_header(a, &s, other, 1, &who, NULL), ERR_BUSY);
    mem_replace(&k->secret_hash, "$2b$04$Y0Hpq7WFrmA2BQRIEKx5XueRzZs5a1UlwKfkmX4c9A0kfbImx337m"); /* of S32 */
    assert_int_equal(auth_header(a, &s, good, 1, &who, NULL), 0);
    assert_true(secret_fits(who.fast_hash, S32) && !secret_is_slow(who.fast_hash));
    (void)!auth_header(a, &s, other, 1, &who, NULL);
    assert_int_equal(auth_header(a, &s, good, 1, &who, NULL), 0);
    record_unref(k);
    auth_free(a);
}

static void a_socket_s_peer_has_a_name(void **state)
{
    int pair[2];
    struct auth_who who;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    auth_peer(pair[0], &who);
    assert_true(who.actor[0] != '\0');
    assert_int_equal(who.key_id, 0);
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_made_key_fits_its_own_hash_only),
        cmocka_unit_test(keys_are_cut_by_length),
        cmocka_unit_test(imported_rows_are_verified),
        cmocka_unit_test(a_client_is_known_by_its_imported_secret),
        cmocka_unit_test(prefixes_are_shown_and_read_back),
        cmocka_unit_test(a_bearer_is_known_by_its_key),
        cmocka_unit_test(an_imported_key_is_remembered_until_it_changes),
        cmocka_unit_test(who_tries_secrets_of_an_imported_key_waits),
        cmocka_unit_test(a_socket_s_peer_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

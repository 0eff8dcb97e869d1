/* SPDX-License-Identifier: BSD-3-Clause */
/* What a token must contain, which claims are read, and who may log in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/array.h"
#include "base/mem.h"
#include "login/claims.h"
#include "login/encoding.h"
#include "login/state.h"

#define NOW 1800000000

static json_t *object(const char *text)
{
    json_t *value = NULL;

    assert_int_equal(json_read(text, strlen(text), 1 << 20, "a test", &value, NULL), 0);
    return value;
}

static struct config *configured(const char *more)
{
    char *text = mem_format("server_url: http://h:1\noidc: {issuer: 'https://id.example.com', client_id: c, "
                            "client_secret: s%s%s}\n",
                            *more ? ", " : "", more);
    struct config *c = NULL;

    assert_int_equal(config_parse(text, strlen(text), "config.yaml", &c, NULL, NULL), 0);
    free(text);
    return c;
}

static void each_fault_of_a_token_is_seen(void **state)
{
    static const struct {
        const char *change, *said; /* said NULL: it is taken */
    } cases[] = {
        {"{}", NULL},
        {"{\"iss\":\"https://id.example.com/\"}", "another issuer"},
        {"{\"iss\":7}", "another issuer"},
        {"{\"aud\":[\"x\",\"c\"]}", NULL},
        {"{\"aud\":[\"x\"]}", "another client"},
        {"{\"aud\":{\"c\":1}}", "another client"},
        {"{\"azp\":\"c\"}", NULL},
        {"{\"azp\":\"x\"}", "another client"},
        {"{\"azp\":null}", "another client"},
        {"{\"sub\":\"\"}", "no subject"},
        {"{\"sub\":7}", "no subject"},
        {"{\"nonce\":\"m\"}", "another login"},
        {"{\"nonce\":null}", "another login"},
        {"{\"exp\":1799999939}", "expired"},
        {"{\"exp\":1799999941}", NULL},
        {"{\"exp\":1799999941.5}", NULL},
        {"{\"exp\":\"1900000000\"}", "when it expires"},
        {"{\"exp\":-1e300}", "expired"},
        {"{\"iat\":1800000599}", NULL},
        {"{\"iat\":1800000601}", "another time"},
        {"{\"iat\":1799999399}", "another time"},
        {"{\"iat\":null}", "when it was issued"},
        {"{\"nbf\":1800000061}", "not valid yet"},
        {"{\"at_hash\":\"x\"}", "access token"},
        {"{\"at_hash\":\"77QmUPtjPfzWtF2AnpK9RQ\"}", NULL}, /* OpenID Connect Core, A.3 */
    };
    const struct claims_expected x = {.issuer = "https://id.example.com",
                                      .client_id = "c",
                                      .nonce = "n",
                                      .access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y",
                                      .now_s = NOW};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        json_t *token = object("{\"iss\":\"https://id.example.com\",\"aud\":\"c\",\"sub\":\"7\",\"nonce\":\"n\","
                               "\"exp\":1800000300,\"iat\":1800000000}"),
               *change = object(cases[i].change);
        struct err e = {0};
        json_object_update(token, change);
        int rc = claims_check(token, &x, &e);
        if (cases[i].said ? rc != ERR_DENIED || !strstr(e.message, cases[i].said) : rc != 0)
            fail_msg("%s: %s", cases[i].change, e.message);
        json_decref(token);
        json_decref(change);
    }
}

/* at_hash is the left half of the hash that the signature is made with: of SHA-384 24 bytes. */
static void the_hash_of_the_access_token_is_that_of_the_signature(void **state)
{
    struct claims_expected x = {.issuer = "i", .client_id = "c", .access_token = "a token", .now_s = NOW};
    static const char *const hashes[] = {"4zFuK6_rthA6NBjod4wK3A", "gGr_cEg-M6uNKB4gqr5xfOVCgEZQ2HAw"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        json_t *token = object("{\"iss\":\"i\",\"aud\":\"c\",\"sub\":\"7\",\"exp\":1800000300,\"iat\":1800000000}");
        json_object_set_new(token, "at_hash", json_string(hashes[i]));
        for (int sha384 = 0; sha384 < 2; sha384++) {
            x.sha384 = sha384;
            assert_int_equal(claims_check(token, &x, NULL), sha384 == (int)i ? 0 : ERR_DENIED);
        }
        json_decref(token);
    }
}

static void what_nobody_can_show_is_left_out(void **state)
{
    struct config *c = configured("groups_claim: 'https://h.example.com/groups', email_claim: mail.first");
    json_t *claims = object("{\"sub\":\"7\",\"preferred_username\":\"a\\u000ab\",\"mail\":{\"first\":\"a@b@c\"},"
                            "\"name\":\"\\u0007\",\"picture\":\"javascript:x\",\"email_verified\":\"TRUE\",\"https://"
                            "h.example.com/groups\":"
                            "[\"x\",\"\",7,\"b\\u0001c\",\"x\",null,\"a b\"]}");
    struct login_claims out;

    (void)state;
    assert_int_equal(claims_read(claims, config_provider(c, 0), &out, NULL), 0);
    assert_string_equal(out.subject, "7");
    assert_string_equal(out.username, "");
    assert_string_equal(out.email, "");
    assert_string_equal(out.display_name, "");
    assert_string_equal(out.picture_url, "");
    assert_int_equal(out.email_verified, CLAIM_ABSENT); /* it is of the claim email */
    assert_int_equal(out.groups.len, 2);
    assert_string_equal(out.groups.items[0], "a b");
    assert_string_equal(out.groups.items[1], "x");
    claims_release(&out);
    json_decref(claims);
    config_unref(c);
}

static void groups_are_bounded(void **state)
{
    struct config *c = configured("");
    json_t *claims = object("{\"sub\":\"7\"}"), *groups = json_array();
    struct login_claims out;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        char *name = mem_format("g%d", i);
        json_array_append_new(groups, json_string(name));
        free(name);
    }
    json_object_set_new(claims, "groups", groups);
    assert_int_equal(claims_read(claims, config_provider(c, 0), &out, NULL), 0);
    assert_int_equal(out.groups.len, 1000);
    claims_release(&out);
    json_decref(claims);
    config_unref(c);
}

static void a_refresh_keeps_out_by_what_it_says_alone(void **state)
{
    static const struct {
        const char *claims;
        int rc;
    } cases[] = {
        {"{\"sub\":\"7\"}", 0},
        {"{\"sub\":\"7\",\"groups\":null}", 0},
        {"{\"sub\":\"7\",\"groups\":[\"eng\"]}", 0},
        {"{\"sub\":\"7\",\"groups\":[]}", ERR_DENIED},
        {"{\"sub\":\"7\",\"groups\":[],\"hasgroups\":true}", 0},
        {"{\"sub\":\"7\",\"email\":\"a@example.com\",\"email_verified\":true}", 0},
        {"{\"sub\":\"7\",\"email\":\"a@other.com\"}", 0}, /* it does not say whose address that is */
        {"{\"sub\":\"7\",\"email\":\"a@other.com\",\"email_verified\":true}", ERR_DENIED},
        {"{\"sub\":\"7\",\"email\":\"a@example.com\",\"email_verified\":false}", ERR_DENIED},
    };
    struct config *c = configured("allowed_groups: [eng], allowed_domains: [example.com]");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        json_t *claims = object(cases[i].claims);
        struct login_claims out;
        assert_int_equal(claims_read(claims, config_provider(c, 0), &out, NULL), 0);
        if (claims_still_allowed(config_provider(c, 0), &out, NULL) != cases[i].rc)
            fail_msg("%s", cases[i].claims);
        claims_release(&out);
        json_decref(claims);
    }
    config_unref(c);
}

static void an_old_login_at_the_provider_is_told_from_a_new_one(void **state)
{
    json_t *old = object("{\"auth_time\":1799999900}"), *new = object("{\"auth_time\":1800000001}"),
           *silent = object("{}");

    (void)state;
    assert_int_equal(claims_fresh(old, NOW, NULL), ERR_DENIED);
    assert_int_equal(claims_fresh(new, NOW, NULL), 0);
    assert_int_equal(claims_fresh(silent, NOW, NULL), 0);
    json_decref(old);
    json_decref(new);
    json_decref(silent);
}

static void an_address_that_nobody_verified_is_no_identity(void **state)
{
    static const struct {
        const char *settings, *claims;
        int rc;
    } cases[] = {
        {"subject_claim: email", "{\"email\":\"a@example.com\",\"email_verified\":true}", 0},
        {"subject_claim: email", "{\"email\":\"a@example.com\"}", ERR_DENIED},
        {"subject_claim: email", "{\"email\":\"a@example.com\",\"email_verified\":false}", ERR_DENIED},
        {"subject_claim: email, email_claim: mail", "{\"email\":\"a@example.com\"}", ERR_DENIED},
        {"subject_claim: upn, email_claim: upn", "{\"upn\":\"a@example.com\",\"email_verified\":true}", ERR_DENIED},
        {"subject_claim: upn, email_claim: upn, email_verified_required: if-present", "{\"upn\":\"a@example.com\"}", 0},
        {"subject_claim: oid", "{\"oid\":\"7\",\"email\":\"a@example.com\"}", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct config *c = configured(cases[i].settings);
        json_t *claims = object(cases[i].claims);
        struct login_claims out;
        if (claims_read(claims, config_provider(c, 0), &out, NULL) != cases[i].rc)
            fail_msg("%s: %s", cases[i].settings, cases[i].claims);
        claims_release(&out);
        json_decref(claims);
        config_unref(c);
    }
}

static void a_time_that_fits_nowhere_is_none(void **state)
{
    static const struct {
        const char *claims;
        int64_t expires_s;
    } cases[] = {{"{\"sub\":\"7\",\"exp\":8999999999}", 8999999999},
                 {"{\"sub\":\"7\",\"exp\":9300000000}", 0},
                 {"{\"sub\":\"7\",\"exp\":-1e300}", 0}};
    struct config *c = configured("");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        json_t *claims = object(cases[i].claims);
        struct login_claims out;
        assert_int_equal(claims_read(claims, config_provider(c, 0), &out, NULL), 0);
        assert_true(out.expires_s == cases[i].expires_s);
        claims_release(&out);
        json_decref(claims);
    }
    config_unref(c);
}

static void configtest_tells_what_may_let_strangers_in(void **state)
{
    struct config *c =
        configured("subject_claim: upn, allowed_domains: [example.com], providers: [{name: corp, issuer: "
                   "'https://corp.example.com', client_id: c, client_secret: s}]");
    bool of_subject = false, of_domains = false, of_both = false;

    (void)state;
    for (size_t i = 0; i < c->notes.len; i++) {
        const char *note = c->notes.items[i];
        of_subject = of_subject || strstr(note, "subject_claim upn");
        of_domains = of_domains || (strstr(note, "allowed_domains is empty") && strstr(note, "oidc.providers[0]."));
        of_both = of_both || (strstr(note, "allowed_domains is empty") && !strstr(note, "oidc.providers[0]."));
    }
    assert_true(of_subject);
    assert_true(of_domains);
    assert_false(of_both);
    config_unref(c);
}

static void userinfo_changes_nothing_of_the_token_itself(void **state)
{
    json_t *token = object("{\"sub\":\"7\",\"exp\":1,\"nonce\":\"n\",\"email\":\"a@example.com\"}"),
           *info = object("{\"sub\":\"7\",\"exp\":9,\"nonce\":\"m\",\"email\":\"\",\"name\":\"A\"}"),
           *other = object("{\"sub\":\"8\",\"name\":\"B\"}"), *nobody = object("{\"name\":\"C\"}");

    (void)state;
    assert_true(claims_overlay(token, info));
    assert_false(claims_overlay(token, other));
    assert_false(claims_overlay(token, nobody));
    assert_string_equal(json_text(token, "nonce", ""), "n");
    assert_string_equal(json_text(token, "email", ""), "a@example.com");
    assert_string_equal(json_text(token, "name", ""), "A");
    json_decref(token);
    token = object("{\"sub\":\"7\",\"email\":\"a@example.com\",\"email_verified\":true}");
    assert_true(claims_overlay(token, info));
    assert_true(json_is_true(json_object_get(token, "email_verified")));
    json_object_set_new(info, "email", json_string("a@example.com"));
    assert_true(claims_overlay(token, info));
    assert_true(json_is_true(json_object_get(token, "email_verified")));
    json_object_set_new(info, "email", json_string("boss@example.com"));
    assert_true(claims_overlay(token, info)); /* nobody verified that one */
    assert_null(json_object_get(token, "email_verified"));
    json_decref(token);
    json_decref(info);
    json_decref(other);
    json_decref(nobody);
}

static void what_is_under_way_is_taken_once(void **state)
{
    struct once_table t;
    struct err e = {0};
    char cookie[LOGIN_TOKEN_LEN + 1], other[LOGIN_TOKEN_LEN + 1], token[LOGIN_TOKEN_LEN + 1];

    (void)state;
    once_init(&t, 3, 2, 0);
    struct once *o = once_add(&t, "a", "1", cookie, &e);
    memcpy(token, o->token, sizeof(token));
    assert_non_null(once_add(&t, "a", "2", other, &e));
    assert_non_null(once_add(&t, "b", "3", other, &e));
    assert_null(once_add(&t, "c", "4", other, &e)); /* three of all */
    assert_int_equal(e.code, ERR_BUSY);
    assert_null(once_take(&t, token, other, &e));
    assert_int_equal(e.code, ERR_DENIED);
    assert_ptr_equal(once_take(&t, token, cookie, &e), o);
    assert_null(once_take(&t, token, cookie, &e));
    assert_int_equal(e.code, ERR_GONE);
    assert_non_null(once_add(&t, "c", "4", other, &e)); /* its place is free */
    free(o);
    once_release(&t);
}

/* Whether the entry is there still; it is taken. */
static bool holds(struct once_table *t, const char *token, const char *cookie)
{
    struct once *o = once_take(t, token, cookie, NULL);

    free(o);
    return o != NULL;
}

struct begun {
    char token[LOGIN_TOKEN_LEN + 1], cookie[LOGIN_TOKEN_LEN + 1];
};

static void start_login(struct once_table *t, const char *source, const char *auth_id, struct begun *out)
{
    struct once *o = once_add(t, source, auth_id, out->cookie, NULL);

    assert_non_null(o);
    memcpy(out->token, o->token, sizeof(out->token));
}

static void who_begins_too_many_logins_loses_its_own(void **state)
{
    struct once_table t;
    struct begun first, second, of_other, last;
    char id[16];

    (void)state;
    once_init(&t, 12, 2, 12);
    start_login(&t, "20010db800010001", "a", &of_other);
    start_login(&t, "20010db800020001", "b", &first);
    start_login(&t, "20010db800020001", "c", &second);
    start_login(&t, "20010db800020001", "d", &last); /* two a source */
    assert_false(holds(&t, first.token, first.cookie));
    start_login(&t, "20010db800020002", "e", &first); /* three a site */
    start_login(&t, "20010db800020003", "f", &first);
    assert_false(holds(&t, second.token, second.cookie));
    assert_true(holds(&t, last.token, last.cookie));
    assert_true(holds(&t, of_other.token, of_other.cookie));
    start_login(&t, "0a000001", "g", &second);
    for (int i = 0; i < 8; i++) { /* eight an auth_id */
        snprintf(id, sizeof(id), "0a0001%02x", i);
        start_login(&t, id, "g", i == 0 ? &first : &last);
    }
    assert_false(holds(&t, second.token, second.cookie));
    assert_true(holds(&t, first.token, first.cookie));
    for (unsigned i = 0; t.by_token.len < 12; i++) {
        snprintf(id, sizeof(id), "0a0002%02x", i);
        start_login(&t, id, id, &first);
    }
    assert_null(once_add(&t, "0a000301", "h", last.cookie, NULL));
    start_login(&t, id, "h", &last); /* of all there are too many: its own goes */
    assert_false(holds(&t, first.token, first.cookie));
    once_release(&t);
}

static void a_seal_opens_with_its_key_only(void **state)
{
    const uint8_t key[CRYPTO_KEY_LEN] = {1}, other[CRYPTO_KEY_LEN] = {2};
    char *sealed = crypto_text_seal(key, "a refresh token"), *again = crypto_text_seal(key, "a refresh token"),
         *text = crypto_text_open(key, sealed);

    (void)state;
    assert_string_equal(text, "a refresh token");
    assert_string_not_equal(sealed, again);
    assert_null(strstr(sealed, "refresh"));
    assert_null(crypto_text_open(other, sealed));
    sealed[10] = sealed[10] == 'A' ? 'B' : 'A';
    assert_null(crypto_text_open(key, sealed));
    assert_null(crypto_text_open(key, "v1:"));
    assert_null(crypto_text_open(key, "v1:AAAA"));
    assert_null(crypto_text_open(key, ""));
    free(text);
    free(sealed);
    free(again);
}

static void a_form_escapes_what_it_must(void **state)
{
    struct buf b = BUF_INIT(0);

    (void)state;
    encode_pair(&b, "a b", "c&d=e\r\n\xc3\xa4~");
    encode_pair(&b, "x", "");
    assert_string_equal(buf_text(&b), "a%20b=c%26d%3De%0D%0A%C3%A4~&x=");
    buf_clear(&b);
    encode_base64url(&b, "\xff\xfe\xfd\xfc", 4);
    assert_string_equal(buf_text(&b), "__79_A");
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_of_a_token_is_seen),
        cmocka_unit_test(the_hash_of_the_access_token_is_that_of_the_signature),
        cmocka_unit_test(what_nobody_can_show_is_left_out),
        cmocka_unit_test(groups_are_bounded),
        cmocka_unit_test(a_refresh_keeps_out_by_what_it_says_alone),
        cmocka_unit_test(an_old_login_at_the_provider_is_told_from_a_new_one),
        cmocka_unit_test(an_address_that_nobody_verified_is_no_identity),
        cmocka_unit_test(a_time_that_fits_nowhere_is_none),
        cmocka_unit_test(configtest_tells_what_may_let_strangers_in),
        cmocka_unit_test(userinfo_changes_nothing_of_the_token_itself),
        cmocka_unit_test(what_is_under_way_is_taken_once),
        cmocka_unit_test(who_begins_too_many_logins_loses_its_own),
        cmocka_unit_test(a_seal_opens_with_its_key_only),
        cmocka_unit_test(a_form_escapes_what_it_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

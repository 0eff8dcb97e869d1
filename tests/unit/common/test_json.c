/* SPDX-License-Identifier: BSD-3-Clause */
/* JSON from untrusted sources uses memory in proportion to a limit, however small its values are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "json/json.h"

/* An array of so many values: ones, empty arrays, or texts full of what only counts outside of them. */
static int read_many(size_t count, const char *value, bool large)
{
    struct buf text = BUF_INIT(0);
    json_t *out = NULL;
    struct err e;

    buf_addc(&text, '[');
    for (size_t i = 0; i < count; i++) {
        buf_adds(&text, i ? "," : "");
        buf_adds(&text, value);
    }
    buf_addc(&text, ']');
    int code = large ? json_read_large(text.data, text.len, text.len, "the list", &out, &e)
                     : json_read(text.data, text.len, text.len, "the list", &out, &e);
    assert_int_equal(json_array_size(out), code == 0 ? count : 0);
    if (code < 0)
        assert_non_null(strstr(e.message, "the list holds more than 65536 values"));
    json_decref(out);
    buf_release(&text);
    return code;
}

static void values_are_counted(void **state)
{
    (void)state;
    assert_int_equal(read_many(JSON_VALUES_MAX - 2, "1", false), 0);
    assert_int_equal(read_many(JSON_VALUES_MAX + 1, "1", false), ERR_TOOBIG);
    assert_int_equal(read_many(JSON_VALUES_MAX / 2 + 1, "[]", false), ERR_TOOBIG);
    assert_int_equal(read_many(JSON_VALUES_MAX / 2 - 2, "{}", false), 0);
    assert_int_equal(read_many(JSON_VALUES_MAX / 4, "{\"a\":1,\"b\":2,\"c\":3}", false), ERR_TOOBIG);
    assert_int_equal(read_many(100, "\",[{,,\\\",[,\"", false), 0);
}

static void a_text_may_be_full_of_commas(void **state)
{
    struct buf text = BUF_INIT(0);
    json_t *out = NULL;

    (void)state;
    buf_addc(&text, '"');
    for (size_t i = 0; i < 4 * JSON_VALUES_MAX; i++)
        buf_adds(&text, ",[");
    buf_addc(&text, '"');
    assert_int_equal(json_read(text.data, text.len, text.len, "a policy", &out, NULL), 0);
    json_decref(out);
    buf_release(&text);
}

static void what_is_our_own_is_read_whole(void **state)
{
    (void)state;
    assert_int_equal(read_many(4 * JSON_VALUES_MAX, "1", true), 0);
}

/* Whoever sent it may never have heard of the library that reads it. */
static void what_is_wrong_is_said_in_plain_words(void **state)
{
    static const struct {
        const char *text, *what;
    } cases[] = {
        {"{\"name\":\"a\\u0000b\"}", "column 18: a text must not hold the character \\u0000 near '\"a\\u0000b\"'"},
        {"{\"a\\u0000\":1}", "a name must not hold the character \\u0000"},
        {"{\"name\":\"\xff\"}", "this is no UTF-8: the byte 0xff"},
        {"{\"name\":1e999}", "a number is too large near '1e999'"},
        {"[123456789012345678901234567890]", "a number is too large"},
        {"[-123456789012345678901234567890]", "a number is too small"},
        {"{\"name\":", "it ends too early"},
        {"\"aaa", "it ends too early"},
        {"\xef\xbb\xbf{}", "it begins with a byte order mark"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *out = NULL;
        struct err e;
        assert_int_equal(json_read(cases[i].text, strlen(cases[i].text), 1000, "the body", &out, &e), ERR_INVALID);
        if (!strstr(e.message, "the body is not valid JSON: line 1, ") || !strstr(e.message, cases[i].what))
            fail_msg("%s: %s", cases[i].text, e.message);
    }
}

static int keep_piece(void *arg, const char *member, const char *text, size_t len)
{
    struct buf *b = arg;

    buf_addf(b, "%s=", member);
    buf_add(b, text, len);
    buf_addc(b, ';');
    return strcmp(member, "stop") == 0 ? ERR_BUSY : 0;
}

/* The pieces of a text that is fed so many bytes at a time, and how it ended. */
static int pieces_of(const char *text, size_t step, struct buf *out)
{
    struct json_pieces p;
    struct err e;
    int r = 0;

    buf_clear(out);
    json_pieces_init(&p, 40, keep_piece, out);
    for (size_t at = 0, len = strlen(text); r == 0 && at < len; at += step)
        r = json_pieces_feed(&p, text + at, len - at < step ? len - at : step, &e);
    if (r == 0)
        r = json_pieces_end(&p, &e);
    json_pieces_release(&p);
    return r;
}

static void a_large_object_comes_in_pieces(void **state)
{
    static const struct {
        const char *text, *pieces;
        int result;
    } cases[] = {
        {"{}", "", 0},
        {" { \"a\" : 1 , \"b\":[ ] ,\"c\": {\"d\":[1,2]}}\n", "a=1;c={\"d\":[1,2]};", 0},
        {"{\"a\":[1,\"x,]\\\"}\" ,[2,[3]],{\"e\":\"\\\\\"}, true]}",
         "a=1;a=\"x,]\\\"}\";a=[2,[3]];a={\"e\":\"\\\\\"};a=true;", 0},
        {"{\"stop\":[1,2]}", "stop=1;", ERR_BUSY},
        {"{\"a\":1", "", ERR_INVALID},
        {"{\"a\":[1,2", "a=1;", ERR_INVALID},
        {"{\"a\":[1,]}", "a=1;", ERR_INVALID},
        {"{\"a\":,}", "", ERR_INVALID},
        {"{\"a\":1,}", "a=1;", ERR_INVALID},
        {"[1]", "", ERR_INVALID},
        {"{\"a\":1} x", "a=1;", ERR_INVALID},
        {"", "", ERR_INVALID},
        {"{\"a\":\"0123456789012345678901234567890123456789\"}", "", ERR_TOOBIG},
    };
    struct buf out = BUF_INIT(0);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (size_t step = 1; step < 60; step++) {
            assert_int_equal(pieces_of(cases[i].text, step, &out), cases[i].result);
            assert_string_equal(buf_text(&out), cases[i].pieces);
        }
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_counted),
        cmocka_unit_test(a_text_may_be_full_of_commas),
        cmocka_unit_test(a_large_object_comes_in_pieces),
        cmocka_unit_test(what_is_our_own_is_read_whole),
        cmocka_unit_test(what_is_wrong_is_said_in_plain_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What strangers send as JSON costs memory in proportion to a bound, not to how small they make its values. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_counted),
        cmocka_unit_test(a_text_may_be_full_of_commas),
        cmocka_unit_test(what_is_our_own_is_read_whole),
        cmocka_unit_test(what_is_wrong_is_said_in_plain_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

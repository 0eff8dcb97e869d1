/* SPDX-License-Identifier: BSD-3-Clause */
/* Request heads: what is accepted, and what is refused because two parsers could understand it differently. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/mem.h"
#include "net/head.h"

static void reads_an_upgrade_request(void **state)
{
    static const char text[] = "POST /ts2021?x=1 HTTP/1.1\r\nHost: 10.0.0.1:8080\r\nConnection: keep-alive, Upgrade\r\n"
                               "upgrade:tailscale-control-protocol \r\nX-Empty:\r\n\r\nrest";
    struct head h;

    (void)state;
    for (size_t n = 0; n < sizeof(text) - 5; n++)
        assert_int_equal(head_parse(text, n, &h, NULL), 0);
    assert_int_equal(head_parse(text, sizeof(text) - 1, &h, NULL), sizeof(text) - 5);
    assert_string_equal(h.method, "POST");
    assert_string_equal(h.target, "/ts2021?x=1");
    assert_string_equal(h.path, "/ts2021");
    assert_string_equal(h.query, "x=1");
    assert_int_equal(h.minor, 1);
    assert_int_equal(h.field_count, 4);
    assert_string_equal(head_get(&h, "UPGRADE"), "tailscale-control-protocol");
    assert_string_equal(head_get(&h, "x-empty"), "");
    assert_null(head_get(&h, "x-emp"));
    assert_true(head_has_word(&h, "connection", "upgrade"));
    assert_true(head_has_word(&h, "connection", "Keep-Alive"));
    assert_false(head_has_word(&h, "connection", "keep"));
    head_release(&h);
}

static void reads_paths_of_every_form(void **state)
{
    static const struct {
        const char *line, *path, *query;
    } cases[] = {
        {"GET / HTTP/1.0\r\n\r\n", "/", ""},
        {"GET /?a?b HTTP/1.1\r\n\r\n", "/", "a?b"},
        {"GET http://example.com/key?v=1 HTTP/1.1\r\n\r\n", "/key", "v=1"},
        {"GET HTTPS://example.com HTTP/1.1\r\n\r\n", "/", ""},
        {"OPTIONS * HTTP/1.1\r\n\r\n", "*", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct head h;
        assert_int_equal(head_parse(cases[i].line, strlen(cases[i].line), &h, NULL), strlen(cases[i].line));
        assert_string_equal(h.path, cases[i].path);
        assert_string_equal(h.query, cases[i].query);
        head_release(&h);
    }
}

static void refuses_what_is_ambiguous_and_says_why(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"GET / HTTP/1.1\nHost: a\r\n\r\n", "CR LF"},
        {"GET / HTTP/1.1\r\nHost: a\nB: c\r\n\r\n", "CR LF"},
        {"GET /\r\n\r\n", "three words"},
        {"GET  / HTTP/1.1\r\n\r\n", "target"},
        {"GET / HTTP/2.0\r\n\r\n", "HTTP/1.0 or HTTP/1.1"},
        {"GET / x HTTP/1.1\r\n\r\n", "HTTP/1.0 or HTTP/1.1"},
        {"G@T / HTTP/1.1\r\n\r\n", "method"},
        {"GET /\x01 HTTP/1.1\r\n\r\n", "target"},
        {"GET / HTTP/1.1\r\nName : v\r\n\r\n", "no name"},
        {"GET / HTTP/1.1\r\n folded\r\n\r\n", "no name"},
        {"GET / HTTP/1.1\r\nN: a\x02\r\n\r\n", "control characters"},
        {"GET / HTTP/1.1\r\nN: a\rb\r\n\r\n", "CR LF"},
        {"\nGET", "not HTTP"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct head h;
        struct err e = {0};
        assert_int_equal(head_parse(cases[i].text, strlen(cases[i].text), &h, &e), ERR_INVALID);
        if (!strstr(e.message, cases[i].why))
            fail_msg("case %zu: \"%s\" does not say \"%s\"", i, e.message, cases[i].why);
    }
    struct head h;
    assert_int_equal(head_parse("\x16\x03\x01\x00\x05", 5, &h, NULL), ERR_INVALID); /* TLS on a plain port */
}

static void bounds_size_and_lines(void **state)
{
    char *text = mem_alloc(HEAD_MAX + 100);
    struct head h;

    (void)state;
    memset(text, 'a', HEAD_MAX);
    assert_int_equal(head_parse(text, HEAD_MAX - 1, &h, NULL), 0);
    assert_int_equal(head_parse(text, HEAD_MAX, &h, NULL), ERR_TOOBIG);
    char *p = stpcpy(text, "GET / HTTP/1.1\r\n");
    for (int i = 0; i <= HEAD_FIELDS_MAX; i++)
        p = stpcpy(p, "A: b\r\n");
    p = stpcpy(p, "\r\n");
    assert_int_equal(head_parse(text, (size_t)(p - text), &h, NULL), ERR_TOOBIG);
    free(text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_an_upgrade_request),
        cmocka_unit_test(reads_paths_of_every_form),
        cmocka_unit_test(refuses_what_is_ambiguous_and_says_why),
        cmocka_unit_test(bounds_size_and_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

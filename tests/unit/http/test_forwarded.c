/* SPDX-License-Identifier: BSD-3-Clause */
/* The clients that reverse proxies name, and which proxies are trusted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/array.h"
#include "net/forwarded.h"

static void the_client_is_named_by_trusted_proxies_only(void **state)
{
    static const struct {
        const char *peer;
        struct forwarded said;
        const char *client;
    } cases[] = {
        {"192.0.2.9:5", {"198.51.100.1", "198.51.100.2", "198.51.100.3"}, "192.0.2.9:5"}, /* no proxy of ours */
        {"10.0.0.1:5", {NULL, NULL, NULL}, "10.0.0.1:5"},
        {"10.0.0.1:5", {"198.51.100.1", NULL, NULL}, "198.51.100.1:0"},
        {"10.0.0.1:5", {"203.0.113.66, 198.51.100.1", NULL, NULL}, "198.51.100.1:0"}, /* what the client made up */
        {"10.0.0.1:5", {"198.51.100.1,10.0.0.7 ,\t10.0.0.8", NULL, NULL}, "198.51.100.1:0"},
        {"10.0.0.1:5", {"10.0.0.7, 10.0.0.8", NULL, NULL}, "10.0.0.7:0"}, /* all are proxies: the first of them */
        {"10.0.0.1:5", {"198.51.100.1:41, 10.0.0.7", NULL, NULL}, "198.51.100.1:41"},
        {"10.0.0.1:5", {"2001:db8::1, [2001:db8::2]:7", NULL, NULL}, "[2001:db8::2]:7"},
        {"10.0.0.1:5", {"unknown, nonsense", NULL, NULL}, "10.0.0.1:5"},
        {"10.0.0.1:5", {"", "198.51.100.2", NULL}, "10.0.0.1:5"},
        {"10.0.0.1:5", {"198.51.100.1", "198.51.100.2", "198.51.100.3"}, "198.51.100.1:0"},
        {"10.0.0.1:5", {NULL, "198.51.100.2", "198.51.100.3"}, "198.51.100.2:0"},
        {"10.0.0.1:5", {NULL, NULL, " 198.51.100.3 "}, "198.51.100.3:0"},
        {"[fd00::1]:5", {NULL, "2001:db8::7", NULL}, "[2001:db8::7]:0"},
    };
    struct prefixes trusted = {0};
    struct prefix p;

    (void)state;
    assert_int_equal(prefix_parse("10.0.0.0/8", &p, NULL, NULL), 0);
    prefixes_add(&trusted, &p);
    assert_int_equal(prefix_parse("fd00::/8", &p, NULL, NULL), 0);
    prefixes_add(&trusted, &p);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[ADDR_PORT_TEXT_MAX];
        struct addr_port peer, before;
        assert_int_equal(addr_port_parse(cases[i].peer, &peer, NULL), 0);
        before = peer;
        bool other = forwarded_client(&trusted, &cases[i].said, &peer);
        assert_string_equal(addr_port_format(&peer, text), cases[i].client);
        assert_int_equal(other, !addr_port_eq(&before, &peer));
    }
    prefixes_release(&trusted);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(the_client_is_named_by_trusted_proxies_only)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

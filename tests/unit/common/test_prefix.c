/* SPDX-License-Identifier: BSD-3-Clause */
/* Prefixes: what is accepted, what is refused and why, and the three relations that routes depend on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "net/prefix.h"
#include "net/via6.h"

static struct prefix read_prefix(const char *text)
{
    struct prefix p;
    struct err e;

    if (prefix_parse(text, &p, NULL, &e) < 0)
        fail_msg("%s", e.message);
    return p;
}

static void reads_and_writes_the_canonical_form(void **state)
{
    static const struct {
        const char *text, *canonical;
        bool masked;
    } cases[] = {
        {"10.0.0.0/8", "10.0.0.0/8", false},
        {"10.0.0.7/24", "10.0.0.0/24", true},
        {"192.168.1.1", "192.168.1.1/32", false},
        {"0.0.0.0/0", "0.0.0.0/0", false},
        {"FD7A:115C:A1E0:0::/48", "fd7a:115c:a1e0::/48", false},
        {"fd7a:115c:a1e0::1/127", "fd7a:115c:a1e0::/127", true},
        {"::/0", "::/0", false},
    };
    char text[PREFIX_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct prefix p;
        bool masked;

        assert_int_equal(prefix_parse(cases[i].text, &p, &masked, NULL), 0);
        assert_string_equal(prefix_format(&p, text), cases[i].canonical);
        assert_int_equal(masked, cases[i].masked);
    }
}

static void refuses_what_is_no_prefix_and_says_why(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "no IPv4 or IPv6 address"},           {"10.0.0.0/", "length must be 0 to 32"},
        {"10.0.0.0/33", "length must be 0 to 32"}, {"10.0.0.0/08", "length must be 0 to 32"},
        {"10.0.0.0/-1", "length must be 0 to 32"}, {"fd00::/129", "length must be 0 to 128"},
        {"10.0.0/8", "no IPv4 or IPv6 address"},   {"fe80::1%eth0/64", "no IPv4 or IPv6 address"},
        {"::ffff:10.0.0.1/128", "no IPv4"},        {" 10.0.0.0/8", "no IPv4 or IPv6 address"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct prefix untouched = read_prefix("10.0.0.0/8"), p = untouched;
        struct err e;

        assert_int_equal(prefix_parse(cases[i].text, &p, NULL, &e), ERR_INVALID);
        assert_non_null(strstr(e.message, cases[i].why));
        assert_memory_equal(&p, &untouched, sizeof(p));
    }
}

static void a_route_has_a_length(void **state)
{
    struct prefix untouched = read_prefix("10.0.0.0/8"), p = untouched;
    struct err e;

    (void)state;
    assert_int_equal(prefix_parse_route("192.168.1.1", &p, &e), ERR_INVALID);
    assert_non_null(strstr(e.message, "'192.168.1.1' is not a prefix: its length is missing"));
    assert_int_equal(prefix_parse_route("fd00::1", &p, &e), ERR_INVALID);
    assert_memory_equal(&p, &untouched, sizeof(p));
    assert_int_equal(prefix_parse_route("192.168.1.1/32", &p, &e), 0);
    assert_int_equal(p.bits, 32);
}

static void covers_itself_and_what_is_narrower(void **state)
{
    struct prefix wide = read_prefix("10.0.0.0/8"), narrow = read_prefix("10.1.0.0/16"),
                  other = read_prefix("11.0.0.0/8");
    struct prefix v6 = read_prefix("::/0"), v4 = read_prefix("0.0.0.0/0");

    (void)state;
    assert_true(prefix_covers(&wide, &wide));
    assert_true(prefix_covers(&wide, &narrow));
    assert_false(prefix_covers(&narrow, &wide));
    assert_false(prefix_covers(&other, &narrow));
    assert_true(prefix_covers(&v4, &other));
    assert_false(prefix_covers(&v6, &v4));
    assert_true(prefix_is_exit(&v6) && prefix_is_exit(&v4) && !prefix_is_exit(&wide));
}

static void sorts_as_tables_list_routes(void **state)
{
    static const char *const order[] = {"0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16", "10.1.0.0/16", "::/0", "fd00::/8"};

    (void)state;
    for (size_t i = 1; i < ARRAY_LEN(order); i++) {
        struct prefix a = read_prefix(order[i - 1]), b = read_prefix(order[i]);

        assert_true(prefix_cmp(&a, &b) < 0);
        assert_true(prefix_cmp(&b, &a) > 0);
        assert_int_equal(prefix_cmp(&a, &a), 0);
    }
}

/* The pairs are those of `tailscale debug via`. */
static void maps_networks_of_sites_to_ipv6(void **state)
{
    static const struct {
        uint64_t site;
        const char *v4, *v6, *shown;
    } pairs[] = {
        {7, "10.1.1.0/24", "fd7a:115c:a1e0:b1a:0:7:a01:100/120",
         "fd7a:115c:a1e0:b1a:0:7:a01:100/120 (site 7, 10.1.1.0/24)"},
        {65535, "0.0.0.0/0", "fd7a:115c:a1e0:b1a:0:ffff::/96",
         "fd7a:115c:a1e0:b1a:0:ffff::/96 (site 65535, 0.0.0.0/0)"},
        {0, "192.168.1.1/32", "fd7a:115c:a1e0:b1a::c0a8:101/128",
         "fd7a:115c:a1e0:b1a::c0a8:101/128 (site 0, 192.168.1.1/32)"},
    };
    static const char *const none[] = {"10.1.1.0/24", "fd7a:115c:a1e0:b1a::/64", "fd7a:115c:a1e0:b1b::/96",
                                       "fd7a:115c:a1e0:b1a::/95", "::/0"};
    char text[PREFIX_SHOWN_MAX];
    struct prefix p, back;
    struct err e;
    uint32_t site;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct prefix v4 = read_prefix(pairs[i].v4);
        assert_int_equal(via6_encode(pairs[i].site, &v4, &p, &e), 0);
        assert_string_equal(prefix_format(&p, text), pairs[i].v6);
        assert_string_equal(prefix_show(&p, text), pairs[i].shown);
        assert_true(via6_decode(&p, &site, &back));
        assert_int_equal(site, pairs[i].site);
        assert_int_equal(prefix_cmp(&back, &v4), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        p = read_prefix(none[i]);
        assert_false(via6_decode(&p, &site, &back));
        assert_string_equal(prefix_show(&p, text), none[i]);
    }
    p = read_prefix("10.0.0.0/8");
    assert_int_equal(via6_encode(65536, &p, &back, &e), ERR_INVALID);
    p = read_prefix("fd00::/8");
    assert_int_equal(via6_encode(1, &p, &back, &e), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes_the_canonical_form),
        cmocka_unit_test(refuses_what_is_no_prefix_and_says_why),
        cmocka_unit_test(a_route_has_a_length),
        cmocka_unit_test(covers_itself_and_what_is_narrower),
        cmocka_unit_test(maps_networks_of_sites_to_ipv6),
        cmocka_unit_test(sorts_as_tables_list_routes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Command lines in all the forms that headscale accepts, and the messages for errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/array.h"
#include "usage/flags.h"

static const struct flag table[] = {{"identifier", 'i', FLAG_NUMBER, FLAG_REQUIRED, .help = "id"},
                                    {"routes", 'r', FLAG_LIST, .help = "routes"},
                                    {"scope", 's', FLAG_REPEAT, .help = "scope"},
                                    {"user", 'u', FLAG_TEXT, FLAG_REQUIRED, .value = "NAME", .help = "user"},
                                    {"namespace", 'n', FLAG_TEXT, FLAG_HIDDEN, .same_as = "user", .help = "user"},
                                    {"output", 'o', FLAG_TEXT, .words = "|json|yaml", .help = "form"},
                                    {"force", 'f', FLAG_SWITCH, .help = "force"},
                                    {"expiration", 'e', FLAG_TEXT, .fallback = "1h", .help = "how long"},
                                    {"verbose", 'v', FLAG_SWITCH, .help = "more"},
                                    FLAGS_END};

#define READ(f, e, ...)                                                                                                \
    read_words(f, e, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static int read_words(struct flags *f, struct err *e, const char *const *words, size_t count)
{
    char *copies[16];

    flags_release(f);
    *f = (struct flags){0};
    flags_add_table(f, table);
    for (size_t i = 0; i < count; i++)
        copies[i] = (char *)(uintptr_t)words[i];
    return flags_parse(f, (int)count, copies, e);
}

static void every_form_is_read(void **state)
{
    struct flags f = {0};
    struct err e;

    (void)state;
    assert_int_equal(READ(&f, &e, "a", "--identifier", "7", "-ubob", "-fv", "b", "--routes=10.0.0.0/8,10.1.0.0/16",
                          "-r", "::/0", "-s", "a,b", "-s=c", "--", "-x"),
                     0);
    assert_int_equal(flags_number(&f, "identifier"), 7);
    assert_string_equal(flags_text(&f, "user"), "bob");
    assert_true(flags_switch(&f, "force") && flags_switch(&f, "verbose"));
    assert_int_equal(flags_list(&f, "routes")->len, 3);
    assert_string_equal(flags_list(&f, "routes")->items[1], "10.1.0.0/16");
    assert_int_equal(flags_list(&f, "scope")->len, 2);
    assert_string_equal(flags_list(&f, "scope")->items[0], "a,b");
    assert_int_equal(f.args.len, 3);
    assert_string_equal(f.args.items[2], "-x");
    assert_string_equal(flags_text(&f, "expiration"), "1h");
    assert_false(flags_given(&f, "expiration"));
    flags_release(&f);
}

static void an_empty_list_is_given(void **state)
{
    struct flags f = {0};
    struct err e;

    (void)state;
    assert_int_equal(READ(&f, &e, "--routes="), 0);
    assert_non_null(flags_list(&f, "routes"));
    assert_int_equal(flags_list(&f, "routes")->len, 0);
    assert_int_equal(READ(&f, &e, "-f=false", "-o", ""), 0);
    assert_null(flags_list(&f, "routes"));
    assert_false(flags_switch(&f, "force"));
    flags_release(&f);
}

static void an_older_spelling_counts(void **state)
{
    struct flags f = {0};
    struct err e;

    (void)state;
    assert_int_equal(READ(&f, &e, "-i", "1", "--namespace", "alice"), 0);
    assert_string_equal(flags_text(&f, "user"), "alice");
    assert_int_equal(flags_check_required(&f, &e), 0);
    flags_release(&f);
}

static void mistakes_are_named(void **state)
{
    static const struct {
        const char *words[2], *says;
    } cases[] = {
        {{"--nope", "x"}, "unknown flag: --nope"},
        {{"-x", "y"}, "unknown shorthand flag: 'x' in -x"},
        {{"x", "--user"}, "flag needs an argument: --user"},
        {{"x", "-u"}, "flag needs an argument: 'u' in -u"},
        {{"-i", "abc"}, "invalid argument \"abc\" for \"-i, --identifier\" flag: not a number"},
        {{"-i", "-1"}, "invalid argument \"-1\" for \"-i, --identifier\" flag: not a number"},
        {{"-i", "99999999999999999999"},
         "invalid argument \"99999999999999999999\" for \"-i, --identifier\" flag: not a number"},
        {{"--force=maybe", "x"}, "invalid argument \"maybe\" for \"-f, --force\" flag: not true or false"},
        {{"-o", "xml"}, "invalid argument \"xml\" for \"-o, --output\" flag: not one of json|yaml"},
    };
    struct flags f = {0};
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(READ(&f, &e, cases[i].words[0], cases[i].words[1]), ERR_INVALID);
        assert_string_equal(e.message, cases[i].says);
    }
    assert_int_equal(READ(&f, &e, "x"), 0);
    assert_int_equal(flags_check_required(&f, &e), ERR_INVALID);
    assert_string_equal(e.message, "required flag(s) \"identifier\", \"user\" not set");
    flags_release(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_read),
        cmocka_unit_test(an_empty_list_is_given),
        cmocka_unit_test(an_older_spelling_counts),
        cmocka_unit_test(mistakes_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

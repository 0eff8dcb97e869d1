/* SPDX-License-Identifier: BSD-3-Clause */
/* What the console's policy editor shows about the text at the cursor: the users of a selector, the cause of a problem;
 * which lines differ from the server's; keys with Alt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/mem.h"
#include "shared/console/policy_rig.h"

static void open_at(struct rig *r, const char *policy, const char *word)
{
    const char *at = strstr(policy, word);
    size_t line = 1, column = 1;

    rig_init(r, 0);
    rig_keys(r, "4");
    policy_arrives(r, policy, 41, "database");
    rig_keys(r, "e");
    for (const char *p = policy; p < at; p++, column++)
        if (*p == '\n') {
            line++;
            column = 0;
        }
    editor_go(&policy_page_of(&r->app)->editor, line, column + 1);
    policy_settle(r);
}

static void the_nodes_that_a_selector_means_are_said(void **state)
{
    static const char policy[] =
        "{\n"
        "\"groups\": {\"group:ops\": [\"alice@\"], \"group:none\": []},\n"
        "\"hosts\": {\"net\": \"100.64.0.0/16\", \"office\": \"10.0.0.0/8\"},\n"
        "\"tagOwners\": {\"tag:router\": [\"group:ops\"], \"tag:nobody\": []},\n"
        "\"grants\": [{\"src\": [\"autogroup:tagged\"], \"dst\": [\"office\", \"autogroup:self\"], "
        "\"ip\": [\"*\"]}],\n"
        "\"acls\": [\n"
        "{\"action\": \"accept\", \"src\": [\"tag:router\"], \"dst\": [\"net:22\", \"*:443\"]},\n"
        "]}\n";
    static const struct {
        const char *word, *says;
    } cases[] = {
        {"alice@", "alice@ matches "},
        {"group:ops", "group:ops matches "},
        {"group:none", "group:none matches 0 nodes"},
        {"tag:router\": [", "tag:router matches "},
        {"tag:nobody", "tag:nobody matches 0 nodes"},
        {"net:22", "net matches "},
        {"office\", \"a", "office matches 0 nodes; routes of "},
        {"*:443", "* matches "},
        {"autogroup:tagged", "autogroup:tagged matches "},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig r;

        open_at(&r, policy, cases[i].word);
        rig_pass(&r, 10000);
        assert_true(rig_shows(&r, cases[i].says));
        rig_keys(&r, "<Esc>");
        rig_pass(&r, 10000);
        assert_false(rig_shows(&r, " matches "));
        rig_release(&r);
    }
}

static void places_that_mean_no_nodes_are_silent(void **state)
{
    static const char *const words[] = {"action", "accept\", ", "5432", "groups", "who may do"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        struct rig r;

        open_at(&r, RIG_POLICY, words[i]);
        rig_pass(&r, 10000);
        assert_int_equal(rig_shows(&r, " matches "), i == 2);
        rig_release(&r);
    }
}

/* Against the server's text: a sign before each line that was added or changed. */
static void lines_that_differ_have_a_sign(void **state)
{
    struct rig r;

    (void)state;
    open_at(&r, RIG_POLICY, "// who");
    rig_keys(&r, "<End>!<Enter>// one more<Down><Down><End><Enter>// and another");
    policy_settle(&r);
    assert_true(rig_shows(&r, "\n~  2    // who may do what!\n+  3    // one more\n   4 "));
    assert_true(rig_shows(&r, "\n+  6"));
    rig_keys(&r, "<Ctrl-Z><Ctrl-Z><Ctrl-Z><Ctrl-Z><Ctrl-Z><Ctrl-Z><Ctrl-Z><Ctrl-Z><Ctrl-Z><Ctrl-Z>");
    policy_settle(&r);
    assert_true(rig_shows(&r, "\n   2▸   // who may do what\n   3 "));
    rig_release(&r);
}

static const char doubled[] = "{\n\"acls\": [\n"
                              "{\"action\": \"accept\", \"src\": [\"*\"], \"dst\": [\"*:*\"]},\n"
                              "{\"action\": \"accept\", \"src\": [\"*\"], \"dst\": [\"*:22\"]},\n"
                              "]}\n";

static void a_rule_that_opens_nothing_is_explained_with_the_other_one(void **state)
{
    struct rig r;

    (void)state;
    open_at(&r, doubled, "\"acls\"");
    assert_true(rig_shows(&r, "acl 2 opens nothing more: line 3 opens all of it"));
    rig_keys(&r, "<Alt-w>");
    assert_true(rig_shows(&r, "line 3  "));
    assert_true(rig_shows(&r, "line 4  "));
    rig_keys(&r, "<Esc>");
    assert_true(rig_shows(&r, "EDIT  version"));
    rig_keys(&r, "<Esc>w");
    assert_true(rig_shows(&r, "line 3  "));
    rig_release(&r);
}

/* Terminals send Alt and a key as Esc and the key. */
static void alt_is_esc_where_it_means_nothing(void **state)
{
    struct rig r;

    (void)state;
    open_at(&r, RIG_POLICY, "\"acls\"");
    rig_keys(&r, "<Alt-/>");
    assert_false(rig_shows(&r, "EDIT  version"));
    assert_true(rig_shows(&r, "Enter find"));
    rig_keys(&r, "<Alt-e>"); /* closes the prompt, then edits */
    assert_true(rig_shows(&r, "EDIT  version"));
    rig_release(&r);
}

static void a_name_is_mended_with_alt_enter(void **state)
{
    struct rig r;

    (void)state;
    open_at(&r, RIG_POLICY, "db:5432");
    rig_keys(&r, "b");
    policy_settle(&r);
    rig_keys(&r, "<Alt-Enter>");
    assert_true(rig_shows(&r, "line 6: tag:db instead of"));
    policy_text_is(&r, RIG_POLICY);
    rig_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nodes_that_a_selector_means_are_said),
        cmocka_unit_test(places_that_mean_no_nodes_are_silent),
        cmocka_unit_test(lines_that_differ_have_a_sign),
        cmocka_unit_test(a_rule_that_opens_nothing_is_explained_with_the_other_one),
        cmocka_unit_test(alt_is_esc_where_it_means_nothing),
        cmocka_unit_test(a_name_is_mended_with_alt_enter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

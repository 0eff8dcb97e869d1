/* SPDX-License-Identifier: BSD-3-Clause */
/* The user's own console.yaml: what it sets, what it may not set, and that the user's own keys are the ones that
 * work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/mem.h"
#include "console/app/dispatch.h"
#include "console/settings/settings.h"
#include "shared/console/policy_rig.h"
#include "shared/console_rig.h"

static void settings_of(const char *text, struct settings *s)
{
    *s = (struct settings){0};
    settings_parse(text, strlen(text), "console.yaml", s);
}

static void all_that_can_be_set_is_read(void **state)
{
    struct settings s;

    (void)state;
    settings_of("theme: sea\ncolor: \"256\"\nmouse: false\nascii: true\nplain: true\nkeys:\n  approve: a Ctrl-A\n  "
                "freeze: \"\"\n"
                "filters:\n  prod: \"tag:web is:online\"\nthemes:\n  sea:\n    base: light\n    ok: \"#005f00 bold\"\n",
                &s);
    for (size_t i = 0; i < s.problems.len; i++)
        fail_msg("%s", s.problems.items[i]);
    assert_string_equal(s.theme, "sea");
    assert_string_equal(s.color, "256");
    assert_int_equal(s.mouse, SETTING_OFF);
    assert_int_equal(s.ascii, SETTING_ON);
    assert_int_equal(s.plain, SETTING_ON);
    assert_int_equal(s.keys.len, 2);
    assert_string_equal(s.keys.items[0].command, "approve");
    assert_string_equal(s.keys.items[0].keys, "a Ctrl-A");
    assert_int_equal(s.keys.items[0].line, 7);
    assert_string_equal(saved_filter_find(&s.filters, "prod"), "tag:web is:online");
    assert_int_equal(theme_rgb(theme_find("sea"), ROLE_OK), 0x005f00);
    assert_true(theme_is_light(theme_find("sea")));
    settings_release(&s);
    settings_of("", &s);
    assert_int_equal(s.problems.len, 0);
    settings_release(&s);
}

static void mistakes_are_told_with_their_lines(void **state)
{
    static const char *const cases[][2] = {
        {"theme: pink\n", "console.yaml, line 1: theme: there is no theme 'pink'; there are default, light, "},
        {"theem: light\n", "console.yaml, line 1: there is no setting 'theem'; did you mean theme?"},
        {"theme: light\ntheme: mono\n", "console.yaml, line 2: theme stands here twice"},
        {"mouse: maybe\n", "console.yaml, line 1: mouse: true or false, not 'maybe'"},
        {"theme: [light]\n", "console.yaml, line 1: theme: a text is wanted"},
        {"keys: a\n", "console.yaml, line 1: keys: names and values are wanted"},
        {"keys:\n  approve: Hyper-A\n", "console.yaml, line 2: approve: there is no key 'Hyper-A'"},
        {"filters:\n  a b: x\n", "console.yaml, line 2: a filter's name has letters"},
        {"filters:\n  a: \"\"\n", "console.yaml, line 2: a: an empty filter"},
        {"themes:\n  light:\n    ok: \"#000000\"\n", "console.yaml, line 2: there is a theme 'light' already"},
        {"themes:\n  t1:\n    fine: \"#000000\"\n", "console.yaml, line 3: there is no role 'fine'"},
        {"themes:\n  t2:\n    ok: blue\n",
         "console.yaml, line 3: ok: #RRGGBB, bold, dim, underline and reverse are known"},
        {"themes:\n  t3:\n    base: none\n",
         "console.yaml, line 3: base: there is no theme 'none'; there are default, "},
        {"- a\n", "console.yaml, line 1: the file holds names and values"},
        {"a: [\n", "console.yaml, line 2: "},
        {"\"a\\e[31m\": 1\n", "console.yaml, line 1: there is no setting 'a\\x1b[31m'"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct settings s;

        settings_of(cases[i][0], &s);
        if (s.problems.len != 1 || !str_starts(s.problems.items[0], cases[i][1]))
            fail_msg("%s: %s", cases[i][0], s.problems.len ? s.problems.items[0] : "no problem");
        settings_release(&s);
    }
}

static void begin(struct rig *r, const char *text)
{
    struct settings s;

    settings_of(text, &s);
    rig_init(r, 0);
    app_settings(&r->app, &s);
    settings_release(&s);
}

static void own_keys_work_and_are_shown(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "keys:\n  rename: F8\n  routes-of: n\n  help: Ctrl-X\n");
    assert_int_equal(r.app.flash.text != NULL, 0);
    assert_true(rig_shows(&r, "n routes"));
    assert_true(rig_shows(&r, "Ctrl-X help"));
    rig_keys(&r, "/nas<Enter>n"); /* what n was elsewhere is taken */
    assert_true(rig_shows(&r, "[2 Routes]"));
    rig_keys(&r, "1r");
    assert_true(rig_shows(&r, "r does nothing here"));
    rig_keys(&r, "<F8>");
    assert_true(rig_shows(&r, "rename nas"));
    rig_keys(&r, "<Esc><Ctrl-X>");
    assert_true(rig_shows(&r, "F8"));
    rig_release(&r);
}

/* What the console says names the keys that are in force. */
static void texts_name_the_users_own_keys(void **state)
{
    struct settings s;
    struct rig r;

    (void)state;
    settings_of("keys:\n  freeze: Z\n  escape: Ctrl-X\n  undo: U\n  why: \"\"\n  drain: Ctrl-A\n  adopt: B\n", &s);
    rig_init(&r, 0);
    app_settings(&r.app, &s);
    rig_keys(&r, "Z/nas<Enter>a");
    assert_true(rig_shows(&r, "FROZEN, 0 changes waiting (Z resumes)"));
    assert_true(rig_shows(&r, "approve: the screen is frozen: Z resumes"));
    rig_keys(&r, "Z/<Ctrl-U>nothing-is-so<Enter>");
    assert_true(rig_shows(&r, "nothing matches the filter; Ctrl-X clears it"));
    rig_keys(&r, "/<Ctrl-U>gw-ber-1<Enter>:drain<Enter>");
    assert_true(rig_shows(&r, "can be undone with U"));
    rig_keys(&r, "<Esc>");
    rig_json(&r,
             "{\"node\":{\"id\":\"3\",\"givenName\":\"gw-ber-1\",\"online\":true,\"healthy\":true,\"draining\":true}}");
    rig_pass(&r, 3000);
    rig_keys(&r, ":why<Enter>");
    assert_true(rig_shows(&r, "others serve its prefixes where they can; Ctrl-A"));
    rig_keys(&r, "<Esc>:policy<Enter>");
    policy_arrives(&r, RIG_POLICY, 0, "file");
    policy_settle(&r);
    assert_true(rig_shows(&r, "read-only: from a file (B adopts it)"));
    rig_keys(&r, "e");
    assert_true(rig_shows(&r, "(policy.mode): B adopts it"));
    rig_release(&r);
    settings_release(&s);
}

static void keys_that_collide_are_refused_by_name(void **state)
{
    static const char *const cases[][2] = {
        {"keys:\n  tags: a\n", "tags and approve would share the key a"},
        {"keys:\n  tags: Ctrl-A\n  rename: Ctrl-A\n", "tags and rename would share the key Ctrl-A"},
        {"keys:\n  aprove: b\n", "console.yaml, line 2: there is no command 'aprove'"},
        {"keys:\n  editor-help: h\n", "editor-help works where letters are typed"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig r;

        begin(&r, cases[i][0]);
        assert_true(rig_shows(&r, cases[i][1]));
        rig_keys(&r, "<Esc>/nas<Enter>t"); /* t and a do what they did */
        assert_true(rig_shows(&r, "tags of nas"));
        rig_keys(&r, "<Esc>a");
        assert_int_equal(r.sent.len, 1);
        rig_release(&r);
    }
}

/* Two commands may swap their keys: what counts is how all of them are in the end. */
static void keys_can_be_swapped(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "keys:\n  tags: n\n  rename: t\n");
    rig_keys(&r, "/nas<Enter>n");
    assert_true(rig_shows(&r, "tags of nas"));
    rig_keys(&r, "<Esc>t");
    assert_true(rig_shows(&r, "rename nas"));
    rig_release(&r);
}

static void filters_of_the_configuration_have_names(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, "filters:\n  gws: tag:router\n");
    rig_keys(&r, ":nodes @gws<Enter>");
    assert_true(rig_shows(&r, "gw-fra-1"));
    assert_true(rig_shows(&r, "4 of 12"));
    rig_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_can_be_set_is_read),
        cmocka_unit_test(mistakes_are_told_with_their_lines),
        cmocka_unit_test(own_keys_work_and_are_shown),
        cmocka_unit_test(texts_name_the_users_own_keys),
        cmocka_unit_test(keys_that_collide_are_refused_by_name),
        cmocka_unit_test(keys_can_be_swapped),
        cmocka_unit_test(filters_of_the_configuration_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

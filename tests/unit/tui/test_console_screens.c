/* SPDX-License-Identifier: BSD-3-Clause */
/* Golden screens: each view as text, in two sets of signs and three sizes. UPDATE=1 writes them again, for review. And
 * properties of every screen: layouts never overlap, hostile names are harmless. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/mem.h"
#include "console/app/dispatch.h"
#include "console/screen/screen_text.h"
#include "shared/console_rig.h"

static const struct {
    const char *name, *keys;
    int rows, cols;
    bool ascii;
} screens[] = {
    {"nodes", "", 24, 80, false},
    {"nodes-ascii", "j<Space><Space>", 24, 80, true},
    {"nodes-narrow", "", 16, 60, false},
    {"nodes-wide", "jjjp", 30, 120, false},
    {"nodes-huge", "jjjj", 60, 200, false},
    {"nodes-filter", "/gw", 24, 80, false},
    {"nodes-small", "", 10, 40, false},
    {"node", "jjj<Enter>", 24, 80, false},
    {"routes", "2", 24, 80, false},
    {"routes-folded", "2jjh", 24, 80, true},
    {"prefixes", "2<Tab>G", 24, 80, false},
    {"ha", "2<Tab><Tab>", 24, 80, false},
    {"exit", ":routes exit<Enter>", 24, 80, false},
    {"events", "5", 24, 80, false},
    {"users", "6", 24, 80, false},
    {"keys", "7", 24, 80, false},
    {"api-keys", "7<Tab>", 24, 80, false},
    {"oauth-clients", "7<Tab><Tab>", 24, 80, false},
    {"webhooks", ":webhooks<Enter>", 24, 80, false},
    {"new-webhook", ":webhooks<Enter>N", 24, 80, false},
    {"dns", ":dns<Enter>jj", 24, 80, false},
    {"logins", "6<Tab>", 24, 80, false},
    {"pending", "8", 24, 80, false},
    {"pulse", "0", 24, 80, false},
    {"pulse-narrow", "0", 16, 60, false},
    {"pulse-ascii", "0", 40, 120, true},
    {"pulse-huge", "0", 60, 200, false},
    {"admit", "8a", 24, 80, false},
    {"plan", "2+waiting<Enter>a", 24, 80, false},
    {"delete", "/nas<Enter>d", 24, 80, false},
    {"tags", "/gw-ber-1<Enter>t", 24, 80, false},
    {"drain", "/gw-ber-1<Enter>o", 24, 80, false},
    {"new-user", "6N", 24, 80, false},
    {"new-key", "7N<Tab>iot<Tab>y", 24, 80, true},
    {"copy", "/gw-fra<Enter>y", 24, 80, false},
    {"columns", "c", 24, 80, false},
    {"why", "2jjw", 24, 80, false},
    {"help", "?", 24, 80, false},
    {"command", ":node gw-b", 24, 80, false},
};

static void screens_are_as_they_were(void **state)
{
    size_t different = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(screens); i++) {
        struct rig r;
        rig_init(&r, 0);
        r.app.canvas.ascii = screens[i].ascii;
        rig_draw(&r, screens[i].rows, screens[i].cols);
        rig_keys(&r, screens[i].keys);
        rig_lists(&r);
        different += !rig_golden(&r, screens[i].name, screens[i].rows, screens[i].cols);
        rig_release(&r);
    }
    assert_int_equal(different, 0);
}

static bool overlap(struct rect a, struct rect b)
{
    return a.rows > 0 && b.rows > 0 && a.cols > 0 && b.cols > 0 && a.row < b.row + b.rows && b.row < a.row + a.rows &&
           a.col < b.col + b.cols && b.col < a.col + a.cols;
}

static void rectangles_never_overlap_nor_leave_the_screen(void **state)
{
    (void)state;
    for (int rows = 1; rows <= 100; rows++)
        for (int cols = 1; cols <= 300; cols += 7)
            for (unsigned bits = 0; bits < 16; bits++) {
                struct layout_wish wish = {.header = bits & 1,
                                           .pane = bits & 2 ? 7 : 0,
                                           .peek = bits & 4,
                                           .tail = bits & 8,
                                           .force = bits & 1};
                struct layout l = layout_make(rows, cols, &wish);
                struct rect all[] = {l.tabs, l.facts, l.header, l.body, l.pane, l.peek, l.tail, l.flash, l.hints};

                for (size_t i = 0; i < ARRAY_LEN(all); i++) {
                    assert_true(all[i].row >= 0 && all[i].col >= 0 && all[i].row + all[i].rows <= rows &&
                                all[i].col + all[i].cols <= cols);
                    for (size_t j = 0; j < i; j++)
                        assert_false(overlap(all[i], all[j]));
                }
            }
}

/* Every size, with keys between: nothing crashes, the cursor's object stays. */
static void a_storm_of_sizes_keeps_the_cursor(void **state)
{
    struct rig r;
    uint64_t seed = 7;

    (void)state;
    rig_init(&r, 40);
    rig_keys(&r, "jjjjj");
    char *before = mem_strdup(rig_cursor(&r));
    for (int i = 0; i < 1000; i++) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        rig_draw(&r, (int)(seed >> 33) % 100 + 1, (int)(seed >> 43) % 300 + 1);
        rig_keys(&r, i % 3 ? "?<Esc>" : "jk");
        rig_keys(&r, i % 5 ? "w<Esc>" : "n<Esc>");
        assert_string_equal(rig_cursor(&r), before);
    }
    free(before);
    rig_release(&r);
}

static void no_name_reaches_a_cell_as_a_control_character(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_json(&r, "{\"node\":{\"id\":\"12\",\"givenName\":\"a\\u001b]0;x\\u0007\\u009b31m\\u202eb\",\"os\":\"\\r\\n\","
                 "\"online\":true}}");
    rig_pass(&r, 5000);
    for (size_t s = 0; s < 2; s++) {
        rig_draw(&r, 24, 120);
        for (int i = 0; i < 24 * 120; i++)
            for (int j = 0; j < 3; j++) {
                wchar_t c = r.app.canvas.cells[i].text[j];

                assert_true(c == 0 || (c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xa0) && c != 0x202e));
            }
        rig_keys(&r, "/\\x1b<Enter><Enter>");
    }
    rig_release(&r);
}

static void wide_characters_keep_columns_straight(void **state)
{
    struct canvas c = {0};

    (void)state;
    canvas_start(&c, 2, 10);
    assert_int_equal(canvas_text(&c, 0, 0, 5, ROLE_TEXT, "\xe6\x9d\xb1\xe4\xba\xac\xe6\x9d\xb1"), 5); /* two, and '~' */
    assert_int_equal(c.cells[0].width, 2);
    assert_int_equal(c.cells[1].text[0], 0);
    assert_int_equal(c.cells[4].text[0], '~');
    canvas_text(&c, 0, 1, 1, ROLE_TEXT, "x"); /* over its right half: the left one goes */
    assert_int_equal(c.cells[0].text[0], ' ');
    assert_int_equal(c.cells[0].width, 1);
    assert_int_equal(canvas_text(&c, 1, 9, 5, ROLE_TEXT, "\xe6\x9d\xb1"), 1);
    assert_int_equal(canvas_text(&c, 5, 0, 5, ROLE_TEXT, "out"), 0);
    assert_int_equal(canvas_text(&c, 1, 0, 9, ROLE_TEXT, "e\xcc\x81!"), 2);
    assert_int_equal(c.cells[10].text[1], 0x301);
    canvas_release(&c);
}

static void long_texts_break_at_blanks(void **state)
{
    struct canvas c = {0};
    struct buf out = BUF_INIT(0);

    (void)state;
    canvas_start(&c, 4, 12);
    assert_int_equal(canvas_lines(&c, 10, "one two three four"), 2);
    assert_int_equal(canvas_lines(&c, 10, ""), 1);
    assert_int_equal(canvas_lines(&c, 3, "abcdefgh"), 3);
    assert_int_equal(canvas_wrap(&c, (struct rect){0, 0, 4, 10}, ROLE_TEXT, "one two three four"), 2);
    screen_text(&c, &out);
    assert_string_equal(buf_text(&out), "one two\nthree four\n\n\n");
    buf_clear(&out);
    canvas_start(&c, 4, 12);
    assert_int_equal(canvas_wrap(&c, (struct rect){0, 0, 2, 6}, ROLE_TEXT,
                                 "\xe6\x9d\xb1\xe4\xba\xac\xe6\x9d\xb1\xe4\xba\xac a b c d"),
                     2);
    screen_text(&c, &out);
    assert_string_equal(buf_text(&out), "\xe6\x9d\xb1\xe4\xba\xac\xe6\x9d\xb1\n\xe4\xba\xac a ~\n\n\n");
    buf_release(&out);
    canvas_release(&c);
}

static void no_key_means_two_things_in_one_place(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    for (size_t i = 0; i < r.app.commands.len; i++)
        for (size_t j = 0; j < i; j++) {
            struct buf a = BUF_INIT(0), b = BUF_INIT(0);
            const struct console_command *p = r.app.commands.items[i], *q = r.app.commands.items[j];

            assert_string_not_equal(p->name, q->name);
            command_keys(&r.app, p, false, &a);
            command_keys(&r.app, q, false, &b);
            bool both = (p->where & q->where) && a.len && b.len;
            if (both) {
                char *padded = mem_format(" %s ", b.data), *key = mem_format(" %s ", a.data);

                if (strstr(padded, key))
                    fail_msg("%s and %s share %s", p->name, q->name, a.data);
                free(padded);
                free(key);
            }
            buf_release(&a);
            buf_release(&b);
        }
    rig_release(&r);
}

static void each_key_of_the_table_does_something_everywhere_it_claims_to(void **state)
{
    static const char *const views[] = {"1", "2", "2<Tab>", "4", "4e", "5", "6", "7", "8", "0", "1<Enter>"};

    (void)state;
    for (size_t v = 0; v < ARRAY_LEN(views); v++)
        for (size_t i = 0, count = 1; i < count; i++) {
            struct rig r;

            rig_init(&r, 0);
            count = r.app.commands.len;
            rig_keys(&r, views[v]);
            rig_draw(&r, 24, 80);
            if (command_is_here(&r.app, r.app.commands.items[i]) && *r.app.commands.items[i]->keys) {
                char name[KEY_NAME_MAX];
                size_t len = strcspn(r.app.commands.items[i]->keys, " ");

                str_copy(name, sizeof(name), r.app.commands.items[i]->keys);
                name[len < sizeof(name) ? len : sizeof(name) - 1] = '\0';
                int key = key_named(name);
                assert_true(key > 0);
                assert_non_null(commands_for_key(&r.app, key));
                app_key(&r.app, key);
                rig_draw(&r, 24, 80);
            }
            rig_release(&r);
        }
}

/* On a low screen the node's routes are there, and nothing that is not on the screen is acted on. */
static void a_low_screen_shows_the_routes_that_are_acted_on(void **state)
{
    static const int sizes[][2] = {{16, 60}, {16, 80}, {24, 80}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct rig r;
        int rows = sizes[i][0], cols = sizes[i][1];

        rig_init(&r, 0);
        rig_draw(&r, rows, cols);
        rig_keys(&r, "/gw-fra<Enter><Enter>");
        char *screen = rig_screen(&r, rows, cols);
        assert_non_null(strstr(screen, "172.16.0.0/12"));
        assert_non_null(strstr(screen, "gw-fra-1  id 5"));
        free(screen);
        if (rows < 20) {
            rig_keys(&r, "kkkkkkkkkkkkkkkk");
            screen = rig_screen(&r, rows, cols);
            assert_non_null(strstr(screen, "addresses"));
            assert_null(strstr(screen, "172.16.0.0/12"));
            free(screen);
            rig_keys(&r, "a");
            assert_int_equal(r.sent.len, 0);
            screen = rig_screen(&r, rows, cols);
            assert_non_null(strstr(screen, "the selected row is not on the screen"));
            free(screen);
            rig_keys(&r, "G");
            rig_draw(&r, rows, cols);
        }
        rig_keys(&r, "a");
        assert_int_equal(r.sent.len, 1);
        rig_release(&r);
    }
}

/* What has no room in the first two lines is left out: it is never cut, but for the names of nodes and servers. */
static void tabs_and_counts_are_never_cut(void **state)
{
    static const char *const keys[] = {
        "",  "/a !b c|d !e f|g !h<Enter>", "2", "2<Tab>", "2<Tab><Tab>", "4", "5", "6", "7", "8",
        "0", "+waiting<Enter>vjjj"};

    (void)state;
    for (int cols = 60; cols < 132; cols++)
        for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
            struct rig r;

            rig_init(&r, 0);
            rig_keys(&r, keys[i]);
            char *screen = rig_screen(&r, 24, cols), *third = strchr(strchr(screen, '\n') + 1, '\n');
            *third = '\0';
            if (strchr(screen, '~') || !strchr(screen, '8'))
                fail_msg("%d columns, keys %s:\n%s", cols, keys[i], screen);
            free(screen);
            rig_release(&r);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tabs_and_counts_are_never_cut),
        cmocka_unit_test(a_low_screen_shows_the_routes_that_are_acted_on),
        cmocka_unit_test(screens_are_as_they_were),
        cmocka_unit_test(rectangles_never_overlap_nor_leave_the_screen),
        cmocka_unit_test(a_storm_of_sizes_keeps_the_cursor),
        cmocka_unit_test(no_name_reaches_a_cell_as_a_control_character),
        cmocka_unit_test(wide_characters_keep_columns_straight),
        cmocka_unit_test(long_texts_break_at_blanks),
        cmocka_unit_test(no_key_means_two_things_in_one_place),
        cmocka_unit_test(each_key_of_the_table_does_something_everywhere_it_claims_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

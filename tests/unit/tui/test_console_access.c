/* SPDX-License-Identifier: BSD-3-Clause */
/* For users who do not see the whole screen, or have no colours or no keyboard: the terminal's cursor is on the
 * selection, --plain draws no frames and reports what happens, the mouse has a menu. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/mem.h"
#include "console/dialogs/dialog.h"
#include "shared/console_rig.h"

static const wchar_t *cell_text(const struct rig *r, int row, int col)
{
    return r->app.canvas.cells[(size_t)row * (size_t)r->app.canvas.cols + (size_t)col].text;
}

/* The row of the last sign of a cursor on the screen, -1 for none. */
static int cursor_sign(const struct rig *r)
{
    for (int row = r->app.canvas.rows; row-- > 0;)
        for (int col = 0; col < r->app.canvas.cols; col++)
            if (cell_text(r, row, col)[0] == L'▸')
                return row;
    return -1;
}

/* In lists and in what lies over them. */
static void the_terminals_cursor_is_on_what_is_selected(void **state)
{
    static const char *const dialogs[] = {"",
                                          "jj",
                                          "2jjj",
                                          "2<Tab>j",
                                          "2<Tab><Tab>j",
                                          "6j",
                                          "7",
                                          "8",
                                          "c",
                                          "cjj",
                                          "6N",
                                          "6N<Tab>",
                                          "7N<Tab><Tab>",
                                          "8a",
                                          "8a<Down>",
                                          "/gw<Enter>y<Down>",
                                          "<F2><Down><Down>",
                                          "2jjjx",
                                          "2G",
                                          "G",
                                          "/gw<Enter>*x",
                                          "5",
                                          "jjj<Enter>j"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(dialogs); i++) {
        struct rig r;

        rig_init(&r, 0);
        rig_keys(&r, dialogs[i]);
        rig_draw(&r, 24, 80);
        int sign = cursor_sign(&r);
        if (sign >= 0 && r.app.canvas.cursor_row != sign) {
            char *screen = rig_screen(&r, 24, 80);

            fail_msg("%s: the cursor is in row %d:\n%s", dialogs[i], r.app.canvas.cursor_row, screen);
        }
        rig_release(&r);
    }
}

/* Every view, moved in from its first row to its last. */
static void it_follows_in_every_view(void **state)
{
    (void)state;
    for (size_t v = 0;; v++) {
        struct rig r;

        rig_init(&r, 60);
        if (v == r.app.tables->view_count) {
            rig_release(&r);
            return;
        }
        const struct console_view *view = r.app.tables->views[v];
        for (int part = 0; part < view_part_count(view); part++) {
            app_go(&r.app, view, part, view->digit ? NULL : "3");
            for (int i = 0; i < 70; i++) {
                rig_draw(&r, 24, 80);
                int sign = cursor_sign(&r);
                if (sign >= 0 && r.app.canvas.cursor_row != sign) {
                    char *screen = rig_screen(&r, 24, 80);

                    fail_msg("%s: the cursor is in row %d:\n%s", view->name, r.app.canvas.cursor_row, screen);
                }
                rig_keys(&r, "j");
            }
        }
        rig_release(&r);
    }
}

static bool has_box(const struct rig *r)
{
    for (int i = 0; i < r->app.canvas.rows * r->app.canvas.cols; i++) {
        wchar_t c = r->app.canvas.cells[i].text[0];

        if (c >= 0x2500 && c < 0x2580)
            return true;
    }
    return false;
}

static void plain_screens_have_no_frames(void **state)
{
    static const char *const places[] = {"",  "2", "2<Tab>", "2<Tab><Tab>", "4",          "5", "6", "7",
                                         "8", "?", "c",      "6N",          "jjj<Enter>", "w", "8a"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        for (int wide = 0; wide < 2; wide++) {
            struct rig r;

            rig_init(&r, 0);
            rig_keys(&r, places[i]);
            rig_draw(&r, 60, wide ? 200 : 80);
            bool boxes = has_box(&r);
            r.app.canvas.plain = true;
            rig_draw(&r, 60, wide ? 200 : 80);
            if (has_box(&r))
                fail_msg("%s has frames", places[i]);
            assert_true(boxes || !wide || *places[i] == '4'); /* what is left out was there */
            rig_release(&r);
        }
}

static void plain_screens_say_what_happens(void **state)
{
    static const char event[] =
        "{\"id\":\"1.41\",\"time\":\"2026-03-03T14:03:10Z\",\"kind\":\"node.online\",\"actor\":\"server\","
        "\"object\":\"node\",\"objectId\":\"2\",\"objectName\":\"cam-garage\",\"text\":\"cam-garage came online\"}";
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_json(&r, event);
    char *screen = rig_screen(&r, 24, 80);
    assert_null(strstr(screen, "cam-garage came online"));
    free(screen);
    rig_release(&r);

    rig_init(&r, 0);
    r.app.canvas.plain = true;
    rig_json(&r, event);
    assert_true(rig_shows(&r, "cam-garage came online"));
    rig_release(&r);
}

static void the_right_button_lists_what_can_be_done(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_draw(&r, 24, 80);
    app_menu(&r.app, 12, 10); /* nas */
    assert_string_equal(rig_cursor(&r), "8");
    assert_true(rig_shows(&r, "actions: nas"));
    assert_true(rig_shows(&r, "rename"));
    app_menu(&r.app, 5, 10); /* not over a dialog */
    assert_string_equal(rig_cursor(&r), "8");
    rig_keys(&r, "rename<Enter>");
    assert_true(rig_shows(&r, "rename nas"));
    rig_keys(&r, "<Esc>");

    /* A click selects, another one on the same runs. */
    app_menu(&r.app, 12, 10);
    rig_draw(&r, 24, 80);
    int row = -1, col = -1; /* of the second */
    for (size_t i = 0; i < r.app.canvas.hit_count; i++)
        if (r.app.canvas.hits[i].kind == HIT_CHOICE && r.app.canvas.hits[i].value == 1) {
            row = r.app.canvas.hits[i].at.row;
            col = r.app.canvas.hits[i].at.col;
        }
    assert_true(row >= 0);
    app_click(&r.app, row, col, 1);
    assert_int_equal(r.app.dialog->cursor, 1);
    rig_draw(&r, 24, 80);
    app_click(&r.app, row, col, 1);
    assert_true(!r.app.dialog || !strstr(r.app.dialog->title, "actions"));
    rig_release(&r);
}

static void what_is_not_possible_says_why(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "<F2>approve");
    assert_true(rig_shows(&r, "not now: no route is waiting"));
    rig_keys(&r, "<Esc>");
    rig_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_terminals_cursor_is_on_what_is_selected),
        cmocka_unit_test(it_follows_in_every_view),
        cmocka_unit_test(plain_screens_have_no_frames),
        cmocka_unit_test(plain_screens_say_what_happens),
        cmocka_unit_test(the_right_button_lists_what_can_be_done),
        cmocka_unit_test(what_is_not_possible_says_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

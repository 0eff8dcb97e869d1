/* SPDX-License-Identifier: BSD-3-Clause */
/* Guarantees of lists and the model: the cursor stays on its object whatever arrives, rows keep their place while the
 * user moves, removed objects remain for a while, marks are kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/mem.h"
#include "shared/console_rig.h"

static void send_node(struct rig *r, unsigned id, const char *name, bool online)
{
    char *text = mem_format("{\"node\":{\"id\":\"%u\",\"givenName\":\"%s\",\"name\":\"%s\",\"online\":%s,\"version\":5,"
                            "\"ipAddresses\":[\"100.64.9.%u\"],\"routes\":[]}}",
                            id, name, name, online ? "true" : "false", id % 250);

    rig_json(r, text);
    free(text);
}

static void remove_node(struct rig *r, unsigned id)
{
    char *text = mem_format(
        "{\"id\":\"1.77\",\"kind\":\"node.deleted\",\"object\":\"node\",\"removed\":{\"nodes\":[\"%u\"]}}", id);

    rig_json(r, text);
    free(text);
}

static void new_rows_above_do_not_move_the_cursor(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "/laptop-alice<Enter><Esc>");
    rig_draw(&r, 24, 80);
    assert_string_equal(rig_cursor(&r), "6");
    for (unsigned i = 0; i < 30; i++) {
        char name[20];

        snprintf(name, sizeof(name), "aaa-%u", i);
        send_node(&r, 500 + i, name, true);
        rig_pass(&r, 3000);
        rig_draw(&r, 24, 80);
        assert_string_equal(rig_cursor(&r), "6");
    }
    assert_true(rig_shows(&r, "laptop-alice"));
    rig_release(&r);
}

static void places_are_held_while_the_user_moves(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "j");
    send_node(&r, 900, "aaa-first", true);
    assert_true(rig_shows(&r, "1 new (held)"));
    char *screen = rig_screen(&r, 24, 80);
    assert_null(strstr(screen, "aaa-first"));
    free(screen);
    rig_pass(&r, HOLD_MS + 1);
    assert_true(rig_shows(&r, "aaa-first"));
    assert_string_equal(rig_cursor(&r), "2");
    rig_release(&r);
}

static void what_is_deleted_stays_for_a_while_and_takes_no_action(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "jjj");
    assert_string_equal(rig_cursor(&r), "3");
    remove_node(&r, 3);
    rig_draw(&r, 24, 80);
    assert_string_equal(rig_cursor(&r), "3");
    rig_keys(&r, "a");
    assert_true(rig_shows(&r, "it has just been deleted"));
    assert_int_equal(r.sent.len, 0);
    rig_pass(&r, TOMBSTONE_MS + 1);
    rig_draw(&r, 24, 80);
    assert_null(model_find(&r.app.model, ROW_NODE, "3"));
    assert_string_not_equal(rig_cursor(&r), "3");
    assert_string_not_equal(rig_cursor(&r), "");
    rig_release(&r);
}

static void a_row_keeps_its_address_and_its_marks(void **state)
{
    struct rig r;
    size_t hidden;
    struct rows marked = {0};

    (void)state;
    rig_init(&r, 0);
    void *before = model_find(&r.app.model, ROW_NODE, "1");
    rig_keys(&r, "<Space>");
    send_node(&r, 1, "build-renamed", false);
    rig_draw(&r, 24, 80);
    assert_ptr_equal(before, model_find(&r.app.model, ROW_NODE, "1"));
    rig_keys(&r, "/gw<Enter>");
    rig_draw(&r, 24, 80);
    app_marked(&r.app, &marked, &hidden);
    assert_int_equal(marked.len, 1);
    assert_int_equal(hidden, 1);
    assert_true(rig_shows(&r, "1 marked (1 hidden)"));
    vec_release(&marked);
    rig_release(&r);
}

static void the_cursor_stays_where_a_change_hides_its_row_from_the_filter(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "/laptop-alice<Enter>");
    rig_draw(&r, 24, 80);
    send_node(&r, 6, "renamed", true);
    rig_pass(&r, 3000);
    rig_draw(&r, 24, 80);
    assert_string_equal(rig_cursor(&r), "6");
    rig_release(&r);
}

/* Random changes and keys: the cursor moves by keys alone, lists stay sorted and without duplicates. */
static void random_changes_never_move_the_cursor(void **state)
{
    struct rig r;
    uint64_t seed = 12345;

    (void)state;
    rig_init(&r, 60);
    for (int step = 0; step < 3000; step++) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        unsigned dice = (unsigned)(seed >> 33) % 100, id = (unsigned)(seed >> 40) % 80 + 1;
        char before[64], name[32];

        str_copy(before, sizeof(before), rig_cursor(&r));
        const struct row *row = app_list(&r.app)->cursor;
        bool dying = row && row->gone_ms;
        if (dice < 45) {
            snprintf(name, sizeof(name), "n-%u", (unsigned)(seed >> 20) % 1000);
            send_node(&r, id, name, dice % 2);
        } else if (dice < 60) {
            uint64_t under = 0;

            dying |= str_u64(before, 0, UINT64_MAX, &under, "row", NULL) == 0 && under == id;
            remove_node(&r, id);
        } else if (dice < 80) {
            rig_pass(&r, dice * 20);
        } else {
            static const char *const keys[] = {"j", "k", "<Ctrl-D>", "<Space>", "2", "1", "s", "S", "<Tab>", "G"};

            rig_keys(&r, keys[dice % 10]);
            rig_draw(&r, 24, 80);
            continue;
        }
        rig_draw(&r, 24, 80);
        if (!dying)
            assert_string_equal(rig_cursor(&r), before);
        const struct list *l = app_list(&r.app);
        if (l->cursor)
            assert_ptr_equal(l->order.items[list_position(l)], l->cursor);
    }
    rig_release(&r);
}

static void a_snapshot_again_keeps_marks_and_says_what_changed(void **state)
{
    struct rig r;
    struct model_delta d = {.begins = true, .ends = true};
    size_t hidden;
    struct rows marked = {0};

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "<Space>");
    json_t *node = json_pack("{s:s}", "id", "1");
    vec_push(&d.rows, row_read(ROW_NODE, node));
    json_decref(node);
    app_delta(&r.app, &d);
    rig_draw(&r, 24, 80);
    assert_true(rig_shows(&r, "gone meanwhile"));
    app_marked(&r.app, &marked, &hidden);
    assert_int_equal(marked.len, 1);
    vec_release(&marked);
    rig_release(&r);
}

static void a_second_router_makes_a_group_of_a_prefix(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "2<Tab><Tab>");
    assert_string_equal(app_part(&r.app)->name, "ha");
    assert_true(rig_shows(&r, "2 groups   1 degraded"));
    rig_json(&r, "{\"id\":\"1.41\",\"kind\":\"route.advertised\",\"changed\":{\"prefixes\":[{\"prefix\":"
                 "\"172.16.0.0/12\",\"routers\":[{\"node\":\"5\",\"name\":\"gw-fra-1\",\"state\":\"serving\"},"
                 "{\"node\":\"3\",\"name\":\"gw-ber-1\",\"state\":\"available\"}]}]}}");
    rig_pass(&r, HOLD_MS + 1);
    assert_true(rig_shows(&r, "3 groups   1 degraded"));
    assert_true(rig_shows(&r, "1 waiting"));
    rig_keys(&r, "<Tab>");
    assert_string_equal(app_part(&r.app)->name, "exit");
    assert_true(rig_shows(&r, "1 exit node "));
    rig_keys(&r, "x");
    assert_true(rig_shows(&r, "revoke office-exit as exit node (0.0.0.0/0, ::/0)"));
    rig_keys(&r, "<Esc><Tab>");
    assert_string_equal(app_part(&r.app)->name, "node");
    rig_keys(&r, "<Shift-Tab><Shift-Tab>");
    assert_string_equal(app_part(&r.app)->name, "ha");
    rig_release(&r);
}

/* What a filter finds does not depend on how it was typed. */
static void a_filter_that_grows_finds_the_same(void **state)
{
    static const char *const filters[] = {"node-000", "node-0001 of", "alice", "node-00x",
                                          "Node",     "!node-0",      "a|b",   "seen>7d"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        struct rig typed, whole;

        rig_init(&typed, 400);
        rig_init(&whole, 400);
        rig_keys(&typed, "jjj");
        rig_keys(&typed, "/");
        for (const char *c = filters[i]; *c; c++) {
            app_key(&typed.app, *c);
            rig_draw(&typed, 24, 80);
        }
        rig_keys(&typed, "<Enter>");
        rig_draw(&typed, 24, 80);
        struct err e = {0};
        if (list_filter(app_list(&whole.app), filters[i], NULL, &e) < 0)
            fail_msg("%s: %s", filters[i], e.message);
        rig_draw(&whole, 24, 80);
        const struct list *a = app_list(&typed.app), *b = app_list(&whole.app);
        assert_int_equal(a->order.len, b->order.len);
        for (size_t j = 0; j < a->order.len; j++)
            assert_string_equal(a->order.items[j]->key, b->order.items[j]->key);
        assert_int_equal(a->total, b->total);
        rig_release(&typed);
        rig_release(&whole);
    }
}

/* Names that differ at their end are told apart, other columns give way; what is too long is cut in its middle. */
static void names_are_kept_whole(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    for (int i = 0; i < 40; i++) {
        char *node =
            mem_format("{\"node\":{\"id\":\"%d\",\"givenName\":\"build-ber-%05d-%s\",\"online\":true,\"routes\":[]}}",
                       100 + i, i, i == 7 ? "a-very-long-name-of-its-own-7" : "ci");
        rig_json(&r, node);
        free(node);
    }
    rig_pass(&r, HOLD_MS + 1);
    char *screen = rig_screen(&r, 16, 60);
    assert_non_null(strstr(screen, "build-ber-00003-ci "));
    assert_non_null(strstr(screen, "own-7"));
    free(screen);
    rig_release(&r);
}

/* Where names are long, other columns go first: what only adds to the picture does so where no name is cut. */
static void columns_give_way_to_long_names(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    for (int i = 0; i < 200; i++) {
        char *node = mem_format("{\"node\":{\"id\":\"%d\",\"givenName\":\"build-ber-%05d-linux-amd64\",\"online\":true,"
                                "\"routes\":[]}}",
                                100 + i, i);
        rig_json(&r, node);
        free(node);
    }
    rig_pass(&r, HOLD_MS + 1);
    char *screen = rig_screen(&r, 24, 80);
    assert_non_null(strstr(screen, "build-ber-00003-linux-amd64 "));
    free(screen);
    for (int i = 0; i < 200; i++) {
        char *node = mem_format("{\"node\":{\"id\":\"%d\",\"givenName\":\"build-ber-%05d-linux-amd64-with-gpu\","
                                "\"online\":true,\"routes\":[]}}",
                                100 + i, i);
        rig_json(&r, node);
        free(node);
    }
    rig_pass(&r, HOLD_MS + 1);
    screen = rig_screen(&r, 24, 112);
    assert_non_null(strstr(screen, "build-ber-00003-linux-amd64-with-gpu "));
    assert_null(strstr(screen, "RELAY"));
    free(screen);
    rig_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_kept_whole),
        cmocka_unit_test(columns_give_way_to_long_names),
        cmocka_unit_test(a_filter_that_grows_finds_the_same),
        cmocka_unit_test(a_second_router_makes_a_group_of_a_prefix),
        cmocka_unit_test(new_rows_above_do_not_move_the_cursor),
        cmocka_unit_test(places_are_held_while_the_user_moves),
        cmocka_unit_test(what_is_deleted_stays_for_a_while_and_takes_no_action),
        cmocka_unit_test(a_row_keeps_its_address_and_its_marks),
        cmocka_unit_test(the_cursor_stays_where_a_change_hides_its_row_from_the_filter),
        cmocka_unit_test(random_changes_never_move_the_cursor),
        cmocka_unit_test(a_snapshot_again_keeps_marks_and_says_what_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

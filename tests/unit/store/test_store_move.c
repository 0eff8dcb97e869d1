/* SPDX-License-Identifier: BSD-3-Clause */
/* Moving a whole tailnet from SQLite to PostgreSQL and back, and a backup of PostgreSQL, which is an SQLite file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "shared/postgres/pg_server.h"
#include "shared/store_fixture.h"

#define NODES 1234

static struct store_postgres place(void)
{
    static const uint8_t key[KEY_LEN] = {7};

    return (struct store_postgres){.host = pg_server_folder(),
                                   .name = "postgres",
                                   .user = PG_SERVER_USER,
                                   .pass = "",
                                   .sslmode = "disable",
                                   .options = "",
                                   .noise_key = key};
}

/* Users, nodes with soft state, entries of the journal, and an id that was used and is no more. */
static void fill(struct store *s, uint64_t run)
{
    struct node_live live = {.last_seen_ns = 77, .home_derp = 3, .net_info = (char[]){"{}"}, .source = (char[]){""}};

    fixture_put_only(s, sample_user(1, "zoë 'x' \\ \"y\""));
    for (uint64_t id = 1; id <= NODES; id++) {
        struct node *n = sample_node(id, 1);
        struct event *v = sample_event(run, id);
        struct store_write writes[] = {{.record = n}, {.record = v}};
        memset(n->disco_key, (int)id | 0x80, KEY_LEN);
        if (id % 3 == 0)
            n->ipv6 = (struct addr){0};
        store_submit(s, 0, writes, 2, NULL, NULL);
        record_unref(n);
        record_unref(v);
    }
    fixture_put_only(s, sample_node(5000, 1));
    fixture_remove(s, sample_node(5000, 1));
    store_live(s, 7, &live);
}

static void assert_filled(struct store *s, uint64_t run)
{
    struct store_image image;
    struct event **events;
    size_t count;

    fixture_load(s, &image);
    assert_int_equal(image.node_count, NODES);
    assert_string_equal(image.users[0]->name, "zoë 'x' \\ \"y\"");
    assert_int_equal(image.next_id[RECORD_NODE], 5001);
    assert_int_equal(image.lives[6].last_seen_ns, 77);
    assert_int_equal(image.nodes[4]->disco_key[31], 5 | 0x80);
    assert_int_equal(image.nodes[2]->ipv6.bits, 0);
    assert_true(image.run > run);
    assert_int_equal(store_events(s, run, 1, 0, 10000, &events, &count, NULL, NULL), 0);
    assert_int_equal(count, NODES - 1);
    for (size_t i = 0; i < count; i++)
        record_unref(events[i]);
    free(events);
    store_image_release(&image);
}

static void everything_moves_there_and_back(void **state)
{
    struct store_postgres with = place();
    struct store_moved moved;
    struct fixture f, back;
    struct err e;
    char path[128];

    (void)state;
    if (!fixture_is_postgres())
        skip();
    fixture_use_postgres(false);
    fixture_begin(&f);
    fill(f.store, 1);
    /* Not while a daemon uses it. */
    assert_int_equal(store_move_to_postgres(f.path, &with, &moved, &e), ERR_CONFLICT);
    fixture_close(&f);
    if (store_move_to_postgres(f.path, &with, &moved, &e) < 0)
        fail_msg("%s", e.message);
    assert_int_equal(moved.nodes, NODES);
    assert_int_equal(moved.events, NODES);
    /* It is not empty any more. */
    assert_int_equal(store_move_to_postgres(f.path, &with, &moved, &e), ERR_CONFLICT);
    assert_non_null(strstr(e.message, "table user has 1 rows"));

    fixture_use_postgres(true);
    fixture_open(&f);
    assert_filled(f.store, 1);
    snprintf(path, sizeof(path), "%s/back", f.folder);
    assert_int_equal(store_move_to_sqlite(&with, path, &moved, &e), ERR_CONFLICT);
    fixture_close(&f);
    if (store_move_to_sqlite(&with, path, &moved, &e) < 0)
        fail_msg("%s", e.message);
    assert_int_equal(store_move_to_sqlite(&with, path, &moved, &e), ERR_CONFLICT);
    assert_non_null(strstr(e.message, path));
    fixture_use_postgres(false);
    back = f;
    snprintf(back.path, sizeof(back.path), "%.95s", path);
    fixture_open(&back);
    assert_filled(back.store, 1);
    fixture_close(&back);
    fixture_remove_folder(f.folder);
    fixture_use_postgres(true);
}

static void a_backup_is_a_file_of_sqlite(void **state)
{
    struct fixture f, copy;
    struct stat st;
    struct err e;

    (void)state;
    if (!fixture_is_postgres())
        skip();
    fixture_begin(&f);
    struct store_image image;
    fixture_load(f.store, &image);
    uint64_t run = image.run;
    store_image_release(&image);
    fill(f.store, run);
    fixture_close(&f);
    fixture_open(&f);
    copy = f;
    snprintf(copy.path, sizeof(copy.path), "%s/copy", f.folder);
    if (store_backup(f.store, copy.path, &e) < 0)
        fail_msg("%s", e.message);
    assert_int_equal(stat(copy.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(store_backup(f.store, copy.path, &e), ERR_CONFLICT);
    assert_int_equal(store_backup(f.store, "/nonexistent/x", &e), ERR_MISSING);
    fixture_use_postgres(false);
    fixture_open(&copy);
    assert_filled(copy.store, run);
    fixture_close(&copy);
    fixture_use_postgres(true);
    fixture_end(&f);
}

static int begin(void **state)
{
    (void)state;
    fixture_use_postgres(pg_server_start());
    return 0;
}

static int end(void **state)
{
    (void)state;
    if (fixture_is_postgres())
        pg_server_stop();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_moves_there_and_back),
        cmocka_unit_test(a_backup_is_a_file_of_sqlite),
    };

    return cmocka_run_group_tests(tests, begin, end);
}

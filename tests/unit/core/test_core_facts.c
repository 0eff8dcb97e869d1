/* SPDX-License-Identifier: BSD-3-Clause */
/* The disk is full for a while: elections continue, and the journal reports them when there is space again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/core_rig.h"
#include "store/queue.h"
#include "store/sqlite/sqlite.h"

#define PREFIX "10.0.0.0/8"

static struct core_rig r;
static atomic_uint told;

static void count(void *arg, const struct event *e)
{
    (void)arg;
    if (str_eq(e->kind, "route.failover"))
        atomic_fetch_add(&told, 1);
}

static void limit_pages(const char *pragma)
{
    struct sqlite_engine *database = (struct sqlite_engine *)r.store.store->engine;

    pthread_mutex_lock(&database->writer_lock);
    assert_int_equal(sqlite3_exec(database->writer, pragma, NULL, NULL, NULL), SQLITE_OK);
    pthread_mutex_unlock(&database->writer_lock);
}

/* Names of users that are long, so that few fit in a page. */
static int create_user(int number)
{
    char name[24], text[200];

    snprintf(name, sizeof(name), "user-%d", number);
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    struct core_admin a = {.op = ADMIN_USER_CREATE, .name = name, .display_name = text};
    int code = core_rig_admin(&r, &a);
    core_admin_release(&a);
    return code;
}

static bool serves(const struct tailnet_snapshot *s, void *arg)
{
    const struct tailnet_node *n = snapshot_node_by_id(s, *(const uint64_t *)arg);

    return n && n->serving.len == 1;
}

static int64_t failovers_kept(void)
{
    return fixture_number(&r.store, "SELECT count(*) FROM event WHERE kind='route.failover'");
}

static void elections_are_written_later(void **state)
{
    uint64_t alice = core_rig_begin(&r, ""), nodes[2], sessions[2];
    char *key = core_rig_key(&r, (struct core_admin){.user_id = alice, .reusable = true});
    int code = 0, number = 0;

    (void)state;
    for (uint8_t i = 0; i < 2; i++) {
        struct join j = {
            .key = key, .name = i ? "b" : "a", .machine = (uint8_t)(i + 1), .node = (uint8_t)(i + 1), .route = PREFIX};
        nodes[i] = core_rig_node(&r, &j);
        sessions[i] = core_rig_online(&r, &j);
        core_rig_approve(&r, nodes[i], PREFIX, false);
    }
    core_rig_until(&r, serves, &nodes[0]);
    core_listen(r.core, &(struct core_listener){.event = count, .arg = &told});
    limit_pages("PRAGMA max_page_count=1"); /* it does not grow from here on */
    while (code == 0)
        code = create_user(number++);
    assert_int_equal(code, ERR_UNAVAILABLE);
    core_session_end(r.core, sessions[0], SESSION_SILENT);
    core_rig_until(&r, serves, &nodes[1]);
    while (create_user(number++) != ERR_UNAVAILABLE) /* after the election's group */
        ;
    while (atomic_load(&told) == 0)
        assert_int_equal(create_user(number++), ERR_UNAVAILABLE);
    assert_int_equal(failovers_kept(), 0);
    limit_pages("PRAGMA max_page_count=1000000");
    while (create_user(number++) != 0)
        ;
    /* What was kept is written after the first change that is durable: that one is before the next. */
    for (int i = 0; i < 3; i++)
        assert_int_equal(create_user(number++), 0);
    assert_int_equal(failovers_kept(), 1);
    assert_int_equal(fixture_number(&r.store, "SELECT node_id FROM primary_router"), nodes[1]);
    core_unlisten(r.core, &told);
    assert_int_equal(atomic_load(&told), 1); /* once */
    free(key);
    core_rig_end(&r);
}

static bool has_disco(const struct tailnet_snapshot *s, void *arg)
{
    const struct tailnet_node *n = snapshot_node_by_id(s, 1);

    return n && n->record->disco_key[0] == *(const uint8_t *)arg;
}

/* A client that was started anew has another DiscoKey: it is served at once, and what it said is written later. */
static void known_clients_are_served(void **state)
{
    uint64_t alice = core_rig_begin(&r, "");
    char *key = core_rig_key(&r, (struct core_admin){.user_id = alice, .reusable = true});
    struct core_map map = {.stream = true, .info = {.hostname = "a", .hostinfo = "{}", .peer_hostinfo = "{}"}};
    const struct tailnet_snapshot *pin;
    uint8_t disco = 9;
    int code = 0, number = 0;

    (void)state;
    assert_int_equal(core_rig_node(&r, &(struct join){.key = key, .name = "a", .machine = 1, .node = 1}), 1);
    memset(map.machine_key, 1, KEY_LEN);
    memset(map.node_key, 1, KEY_LEN);
    limit_pages("PRAGMA max_page_count=1");
    while (code == 0)
        code = create_user(number++);
    assert_int_equal(code, ERR_UNAVAILABLE);
    for (uint8_t i = 7; i <= disco; i++) {
        memset(map.disco_key, i, KEY_LEN);
        map.session = 0;
        assert_int_equal(core_rig_map(r.core, &map), 0);
        assert_true(map.session != 0);
    }
    assert_true(core_rig_look(&r, 1, &pin)->live.online);
    assert_false(has_disco(pin, &disco));
    tailnet_unpin(pin);
    limit_pages("PRAGMA max_page_count=1000000");
    while (create_user(number++) != 0)
        ;
    core_rig_until(&r, has_disco, &disco);
    free(key);
    core_rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(elections_are_written_later),
                                       cmocka_unit_test(known_clients_are_served)};

    return cmocka_run_group_tests_name("core_facts", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "shared/postgres/pg_server.h"
#include "shared/store_fixture.h"

struct wait {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool done;
    int code;
    struct err err;
};

static void answered(void *arg, int code, const struct err *e)
{
    struct wait *w = arg;

    pthread_mutex_lock(&w->lock);
    w->done = true;
    w->code = code;
    if (code < 0)
        w->err = *e;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

int fixture_write(struct store *s, const struct store_write *writes, size_t count, struct err *e)
{
    struct wait w = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

    store_submit(s, 0, writes, count, answered, &w);
    pthread_mutex_lock(&w.lock);
    while (!w.done)
        pthread_cond_wait(&w.wake, &w.lock);
    pthread_mutex_unlock(&w.lock);
    if (e)
        *e = w.err;
    return w.code;
}

int fixture_put(struct store *s, const void *record, struct err *e)
{
    return fixture_write(s, &(struct store_write){.record = record}, 1, e);
}

void fixture_put_only(struct store *s, void *record)
{
    struct err e;

    if (fixture_put(s, record, &e) < 0)
        fail_msg("%s", e.message);
    record_unref(record);
}

void fixture_remove(struct store *s, void *record)
{
    struct err e;

    if (fixture_write(s, &(struct store_write){.remove = true, .record = record}, 1, &e) < 0)
        fail_msg("%s", e.message);
    record_unref(record);
}

static bool postgres;

void fixture_use_postgres(bool use)
{
    postgres = use;
}

bool fixture_is_postgres(void)
{
    return postgres;
}

int fixture_try_open(struct fixture *f, struct store **out, struct err *e)
{
    static const uint8_t key[KEY_LEN] = {7};
    const struct store_postgres with = {.host = pg_server_folder(),
                                        .name = "postgres",
                                        .user = PG_SERVER_USER,
                                        .pass = "",
                                        .sslmode = "disable",
                                        .options = "",
                                        .noise_key = key};

    return postgres ? store_open_postgres(&with, out, e) : store_open(f->path, out, e);
}

void fixture_open(struct fixture *f)
{
    struct err e;

    if (fixture_try_open(f, &f->store, &e) < 0)
        fail_msg("%s", e.message);
}

void fixture_begin(struct fixture *f)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(f->folder, sizeof(f->folder), "%.40s/store.XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof(f->path), "%s/db", f->folder);
    if (postgres)
        pg_server_sql("postgres", "DROP SCHEMA IF EXISTS headway CASCADE");
    fixture_open(f);
}

void fixture_close(struct fixture *f)
{
    store_close(f->store);
    f->store = NULL;
}

void fixture_remove_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        char *path = mem_format("%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
        free(path);
    }
    if (dir)
        closedir(dir);
    rmdir(folder);
}

void fixture_end(struct fixture *f)
{
    fixture_close(f);
    fixture_remove_folder(f->folder);
}

void fixture_load(struct store *s, struct store_image *image)
{
    struct err e;

    if (store_load(s, image, &e) < 0)
        fail_msg("%s", e.message);
}

void fixture_sql(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    char *error = NULL;

    if (postgres) {
        char *all = mem_format("SET search_path=headway; %s", sql);
        pg_server_sql("postgres", all);
        free(all);
        return;
    }
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", sql, error);
    sqlite3_close(db);
}

int64_t fixture_number(struct fixture *f, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    sqlite3 *db = NULL;
    int64_t number = -1;

    if (postgres) {
        char *all = mem_format("SET search_path=headway; %s", sql);
        number = strtoll(pg_server_value("postgres", all), NULL, 10);
        free(all);
        return number;
    }
    assert_int_equal(sqlite3_open_v2(f->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    if (sqlite3_step(stmt) == SQLITE_ROW)
        number = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return number;
}

static int begin_postgres(void **state)
{
    (void)state;
    fixture_use_postgres(pg_server_start());
    return 0;
}

static int end_postgres(void **state)
{
    (void)state;
    if (postgres)
        pg_server_stop();
    fixture_use_postgres(false);
    return 0;
}

int fixture_run_both(const struct CMUnitTest *sqlite_only, size_t count, const struct CMUnitTest *both,
                     size_t both_count)
{
    int failed = count ? _cmocka_run_group_tests("SQLite only", sqlite_only, count, NULL, NULL) : 0;

    failed += _cmocka_run_group_tests("SQLite", both, both_count, NULL, NULL);
    begin_postgres(NULL);
    if (postgres)
        failed += _cmocka_run_group_tests("PostgreSQL", both, both_count, NULL, end_postgres);
    return failed;
}

struct user *sample_user(uint64_t id, const char *name)
{
    struct user *u = user_new();

    u->r.id = id;
    mem_replace(&u->name, name);
    u->created_ns = 1700000000000000000;
    return u;
}

struct prefix sample_prefix(const char *text)
{
    struct prefix p;
    struct err e;

    if (prefix_parse(text, &p, NULL, &e) < 0)
        fail_msg("%s", e.message);
    return p;
}

struct node *sample_node(uint64_t id, uint64_t user_id)
{
    struct node *n = node_new();
    char name[32];

    n->r.id = id;
    n->user_id = user_id;
    for (size_t i = 0; i < KEY_LEN; i++)
        n->machine_key[i] = n->node_key[i] = n->disco_key[i] = (uint8_t)(id >> (i % 8 * 8));
    snprintf(name, sizeof(name), "host-%llu", (unsigned long long)id);
    mem_replace(&n->hostname, name);
    mem_replace(&n->given_name, name);
    n->ipv4 = (struct addr){.bits = 32, .bytes = {100, 64, (uint8_t)(id >> 8), (uint8_t)id}};
    n->ipv6 =
        (struct addr){.bits = 128, .bytes = {0xfd, 0x7a, [13] = (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id}};
    n->created_ns = 1700000000000000000 + (int64_t)id;
    return n;
}

struct event *sample_event(uint64_t run, uint64_t seq)
{
    struct event *v = event_new();

    v->r.id = seq;
    v->run = run;
    v->time_ns = 1700000000000000000 + (int64_t)seq;
    mem_replace(&v->kind, "node.online");
    mem_replace(&v->actor, "server");
    mem_replace(&v->object, "node");
    v->object_id = 1;
    mem_replace(&v->object_name, "host-1");
    mem_replace(&v->text, "host-1 came online");
    return v;
}

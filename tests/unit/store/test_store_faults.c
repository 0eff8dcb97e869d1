/* SPDX-License-Identifier: BSD-3-Clause */
/* Failures: killed at any time, a full disk, an older or newer schema, damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/random.h"
#include "shared/files.h"
#include "shared/store_fixture.h"
#include "store/queue.h"
#include "store/sqlite/sqlite.h"

/* ---- killed ---- */

#define ROUNDS 12

static int ack_fd;
static atomic_int in_flight;

static void acknowledge(void *arg, int code, const struct err *e)
{
    uint64_t id = (uint64_t)(uintptr_t)arg;

    (void)e;
    if (code != 0 || write(ack_fd, &id, sizeof(id)) != (ssize_t)sizeof(id))
        _exit(3);
    atomic_fetch_sub(&in_flight, 1);
}

/* Writes groups of a user, its node and an entry without end; says what was answered. */
static void write_until_killed(struct fixture *f, uint64_t first)
{
    struct store *s;
    struct err e;

    if (fixture_try_open(f, &s, &e) < 0)
        _exit(2);
    for (uint64_t id = first;; id++) {
        char name[32];
        struct store_write group[3];
        struct node_live live = {.last_seen_ns = (int64_t)id, .net_info = (char[]){""}, .source = (char[]){""}};
        snprintf(name, sizeof(name), "user-%llu", (unsigned long long)id);
        group[0] = (struct store_write){.record = sample_user(id, name)};
        group[1] = (struct store_write){.record = sample_node(id, id)};
        group[2] = (struct store_write){.record = sample_event(s->run, id)};
        atomic_fetch_add(&in_flight, 1);
        store_submit(s, 0, group, 3, acknowledge, (void *)(uintptr_t)id);
        store_live(s, id, &live);
        for (size_t i = 0; i < 3; i++)
            record_unref(group[i].record);
        while (atomic_load(&in_flight) > 20)
            sched_yield();
    }
}

/* Runs a writer and kills it after some answers; returns the highest id that was answered. */
static uint64_t run_and_kill(struct fixture *f, uint64_t first)
{
    uint64_t id, highest = 0, answers = 1 + random_below(150);
    int ends[2], status;
    pid_t child;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        ack_fd = ends[1];
        write_until_killed(f, first);
    }
    close(ends[1]);
    for (uint64_t n = 0; read(ends[0], &id, sizeof(id)) == (ssize_t)sizeof(id); n++) {
        if (n == answers)
            kill(child, SIGKILL);
        highest = id;
    }
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return highest;
}

static void what_was_answered_survives_a_kill(void **state)
{
    struct fixture f;
    uint64_t next = 1;

    (void)state;
    fixture_begin(&f);
    fixture_close(&f);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t highest = run_and_kill(&f, next);
        struct store_image image;
        struct event **events;
        size_t count;
        bool gone;

        assert_true(highest >= next);
        fixture_open(&f);
        fixture_load(f.store, &image);
        /* All that was answered, in whole groups, in the order of submission: so without a hole. */
        assert_true(image.user_count >= highest);
        assert_int_equal(image.node_count, image.user_count);
        for (size_t i = 0; i < image.user_count; i++)
            assert_true(image.users[i]->r.id == i + 1 && image.nodes[i]->r.id == i + 1);
        assert_int_equal(store_events(f.store, 0, 0, 0, SIZE_MAX, &events, &count, &gone, NULL), 0);
        assert_int_equal(count, image.user_count);
        for (size_t i = 0; i < count; i++)
            record_unref(events[i]);
        free(events);
        assert_int_equal(image.run, 2 * round + 3);
        assert_int_equal(image.next_id[RECORD_NODE], image.node_count + 1);
        next = image.next_id[RECORD_NODE];
        store_image_release(&image);
        fixture_close(&f);
    }
    fixture_end(&f);
}

/* ---- answers come in the order of submission ---- */

struct order {
    uint64_t last;
    bool wrong;
};

static struct order order;

static void note_order(void *arg, int code, const struct err *e)
{
    uint64_t id = (uint64_t)(uintptr_t)arg;

    (void)e;
    order.wrong = order.wrong || id != order.last + 1 || (code == 0) == (id % 3 == 0);
    order.last = id;
}

static void answers_come_in_order_each_with_its_own_verdict(void **state)
{
    struct fixture f;

    (void)state;
    order = (struct order){0};
    fixture_begin(&f);
    for (uint64_t id = 1; id <= 300; id++) {
        char name[32];
        struct store_write w;
        /* Each third takes the name of the one before. */
        snprintf(name, sizeof(name), "user-%llu", (unsigned long long)(id % 3 == 0 ? id - 1 : id));
        w = (struct store_write){.record = sample_user(id, name)};
        store_submit(f.store, 0, &w, 1, note_order, (void *)(uintptr_t)id);
        record_unref(w.record);
    }
    fixture_close(&f);
    assert_int_equal(order.last, 300);
    assert_false(order.wrong);
    fixture_end(&f);
}

/* ---- a full disk ---- */

static struct sqlite_engine *database_of(struct store *s)
{
    return (struct sqlite_engine *)s->engine;
}

static void limit_pages(struct store *s, const char *pragma)
{
    pthread_mutex_lock(&database_of(s)->writer_lock);
    assert_int_equal(sqlite_execute(database_of(s)->writer, pragma, NULL), 0);
    pthread_mutex_unlock(&database_of(s)->writer_lock);
}

static struct user *big_user(uint64_t id, size_t size)
{
    struct user *u = sample_user(id, "");
    char *text = mem_alloc(size + 1);

    memset(text, 'x', size);
    free(u->name);
    u->name = text;
    return u;
}

struct verdicts {
    int codes[16];
    struct err err;
    size_t count;
};

static void collect(void *arg, int code, const struct err *e)
{
    struct verdicts *v = arg;

    v->codes[v->count++] = code;
    if (code < 0)
        v->err = *e;
}

static void a_full_disk_refuses_what_does_not_fit_and_nothing_else(void **state)
{
    struct fixture f;
    struct store_image image;
    struct verdicts v = {0};
    struct err e;
    struct user *first = sample_user(1, "alice"), *big = big_user(2, 200000), *small = sample_user(3, "carol");
    struct store_write writes[] = {{.record = first}, {.record = big}, {.record = small}};

    (void)state;
    fixture_begin(&f);
    fixture_put_only(f.store, sample_user(9, "zoe"));
    limit_pages(f.store, "PRAGMA max_page_count=1");
    /* Nothing can be committed while we hold this, so the three share a transaction, or the last two do. */
    pthread_mutex_lock(&database_of(f.store)->writer_lock);
    for (size_t i = 0; i < 3; i++)
        store_submit(f.store, 0, &writes[i], 1, collect, &v);
    pthread_mutex_unlock(&database_of(f.store)->writer_lock);
    assert_int_equal(fixture_put(f.store, big, &e), ERR_UNAVAILABLE);
    assert_non_null(strstr(e.message, "the disk is full"));
    assert_non_null(strstr(e.message, f.path));
    assert_int_equal(v.count, 3);
    assert_true(v.codes[0] == 0 && v.codes[1] == ERR_UNAVAILABLE && v.codes[2] == 0);
    assert_int_equal(store_ping(f.store, &e), ERR_UNAVAILABLE);
    fixture_load(f.store, &image);
    assert_int_equal(image.user_count, 3);
    store_image_release(&image);
    limit_pages(f.store, "PRAGMA max_page_count=1000000");
    assert_int_equal(fixture_put(f.store, big, &e), 0);
    assert_int_equal(store_ping(f.store, &e), 0);
    for (size_t i = 0; i < 3; i++)
        record_unref(writes[i].record);
    fixture_end(&f);
}

/* Groups of a series were decided upon one another; others stand for themselves. */
static void a_refused_group_takes_the_rest_of_its_series(void **state)
{
    static const struct {
        uint64_t series, id;
        const char *name;
        int code;
    } steps[] = {
        {1, 1, "alice", 0},
        {1, 2, "alice", ERR_CONFLICT},
        {1, 3, "carol", ERR_CONFLICT},
        {0, 4, "dora", 0},
        {2, 5, "erin", 0},
        {1, 6, "frank", ERR_CONFLICT},
        {0, 7, "alice", ERR_CONFLICT},
        {2, 8, "grace", 0},
        {2, 9, "", ERR_UNAVAILABLE},
        {2, 10, "heidi", ERR_UNAVAILABLE},
        {3, 11, "ivan", 0},
    };
    struct fixture f;
    struct verdicts v = {0};
    struct store_image image;

    (void)state;
    for (size_t round = 0; round < 2; round++) {
        fixture_begin(&f);
        limit_pages(f.store, "PRAGMA max_page_count=1");
        v.count = 0;
        /* In one commit and, the second time, each in its own. */
        pthread_mutex_lock(&database_of(f.store)->writer_lock);
        for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
            struct user *u = *steps[i].name ? sample_user(steps[i].id, steps[i].name) : big_user(steps[i].id, 200000);
            store_submit(f.store, steps[i].series, &(struct store_write){.record = u}, 1, collect, &v);
            record_unref(u);
            if (round == 1) {
                pthread_mutex_unlock(&database_of(f.store)->writer_lock);
                (void)fixture_write(f.store, NULL, 0, NULL);
                pthread_mutex_lock(&database_of(f.store)->writer_lock);
            }
        }
        pthread_mutex_unlock(&database_of(f.store)->writer_lock);
        assert_int_equal(fixture_write(f.store, NULL, 0, NULL), 0);
        assert_int_equal(v.count, sizeof(steps) / sizeof(*steps));
        for (size_t i = 0; i < v.count; i++)
            if (v.codes[i] != steps[i].code)
                fail_msg("round %zu, step %zu: %d", round, i, v.codes[i]);
        fixture_load(f.store, &image);
        assert_int_equal(image.user_count, 5);
        store_image_release(&image);
        fixture_end(&f);
    }
}

static void limit_file_size(rlim_t size)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size == RLIM_INFINITY ? limit.rlim_max : size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The log cannot grow: what a disk does that fills up under it, an error of write(2) in the middle of a commit. */
static void a_commit_that_the_disk_breaks_is_undone(void **state)
{
    struct fixture f;
    struct store_image image;
    struct node_live live = {.last_seen_ns = 77, .net_info = (char[]){""}, .source = (char[]){""}};
    struct err e;
    struct user *big = big_user(2, 3000000);
    char wal[128];
    struct stat st;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    fixture_begin(&f);
    fixture_put_only(f.store, sample_user(1, "alice"));
    fixture_put_only(f.store, sample_node(1, 1));
    snprintf(wal, sizeof(wal), "%s-wal", f.path);
    assert_int_equal(stat(wal, &st), 0);
    limit_file_size((rlim_t)st.st_size + 100000);
    assert_int_equal(fixture_put(f.store, big, &e), ERR_UNAVAILABLE);
    assert_non_null(strstr(e.message, "the disk is full"));
    fixture_load(f.store, &image);
    assert_int_equal(image.user_count, 1);
    store_image_release(&image);
    /* Soft state waits for better times, and a small change still fits. */
    store_live(f.store, 1, &live);
    fixture_put_only(f.store, sample_user(5, "dora"));
    limit_file_size(RLIM_INFINITY);
    assert_int_equal(fixture_put(f.store, big, &e), 0);
    record_unref(big);
    fixture_close(&f);
    fixture_open(&f);
    fixture_load(f.store, &image);
    assert_int_equal(image.user_count, 3);
    assert_int_equal(image.lives[0].last_seen_ns, 77);
    store_image_release(&image);
    fixture_end(&f);
}

/* ---- schemas ---- */

static int upgrade(const char *path, const struct schema_step *steps, unsigned newest, struct err *e)
{
    sqlite3 *db = NULL;
    int code = sqlite_connect(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &db, e);

    if (code == 0)
        code = sqlite_upgrade(db, path, steps, newest, e);
    sqlite_disconnect(db);
    return code;
}

static void an_older_schema_moves_forward_after_a_copy(void **state)
{
    unsigned now = schema_newest();
    const struct schema_step steps[] = {{now + 1, "ALTER TABLE user ADD COLUMN note TEXT NOT NULL DEFAULT 'n'"},
                                        {now + 2, "CREATE TABLE more(x) STRICT"},
                                        {0, NULL}};
    const struct schema_step good[] = {steps[0], {now + 2, "CREATE TABLE more(x TEXT) STRICT"}, {0, NULL}};
    struct fixture f, copy = {0};
    struct store_image image;
    char text[64];
    struct err e;

    (void)state;
    fixture_begin(&f);
    fixture_put_only(f.store, sample_user(1, "alice"));
    fixture_close(&f);
    /* A version that fails undoes those before it: the present one still opens it. */
    assert_true(upgrade(f.path, steps, now + 2, &e) < 0);
    snprintf(text, sizeof(text), "schema version %u", now + 2);
    assert_non_null(strstr(e.message, text));
    fixture_open(&f);
    fixture_close(&f);
    snprintf(copy.path, sizeof(copy.path), "%s/db.schema-%u", f.folder, now);
    assert_int_equal(unlink(copy.path), 0);

    if (upgrade(f.path, good, now + 2, &e) < 0)
        fail_msg("%s", e.message);
    fixture_sql(f.path, "UPDATE user SET note='changed'; INSERT INTO more VALUES('x')");
    assert_int_equal(upgrade(f.path, good, now + 2, &e), 0);
    assert_int_equal(store_open(f.path, &f.store, &e), ERR_UNSUPPORTED);
    snprintf(text, sizeof(text), "schema %u, this one knows %u", now + 2, now);
    assert_non_null(strstr(e.message, text));
    fixture_open(&copy);
    fixture_load(copy.store, &image);
    assert_string_equal(image.users[0]->name, "alice");
    store_image_release(&image);
    fixture_close(&copy);
    fixture_end(&f);
}

/* What is new in a later schema is unknown of what was there before. */
static void a_database_of_the_first_schema_is_read(void **state)
{
    const struct prefix p = sample_prefix("10.0.0.0/8");
    struct node *n;
    struct store_image image;
    struct fixture f;
    struct err e;

    (void)state;
    fixture_begin(&f);
    fixture_close(&f);
    unlink(f.path);
    if (upgrade(f.path, sqlite_schema, 1, &e) < 0)
        fail_msg("%s", e.message);
    fixture_sql(f.path, "INSERT INTO node VALUES(4,2,randomblob(32),randomblob(32),randomblob(32),'gw','gw',0,"
                        "'[\"tag:r\"]','100.64.0.4',NULL,1,0,0,0,5,0,'[\"10.0.0.0/8\"]','[\"10.0.0.0/8\"]','[]','[]',"
                        "130,'linux','6','1.98','{}','{}')");
    fixture_open(&f);
    fixture_load(f.store, &image);
    assert_int_equal(image.node_count, 1);
    n = image.nodes[0];
    assert_false(n->draining);
    assert_int_equal(n->priority, NODE_PRIORITY_DEFAULT);
    assert_true(prefixes_has(&n->approved, &p));
    assert_string_equal(node_approver(n, &p), "");
    assert_true(node_disapprove(n, &p));
    assert_true(node_approve(n, &p, "alice"));
    assert_string_equal(node_approver(n, &p), "alice");
    fixture_put(f.store, n, &e);
    store_image_release(&image);
    fixture_close(&f);
    fixture_open(&f);
    fixture_load(f.store, &image);
    assert_string_equal(node_approver(image.nodes[0], &p), "alice");
    store_image_release(&image);
    fixture_end(&f);
}

/* A column that came after the second schema. */
static bool is_later(const char *table, const char *column)
{
    for (const struct store_table *t = store_tables; t < store_tables + STORE_TABLES; t++)
        for (size_t i = 0; i < t->count && str_eq(t->name, table); i++)
            if (str_eq(t->columns[i].name, column))
                return t->columns[i].since > 2;
    return false;
}

/* What each kind holds, each row as one text, in the order of the key; without the columns of later schemas. */
static char *all_rows(const char *path, const char *table)
{
    char *sql = mem_format("SELECT * FROM \"%s\"", table);
    struct buf out = BUF_INIT(0);
    sqlite3_stmt *stmt = NULL;
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(stmt); i++)
            if (!is_later(table, sqlite3_column_name(stmt, i)))
                buf_addf(&out, "%s=%s ", sqlite3_column_name(stmt, i),
                         sqlite3_column_text(stmt, i) ? (const char *)sqlite3_column_text(stmt, i) : "NULL");
        buf_adds(&out, "\n");
    }
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    free(sql);
    return buf_take(&out);
}

/* tests/unit/store/schemas/schema-2.sql was made by headway before its schema came from descriptions of the tables. */
static void a_database_of_the_second_schema_goes_on_working(void **state)
{
    static const char *const tables[] = {"user",      "preauth_key", "api_key",        "node",
                                         "node_live", "policy",      "primary_router", "event"};
    char *sql = file_text("tests/unit/store/schemas/schema-2.sql"), *before[8], *after;
    struct store_image image;
    struct event **events;
    bool gone;
    size_t count;
    struct fixture f;

    (void)state;
    fixture_begin(&f);
    fixture_close(&f);
    unlink(f.path);
    fixture_sql(f.path, sql);
    free(sql);
    for (size_t i = 0; i < 8; i++)
        before[i] = all_rows(f.path, tables[i]);
    fixture_open(&f);
    fixture_load(f.store, &image);
    assert_int_equal(image.user_count, 2);
    assert_string_equal(image.users[1]->display_name, "Böb");
    assert_string_equal(image.preauth_keys[0]->tags.items[0], "tag:a");
    assert_true(image.api_keys[0]->read_only);
    assert_int_equal(image.node_count, 2);
    assert_string_equal(image.nodes[0]->approved_by.items[0], "alice");
    assert_true(image.nodes[0]->draining);
    assert_int_equal(image.lives[0].endpoint_count, 1);
    assert_int_equal(image.lives[0].home_derp, 900);
    assert_int_equal(image.policies[0]->r.id, 2);
    assert_int_equal(image.primaries[0]->r.id, 5);
    assert_int_equal(image.next_id[RECORD_NODE], 7);
    assert_int_equal(image.next_id[RECORD_EVENT], 6);
    /* Whose doing an entry was is seen from its actor. */
    assert_int_equal(store_events(f.store, 0, 0, 0, 10, &events, &count, &gone, NULL), 0);
    assert_int_equal(count, 5);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(events[i]->by_admin, i == 1 || i == 4);
        record_unref(events[i]);
    }
    free(events);
    /* And what is read is what is written. */
    for (size_t i = 0; i < image.node_count; i++)
        assert_int_equal(fixture_put(f.store, image.nodes[i], NULL), 0);
    for (size_t i = 0; i < image.user_count; i++)
        assert_int_equal(fixture_put(f.store, image.users[i], NULL), 0);
    store_image_release(&image);
    fixture_close(&f);
    for (size_t i = 0; i < 8; i++) {
        after = all_rows(f.path, tables[i]);
        assert_string_equal(after, before[i]);
        free(after);
        free(before[i]);
    }
    fixture_end(&f);
}

/* A migrated database and a new one have the same tables. */
static char *schema_of(const char *path)
{
    struct buf out = BUF_INIT(0);
    sqlite3_stmt *stmt = NULL;
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(
                         db,
                         "SELECT m.type||' '||m.name||' '||c.name||' '||c.type||' '||c.\"notnull\"||' '||c.pk FROM "
                         "sqlite_schema AS m, pragma_table_info(m.name) AS c WHERE m.type='table' UNION ALL SELECT "
                         "m.name||' '||m.tbl_name||' '||l.\"unique\"||l.partial||' '||coalesce(x.name,'expression') "
                         "FROM sqlite_schema AS m, pragma_index_list(m.tbl_name) AS l, pragma_index_info(m.name) AS x "
                         "WHERE m.type='index' AND l.name=m.name ORDER BY 1",
                         -1, &stmt, NULL),
                     SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW)
        buf_addf(&out, "%s\n", (const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return buf_take(&out);
}

static void a_migrated_database_has_the_tables_of_a_new_one(void **state)
{
    char *sql = file_text("tests/unit/store/schemas/schema-2.sql"), *fresh, *migrated;
    struct fixture f;

    (void)state;
    fixture_begin(&f);
    fixture_close(&f);
    fresh = schema_of(f.path);
    assert_true(strlen(fresh) > 2000);
    unlink(f.path);
    fixture_sql(f.path, sql);
    fixture_open(&f);
    fixture_close(&f);
    migrated = schema_of(f.path);
    assert_string_equal(migrated, fresh);
    free(fresh);
    free(migrated);
    free(sql);
    fixture_end(&f);
}

static void a_copy_that_cannot_be_kept_stops_the_migration(void **state)
{
    unsigned next = schema_newest() + 1;
    const struct schema_step good[] = {{next, "CREATE TABLE more(x TEXT) STRICT"}, {0, NULL}};
    struct fixture f;
    struct err e;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    fixture_begin(&f);
    fixture_put_only(f.store, big_user(1, 300000));
    fixture_close(&f);
    limit_file_size(200000);
    assert_int_equal(upgrade(f.path, good, next, &e), ERR_UNAVAILABLE);
    limit_file_size(RLIM_INFINITY);
    assert_non_null(strstr(e.message, "a copy before the migration"));
    assert_non_null(strstr(e.message, "the disk is full"));
    fixture_open(&f);
    fixture_end(&f);
}

static void a_foreign_database_is_refused(void **state)
{
    struct fixture f;
    struct err e;

    (void)state;
    fixture_begin(&f);
    fixture_close(&f);
    unlink(f.path);
    fixture_sql(f.path, "CREATE TABLE nodes(id INTEGER)");
    assert_int_equal(store_open(f.path, &f.store, &e), ERR_UNSUPPORTED);
    assert_non_null(strstr(e.message, "was not made by headway"));
    fixture_end(&f);
}

/* ---- damage ---- */

static void overwrite(const char *path, off_t from, size_t count)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    char *junk = mem_alloc(count);

    memset(junk, 0xa5, count);
    assert_int_equal(pwrite(fd, junk, count, from), count);
    free(junk);
    close(fd);
}

static void damage_is_told_from_other_trouble(void **state)
{
    struct fixture f;
    struct store_image image;
    struct stat st;
    struct err e;
    int code;

    (void)state;
    fixture_begin(&f);
    for (uint64_t i = 1; i < 200; i++)
        fixture_put_only(f.store, sample_node(i, 0));
    fixture_close(&f);
    assert_int_equal(stat(f.path, &st), 0);
    overwrite(f.path, 4096, (size_t)st.st_size - 4096);
    code = store_open(f.path, &f.store, &e);
    if (code == 0)
        code = store_load(f.store, &image, &e);
    assert_int_equal(code, ERR_IO);
    assert_non_null(strstr(e.message, "damaged"));
    assert_non_null(strstr(e.message, f.path));
    fixture_close(&f);
    overwrite(f.path, 0, 4096);
    assert_int_equal(store_open(f.path, &f.store, &e), ERR_IO);
    assert_non_null(strstr(e.message, "is no database"));
    fixture_end(&f);
}

int main(void)
{
    const struct CMUnitTest sqlite_only[] = {
        cmocka_unit_test(a_full_disk_refuses_what_does_not_fit_and_nothing_else),
        cmocka_unit_test(a_refused_group_takes_the_rest_of_its_series),
        cmocka_unit_test(a_commit_that_the_disk_breaks_is_undone),
        cmocka_unit_test(an_older_schema_moves_forward_after_a_copy),
        cmocka_unit_test(a_database_of_the_first_schema_is_read),
        cmocka_unit_test(a_database_of_the_second_schema_goes_on_working),
        cmocka_unit_test(a_migrated_database_has_the_tables_of_a_new_one),
        cmocka_unit_test(a_copy_that_cannot_be_kept_stops_the_migration),
        cmocka_unit_test(a_foreign_database_is_refused),
        cmocka_unit_test(damage_is_told_from_other_trouble),
    };
    const struct CMUnitTest both[] = {
        cmocka_unit_test(what_was_answered_survives_a_kill),
        cmocka_unit_test(answers_come_in_order_each_with_its_own_verdict),
    };

    return fixture_run_both(sqlite_only, ARRAY_LEN(sqlite_only), both, ARRAY_LEN(both));
}

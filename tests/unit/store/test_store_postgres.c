/* SPDX-License-Identifier: BSD-3-Clause */
/* A database behind a connection: lost and restored, sessions that end during a commit, a second daemon, a database of
 * another server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "shared/postgres/pg_server.h"
#include "shared/store_fixture.h"
#include "store/queue.h"

/* ---- answers, as they come ---- */

#define ANSWERS_MAX 20000

static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    size_t count;
    int first[ANSWERS_MAX], second[ANSWERS_MAX]; /* by id; 1: none yet */
    char message[240];
} answers = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static void forget_answers(void)
{
    answers.count = 0;
    for (size_t i = 0; i < ANSWERS_MAX; i++)
        answers.first[i] = answers.second[i] = 1;
}

static void note(void *arg, int code, const struct err *e)
{
    size_t id = (size_t)(uintptr_t)arg;

    pthread_mutex_lock(&answers.lock);
    if (answers.first[id] == 1) {
        answers.first[id] = code;
        answers.count++;
    } else {
        answers.second[id] = code;
    }
    if (code < 0 && e)
        snprintf(answers.message, sizeof(answers.message), "%s", e->message);
    pthread_cond_broadcast(&answers.wake);
    pthread_mutex_unlock(&answers.lock);
}

static void wait_for_answers(size_t count)
{
    pthread_mutex_lock(&answers.lock);
    while (answers.count < count)
        pthread_cond_wait(&answers.wake, &answers.lock);
    pthread_mutex_unlock(&answers.lock);
}

static void submit_user(struct store *s, uint64_t series, uint64_t id)
{
    char name[32];

    snprintf(name, sizeof(name), "user-%llu", (unsigned long long)id);
    struct store_write w = {.record = sample_user(id, name)};
    store_submit(s, series, &w, 1, note, (void *)(uintptr_t)id);
    record_unref(w.record);
}

/* Each answer says what is there. */
static void assert_answers_are_true(struct fixture *f, size_t count)
{
    struct store_image image;
    size_t at = 0;

    while (store_ping(f->store, NULL) < 0)
        usleep(50000);
    fixture_load(f->store, &image);
    for (size_t id = 1; id <= count; id++) {
        int last = answers.second[id] == 1 ? answers.first[id] : answers.second[id];
        while (at < image.user_count && image.users[at]->r.id < id)
            at++;
        bool there = at < image.user_count && image.users[at]->r.id == id;
        if (there != (last == 0))
            fail_msg("user %zu: answered %d, then %d; there: %d", id, answers.first[id], answers.second[id], there);
    }
    store_image_release(&image);
}

/* ---- away, and back ---- */

static void a_short_absence_is_only_a_delay(void **state)
{
    struct fixture f;
    struct err e;

    (void)state;
    forget_answers();
    fixture_begin(&f);
    for (uint64_t id = 1; id <= 50; id++)
        submit_user(f.store, 1, id);
    wait_for_answers(50);
    pg_server_crash();
    for (uint64_t id = 51; id <= 100; id++)
        submit_user(f.store, 1, id);
    pg_server_again();
    wait_for_answers(100);
    for (uint64_t id = 1; id <= 100; id++)
        assert_int_equal(answers.first[id], 0);
    assert_answers_are_true(&f, 100);
    assert_int_equal(store_ping(f.store, &e), 0);
    fixture_end(&f);
}

static void a_long_absence_refuses_and_ends(void **state)
{
    struct node_live live = {.last_seen_ns = 77, .net_info = (char[]){""}, .source = (char[]){""}};
    struct store_image image;
    struct fixture f;
    struct err e;

    (void)state;
    forget_answers();
    fixture_begin(&f);
    fixture_put_only(f.store, sample_user(900, "alice"));
    fixture_put_only(f.store, sample_node(1, 900));
    pg_server_crash();
    int64_t began = clock_mono_ms();
    submit_user(f.store, 1, 1);
    wait_for_answers(1);
    assert_true(clock_mono_ms() - began > 5000);
    assert_int_equal(answers.first[1], ERR_UNAVAILABLE);
    assert_non_null(strstr(answers.message, "PostgreSQL"));
    assert_int_equal(store_ping(f.store, &e), ERR_UNAVAILABLE);
    /* What stood on it goes with it at once; soft state waits. */
    submit_user(f.store, 1, 2);
    wait_for_answers(2);
    assert_int_equal(answers.first[2], ERR_UNAVAILABLE);
    store_live(f.store, 1, &live);
    pg_server_again();
    submit_user(f.store, 2, 3);
    wait_for_answers(3);
    assert_int_equal(answers.first[3], 0);
    assert_answers_are_true(&f, 3);
    fixture_close(&f);
    fixture_open(&f);
    fixture_load(f.store, &image);
    assert_int_equal(image.lives[0].last_seen_ns, 77);
    store_image_release(&image);
    fixture_end(&f);
}

/* A server that answers nothing, and keeps its connections: nothing waits for it without end. */
static void a_server_that_hangs_is_one_that_is_away(void **state)
{
    struct event **events;
    struct fixture f;
    size_t count;
    struct err e;

    (void)state;
    forget_answers();
    fixture_begin(&f);
    submit_user(f.store, 1, 1);
    wait_for_answers(1);
    pg_server_hang(true);
    submit_user(f.store, 1, 2);
    assert_int_equal(store_events(f.store, 0, 0, 0, 10, &events, &count, NULL, &e), ERR_UNAVAILABLE);
    wait_for_answers(2);
    assert_true(answers.first[2] == ERR_UNAVAILABLE || answers.first[2] == ERR_TIMEOUT);
    pg_server_hang(false);
    submit_user(f.store, 2, 3);
    wait_for_answers(3);
    if (answers.first[3] != 0) /* decided before it was known of the second */
        assert_int_equal(answers.first[3], ERR_CONFLICT);
    assert_answers_are_true(&f, 3);
    fixture_end(&f);
}

/* ---- those who read for long ---- */

struct holder {
    struct store *store;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool reads, ends;
};

static int hold(struct store_sql *db, void *arg, struct err *e)
{
    struct holder *h = arg;

    (void)db;
    (void)e;
    pthread_mutex_lock(&h->lock);
    h->reads = true;
    pthread_cond_broadcast(&h->wake);
    while (!h->ends)
        pthread_cond_wait(&h->wake, &h->lock);
    pthread_mutex_unlock(&h->lock);
    return 0;
}

static void *read_for_long(void *arg)
{
    struct holder *h = arg;
    struct err e;

    return h->store->engine->calls->reading(h->store->engine, hold, h, &e) == 0 ? h : NULL;
}

/* One long answer is no reason to say that the database is away. */
static void a_long_reading_is_no_absence(void **state)
{
    struct holder h = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};
    struct fixture f;
    pthread_t thread;
    void *result;
    struct err e;

    (void)state;
    fixture_begin(&f);
    h.store = f.store;
    assert_int_equal(pthread_create(&thread, NULL, read_for_long, &h), 0);
    pthread_mutex_lock(&h.lock);
    while (!h.reads)
        pthread_cond_wait(&h.wake, &h.lock);
    pthread_mutex_unlock(&h.lock);
    assert_int_equal(store_ping(f.store, &e), 0);
    pthread_mutex_lock(&h.lock);
    h.ends = true;
    pthread_cond_broadcast(&h.wake);
    pthread_mutex_unlock(&h.lock);
    pthread_join(thread, &result);
    assert_ptr_equal(result, &h);
    fixture_end(&f);
}

static int sleep_there(struct store_sql *db, void *arg, struct err *e)
{
    int64_t none = 0;

    (void)arg;
    return sql_number(db, 0, &none, e, "SELECT 1 FROM pg_sleep(3600)");
}

/* What is not waited for is not worked at for ever. */
static void a_question_that_is_given_up_ends_at_the_server(void **state)
{
    static const char left[] =
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(3600)%' AND state='active' "
        "AND pid<>pg_backend_pid()";
    struct fixture f;
    struct err e;

    (void)state;
    fixture_begin(&f);
    assert_int_equal(f.store->engine->calls->reading(f.store->engine, sleep_there, NULL, &e), ERR_UNAVAILABLE);
    while (strcmp(pg_server_value("postgres", left), "0") != 0)
        usleep(50000);
    fixture_end(&f);
}

/* ---- sessions that end at any moment ---- */

static atomic_bool ending;

static void *end_sessions(void *arg)
{
    (void)arg;
    while (!atomic_load(&ending)) {
        (void)pg_server_value("postgres", "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE "
                                          "application_name LIKE 'headway writer%'");
        usleep(20000);
    }
    return NULL;
}

static void sessions_may_end_at_any_moment(void **state)
{
    struct fixture f;
    pthread_t thread;
    uint64_t id = 0;

    (void)state;
    forget_answers();
    atomic_store(&ending, false);
    fixture_begin(&f);
    assert_int_equal(pthread_create(&thread, NULL, end_sessions, NULL), 0);
    while (id < 1500) {
        for (size_t i = 0; i < 30; i++)
            submit_user(f.store, 1, ++id);
        wait_for_answers(id - 20);
    }
    wait_for_answers(id);
    atomic_store(&ending, true);
    pthread_join(thread, NULL);
    for (uint64_t i = 1; i <= id; i++)
        assert_int_equal(answers.first[i], 0);
    assert_answers_are_true(&f, id);
    fixture_end(&f);
}

/* ---- whose database it is ---- */

static void wait_until_lost(struct store *s, struct err *e)
{
    while (!store_is_lost(s, e))
        usleep(10000);
}

/* As if another daemon had taken the lock while this one's session was gone. */
static void who_was_replaced_writes_no_more(void **state)
{
    struct fixture f;
    struct err e;

    (void)state;
    forget_answers();
    fixture_begin(&f);
    fixture_sql(f.path, "UPDATE server SET run=run+1, leader='process 7 on other'");
    submit_user(f.store, 1, 1);
    wait_for_answers(1);
    assert_true(answers.first[1] == ERR_TIMEOUT || answers.first[1] == ERR_UNAVAILABLE);
    wait_until_lost(f.store, &e);
    assert_non_null(strstr(e.message, "process 7 on other"));
    assert_int_equal(fixture_number(&f, "SELECT count(*) FROM \\\"user\\\""), 0);
    fixture_end(&f);
}

/* As after a failover to a standby that had not got everything. */
static void lost_commits_are_found(void **state)
{
    struct fixture f;
    struct err e;

    (void)state;
    forget_answers();
    fixture_begin(&f);
    for (uint64_t id = 1; id <= 3; id++) {
        submit_user(f.store, 1, id);
        wait_for_answers(id);
    }
    fixture_sql(f.path, "UPDATE server SET commit=commit-2");
    submit_user(f.store, 1, 4);
    wait_until_lost(f.store, &e);
    assert_non_null(strstr(e.message, "it lost the last 2 commits"));
    fixture_end(&f);
    fixture_use_postgres(true);
}

static struct store_postgres place_of_test(const uint8_t *key)
{
    return (struct store_postgres){.host = pg_server_folder(),
                                   .name = "postgres",
                                   .user = PG_SERVER_USER,
                                   .pass = "secret-word",
                                   .sslmode = "disable",
                                   .options = "",
                                   .noise_key = key};
}

static void a_foreign_database_is_refused(void **state)
{
    static const uint8_t other[KEY_LEN] = {8};
    struct store_postgres with = place_of_test(other);
    struct store_image image;
    struct fixture f;
    struct store *s;
    struct err e;

    (void)state;
    fixture_begin(&f);
    fixture_close(&f);
    assert_int_equal(store_open_postgres(&with, &s, &e), ERR_UNSUPPORTED);
    assert_non_null(strstr(e.message, "noise key"));
    assert_int_equal(store_check_postgres(&with, &image, &e), ERR_UNSUPPORTED);
    fixture_sql(f.path, "UPDATE server SET schema=99, oldest=99");
    assert_int_equal(fixture_try_open(&f, &s, &e), ERR_UNSUPPORTED);
    assert_non_null(strstr(e.message, "newer headway"));
    pg_server_sql("postgres", "DROP SCHEMA headway CASCADE; CREATE TABLE migrations(x int); CREATE TABLE users(x int); "
                              "CREATE TABLE nodes(x int)");
    assert_int_equal(fixture_try_open(&f, &s, &e), ERR_UNSUPPORTED);
    assert_non_null(strstr(e.message, "headwayd import"));
    pg_server_sql("postgres", "DROP TABLE migrations; DROP TABLE users; DROP TABLE nodes");
    with.options = "secret-word";
    assert_int_equal(store_open_postgres(&with, &s, &e), ERR_INVALID);
    assert_non_null(strstr(e.message, "database.postgres.options"));
    assert_null(strstr(e.message, "secret-word"));
    with.options = "";
    with.name = "nowhere";
    assert_int_equal(store_open_postgres(&with, &s, &e), ERR_UNAVAILABLE);
    assert_non_null(strstr(e.message, "nowhere"));
    assert_null(strstr(e.message, "secret-word"));
    fixture_remove_folder(f.folder);
}

/* ---- many hosts ---- */

#define HOSTS 100 /* which take a connection and say nothing: two seconds each */

/* Whoever waits is answered when his time is over, wherever the search for the database is then. */
static void a_search_holds_nobody_up(void **state)
{
    static const uint8_t key[KEY_LEN] = {7}; /* the fixture's */
    struct store_postgres with = place_of_test(key);
    char folders[HOSTS][96];
    int sockets[HOSTS];
    struct buf hosts = BUF_INIT(0);
    struct fixture f;
    struct store *s;
    struct err e;

    (void)state;
    forget_answers();
    fixture_begin(&f);
    fixture_close(&f);
    buf_adds(&hosts, pg_server_folder());
    for (int i = 0; i < HOSTS; i++) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        snprintf(folders[i], sizeof(folders[i]), "%.70s/mute.%d", f.folder, i);
        assert_int_equal(mkdir(folders[i], 0700), 0);
        snprintf(address.sun_path, sizeof(address.sun_path), "%.90s/.s.PGSQL.5432", folders[i]);
        sockets[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_int_equal(bind(sockets[i], (const struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(sockets[i], 64), 0);
        buf_addf(&hosts, ",%s", folders[i]);
    }
    with.host = buf_text(&hosts);
    assert_int_equal(store_open_postgres(&with, &s, &e), 0);
    pg_server_crash();
    submit_user(s, 1, 1);
    wait_for_answers(1);
    assert_int_equal(answers.first[1], ERR_UNAVAILABLE);
    assert_true(accept(sockets[0], NULL, NULL) >= 0);        /* they were being asked, */
    assert_true(accept(sockets[HOSTS - 1], NULL, NULL) < 0); /* and not all of them yet */
    for (int i = 0; i < HOSTS; i++)                          /* they are not waited for at the end */
        close(sockets[i]);
    store_close(s);
    pg_server_again();
    buf_release(&hosts);
    fixture_remove_folder(f.folder);
}

/* As a build from between two releases left it: of the present version, with another schema. */
static void what_the_schema_lacks_is_named(void **state)
{
    static const uint8_t key[KEY_LEN] = {7}; /* the fixture's */
    struct store_postgres with = place_of_test(key);
    struct store_image image;
    struct fixture f;
    struct err e, checked;

    (void)state;
    fixture_begin(&f);
    fixture_close(&f);
    fixture_sql(f.path, "ALTER TABLE node DROP COLUMN priority");
    assert_int_equal(fixture_try_open(&f, &f.store, &e), ERR_UNSUPPORTED);
    assert_non_null(strstr(e.message, "column priority of table node is missing"));
    assert_int_equal(store_check_postgres(&with, &image, &checked), ERR_UNSUPPORTED);
    assert_string_equal(checked.message, e.message);
    fixture_sql(f.path, "DROP TABLE history");
    assert_int_equal(fixture_try_open(&f, &f.store, &e), ERR_UNSUPPORTED);
    fixture_sql(f.path, "DROP SCHEMA headway CASCADE");
    fixture_remove_folder(f.folder);
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

static int each(void **state)
{
    (void)state;
    if (!fixture_is_postgres())
        skip();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_short_absence_is_only_a_delay, each),
        cmocka_unit_test_setup(a_long_absence_refuses_and_ends, each),
        cmocka_unit_test_setup(a_server_that_hangs_is_one_that_is_away, each),
        cmocka_unit_test_setup(a_long_reading_is_no_absence, each),
        cmocka_unit_test_setup(a_question_that_is_given_up_ends_at_the_server, each),
        cmocka_unit_test_setup(sessions_may_end_at_any_moment, each),
        cmocka_unit_test_setup(who_was_replaced_writes_no_more, each),
        cmocka_unit_test_setup(lost_commits_are_found, each),
        cmocka_unit_test_setup(a_foreign_database_is_refused, each),
        cmocka_unit_test_setup(what_the_schema_lacks_is_named, each),
        cmocka_unit_test_setup(a_search_holds_nobody_up, each),
    };

    return cmocka_run_group_tests(tests, begin, end);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* The journal page by page, which ids are known, retention, hourly states, and copies of everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "shared/store_fixture.h"
#include "store/queue.h"
#include "store/sqlite/sqlite.h"

#define DAY (86400 * INT64_C(1000000000))

static void put_events(struct store *s, uint64_t run, uint64_t first, uint64_t last)
{
    for (uint64_t seq = first; seq <= last; seq++) {
        struct event *v = sample_event(run, seq);
        struct store_write w = {.record = v};
        if (seq == last)
            assert_int_equal(fixture_write(s, &w, 1, NULL), 0);
        else
            store_submit(s, 0, &w, 1, NULL, NULL);
        record_unref(v);
    }
}

/* Asks for a page and compares it with "1.2 1.3" or "gone". */
static void assert_page(struct store *s, uint64_t run, uint64_t after, uint64_t before, size_t limit,
                        const char *wanted)
{
    struct event **events;
    struct buf b = BUF_INIT(0);
    size_t count;
    bool gone;
    struct err e;

    if (store_events(s, run, after, before, limit, &events, &count, &gone, &e) < 0)
        fail_msg("%s", e.message);
    if (gone)
        buf_adds(&b, "gone");
    for (size_t i = 0; i < count; i++) {
        buf_addf(&b, "%s%llu.%llu", i ? " " : "", (unsigned long long)events[i]->run,
                 (unsigned long long)events[i]->r.id);
        record_unref(events[i]);
    }
    free(events);
    if (strcmp(buf_text(&b), wanted) != 0)
        fail_msg("after %llu.%llu before %llu: wanted '%s', is '%s'", (unsigned long long)run,
                 (unsigned long long)after, (unsigned long long)before, wanted, buf_text(&b));
    buf_release(&b);
}

static void pages_go_over_starts(void **state)
{
    struct fixture f;

    (void)state;
    fixture_begin(&f);
    assert_page(f.store, 0, 0, 0, 10, "");
    put_events(f.store, 1, 1, 3);
    fixture_close(&f);
    fixture_open(&f);
    put_events(f.store, 2, 4, 6);
    assert_page(f.store, 0, 0, 0, 10, "1.1 1.2 1.3 2.4 2.5 2.6");
    assert_page(f.store, 1, 2, 0, 10, "1.3 2.4 2.5 2.6");
    assert_page(f.store, 1, 2, 0, 2, "1.3 2.4");
    assert_page(f.store, 2, 6, 0, 10, "");
    assert_page(f.store, 2, 0, 5, 2, "1.3 2.4");
    assert_page(f.store, 2, 0, UINT64_MAX, 2, "2.5 2.6");
    assert_page(f.store, UINT64_MAX, 0, UINT64_MAX, 1, "2.6");
    assert_page(f.store, 1, 0, 1, 10, "");
    assert_page(f.store, 2, 6, 0, 0, "");
    fixture_end(&f);
}

static void an_unknown_id_is_gone(void **state)
{
    struct fixture f;

    (void)state;
    fixture_begin(&f);
    put_events(f.store, 1, 1, 3);
    fixture_close(&f);
    fixture_open(&f);
    /* Told by the former run and lost with it. */
    assert_page(f.store, 1, 4, 0, 10, "gone");
    /* The beginning of this run, before and after its first entry. */
    assert_page(f.store, 2, 3, 0, 10, "");
    put_events(f.store, 2, 4, 5);
    assert_page(f.store, 2, 3, 0, 10, "2.4 2.5");
    assert_page(f.store, 2, 2, 0, 10, "gone");
    assert_page(f.store, 2, 6, 0, 10, "gone");
    assert_page(f.store, 3, 1, 0, 10, "gone");
    assert_page(f.store, 0, 1, 0, 10, "gone");
    assert_page(f.store, UINT64_MAX, UINT64_MAX, 0, 10, "gone");
    fixture_end(&f);
}

static void runs_may_count_from_one(void **state)
{
    struct fixture f;

    (void)state;
    fixture_begin(&f);
    put_events(f.store, 1, 1, 3);
    fixture_close(&f);
    fixture_open(&f);
    assert_page(f.store, 2, 0, 0, 10, "");
    assert_page(f.store, 2, 1, 0, 10, "gone");
    put_events(f.store, 2, 1, 2);
    assert_page(f.store, 0, 0, 0, 10, "1.1 1.2 1.3 2.1 2.2");
    assert_page(f.store, 1, 0, 0, 10, "1.1 1.2 1.3 2.1 2.2");
    assert_page(f.store, 1, 3, 0, 10, "2.1 2.2");
    assert_page(f.store, 1, 4, 0, 10, "gone");
    assert_page(f.store, 2, 0, 0, 10, "2.1 2.2");
    assert_page(f.store, 2, 0, 1, 10, "1.1 1.2 1.3");
    fixture_end(&f);
}

/* Told by the stream before it is written: who comes back with it is not sent away. */
static void an_entry_on_its_way_is_known(void **state)
{
    struct fixture f;
    struct event *v = sample_event(1, 1);
    struct store_write w = {.record = v};

    (void)state;
    fixture_begin(&f);
    struct sqlite_engine *database = (struct sqlite_engine *)f.store->engine;
    pthread_mutex_lock(&database->writer_lock);
    store_submit(f.store, 0, &w, 1, NULL, NULL);
    assert_page(f.store, 1, 1, 0, 10, "");
    assert_page(f.store, 1, 0, 0, 10, "");
    assert_page(f.store, 1, 2, 0, 10, "gone");
    pthread_mutex_unlock(&database->writer_lock);
    record_unref(v);
    fixture_end(&f);
}

static void an_entry_can_be_marked_as_undone(void **state)
{
    struct fixture f;
    struct event *v = sample_event(1, 1), **events;
    size_t count;
    bool gone;

    (void)state;
    mem_replace(&v->detail, "{\"a\":[1]}");
    mem_replace(&v->inverse, "{\"method\":\"POST\"}");
    fixture_begin(&f);
    assert_int_equal(fixture_put(f.store, v, NULL), 0);
    v->undone_run = 3;
    v->undone_by = 2;
    v->r.version = 2;
    assert_int_equal(fixture_put(f.store, v, NULL), 0);
    assert_int_equal(store_events(f.store, 0, 0, 0, 10, &events, &count, &gone, NULL), 0);
    assert_int_equal(count, 1);
    assert_int_equal(events[0]->undone_run, 3);
    assert_int_equal(events[0]->undone_by, 2);
    assert_int_equal(events[0]->r.version, 2);
    assert_true(events[0]->time_ns == v->time_ns);
    assert_string_equal(events[0]->kind, v->kind);
    assert_string_equal(events[0]->actor, v->actor);
    assert_string_equal(events[0]->object, v->object);
    assert_int_equal(events[0]->object_id, 1);
    assert_string_equal(events[0]->object_name, v->object_name);
    assert_string_equal(events[0]->text, v->text);
    assert_string_equal(events[0]->detail, v->detail);
    assert_string_equal(events[0]->inverse, v->inverse);
    record_unref(events[0]);
    free(events);
    record_unref(v);
    fixture_end(&f);
}

static void prune_at(struct store *s, int64_t now_ns, int64_t mono_ms)
{
    bool more = true;

    while (more)
        assert_int_equal(store_prune(s, now_ns, mono_ms, &more, NULL), 0);
}

/* The clocks move together. */
static void prune_all(struct store *s, int64_t now_ns)
{
    prune_at(s, now_ns, now_ns / NS_PER_MS);
}

static const char many_events[] =
    "INSERT INTO event(run,seq,version,time_ns,kind,actor,object,object_id,object_name,text,detail,inverse,undone_run,"
    "undone_by) SELECT 1,value,1,CAST(value AS bigint)*1000000000,'k','a','node',1,'n','t','','',0,0 FROM (WITH "
    "RECURSIVE n(value) AS "
    "(SELECT 1 UNION ALL SELECT value+1 FROM n WHERE value<%d) SELECT value FROM n) AS m";

#define HOUR (3600 * NS_PER_SECOND)

/* The wall clock is set, forth and back: no entry becomes too old by that, whether the daemon runs or starts. */
static void a_jump_of_the_clock_takes_no_entries_along(void **state)
{
    const int64_t first = INT64_C(1767225600) * NS_PER_SECOND, jump = 3650 * DAY; /* 2026 */
    int64_t now = first + 3000 * HOUR, mono = 12345, kept = 3000 - 90 * 24 + 1;
    struct fixture f;
    char sql[700];

    (void)state;
    fixture_begin(&f);
    fixture_close(&f);
    snprintf(sql, sizeof(sql), many_events, 3000);
    fixture_sql(f.path, sql);
    snprintf(sql, sizeof(sql), "UPDATE event SET time_ns=%lld+seq*%lld", (long long)(first - HOUR / 2),
             (long long)HOUR);
    fixture_sql(f.path, sql);
    fixture_open(&f);
    prune_at(f.store, now, mono);
    assert_int_equal(fixture_number(&f, "SELECT min(seq) FROM event"), kept);
    prune_at(f.store, now + jump, mono += 60000);
    assert_int_equal(fixture_number(&f, "SELECT min(seq) FROM event"), kept);
    mono += 20 * HOUR / NS_PER_MS;
    prune_at(f.store, now + jump + 20 * HOUR, mono);
    assert_int_equal(fixture_number(&f, "SELECT min(seq) FROM event"), kept + 20);
    for (int64_t start = 1; start <= 3; start++) { /* a day each at most */
        fixture_close(&f);
        fixture_open(&f);
        prune_at(f.store, now + jump, 1000);
        assert_in_range(fixture_number(&f, "SELECT min(seq) FROM event"), kept + 20 + start * 23,
                        kept + 20 + start * 24);
    }
    kept = fixture_number(&f, "SELECT min(seq) FROM event");
    prune_at(f.store, first, 2000); /* set back, even too far */
    prune_at(f.store, now, 3000);
    assert_int_equal(fixture_number(&f, "SELECT min(seq) FROM event"), kept);
    /* The clock is right again, and time goes on. */
    prune_at(f.store, now + 5 * DAY, 5 * DAY / NS_PER_MS);
    assert_int_equal(fixture_number(&f, "SELECT min(seq) FROM event"), 3000 - 85 * 24 + 1);
    fixture_end(&f);
}

static void the_journal_is_bounded_by_number_and_age(void **state)
{
    struct fixture f;
    char sql[600];

    (void)state;
    fixture_begin(&f);
    fixture_close(&f);
    snprintf(sql, sizeof(sql), many_events, 101234);
    fixture_sql(f.path, sql);
    fixture_open(&f);
    prune_all(f.store, 101234 * INT64_C(1000000000));
    assert_int_equal(fixture_number(&f, "SELECT count(*) FROM event"), 100000);
    assert_int_equal(fixture_number(&f, "SELECT min(seq) FROM event"), 1235);
    assert_page(f.store, 1, 1233, 0, 1, "gone");
    assert_page(f.store, 1, 1234, 0, 1, "1.1235");
    assert_page(f.store, 1, 1235, 0, 1, "1.1236");
    /* Half of the rest becomes too old. */
    prune_all(f.store, 50000 * INT64_C(1000000000) + 90 * DAY);
    assert_int_equal(fixture_number(&f, "SELECT min(seq) FROM event"), 50000);
    /* However long nothing happened, the newest stay. */
    prune_all(f.store, 10000 * DAY);
    assert_int_equal(fixture_number(&f, "SELECT count(*) FROM event"), 1000);
    fixture_end(&f);
}

static void a_position_before_a_pruned_entry_of_this_run_is_gone(void **state)
{
    struct fixture f;

    (void)state;
    fixture_begin(&f);
    put_events(f.store, 1, 1, 5);
    fixture_sql(f.path, "DELETE FROM event WHERE seq<4");
    assert_page(f.store, 1, 0, 0, 10, "gone");
    assert_page(f.store, 1, 2, 0, 10, "gone");
    assert_page(f.store, 1, 3, 0, 10, "1.4 1.5");
    fixture_end(&f);
}

/* However much clients cause, what administrators did stays, and the other way round. */
static void what_clients_cause_pushes_out_nothing_of_an_administrator(void **state)
{
    struct fixture f;
    char sql[700];

    (void)state;
    fixture_begin(&f);
    fixture_close(&f);
    snprintf(sql, sizeof(sql), many_events, 150000);
    fixture_sql(f.path, sql);
    fixture_sql(f.path, "UPDATE event SET by_admin=(1=1) WHERE seq%100=0");
    fixture_open(&f);
    prune_all(f.store, 150000 * INT64_C(1000000000));
    assert_int_equal(fixture_number(&f, "SELECT count(*) FROM event WHERE by_admin"), 1500);
    assert_int_equal(fixture_number(&f, "SELECT count(*) FROM event WHERE NOT by_admin"), 100000);
    /* Who stands before what was pruned has missed it, even where an administrator's entry is still there. */
    assert_page(f.store, 1, 300, 0, 2, "gone");
    assert_page(f.store, 0, 0, 0, 2, "1.100 1.200");
    assert_page(f.store, 1, 149998, 0, 2, "1.149999 1.150000");
    assert_page(f.store, 1, 0, 301, 2, "1.200 1.300");
    fixture_close(&f);
    fixture_open(&f);
    assert_page(f.store, 1, 300, 0, 2, "gone");
    prune_all(f.store, 100000 * DAY);
    assert_int_equal(fixture_number(&f, "SELECT count(*) FROM event WHERE by_admin"), 1000);
    assert_int_equal(fixture_number(&f, "SELECT count(*) FROM event WHERE NOT by_admin"), 1000);
    fixture_end(&f);
}

static void a_backup_is_whole_and_private(void **state)
{
    struct fixture f, copy = {0};
    struct store_image image;
    struct stat st;
    struct err e;
    char wal[128];

    (void)state;
    fixture_begin(&f);
    fixture_put_only(f.store, sample_user(1, "alice"));
    fixture_put_only(f.store, sample_node(1, 1));
    put_events(f.store, 1, 1, 50);
    snprintf(copy.path, sizeof(copy.path), "%s/copy", f.folder);
    assert_int_equal(store_backup(f.store, copy.path, &e), 0);
    assert_int_equal(stat(copy.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    snprintf(wal, sizeof(wal), "%s-wal", copy.path);
    assert_int_equal(stat(wal, &st), -1);
    assert_int_equal(store_backup(f.store, copy.path, &e), ERR_CONFLICT);
    assert_non_null(strstr(e.message, copy.path));
    assert_int_equal(store_backup(f.store, "/nonexistent/x", &e), ERR_MISSING);
    fixture_put_only(f.store, sample_user(2, "bob"));
    fixture_open(&copy);
    fixture_load(copy.store, &image);
    assert_int_equal(image.user_count, 1);
    assert_int_equal(image.node_count, 1);
    assert_int_equal(image.next_id[RECORD_EVENT], 51);
    store_image_release(&image);
    fixture_close(&copy);
    fixture_end(&f);
}

static void a_backup_may_take_the_place_of_the_database(void **state)
{
    struct fixture f;
    struct store_image image;
    char copy[128];

    (void)state;
    fixture_begin(&f);
    snprintf(copy, sizeof(copy), "%s/copy", f.folder);
    fixture_put_only(f.store, sample_user(1, "alice"));
    assert_int_equal(store_backup(f.store, copy, NULL), 0);
    for (uint64_t id = 2; id < 100; id++) {
        char name[16];
        snprintf(name, sizeof(name), "user-%d", (int)id);
        fixture_put_only(f.store, sample_user(id, name));
    }
    fixture_close(&f);
    assert_int_equal(rename(copy, f.path), 0);
    fixture_open(&f);
    fixture_load(f.store, &image);
    assert_int_equal(image.user_count, 1);
    assert_string_equal(image.users[0]->name, "alice");
    store_image_release(&image);
    fixture_end(&f);
}

static void copy_file(const char *from, const char *to)
{
    char block[4096];
    FILE *in = fopen(from, "re"), *out = fopen(to, "we");
    size_t len;

    assert_non_null(in);
    assert_non_null(out);
    while ((len = fread(block, 1, sizeof(block), in)) > 0)
        assert_int_equal(fwrite(block, 1, len, out), len);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

/* After a crash the log of the database that is replaced still lies there, full of its pages. */
static void a_backup_is_not_spoilt_by_a_log_that_was_left(void **state)
{
    char copy[128], log[128], kept[128];
    struct store_image image;
    struct fixture f;
    struct stat st;

    (void)state;
    fixture_begin(&f);
    snprintf(copy, sizeof(copy), "%s/copy", f.folder);
    snprintf(log, sizeof(log), "%s-wal", f.path);
    snprintf(kept, sizeof(kept), "%s/kept", f.folder);
    fixture_put_only(f.store, sample_user(1, "alice"));
    assert_int_equal(store_backup(f.store, copy, NULL), 0);
    for (uint64_t id = 2; id < 200; id++) {
        char name[16];
        snprintf(name, sizeof(name), "u%llu", (unsigned long long)id);
        fixture_put_only(f.store, sample_user(id, name));
    }
    copy_file(log, kept);
    fixture_close(&f);
    assert_int_equal(rename(copy, f.path), 0);
    assert_int_equal(rename(kept, log), 0);
    fixture_open(&f);
    fixture_load(f.store, &image);
    assert_int_equal(image.user_count, 1);
    assert_string_equal(image.users[0]->name, "alice");
    store_image_release(&image);
    fixture_put_only(f.store, sample_user(2, "bob"));
    fixture_close(&f);
    fixture_open(&f);
    fixture_load(f.store, &image);
    assert_int_equal(image.user_count, 2);
    store_image_release(&image);
    snprintf(kept, sizeof(kept), "%s-wal.replaced", f.path);
    assert_int_equal(stat(kept, &st), 0);
    fixture_end(&f);
}

int main(void)
{
    const struct CMUnitTest sqlite_only[] = {
        cmocka_unit_test(an_entry_on_its_way_is_known),
        cmocka_unit_test(a_backup_is_whole_and_private),
        cmocka_unit_test(a_backup_may_take_the_place_of_the_database),
        cmocka_unit_test(a_backup_is_not_spoilt_by_a_log_that_was_left),
    };
    const struct CMUnitTest both[] = {
        cmocka_unit_test(pages_go_over_starts),
        cmocka_unit_test(an_unknown_id_is_gone),
        cmocka_unit_test(runs_may_count_from_one),
        cmocka_unit_test(an_entry_can_be_marked_as_undone),
        cmocka_unit_test(the_journal_is_bounded_by_number_and_age),
        cmocka_unit_test(a_jump_of_the_clock_takes_no_entries_along),
        cmocka_unit_test(a_position_before_a_pruned_entry_of_this_run_is_gone),
        cmocka_unit_test(what_clients_cause_pushes_out_nothing_of_an_administrator),
    };

    return fixture_run_both(sqlite_only, ARRAY_LEN(sqlite_only), both, ARRAY_LEN(both));
}

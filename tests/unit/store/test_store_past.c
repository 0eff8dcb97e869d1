/* SPDX-License-Identifier: BSD-3-Clause */
/* The records of the past are thinned out at their start, and complete after it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "shared/store_fixture.h"
#include "store/queue.h"

/* A node that changes each second, one that never changes, and one that was deleted in the third second. */
static const char many[] =
    "INSERT INTO history(id,time_ns,kind,\"key\",image) VALUES(1,1000000000,0,'7','{\"name\":\"quiet\"}'),"
    "(2,2000000000,0,'8','{\"name\":\"gone\"}'),(3,3000000000,0,'8','');"
    "INSERT INTO history(id,time_ns,kind,\"key\",image) SELECT "
    "value,CAST(value AS bigint)*1000000000,0,'9','{\"name\":\"n'||value||'\"}' "
    "FROM (WITH RECURSIVE n(value) AS (SELECT 4 UNION ALL SELECT value+1 FROM n WHERE value<200700) SELECT value FROM "
    "n) AS m";

static const char *image_at(struct fixture *f, int64_t second, const char *key, int64_t *since, size_t *count)
{
    static char text[64];
    struct store_past past;
    struct err e;

    text[0] = '\0';
    if (store_past(f->store, second * NS_PER_SECOND, &past, &e) < 0)
        fail_msg("%s", e.message);
    for (size_t i = 0; i < past.count; i++)
        if (strcmp(past.items[i]->key, key) == 0)
            snprintf(text, sizeof(text), "%s", past.items[i]->image);
    *since = past.since_ns / NS_PER_SECOND;
    *count = past.count;
    store_past_release(&past);
    return text;
}

static void the_oldest_changes_go_and_what_they_led_to_stays(void **state)
{
    struct fixture f;
    int64_t since;
    size_t count;
    bool more = true;

    (void)state;
    fixture_begin(&f);
    fixture_close(&f);
    fixture_sql(f.path, many);
    fixture_open(&f);
    assert_string_equal(image_at(&f, 2, "8", &since, &count), "{\"name\":\"gone\"}");
    assert_int_equal(since, 1);
    assert_int_equal(count, 2);
    while (more)
        assert_int_equal(store_prune(f.store, 300000 * NS_PER_SECOND, 300000000, &more, NULL), 0);

    assert_string_equal(image_at(&f, 2, "8", &since, &count), "");
    assert_int_equal(count, 0); /* it is before the beginning */
    assert_int_equal(since, 700);
    assert_string_equal(image_at(&f, 700, "7", &since, &count), "{\"name\":\"quiet\"}");
    assert_int_equal(count, 2); /* what was deleted before is not there */
    assert_string_equal(image_at(&f, 700, "9", &since, &count), "{\"name\":\"n700\"}");
    assert_string_equal(image_at(&f, 123456, "9", &since, &count), "{\"name\":\"n123456\"}");
    assert_string_equal(image_at(&f, 200700, "7", &since, &count), "{\"name\":\"quiet\"}");
    fixture_end(&f);
}

/* 560 texts; looking back needs the second and the fiftieth. */
static const char texts[] =
    "INSERT INTO policy(id,version,text,updated_ns,author,note) SELECT value,value,'{} // '||value,CAST(value AS "
    "bigint)*1000000000,"
    "'alice','note '||value FROM (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value+1 FROM n WHERE "
    "value<560) "
    "SELECT value FROM n) AS m;"
    "INSERT INTO history(id,time_ns,kind,\"key\",image) VALUES(1,2000000000,3,'','2'),(2,50000000000,3,'','50'),"
    /* Of something else that is called 3. */
    "(3,51000000000,0,'3','3');";

static size_t versions(struct fixture *f, uint64_t version, uint64_t before, uint64_t *newest, uint64_t *oldest)
{
    struct policy_text **list;
    size_t count;
    struct err e;

    if (store_policies(f->store, version, before, 1000, &list, &count, &e) < 0)
        fail_msg("%s", e.message);
    *newest = count ? list[0]->r.version : 0;
    *oldest = count ? list[count - 1]->r.version : 0;
    if (version && count) {
        assert_non_null(strstr(list[0]->text, "{} // "));
        assert_non_null(strstr(list[0]->note, "note "));
    }
    for (size_t i = 0; i < count; i++)
        record_unref(list[i]);
    free(list);
    return count;
}

static void the_newest_policies_stay_and_those_that_the_past_needs(void **state)
{
    struct fixture f;
    struct err e;
    struct store_past past;
    uint64_t newest, oldest;
    size_t rounds = 0;
    bool more = true;

    (void)state;
    fixture_begin(&f);
    fixture_close(&f);
    fixture_sql(f.path, texts);
    fixture_open(&f);
    assert_int_equal(versions(&f, 0, INT64_MAX, &newest, &oldest), 560);
    for (; more; rounds++)
        assert_int_equal(store_prune(f.store, 600 * NS_PER_SECOND, 600000, &more, NULL), 0);
    assert_true(rounds > 1); /* a few in one transaction: a text may have 4 MiB */
    assert_int_equal(versions(&f, 0, INT64_MAX, &newest, &oldest), 502);
    assert_int_equal(newest, 560);
    assert_int_equal(oldest, 2);
    assert_int_equal(versions(&f, 0, 61, &newest, &oldest), 2);
    assert_int_equal(newest, 50);
    assert_int_equal(versions(&f, 60, 0, &newest, &oldest), 0);
    assert_int_equal(versions(&f, 61, 0, &newest, &oldest), 1);
    assert_int_equal(versions(&f, 3, 0, &newest, &oldest), 0);
    assert_int_equal(versions(&f, 50, 0, &newest, &oldest), 1);
    if (store_past(f.store, 20 * NS_PER_SECOND, &past, &e) < 0)
        fail_msg("%s", e.message);
    assert_non_null(past.policy);
    assert_int_equal(past.policy->r.version, 2);
    store_past_release(&past);
    fixture_end(&f);
}

int main(void)
{
    const struct CMUnitTest both[] = {
        cmocka_unit_test(the_newest_policies_stay_and_those_that_the_past_needs),
        cmocka_unit_test(the_oldest_changes_go_and_what_they_led_to_stays),
    };

    return fixture_run_both(NULL, 0, both, ARRAY_LEN(both));
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What is kept for looking back is thinned out at its beginning, and whole after it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
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

int main(void)
{
    const struct CMUnitTest both[] = {
        cmocka_unit_test(the_oldest_changes_go_and_what_they_led_to_stays),
    };

    return fixture_run_both(NULL, 0, both, ARRAY_LEN(both));
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Viewing the past: what is requested, that all views show it and none changes it, and the way back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "console/past/past.h"
#include "shared/console_rig.h"

/* gw-fra-1 served what gw-ber-2 serves now; laptop-alice was not there yet. */
static const char then[] =
    "{\"time\":\"2026-03-03T11:50:00Z\",\"since\":\"2026-01-01T00:00:00Z\",\"nodes\":[{\"id\":\"3\",\"givenName\":"
    "\"gw-ber-1\",\"online\":true,\"healthy\":true},{\"id\":\"5\",\"givenName\":\"gw-fra-1\",\"online\":true,"
    "\"healthy\":true,\"tags\":[\"tag:router\"],\"routes\":[{\"prefix\":\"192.168.7.0/24\",\"state\":\"serving\","
    "\"primary\":\"5\",\"primaryName\":\"gw-fra-1\",\"reason\":\"the oldest healthy router\"}]}],\"users\":[{\"id\":"
    "\"1\",\"name\":\"alice\"}],\"prefixes\":[{\"prefix\":\"192.168.7.0/24\",\"exit\":false,\"primary\":\"5\","
    "\"primaryName\":\"gw-fra-1\",\"since\":\"2026-03-01T00:00:00Z\",\"routers\":[{\"node\":\"5\",\"name\":"
    "\"gw-fra-1\",\"state\":\"serving\",\"reason\":\"\"}]}],\"primaries\":[],\"policy\":{\"policy\":\"{\\n  // as it "
    "was\\n  \\\"acls\\\": []\\n}\\n\",\"updatedAt\":\"2026-02-01T00:00:00Z\",\"version\":7}}";

/* Goes to the newest event but one, and back in time with it. */
static void look_back(struct rig *r)
{
    rig_keys(r, "5G");
    rig_draw(r, 24, 80);
    rig_keys(r, "kk@");
    assert_string_equal(r->sent.items[rig_last(r)].path, "/api/headway/state?at=2026-03-03T11:52:07.1Z");
    rig_answer(r, rig_last(r), 200, then);
    rig_draw(r, 24, 80);
}

static void all_views_show_the_past(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "/fra<Enter>/<Ctrl-U><Enter>");
    look_back(&r);
    assert_true(rig_shows(&r, "THEN 11:52:07, 2h 10m ago"));
    assert_true(rig_shows(&r, "READ-ONLY"));
    assert_true(rig_shows(&r, "event 1.38"));
    rig_keys(&r, "1");
    assert_true(rig_shows(&r, "gw-fra-1"));
    rig_draw(&r, 24, 80);
    assert_int_equal(app_list(&r.app)->order.len, 2);
    assert_string_equal(rig_cursor(&r), "5"); /* where it was before */
    rig_keys(&r, "2");
    assert_true(rig_shows(&r, "serving"));
    rig_keys(&r, "<Tab>");
    rig_draw(&r, 24, 80);
    assert_string_equal(rig_cursor(&r), "192.168.7.0/24");
    rig_keys(&r, "6");
    assert_true(rig_shows(&r, "alice"));
    rig_keys(&r, "7");
    assert_true(rig_shows(&r, "not known of the past"));
    rig_keys(&r, "3");
    assert_true(rig_shows(&r, "not known of the past"));
    rig_keys(&r, "4");
    assert_true(rig_shows(&r, "// as it was"));
    rig_keys(&r, "<Esc>");
    assert_string_equal(r.app.place.view->name, "policy");
    rig_keys(&r, "1");
    rig_draw(&r, 24, 80);
    assert_int_equal(app_list(&r.app)->order.len, 13);
    assert_string_equal(rig_cursor(&r), "5");
    assert_true(rig_shows(&r, "LIVE"));
    rig_release(&r);
}

static void nothing_is_changed_in_the_past(void **state)
{
    static const char *const changes[] = {"1x", "1d", "1t", "2a", "2f", "u", "6N", "6d", "z"};
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    look_back(&r);
    size_t sent = r.sent.len;
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        rig_keys(&r, changes[i]);
        rig_draw(&r, 24, 80);
        assert_null(r.app.dialog);
        assert_int_equal(r.sent.len, sent);
    }
    assert_false(r.app.frozen);
    assert_string_equal(app_why_not_write(&r.app), "this is the past: {escape} returns to now");
    rig_release(&r);
}

static void what_happens_meanwhile_is_there_afterwards(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    look_back(&r);
    rig_json(&r, "{\"id\":\"1.41\",\"time\":\"2026-03-03T14:03:01Z\",\"kind\":\"node.renamed\",\"actor\":\"alice\","
                 "\"object\":\"node\",\"objectId\":\"5\",\"objectName\":\"gw-new\",\"text\":\"renamed to gw-new\","
                 "\"changed\":{\"nodes\":[{\"id\":\"5\",\"givenName\":\"gw-new\",\"online\":true,\"healthy\":true}]},"
                 "\"removed\":{\"nodes\":[\"8\"]}}");
    rig_pass(&r, 3000);
    assert_true(rig_shows(&r, "renamed to gw-new")); /* the journal goes on */
    rig_keys(&r, "1");
    assert_true(rig_shows(&r, "gw-fra-1"));
    rig_keys(&r, ":now<Enter>");
    rig_draw(&r, 24, 80);
    assert_null(model_find(&r.app.model, ROW_NODE, "8"));
    assert_true(rig_shows(&r, "gw-new"));
    rig_release(&r);
}

static void steps_go_from_entry_to_entry_and_only_the_last_counts(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    look_back(&r);
    size_t sent = r.sent.len;
    rig_keys(&r, ">");
    assert_int_equal(r.sent.len, sent + 1);
    assert_string_equal(r.sent.items[sent].path, "/api/headway/state?at=2026-03-03T13:58:30.1Z");
    rig_keys(&r, ">"); /* while the answer is under way */
    assert_int_equal(r.sent.len, sent + 1);
    assert_true(rig_shows(&r, "reading"));
    rig_answer(&r, sent, 200, then);
    assert_int_equal(r.sent.len, sent + 2);
    assert_string_equal(r.sent.items[sent + 1].path, "/api/headway/state?at=2026-03-03T14:01:55.1Z");
    rig_answer(&r, sent + 1, 200, then);
    rig_keys(&r, ">");
    assert_true(rig_shows(&r, "this is the newest entry"));
    rig_keys(&r, "<lt><lt>");
    rig_answer(&r, rig_last(&r), 200, then);
    assert_string_equal(r.sent.items[rig_last(&r)].path, "/api/headway/state?at=2026-03-03T11:52:07.1Z");
    rig_release(&r);
}

static void what_is_not_kept_is_said_and_what_is_given_up_does_not_come(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, ":at 2020-01-01<Enter>");
    rig_answer(&r, rig_last(&r), 410,
               "{\"error\":{\"message\":\"nothing is known from before 2026-01-01T00:00:00Z\"}}");
    assert_true(rig_shows(&r, "nothing is known from before"));
    assert_false(r.app.then.on);
    rig_keys(&r, ":at 12:00<Enter>");
    assert_string_equal(r.sent.items[rig_last(&r)].path, "/api/headway/state?at=2026-03-03T12:00:00Z");
    rig_keys(&r, "<Esc>");
    rig_answer(&r, rig_last(&r), 200, then);
    rig_draw(&r, 24, 80);
    assert_false(r.app.then.on);
    rig_keys(&r, ":at soon<Enter>");
    assert_true(rig_shows(&r, "is no time such as"));
    rig_keys(&r, ":step-back<Enter>");
    assert_true(rig_shows(&r, "it is now: @ looks back"));
    rig_release(&r);
}

/* A dialog may be about rows of now: the past waits until it is closed. */
static void a_dialog_is_not_pulled_away(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, ":at -1h<Enter>w");
    rig_answer(&r, rig_last(&r), 200, then);
    rig_draw(&r, 24, 80);
    assert_non_null(r.app.dialog);
    assert_false(r.app.then.on);
    rig_keys(&r, "<Esc>");
    rig_draw(&r, 24, 80);
    assert_true(r.app.then.on);
    rig_release(&r);
}

static void times_are_read_as_people_say_them(void **state)
{
    static const struct {
        const char *text;
        int64_t ago_s; /* before 2026-03-03 14:03; -1: refused */
    } times[] = {{"-2h", 7200},
                 {"2h", 7200},
                 {"14:00", 180},
                 {"14:02:59", 1},
                 {"15:00", 86400 - 57 * 60},
                 {"2026-03-03", 14 * 3600 + 180},
                 {"2026-03-02 14:03", 86400},
                 {"2026-03-02T14:03:00", 86400},
                 {"2026-03-03T13:03:00Z", 3600},
                 {"2026-03-04", -1},
                 {"noon", -1},
                 {"", -1},
                 {"14:00 x", -1},
                 {"99999999999999999999999999999999999999999999999h", -1}};

    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        int64_t at_ns = 0;
        int r = time_parse_past(times[i].text, TIME_LOCAL_ZONE, RIG_NOW_NS, &at_ns, "at", NULL);

        assert_int_equal(r < 0, times[i].ago_s < 0);
        if (r == 0)
            assert_int_equal((RIG_NOW_NS - at_ns) / NS_PER_SECOND, times[i].ago_s);
    }
}

static void a_time_without_a_zone_is_the_readers(void **state)
{
    int64_t local_ns = 0, utc_ns = 0;

    (void)state;
    setenv("TZ", "UTC-2", 1); /* two hours ahead */
    tzset();
    assert_int_equal(time_parse_past("2026-03-03 14:03", TIME_LOCAL_ZONE, RIG_NOW_NS, &local_ns, "at", NULL), 0);
    assert_int_equal(time_parse_past("2026-03-03 14:03", TIME_UTC_ZONE, RIG_NOW_NS, &utc_ns, "at", NULL), 0);
    setenv("TZ", "UTC", 1);
    tzset();
    assert_int_equal((RIG_NOW_NS - local_ns) / NS_PER_SECOND, 7200);
    assert_int_equal((RIG_NOW_NS - utc_ns) / NS_PER_SECOND, 0);
}

/* Of the past no keys are known, nor how the server was: nothing is said of them. */
static void what_needed_somebody_then_is_what_is_known_of_then(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_json(&r, "{\"changed\":{\"preAuthKeys\":[{\"id\":\"30\",\"reusable\":true,\"expiration\":"
                 "\"2026-03-03T15:03:00Z\",\"user\":{\"id\":\"1\",\"name\":\"alice\"}}]}}");
    rig_keys(&r, "0");
    rig_pass(&r, 5000);
    assert_true(rig_shows(&r, "pre-auth key 30"));
    assert_true(rig_shows(&r, " now "));
    look_back(&r);
    rig_keys(&r, "0");
    rig_pass(&r, 5000);
    rig_draw(&r, 24, 80);
    rig_pass(&r, 6000); /* what is gone stays for a moment */
    assert_false(rig_shows(&r, "pre-auth key 30"));
    assert_false(rig_shows(&r, "accounts"));
    assert_true(rig_shows(&r, " then "));
    rig_release(&r);
}

/* What is worked out of the present is not said of the past, and what can be counted is. */
static void the_past_is_not_mixed_with_now(void **state)
{
    static const char state_then[] =
        "{\"time\":\"2026-03-03T11:50:00Z\",\"since\":\"2026-01-01T00:00:00Z\",\"nodes\":[{\"id\":\"3\",\"givenName\":"
        "\"gw-ber-1\",\"user\":{\"id\":\"1\",\"name\":\"alice\"},\"routes\":[{\"prefix\":\"10.20.0.0/16\",\"state\":"
        "\"serving\",\"reason\":\"\"}]},{\"id\":\"4\",\"givenName\":\"b\",\"user\":{\"id\":\"1\",\"name\":\"alice\"}}],"
        "\"users\":[{\"id\":\"1\",\"name\":\"alice\"}],\"prefixes\":[]}";
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "2g");
    rig_pass(&r, 300);
    rig_draw(&r, 24, 80);
    rig_tell(&r, "routes/check", 200, "{\"problems\":[]}");
    assert_true(rig_shows(&r, "nothing is found wrong with its routes"));
    rig_keys(&r, ":at 11:50<Enter>");
    rig_answer(&r, rig_last(&r), 200, state_then);
    rig_keys(&r, "2g");
    assert_true(rig_shows(&r, "10.20.0.0/16"));
    assert_false(rig_shows(&r, "nothing is found wrong"));
    while (rig_tell(&r, "simulate", 200, "{}") || rig_tell(&r, "routes/check", 200, "{\"problems\":[]}"))
        ;
    rig_keys(&r, "<Tab>");
    for (int i = 0; i < 10; i++) {
        rig_pass(&r, 5000);
        rig_draw(&r, 24, 80);
    }
    assert_false(rig_tell(&r, "simulate", 200, "{}"));
    rig_keys(&r, "6");
    rig_draw(&r, 24, 80);
    assert_int_equal(((const struct m_user *)app_list(&r.app)->cursor)->api.node_count, 2);
    rig_release(&r);
}

static const struct {
    const char *name;
    int rows, cols;
} sizes[] = {{"small", 16, 60}, {"", 24, 80}, {"wide", 40, 120}, {"huge", 60, 200}};

static void the_screens_are_as_they_were(void **state)
{
    static const char *const views[] = {"nodes", "policy", "events"};
    size_t different = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct rig r;

        rig_init(&r, 0);
        r.app.canvas.ascii = i == 2;
        look_back(&r);
        for (size_t k = 0; k < ARRAY_LEN(views); k++) {
            rig_keys(&r, k == 0 ? "1" : k == 1 ? "4" : "5");
            char *name = mem_format("past-%s%s%s", views[k], *sizes[i].name ? "-" : "", sizes[i].name);
            different += !rig_golden(&r, name, sizes[i].rows, sizes[i].cols);
            free(name);
        }
        rig_release(&r);
    }
    assert_int_equal(different, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_views_show_the_past),
        cmocka_unit_test(nothing_is_changed_in_the_past),
        cmocka_unit_test(what_happens_meanwhile_is_there_afterwards),
        cmocka_unit_test(steps_go_from_entry_to_entry_and_only_the_last_counts),
        cmocka_unit_test(what_is_not_kept_is_said_and_what_is_given_up_does_not_come),
        cmocka_unit_test(a_dialog_is_not_pulled_away),
        cmocka_unit_test(the_screens_are_as_they_were),
        cmocka_unit_test(the_past_is_not_mixed_with_now),
        cmocka_unit_test(what_needed_somebody_then_is_what_is_known_of_then),
        cmocka_unit_test(times_are_read_as_people_say_them),
        cmocka_unit_test(a_time_without_a_zone_is_the_readers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

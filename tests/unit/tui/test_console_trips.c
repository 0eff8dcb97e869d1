/* SPDX-License-Identifier: BSD-3-Clause */
/* Round trips of nodes: for which nodes they are requested, what lists and the page of a node show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "shared/console_rig.h"

#define TRIPS "/api/headway/roundtrips"

static void tell_trips(struct rig *r)
{
    struct buf b = BUF_INIT(0);

    buf_adds(&b, "{\"nodes\":[{\"node\":\"3\",\"last\":{\"time\":\"2026-03-03T14:02:59Z\",\"us\":11200,\"lost\":false},"
                 "\"roundTrips\":[");
    for (int i = 0; i < 60; i++)
        buf_addf(&b, "%s{\"time\":\"2026-03-03T14:02:%02dZ\",\"us\":%d,\"lost\":%s}", i ? "," : "", i,
                 i == 59 ? 11200 : 900 + i * i * 100, i == 50 ? "true" : "false");
    buf_adds(&b,
             "],\"relays\":[{\"region\":4,\"name\":\"waw\",\"us\":24000},{\"region\":1,\"name\":\"ber\",\"us\":9400}]},"
             "{\"node\":\"5\",\"last\":{\"time\":\"2026-03-03T14:02:59Z\",\"us\":0,\"lost\":true},\"roundTrips\":"
             "[{\"time\":\"2026-03-03T14:02:59Z\",\"us\":0,\"lost\":true}],\"relays\":[]},"
             "{\"node\":\"8\",\"last\":{\"time\":\"2026-03-03T14:02:59Z\",\"us\":300100,\"lost\":false},\"roundTrips\":"
             "[{\"time\":\"2026-03-03T14:02:59Z\",\"us\":300100,\"lost\":false}],\"relays\":[]},"
             "{\"node\":\"2\",\"last\":{\"time\":\"2026-03-03T14:02:59Z\",\"us\":400,\"lost\":false},\"roundTrips\":"
             "[],\"relays\":[]}]}");
    assert_true(rig_tell(r, TRIPS, 200, buf_text(&b)));
    buf_release(&b);
}

static bool asked(const struct rig *r, const char *part)
{
    for (size_t i = 0; i < r->asked.len; i++)
        if (strncmp(r->asked.items[i].path, TRIPS, strlen(TRIPS)) == 0 && strstr(r->asked.items[i].path, part))
            return true;
    return false;
}

static void nodes_on_the_screen_are_asked_for(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_draw(&r, 24, 80);
    rig_pass(&r, 1000);
    assert_true(asked(&r, "?nodes=1,2,12,3,4,5,6,7,8,9,10,11"));
    tell_trips(&r);
    assert_true(rig_golden(&r, "nodes-trips", 24, 80));
    assert_true(rig_golden(&r, "nodes-trips-huge", 60, 200));
    r.app.canvas.ascii = true;
    assert_true(rig_golden(&r, "nodes-trips-ascii", 24, 80));
    assert_false(asked(&r, "?nodes=1,")); /* not before some seconds are over */
    rig_pass(&r, 5000);
    rig_draw(&r, 24, 80);
    assert_true(asked(&r, "?nodes=1,"));
    rig_release(&r);
}

/* Draws as the loop would after this time, and returns whether nothing more is wanted at once. */
static bool rests_after(struct rig *r, int64_t ms)
{
    rig_pass(r, ms);
    rig_draw(r, 24, 80);
    return app_next_ms(&r->app) > r->now_ms;
}

/* Where no node can be asked for although it is time, the screen is not drawn without end. */
static void nothing_is_wanted_that_cannot_be_had(void **state)
{
    static const char *const keys[] = {"/nothing<Enter>", "z", ":sort rtt<Enter>"};
    struct rig r;

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        rig_init(&r, 0);
        rig_draw(&r, 24, 80);
        rig_pass(&r, 1000);
        tell_trips(&r);
        rig_keys(&r, keys[i]);
        for (int64_t ms = 500; ms < 15000; ms += 1000)
            assert_true(rests_after(&r, ms));
        rig_release(&r);
    }
}

static void a_list_in_their_order_asks_for_all(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, ":sort rtt<Enter>");
    rig_draw(&r, 24, 80);
    rig_pass(&r, 1000);
    rig_draw(&r, 24, 80);
    tell_trips(&r);
    rig_pass(&r, 40000);
    rig_draw(&r, 24, 80);
    assert_true(asked(&r, ""));
    assert_false(asked(&r, "nodes="));
    tell_trips(&r);
    rig_pass(&r, 5000);
    rig_keys(&r, "g");
    assert_string_equal(rig_cursor(&r), "3"); /* who is offline has none, and comes last */
    rig_release(&r);
}

static void the_page_of_a_node_has_the_last_sixty(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "/gw-ber-1<Enter><Enter>");
    assert_true(rig_shows(&r, "not measured yet"));
    rig_pass(&r, 1000);
    rig_draw(&r, 24, 80);
    tell_trips(&r);
    rig_pass(&r, 5000);
    rig_draw(&r, 24, 80);
    assert_true(asked(&r, "?nodes=3"));
    tell_trips(&r);
    assert_true(rig_shows(&r, "ber 9.4 ms   waw 24"));
    assert_true(rig_shows(&r, "11 ms, 0.9 to 337, 1 lost; the last 60 in 59s"));
    assert_true(rig_golden(&r, "node-trips", 24, 80));
    assert_true(rig_golden(&r, "node-trips-small", 16, 60));
    assert_true(rig_golden(&r, "node-trips-wide", 40, 120));
    r.app.canvas.ascii = true;
    assert_true(rig_golden(&r, "node-trips-ascii", 40, 120));
    rig_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_on_the_screen_are_asked_for),
        cmocka_unit_test(nothing_is_wanted_that_cannot_be_had),
        cmocka_unit_test(a_list_in_their_order_asks_for_all),
        cmocka_unit_test(the_page_of_a_node_has_the_last_sixty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

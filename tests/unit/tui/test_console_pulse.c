/* SPDX-License-Identifier: BSD-3-Clause */
/* The pulse: what it finds, where it leads, when it opens automatically. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/mem.h"
#include "console/pulse/pulse.h"
#include "shared/console_rig.h"

static const struct m_need *need(struct rig *r, const char *key)
{
    return model_find(&r->app.model, ROW_NEED, key);
}

static void look(struct rig *r)
{
    rig_pass(r, 1000);
    rig_draw(r, 24, 80);
}

static const char expired_router[] =
    "{\"node\":{\"id\":\"5\",\"givenName\":\"gw-fra-1\",\"online\":true,\"healthy\":true,\"expired\":true,"
    "\"routes\":[{\"prefix\":\"192.168.7.0/24\",\"state\":\"unhealthy\"}]}}";

static void what_needs_somebody_is_found_and_goes_when_it_is_over(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "0");
    assert_true(rig_shows(&r, "kiosk"));
    assert_true(rig_shows(&r, "asked to join 12s ago"));
    assert_true(rig_shows(&r, "1 route not approved: 172.16.0.0/12"));
    assert_true(rig_shows(&r, "2 of 3 routers able to serve it, gw-ber-2 does"));
    assert_null(need(&r, "router-key-expired 5"));
    rig_json(&r, expired_router);
    look(&r);
    assert_non_null(need(&r, "router-key-expired 5"));
    assert_int_equal(need(&r, "router-key-expired 5")->severity, WEIGHT_ALARM);
    assert_null(need(&r, "routes-waiting 5"));
    assert_true(rig_shows(&r, "0 Pulse 1"));
    rig_json(&r, "{\"node\":{\"id\":\"5\",\"givenName\":\"gw-fra-1\",\"online\":true,\"healthy\":true}}");
    look(&r);
    assert_null(need(&r, "router-key-expired 5"));
    rig_release(&r);
}

static void what_is_over_is_counted_no_more(void **state)
{
    struct rig r;
    char count[40];

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "0");
    look(&r);
    rig_keys(&r, "1");
    for (int i = 0; i < 3; i++) { /* while another list is on the screen */
        rig_json(&r, expired_router);
        look(&r);
        rig_json(&r, "{\"node\":{\"id\":\"5\",\"givenName\":\"gw-fra-1\",\"online\":true,\"healthy\":true,\"routes\":["
                     "{\"prefix\":\"172.16.0.0/12\",\"state\":\"available\"}]}}");
        rig_pass(&r, 60000);
        look(&r);
    }
    rig_keys(&r, "0");
    look(&r);
    snprintf(count, sizeof(count), "pulse   %zu need you", app_list(&r.app)->order.len);
    assert_true(rig_shows(&r, count));
    rig_release(&r);
}

static void many_of_a_kind_are_one_line(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    for (int i = 0; i < 6; i++) {
        char *json = mem_format(
            "{\"node\":{\"id\":\"%d\",\"givenName\":\"sick-%d\",\"online\":true,\"healthy\":false}}", 20 + i, i);
        rig_json(&r, json);
        free(json);
    }
    look(&r);
    assert_null(need(&r, "node-unhealthy 20"));
    assert_string_equal(need(&r, "node-unhealthy")->name, "6");
    rig_keys(&r, "0g<Enter>");
    assert_string_equal(r.app.place.view->name, "nodes");
    assert_string_equal(app_list(&r.app)->filter_text, "unhealthy");
    rig_draw(&r, 24, 80);
    assert_int_equal(app_list(&r.app)->order.len, 6);
    rig_release(&r);
}

static void enter_leads_to_the_object(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "0g");
    assert_string_equal(rig_cursor(&r), "prefix-degraded 192.168.7.0/24");
    rig_keys(&r, "<Enter>");
    assert_string_equal(r.app.place.view->name, "routes");
    rig_draw(&r, 24, 80);
    assert_string_equal(rig_cursor(&r), "192.168.7.0/24");
    rig_keys(&r, "<Esc>0jj<Enter>");
    assert_string_equal(r.app.place.view->name, "node");
    assert_string_equal(app_node(&r.app)->api.given_name, "gw-fra-1");
    rig_keys(&r, "<Esc>0gj<Enter>");
    assert_string_equal(r.app.place.view->name, "pending");
    rig_release(&r);
}

/* Another server: as when the console starts. */
static void start_again(struct rig *r, const char *state_of_router)
{
    json_t *root = NULL;
    struct model_delta d;
    char *json =
        mem_format("{\"event\":\"2.1\",\"time\":\"2026-03-03T14:03:00Z\",\"nodes\":[],\"prefixes\":[{\"prefix\":"
                   "\"10.20.0.0/16\",\"exit\":false,\"primary\":null,\"routers\":[{\"node\":\"3\",\"name\":\"gw\","
                   "\"state\":\"%s\"}]}]}",
                   state_of_router);

    app_reset(&r->app);
    assert_int_equal(json_read_large(json, strlen(json), 1 << 20, "test", &root, NULL), 0);
    assert_int_equal(decode_snapshot(root, &d, NULL), 0);
    app_delta(&r->app, &d);
    json_decref(root);
    free(json);
    look(r);
}

static void it_opens_by_itself_only_at_the_start_and_only_where_something_is_wrong(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    assert_string_equal(r.app.place.view->name, "nodes");
    start_again(&r, "serving");
    assert_string_equal(r.app.place.view->name, "nodes");
    start_again(&r, "offline");
    assert_string_equal(r.app.place.view->name, "pulse");
    assert_true(rig_shows(&r, "nobody serves it"));
    rig_keys(&r, "q");
    assert_string_equal(r.app.place.view->name, "nodes");
    rig_pass(&r, 60000);
    rig_draw(&r, 24, 80);
    assert_string_equal(r.app.place.view->name, "nodes");
    rig_release(&r);
}

static const char health[] =
    "{\"status\":\"degraded\",\"count\":5,\"reasons\":[{\"code\":\"relay-unreachable\",\"severity\":\"alarm\","
    "\"object\":\"relay\",\"objectName\":\"ber\",\"text\":\"the relay ber does not answer\"},{\"code\":"
    "\"router-not-forwarding\",\"severity\":\"alarm\",\"object\":\"node\",\"objectId\":\"4\",\"objectName\":"
    "\"gw-ber-2\",\"text\":\"gw-ber-2 does not forward\"},{\"code\":\"prefix-unserved\",\"severity\":\"alarm\","
    "\"object\":\"prefix\",\"objectName\":\"10.9.0.0/16\",\"text\":\"found here, "
    "too\"},{\"code\":\"group-unserved\",\"severity\":\"alarm\",\"object\":\"prefix\",\"objectName\":"
    "\"10.9.0.0/16\",\"text\":\"nobody via tag:a\"},{\"code\":"
    "\"policy-tests-failing\",\"severity\":\"warn\",\"object\":\"policy\",\"objectName\":\"\",\"text\":\"2 tests "
    "fail\"},{\"code\":\"of-a-later-release\",\"severity\":\"dire\",\"object\":\"moon\",\"objectName\":\"m\","
    "\"text\":\"new\"}]}";

static void what_the_server_says_is_there_too(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    assert_true(rig_tell(&r, "/api/headway/health", 200, health));
    look(&r);
    assert_string_equal(r.app.place.view->name, "pulse"); /* something is wrong */
    assert_true(rig_shows(&r, "the relay ber does not answer"));
    assert_true(rig_shows(&r, "gw-ber-2 does not forward"));
    assert_true(rig_shows(&r, "2 tests fail"));
    assert_null(need(&r, "prefix-unserved 10.9.0.0/16"));
    assert_non_null(need(&r, "of-a-later-release m"));
    assert_non_null(need(&r, "group-unserved 10.9.0.0/16"));
    rig_keys(&r, "/not forward<Enter>");
    rig_draw(&r, 24, 80);
    rig_keys(&r, "<Enter>");
    assert_string_equal(app_node(&r.app)->api.given_name, "gw-ber-2");
    rig_pass(&r, 31000);
    rig_draw(&r, 24, 80);
    assert_true(rig_tell(&r, "/api/headway/health", 200, "{\"status\":\"pass\",\"count\":0,\"reasons\":[]}"));
    look(&r);
    assert_null(need(&r, "relay-unreachable ber"));
    rig_keys(&r, "0");
    rig_draw(&r, 24, 100);
    assert_false(rig_shows(&r, "certificate"));
    rig_pass(&r, 31000);
    rig_draw(&r, 24, 100);
    assert_true(
        rig_tell(&r, "/api/headway/health", 200,
                 "{\"status\":\"pass\",\"count\":0,\"reasons\":[],\"certificate\":{\"name\":\"vpn.example.com\","
                 "\"automatic\":true,\"ends\":\"2126-01-01T00:00:00Z\",\"renews\":\"2125-12-02T00:00:00Z\","
                 "\"trouble\":null}}"));
    rig_draw(&r, 24, 100);
    assert_true(rig_shows(&r, "vpn.example.com: ends in "));
    assert_true(rig_shows(&r, ", renewed in "));
    rig_release(&r);
}

static void the_last_hour_is_drawn(void **state)
{
    struct rig r;
    struct buf b = BUF_INIT(0);

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, "0");
    rig_draw(&r, 24, 80);
    buf_adds(&b, "{\"interval\":60,\"samples\":[");
    for (unsigned i = 0; i < 60; i++)
        buf_addf(&b,
                 "%s{\"time\":\"2026-03-03T13:%02u:00Z\",\"nodes\":12,\"online\":%u,\"events\":%u,\"failovers\":%u,"
                 "\"databaseOk\":%s,\"databaseMs\":%u,\"pushes\":%u,\"sentBytes\":%u,\"medianUs\":%u,"
                 "\"pushP99Us\":%u,\"writeP50Us\":%u,\"writeP99Us\":%u,\"walBytes\":%u}",
                 i ? "," : "", i, 5 + i / 12, i % 7, i == 30, i == 40 ? "false" : "true", i % 5, i * 3, i * 4100,
                 i < 5 ? 0 : 8000 + i * 90, i < 5 ? 0 : 40000 + i * 700, 900 + i, 4000 + i * 20, 2000000 + i * 1000);
    buf_adds(&b, "],\"lastBackup\":\"2026-03-03T03:00:00Z\"}");
    assert_true(rig_tell(&r, "/api/headway/samples", 200, buf_text(&b)));
    buf_release(&b);
    assert_true(rig_shows(&r, "events/min"));
    assert_true(rig_golden(&r, "pulse-hour", 24, 80));
    assert_false(rig_shows(&r, "accounts"));
    for (int i = 0; i < 4; i++) /* what has no room is reached by scrolling */
        rig_keys(&r, "J");
    assert_true(rig_shows(&r, "accounts"));
    assert_true(rig_shows(&r, " 13 ms"));
    assert_true(rig_shows(&r, " 242 kB"));
    for (int i = 0; i < 4; i++)
        rig_keys(&r, "K");
    assert_true(rig_golden(&r, "pulse-hour-wide", 40, 120));
    assert_true(rig_golden(&r, "pulse-hour-huge", 60, 200));
    r.app.canvas.ascii = true;
    assert_true(rig_golden(&r, "pulse-hour-ascii", 24, 60));
    rig_release(&r);
}

/* Old ones are named; what is not known is said. */
static void relays_and_versions_are_told(void **state)
{
    static const struct {
        const char *name, *version, *relay;
    } nodes[] = {{"n20", "1.96.2-t1", "fra"}, {"n21", "1.96.4", "fra"}, {"n22", "1.94.0", "waw"}, {"n23", "", ""},
                 {"n24", "x.y", "fra"},       {"n25", "1.92.3", "fra"}};
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
        char *json = mem_format("{\"node\":{\"id\":\"%zu\",\"givenName\":\"%s\",\"online\":true,\"healthy\":true,"
                                "\"clientVersion\":\"%s\",\"relay\":1,\"relayName\":\"%s\"}}",
                                20 + i, nodes[i].name, nodes[i].version, nodes[i].relay);
        rig_json(&r, json);
        free(json);
    }
    rig_keys(&r, "0");
    rig_draw(&r, 50, 160);
    char *screen = rig_screen(&r, 50, 160);
    assert_non_null(strstr(screen, "ber 9, fra 4, waw 1; 1 without a home relay"));
    assert_non_null(strstr(screen, "1.96 2, 1.94 1; old: 13: "));
    assert_non_null(strstr(screen, " and 9 more; 2 not known"));
    free(screen);
    rig_json(&r, "{\"node\":{\"id\":\"26\",\"givenName\":\"oldest\",\"clientVersion\":\"0.98.0\"}}");
    rig_pass(&r, 1000);
    screen = rig_screen(&r, 50, 160);
    assert_non_null(strstr(screen, "old: 14: oldest 0.98, "));
    free(screen);
    assert_true(rig_tell(&r, "/api/headway/health", 200,
                         "{\"database\":true,\"status\":\"degraded\",\"reasons\":[{\"code\":\"relay-unreachable\","
                         "\"severity\":\"alarm\",\"object\":\"relay\",\"objectName\":\"derp\",\"text\":\"the relay is "
                         "not reached from here\"}]}"));
    rig_pass(&r, 1000);
    screen = rig_screen(&r, 50, 160);
    assert_non_null(strstr(screen, "               the relay is not reached from here"));
    free(screen);
    rig_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_needs_somebody_is_found_and_goes_when_it_is_over),
        cmocka_unit_test(what_is_over_is_counted_no_more),
        cmocka_unit_test(many_of_a_kind_are_one_line),
        cmocka_unit_test(enter_leads_to_the_object),
        cmocka_unit_test(what_the_server_says_is_there_too),
        cmocka_unit_test(the_last_hour_is_drawn),
        cmocka_unit_test(relays_and_versions_are_told),
        cmocka_unit_test(it_opens_by_itself_only_at_the_start_and_only_where_something_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

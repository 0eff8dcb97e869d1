/* SPDX-License-Identifier: BSD-3-Clause */
/* Problems of a router are requested from its client, shown while they last, and removed when they end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "health/client_health.h"
#include "health/health.h"
#include "shared/daemon_fixture.h"

static void health_is_read_within_bounds(void **state)
{
    static const struct {
        const char *text;
        const char *code, *said; /* of the first warning, NULL: none */
        bool refused;
    } cases[] = {
        {"{\"Warnings\":null}", NULL, NULL, false},
        {"{}", NULL, NULL, false},
        {"{\"Warnings\":{\"a\":{\"Severity\":\"high\",\"Title\":\"T\",\"Text\":\"It is broken.\"}}}", "a",
         "It is broken", false},
        {"{\"Warnings\":{\"a\":{\"Severity\":\"medium\",\"Title\":\"T\"}}}", "a", "T", false},
        {"{\"Warnings\":{\"a\":{\"Severity\":\"low\",\"Text\":\"x\"}}}", NULL, NULL, false},
        {"{\"Warnings\":{\"a\\u001b[2J\":{\"Severity\":\"high\",\"Text\":\"b\\u001b[2Jc\"}}}", "a[2J", "b[2Jc", false},
        {"{\"Warnings\":{\"\":{\"Severity\":\"high\",\"Text\":\"x\"}}}", NULL, NULL, false},
        {"{\"Warnings\":{\"a\":{\"Severity\":\"high\",\"Text\":\"x\",\"BrokenSince\":\"not a time\"}}}", "a", "x",
         false},
        {"{\"Warnings\":{\"control-health.maintenance\":{\"Severity\":\"high\",\"Text\":\"x\"}}}", NULL, NULL, false},
        {"{\"Warnings\":{\"control-health\":{\"Severity\":\"high\",\"Text\":\"x\"}}}", NULL, NULL, false},
        {"{\"Warnings\":{\"control-healthy\":{\"Severity\":\"high\",\"Text\":\"x\"}}}", "control-healthy", "x", false},
        {"{\"Warnings\":{\"a\":3}}", NULL, NULL, true},
        {"{\"Warnings\":[]}", NULL, NULL, true},
        {"[]", NULL, NULL, true},
        {"", NULL, NULL, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct node_warnings found = {0};
        struct err e;
        int rc = client_health_read(cases[i].text, strlen(cases[i].text), &found, &e);
        if ((rc < 0) != cases[i].refused || (!cases[i].refused && found.len != (cases[i].code != NULL)))
            fail_msg("case %zu: %d, %zu warnings", i, rc, found.len);
        if (cases[i].code) {
            assert_string_equal(found.items[0].code, cases[i].code);
            assert_string_equal(found.items[0].text, cases[i].said);
        }
        node_warnings_release(&found);
    }
}

static void there_is_room_for_so_many(void **state)
{
    struct node_warnings found = {0};
    struct buf text = BUF_INIT(0);
    struct err e;

    (void)state;
    buf_adds(&text, "{\"Warnings\":{");
    for (int i = 0; i < 1000; i++)
        buf_addf(&text, "%s\"w%d\":{\"Severity\":\"high\",\"Text\":\"%0300d\"}", i ? "," : "", i, i);
    buf_adds(&text, "}}");
    if (text.len <= CLIENT_HEALTH_MAX)
        assert_int_equal(client_health_read(text.data, text.len, &found, &e), 0);
    else
        assert_int_equal(client_health_read(text.data, text.len, &found, &e), ERR_INVALID);
    assert_true(found.len <= WARNINGS_MAX);
    buf_release(&text);
    node_warnings_release(&found);
}

/* ---- with a client ---- */

static struct {
    bool warned, over;
} heard;

static void hear_event(void *arg, const struct event *e)
{
    (void)arg;
    if (str_eq(e->kind, "node.warning"))
        test_daemon_set(&heard.warned);
    if (str_eq(e->kind, "node.warning_over"))
        test_daemon_set(&heard.over);
}

static void hear_nothing(void *arg, uint64_t node_id)
{
    (void)arg;
    (void)node_id;
}

static int listen_up(void **state)
{
    (void)state;
    heard.warned = heard.over = false;
    core_listen(test_daemon.core,
                &(struct core_listener){.event = hear_event, .volatile_change = hear_nothing, .arg = &heard});
    return 0;
}

static int listen_no_more(void **state)
{
    (void)state;
    core_unlisten(test_daemon.core, &heard);
    return 0;
}

static void assert_warning(const struct test_client *c, const char *code, const char *text)
{
    const struct tailnet_snapshot *s = tailnet_pin(test_daemon.tailnet);
    const struct tailnet_node *n = snapshot_node_by_id(s, test_client_id(c));

    assert_non_null(n);
    if (!code) {
        assert_int_equal(n->live.warnings.len, 0);
    } else {
        assert_int_equal(n->live.warnings.len, 1);
        assert_string_equal(n->live.warnings.items[0].code, code);
        assert_string_equal(n->live.warnings.items[0].text, text);
        assert_true(n->live.warnings.items[0].since_ns > 0);
    }
    tailnet_unpin(s);
}

static void say_flags(struct test_client *c, const char *flags)
{
    assert_int_equal(test_client_call(c, "POST", "/machine/map",
                                      test_client_request(c,
                                                          ",\"OmitPeers\":true,\"Hostinfo\":{\"Hostname\":\"%s\","
                                                          "\"RoutableIPs\":[\"10.0.0.0/24\"]}%s",
                                                          c->name, flags)),
                     200);
}

/* Scenario 100 of the routes. */
static void a_flag_of_a_map_request_is_a_warning_until_it_is_gone(void **state)
{
    static struct test_client r;

    (void)state;
    test_client_start(&r, "r");
    test_client_join(&r);
    test_client_poll(&r, ",\"RoutableIPs\":[\"10.0.0.0/24\"]");
    json_decref(test_client_hear(&r));
    assert_warning(&r, NULL, NULL);
    say_flags(&r, ",\"DebugFlags\":[\"netstack\",\"warn-ip-forwarding-off\"]");
    DAEMON_WAIT(heard.warned);
    assert_warning(&r, "ip-forwarding-off", "IP forwarding is off: it advertises routes and does not forward packets");
    heard.warned = false;
    say_flags(&r, ",\"DebugFlags\":[\"warn-ip-forwarding-off\"]");
    say_flags(&r, "");
    DAEMON_WAIT(heard.over);
    assert_false(heard.warned);
    assert_warning(&r, NULL, NULL);
    test_client_leave(&r);
}

static void answer_health(struct test_client *c, const char *json)
{
    for (;;) {
        json_t *m = test_client_hear(c), *ping = json_object_get(m, "PingRequest");
        const char *url = json_text(ping, "URL", "");
        char path[128];
        bool found = str_starts(url, "https://unused/machine/c2n/");
        if (found)
            assert_true(str_copy(path, sizeof(path), url + strlen("https://unused")));
        json_decref(m);
        if (!found)
            continue;
        assert_int_equal(test_client_call(c, "POST", path, mem_format("HTTP/1.1 200 OK\r\n\r\n%s", json)), 200);
        return;
    }
}

static void routers_are_asked_when_their_routes_change(void **state)
{
    static struct test_client r;
    struct prefix p = {{32, {10, 0, 0, 0}}, 24};

    (void)state;
    struct health *h = health_start(&(struct health_options){.loops = test_daemon.loops,
                                                             .core = test_daemon.core,
                                                             .control = test_daemon.control,
                                                             .tailnet = test_daemon.tailnet,
                                                             .config = test_daemon.config});
    test_client_start(&r, "r");
    test_client_join(&r);
    test_client_poll(&r, ",\"RoutableIPs\":[\"10.0.0.0/24\"]");
    answer_health(&r, "{\"Warnings\":{\"no-forwarding\":{\"Severity\":\"high\",\"Text\":\"No packets pass.\"}}}");
    DAEMON_WAIT(heard.warned);
    assert_warning(&r, "no-forwarding", "No packets pass");
    struct core_admin approve = {.op = ADMIN_NODE_ROUTES, .id = test_client_id(&r)};
    prefixes_add(&approve.prefixes, &p);
    assert_int_equal(test_daemon_admin(&approve), 0);
    prefixes_release(&approve.prefixes);
    core_admin_release(&approve);
    answer_health(&r, "{\"Warnings\":null}");
    DAEMON_WAIT(heard.over);
    assert_warning(&r, NULL, NULL);
    test_client_leave(&r);
    health_stop(h);
    /* The fixture ends control after this test, and nobody waits for an answer any more. */
    health_free(h);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(health_is_read_within_bounds),
        cmocka_unit_test(there_is_room_for_so_many),
        cmocka_unit_test_setup_teardown(a_flag_of_a_map_request_is_a_warning_until_it_is_gone, listen_up,
                                        listen_no_more),
        cmocka_unit_test_setup_teardown(routers_are_asked_when_their_routes_change, listen_up, listen_no_more),
    };

    return cmocka_run_group_tests(tests, test_daemon_set_up, test_daemon_tear_down);
}

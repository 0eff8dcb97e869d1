/* SPDX-License-Identifier: BSD-3-Clause */
/* Streams that end or should end: taken over, of deleted nodes, of clients that hang. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/clock.h"
#include "control/control.h"
#include "shared/daemon_fixture.h"
#include "store/queue.h"
#include "store/sqlite/sqlite.h"

static void the_newest_stream_of_a_node_wins(void **state)
{
    static struct test_client a, twin, b;

    (void)state;
    test_client_start(&b, "b");
    test_client_join(&b);
    test_client_poll(&b, "");
    test_client_start(&a, "a");
    test_client_join(&a);
    test_client_poll(&a, "");
    json_decref(test_client_hear(&a));
    test_client_hears(&b, "\"Online\":true");
    test_client_ignore_all(&b);
    test_client_start(&twin, "a");
    memcpy(twin.node_key, a.node_key, KEY_LEN);
    memcpy(twin.options.machine_private, a.options.machine_private, 32);
    test_client_disconnect(&twin);
    test_client_connect(&twin);
    test_client_poll(&twin, "");
    json_decref(test_client_hear(&twin));
    DAEMON_WAIT(a.ended);
    assert_int_equal(test_client_call(&a, "GET", "/machine/whoami", mem_strdup("")), 200); /* the connection stays */
    test_client_disconnect(&twin);
    /* Nothing but the end of the last stream makes the node offline. */
    test_client_hears(&b, "\"Online\":false");
    test_client_stop(&twin);
    test_client_leave(&a);
    test_client_leave(&b);
}

static bool cloned;

static void hear_event(void *arg, const struct event *e)
{
    (void)arg;
    if (strcmp(e->kind, "node.cloned") == 0 && strstr(e->text, "127.0.0.1") && strstr(e->text, "127.0.0.2"))
        test_daemon_set(&cloned);
}

static void hear_nothing(void *arg, uint64_t node_id)
{
    (void)arg;
    (void)node_id;
}

static void a_node_in_two_places_is_an_alarm(void **state)
{
    static struct test_client a, twin;
    struct test_client *both[] = {&a, &twin};

    (void)state;
    core_listen(test_daemon.core,
                &(struct core_listener){.event = hear_event, .volatile_change = hear_nothing, .arg = &cloned});
    test_client_start(&a, "a");
    test_client_join(&a);
    test_client_start(&twin, "a");
    memcpy(twin.node_key, a.node_key, KEY_LEN);
    memcpy(twin.options.machine_private, a.options.machine_private, 32);
    assert_int_equal(addr_parse("127.0.0.2", &twin.options.source, NULL), 0);
    test_client_disconnect(&twin);
    test_client_connect(&twin);
    test_client_poll(&a, "");
    json_decref(test_client_hear(&a));
    for (int i = 1; i <= 5; i++) { /* as many as may be a coincidence */
        test_client_poll(both[i % 2], "");
        json_decref(test_client_hear(both[i % 2]));
        DAEMON_WAIT(both[(i + 1) % 2]->ended);
    }
    assert_false(cloned);
    test_client_poll(&a, "");
    DAEMON_WAIT(cloned);
    core_unlisten(test_daemon.core, &cloned);
    test_client_stop(&twin);
    test_client_leave(&a);
}

static void a_deleted_node_hears_it_and_its_stream_ends(void **state)
{
    static struct test_client a;

    (void)state;
    test_client_start(&a, "a");
    test_client_join(&a);
    test_client_poll(&a, "");
    json_decref(test_client_hear(&a));
    test_daemon_delete(test_client_id(&a));
    test_client_hears(&a, "\"KeyExpiry\":\"2020-01-01T00:00:00Z\"");
    DAEMON_WAIT(a.ended);
    test_client_ignore_all(&a);
    test_client_poll(&a, ""); /* it comes back as if nothing had been; now it is kept: it would call without end */
    test_client_hears(&a, "\"KeyExpiry\":\"2020-01-01T00:00:00Z\"");
    assert_false(a.ended);
    assert_int_equal(test_client_call(&a, "POST", "/machine/map", test_client_request(&a, ",\"OmitPeers\":true")), 404);
    test_client_stop(&a);
}

/* ---- hung clients ---- */

static struct {
    bool unhealthy, healthy;
} heard_of;

static void hear_health(void *arg, const struct event *e)
{
    (void)arg;
    if (strcmp(e->kind, "node.unhealthy") == 0)
        test_daemon_set(&heard_of.unhealthy);
    if (strcmp(e->kind, "node.healthy") == 0)
        test_daemon_set(&heard_of.healthy);
}

static struct config *impatient(void)
{
    static const char text[] = "server_url: http://127.0.0.1:8080\nlisten_addr: 127.0.0.1:8080\n"
                               "dns:\n  base_domain: tn.example.com\n  override_local_dns: false\n";
    struct strs problems = {0};
    struct config *c = NULL;
    struct err e = {0};

    if (config_parse(text, sizeof(text) - 1, "/tmp/test.yaml", &c, &problems, &e) < 0)
        fail_msg("%s", e.message);
    strs_release(&problems);
    c->node.ha.probe_interval = 200000000; /* less than an administrator may say */
    c->node.ha.probe_timeout = 100000000;
    return c;
}

/* Waits for a question and answers it as a client does. */
static void answer_question(struct test_client *c)
{
    static char path[160];
    const char *url = NULL;
    json_t *m = NULL;

    while (!url) {
        json_decref(m);
        m = test_client_hear(c);
        url = json_text(json_object_get(m, "PingRequest"), "URL", NULL);
    }
    const char *at = strstr(url, "/machine/");
    assert_non_null(at);
    snprintf(path, sizeof(path), "%s", at);
    json_decref(m);
    assert_int_equal(test_client_call(c, "HEAD", path, mem_strdup("")), 200);
}

static void approve(const struct test_client *c, const struct prefix *p)
{
    struct core_admin a = {.op = ADMIN_NODE_ROUTES, .id = test_client_id(c)};

    prefixes_add(&a.prefixes, p);
    assert_int_equal(test_daemon_admin(&a), 0);
    core_admin_release(&a);
}

static void a_router_that_hangs_is_seen_and_asked_on(void **state)
{
    static struct test_client r;
    const struct prefix p = {{32, {10, 0, 0, 0}}, 24};
    struct config *config = impatient();

    (void)state;
    core_listen(test_daemon.core,
                &(struct core_listener){.event = hear_health, .volatile_change = hear_nothing, .arg = &heard_of});
    test_client_start(&r, "r");
    test_client_join(&r);
    test_client_poll(&r, ",\"RoutableIPs\":[\"10.0.0.0/24\"]");
    json_decref(test_client_hear(&r));
    approve(&r, &p);
    test_client_hears(&r, "\"PrimaryRoutes\":[\"10.0.0.0/24\"]");
    control_reload(test_daemon.control, config); /* from here on it is asked often */
    config_unref(config);
    answer_question(&r);
    answer_question(&r);
    assert_false(heard_of.unhealthy);
    DAEMON_WAIT(heard_of.unhealthy);
    assert_int_equal(test_client_call(&r, "HEAD", "/machine/ping-response?id=00", mem_strdup("")), 404);
    assert_int_equal(test_client_call(&r, "HEAD", "/machine/ping-response", mem_strdup("")), 400);
    test_client_ignore_all(&r);
    answer_question(&r); /* one is not enough */
    answer_question(&r);
    assert_false(heard_of.healthy);
    answer_question(&r);
    DAEMON_WAIT(heard_of.healthy);
    assert_false(r.ended); /* all the while its stream stays */
    core_unlisten(test_daemon.core, &heard_of);
    control_reload(test_daemon.control, test_daemon.config);
    test_client_leave(&r);
}

/* What the PINGs of its connection took is kept, as many as there is room for, and goes with the node. */
static void round_trips_of_a_node_are_kept(void **state)
{
    static struct test_client r;
    const struct prefix p = {{32, {10, 0, 0, 0}}, 24};
    struct control_round_trip kept[CONTROL_ROUND_TRIPS];
    struct control_figures figures;
    struct config *config = impatient();

    (void)state;
    config->node.ha.probe_interval = 0;
    config->node.ha.ping_interval = NS_PER_SECOND / 100;
    test_client_start(&r, "r");
    test_client_join(&r);
    test_client_poll(&r, ",\"RoutableIPs\":[\"10.0.0.0/24\"]");
    json_decref(test_client_hear(&r));
    approve(&r, &p);
    test_client_hears(&r, "\"PrimaryRoutes\":[\"10.0.0.0/24\"]");
    assert_int_equal(control_round_trips(test_daemon.control, test_client_id(&r), kept), 0);
    control_reload(test_daemon.control, config); /* from here on it is watched closely */
    config_unref(config);
    while (control_round_trips(test_daemon.control, test_client_id(&r), kept) < CONTROL_ROUND_TRIPS)
        usleep(1000);
    int64_t newest_ns = kept[CONTROL_ROUND_TRIPS - 1].time_ns;
    do
        assert_int_equal(control_round_trips(test_daemon.control, test_client_id(&r), kept), CONTROL_ROUND_TRIPS);
    while (kept[CONTROL_ROUND_TRIPS - 1].time_ns == newest_ns);
    for (size_t i = 0; i < CONTROL_ROUND_TRIPS; i++) {
        assert_true(kept[i].us != CONTROL_LOST);
        assert_true(!i || kept[i].time_ns >= kept[i - 1].time_ns);
    }
    control_figures(test_daemon.control, &figures);
    assert_true(figures.pushes > 0 && figures.sent_bytes > 0 && figures.median_us > 0);
    control_reload(test_daemon.control, test_daemon.config);
    test_client_leave(&r);
}

/* Waits for a question and does not answer it. */
static void leave_question(struct test_client *c)
{
    for (bool found = false; !found;) {
        json_t *m = test_client_hear(c);
        found = json_text(json_object_get(m, "PingRequest"), "URL", NULL) != NULL;
        json_decref(m);
    }
}

/* Scenarios 71 and 72 of the reference on routes: a client that has just connected may miss one question, and what an
 * ended stream was asked says nothing about the next. */
static void a_fresh_session_is_given_time(void **state)
{
    static struct test_client r;
    const struct prefix p = {{32, {10, 0, 0, 0}}, 24};
    struct config *config = impatient();

    (void)state;
    config->node.ha.probe_timeout = NS_PER_SECOND;
    heard_of.unhealthy = heard_of.healthy = false;
    core_listen(test_daemon.core,
                &(struct core_listener){.event = hear_health, .volatile_change = hear_nothing, .arg = &heard_of});
    test_client_start(&r, "r");
    test_client_join(&r);
    test_client_poll(&r, ",\"RoutableIPs\":[\"10.0.0.0/24\"]");
    json_decref(test_client_hear(&r));
    approve(&r, &p);
    test_client_hears(&r, "\"PrimaryRoutes\":[\"10.0.0.0/24\"]");
    control_reload(test_daemon.control, config);
    config_unref(config);
    leave_question(&r); /* 72: it reconnects while this one is open */
    test_client_disconnect(&r);
    test_client_connect(&r);
    test_client_poll(&r, ",\"RoutableIPs\":[\"10.0.0.0/24\"]");
    leave_question(&r); /* 71: the first one of the new stream */
    leave_question(&r);
    assert_false(heard_of.unhealthy); /* although two were not answered */
    DAEMON_WAIT(heard_of.unhealthy);  /* and now a second one in a row */
    core_unlisten(test_daemon.core, &heard_of);
    control_reload(test_daemon.control, test_daemon.config);
    test_client_leave(&r);
}

/* ---- a store that refuses ---- */

static bool went_offline;

static void hear_offline(void *arg, const struct event *e)
{
    (void)arg;
    if (strcmp(e->kind, "node.offline") == 0)
        test_daemon_set(&went_offline);
}

static void a_stream_that_is_refused_leaves_nobody_online(void **state)
{
    static struct test_client a;

    (void)state;
    struct sqlite_engine *database = (struct sqlite_engine *)test_daemon.store->engine;
    pthread_mutex_lock(&database->writer_lock);
    int rc = sqlite3_exec(database->writer,
                          "CREATE TRIGGER t BEFORE INSERT ON node WHEN NEW.hostname='refused' BEGIN "
                          "SELECT RAISE(FAIL,'no'); END",
                          NULL, NULL, NULL);
    pthread_mutex_unlock(&database->writer_lock);
    assert_int_equal(rc, SQLITE_OK);
    test_client_start(&a, "a");
    test_client_join(&a);
    core_listen(test_daemon.core,
                &(struct core_listener){.event = hear_offline, .volatile_change = hear_nothing, .arg = &went_offline});
    snprintf(a.name, sizeof(a.name), "refused"); /* a new name, which cannot be stored */
    test_client_poll(&a, "");
    DAEMON_WAIT(a.ended);
    assert_true(a.status >= 400);
    DAEMON_WAIT(went_offline);
    core_unlisten(test_daemon.core, &went_offline);
    test_client_leave(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_stream_of_a_node_wins),
        cmocka_unit_test(a_node_in_two_places_is_an_alarm),
        cmocka_unit_test(a_deleted_node_hears_it_and_its_stream_ends),
        cmocka_unit_test(a_router_that_hangs_is_seen_and_asked_on),
        cmocka_unit_test(a_fresh_session_is_given_time),
        cmocka_unit_test(round_trips_of_a_node_are_kept),
        cmocka_unit_test(a_stream_that_is_refused_leaves_nobody_online),
    };
    return cmocka_run_group_tests_name("sessions_end", tests, test_daemon_set_up, test_daemon_tear_down);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* The API of what clients have, over real sockets and with clients that are asked: who follows a move, and how a node
 * differs from what it should have. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "control/control.h"
#include "crypto/crypto.h"
#include "readback/moves.h"
#include "readback/readback.h"
#include "shared/api_fixture.h"
#include "shared/daemon_fixture.h"

#define LAN       "10.7.0.0/16"
#define FOLLOWERS "/api/headway/prefixes/10.7.0.0%2F16/followers"

static struct api_fixture f;
static struct readback *readback;

static void configure(void)
{
    struct strs problems = {0};
    struct err e;
    char *text;

    fixture_begin(&f.store);
    snprintf(f.socket, sizeof(f.socket), "%s/h.sock", f.store.folder);
    text = mem_format("server_url: http://127.0.0.1:1\nlisten_addr: 127.0.0.1:1\nmetrics_listen_addr: \"\"\n"
                      "unix_socket: %s\nunix_socket_permission: \"0770\"\nnoise:\n  private_key_path: %s/n.key\n"
                      "dns:\n  base_domain: tail.example.com\n  override_local_dns: false\n",
                      f.socket, f.store.folder);
    if (config_parse(text, strlen(text), "test.yaml", &f.config, &problems, &e) < 0)
        fail_msg("%s", e.message);
    strs_release(&problems);
    free(text);
}

static int begin(void **state)
{
    struct err e;

    assert_int_equal(test_daemon_set_up(state), 0);
    f = (struct api_fixture){.tailnet = test_daemon.tailnet, .core = test_daemon.core};
    configure();
    readback = readback_start(&(struct readback_options){.loops = test_daemon.loops,
                                                         .core = test_daemon.core,
                                                         .control = test_daemon.control,
                                                         .netmap = test_daemon.netmap,
                                                         .tailnet = test_daemon.tailnet,
                                                         .config = test_daemon.config});
    struct api_options options = {
        .config = f.config, .core = f.core, .tailnet = f.tailnet, .store = test_daemon.store, .readback = readback};
    if (api_start(&options, &f.api, &e) < 0)
        fail_msg("%s", e.message);
    return 0;
}

static int end(void **state)
{
    readback_stop(readback);
    api_stop(f.api);
    control_free(test_daemon.control); /* no answer is on its way after it */
    test_daemon.control = NULL;
    readback_free(readback);
    config_unref(f.config);
    fixture_end(&f.store);
    return test_daemon_tear_down(state);
}

static void start(struct test_client *c, const char *name, unsigned version, bool router)
{
    test_client_start(c, name);
    c->version = version;
    test_client_join(c);
    test_client_poll(c, router ? ",\"RoutableIPs\":[\"" LAN "\"]" : "");
    json_decref(test_client_hear(c));
}

static void post(const struct test_client *c, const char *what, const char *body)
{
    char *path = mem_format("/api/headway/nodes/%llu/%s", (unsigned long long)test_client_id(c), what);

    json_decref(api_expect(&f, 200, "POST", path, body));
    free(path);
}

static void expect_server(const struct test_client *c)
{
    json_t *j = api_expect(&f, 200, "GET", FOLLOWERS, NULL);
    char *id = mem_format("%llu", (unsigned long long)test_client_id(c));

    assert_string_equal(json_text(j, "to", ""), id);
    assert_string_equal(json_text(j, "toName", ""), c->name);
    free(id);
    json_decref(j);
}

/* The answer right after a change is about this change, whoever was asked already. */
static void a_status_is_never_of_the_move_before(void **state)
{
    static struct test_client r1, r2;

    (void)state;
    start(&r1, "r1", 130, true);
    start(&r2, "r2", 130, true);
    json_t *j = api_expect(&f, 200, "GET", FOLLOWERS, NULL);
    assert_string_equal(json_text(j, "text", ""), "nobody serves " LAN);
    json_decref(j);
    post(&r1, "routes", "{\"approve\":[\"" LAN "\"]}");
    expect_server(&r1);
    j = api_expect(&f, 200, "GET", FOLLOWERS, NULL);
    assert_false(json_is_true(json_object_get(j, "ended")));
    json_decref(j);
    post(&r2, "routes", "{\"approve\":[\"" LAN "\"]}");
    for (int turn = 0; turn < 3; turn++) {
        post(&r1, "drain", "{}");
        expect_server(&r2);
        post(&r1, "drain", "{\"drained\":false}");
        post(&r2, "drain", "{}");
        expect_server(&r1);
        post(&r2, "drain", "{\"drained\":false}");
    }
    json_decref(api_expect(&f, 404, "GET", "/api/headway/prefixes/10.99.0.0%2F16/followers", NULL));
    json_decref(api_expect(&f, 400, "GET", "/api/headway/prefixes/banana/followers", NULL));
    j = api_expect(&f, 404, "GET", "/api/headway/prefixes/0.0.0.0%2F0/followers", NULL);
    json_decref(j);
    test_client_leave(&r2);
    test_client_leave(&r1);
}

/* A prefix that has served for a while and never moved since the server started. */
static void one_that_never_moved_says_who_serves_and_who_is_next(void **state)
{
    static struct test_client r1, r2;
    bool settled = false;

    (void)state;
    readback_stop(readback); /* nobody looks for moves */
    start(&r1, "r1", 130, true);
    start(&r2, "r2", 130, true);
    post(&r1, "routes", "{\"approve\":[\"" LAN "\"]}");
    post(&r2, "routes", "{\"approve\":[\"" LAN "\"]}");
    for (int64_t stop = clock_mono_ms() + DAEMON_WAIT_SECONDS * 1000; !settled && clock_mono_ms() < stop;) {
        json_t *j = api_expect(&f, 200, "GET", FOLLOWERS, NULL);
        settled = json_is_true(json_object_get(j, "ended"));
        assert_string_equal(json_text(j, "text", ""), settled ? "r1 serves " LAN "; r2 is next"
                                                              : LAN " moved to r1 just now: nobody was asked yet");
        assert_true(json_is_true(json_object_get(j, "complete")) == settled);
        json_decref(j);
        sched_yield();
    }
    assert_true(settled);
    test_client_leave(&r2);
    test_client_leave(&r1);
}

/* The next question to the client for what: the path of its URL. */
static void hear_question_for(struct test_client *c, const char *what, char path[128])
{
    for (bool found = false; !found;) {
        json_t *m = test_client_hear(c), *ping = json_object_get(m, "PingRequest");
        const char *url = ping ? json_text(ping, "URL", "") : "", *payload = ping ? json_text(ping, "Payload", "") : "";
        uint8_t bytes[512];
        long len = crypto_unbase64(payload, strlen(payload), bytes, sizeof(bytes) - 1);
        bytes[len > 0 ? len : 0] = '\0';
        found = str_starts(url, "https://unused/machine/c2n/") && strstr((char *)bytes, what);
        if (found)
            assert_true(str_copy(path, 128, url + strlen("https://unused")));
        json_decref(m);
    }
}

static bool has_problem(const struct test_client *c, const char *code)
{
    json_t *j = api_expect(&f, 200, "GET", "/api/headway/routes/check", NULL), *p;
    char *id = mem_format("%llu", (unsigned long long)test_client_id(c));
    bool has = false;
    size_t i;

    json_array_foreach(json_object_get(j, "problems"), i, p) has |=
        str_eq(json_text(p, "code", ""), code) && str_eq(json_text(p, "node", ""), id);
    free(id);
    json_decref(j);
    return has;
}

/* Scenario 99 of the reference on routes: the standby sees the prefix at the primary. */
static void a_router_that_accepts_routes_is_warned_of(void **state)
{
    static struct test_client r1, r2;
    char path[128];
    bool warned = false;

    (void)state;
    start(&r1, "r1", 130, true);
    start(&r2, "r2", 130, true);
    post(&r1, "routes", "{\"approve\":[\"" LAN "\"]}");
    post(&r2, "routes", "{\"approve\":[\"" LAN "\"]}");
    assert_false(has_problem(&r2, "router-accepts"));
    hear_question_for(&r2, "GET /debug/prefs ", path);
    assert_int_equal(test_client_call(&r2, "POST", path, mem_strdup("HTTP/1.1 200 OK\r\n\r\n{\"RouteAll\":true}")),
                     200);
    for (int64_t stop = clock_mono_ms() + DAEMON_WAIT_SECONDS * 1000; !warned && clock_mono_ms() < stop;)
        warned = has_problem(&r2, "router-accepts");
    assert_true(warned);
    assert_false(has_problem(&r1, "router-accepts"));
    test_client_leave(&r2);
    test_client_leave(&r1);
}

/* Whether it is a warning; text is what is said. False, with an empty text: there is no such problem. */
static bool problem_of(const struct test_client *c, const char *code, char text[200])
{
    json_t *j = api_expect(&f, 200, "GET", "/api/headway/routes/check", NULL), *p;
    char *id = mem_format("%llu", (unsigned long long)test_client_id(c));
    bool warning = false;
    size_t i;

    text[0] = '\0';
    json_array_foreach(json_object_get(j, "problems"), i, p)
    {
        if (str_eq(json_text(p, "code", ""), code) && str_eq(json_text(p, "node", ""), id)) {
            warning = json_is_true(json_object_get(p, "warning"));
            assert_true(str_copy(text, 200, json_text(p, "text", "")));
        }
    }
    free(id);
    json_decref(j);
    return warning;
}

/* A standby must not accept the route, and one answer of three says little. */
static void nodes_that_do_not_accept_are_counted_among_those_that_should(void **state)
{
    static struct test_client r1, r2, pc[3];
    char path[128], text[200] = "";
    bool warned = false;

    (void)state;
    start(&r1, "r1", 130, true);
    start(&r2, "r2", 130, true);
    start(&pc[0], "pc0", 130, false);
    start(&pc[1], "pc1", 130, false);
    start(&pc[2], "pc2", 130, false);
    post(&r1, "routes", "{\"approve\":[\"" LAN "\"]}");
    post(&r2, "routes", "{\"approve\":[\"" LAN "\"]}");
    hear_question_for(&r2, "GET /debug/prefs ", path);
    assert_int_equal(test_client_call(&r2, "POST", path, mem_strdup("HTTP/1.1 200 OK\r\n\r\n{\"RouteAll\":false}")),
                     200);
    hear_question_for(&pc[0], "GET /debug/prefs ", path);
    assert_int_equal(test_client_call(&pc[0], "POST", path, mem_strdup("HTTP/1.1 200 OK\r\n\r\n{\"RouteAll\":false}")),
                     200);
    for (int64_t stop = clock_mono_ms() + DAEMON_WAIT_SECONDS * 1000; !text[0] && clock_mono_ms() < stop;)
        warned = problem_of(&r1, "not-accepted", text);
    assert_string_equal(text, "1 of 1 nodes that were asked does not accept routes: pc0; see 'tailscale set "
                              "--accept-routes'");
    assert_false(warned);
    for (int i = 1; i < 3; i++) {
        hear_question_for(&pc[i], "GET /debug/prefs ", path);
        assert_int_equal(
            test_client_call(&pc[i], "POST", path, mem_strdup("HTTP/1.1 200 OK\r\n\r\n{\"RouteAll\":false}")), 200);
    }
    for (int64_t stop = clock_mono_ms() + DAEMON_WAIT_SECONDS * 1000; !warned && clock_mono_ms() < stop;)
        warned = problem_of(&r1, "not-accepted", text);
    assert_true(warned);
    for (int i = 2; i >= 0; i--)
        test_client_leave(&pc[i]);
    test_client_leave(&r2);
    test_client_leave(&r1);
}

/* ---- draining ---- */

/* Waits until what is said of the drained node is text. */
static void expect_drain(const struct test_client *c, const char *text, bool safe)
{
    char *path = mem_format("/api/headway/nodes/%llu/drain", (unsigned long long)test_client_id(c));
    int64_t stop = clock_mono_ms() + DAEMON_WAIT_SECONDS * 1000;

    for (;;) {
        json_t *j = api_expect(&f, 200, "GET", path, NULL);
        bool same = str_eq(json_text(j, "text", ""), text);
        if (!same && clock_mono_ms() > stop)
            fail_msg("%s is not: %s", json_text(j, "text", ""), text);
        if (same)
            assert_true(json_is_true(json_object_get(j, "safe")) == safe);
        json_decref(j);
        if (same)
            break;
        sched_yield();
    }
    free(path);
}

static void start_exit(struct test_client *c, const char *name)
{
    test_client_start(c, name);
    c->version = 130;
    test_client_join(c);
    test_client_poll(c, ",\"RoutableIPs\":[\"0.0.0.0/0\",\"::/0\"]");
    json_decref(test_client_hear(c));
    post(c, "routes", "{\"approve\":[\"0.0.0.0/0\"]}");
}

static void use_exit(struct test_client *c, const struct test_client *exit)
{
    char *body = test_client_request(c,
                                     ",\"OmitPeers\":true,\"Hostinfo\":{\"OS\":\"linux\",\"Hostname\":\"%s\","
                                     "\"ExitNodeID\":\"%llu\"}",
                                     c->name, (unsigned long long)test_client_id(exit));

    assert_int_equal(test_client_call(c, "POST", "/machine/map", body), 200);
}

static void a_drained_exit_node_is_safe_once_all_have_left_it(void **state)
{
    static struct test_client x1, x2, user, old;

    (void)state;
    start_exit(&x1, "x1");
    start_exit(&x2, "x2");
    start(&user, "user", 130, false);
    start(&old, "old", 116, false);
    use_exit(&user, &x1);
    post(&x1, "drain", "{}");
    expect_drain(&x1,
                 "x1 is drained and serves no prefix; 1 node still uses it as exit node (user); 1 node may use it as "
                 "exit node, with clients before 1.86 that do not say",
                 false);
    test_client_leave(&old);
    expect_drain(&x1, "x1 is drained and serves no prefix; 1 node still uses it as exit node (user)", false);
    use_exit(&user, &x2);
    expect_drain(&x1, "x1 is drained and serves no prefix, and nobody uses it as exit node: it is safe to reboot",
                 true);
    test_client_leave(&user);
    test_client_leave(&x2);
    test_client_leave(&x1);
}

/* Nobody has to be asked where nothing moved. */
static void a_drained_standby_is_safe_at_once(void **state)
{
    static struct test_client r1, r2;

    (void)state;
    start(&r1, "r1", 130, true);
    start(&r2, "r2", 130, true);
    post(&r1, "routes", "{\"approve\":[\"" LAN "\"]}");
    post(&r2, "routes", "{\"approve\":[\"" LAN "\"]}");
    post(&r2, "drain", "{}");
    expect_drain(&r2, "r2 is drained and serves no prefix: it is safe to reboot", true);
    post(&r2, "drain", "{\"drained\":false}");
    post(&r1, "drain", "{}"); /* nobody but the routers themselves sees the prefix */
    expect_drain(&r1, "r1 is drained and serves no prefix: it is safe to reboot", true);
    test_client_leave(&r2);
    test_client_leave(&r1);
}

/* One move of the history of exit nodes: "FROM TO CAUSE". */
static char *exit_move(size_t i, size_t *count)
{
    json_t *h = api_expect(&f, 200, "GET", "/api/headway/prefixes/0.0.0.0%2F0/history", NULL);
    const json_t *m = json_array_get(json_object_get(h, "moves"), i);
    char *text =
        mem_format("%s %s %s%s", json_text(m, "fromName", "-"), json_text(m, "toName", "-"), json_text(m, "cause", ""),
                   json_integer_value(json_object_get(m, "convergenceMs")) ? ", all left" : "");

    *count = json_array_size(json_object_get(h, "moves"));
    json_decref(h);
    return text;
}

static void exit_nodes_have_a_history(void **state)
{
    static const char *const expected[] = {"x1 - went offline", "- x1 is in service again",
                                           "x1 - was drained, all left", "- x2 is approved and advertised",
                                           "- x1 is approved and advertised"};
    static struct test_client x1, x2, user;
    size_t count = 0;

    (void)state;
    start_exit(&x1, "x1");
    start_exit(&x2, "x2");
    start(&user, "user", 130, false);
    use_exit(&user, &x1);
    post(&x1, "drain", "{}");
    use_exit(&user, &x2);
    expect_drain(&x1, "x1 is drained and serves no prefix, and nobody uses it as exit node: it is safe to reboot",
                 true);
    post(&x1, "drain", "{\"drained\":false}");
    test_client_disconnect(&x1);
    for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
        char *text = exit_move(i, &count);
        for (int64_t stop = clock_mono_ms() + DAEMON_WAIT_SECONDS * 1000;
             (count < sizeof(expected) / sizeof(*expected) || !str_eq(text, expected[i])) && clock_mono_ms() < stop;) {
            free(text);
            text = exit_move(i, &count);
        }
        assert_string_equal(text, expected[i]);
        free(text);
    }
    assert_int_equal(count, 5);
    test_client_leave(&user);
    test_client_leave(&x2);
    test_client_leave(&x1);
}

/* ---- nodes diff ---- */

static char *diff_path(const struct test_client *c)
{
    return mem_format("/api/headway/nodes/%llu/diff", (unsigned long long)test_client_id(c));
}

/* Sends the question; the client answers it with text, NULL: not at all. The status; *json is the caller's. */
static int ask_diff(struct test_client *c, const char *text, json_t **json)
{
    char *path = diff_path(c), *request = mem_format("GET %s HTTP/1.1\r\nHost: headway\r\n\r\n", path), question[128];
    struct buf body = BUF_INIT(0);
    int fd = api_connect(&f, false);

    api_send(fd, request, strlen(request));
    hear_question_for(c, "GET /debug/netmap ", question);
    if (text)
        assert_int_equal(test_client_call(c, "POST", question, mem_format("HTTP/1.1 200 OK\r\n\r\n%s", text)), 200);
    int status = api_answer(fd, NULL, &body);
    assert_int_equal(json_read(buf_text(&body), body.len, body.len, "answer", json, NULL), 0);
    buf_release(&body);
    close(fd);
    free(request);
    free(path);
    return status;
}

/* The client is not asked before it has surely a network map. */
static void wait_until_asked(const struct test_client *c)
{
    bool fresh = true;

    while (fresh) {
        const struct tailnet_snapshot *s = tailnet_pin(test_daemon.tailnet);
        fresh = clock_wall_ns() - snapshot_node_by_id(s, test_client_id(c))->live.since_ns < 10 * NS_PER_SECOND;
        tailnet_unpin(s);
        sched_yield();
    }
}

static const char *message_of(const json_t *j)
{
    return json_text(json_object_get(j, "error"), "message", "");
}

static void a_client_is_compared_with_what_it_should_hold(void **state)
{
    static struct test_client viewer, old;
    json_t *j;

    (void)state;
    start(&viewer, "viewer", 130, false);
    start(&old, "old", 116, false);
    char *path = diff_path(&viewer), *of_old = diff_path(&old);
    json_decref(api_expect(&f, 503, "GET", path, NULL)); /* it may have no network map yet */
    wait_until_asked(&viewer);
    wait_until_asked(&old);
    assert_int_equal(ask_diff(&viewer, "{\"current\":{\"SelfNode\":{\"ID\":1},\"Peers\":[]}}", &j), 200);
    assert_non_null(strstr(json_text(j, "text", ""), "viewer differs in "));
    assert_true(json_integer_value(json_object_get(j, "differences")) > 0);
    assert_true(json_array_size(json_object_get(j, "rows")) > 0);
    json_decref(j);
    assert_int_equal(ask_diff(&viewer, "no map", &j), 400);
    json_decref(j);
    assert_int_equal(ask_diff(&viewer, NULL, &j), 504);
    assert_string_equal(message_of(j), "the client of viewer did not answer within 7 s");
    json_decref(j);
    struct api_call call = {.method = "GET", .target = of_old};
    assert_int_equal(api_ask(&f, &call, &j), 501);
    assert_non_null(strstr(message_of(j), "its client cannot be asked"));
    json_decref(j);
    json_decref(api_expect(&f, 404, "GET", "/api/headway/nodes/99999/diff", NULL));
    free(path);
    free(of_old);
    test_client_leave(&old);
    test_client_leave(&viewer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_status_is_never_of_the_move_before, begin, end),
        cmocka_unit_test_setup_teardown(one_that_never_moved_says_who_serves_and_who_is_next, begin, end),
        cmocka_unit_test_setup_teardown(a_router_that_accepts_routes_is_warned_of, begin, end),
        cmocka_unit_test_setup_teardown(nodes_that_do_not_accept_are_counted_among_those_that_should, begin, end),
        cmocka_unit_test_setup_teardown(a_drained_exit_node_is_safe_once_all_have_left_it, begin, end),
        cmocka_unit_test_setup_teardown(a_drained_standby_is_safe_at_once, begin, end),
        cmocka_unit_test_setup_teardown(exit_nodes_have_a_history, begin, end),
        cmocka_unit_test_setup_teardown(a_client_is_compared_with_what_it_should_hold, begin, end),
    };

    return cmocka_run_group_tests_name("http_readback", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Clients of a complete daemon except for HTTP: they register, hold streams, and are told about each other. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/random.h"
#include "control/control.h"
#include "shared/client/ts_client.h"
#include "shared/daemon_fixture.h"

static void a_key_lets_in_and_a_stream_begins_with_everything(void **state)
{
    static struct test_client a;

    (void)state;
    test_client_start(&a, "a");
    test_client_join(&a);
    json_t *login = test_client_answer(&a);
    assert_string_equal(json_text(json_object_get(login, "Login"), "LoginName", ""), "alice");
    json_decref(login);
    test_client_poll(&a, "");
    json_t *m = test_client_hear(&a);
    assert_string_equal(json_text(json_object_get(m, "Node"), "Name", ""), "a.tn.example.com.");
    assert_non_null(json_object_get(m, "DERPMap"));
    assert_non_null(json_object_get(m, "PacketFilters"));
    assert_null(json_object_get(m, "Peers"));
    json_decref(m);
    test_client_leave(&a);
}

static void clients_hear_of_each_other(void **state)
{
    static struct test_client a, b;

    (void)state;
    test_client_start(&a, "a");
    test_client_join(&a);
    test_client_poll(&a, "");
    test_client_start(&b, "b");
    test_client_join(&b);
    test_client_hears(&a, "\"b.tn.example.com.\"");
    test_client_ignore_all(&a);
    test_client_poll(&b, "");
    test_client_hears(&b, "\"a.tn.example.com.\"");
    test_client_hears(&a, "\"Online\":true");
    test_client_hears(&a, "\"DiscoKey\":");
    test_client_ignore_all(&a);

    assert_int_equal(
        test_client_call(
            &b, "POST", "/machine/map",
            test_client_request(&b, ",\"OmitPeers\":true,\"Hostinfo\":{\"OS\":\"linux\",\"Hostname\":\"b\",\"NetInfo\":"
                                    "{\"PreferredDERP\":7}},\"Endpoints\":[\"192.0.2.1:5\"],\"EndpointTypes\":[2]")),
        200);
    assert_int_equal(b.answer.len, 0);
    test_client_hears(&a, "\"DERPRegion\":7,\"Endpoints\":[\"192.0.2.1:5\"]");
    test_client_ignore_all(&a);
    test_client_disconnect(&b);
    test_client_hears(&a, "\"Online\":false");
    test_client_leave(&b);
    test_client_hears(&a, "\"PeersRemoved\":[");
    test_client_leave(&a);
}

static uint64_t pushes_timed(void)
{
    struct control_figures figures;
    uint64_t count = 0;

    control_figures(test_daemon.control, &figures);
    for (size_t i = 0; i <= METRICS_LIMITS; i++)
        count += figures.push_times.counts[i];
    return count;
}

/* From the change to the last byte for whoever hears of it; a first map is not counted. */
static void the_time_of_a_push_is_measured(void **state)
{
    static struct test_client a, b;
    uint64_t before = pushes_timed();

    (void)state;
    test_client_start(&a, "timed-a");
    test_client_join(&a);
    test_client_poll(&a, "");
    json_decref(test_client_hear(&a));
    test_client_start(&b, "timed-b");
    test_client_join(&b);
    test_client_poll(&b, "");
    json_decref(test_client_hear(&b));
    test_client_hears(&a, "\"Online\":true");
    while (pushes_timed() == before) /* the last byte leaves after the client has it, at times */
        sched_yield();
    test_client_leave(&b);
    test_client_leave(&a);
}

static void a_wrong_key_is_told_in_words(void **state)
{
    static struct test_client a;

    (void)state;
    test_client_start(&a, "a");
    assert_int_equal(test_client_call(&a, "POST", "/machine/register",
                                      test_client_request(&a, ",\"Auth\":{\"AuthKey\":\"hskey-auth-no\"}")),
                     200);
    test_client_assert_answer(&a, "Error", "\"invalid pre auth key\"");
    test_client_assert_answer(&a, "MachineAuthorized", "false");
    test_client_stop(&a);
}

static void a_person_approves_and_the_waiting_client_is_in(void **state)
{
    static struct test_client a;

    (void)state;
    test_client_start(&a, "a");
    assert_int_equal(test_client_call(&a, "POST", "/machine/register",
                                      test_client_request(&a, ",\"Hostinfo\":{\"Hostname\":\"a\"}")),
                     200);
    json_t *root = test_client_answer(&a);
    char *url = mem_strdup(json_text(root, "AuthURL", ""));
    json_decref(root);
    assert_true(str_starts(url, "http://127.0.0.1:8080/register/hskey-authreq-"));
    test_client_begin_call(&a, "POST", "/machine/register",
                           test_client_request(&a, ",\"Followup\":\"%s\",\"Hostinfo\":{\"Hostname\":\"a\"}", url));
    struct core_admin approve = {.op = ADMIN_REGISTER, .text = strrchr(url, '/') + 1, .name = "alice"};
    assert_int_equal(test_daemon_admin(&approve), 0);
    core_admin_release(&approve);
    DAEMON_WAIT(a.replied);
    test_client_assert_answer(&a, "AuthURL", "\"\"");
    test_client_assert_answer(&a, "MachineAuthorized", "true");
    free(url);
    test_client_leave(&a);
}

static void a_waiting_client_may_go_away(void **state)
{
    static struct test_client a;

    (void)state;
    test_client_start(&a, "a");
    assert_int_equal(test_client_call(&a, "POST", "/machine/register",
                                      test_client_request(&a, ",\"Hostinfo\":{\"Hostname\":\"a\"}")),
                     200);
    json_t *root = test_client_answer(&a);
    const char *url = json_text(root, "AuthURL", "");
    for (int i = 0; i < 3; i++) {
        test_client_begin_call(&a, "POST", "/machine/register", test_client_request(&a, ",\"Followup\":\"%s\"", url));
        test_client_disconnect(&a);
        DAEMON_WAIT(a.replied);
        test_client_connect(&a);
    }
    struct core_admin reject = {.op = ADMIN_AUTH_REJECT, .text = strrchr(url, '/') + 1};
    assert_int_equal(test_daemon_admin(&reject), 0);
    core_admin_release(&reject);
    assert_int_equal(
        test_client_call(&a, "POST", "/machine/register", test_client_request(&a, ",\"Followup\":\"%s\"", url)), 200);
    json_decref(root);
    root = test_client_answer(&a); /* asked again, under a new address */
    assert_true(strstr(json_text(root, "AuthURL", ""), "/register/hskey-authreq-") != NULL);
    json_decref(root);
    test_client_stop(&a);
}

static void a_logout_needs_a_new_login(void **state)
{
    static struct test_client a;

    (void)state;
    test_client_start(&a, "a");
    test_client_join(&a);
    assert_int_equal(test_client_call(&a, "POST", "/machine/register", test_client_request(&a, " ")),
                     200); /* a daemon that restarts */
    test_client_assert_answer(&a, "MachineAuthorized", "true");
    assert_int_equal(test_client_call(&a, "POST", "/machine/register",
                                      test_client_request(&a, ",\"Expiry\":\"1970-01-01T00:02:03Z\"")),
                     200);
    test_client_assert_answer(&a, "NodeKeyExpired", "true");
    random_bytes(a.node_key, KEY_LEN);
    test_client_join(&a);
    test_client_leave(&a);
}

static void an_approval_reaches_everybody(void **state)
{
    static struct test_client a, r;
    struct prefix p = {{32, {10, 0, 0, 0}}, 24};

    (void)state;
    test_client_start(&a, "a");
    test_client_join(&a);
    test_client_poll(&a, "");
    test_client_start(&r, "r");
    test_client_join(&r);
    test_client_poll(&r, ",\"RoutableIPs\":[\"10.0.0.0/24\"]");
    json_decref(test_client_hear(&r));
    struct core_admin approve = {.op = ADMIN_NODE_ROUTES, .id = test_client_id(&r)};
    prefixes_add(&approve.prefixes, &p);
    assert_int_equal(test_daemon_admin(&approve), 0);
    prefixes_release(&approve.prefixes);
    core_admin_release(&approve);
    test_client_hears(&a, "\"PrimaryRoutes\":[\"10.0.0.0/24\"]");
    test_client_hears(&r, "\"PrimaryRoutes\":[\"10.0.0.0/24\"]");
    test_client_ignore_all(&a);
    test_client_disconnect(&r);
    test_client_hears(&a, "\"Online\":false"); /* withdrawn: nobody serves it */
    test_client_leave(&r);
    test_client_leave(&a);
}

static void one_map_is_one_answer(void **state)
{
    static struct test_client a;

    (void)state;
    test_client_start(&a, "a");
    test_client_join(&a);
    assert_int_equal(test_client_call(&a, "POST", "/machine/map", test_client_request(&a, " ")), 200);
    assert_true(a.answer.len > 4);
    cut_front(&a.answer, 4);
    test_client_assert_answer(&a, "Domain", "\"127.0.0.1\"");
    test_client_leave(&a);
}

static void what_cannot_be_is_refused(void **state)
{
    static const struct {
        const char *method, *path, *body;
        int status;
    } cases[] = {
        {"POST", "/machine/map", "{}", 400},
        {"POST", "/machine/map", "not json", 400},
        {"POST", "/machine/register", "not json", 200}, /* the user reads Error */
        {"GET", "/machine/map", "", 405},
        {"GET", "/machine/whoami", "", 200},
        {"POST", "/machine/set-dns", "{}", 501},
        {"PATCH", "/machine/set-device-attr", "{}", 501},
        {"POST", "/machine/id-token", "{}", 501},
        {"POST", "/machine/feature/query", "{}", 200},
        {"POST", "/machine/update-health", "{\"Subsys\":\"x\",\"Error\":\"y\"}", 204},
        {"POST", "/machine/audit-log", "{}", 200},
        {"POST", "/machine/webclient/init/1/to/2", "", 501},
        {"GET", "/machine/tka/init/begin", "{}", 501},
        {"GET", "/machine/ssh/action/1/to/999", "", 401}, /* as for a node of somebody else */
        {"GET", "/machine/ssh/action/x", "", 400},
        {"GET", "/metrics", "", 404},
        {"GET", "/api/v1/node", "", 404},
    };
    static struct test_client a;

    (void)state;
    test_client_start(&a, "a");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int status = test_client_call(&a, cases[i].method, cases[i].path, mem_strdup(cases[i].body));
        if (status != cases[i].status)
            fail_msg("%s %s: %d, not %d", cases[i].method, cases[i].path, status, cases[i].status);
    }
    assert_int_equal(test_client_call(&a, "POST", "/machine/map", test_client_request(&a, ",\"Stream\":true")),
                     404); /* nobody's key */
    test_client_stop(&a);
}

static void somebody_elses_node_key_opens_nothing(void **state)
{
    static struct test_client a, thief;

    (void)state;
    test_client_start(&a, "a");
    test_client_join(&a);
    test_client_start(&thief, "thief");
    memcpy(thief.node_key, a.node_key, KEY_LEN);
    assert_int_equal(
        test_client_call(&thief, "POST", "/machine/map", test_client_request(&thief, ",\"OmitPeers\":true")), 404);
    test_client_call(&thief, "POST", "/machine/register", test_client_request(&thief, " "));
    test_client_assert_answer(&thief, "MachineAuthorized", "false");
    char *path = mem_format("/machine/ssh/action/1/to/%llu", (unsigned long long)test_client_id(&a));
    assert_int_equal(test_client_call(&thief, "GET", path, mem_strdup("")), 401);
    free(path);
    test_client_stop(&thief);
    test_client_leave(&a);
}

/* A body that is no request, on each path that reads one. */
static void bodies_that_are_no_requests_are_refused(void **state)
{
    static const char *const paths[] = {"/machine/map",           "/machine/register",  "/machine/update-health",
                                        "/machine/feature/query", "/machine/audit-log", "/machine/c2n/x"};
    static const char *const bodies[] = {"",
                                         "null",
                                         "[]",
                                         "0",
                                         "\"x\"",
                                         "{",
                                         "{}x",
                                         "{\"\\u0000\":1}",
                                         "{\"a\":\"\\u0000\"}",
                                         "\xff\xfe",
                                         "{\"Version\":1e999}",
                                         "{\"Version\":-1}",
                                         "{\"Version\":142,\"Version\":142}",
                                         "{\"NodeKey\":[\"nodekey:00\"]}",
                                         "{\"NodeKey\":null}",
                                         "{\"Version\":99999999999999999999}",
                                         "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["};
    static struct test_client a;

    (void)state;
    test_client_start(&a, "a");
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        for (size_t k = 0; k < ARRAY_LEN(bodies); k++) {
            int status = test_client_call(&a, "POST", paths[i], mem_strdup(bodies[k]));
            if (status != 200 && status != 204 && (status < 400 || status > 413))
                fail_msg("%s %s: %d", paths[i], bodies[k], status);
        }
    test_client_join(&a); /* it is served on */
    test_client_leave(&a);
}

/* One field is of the wrong kind: the rest is read, or the request is refused; whoever sees the node still can. */
static void odd_fields_disturb_nobody(void **state)
{
    static const char *const fields[] = {
        "\"Hostinfo\":null",
        "\"Hostinfo\":[]",
        "\"Hostinfo\":\"x\"",
        "\"Hostinfo\":{\"Hostname\":null,\"OS\":7}",
        "\"Hostinfo\":{\"Hostname\":\"a\\u0000b\"}",
        "\"Hostinfo\":{\"Hostname\":\"\\ud83d\\ude00\"}",
        "\"Hostinfo\":{\"RoutableIPs\":null}",
        "\"Hostinfo\":{\"RoutableIPs\":{}}",
        "\"Hostinfo\":{\"RoutableIPs\":[null,1,\"10.0.0.0/33\",\"\"]}",
        "\"Hostinfo\":{\"RequestTags\":\"tag:a\"}",
        "\"Hostinfo\":{\"RequestTags\":[1,null]}",
        "\"Hostinfo\":{\"NetInfo\":[]}",
        "\"Hostinfo\":{\"NetInfo\":{\"PreferredDERP\":1e30,\"DERPLatency\":{\"1-v4\":\"x\",\"\":-1}}}",
        "\"Hostinfo\":{\"NetInfo\":{\"PreferredDERP\":-1,\"WorkingUDP\":\"yes\"}}",
        "\"Hostinfo\":{\"Services\":{},\"Location\":{\"Priority\":1.5,\"Latitude\":\"x\"}}",
        "\"Hostinfo\":{\"Location\":[],\"TPM\":1,\"IngressEnabled\":\"x\",\"sshHostKeys\":[1]}",
        "\"Endpoints\":[1,null,{},\"x\",\"1.2.3.4:99999\"],\"EndpointTypes\":\"x\"",
        "\"DiscoKey\":7",
        "\"Auth\":[]",
        "\"Auth\":{\"AuthKey\":[]}",
        "\"Followup\":{}",
        "\"Expiry\":1",
        "\"Expiry\":\"9999-99-99T00:00:00Z\"",
    };
    static struct test_client a, b;

    (void)state;
    test_client_start(&a, "a");
    test_client_join(&a);
    test_client_start(&b, "b");
    test_client_join(&b);
    test_client_poll(&b, "");
    json_decref(test_client_hear(&b));
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        int map =
            test_client_call(&a, "POST", "/machine/map", test_client_request(&a, ",\"OmitPeers\":true,%s", fields[i]));
        int login = test_client_call(&a, "POST", "/machine/register", test_client_request(&a, ",%s", fields[i]));
        if ((map != 200 && map != 400) || login != 200)
            fail_msg("%s: %d, %d", fields[i], map, login);
    }
    assert_int_equal(
        test_client_call(&a, "POST", "/machine/map",
                         test_client_request(&a, ",\"OmitPeers\":true,\"Hostinfo\":{\"Hostname\":\"last\"}")),
        200);
    assert_false(b.ended);
    test_client_leave(&b);
    test_client_leave(&a);
}

static void too_old_clients_are_told_what_to_do(void **state)
{
    static struct test_client a;

    (void)state;
    test_client_start(&a, "a");
    a.version = 109;
    assert_int_equal(test_client_call(&a, "POST", "/machine/register", test_client_request(&a, " ")), 200);
    test_client_assert_answer(&a, "Error", "\"Tailscale 1.78 is too old for this server: update to 1.80 or later\"");
    assert_int_equal(test_client_call(&a, "POST", "/machine/map", test_client_request(&a, " ")), 400);
    test_client_stop(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_lets_in_and_a_stream_begins_with_everything),
        cmocka_unit_test(clients_hear_of_each_other),
        cmocka_unit_test(the_time_of_a_push_is_measured),
        cmocka_unit_test(a_wrong_key_is_told_in_words),
        cmocka_unit_test(a_person_approves_and_the_waiting_client_is_in),
        cmocka_unit_test(a_waiting_client_may_go_away),
        cmocka_unit_test(a_logout_needs_a_new_login),
        cmocka_unit_test(an_approval_reaches_everybody),
        cmocka_unit_test(one_map_is_one_answer),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(somebody_elses_node_key_opens_nothing),
        cmocka_unit_test(bodies_that_are_no_requests_are_refused),
        cmocka_unit_test(odd_fields_disturb_nobody),
        cmocka_unit_test(too_old_clients_are_told_what_to_do),
    };

    return cmocka_run_group_tests(tests, test_daemon_set_up, test_daemon_tear_down);
}

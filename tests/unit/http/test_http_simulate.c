/* SPDX-License-Identifier: BSD-3-Clause */
/* Simulations in the API: the answers, what is refused, and that nothing is changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "shared/api_fixture.h"

#define SIMULATE "/api/headway/routes/simulate"

static struct api_fixture f;
static uint64_t sessions[4];

static int begin(void **state)
{
    static const char *const lan[] = {"10.1.0.0/16", NULL}, *const exit[] = {"0.0.0.0/0", "::/0", NULL};

    (void)state;
    api_begin(&f, "");
    json_decref(api_expect(&f, 200, "POST", "/api/headway/users", "{\"name\":\"alice\"}"));
    json_decref(api_expect(&f, 200, "POST", "/api/headway/users", "{\"name\":\"bob\"}"));
    api_node(&f, "alice", "r1", lan, &sessions[0]);
    api_node(&f, "alice", "r2", lan, &sessions[1]);
    api_node(&f, "alice", "x1", exit, &sessions[2]);
    api_node(&f, "bob", "laptop", NULL, &sessions[3]);
    for (int i = 1; i <= 2; i++) {
        char *path = mem_format("/api/headway/nodes/%d/routes", i);
        json_decref(api_expect(&f, 200, "POST", path, "{\"approve\":[\"10.1.0.0/16\"]}"));
        free(path);
    }
    json_decref(api_expect(&f, 200, "POST", "/api/headway/nodes/3/routes", "{\"approve\":[\"0.0.0.0/0\"]}"));
    return 0;
}

static int end(void **state)
{
    (void)state;
    return api_teardown(&f);
}

static json_t *simulate(const char *body)
{
    return api_expect(&f, 200, "POST", SIMULATE, body);
}

static const json_t *first(const json_t *j, const char *list)
{
    return json_array_get(json_object_get(j, list), 0);
}

static uint64_t number(const json_t *j, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(j, key));
}

static void expect_prefix(const json_t *j, const char *outcome, const char *from, const char *to)
{
    const json_t *p = first(j, "prefixes");

    assert_string_equal(json_text(p, "prefix", ""), "10.1.0.0/16");
    assert_string_equal(json_text(p, "outcome", ""), outcome);
    assert_string_equal(json_text(p, "fromName", ""), from);
    assert_string_equal(json_text(p, "toName", ""), to);
}

static void a_router_that_goes_is_replaced(void **state)
{
    (void)state;
    json_t *j = simulate("{\"changes\":[{\"kind\":\"down\",\"node\":\"r1\"}]}");
    expect_prefix(j, "moves", "r1", "r2");
    assert_string_equal(json_text(first(j, "prefixes"), "reason", ""), "r1 went offline");
    assert_int_equal(number(first(j, "prefixes"), "candidates"), 1);
    assert_int_equal(number(json_object_get(j, "totals"), "move"), 2); /* x1 and laptop */
    assert_int_equal(number(json_object_get(j, "totals"), "lose"), 0);
    const json_t *way = first(first(j, "viewers"), "changes");
    assert_string_equal(json_text(way, "kind", ""), "moves");
    assert_string_equal(json_text(way, "toName", ""), "r2");
    json_decref(j);
    j = api_expect(&f, 200, "GET", "/api/headway/prefixes", NULL);
    const json_t *p;
    size_t i, serving = 0;
    json_array_foreach(json_object_get(j, "prefixes"), i, p) serving +=
        str_eq(json_text(p, "primaryName", ""), "r1"); /* nothing happened */
    assert_int_equal(serving, 1);
    json_decref(j);
}

static void without_a_survivor_users_are_cut_off(void **state)
{
    (void)state;
    json_t *j = simulate("{\"changes\":[{\"kind\":\"drain\",\"node\":\"1\"},{\"kind\":\"delete\",\"node\":\"2\"},"
                         "{\"kind\":\"expire\",\"node\":\"r1\"},{\"kind\":\"down\",\"node\":\"100.64.0.3\"}]}");
    expect_prefix(j, "unserved", "r1", "");
    assert_int_equal(number(json_object_get(j, "totals"), "unserved"), 1);
    assert_string_equal(json_text(first(j, "exits"), "name", ""), "x1");
    assert_int_equal(number(first(j, "exits"), "without"), 2);
    /* bob has no way to the network and none out; of alice's nodes r1 has the network itself, and x1 is offline. */
    size_t i, bobs = 0;
    const json_t *cut;
    json_array_foreach(json_object_get(j, "cutOff"), i, cut) bobs += str_eq(json_text(cut, "user", ""), "bob");
    assert_int_equal(bobs, 2);
    json_decref(j);
}

static void a_node_that_does_not_exist_yet(void **state)
{
    (void)state;
    json_t *j =
        simulate("{\"changes\":[{\"kind\":\"add\",\"node\":\"r9\",\"user\":\"bob@\",\"prefixes\":[\"10.1.0.0/16\"]},"
                 "{\"kind\":\"approve\",\"node\":\"r9\",\"prefixes\":[\"10.1.0.0/16\"]},"
                 "{\"kind\":\"primary\",\"node\":\"r9\",\"prefixes\":[\"10.1.0.0/16\"]}]}");
    expect_prefix(j, "moves", "r1", "r9");
    assert_int_equal(number(first(j, "prefixes"), "candidates"), 3);
    json_decref(j);
}

static void another_policy_shows_other_routes(void **state)
{
    (void)state;
    json_t *j = simulate("{\"policy\":\"{\\\"acls\\\":[{\\\"action\\\":\\\"accept\\\",\\\"src\\\":[\\\"alice@\\\"],"
                         "\\\"dst\\\":[\\\"10.1.0.0/16:*\\\"]}],\\\"tests\\\":[{\\\"src\\\":\\\"bob@\\\","
                         "\\\"accept\\\":[\\\"10.1.0.1:22\\\"]}]}\"}");
    assert_int_equal(number(json_object_get(j, "totals"), "lose"), 3); /* x1, and the laptop also the network */
    assert_int_equal(json_array_size(json_object_get(j, "findings")), 1);
    json_decref(j);
}

static void a_prefix_is_set_to_stay_with_its_last_router(void **state)
{
    (void)state;
    json_t *j = simulate("{\"changes\":[{\"kind\":\"set\",\"prefixes\":[\"10.1.0.0/16\"],\"keep\":true},"
                         "{\"kind\":\"down\",\"node\":\"r1\"},{\"kind\":\"down\",\"node\":\"r2\"}]}");
    expect_prefix(j, "dropped", "r1", "r1");
    json_decref(j);
    j = simulate("{\"changes\":[{\"kind\":\"priority\",\"node\":\"r2\",\"priority\":200},{\"kind\":\"set\","
                 "\"prefixes\":[\"10.1.0.0/16\"],\"failback\":\"priority\",\"failbackDelay\":\"0s\"}]}");
    expect_prefix(j, "moves", "r1", "r2");
    assert_string_equal(json_text(first(j, "prefixes"), "reason", ""), "higher priority");
    json_decref(j);
    j = simulate("{\"changes\":[{\"kind\":\"set\",\"prefixes\":[\"10.1.0.0/16\"],\"reset\":[\"keep\"]}]}");
    expect_prefix(j, "stays", "r1", "r1");
    json_decref(j);
}

/* Within a group of via too: nobody else says who is cut off there. */
static void a_group_that_keeps_a_prefix_offline_is_named(void **state)
{
    (void)state;
    json_decref(api_expect(&f, 200, "POST", "/api/headway/prefixes/10.1.0.0%2F16", "{\"keep\":true}"));
    json_decref(api_expect(&f, 200, "PUT", "/api/headway/policy",
                           "{\"policy\":\"{\\\"tagOwners\\\":{\\\"tag:a\\\":[\\\"alice@\\\"]},\\\"grants\\\":["
                           "{\\\"src\\\":[\\\"bob@\\\"],\\\"dst\\\":[\\\"10.1.0.0/16\\\"],\\\"via\\\":[\\\"tag:a\\\"],"
                           "\\\"ip\\\":[\\\"*\\\"]}]}\"}"));
    json_decref(api_expect(&f, 200, "POST", "/api/headway/nodes/2/tags", "{\"tags\":[\"tag:a\"]}"));
    json_t *j = simulate("{\"changes\":[{\"kind\":\"down\",\"node\":\"r2\"}]}");
    expect_prefix(j, "dropped", "r2", "r2");
    assert_string_equal(json_text(first(j, "prefixes"), "via", ""), "tag:a");
    assert_int_equal(number(first(j, "prefixes"), "lose"), 1);
    assert_string_equal(json_text(first(j, "prefixes"), "reason", ""),
                        "r2: the node is offline, but keeps the prefix until a router is there");
    assert_int_equal(number(json_object_get(j, "totals"), "unserved"), 1);
    json_decref(j);
}

static void what_is_impossible_is_refused_with_its_reason(void **state)
{
    static const struct {
        int status;
        const char *body, *words;
    } cases[] = {
        {400, "{}", "name at least one change"},
        {400, "{\"changes\":[{\"kind\":\"melt\",\"node\":\"r1\"}]}", "'melt' is no kind of change: down, up"},
        {400, "{\"changes\":[{\"kind\":\"down\"}]}", "name the node"},
        {400, "{\"changes\":{}}", "must be a list"},
        {400, "{\"changes\":[{\"kind\":\"approve\",\"node\":\"r1\"}]}", "at least one prefix"},
        {400, "{\"changes\":[{\"kind\":\"approve\",\"node\":\"r1\",\"prefixes\":[7]}]}", "list of texts"},
        {400, "{\"changes\":[{\"kind\":\"approve\",\"node\":\"r1\",\"prefixes\":[\"x\"]}]}", "x"},
        {404, "{\"changes\":[{\"kind\":\"down\",\"node\":\"nobody\"}]}", "node not found: nobody"},
        {404, "{\"changes\":[{\"kind\":\"revoke\",\"node\":\"r1\",\"prefixes\":[\"10.9.0.0/16\"]}]}",
         "10.9.0.0/16 is not approved on r1"},
        {412,
         "{\"changes\":[{\"kind\":\"down\",\"node\":\"r2\"},{\"kind\":\"primary\",\"node\":\"r2\","
         "\"prefixes\":[\"10.1.0.0/16\"]}]}",
         "r2 is offline and cannot serve"},
        {404, "{\"changes\":[{\"kind\":\"add\",\"node\":\"r9\",\"user\":\"carol\"}]}", "no user is called carol"},
        {409, "{\"changes\":[{\"kind\":\"add\",\"node\":\"r1\",\"user\":\"bob\"}]}", "called r1 already"},
        {400, "{\"changes\":[{\"kind\":\"set\",\"failback\":\"oldest\"}]}", "set: name at least one prefix"},
        {400, "{\"changes\":[{\"kind\":\"set\",\"prefixes\":[\"10.1.0.0/16\"]}]}", "set: name what to set"},
        {400, "{\"changes\":[{\"kind\":\"set\",\"prefixes\":[\"::/0\"],\"keep\":true}]}",
         "exit routes are not elected"},
        {400, "{\"changes\":[{\"kind\":\"set\",\"prefixes\":[\"10.1.0.0/16\"],\"failback\":\"x\"}]}",
         "'x' is no failback"},
        {400, "{\"policy\":\"{\\\"acls\\\":1}\"}", "line 1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        json_t *j = api_expect(&f, cases[i].status, "POST", SIMULATE, cases[i].body);
        const char *said = json_text(json_object_get(j, "error"), "message", "");
        if (!strstr(said, cases[i].words))
            fail_msg("%s: %s", cases[i].body, said);
        json_decref(j);
    }
}

#define UNDER_WAY 6

/* The status of what the server sent before it ended the connection; 0: nothing. */
static int last_status(int fd)
{
    static const char version[] = "HTTP/1.1 ";
    char text[65] = "";

    (void)recv(fd, text, sizeof(text) - 1, MSG_WAITALL);
    close(fd);
    return str_starts(text, version) ? (int)strtol(text + sizeof(version) - 1, NULL, 10) : 0;
}

/* Those that wait for their turn, and those that are being computed, are over when the server has stopped. */
static void those_under_way_end_when_the_server_stops(void **state)
{
    static const char body[] = "{\"changes\":[{\"kind\":\"down\",\"node\":\"r1\"},{\"kind\":\"approve\",\"node\":"
                               "\"r2\",\"prefixes\":[\"10.9.0.0/16\"]}],\"policy\":\"{}\"}";
    int fds[UNDER_WAY];

    (void)state;
    char *request = mem_format("POST " SIMULATE " HTTP/1.1\r\nHost: headway\r\nContent-Type: application/json\r\n"
                               "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                               strlen(body), body);
    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < UNDER_WAY; i++) {
            fds[i] = api_connect(&f, false);
            api_send(fds[i], request, strlen(request));
        }
        api_stop(f.api);
        for (size_t i = 0; i < UNDER_WAY; i++) {
            int status = last_status(fds[i]);
            if (status != 0 && status != 200 && status != 429 && status != 503)
                fail_msg("the answer is %d", status);
        }
        api_go(&f);
    }
    free(request);
    json_decref(simulate("{\"changes\":[{\"kind\":\"down\",\"node\":\"r1\"}]}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_router_that_goes_is_replaced, begin, end),
        cmocka_unit_test_setup_teardown(without_a_survivor_users_are_cut_off, begin, end),
        cmocka_unit_test_setup_teardown(a_node_that_does_not_exist_yet, begin, end),
        cmocka_unit_test_setup_teardown(another_policy_shows_other_routes, begin, end),
        cmocka_unit_test_setup_teardown(a_prefix_is_set_to_stay_with_its_last_router, begin, end),
        cmocka_unit_test_setup_teardown(a_group_that_keeps_a_prefix_offline_is_named, begin, end),
        cmocka_unit_test_setup_teardown(what_is_impossible_is_refused_with_its_reason, begin, end),
        cmocka_unit_test_setup_teardown(those_under_way_end_when_the_server_stops, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Health problems as reported by /health, to programs and to the console. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "api/request/policy_watch.h"
#include "api/request/samples.h"
#include "api/request/state.h"
#include "base/clock.h"
#include "base/mem.h"
#include "metrics/metrics.h"
#include "shared/api_fixture.h"
#include "shared/core_rig.h"

static struct api_fixture f;

static int begin(void **state)
{
    (void)state;
    return api_setup(&f);
}

static int end(void **state)
{
    (void)state;
    return api_teardown(&f);
}

static json_t *health(void)
{
    return api_expect(&f, 200, "GET", "/api/headway/health", NULL);
}

/* The reason with that code about that object, or NULL; borrowed. */
static json_t *reason(json_t *answer, const char *code, const char *name)
{
    size_t i;
    json_t *r;

    json_array_foreach(json_object_get(answer, "reasons"), i, r)
    {
        if (strcmp(json_text(r, "code", ""), code) == 0 && strcmp(json_text(r, "objectName", ""), name) == 0)
            return r;
    }
    return NULL;
}

static void without_trouble_all_dialects_pass(void **state)
{
    (void)state;
    json_t *j = health();
    assert_string_equal(json_text(j, "status", ""), "pass");
    assert_true(json_is_true(json_object_get(j, "databaseConnectivity")));
    assert_int_equal(json_array_size(json_object_get(j, "reasons")), 0);
    json_decref(j);
    j = api_expect(&f, 200, "GET", "/health", NULL);
    assert_int_equal(json_object_size(j), 1);
    assert_string_equal(json_text(j, "status", ""), "pass");
    json_decref(j);
    j = api_expect(&f, 200, "GET", "/api/v1/health", NULL);
    assert_int_equal(json_object_size(j), 1);
    json_decref(j);
}

/* A router that goes away for good: status and code of headscale's answer stay, strangers are told no names. */
static void a_prefix_that_nobody_serves_is_named(void **state)
{
    static const char *const routes[] = {"10.0.0.0/8", NULL};
    json_t *j, *r;

    (void)state;
    api_node(&f, "alice", "r1", routes, NULL);
    j = health();
    assert_string_equal(json_text(j, "status", ""), "pass"); /* advertised, not approved: nobody relies on it */
    json_decref(j);
    json_decref(api_expect(&f, 200, "POST", "/api/v1/node/1/approve_routes", "{\"routes\":[\"10.0.0.0/8\"]}"));
    j = health();
    assert_string_equal(json_text(j, "status", ""), "degraded");
    assert_int_equal(json_integer_value(json_object_get(j, "count")), 1);
    r = reason(j, "prefix-unserved", "10.0.0.0/8");
    assert_non_null(r);
    assert_string_equal(json_text(r, "severity", ""), "alarm");
    assert_string_equal(json_text(r, "object", ""), "prefix");
    assert_non_null(strstr(json_text(r, "text", ""), "nobody serves 10.0.0.0/8: r1: "));
    json_decref(j);

    j = api_expect(&f, 200, "GET", "/health", NULL);
    assert_string_equal(json_text(j, "status", ""), "pass");
    assert_true(json_is_true(json_object_get(j, "degraded")));
    assert_non_null(reason(j, "prefix-unserved", "10.0.0.0/8"));
    json_decref(j);
    struct api_call stranger = {.method = "GET", .target = "/health", .public_door = true};
    assert_int_equal(api_ask(&f, &stranger, &j), 200);
    assert_true(json_is_true(json_object_get(j, "degraded")));
    assert_int_equal(json_object_size(j), 2);
    json_decref(j);
}

static void a_router_that_keeps_its_prefix_offline_is_named(void **state)
{
    static const char *const routes[] = {"10.1.0.0/16", NULL};
    uint64_t session;
    json_t *j;

    (void)state;
    uint64_t id = api_node(&f, "alice", "kept", routes, &session);
    char *path = mem_format("/api/v1/node/%llu/approve_routes", (unsigned long long)id);
    json_decref(api_expect(&f, 200, "POST", path, "{\"routes\":[\"10.1.0.0/16\"]}"));
    free(path);
    json_decref(api_expect(&f, 200, "POST", "/api/headway/prefixes/10.1.0.0%2F16", "{\"keep\":true}"));
    j = health();
    assert_null(reason(j, "prefix-router-offline", "10.1.0.0/16"));
    assert_null(reason(j, "prefix-unserved", "10.1.0.0/16"));
    json_decref(j);
    core_session_end(f.core, session, SESSION_SILENT);
    int64_t until = clock_mono_ms() + 30000;
    bool named = false;
    while (!named && clock_mono_ms() < until) {
        j = health();
        named = reason(j, "prefix-router-offline", "10.1.0.0/16") != NULL;
        assert_null(reason(j, "prefix-unserved", "10.1.0.0/16"));
        json_decref(j);
    }
    assert_true(named);
}

/* The answer once the reason is there, or is not; the caller owns it. */
static json_t *health_with(const char *code, const char *name, bool there)
{
    json_t *j = health();

    for (int i = 0; i < 1000 && !reason(j, code, name) == there; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        json_decref(j);
        j = health();
    }
    return j;
}

/* How a delivery at that time went, which is durable when the call behind it is answered. */
static void delivered(int64_t ago_s, bool failed)
{
    int64_t then = clock_wall_ns() - ago_s * NS_PER_SECOND;

    core_webhook_progress(f.core, &(struct core_webhook){.id = 1,
                                                         .tried = true,
                                                         .tried_ns = then,
                                                         .next_ns = failed ? then + 3600 * NS_PER_SECOND : 0,
                                                         .trouble = failed ? "it answered with status 500" : ""});
    char *body = mem_format("{\"name\":\"user%lld\"}", (long long)ago_s); /* which webhook 1 is not told of */
    json_decref(api_expect(&f, 200, "POST", "/api/headway/users", body));
    free(body);
}

static void a_webhook_that_fails_for_long_is_named(void **state)
{
    json_t *j;

    (void)state;
    json_decref(api_expect(&f, 200, "POST", "/api/headway/webhooks",
                           "{\"endpointUrl\":\"https://127.0.0.1:9/secret\",\"subscriptions\":[\"nodeDeleted\"]}"));
    delivered(700, true);
    j = health();
    assert_null(reason(j, "webhook-failing", "webhook 1"));
    json_decref(j);
    delivered(10, true);
    j = health();
    const char *text = json_text(reason(j, "webhook-failing", "webhook 1"), "text", "");
    assert_non_null(strstr(text, "127.0.0.1:9 takes no events (it answered with status 500)"));
    assert_null(strstr(text, "secret"));
    json_decref(j);
    delivered(0, false);
    j = health();
    assert_null(reason(j, "webhook-failing", "webhook 1"));
    json_decref(j);
}

/* They held when the policy was set; the node that one of them is about goes. */
static void tests_of_the_policy_that_fail_by_now_are_named(void **state)
{
    static const char policy[] =
        "{\"policy\":\"{\\\"acls\\\":[{\\\"action\\\":\\\"accept\\\",\\\"src\\\":[\\\"zoe@\\\"],"
        "\\\"dst\\\":[\\\"zoe@:22\\\"]}],\\\"tests\\\":[{\\\"src\\\":\\\"zoe@\\\",\\\"accept\\\":"
        "[\\\"zoe@:22\\\"]}]}\"}";
    char target[60];
    json_t *j, *r;

    (void)state;
    json_decref(api_expect(&f, 200, "POST", "/api/v1/user", "{\"name\":\"zoe\"}"));
    uint64_t id = api_node(&f, "zoe", "n1", NULL, NULL);
    json_decref(api_expect(&f, 200, "PUT", "/api/v1/policy", policy));
    snprintf(target, sizeof(target), "/api/v1/node/%llu", (unsigned long long)id);
    json_decref(api_expect(&f, 200, "DELETE", target, NULL));
    api_stop(f.api); /* a start tests at once, a node that goes after some seconds */
    api_go(&f);
    j = health_with("policy-tests-failing", "tests", true);
    r = reason(j, "policy-tests-failing", "tests");
    assert_non_null(r);
    assert_non_null(
        strstr(json_text(r, "text", ""), "1 expectation in the tests of the policy in force does not hold"));
    assert_non_null(strstr(json_text(r, "text", ""), "zoe@"));
    assert_string_equal(json_text(j, "status", ""), "degraded");
    json_decref(j);
    json_decref(api_expect(&f, 200, "PUT", "/api/v1/policy", "{\"policy\":\"{}\"}"));
    j = health_with("policy-tests-failing", "tests", false);
    assert_null(reason(j, "policy-tests-failing", "tests"));
    json_decref(j);
}

static struct policy_tests found(void)
{
    struct policy_tests t;

    policy_watch_read(f.api->policy_watch, &t);
    return t;
}

/* Nodes come and go: it waits until they have been still for ten seconds. */
static void tests_of_the_policy_are_looked_at_again_once_nodes_are_still(void **state)
{
    static const char policy[] =
        "{\"policy\":\"{\\\"acls\\\":[{\\\"action\\\":\\\"accept\\\",\\\"src\\\":[\\\"yan@\\\"],"
        "\\\"dst\\\":[\\\"yan@:22\\\"]}],\\\"tests\\\":[{\\\"src\\\":\\\"yan@\\\",\\\"accept\\\":"
        "[\\\"yan@:22\\\"]}]}\"}";
    int64_t until = clock_mono_ms() + 90000;
    char target[60];

    (void)state;
    json_decref(api_expect(&f, 200, "POST", "/api/v1/user", "{\"name\":\"yan\"}"));
    uint64_t id = api_node(&f, "yan", "n2", NULL, NULL);
    json_decref(api_expect(&f, 200, "PUT", "/api/v1/policy", policy));
    while (found().tests != 1 && clock_mono_ms() < until)
        sched_yield();
    assert_int_equal(found().tests, 1);
    assert_int_equal(found().failing, 0);
    snprintf(target, sizeof(target), "/api/v1/node/%llu", (unsigned long long)id);
    int64_t gone = clock_mono_ms();
    json_decref(api_expect(&f, 200, "DELETE", target, NULL));
    while (!found().failing && clock_mono_ms() < until)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    assert_int_equal(found().failing, 1);
    assert_true(clock_mono_ms() - gone >= 10000);
    assert_non_null(strstr(found().first, "yan@"));
    json_decref(api_expect(&f, 200, "PUT", "/api/v1/policy", "{\"policy\":\"{}\"}"));
}

static void quantiles_lie_within_their_bucket(void **state)
{
    struct metrics_times t = {0};

    (void)state;
    assert_true(metrics_quantile(&t, &metrics_fractions, 0.99) == 0);
    for (int i = 0; i < 98; i++)
        metrics_time(&t, &metrics_fractions, 0.004);
    metrics_time(&t, &metrics_fractions, 0.3);
    metrics_time(&t, &metrics_fractions, 0.4);
    assert_true(metrics_quantile(&t, &metrics_fractions, 0.5) < 0.005);
    assert_true(metrics_quantile(&t, &metrics_fractions, 0.99) > 0.25);
    assert_true(metrics_quantile(&t, &metrics_fractions, 1) == 0.5);
    metrics_time(&t, &metrics_fractions, 60);
    assert_true(metrics_quantile(&t, &metrics_fractions, 1) == 10);
}

static void what_is_late_or_grows_for_minutes_is_trouble(void **state)
{
    struct api_sample s[SAMPLES_KEPT] = {0};

    (void)state;
    assert_false(samples_pushes_are_slow(s, 0) || samples_log_grows(s, 0));
    for (size_t i = 0; i < 12; i++)
        s[i] = (struct api_sample){.push_p99_us = i < 9 ? 0 : 1000001, .wal_bytes = 64 * 1024 * 1024 + (i > 10)};
    assert_true(samples_pushes_are_slow(s, 12) && samples_log_grows(s, 12));
    assert_false(samples_pushes_are_slow(s, 11)); /* two in a row */
    assert_false(samples_log_grows(s, 11));       /* large, and as large as ever */
    s[10].push_p99_us = 1000000;
    assert_false(samples_pushes_are_slow(s, 12));
    s[11].wal_bytes = 8000000;
    s[1].wal_bytes = 4000000;
    assert_false(samples_log_grows(s, 12));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_trouble_all_dialects_pass),
        cmocka_unit_test(a_prefix_that_nobody_serves_is_named),
        cmocka_unit_test(tests_of_the_policy_that_fail_by_now_are_named),
        cmocka_unit_test(tests_of_the_policy_are_looked_at_again_once_nodes_are_still),
        cmocka_unit_test(a_router_that_keeps_its_prefix_offline_is_named),
        cmocka_unit_test(a_webhook_that_fails_for_long_is_named),
        cmocka_unit_test(quantiles_lie_within_their_bucket),
        cmocka_unit_test(what_is_late_or_grows_for_minutes_is_trouble),
    };

    return cmocka_run_group_tests(tests, begin, end);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What is not well, as /health, programs and the console are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_trouble_all_dialects_pass),
        cmocka_unit_test(a_prefix_that_nobody_serves_is_named),
        cmocka_unit_test(a_router_that_keeps_its_prefix_offline_is_named),
    };

    return cmocka_run_group_tests(tests, begin, end);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* The policy over the API: previews of routes and access, long messages, conflicts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "core/thread.h"
#include "shared/api_fixture.h"

#define APPROVES                                                                                                       \
    "{\"acls\":[{\"action\":\"accept\",\"src\":[\"bob@\"],\"dst\":[\"10.0.0.0/8:443\"]}],"                             \
    "\"autoApprovers\":{\"routes\":{\"10.0.0.0/8\":[\"alice@\"]}}"

/* {"policy": TEXT}; the caller owns it. */
static char *body_of(const char *policy)
{
    json_t *j = json_pack("{s:s}", "policy", policy);
    char *text = json_compact(j);

    json_decref(j);
    return text;
}

static json_t *send_policy(struct api_fixture *f, int status, const char *method, const char *target,
                           const char *policy)
{
    char *body = body_of(policy);
    json_t *answer = api_expect(f, status, method, target, body);

    free(body);
    return answer;
}

static void make_users(struct api_fixture *f)
{
    json_decref(api_expect(f, 200, "POST", "/api/headway/users", "{\"name\":\"alice\"}"));
    json_decref(api_expect(f, 200, "POST", "/api/headway/users", "{\"name\":\"bob\"}"));
}

static void a_preview_tells_access_and_routes(void **unused)
{
    static const char *const routes[] = {"10.1.0.0/16", "192.168.1.0/24", NULL};
    struct api_fixture f;
    uint64_t sessions[2];

    (void)unused;
    api_begin(&f, "");
    make_users(&f);
    api_node(&f, "alice", "router", routes, &sessions[0]);
    api_node(&f, "bob", "laptop", NULL, &sessions[1]);

    json_t *j = send_policy(&f, 200, "POST", "/api/headway/policy/preview", APPROVES "}");
    assert_true(json_is_true(json_object_get(j, "ok")));
    const json_t *approval = json_array_get(json_object_get(j, "approvals"), 0);
    assert_int_equal(json_array_size(json_object_get(j, "approvals")), 1);
    assert_string_equal(json_text(approval, "router", ""), "router");
    assert_string_equal(json_text(approval, "route", ""), "10.1.0.0/16");
    assert_int_equal(json_integer_value(json_object_get(approval, "viewers")), 1);
    const json_t *row = json_array_get(json_object_get(j, "routes"), 0);
    assert_string_equal(json_text(row, "kind", ""), "shown");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "totals"), "routes_approved")), 1);
    row = json_array_get(json_object_get(j, "rows"), 0);
    assert_string_equal(json_text(row, "kind", ""), "lost"); /* everything was allowed before */
    json_decref(j);

    j = send_policy(&f, 200, "POST", "/api/headway/policy/preview",
                    APPROVES ",\n\"tests\":[{\"src\":\"bob@\",\"accept\":[\"10.9.9.9:22\"]}]}");
    assert_true(json_is_false(json_object_get(j, "ok")));
    assert_int_equal(json_array_size(json_object_get(j, "findings")), 1);
    json_decref(j);

    /* Nothing of it happened. */
    j = api_expect(&f, 200, "GET", "/api/headway/routes", NULL);
    size_t i;
    const json_t *route;
    json_array_foreach(json_object_get(j, "routes"), i, route)
        assert_string_equal(json_text(route, "state", ""), "available");
    json_decref(j);
    api_end(&f);
}

/* Several errors, each longer than an err: whole in both dialects. */
static void a_long_message_is_whole(void **unused)
{
    static const char *const targets[] = {"/api/v1/policy", "/api/headway/policy"};
    struct api_fixture f;
    uint64_t session;
    struct buf policy = BUF_INIT(0), names = BUF_INIT(0);

    (void)unused;
    api_begin(&f, "");
    make_users(&f);
    api_node(&f, "alice", "laptop", NULL, &session);
    for (unsigned i = 0; i < 60; i++)
        buf_addf(&names, "%s{\"src\":\"alice@\",\"accept\":[\"100.64.0.%u:22\"]}", i ? "," : "", i + 1);
    buf_addf(&policy, "{\"acls\":[],\"tests\":[%s]}", buf_text(&names));
    for (size_t i = 0; i < 2; i++) {
        json_t *j = send_policy(&f, 400, "PUT", targets[i], buf_text(&policy));
        const json_t *error = json_object_get(j, "error");
        const char *message = json_text(error ? error : j, "message", "");
        assert_true(strlen(message) > 1000);
        assert_non_null(strstr(message, "100.64.0.1:22"));
        assert_non_null(strstr(message, "100.64.0.60:22"));
        json_decref(j);
    }
    json_decref(send_policy(&f, 400, "POST", "/api/v1/policy/check", buf_text(&policy)));
    json_t *j = send_policy(&f, 400, "POST", "/api/headway/policy/preview", "{\"acls\":1}");
    assert_non_null(strstr(json_text(json_object_get(j, "error"), "message", ""), "line 1"));
    json_decref(j);
    buf_release(&policy);
    buf_release(&names);
    api_end(&f);
}

static void a_conflict_shows_the_policy_as_it_is(void **unused)
{
    struct api_fixture f;
    char *body = body_of("{}");
    struct api_call call = {"PUT", "/api/headway/policy", body, "If-Match: \"1\"\r\n", false};
    json_t *j = NULL;

    (void)unused;
    api_begin(&f, "");
    json_decref(send_policy(&f, 200, "PUT", "/api/headway/policy", "{\"acls\":[]}"));
    json_decref(send_policy(&f, 200, "PUT", "/api/headway/policy", "{\"grants\":[]}"));
    assert_int_equal(api_ask(&f, &call, &j), 412);
    const json_t *current = json_object_get(j, "current");
    assert_string_equal(json_text(current, "policy", ""), "{\"grants\":[]}");
    assert_int_equal(json_integer_value(json_object_get(current, "version")), 2);
    assert_string_equal(json_text(json_object_get(j, "error"), "code", ""), "precondition");
    json_decref(j);
    free(body);
    api_end(&f);
}

struct blocking {
    struct work work;
    sem_t go;
};

static void block(struct work *work)
{
    sem_wait(&CONTAINER_OF(work, struct blocking, work)->go);
}

/* What is only asked about is examined elsewhere than what is to be put in force: nothing waits for the other. */
static void a_dry_run_needs_no_turn_among_the_changes(void **unused)
{
    static const char *const dry_runs[] = {"/api/headway/policy?dry_run=1"};
    struct api_fixture f;
    struct blocking b = {.work.run = block};

    (void)unused;
    api_begin(&f, "");
    make_users(&f);
    json_decref(send_policy(&f, 200, "PUT", "/api/headway/policy", "{\"acls\":[]}"));
    json_t *j = send_policy(&f, 200, "PUT", "/api/headway/policy", "{\"acls\":[],\"groups\":{}}");
    char *undo = mem_format("/api/headway/undo/%s?dry_run=1", json_string_value(json_object_get(j, "event")));
    json_decref(j);
    sem_init(&b.go, 0, 0);
    workers_add(&f.core->state.worker, &b.work);
    j = send_policy(&f, 200, "PUT", dry_runs[0],
                    "{\"acls\":[{\"action\":\"accept\",\"src\":[\"*\"],\"dst\":[\"*:22\"]}]}");
    assert_true(json_is_null(json_object_get(j, "event")));
    json_decref(j);
    j = send_policy(&f, 400, "PUT", dry_runs[0],
                    "{\"acls\":[{\"action\":\"accept\",\"src\":[\"nobody\"],\"dst\":[\"*:22\"]}]}");
    json_decref(j);
    json_decref(api_expect(&f, 200, "POST", undo, NULL));
    sem_post(&b.go);
    j = api_expect(&f, 200, "GET", "/api/headway/policy", NULL);
    assert_string_equal(json_string_value(json_object_get(j, "policy")), "{\"acls\":[],\"groups\":{}}");
    json_decref(j);
    free(undo);
    api_end(&f);
    sem_destroy(&b.go);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_preview_tells_access_and_routes),
        cmocka_unit_test(a_long_message_is_whole),
        cmocka_unit_test(a_conflict_shows_the_policy_as_it_is),
        cmocka_unit_test(a_dry_run_needs_no_turn_among_the_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

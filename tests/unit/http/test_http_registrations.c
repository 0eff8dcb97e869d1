/* SPDX-License-Identifier: BSD-3-Clause */
/* Pending registrations in the API: shown and approved, in each dialect. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/api.h"
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

struct waiting_client {
    struct core_register reg; /* first: core's done gets its call */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool done;
};

static void registered(struct core_call *call)
{
    struct waiting_client *w = call->owner;

    pthread_mutex_lock(&w->lock);
    w->done = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

static void a_registration_waits_is_shown_and_approved(void **state)
{
    struct core_register first = {.machine_key = {1}, .node_key = {2}};
    struct waiting_client w = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

    (void)state;
    first.info = (struct client_info){.hostname = "tablet",
                                      .os = "linux",
                                      .os_version = "",
                                      .client_version = "1.102.3",
                                      .hostinfo = "{}",
                                      .peer_hostinfo = "{}",
                                      .cap_version = 142,
                                      .source = "192.0.2.9:1"};
    assert_int_equal(core_rig_register(f.core, &first), 0);
    assert_int_equal(first.result, REGISTER_URL);
    json_t *j = api_expect(&f, 200, "GET", "/api/headway/pending", NULL);
    json_t *p = json_array_get(json_object_get(j, "pending"), 0);
    assert_string_equal(json_text(p, "authId", ""), first.auth_id);
    assert_string_equal(json_text(p, "hostname", ""), "tablet");
    char *command = mem_format("headway auth register --auth-id %s --user USERNAME", first.auth_id);
    assert_string_equal(json_text(p, "command", ""), command);
    json_decref(j);
    free(command);

    w.reg = first;
    w.reg.followup = first.auth_id;
    w.reg.call = (struct core_call){.done = registered, .owner = &w};
    core_register(f.core, &w.reg);
    char *target = mem_format("/api/headway/pending/%s/approve", first.auth_id);
    json_decref(api_expect(&f, 404, "POST", target, "{\"user\":\"nobody\"}"));
    json_decref(api_expect(&f, 400, "POST", target, "{}"));
    j = api_expect(&f, 200, "POST", target, "{\"user\":\"alice\"}");
    assert_string_equal(api_text_in(j, "result", "givenName"), "tablet");
    json_decref(j);
    pthread_mutex_lock(&w.lock);
    while (!w.done)
        pthread_cond_wait(&w.wake, &w.lock);
    pthread_mutex_unlock(&w.lock);
    assert_int_equal(w.reg.result, REGISTER_DONE);
    record_unref(w.reg.user);
    json_decref(api_expect(&f, 404, "POST", target, "{\"user\":\"1\"}"));
    free(target);
}

static void a_registration_is_made_up_for_a_trial(void **state)
{
    static const char body[] = "{\"user\":\"alice\",\"key\":\"hskey-authreq-0123456789abcdef01234567\",\"name\":\"t1\","
                               "\"routes\":[\"10.9.0.0/16\"]}";
    json_t *j;

    (void)state;
    j = api_expect(&f, 200, "POST", "/api/v1/debug/node", body);
    const json_t *node = json_object_get(j, "node");
    assert_string_equal(json_text(node, "id", ""), "0"); /* it has none yet */
    assert_string_equal(json_text(node, "name", ""), "t1");
    assert_string_equal(json_text(json_object_get(node, "user"), "name", ""), "alice");
    json_decref(j);
    json_decref(api_expect(&f, 409, "POST", "/api/v1/debug/node", body));
    j = api_expect(&f, 400, "POST", "/api/v1/debug/node", "{\"user\":\"alice\",\"key\":\"abc\",\"name\":\"t1\"}");
    assert_non_null(strstr(json_text(j, "message", ""), "auth ID has invalid prefix"));
    json_decref(j);
    j = api_expect(&f, 400, "POST", "/api/v1/debug/node",
                   "{\"user\":\"alice\",\"key\":\"hskey-authreq-12\",\"name\":\"t1\"}");
    assert_non_null(strstr(json_text(j, "message", ""), "auth ID has invalid length: expected 38, got 16"));
    json_decref(j);
    j = api_expect(&f, 200, "POST", "/api/v1/auth/register",
                   "{\"user\":\"alice\",\"authId\":\"hskey-authreq-0123456789abcdef01234567\"}");
    node = json_object_get(j, "node");
    assert_string_equal(json_text(node, "givenName", ""), "t1");
    assert_string_equal(json_string_value(json_array_get(json_object_get(node, "availableRoutes"), 0)), "10.9.0.0/16");
    json_decref(j);
}

static void a_registration_is_approved_as_headscale_s_commands_do(void **state)
{
    struct core_register first = {.machine_key = {1}, .node_key = {2}};

    (void)state;
    first.info = (struct client_info){.hostname = "tablet",
                                      .os = "",
                                      .os_version = "",
                                      .client_version = "",
                                      .hostinfo = "{}",
                                      .peer_hostinfo = "{}",
                                      .cap_version = 142,
                                      .source = "192.0.2.9:1"};
    assert_int_equal(core_rig_register(f.core, &first), 0);
    char *target = mem_format("/api/v1/node/register?user=alice&key=%s", first.auth_id + strlen("hskey-authreq-"));
    json_t *j = api_expect(&f, 200, "POST", target, "{}");
    assert_string_equal(api_text_in(j, "node", "registerMethod"), "REGISTER_METHOD_CLI");
    json_decref(j);
    free(target);
    json_decref(api_expect(&f, 400, "POST", "/api/v1/auth/reject", "{\"authId\":\"x\"}"));
    json_decref(
        api_expect(&f, 404, "POST", "/api/v1/auth/reject", "{\"authId\":\"hskey-authreq-0123456789abcdef01234567\"}"));
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_registration_waits_is_shown_and_approved),
        CASE(a_registration_is_approved_as_headscale_s_commands_do),
        CASE(a_registration_is_made_up_for_a_trial),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

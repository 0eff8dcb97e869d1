/* SPDX-License-Identifier: BSD-3-Clause */
/* The API over real sockets, with a real core and store: as scripts, web interfaces and the console use it. */
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

static void assert_prefixes(const json_t *node, const char *member, const char *want)
{
    char *text = json_compact(json_object_get(node, member));

    assert_string_equal(text, want);
    free(text);
}

static void the_socket_has_the_mode_that_was_asked_for(void **state)
{
    struct stat file;

    (void)state;
    assert_int_equal(stat(f.socket, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0770);
}

static void users_are_made_found_renamed_and_removed(void **state)
{
    (void)state;
    json_t *j = api_expect(&f, 200, "POST", "/api/v1/user",
                           "{\"name\":\"bob\",\"display_name\":\"Bob B\",\"email\":\"bob@example.com\",\"other\":1}");
    assert_string_equal(api_text_in(j, "user", "displayName"), "Bob B");
    assert_string_equal(api_text_in(j, "user", "id"), "2");
    assert_null(json_object_get(json_object_get(j, "user"), "role"));
    json_decref(j);
    j = api_expect(&f, 409, "POST", "/api/v1/user", "{\"name\":\"bob\"}");
    assert_non_null(strstr(json_text(j, "message", ""), "user already exists"));
    assert_int_equal(json_integer_value(json_object_get(j, "code")), 6);
    json_decref(j);
    j = api_expect(&f, 200, "GET", "/api/v1/user?email=bob%40example.com", NULL);
    assert_int_equal(json_array_size(json_object_get(j, "users")), 1);
    json_decref(j);
    json_decref(api_expect(&f, 400, "GET", "/api/v1/user?id=x&name=bob", NULL));
    json_decref(api_expect(&f, 200, "POST", "/api/v1/user/2/rename/robert", NULL));
    json_decref(api_expect(&f, 404, "POST", "/api/v1/user/9/rename/robert", NULL));
    json_decref(api_expect(&f, 200, "DELETE", "/api/v1/user/2", NULL));
    json_decref(api_expect(&f, 404, "DELETE", "/api/v1/user/2", NULL));
    api_node(&f, "alice", "laptop", NULL, NULL);
    j = api_expect(&f, 400, "DELETE", "/api/v1/user/1", NULL);
    assert_non_null(strstr(json_text(j, "message", ""), "user not empty: node(s) found"));
    json_decref(j);
}

static void keys_are_made_shown_without_secret_and_removed(void **state)
{
    (void)state;
    json_t *j = api_expect(&f, 200, "POST", "/api/v1/preauthkey",
                           "{\"user\":\"1\",\"reusable\":true,\"expiration\":\"2099-01-01T00:00:00Z\",\"aclTags\":[]}");
    char *whole = mem_strdup(api_text_in(j, "preAuthKey", "key"));
    assert_int_equal(strlen(whole), strlen("hskey-auth-") + 12 + 1 + 64);
    json_decref(j);
    j = api_expect(&f, 200, "GET", "/api/v1/preauthkey?user=1", NULL);
    const char *shown = json_text(json_array_get(json_object_get(j, "preAuthKeys"), 0), "key", "");
    assert_string_equal(shown + strlen(shown) - 4, "-***");
    json_decref(j);
    char *body = mem_format("{\"user\":\"1\",\"key\":\"%s\"}", whole);
    json_decref(api_expect(&f, 200, "POST", "/api/v1/preauthkey/expire", body));
    free(body);
    free(whole);
    json_decref(api_expect(&f, 404, "POST", "/api/v1/preauthkey/expire", "{\"id\":\"77\"}"));
    json_decref(api_expect(&f, 400, "POST", "/api/v1/preauthkey/expire", "{}"));
    json_decref(api_expect(&f, 200, "DELETE", "/api/v1/preauthkey?id=1", NULL));
    j = api_expect(&f, 400, "POST", "/api/v1/preauthkey", "{}");
    assert_non_null(strstr(json_text(j, "message", ""), "either tagged or owned by user"));
    json_decref(j);
}

static void nodes_answer_as_headscale_s_do(void **state)
{
    static const char *const routes[] = {"10.0.0.0/8", "0.0.0.0/0", "::/0", NULL};
    uint64_t session;

    (void)state;
    assert_int_equal(api_node(&f, "alice", "Router One", routes, &session), 1);
    json_t *j = api_expect(&f, 200, "GET", "/api/v1/node/1", NULL), *n = json_object_get(j, "node");
    assert_string_equal(json_text(n, "givenName", ""), "router-one");
    assert_string_equal(json_text(n, "registerMethod", ""), "REGISTER_METHOD_AUTH_KEY");
    assert_string_equal(api_text_in(n, "user", "name"), "alice");
    assert_true(json_is_true(json_object_get(n, "online")));
    assert_prefixes(n, "availableRoutes", "[\"0.0.0.0/0\",\"10.0.0.0/8\",\"::/0\"]");
    assert_prefixes(n, "approvedRoutes", "[]");
    assert_null(json_object_get(n, "version"));
    json_decref(j);

    json_decref(api_expect(&f, 200, "POST", "/api/v1/node/1/approve_routes", "{\"routes\":[\"10.0.0.0/8\",\"::/0\"]}"));
    j = api_expect(&f, 200, "GET", "/api/v1/node", NULL);
    n = json_array_get(json_object_get(j, "nodes"), 0);
    assert_prefixes(n, "approvedRoutes", "[\"0.0.0.0/0\",\"10.0.0.0/8\",\"::/0\"]");
    assert_prefixes(n, "subnetRoutes", "[\"10.0.0.0/8\",\"0.0.0.0/0\",\"::/0\"]");
    json_decref(j);
    j = api_expect(&f, 400, "POST", "/api/v1/node/1/approve_routes", "{\"routes\":[\"banana\"]}");
    assert_non_null(strstr(json_text(j, "message", ""), "banana"));
    json_decref(j);
    j = api_expect(&f, 400, "POST", "/api/v1/node/1/approve_routes", "{\"routes\":[\"10.9.0.0\"]}");
    assert_non_null(strstr(json_text(j, "message", ""), "'10.9.0.0' is not a prefix"));
    json_decref(j);
    json_decref(api_expect(&f, 404, "POST", "/api/v1/node/9/approve_routes", "{\"routes\":[]}"));

    json_decref(api_expect(&f, 200, "POST", "/api/v1/node/1/rename/gate", NULL));
    json_decref(api_expect(&f, 400, "POST", "/api/v1/node/1/rename/a%20b", NULL));
    json_decref(
        api_expect(&f, 400, "POST", "/api/v1/node/1/expire?expiry=2099-01-01T00:00:00Z", "{\"disableExpiry\":true}"));
    json_decref(api_expect(&f, 400, "POST", "/api/v1/node/1/expire", "{\"expiry\":\"\"}")); /* not at once */
    json_decref(api_expect(&f, 200, "POST", "/api/v1/node/1/expire?expiry=2099-01-01T00:00:00Z", NULL));
    j = api_expect(&f, 200, "POST", "/api/v1/node/1/expire", "{\"disable_expiry\":true}");
    assert_true(json_is_null(json_object_get(json_object_get(j, "node"), "expiry")));
    json_decref(j);

    j = api_expect(&f, 400, "POST", "/api/v1/node/1/tags", "{\"tags\":[\"tag:gw\"]}"); /* no policy names it */
    assert_non_null(strstr(json_text(j, "message", ""), "requested tags [tag:gw] are invalid or not permitted"));
    json_decref(j);
    json_decref(
        api_expect(&f, 200, "PUT", "/api/v1/policy", "{\"policy\":\"{\\\"tagOwners\\\":{\\\"tag:gw\\\":[]}}\"}"));
    json_decref(api_expect(&f, 200, "POST", "/api/v1/node/1/tags", "{\"tags\":[\"tag:gw\"]}"));
    j = api_expect(&f, 200, "GET", "/api/v1/node/1", NULL);
    assert_true(json_is_null(json_object_get(json_object_get(j, "node"), "user")));
    json_decref(j);
    j = api_expect(&f, 200, "GET", "/api/v1/node", NULL);
    assert_string_equal(api_text_in(json_array_get(json_object_get(j, "nodes"), 0), "user", "id"), "2147455555");
    json_decref(j);
    json_decref(api_expect(&f, 410, "POST", "/api/v1/node/1/user", "{\"user\":\"1\"}"));
    json_decref(api_expect(&f, 200, "DELETE", "/api/v1/node/1", NULL));
    json_decref(api_expect(&f, 404, "GET", "/api/v1/node/1", NULL));
}

/* ---- /api/headway ---- */

static void a_change_answers_with_event_version_and_inverse(void **state)
{
    static const char *const routes[] = {"10.0.0.0/8", "10.1.0.0/16", NULL};
    uint64_t session;
    char *undo;

    (void)state;
    api_node(&f, "alice", "r1", routes, &session);
    json_t *j =
        api_expect(&f, 200, "POST", "/api/headway/nodes/1/routes?dry_run=true", "{\"approve\":[\"10.0.0.0/8\"]}");
    assert_true(json_is_null(json_object_get(j, "event")));
    assert_prefixes(json_object_get(j, "result"), "approvedRoutes", "[\"10.0.0.0/8\"]");
    json_decref(j);
    j = api_expect(&f, 200, "GET", "/api/headway/nodes/1", NULL);
    assert_prefixes(json_object_get(j, "node"), "approvedRoutes", "[]");
    json_decref(j);

    j = api_expect(&f, 200, "POST", "/api/headway/nodes/1/routes", "{\"approve\":[\"10.0.0.0/8\"]}");
    assert_true(json_is_string(json_object_get(j, "event")));
    assert_string_equal(api_text_in(j, "inverse", "path"), "/api/headway/nodes/1/routes");
    json_t *route = json_array_get(json_object_get(json_object_get(j, "result"), "routes"), 0);
    assert_string_equal(json_text(route, "state", ""), "serving");
    assert_string_equal(json_text(route, "primary", ""), "1");
    undo = mem_format("/api/headway/undo/%s", json_text(j, "event", ""));
    json_decref(j);

    json_decref(api_expect(&f, 200, "POST", undo, NULL));
    j = api_expect(&f, 409, "POST", undo, NULL);
    assert_non_null(strstr(api_text_in(j, "error", "message"), "already undone"));
    json_decref(j);
    free(undo);
    j = api_expect(&f, 200, "GET", "/api/headway/nodes/1", NULL);
    assert_prefixes(json_object_get(j, "node"), "approvedRoutes", "[]");
    json_decref(j);
    j = api_expect(&f, 400, "POST", "/api/headway/nodes/1/routes", "{\"aprove\":[\"10.0.0.0/8\"]}");
    assert_string_equal(api_text_in(j, "error", "field"), "aprove");
    json_decref(j);
}

/* Several routes in one action are one change, whichever of its entries is undone. */
static void an_action_is_undone_whole(void **state)
{
    static const char *const routes[] = {"10.0.0.0/8", "10.1.0.0/16", "10.2.0.0/16", NULL};
    uint64_t session;

    (void)state;
    api_node(&f, "alice", "r1", routes, &session);
    json_decref(api_expect(&f, 200, "POST", "/api/headway/nodes/1/routes", "{\"approve\":[\"10.2.0.0/16\"]}"));
    json_t *j = api_expect(&f, 200, "POST", "/api/headway/nodes/1/routes",
                           "{\"approve\":[\"10.0.0.0/8\",\"10.1.0.0/16\"],\"revoke\":[\"10.2.0.0/16\"]}");
    json_t *events = json_object_get(j, "events");
    assert_int_equal(json_array_size(events), 2);
    assert_string_equal(json_string_value(json_array_get(events, 0)), json_text(j, "event", ""));
    char *undo = mem_format("/api/headway/undo/%s", json_string_value(json_array_get(events, 1)));
    char *other = mem_format("/api/headway/undo/%s", json_string_value(json_array_get(events, 0)));
    json_decref(j);
    j = api_expect(&f, 200, "POST", undo, NULL);
    assert_prefixes(json_object_get(j, "result"), "approvedRoutes", "[\"10.2.0.0/16\"]");
    assert_prefixes(json_object_get(j, "result"), "removedRoutes", "[]");
    json_decref(j);
    json_decref(api_expect(&f, 409, "POST", other, NULL));
    free(undo);
    free(other);
}

/* Journals of older versions hold an inverse as a call of the API. */
static void what_an_older_journal_holds_is_undone(void **state)
{
    static const char *const older[] = {
        "{\"method\":\"POST\",\"path\":\"/api/headway/users/1/rename\",\"body\":{\"name\":\"al\"}}",
        "{\"method\":\"POST\",\"path\":\"/api/headway/prefixes/10.0.0.0%2F8/primary\",\"body\":{\"node\":\"2\"}}",
        "{\"method\":\"PUT\",\"path\":\"/api/headway/policy\",\"body\":{\"policy\":\"{}\"}}",
        "{\"method\":\"POST\",\"path\":\"/api/headway/backup\",\"body\":{\"path\":\"/x\"}}",
    };
    static const char *const routes[] = {"10.0.0.0/8", NULL};
    static const int statuses[] = {200, 200, 200, 500};
    uint64_t session;

    (void)state;
    for (int i = 0; i < 2; i++)
        api_node(&f, "alice", i ? "r2" : "r1", routes, &session);
    for (int i = 1; i <= 2; i++) {
        char *path = mem_format("/api/v1/node/%d/approve_routes", i);
        json_decref(api_expect(&f, 200, "POST", path, "{\"routes\":[\"10.0.0.0/8\"]}"));
        free(path);
    }
    for (size_t i = 0; i < sizeof(older) / sizeof(*older); i++) {
        struct event *e = event_new();
        e->run = 1;
        e->r.id = 100000 + i;
        mem_replace(&e->kind, "user.renamed");
        mem_replace(&e->inverse, older[i]);
        fixture_put_only(f.store.store, e);
        char *undo = mem_format("/api/headway/undo/1.%zu", 100000 + i);
        json_decref(api_expect(&f, statuses[i], "POST", undo, NULL));
        free(undo);
    }
    json_t *j = api_expect(&f, 200, "GET", "/api/headway/users", NULL);
    assert_string_equal(json_text(json_array_get(json_object_get(j, "users"), 0), "name", ""), "al");
    json_decref(j);
    j = api_expect(&f, 200, "GET", "/api/headway/policy", NULL);
    assert_string_equal(json_text(j, "policy", ""), "{}");
    json_decref(j);
}

static void a_version_that_does_not_hold_is_refused_with_the_object(void **state)
{
    struct api_call call = {.method = "POST",
                            .target = "/api/headway/users/1/rename",
                            .body = "{\"name\":\"alicia\"}",
                            .headers = "If-Match: \"1\"\r\n"};
    json_t *j;

    (void)state;
    assert_int_equal(api_ask(&f, &call, NULL), 200);
    assert_int_equal(api_ask(&f, &call, &j), 412);
    assert_string_equal(api_text_in(j, "current", "name"), "alicia");
    assert_string_equal(api_text_in(j, "error", "code"), "precondition");
    json_decref(j);
    call.headers = "If-Match: 1\r\n";
    assert_int_equal(api_ask(&f, &call, NULL), 400);
}

/* The same call with the same key is answered in the same words, and done once. */
static void a_call_with_a_key_is_done_once(void **state)
{
    struct api_call call = {.method = "POST",
                            .target = "/api/headway/preauthkeys",
                            .body = "{\"user\":\"alice\",\"expiration\":\"2099-01-01T00:00:00Z\"}",
                            .headers = "Idempotency-Key: \"0123456789abcdef\"\r\n"};
    json_t *first, *again, *other;

    (void)state;
    assert_int_equal(api_ask(&f, &call, &first), 200);
    assert_int_equal(api_ask(&f, &call, &again), 200);
    assert_true(json_equal(first, again));
    assert_true(str_starts(api_text_in(first, "result", "key"), "hskey-auth-"));
    call.headers = "Idempotency-Key: 0123456789abcdef\r\n"; /* without the quotes */
    assert_int_equal(api_ask(&f, &call, &other), 200);
    assert_true(json_equal(first, other));
    json_decref(again);
    json_decref(other);
    call.headers = "Idempotency-Key: fedcba9876543210\r\n";
    assert_int_equal(api_ask(&f, &call, &other), 200);
    assert_string_not_equal(api_text_in(first, "result", "id"), api_text_in(other, "result", "id"));
    json_decref(first);
    json_decref(other);
    call.body = "{\"user\":\"alice\",\"expiration\":\"2098-01-01T00:00:00Z\"}";
    assert_int_equal(api_ask(&f, &call, &other), 409);
    assert_string_equal(api_text_in(other, "error", "field"), "Idempotency-Key");
    json_decref(other);
    call.headers = "Idempotency-Key: short\r\n";
    assert_int_equal(api_ask(&f, &call, NULL), 400);
    call.headers = "Idempotency-Key: with a blank in between\r\n";
    assert_int_equal(api_ask(&f, &call, NULL), 400);
}

static void expect_online(bool online)
{
    struct api_snapshot s;
    struct err e;

    json_t *j = api_expect(&f, 200, "GET", "/api/v1/node/1", NULL);
    assert_int_equal(json_is_true(json_object_get(json_object_get(j, "node"), "online")), online);
    json_decref(j);
    j = api_expect(&f, 200, "GET", "/api/headway/snapshot", NULL);
    if (api_read(&api_snapshot_shape, j, &s, API_STRICT, &e) < 0)
        fail_msg("%s", e.message);
    assert_int_equal(s.counts.online, online);
    assert_int_equal(api_at(&s.nodes, struct api_node, 0)->online, online);
    api_release(&api_snapshot_shape, &s);
    json_decref(j);
}

/* Whether or not its client keeps a stream open. */
static void a_node_whose_key_expired_is_not_online(void **state)
{
    uint64_t session;

    (void)state;
    api_node(&f, "alice", "r1", NULL, &session);
    expect_online(true);
    json_decref(api_expect(&f, 200, "POST", "/api/v1/node/1/expire", NULL));
    expect_online(false);
    json_decref(api_expect(&f, 200, "POST", "/api/v1/node/1/expire", "{\"disableExpiry\":true}"));
    expect_online(true);

    struct core_register logout = {.expiry_ns = 1};
    const struct tailnet_snapshot *s = tailnet_pin(f.tailnet);
    memcpy(logout.machine_key, snapshot_node_by_id(s, 1)->record->machine_key, KEY_LEN);
    memcpy(logout.node_key, snapshot_node_by_id(s, 1)->record->node_key, KEY_LEN);
    tailnet_unpin(s);
    assert_int_equal(core_rig_register(f.core, &logout), 0);
    assert_int_equal(logout.result, REGISTER_EXPIRED);
    expect_online(false);
}

static void the_snapshot_reads_back_whole(void **state)
{
    static const char *const routes[] = {"10.0.0.0/8", NULL};
    uint64_t first, second;
    struct api_snapshot s;
    struct err e;

    (void)state;
    api_node(&f, "alice", "r1", routes, &first);
    api_node(&f, "alice", "r2", routes, &second);
    json_decref(api_expect(&f, 200, "POST", "/api/v1/node/1/approve_routes", "{\"routes\":[\"10.0.0.0/8\"]}"));
    json_decref(api_expect(&f, 200, "POST", "/api/v1/node/2/approve_routes", "{\"routes\":[\"10.0.0.0/8\"]}"));
    json_t *j = api_expect(&f, 200, "GET", "/api/headway/snapshot", NULL);
    if (api_read(&api_snapshot_shape, j, &s, API_STRICT, &e) < 0)
        fail_msg("%s", e.message);
    json_decref(j);
    assert_int_equal(s.nodes.len, 2);
    assert_int_equal(s.counts.online, 2);
    assert_int_equal(s.counts.routes_serving, 1);
    assert_int_equal(api_at(&s.users, struct api_user, 0)->node_count, 2);
    assert_int_equal(s.prefixes.len, 1);
    const struct api_prefix *p = api_at(&s.prefixes, struct api_prefix, 0);
    assert_int_equal(p->primary, 1);
    assert_int_equal(p->routers.len, 2);
    assert_int_equal(api_at(&p->routers, struct api_router, 1)->state, ROUTE_STANDBY);
    assert_true(*api_at(&p->routers, struct api_router, 1)->reason != '\0');
    api_release(&api_snapshot_shape, &s);

    json_decref(api_expect(&f, 200, "POST", "/api/headway/prefixes/10.0.0.0%2F8/primary", "{\"node\":\"2\"}"));
    j = api_expect(&f, 200, "GET", "/api/headway/routes", NULL);
    json_t *r2 = json_array_get(json_object_get(j, "routes"), 1);
    assert_string_equal(json_text(r2, "node", ""), "2");
    assert_string_equal(json_text(r2, "state", ""), "serving");
    assert_true(*json_text(r2, "approvedBy", "")); /* whoever is behind the socket */
    json_decref(j);

    json_decref(api_expect(&f, 200, "POST", "/api/headway/nodes/2/drain", "{}"));
    j = api_expect(&f, 200, "GET", "/api/headway/routes", NULL);
    r2 = json_array_get(json_object_get(j, "routes"), 1);
    assert_string_equal(json_text(r2, "reason", ""), "the node is being drained; r1 serves");
    json_decref(j);
    json_decref(api_expect(&f, 400, "POST", "/api/headway/nodes/2/drain", "{\"drained\":3}"));
    j = api_expect(&f, 200, "POST", "/api/headway/nodes/2/drain", "{\"drained\":false}");
    assert_string_equal(json_text(json_object_get(j, "inverse"), "path", ""), "/api/headway/nodes/2/drain");
    json_decref(j);
    j = api_expect(&f, 200, "GET", "/api/headway/routes", NULL);
    r2 = json_array_get(json_object_get(j, "routes"), 1);
    assert_string_equal(json_text(r2, "reason", ""), "ready to take over; r1 serves");
    json_decref(j);
}

static void the_journal_is_read_in_pages(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        char *body = mem_format("{\"name\":\"user%d\"}", i);
        json_decref(api_expect(&f, 200, "POST", "/api/headway/users", body));
        free(body);
    }
    json_t *j = api_expect(&f, 200, "GET", "/api/headway/events?limit=2", NULL);
    json_t *events = json_object_get(j, "events");
    assert_int_equal(json_array_size(events), 2);
    assert_string_equal(json_text(json_array_get(events, 1), "id", ""), json_text(j, "event", "?"));
    char *before = mem_format("/api/headway/events?limit=1&before=%s", json_text(json_array_get(events, 0), "id", ""));
    char *since = mem_format("/api/headway/events?since=%s", json_text(json_array_get(events, 0), "id", ""));
    json_decref(j);
    j = api_expect(&f, 200, "GET", before, NULL);
    assert_string_equal(json_text(json_array_get(json_object_get(j, "events"), 0), "objectName", ""), "user2");
    json_decref(j);
    j = api_expect(&f, 200, "GET", since, NULL);
    assert_int_equal(json_array_size(json_object_get(j, "events")), 1);
    json_decref(j);
    free(before);
    free(since);
    json_decref(api_expect(&f, 410, "GET", "/api/headway/events?since=99.1", NULL));
    json_decref(api_expect(&f, 400, "GET", "/api/headway/events?since=banana", NULL));
    json_decref(api_expect(&f, 400, "GET", "/api/headway/events?limit=0", NULL));
}

/* ---- the stream ---- */

static int follow(const char *since)
{
    int fd = api_connect(&f, false);
    char *request = mem_format("GET /api/headway/events?follow=1&since=%s HTTP/1.1\r\nHost: x\r\n\r\n", since);

    api_send(fd, request, strlen(request));
    free(request);
    return fd;
}

/* Reads until the stream has said what; fails after some seconds. */
static void read_until(int fd, struct buf *seen, const char *what)
{
    char block[4096];

    while (!strstr(buf_text(seen), what)) {
        ssize_t n = recv(fd, block, sizeof(block), 0);
        if (n <= 0)
            fail_msg("the stream ended or said nothing before '%s': %s", what, buf_text(seen));
        buf_add(seen, block, (size_t)n);
    }
}

static char *newest_event(void)
{
    json_t *j = api_expect(&f, 200, "GET", "/api/headway/snapshot", NULL);
    char *id = mem_strdup(json_text(j, "event", ""));

    json_decref(j);
    return id;
}

static void the_stream_tells_what_changed_and_goes_on_after_a_break(void **state)
{
    static const char *const routes[] = {"10.0.0.0/8", NULL};
    struct buf seen = BUF_INIT(0);
    uint64_t session;
    char *id = newest_event();
    int fd = follow(id);

    (void)state;
    api_node(&f, "alice", "r1", routes, &session);
    json_decref(api_expect(&f, 200, "POST", "/api/v1/node/1/approve_routes", "{\"routes\":[\"10.0.0.0/8\"]}"));
    read_until(fd, &seen, "\"kind\":\"route.approved\"");
    read_until(fd, &seen, "\"state\":\"serving\"");
    assert_non_null(strstr(seen.data, "text/event-stream"));
    close(fd);

    json_decref(api_expect(&f, 200, "DELETE", "/api/v1/node/1", NULL));
    buf_clear(&seen);
    fd = follow(id); /* everything again, and what came meanwhile */
    read_until(fd, &seen, "\"kind\":\"route.approved\"");
    read_until(fd, &seen, "\"removed\":{\"nodes\":[\"1\"]");
    read_until(fd, &seen, "\"prefixes\":[\"10.0.0.0/8\"]");
    close(fd);
    free(id);
    buf_release(&seen);
}

static void a_session_s_end_is_told_at_once(void **state)
{
    struct buf seen = BUF_INIT(0);
    uint64_t session;
    int fd;

    (void)state;
    api_node(&f, "alice", "laptop", NULL, &session);
    char *id = newest_event();
    fd = follow(id);
    core_session_end(f.core, session, SESSION_SILENT);
    read_until(fd, &seen, "\"kind\":\"node.offline\"");
    read_until(fd, &seen, "\"online\":false");
    close(fd);
    free(id);
    buf_release(&seen);
}

static void an_id_the_stream_does_not_reach_is_gone(void **state)
{
    (void)state;
    json_decref(api_expect(&f, 410, "GET", "/api/headway/events?follow=1&since=99.1", NULL));
    json_decref(api_expect(&f, 400, "GET", "/api/headway/events?follow=1&since=x", NULL));
    json_decref(api_expect(&f, 400, "GET", "/api/headway/events?follow=maybe", NULL));
}

static void a_policy_is_set_checked_read_and_taken_back(void **state)
{
    (void)state;
    json_t *j = api_expect(&f, 404, "GET", "/api/v1/policy", NULL);
    assert_non_null(strstr(json_text(j, "message", ""), "acl policy not found"));
    json_decref(j);
    j = api_expect(&f, 200, "PUT", "/api/v1/policy", "{\"policy\":\"{\\\"acls\\\":[]}\"}");
    assert_string_equal(json_text(j, "policy", ""), "{\"acls\":[]}");
    json_decref(j);
    j = api_expect(&f, 200, "POST", "/api/headway/policy/check", "{\"policy\":\"{\\n \\\"x\\\":1}\"}");
    assert_false(json_is_true(json_object_get(j, "ok")));
    json_t *found = json_array_get(json_object_get(j, "findings"), 0);
    assert_int_equal(json_integer_value(json_object_get(found, "line")), 2);
    assert_string_equal(json_text(found, "severity", ""), "error");
    json_decref(j);
    json_decref(api_expect(&f, 400, "POST", "/api/v1/policy/check", "{\"policy\":\"{\\\"x\\\":1}\"}"));
    json_decref(api_expect(&f, 200, "POST", "/api/v1/policy/check", "{\"policy\":\"{}\"}"));
    json_decref(api_expect(&f, 400, "PUT", "/api/headway/policy", "{}"));
    json_decref(api_expect(&f, 409, "POST", "/api/headway/policy/adopt", NULL));

    j = api_expect(&f, 200, "PUT", "/api/headway/policy", "{\"policy\":\"{}\"}");
    assert_int_equal(json_integer_value(json_object_get(j, "version")), 2);
    assert_string_equal(api_text_in(j, "inverse", "method"), "PUT");
    char *undo = mem_format("/api/headway/undo/%s", json_text(j, "event", ""));
    json_decref(j);
    json_decref(api_expect(&f, 200, "POST", undo, NULL));
    free(undo);
    j = api_expect(&f, 200, "GET", "/api/headway/policy", NULL);
    assert_string_equal(json_text(j, "policy", ""), "{\"acls\":[]}");
    assert_int_equal(json_integer_value(json_object_get(j, "version")), 3);
    json_decref(j);
}

/* Clients that go away while their request is worked on, and streams whose readers do not read. */
static void clients_that_leave_disturb_nobody(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        int fd = api_connect(&f, i % 2 == 0);
        static const char text[] =
            "POST /api/headway/users?dry_run=true HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\n\r\n"
            "{\"name\":\"bob\"}";
        api_send(fd, text, strlen(text) - (i % 3 == 0));
        close(fd);
    }
    int fds[8];
    for (int i = 0; i < 8; i++)
        fds[i] = follow("");
    for (int i = 0; i < 50; i++) {
        char *target = mem_format("/api/headway/users/1/rename");
        char *body = mem_format("{\"name\":\"user%d\"}", i);
        json_decref(api_expect(&f, 200, "POST", target, body));
        free(target);
        free(body);
    }
    for (int i = 0; i < 8; i++)
        close(fds[i]);
}

/* More in a row than there may be at a time, without a sign of life in between. */
static void a_stream_that_its_client_closed_has_given_its_place_back(void **state)
{
    json_t *key = api_expect(&f, 200, "POST", "/api/v1/apikey", "{}");
    char *asked[] = {
        mem_strdup("GET /api/headway/events?follow=1 HTTP/1.1\r\nHost: x\r\n\r\n"),
        mem_format("GET /api/headway/events?follow=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n",
                   json_text(key, "apiKey", ""))};
    struct buf seen = BUF_INIT(0);

    (void)state;
    json_decref(key);
    for (int i = 0; i < 256; i++) {
        int fd = api_connect(&f, i % 2);
        api_send(fd, asked[i % 2], strlen(asked[i % 2]));
        buf_clear(&seen);
        read_until(fd, &seen, "\r\n\r\n");
        if (!str_starts(seen.data, "HTTP/1.1 200 "))
            fail_msg("stream %d: %s", i, seen.data);
        close(fd);
    }
    buf_release(&seen);
    free(asked[0]);
    free(asked[1]);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_socket_has_the_mode_that_was_asked_for),
        CASE(users_are_made_found_renamed_and_removed),
        CASE(keys_are_made_shown_without_secret_and_removed),
        CASE(nodes_answer_as_headscale_s_do),
        CASE(a_change_answers_with_event_version_and_inverse),
        CASE(a_version_that_does_not_hold_is_refused_with_the_object),
        CASE(a_call_with_a_key_is_done_once),
        CASE(a_node_whose_key_expired_is_not_online),
        CASE(the_snapshot_reads_back_whole),
        CASE(an_action_is_undone_whole),
        CASE(what_an_older_journal_holds_is_undone),
        CASE(the_journal_is_read_in_pages),
        CASE(the_stream_tells_what_changed_and_goes_on_after_a_break),
        CASE(a_session_s_end_is_told_at_once),
        CASE(an_id_the_stream_does_not_reach_is_gone),
        CASE(clients_that_leave_disturb_nobody),
        CASE(a_stream_that_its_client_closed_has_given_its_place_back),
        CASE(a_policy_is_set_checked_read_and_taken_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Exit nodes and nearest routers as the API shows them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
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

/* The client of a node says which exit node it uses, and what it measured (NULL: nothing). */
static void say(uint64_t node, uint64_t exit, const char *net_info)
{
    const struct tailnet_snapshot *s = tailnet_pin(f.tailnet);
    const struct node *n = snapshot_node_by_id(s, node)->record;
    struct core_map map = {
        .info = {.hostname = n->hostname, .cap_version = 131, .exit_node_id = exit, .net_info = net_info}};

    prefixes_copy(&map.info.routes, &n->available);
    memcpy(map.machine_key, n->machine_key, KEY_LEN);
    memcpy(map.node_key, n->node_key, KEY_LEN);
    tailnet_unpin(s);
    if (core_rig_map(f.core, &map) < 0)
        fail_msg("%s", map.call.err.message);
    prefixes_release(&map.info.routes);
}

static void exit_nodes_are_listed_with_who_uses_them(void **state)
{
    static const char *const exits[] = {"0.0.0.0/0", "::/0", NULL};
    struct api_list list;
    uint64_t session;

    (void)state;
    uint64_t x1 = api_node(&f, "1", "x1", exits, &session), x2 = api_node(&f, "1", "x2", exits, &session);
    uint64_t a = api_node(&f, "1", "a", NULL, &session), b = api_node(&f, "1", "b", NULL, NULL);
    char *path = mem_format("/api/headway/nodes/%llu/routes", (unsigned long long)x1);
    json_decref(api_expect(&f, 200, "POST", path, "{\"approve\":[\"0.0.0.0/0\"]}"));
    free(path);
    say(a, x1, NULL);
    say(b, x1, NULL);
    json_t *j = api_expect(&f, 200, "GET", "/api/headway/exits", NULL);
    assert_int_equal(api_read_list(&api_exit_shape, json_object_get(j, "exits"), &list, API_STRICT, NULL), 0);
    assert_int_equal(list.len, 2);
    const struct api_exit *first = api_at(&list, struct api_exit, 0), *second = api_at(&list, struct api_exit, 1);
    assert_int_equal(first->node, x1);
    assert_int_equal(first->state, ROUTE_SERVING);
    assert_true(first->suggested);
    assert_int_equal(first->priority, NODE_PRIORITY_DEFAULT);
    assert_int_equal(first->used_by, 1); /* b is offline */
    assert_int_equal(first->users.len, 2);
    assert_string_equal(api_at(&first->users, struct api_exit_user, 0)->name, "a");
    assert_int_equal(second->node, x2);
    assert_int_equal(second->state, ROUTE_AVAILABLE);
    assert_false(second->suggested);
    assert_int_equal(second->users.len, 0);
    api_release_list(&api_exit_shape, &list);
    json_decref(j);

    j = api_expect(&f, 200, "GET", "/api/headway/snapshot", NULL);
    char *want = mem_format("%llu", (unsigned long long)x1);
    /* They come by name, as the console shows them. */
    const json_t *nodes = json_object_get(j, "nodes");
    assert_string_equal(json_text(json_array_get(nodes, 0), "givenName", ""), "a");
    assert_string_equal(json_text(json_array_get(nodes, 0), "usesExitNode", ""), want);
    assert_string_equal(json_text(json_array_get(nodes, 3), "givenName", ""), "x2");
    free(want);
    json_decref(j);
}

/* The newest move of the prefix, once it is that: what moves by nearness is told of in intervals. */
static void expect_move(const char *from, const char *to, const char *cause)
{
    int64_t stop = clock_mono_ms() + 30000;

    for (;;) {
        json_t *h = api_expect(&f, 200, "GET", "/api/headway/prefixes/10.1.0.0%2F16/history", NULL);
        const json_t *m = json_array_get(json_object_get(h, "moves"), 0);
        bool is = str_eq(json_text(m, "fromName", ""), from) && str_eq(json_text(m, "toName", ""), to) &&
                  str_eq(json_text(m, "cause", ""), cause);
        if (!is && clock_mono_ms() > stop)
            fail_msg("%s: %s", cause, json_text(m, "cause", "nothing"));
        json_decref(h);
        if (is)
            return;
        sched_yield();
    }
}

/* What the state of a moment says of whom the router serves by nearness: "r2: v". at NULL: now. */
static void expect_nearest(const char *at, const char *text)
{
    char *path = mem_format("/api/headway/state%s%s", at ? "?at=" : "", at ? at : "");
    json_t *j = api_expect(&f, 200, "GET", path, NULL), *list = json_object_get(j, "nearest");
    struct buf is = BUF_INIT(0);

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *n = json_array_get(list, i), *nodes = json_object_get(n, "nodes");
        assert_string_equal(json_text(n, "prefix", ""), "10.1.0.0/16");
        buf_addf(&is, "%s:", json_text(n, "name", ""));
        for (size_t k = 0; k < json_array_size(nodes); k++)
            buf_addf(&is, " %s", json_string_value(json_array_get(nodes, k)));
    }
    assert_string_equal(buf_text(&is), text);
    buf_release(&is);
    json_decref(j);
    free(path);
}

static void the_nearest_router_is_explained(void **state)
{
    static const char *const lan[] = {"10.1.0.0/16", NULL};
    static const char near_1[] = "{\"DERPLatency\":{\"1-v4\":0.005,\"2-v4\":0.2}}",
                      near_2[] = "{\"DERPLatency\":{\"1-v4\":0.2,\"2-v4\":0.005}}";
    uint64_t sessions[3], ids[3];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        ids[i] = api_node(&f, "1", (const char *const[]){"r1", "r2", "v"}[i], i < 2 ? lan : NULL, &sessions[i]);
        say(ids[i], 0, i ? near_2 : near_1);
        char *path = mem_format("/api/headway/nodes/%llu/routes", (unsigned long long)ids[i]);
        if (i < 2)
            json_decref(api_expect(&f, 200, "POST", path, "{\"approve\":[\"10.1.0.0/16\"]}"));
        free(path);
    }
    json_t *j = api_expect(&f, 200, "GET", "/api/headway/explain?src=v&dst=10.1.0.9", NULL);
    assert_string_equal(json_text(j, "router", ""), "r1");
    json_decref(j);
    j = api_expect(&f, 200, "POST", "/api/headway/prefixes/10.1.0.0%2F16", "{\"nearest\":true}");
    assert_string_equal(json_text(j, "text", ""), "10.1.0.0/16: served by the nearest router");
    json_decref(j);
    j = api_expect(&f, 200, "GET", "/api/headway/explain?src=v&dst=10.1.0.9", NULL);
    assert_string_equal(json_text(j, "router", ""), "r2");
    const json_t *steps = json_object_get(j, "steps");
    assert_string_equal(json_text(json_array_get(steps, json_array_size(steps) - 1), "text", ""),
                        "10.1.0.0/16 is served by the nearest router, by what was measured to relays: for v that is "
                        "r2 10.0 ms away, instead of the primary, r1 205.0 ms away");
    json_decref(j);
    j = api_expect(&f, 200, "GET", "/api/headway/prefixes/10.1.0.0%2F16", NULL);
    assert_true(json_is_true(json_object_get(json_object_get(j, "prefix"), "nearest")));
    json_decref(j);
    j = api_expect(&f, 200, "GET", "/api/headway/routes", NULL);
    const json_t *second = json_array_get(json_object_get(j, "routes"), 1);
    assert_string_equal(json_text(second, "state", ""), "serving");
    assert_string_equal(json_text(second, "reason", ""),
                        "serves the 1 node that it is the nearest router of; r1 is the primary");
    json_decref(j);
    expect_move("r1", "r2", "is no longer the nearest, for 1 node (v)");
    expect_nearest(NULL, "r2: v");
    j = api_expect(&f, 200, "GET", "/api/headway/state", NULL);
    char at[TIME_TEXT_MAX];
    assert_true(str_copy(at, sizeof(at), json_text(j, "time", "")));
    json_decref(j);
    core_session_end(f.core, sessions[1], SESSION_SILENT);
    expect_move("r2", "r1", "went offline, for 1 node (v)");
    expect_nearest(NULL, "r1: v");
    expect_nearest(at, "r2: v");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(exit_nodes_are_listed_with_who_uses_them, begin, end),
        cmocka_unit_test_setup_teardown(the_nearest_router_is_explained, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

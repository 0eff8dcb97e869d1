/* SPDX-License-Identifier: BSD-3-Clause */
/* Exit nodes as the API shows them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/api.h"
#include "shared/api_fixture.h"
#include "shared/core_rig.h"

static struct api_fixture f;

static int begin(void **state)
{
    (void)state;
    api_begin(&f, "");
    json_decref(api_expect(&f, 200, "POST", "/api/v1/user", "{\"name\":\"alice\"}"));
    return 0;
}

static int end(void **state)
{
    (void)state;
    api_end(&f);
    return 0;
}

/* The client of a node says which exit node it uses. */
static void say_exit_node(uint64_t node, uint64_t exit)
{
    const struct tailnet_snapshot *s = tailnet_pin(f.tailnet);
    const struct node *n = snapshot_node_by_id(s, node)->record;
    struct core_map map = {.info = {.hostname = n->hostname, .cap_version = 131, .exit_node_id = exit}};

    memcpy(map.machine_key, n->machine_key, KEY_LEN);
    memcpy(map.node_key, n->node_key, KEY_LEN);
    tailnet_unpin(s);
    if (core_rig_map(f.core, &map) < 0)
        fail_msg("%s", map.call.err.message);
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
    say_exit_node(a, x1);
    say_exit_node(b, x1);
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
    assert_string_equal(json_text(json_array_get(json_object_get(j, "nodes"), 2), "usesExitNode", ""), want);
    free(want);
    json_decref(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(exit_nodes_are_listed_with_who_uses_them, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

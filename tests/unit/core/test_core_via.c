/* SPDX-License-Identifier: BSD-3-Clause */
/* The router that serves a prefix within a group that a grant names in via: the oldest and, after a restart, the one
 * that did before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "shared/core_rig.h"
#include "tailnet/policy_input.h"

#define LAN "10.1.0.0/16"

static struct core_rig r;
static char *key;
static struct join viewer, routers[2];
static uint64_t viewer_id, ids[2];

static const char policy[] =
    "{\"tagOwners\":{\"tag:a\":[\"alice@\"]},\"autoApprovers\":{\"routes\":{\"" LAN "\":[\"tag:a\"]}},"
    "\"grants\":[{\"src\":[\"alice@\"],\"dst\":[\"" LAN "\"],\"via\":[\"tag:a\"],\"ip\":[\"*\"]}]}";

static void begin(const char *extra)
{
    uint64_t alice = core_rig_begin(&r, extra);
    key = core_rig_key(&r, (struct core_admin){.user_id = alice, .reusable = true});
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_POLICY_SET, .text = policy});
    viewer = (struct join){.key = key, .name = "viewer", .machine = 9, .node = 9};
    viewer_id = core_rig_node(&r, &viewer);
    for (uint8_t i = 0; i < 2; i++) {
        routers[i] = (struct join){.key = key,
                                   .name = i ? "second" : "first",
                                   .machine = (uint8_t)(i + 1),
                                   .node = (uint8_t)(i + 1),
                                   .tag = "tag:a",
                                   .route = LAN};
        ids[i] = core_rig_node(&r, &routers[i]);
    }
}

static int end(void **state)
{
    (void)state;
    core_rig_end(&r);
    free(key);
    key = NULL;
    return 0;
}

static uint32_t slot_of(const struct tailnet_snapshot *s, uint64_t id)
{
    const struct tailnet_node *n = snapshot_node_by_id(s, id);

    return n ? n->slot : TAILNET_SLOT_NONE;
}

/* The number of the router that the viewer is led to; -1: none. */
static int server(const struct tailnet_snapshot *s)
{
    const struct policy_view *v = tailnet_policy_read(r.tailnet);
    struct prefix lan = sample_prefix(LAN);
    struct prefixes routes = {0};
    int found = -1;

    for (int i = 0; v && i < 2; i++) {
        policy_routes(v, slot_of(s, viewer_id), slot_of(s, ids[i]), &routes);
        if (prefixes_has(&routes, &lan)) {
            assert_int_equal(found, -1);
            found = i;
        }
    }
    tailnet_policy_done(r.tailnet);
    prefixes_release(&routes);
    return found;
}

static int server_now(void)
{
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    int found = server(s);

    tailnet_unpin(s);
    return found;
}

static bool serves(const struct tailnet_snapshot *s, void *arg)
{
    return server(s) == *(const int *)arg;
}

static void restart(void)
{
    core_rig_stop(&r);
    core_rig_start(&r);
}

static void whoever_served_keeps_the_prefix_over_a_restart(void **state)
{
    uint64_t session;
    int second = 1;

    (void)state;
    begin("node:\n  routes:\n    ha:\n      settle_time: 1h\n");
    core_rig_online(&r, &routers[0]);
    assert_int_equal(server_now(), 0);
    core_rig_online(&r, &routers[1]);
    assert_int_equal(server_now(), 0);
    restart();
    /* The other one connects first. */
    core_rig_online(&r, &routers[1]);
    assert_int_equal(server_now(), 0);
    session = core_rig_online(&r, &routers[0]);
    assert_int_equal(server_now(), 0);
    /* It came back: from here on it is as it is. */
    core_session_end(r.core, session, SESSION_SILENT);
    core_rig_until(&r, serves, &second);
    restart();
    core_rig_online(&r, &routers[0]);
    assert_int_equal(server_now(), 1);
    core_rig_online(&r, &routers[1]);
    assert_int_equal(server_now(), 1);
}

static void who_does_not_come_back_loses_it_after_a_while(void **state)
{
    int second = 1;

    (void)state;
    begin("node:\n  routes:\n    ha:\n      settle_time: 100ms\n");
    core_rig_online(&r, &routers[0]);
    core_rig_online(&r, &routers[1]);
    restart();
    core_rig_online(&r, &routers[1]);
    core_rig_until(&r, serves, &second);
    restart();
    core_rig_online(&r, &routers[0]);
    core_rig_online(&r, &routers[1]);
    assert_int_equal(server_now(), 1);
}

static void a_router_that_was_deleted_is_not_waited_for(void **state)
{
    (void)state;
    begin("node:\n  routes:\n    ha:\n      settle_time: 1h\n");
    core_rig_online(&r, &routers[0]);
    restart();
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_DELETE, .id = ids[0]});
    core_rig_online(&r, &routers[1]);
    assert_int_equal(server_now(), 1);
    restart();
    assert_int_equal(server_now(), 1);
}

static void drain(uint64_t id, bool on)
{
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_DRAIN, .id = id, .flag = on});
}

static void set_rule(enum route_failback failback, bool keep)
{
    struct core_admin a = {.op = ADMIN_PREFIX_SET,
                           .rule = {.failback = failback, .keep = keep ? PREFIX_KEEP : PREFIX_WITHDRAW},
                           .given = RULE_FAILBACK | RULE_KEEP | RULE_HOLD_DOWN | RULE_FAILBACK_DELAY};
    struct prefix p = sample_prefix(LAN);

    prefixes_add(&a.prefixes, &p);
    assert_int_equal(core_rig_admin(&r, &a), 0);
    core_admin_release(&a);
}

/* Draining, priority and failback hold within the group as for everybody (routes.md 84, 87, 88). */
static void members_are_drained_and_preferred(void **state)
{
    int first = 0, second = 1;

    (void)state;
    begin("");
    uint64_t session = core_rig_online(&r, &routers[0]);
    core_rig_online(&r, &routers[1]);
    assert_int_equal(server_now(), 0);
    drain(ids[0], true);
    core_rig_until(&r, serves, &second);
    drain(ids[0], false); /* sticky: it does not come back */
    assert_int_equal(server_now(), 1);
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_PRIORITY, .id = ids[0], .number = 200});
    assert_int_equal(server_now(), 1);
    set_rule(FAILBACK_PRIORITY, false);
    core_rig_until(&r, serves, &first);
    core_session_end(r.core, session, SESSION_SILENT);
    core_rig_until(&r, serves, &second);
    core_rig_online(&r, &routers[0]);
    core_rig_until(&r, serves, &first);
    drain(ids[0], true); /* the last one that is left serves although it is drained */
    drain(ids[1], true);
    assert_int_equal(server_now(), 1);
}

static int choose(uint64_t id, const char *via)
{
    struct core_admin a = {.op = ADMIN_PRIMARY, .id = id, .text = via};
    struct prefix lan = sample_prefix(LAN);

    prefixes_add(&a.prefixes, &lan);
    int rc = core_rig_admin(&r, &a);
    if (rc == 0 && a.inverse)
        assert_non_null(strstr(a.inverse, "\"via\":\"tag:a\""));
    core_admin_release(&a);
    return rc;
}

static void an_administrator_chooses_within_the_group(void **state)
{
    int second = 1;

    (void)state;
    begin("node:\n  routes:\n    ha:\n      settle_time: 1h\n");
    core_rig_online(&r, &routers[0]);
    core_rig_online(&r, &routers[1]);
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    uint64_t of_all = s->primary_count ? s->primaries[0]->r.id : 0;
    tailnet_unpin(s);
    assert_int_equal(server_now(), 0);
    assert_int_equal(choose(ids[1], "tag:b"), ERR_MISSING);
    assert_int_equal(choose(viewer_id, "tag:a"), ERR_PRECONDITION);
    assert_int_equal(choose(ids[1], "tag:a"), 0);
    core_rig_until(&r, serves, &second);
    s = tailnet_pin(r.tailnet);
    assert_int_equal(s->primaries[0]->r.id, of_all); /* nobody else moves */
    tailnet_unpin(s);
    assert_int_equal(choose(ids[1], "tag:a"), 0); /* nothing to do */
    restart();
    core_rig_online(&r, &routers[0]);
    assert_int_equal(server_now(), 1);
}

static void a_kept_prefix_stays_with_the_last_member(void **state)
{
    int nobody = -1, first = 0;

    (void)state;
    begin("");
    uint64_t session = core_rig_online(&r, &routers[0]);
    set_rule(FAILBACK_STICKY, true);
    core_session_end(r.core, session, SESSION_SILENT);
    core_rig_until(&r, serves, &first);
    set_rule(FAILBACK_STICKY, false);
    core_rig_until(&r, serves, &nobody);
}

/* Who serves follows the policy: another group, no group, no policy at all. */
static void groups_come_and_go_with_the_policy(void **state)
{
    static const char other[] =
        "{\"tagOwners\":{\"tag:a\":[\"alice@\"],\"tag:b\":[\"alice@\"]},"
        "\"grants\":[{\"src\":[\"alice@\"],\"dst\":[\"" LAN "\"],\"via\":[\"tag:b\"],\"ip\":[\"*\"]}]}";
    int nobody = -1, first = 0, second = 1;

    (void)state;
    begin("");
    core_rig_online(&r, &routers[0]);
    core_rig_online(&r, &routers[1]);
    drain(ids[0], true);
    core_rig_until(&r, serves, &second);
    drain(ids[0], false);
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_POLICY_SET, .text = other});
    core_rig_until(&r, serves, &nobody);
    struct strs tags = {0};
    strs_push(&tags, "tag:b");
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_TAGS, .id = ids[0], .tags = tags});
    core_rig_until(&r, serves, &first);
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_POLICY_SET, .text = policy});
    core_rig_until(&r, serves, &second);
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    assert_int_equal(s->via_primary_count, 1);
    assert_string_equal(s->via_primaries[0]->tags, "tag:a");
    tailnet_unpin(s);
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_POLICY_SET, .text = ""});
    s = tailnet_pin(r.tailnet);
    assert_int_equal(s->via_primary_count, 0);
    tailnet_unpin(s);
}

/* Ids need not follow the age: an imported node keeps its age. */
static void age_decides_and_not_the_number(void **state)
{
    struct node *young = sample_node(1, 1), *old = sample_node(2, 1);
    struct prefixes none = {0};

    (void)state;
    young->created_ns = 2000;
    old->created_ns = 1000;
    struct policy_node a = tailnet_policy_node(0, young, &none, NULL, NULL);
    struct policy_node b = tailnet_policy_node(1, old, &none, NULL, NULL);
    assert_true(b.order < a.order);
    record_unref(young);
    record_unref(old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(whoever_served_keeps_the_prefix_over_a_restart, end),
        cmocka_unit_test_teardown(who_does_not_come_back_loses_it_after_a_while, end),
        cmocka_unit_test_teardown(a_router_that_was_deleted_is_not_waited_for, end),
        cmocka_unit_test_teardown(members_are_drained_and_preferred, end),
        cmocka_unit_test_teardown(an_administrator_chooses_within_the_group, end),
        cmocka_unit_test_teardown(a_kept_prefix_stays_with_the_last_member, end),
        cmocka_unit_test_teardown(groups_come_and_go_with_the_policy, end),
        cmocka_unit_test(age_decides_and_not_the_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

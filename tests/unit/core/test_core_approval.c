/* SPDX-License-Identifier: BSD-3-Clause */
/* Machines that wait for approval: which ones, what they may not do meanwhile, what ends the wait, and what is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "shared/core_rig.h"
#include "json/json.h"

#define LAN "10.1.0.0/16"

static struct core_rig r;
static uint64_t alice;
static char *key, *open_key;

static void begin_with(const char *extra)
{
    alice = core_rig_begin(&r, extra);
    key = core_rig_key(&r, (struct core_admin){.user_id = alice, .reusable = true, .needs_approval = true});
    open_key = core_rig_key(&r, (struct core_admin){.user_id = alice, .reusable = true});
}

static int begin(void **state)
{
    (void)state;
    begin_with("node:\n  approval: on\n");
    return 0;
}

static int end(void **state)
{
    (void)state;
    core_rig_end(&r);
    free(key);
    free(open_key);
    key = open_key = NULL;
    return 0;
}

static uint64_t join(const char *by, uint8_t machine, uint8_t node, const char *name, const char *route)
{
    return core_rig_node(&r, &(struct join){.key = by, .name = name, .machine = machine, .node = node, .route = route});
}

static bool is_authorized(uint64_t id)
{
    const struct tailnet_snapshot *s;
    bool authorized = core_rig_look(&r, id, &s)->record->authorized;

    tailnet_unpin(s);
    return authorized;
}

static void decide(uint64_t id, bool authorized)
{
    core_rig_admin_ok(&r,
                      (struct core_admin){.op = ADMIN_NODE_AUTHORIZE, .id = id, .flag = authorized, .actor = "ana"});
}

static void who_waits_and_who_does_not(void **state)
{
    (void)state;
    assert_false(is_authorized(join(key, 1, 1, "a", NULL)));
    assert_true(is_authorized(join(open_key, 2, 2, "b", NULL)));
}

static void nobody_waits_where_approval_is_off(void **state)
{
    (void)state;
    begin_with("");
    assert_true(is_authorized(join(key, 1, 1, "a", NULL)));
    assert_true(is_authorized(join(open_key, 2, 2, "b", NULL)));
}

static void an_approval_is_kept_with_who_gave_it(void **state)
{
    const struct tailnet_snapshot *s;
    uint64_t id = join(key, 1, 1, "a", NULL);

    (void)state;
    struct core_admin a = {.op = ADMIN_NODE_AUTHORIZE, .id = id, .flag = true, .actor = "ana"};
    assert_int_equal(core_rig_admin(&r, &a), 0);
    assert_int_equal(a.events.len, 1);
    assert_string_equal(a.events.items[0]->kind, "node.authorized");
    assert_non_null(strstr(a.inverse, "\"operation\":\"node.authorize\""));
    assert_non_null(strstr(a.inverse, "\"authorized\":false"));
    core_admin_release(&a);

    core_rig_stop(&r);
    core_rig_start(&r);
    const struct node *n = core_rig_look(&r, id, &s)->record;
    assert_true(n->authorized);
    assert_string_equal(n->authorized_by, "ana");
    assert_true(n->authorized_ns > 0);
    tailnet_unpin(s);
    a = (struct core_admin){.op = ADMIN_NODE_AUTHORIZE, .id = id, .flag = true};
    assert_int_equal(core_rig_admin(&r, &a), 0);
    assert_int_equal(a.events.len, 0); /* nothing to do */
    core_admin_release(&a);
}

static void a_new_node_key_keeps_it_and_a_new_machine_key_asks_again(void **state)
{
    uint64_t id = join(key, 1, 1, "a", NULL);

    (void)state;
    decide(id, true);
    assert_int_equal(join(key, 1, 9, "a", NULL), id);
    assert_true(is_authorized(id));
    uint64_t other = join(key, 3, 10, "a", NULL);
    assert_int_not_equal(other, id);
    assert_false(is_authorized(other));
}

static void a_key_that_skips_it_approves_who_waits_but_not_who_was_put_out(void **state)
{
    uint64_t id = join(key, 1, 1, "a", NULL);

    (void)state;
    assert_int_equal(join(open_key, 1, 2, "a", NULL), id);
    assert_true(is_authorized(id));
    decide(id, false);
    assert_int_equal(join(open_key, 1, 3, "a", NULL), id);
    assert_false(is_authorized(id));
    core_rig_stop(&r);
    core_rig_start(&r);
    assert_false(is_authorized(id));
}

static void who_registers_a_machine_approves_it(void **state)
{
    struct core_register call;
    const struct tailnet_snapshot *s;

    (void)state;
    assert_int_equal(core_rig_join(&r, &(struct join){.name = "a", .machine = 1, .node = 1}, &call), REGISTER_URL);
    struct core_admin a = {.op = ADMIN_REGISTER, .text = call.auth_id, .user_id = alice, .actor = "ana"};
    assert_int_equal(core_rig_admin(&r, &a), 0);
    uint64_t id = ((const struct node *)a.record)->r.id;
    core_admin_release(&a);
    assert_true(is_authorized(id));
    assert_string_equal(core_rig_look(&r, id, &s)->record->authorized_by, "ana");
    tailnet_unpin(s);
}

/* ---- routes and rules ---- */

static bool serves(const struct tailnet_snapshot *s, void *arg)
{
    const struct tailnet_node *n = snapshot_node_by_id(s, *(uint64_t *)arg);

    return n && n->serving.len == 1;
}

static bool serves_nothing(const struct tailnet_snapshot *s, void *arg)
{
    const struct tailnet_node *n = snapshot_node_by_id(s, *(uint64_t *)arg);

    return n && n->serving.len == 0;
}

static void its_routes_do_not_work_before(void **state)
{
    struct join j = {.key = key, .name = "r1", .machine = 1, .node = 1, .route = LAN};
    uint64_t id = core_rig_node(&r, &j), other;

    (void)state;
    core_rig_online(&r, &j);
    core_rig_approve(&r, id, LAN, false);
    other = join(open_key, 2, 2, "b", NULL); /* a turn of the core later */
    (void)other;
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    assert_true(serves_nothing(s, &id));
    assert_int_equal(s->primary_count, 0);
    tailnet_unpin(s);
    decide(id, true);
    core_rig_until(&r, serves, &id);
    decide(id, false);
    core_rig_until(&r, serves_nothing, &id);
}

static void rules_and_auto_approvers_wait_for_it(void **state)
{
    static const char policy[] =
        "{\"tagOwners\":{\"tag:r\":[\"alice@\"]},\"autoApprovers\":{\"routes\":{\"" LAN
        "\":[\"tag:r\"]}},\"acls\":[{\"action\":\"accept\",\"src\":[\"*\"],\"dst\":[\"*:*\"]}]}";
    const struct tailnet_snapshot *s;

    (void)state;
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_POLICY_SET, .text = policy});
    uint64_t b = join(open_key, 2, 2, "b", NULL);
    uint64_t id = core_rig_node(
        &r, &(struct join){.key = key, .name = "r1", .machine = 1, .node = 1, .route = LAN, .tag = "tag:r"});
    const struct tailnet_node *n = core_rig_look(&r, id, &s), *peer = snapshot_node_by_id(s, b);
    assert_int_equal(n->record->approved.len, 0);
    assert_int_equal(n->record->tags.len, 1);
    const struct policy_view *v = tailnet_policy_read(r.tailnet);
    assert_false(policy_sees(v, peer->slot, n->slot));
    assert_false(policy_sees(v, n->slot, peer->slot));
    tailnet_policy_done(r.tailnet);
    tailnet_unpin(s);

    decide(id, true);
    n = core_rig_look(&r, id, &s);
    peer = snapshot_node_by_id(s, b);
    assert_int_equal(n->record->approved.len, 1);
    v = tailnet_policy_read(r.tailnet);
    assert_true(policy_sees(v, peer->slot, n->slot));
    tailnet_policy_done(r.tailnet);
    tailnet_unpin(s);

    /* A policy that comes while it waits sees it neither. */
    decide(id, false);
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_POLICY_SET,
                                              .text = "{\"acls\":[{\"action\":\"accept\","
                                                      "\"src\":[\"*\"],\"dst\":[\"*:*\"]}]}"});
    n = core_rig_look(&r, id, &s);
    peer = snapshot_node_by_id(s, b);
    v = tailnet_policy_read(r.tailnet);
    assert_false(policy_sees(v, peer->slot, n->slot));
    assert_false(policy_sees(v, n->slot, peer->slot));
    tailnet_policy_done(r.tailnet);
    tailnet_unpin(s);
}

static void what_cannot_be_decided_is_an_error(void **state)
{
    struct core_admin a = {.op = ADMIN_NODE_AUTHORIZE, .id = 4711, .flag = true};

    (void)state;
    assert_int_equal(core_rig_admin(&r, &a), ERR_MISSING);
    core_admin_release(&a);
    uint64_t id = join(key, 1, 1, "a", NULL);
    a = (struct core_admin){.op = ADMIN_NODE_AUTHORIZE, .id = id, .flag = true, .dry_run = true};
    assert_int_equal(core_rig_admin(&r, &a), 0);
    core_admin_release(&a);
    assert_false(is_authorized(id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_waits_and_who_does_not, begin, end),
        cmocka_unit_test_teardown(nobody_waits_where_approval_is_off, end),
        cmocka_unit_test_setup_teardown(an_approval_is_kept_with_who_gave_it, begin, end),
        cmocka_unit_test_setup_teardown(a_new_node_key_keeps_it_and_a_new_machine_key_asks_again, begin, end),
        cmocka_unit_test_setup_teardown(a_key_that_skips_it_approves_who_waits_but_not_who_was_put_out, begin, end),
        cmocka_unit_test_setup_teardown(who_registers_a_machine_approves_it, begin, end),
        cmocka_unit_test_setup_teardown(its_routes_do_not_work_before, begin, end),
        cmocka_unit_test_setup_teardown(rules_and_auto_approvers_wait_for_it, begin, end),
        cmocka_unit_test_setup_teardown(what_cannot_be_decided_is_an_error, begin, end),
    };
    return cmocka_run_group_tests_name("core_approval", tests, NULL, NULL);
}

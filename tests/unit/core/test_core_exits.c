/* SPDX-License-Identifier: BSD-3-Clause */
/* Exit nodes in the core: who uses which, and how long the core waits for one whose connection closed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "shared/core_rig.h"

static struct core_rig r;
static char *key;
static struct join exits[2], user;
static uint64_t exit_ids[2], exit_sessions[2], user_id;

/* Two exit nodes that are online, and a node that uses the first. Whoever is waited for is waited for an hour. */
static int begin(void **state)
{
    (void)state;
    uint64_t alice = core_rig_begin(&r, "node:\n  offline_grace: 1h\n");
    key = core_rig_key(&r, (struct core_admin){.user_id = alice, .reusable = true});
    for (uint8_t i = 0; i < 2; i++) {
        exits[i] = (struct join){.key = key,
                                 .name = i ? "second" : "first",
                                 .machine = (uint8_t)(i + 1),
                                 .node = (uint8_t)(i + 1),
                                 .route = "0.0.0.0/0"};
        exit_ids[i] = core_rig_node(&r, &exits[i]);
        core_rig_approve(&r, exit_ids[i], "0.0.0.0/0", false);
        exit_sessions[i] = core_rig_online(&r, &exits[i]);
    }
    user = (struct join){.key = key, .name = "laptop", .machine = 9, .node = 9};
    user_id = core_rig_node(&r, &user);
    user.exit_node_id = exit_ids[0];
    core_rig_online(&r, &user);
    return 0;
}

static int end(void **state)
{
    (void)state;
    core_rig_end(&r);
    free(key);
    key = NULL;
    return 0;
}

static bool is_offline(const struct tailnet_snapshot *s, void *arg)
{
    return !snapshot_node_by_id(s, *(const uint64_t *)arg)->live.online;
}

/* The end of a session that came before a call is dealt with when the call is answered. */
static void assert_waited_for(uint64_t id)
{
    const struct tailnet_snapshot *s;

    core_rig_user(&r, "bob");
    assert_true(core_rig_look(&r, id, &s)->live.online);
    tailnet_unpin(s);
}

static void a_client_says_which_it_uses(void **state)
{
    const struct tailnet_snapshot *s;

    (void)state;
    assert_int_equal(core_rig_look(&r, user_id, &s)->record->exit_node_id, exit_ids[0]);
    tailnet_unpin(s);
}

static _Atomic uint64_t heard_of;

static void hear_change(void *arg, uint64_t node)
{
    (void)arg;
    if (node == user_id)
        heard_of = node;
}

static void hear_nothing(void *arg, const struct event *e)
{
    (void)arg;
    (void)e;
}

/* No entry of the journal tells it, so the listeners do: lists show who uses which. */
static void another_choice_is_heard_of(void **state)
{
    (void)state;
    heard_of = 0;
    core_listen(r.core,
                &(struct core_listener){.event = hear_nothing, .volatile_change = hear_change, .arg = &heard_of});
    user.exit_node_id = exit_ids[1];
    core_rig_online(&r, &user);
    core_unlisten(r.core, &heard_of);
    assert_int_equal(heard_of, user_id);
}

static void one_whose_users_have_another_is_offline_at_once(void **state)
{
    (void)state;
    core_session_end(r.core, exit_sessions[0], SESSION_CLOSED);
    core_rig_until(&r, is_offline, &exit_ids[0]);
}

static void one_that_nobody_uses_is_waited_for(void **state)
{
    (void)state;
    core_session_end(r.core, exit_sessions[1], SESSION_CLOSED);
    assert_waited_for(exit_ids[1]);
}

static void one_is_waited_for_where_no_other_is_well(void **state)
{
    (void)state;
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_DRAIN, .id = exit_ids[1], .flag = true});
    core_session_end(r.core, exit_sessions[0], SESSION_CLOSED);
    assert_waited_for(exit_ids[0]);
}

static void one_is_waited_for_where_the_policy_gives_no_other(void **state)
{
    (void)state;
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_POLICY_SET,
                                              .text = "{\"grants\":[{\"src\":[\"alice@\"],\"dst\":[\"alice@\"],"
                                                      "\"ip\":[\"22\"]}]}"});
    core_session_end(r.core, exit_sessions[0], SESSION_CLOSED);
    assert_waited_for(exit_ids[0]);
}

/* All clients are told at once, those that see no exit node too. */
static void a_priority_makes_clients_choose_by_it(void **state)
{
    static const uint64_t steps[] = {200, 50, NODE_PRIORITY_DEFAULT};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const struct tailnet_snapshot *before = tailnet_pin(r.tailnet);
        struct change changes[64];
        size_t told = 0;
        core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_PRIORITY, .id = exit_ids[1], .number = steps[i]});
        const struct tailnet_snapshot *after = tailnet_pin(r.tailnet);
        long count = tailnet_changes(r.tailnet, before->seq, after->seq, changes, 64);
        for (long k = 0; k < count; k++)
            told += (changes[k].mask & CHANGE_STEERING) != 0;
        assert_int_equal(after->ranked_exits, i < 2);
        assert_int_equal(told, i != 1); /* from the first priority on, to the last */
        tailnet_unpin(before);
        tailnet_unpin(after);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_client_says_which_it_uses),
        TEST(another_choice_is_heard_of),
        TEST(one_whose_users_have_another_is_offline_at_once),
        TEST(one_that_nobody_uses_is_waited_for),
        TEST(one_is_waited_for_where_no_other_is_well),
        TEST(a_priority_makes_clients_choose_by_it),
        TEST(one_is_waited_for_where_the_policy_gives_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

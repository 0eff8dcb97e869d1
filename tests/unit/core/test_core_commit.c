/* SPDX-License-Identifier: BSD-3-Clause */
/* What shares a commit, and what is due later. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "core/state/queue.h"
#include "core/state/transaction.h"
#include "core/thread.h"
#include "shared/core_rig.h"

#define CALLS 60

static struct core_rig r;
static uint64_t alice;

static int begin(void **state)
{
    (void)state;
    core_rig_prepare(&r, "");
    core_rig_start(&r);
    alice = core_rig_user(&r, "alice");
    return 0;
}

static int end(void **state)
{
    (void)state;
    core_rig_end(&r);
    return 0;
}

/* Whatever the store has against one call, those that share its group are stored: not one fails with its error. */
static void a_refused_write_refuses_nobody_else_s(void **state)
{
    struct core_admin calls[CALLS];
    struct core_rig_answer answers[CALLS];
    struct core_register join;
    char names[CALLS][16];

    (void)state;
    core_rig_stop(&r);
    fixture_sql(r.store.path, "CREATE TRIGGER t BEFORE INSERT ON user WHEN NEW.name LIKE 'bad%' BEGIN "
                              "SELECT RAISE(FAIL,'no'); END;");
    core_rig_start(&r);
    char *key = core_rig_key(&r, (struct core_admin){.user_id = alice, .reusable = true});
    for (size_t i = 0; i < CALLS; i++) {
        snprintf(names[i], sizeof(names[i]), "%s%zu", i % 10 == 5 ? "bad" : "good", i);
        calls[i] = (struct core_admin){.op = ADMIN_USER_CREATE, .actor = "tester", .name = names[i]};
        core_rig_expect(&answers[i], &calls[i].call);
    }
    for (size_t i = 0; i < CALLS; i++)
        core_admin(r.core, &calls[i]);
    struct join j = {.key = key, .name = "a", .machine = 1, .node = 1};
    assert_int_equal(core_rig_join(&r, &j, &join), REGISTER_DONE);
    for (size_t i = 0; i < CALLS; i++) {
        int code = core_rig_await(&answers[i], &calls[i].call);
        if (i % 10 == 5)
            assert_true(code < 0);
        else if (code < 0)
            fail_msg("%s: %s", names[i], calls[i].call.err.message);
        assert_int_equal(calls[i].events.len, code < 0 ? 0 : 1);
        core_admin_release(&calls[i]);
    }
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    assert_int_equal(s->user_count, 1 + CALLS - CALLS / 10);
    tailnet_unpin(s);
    core_rig_stop(&r);
    core_rig_start(&r);
    s = tailnet_pin(r.tailnet);
    assert_int_equal(s->user_count, 1 + CALLS - CALLS / 10);
    assert_int_equal(s->node_count, 1);
    tailnet_unpin(s);
    free(key);
}

/* Two machines' nodes cannot have one node key; nor two nodes of one machine: it makes a new key and comes again. */
static void a_foreign_node_key_reaches_no_store(void **state)
{
    uint64_t bob = core_rig_user(&r, "bob");
    char *of_alice = core_rig_key(&r, (struct core_admin){.user_id = alice, .reusable = true});
    char *of_bob = core_rig_key(&r, (struct core_admin){.user_id = bob, .reusable = true});
    struct join j = {.key = of_alice, .name = "a", .machine = 1, .node = 1};
    struct core_register call;

    (void)state;
    core_rig_node(&r, &j);
    j.key = of_bob;
    assert_int_equal(core_rig_join(&r, &j, &call), REGISTER_EXPIRED);
    j.machine = 2;
    assert_int_equal(core_rig_join(&r, &j, &call), REGISTER_REFUSED);
    j.machine = 1;
    j.node = 2;
    core_rig_node(&r, &j);
    free(of_alice);
    free(of_bob);
}

static atomic_int expired_events;

static void count_expired(void *arg, const struct event *e)
{
    (void)arg;
    if (strcmp(e->kind, "node.expired") == 0)
        atomic_fetch_add(&expired_events, 1);
}

static void hear_nothing(void *arg, uint64_t node_id)
{
    (void)arg;
    (void)node_id;
}

struct count {
    struct core_call call;
    size_t timers;
};

static void run_count(struct core_state *s, struct core_call *call)
{
    ((struct count *)call)->timers = s->timers.len;
    tx_answer_soon(s, call, 0);
}

static size_t timer_count(void)
{
    struct count count = {0};
    struct core_rig_answer a;

    core_rig_expect(&a, &count.call);
    queue_post(&r.core->state.queue, &count.call, run_count);
    core_rig_await(&a, &count.call);
    return count.timers;
}

static bool is_expired(const struct tailnet_snapshot *s, void *arg)
{
    return snapshot_node_by_id(s, *(uint64_t *)arg)->expired;
}

static void a_node_has_one_timer_a_kind(void **state)
{
    char *key = core_rig_key(&r, (struct core_admin){.user_id = alice, .ephemeral = true});
    struct join j = {
        .key = key, .name = "a", .machine = 1, .node = 1, .expiry_ns = clock_wall_ns() + 3600 * NS_PER_SECOND};
    char name[16];

    (void)state;
    core_listen(r.core, &(struct core_listener){.event = count_expired, .volatile_change = hear_nothing});
    uint64_t id = core_rig_node(&r, &j);
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof(name), "host%d", i);
        j.name = name;
        core_session_end(r.core, core_rig_online(&r, &j), SESSION_CLOSED);
    }
    assert_in_range(timer_count(), 1, 4); /* expiry, grace, inactivity, damping */
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_EXPIRE, .id = id});
    core_rig_until(&r, is_expired, &id);
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_EXPIRE, .id = id, .flag = true});
    int64_t soon = clock_wall_ns() + NS_PER_SECOND / 5;
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_EXPIRE, .id = id, .time_ns = soon});
    core_rig_until(&r, is_expired, &id);
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_RENAME, .id = id, .name = "b"}); /* events came before */
    assert_int_equal(atomic_load(&expired_events), 1); /* an administrator's "now" is node.expiry */
    core_unlisten(r.core, NULL);
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_DELETE, .id = id});
    assert_int_equal(timer_count(), 0);
    free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_refused_write_refuses_nobody_else_s, begin, end),
        cmocka_unit_test_setup_teardown(a_foreign_node_key_reaches_no_store, begin, end),
        cmocka_unit_test_setup_teardown(a_node_has_one_timer_a_kind, begin, end),
    };
    return cmocka_run_group_tests_name("core_commit", tests, NULL, NULL);
}

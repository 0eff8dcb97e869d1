/* SPDX-License-Identifier: BSD-3-Clause */
/* Online and offline, whatever the streams of an expired node do: the snapshot is consistent, and so is everything
 * derived from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "shared/core_rig.h"

static struct core_rig r;
static char *key;
static struct join machine;
static uint64_t node;

static int begin(void **state)
{
    (void)state;
    uint64_t alice = core_rig_begin(&r, "");
    key = core_rig_key(&r, (struct core_admin){.user_id = alice, .reusable = true});
    machine = (struct join){.key = key, .name = "laptop", .machine = 1, .node = 1};
    node = core_rig_node(&r, &machine);
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

static bool is_online(const struct tailnet_snapshot *s, void *arg)
{
    const struct tailnet_node *n = snapshot_node_by_id(s, node);

    assert_int_equal(s->online_count, n->live.online);
    return n->live.online == *(const bool *)arg;
}

static void assert_online(bool online)
{
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    bool as_said = is_online(s, &online);

    tailnet_unpin(s);
    assert_true(as_said);
}

static void expire(int64_t time_ns, bool never)
{
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_EXPIRE, .id = node, .time_ns = time_ns, .flag = never});
}

static void an_expired_node_is_offline_though_its_stream_is_open(void **state)
{
    (void)state;
    core_rig_online(&r, &machine);
    assert_online(true);
    expire(0, false);
    assert_online(false);
    /* Its stream, or another one, only tells it so. */
    core_rig_online(&r, &machine);
    assert_online(false);
    expire(0, true);
    assert_online(true);
}

static void so_is_one_whose_key_ended_by_date(void **state)
{
    bool no = false;

    (void)state;
    uint64_t session = core_rig_online(&r, &machine);
    expire(clock_wall_ns() + 50000000, false);
    core_rig_until(&r, is_online, &no);
    core_session_end(r.core, session, SESSION_SILENT);
    expire(0, true);
    assert_online(false); /* without a stream it stays offline */
    core_rig_online(&r, &machine);
    assert_online(true);
}

static void so_is_one_that_logged_out(void **state)
{
    struct core_register call;
    struct join logout = {.name = "laptop", .machine = 1, .node = 1, .expiry_ns = 123};

    (void)state;
    core_rig_online(&r, &machine);
    core_rig_join(&r, &logout, &call);
    assert_online(false);
    core_rig_online(&r, &machine);
    assert_online(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_expired_node_is_offline_though_its_stream_is_open, begin, end),
        cmocka_unit_test_setup_teardown(so_is_one_whose_key_ended_by_date, begin, end),
        cmocka_unit_test_setup_teardown(so_is_one_that_logged_out, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

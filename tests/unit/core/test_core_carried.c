/* SPDX-License-Identifier: BSD-3-Clause */
/* A router that lost its control connection but forwards keeps its prefixes over a restart of the daemon as well:
 * probes detect it before the settle time ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "core/client.h"
#include "shared/core_rig.h"

#define LAN "10.1.0.0/16"

static struct core_rig r;
static char *key;
static struct join routers[2];
static uint64_t ids[2];

static bool served_by(const struct tailnet_snapshot *s, void *arg)
{
    const struct tailnet_node *n = snapshot_node_by_id(s, ids[*(const size_t *)arg]);
    struct prefix p = sample_prefix(LAN);

    return n && prefixes_has(&n->serving, &p);
}

static bool is_settled(const struct tailnet_snapshot *s, void *arg)
{
    const struct tailnet_node *n = snapshot_node_by_id(s, ids[0]);
    bool kept = n->live.carried.len > 0;

    return !kept || clock_mono_ms() > *(const int64_t *)arg;
}

/* The first router serves a prefix with a target, and the daemon restarts. Only the second one comes back. */
static void begin(void)
{
    struct core_admin a = {.op = ADMIN_PREFIX_SET, .given = RULE_PROBE};
    struct prefix p = sample_prefix(LAN), target = sample_prefix("10.1.0.9/32");

    uint64_t alice = core_rig_begin(&r, "node:\n  routes:\n    ha:\n      settle_time: 600ms\n");
    key = core_rig_key(&r, (struct core_admin){.user_id = alice, .reusable = true});
    for (uint8_t i = 0; i < 2; i++) {
        routers[i] = (struct join){
            .key = key, .name = i ? "r2" : "r1", .machine = (uint8_t)(i + 1), .node = (uint8_t)(i + 1), .route = LAN};
        ids[i] = core_rig_node(&r, &routers[i]);
        core_rig_approve(&r, ids[i], LAN, false);
        core_rig_online(&r, &routers[i]);
    }
    a.rule.probe = target.addr;
    a.rule.probe.bits = target.addr.bits;
    prefixes_add(&a.prefixes, &p);
    core_rig_admin_ok(&r, a);
    core_rig_stop(&r);
    core_rig_start(&r);
    core_rig_online(&r, &routers[1]);
}

static int end(void **state)
{
    (void)state;
    core_rig_end(&r);
    free(key);
    return 0;
}

static void found(bool reached)
{
    core_reach(r.core, &(struct core_reach){.router = ids[0],
                                            .prefix = sample_prefix(LAN),
                                            .target = sample_prefix("10.1.0.9/32").addr,
                                            .reached = reached,
                                            .is_round = true,
                                            .began_ms = clock_mono_ms()});
}

static void who_forwards_keeps_it(void **state)
{
    size_t first = 0, second = 1;
    int64_t later = clock_mono_ms() + 1500;

    (void)state;
    begin();
    found(true);
    /* The settle time passes; something is published after it. */
    while (clock_mono_ms() < later) {
        struct core_admin a = {.op = ADMIN_NODE_RENAME, .id = ids[1], .name = clock_mono_ms() % 2 ? "a" : "b"};
        (void)core_rig_admin(&r, &a);
        core_admin_release(&a);
    }
    core_rig_until(&r, served_by, &first);
    found(false);
    core_rig_until(&r, served_by, &second);
}

static void who_does_not_loses_it_when_the_time_is_over(void **state)
{
    size_t second = 1;
    int64_t never = INT64_MAX;

    (void)state;
    begin();
    core_rig_until(&r, served_by, &second);
    core_rig_until(&r, is_settled, &never);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(who_forwards_keeps_it, end),
        cmocka_unit_test_teardown(who_does_not_loses_it_when_the_time_is_over, end),
    };

    return cmocka_run_group_tests_name("core_carried", tests, NULL, NULL);
}

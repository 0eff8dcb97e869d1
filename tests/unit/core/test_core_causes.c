/* SPDX-License-Identifier: BSD-3-Clause */
/* Who caused a move: the administrator whose change it follows, even after a delay, or nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "shared/core_rig.h"

#define LAN "10.1.0.0/16"

static struct core_rig r;
static char *key;
static struct join routers[2];
static uint64_t ids[2], sessions[2];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t detected;   /* milliseconds, as that entry tells; -1: it does not */
static bool both_families; /* an exit node was approved, in both */
static char *last; /* the newest entry of a move: "ACTOR, TEXT", with a star where it is kept as an administrator's */

static void on_event(void *arg, const struct event *e)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    both_families |= str_starts(e->text, "0.0.0.0/0 and ::/0 were approved on r1");
    pthread_mutex_unlock(&lock);
    if (!str_starts(e->kind, "route.failover") && !str_starts(e->kind, "route.served") &&
        !str_starts(e->kind, "route.unserved"))
        return;
    pthread_mutex_lock(&lock);
    free(last);
    const char *found = e->detail ? strstr(e->detail, "\"detectionMs\":") : NULL;
    detected = found ? strtoll(strchr(found, ':') + 1, NULL, 10) : -1;
    last = mem_format("%s%s, %s", e->actor, e->by_admin ? "*" : "", e->text);
    pthread_mutex_unlock(&lock);
}

/* The first router serves; both are approved, by an administrator whom no test is about. */
static void begin(const char *extra)
{
    core_rig_prepare(&r, extra);
    core_rig_start(&r);
    core_listen(r.core, &(struct core_listener){.event = on_event});
    uint64_t alice = core_rig_user(&r, "alice");
    key = core_rig_key(&r, (struct core_admin){.user_id = alice, .reusable = true});
    for (uint8_t i = 0; i < 2; i++) {
        routers[i] = (struct join){
            .key = key, .name = i ? "r2" : "r1", .machine = (uint8_t)(i + 1), .node = (uint8_t)(i + 1), .route = LAN};
        ids[i] = core_rig_node(&r, &routers[i]);
        core_rig_approve(&r, ids[i], LAN, false);
        sessions[i] = core_rig_online(&r, &routers[i]);
    }
}

static int end(void **state)
{
    (void)state;
    core_rig_end(&r);
    free(key);
    free(last);
    key = last = NULL;
    return 0;
}

/* Entries are delivered once they are durable. */
static void expect(const char *entry)
{
    bool same = false;

    for (int64_t stop = clock_mono_ms() + 20000; !same && clock_mono_ms() < stop;) {
        sched_yield();
        pthread_mutex_lock(&lock);
        same = last && strcmp(last, entry) == 0;
        pthread_mutex_unlock(&lock);
    }
    if (!same)
        fail_msg("wanted '%s', is '%s'", entry, last ? last : "nothing");
}

static void by_ann(struct core_admin a)
{
    a.actor = "ann";
    core_rig_admin_ok(&r, a);
}

static void with_lan(struct core_admin a)
{
    struct prefix p = sample_prefix(LAN);

    prefixes_add(a.op == ADMIN_ROUTES_EDIT && a.flag ? &a.revoke : &a.prefixes, &p);
    a.flag = false;
    by_ann(a);
}

static void set_rule(enum route_failback failback, bool keep, int64_t hold_down_ms)
{
    with_lan((struct core_admin){.op = ADMIN_PREFIX_SET,
                                 .rule = {.failback = failback,
                                          .keep = keep ? PREFIX_KEEP : PREFIX_WITHDRAW,
                                          .hold_down_ns = hold_down_ms * 1000000},
                                 .given = RULE_FAILBACK | RULE_KEEP | RULE_HOLD_DOWN | RULE_FAILBACK_DELAY});
}

static void prioritise(size_t i, uint64_t priority)
{
    by_ann((struct core_admin){.op = ADMIN_NODE_PRIORITY, .id = ids[i], .number = priority});
}

static void each_change_names_its_administrator(void **state)
{
    (void)state;
    begin("");
    expect("server, r1 serves " LAN ": it came online");
    with_lan((struct core_admin){.op = ADMIN_PRIMARY, .id = ids[1]});
    expect("ann*, " LAN " moved from r1 to r2: by administrator");
    by_ann((struct core_admin){.op = ADMIN_NODE_DRAIN, .id = ids[1], .flag = true});
    expect("ann*, " LAN " moved from r2 to r1: drained");
    by_ann((struct core_admin){.op = ADMIN_NODE_DRAIN, .id = ids[1]});
    set_rule(FAILBACK_PRIORITY, false, 0);
    prioritise(1, 200);
    expect("ann*, " LAN " moved from r1 to r2: higher priority");
    prioritise(0, 250);
    expect("ann*, " LAN " moved from r2 to r1: higher priority");
    prioritise(1, 250);
    prioritise(1, 100);
    set_rule(FAILBACK_OLDEST, false, 0);
    with_lan((struct core_admin){.op = ADMIN_PRIMARY, .id = ids[1]});
    expect("ann*, " LAN " moved from r1 to r2: by administrator");
    with_lan((struct core_admin){.op = ADMIN_ROUTES_EDIT, .id = ids[1], .flag = true});
    expect("ann*, " LAN " moved from r2 to r1: approval revoked");
    with_lan((struct core_admin){.op = ADMIN_ROUTES_EDIT, .id = ids[0], .flag = true});
    expect("ann*, Nobody serves " LAN " any more: r1 approval revoked");
    with_lan((struct core_admin){.op = ADMIN_ROUTES_EDIT, .id = ids[1]});
    expect("ann*, r2 serves " LAN ": it was approved");
    by_ann((struct core_admin){.op = ADMIN_NODE_EXPIRE, .id = ids[1]});
    expect("ann*, Nobody serves " LAN " any more: r2 expired");
    by_ann((struct core_admin){.op = ADMIN_NODE_EXPIRE, .id = ids[1], .flag = true});
    expect("ann*, r2 serves " LAN ": it has a valid key again");
    by_ann((struct core_admin){.op = ADMIN_NODE_DELETE, .id = ids[1]});
    expect("ann*, Nobody serves " LAN " any more: a deleted node deleted");
}

static void a_policy_names_who_set_it(void **state)
{
    (void)state;
    begin("");
    with_lan((struct core_admin){.op = ADMIN_ROUTES_EDIT, .id = ids[0], .flag = true});
    expect("ann*, " LAN " moved from r1 to r2: approval revoked");
    core_rig_approve(&r, ids[1], LAN, true);
    expect("tester*, Nobody serves " LAN " any more: r2 approval revoked");
    routers[1] = (struct join){.key = key, .name = "r3", .machine = 3, .node = 3, .route = LAN};
    (void)core_rig_node(&r, &routers[1]);
    (void)core_rig_online(&r, &routers[1]);
    by_ann((struct core_admin){.op = ADMIN_POLICY_SET,
                               .text = "{\"autoApprovers\":{\"routes\":{\"10.0.0.0/8\":[\"alice@\"]}}}"});
    expect("ann*, r3 serves " LAN ": it was approved");
}

static void a_device_that_is_put_out_names_who_did(void **state)
{
    (void)state;
    begin("");
    by_ann((struct core_admin){.op = ADMIN_NODE_AUTHORIZE, .id = ids[0]});
    expect("ann*, " LAN " moved from r1 to r2: no longer approved as a device");
}

/* The hold-down of the first move ends later, by a timer: the second one is still the administrator's. */
static void a_change_that_waits_is_remembered(void **state)
{
    (void)state;
    begin("");
    set_rule(FAILBACK_PRIORITY, false, 300);
    with_lan((struct core_admin){.op = ADMIN_PRIMARY, .id = ids[1]});
    expect("ann*, " LAN " moved from r1 to r2: by administrator");
    core_session_end(r.core, sessions[1], SESSION_SILENT);
    expect("server, " LAN " moved from r2 to r1: went offline");
    sessions[1] = core_rig_online(&r, &routers[1]);
    prioritise(1, 200);
    expect("ann*, " LAN " moved from r1 to r2: higher priority");
}

static void what_routers_do_is_nobodys(void **state)
{
    (void)state;
    begin("");
    set_rule(FAILBACK_PRIORITY, false, 0);
    prioritise(0, 200);
    core_session_health(r.core, sessions[0], false, 0);
    expect("server, " LAN " moved from r1 to r2: answers no probe");
    core_session_health(r.core, sessions[0], true, 0);
    expect("server, " LAN " moved from r2 to r1: higher priority");
    core_session_end(r.core, sessions[0], SESSION_SILENT);
    expect("server, " LAN " moved from r1 to r2: went offline");
    sessions[0] = core_rig_online(&r, &routers[0]);
    expect("server, " LAN " moved from r2 to r1: higher priority");
    routers[0].route = "10.2.0.0/16";
    core_rig_online(&r, &routers[0]);
    expect("server, " LAN " moved from r1 to r2: withdrawn");
}

static void against(size_t router, int64_t began_ms, bool reached)
{
    core_reach(r.core, &(struct core_reach){.router = ids[router],
                                            .prefix = sample_prefix(LAN),
                                            .target = sample_prefix("10.1.0.9/32").addr,
                                            .reached = reached,
                                            .began_ms = began_ms,
                                            .evidence = "two helpers tried"});
}

/* What a probe finds is told from the first one that was lost, also where the move comes later. */
static void a_lost_probe_is_told_from_the_first(void **state)
{
    (void)state;
    begin("");
    core_session_health(r.core, sessions[0], false, clock_mono_ms() - 4200);
    expect("server, " LAN " moved from r1 to r2: answers no probe");
    assert_in_range(detected, 4200, 60000);
    core_session_health(r.core, sessions[0], true, 0);
    against(1, clock_mono_ms() - 7300, false);
    expect("server, " LAN " moved from r2 to r1: does not forward, its probe target does not answer");
    assert_in_range(detected, 7300, 60000);
    core_session_health(r.core, sessions[0], false, 0);
    against(1, 0, true);
    expect("server, " LAN " moved from r1 to r2: answers no probe");
    assert_int_equal(detected, -1);
}

/* Either exit route stands for both, and the journal says that. */
static void an_exit_node_is_approved_in_both_families(void **state)
{
    (void)state;
    begin("");
    both_families = false;
    core_rig_approve(&r, ids[0], "0.0.0.0/0", false);
    bool said = false;
    for (int64_t stop = clock_mono_ms() + 20000; !said && clock_mono_ms() < stop;) {
        sched_yield();
        pthread_mutex_lock(&lock);
        said = both_families;
        pthread_mutex_unlock(&lock);
    }
    assert_true(said);
}

static void within_a_group_it_is_the_same(void **state)
{
    static const char policy[] =
        "{\"tagOwners\":{\"tag:a\":[\"alice@\"]},"
        "\"grants\":[{\"src\":[\"alice@\"],\"dst\":[\"" LAN "\"],\"via\":[\"tag:a\"],\"ip\":[\"*\"]}]}";

    (void)state;
    begin("");
    by_ann((struct core_admin){.op = ADMIN_POLICY_SET, .text = policy});
    for (size_t i = 2; i-- > 0;) {
        struct core_admin a = {.op = ADMIN_NODE_TAGS, .id = ids[i]};
        strs_push(&a.tags, "tag:a");
        by_ann(a);
    }
    expect("ann*, r2 serves " LAN " via tag:a: it has the tag now");
    core_session_end(r.core, sessions[1], SESSION_SILENT);
    expect("server, " LAN " via tag:a moved from r2 to r1: went offline");
    sessions[1] = core_rig_online(&r, &routers[1]);
    by_ann((struct core_admin){.op = ADMIN_NODE_DRAIN, .id = ids[0], .flag = true});
    expect("ann*, " LAN " via tag:a moved from r1 to r2: drained");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(each_change_names_its_administrator, end),
        cmocka_unit_test_teardown(a_policy_names_who_set_it, end),
        cmocka_unit_test_teardown(a_device_that_is_put_out_names_who_did, end),
        cmocka_unit_test_teardown(a_change_that_waits_is_remembered, end),
        cmocka_unit_test_teardown(what_routers_do_is_nobodys, end),
        cmocka_unit_test_teardown(a_lost_probe_is_told_from_the_first, end),
        cmocka_unit_test_teardown(an_exit_node_is_approved_in_both_families, end),
        cmocka_unit_test_teardown(within_a_group_it_is_the_same, end),
    };

    return cmocka_run_group_tests_name("core_causes", tests, NULL, NULL);
}

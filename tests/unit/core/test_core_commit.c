/* SPDX-License-Identifier: BSD-3-Clause */
/* Which changes share a commit, and which are deferred. */
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
#include "core/decide/liveness.h"
#include "core/state/queue.h"
#include "core/state/slots.h"
#include "core/state/timers.h"
#include "core/state/transaction.h"
#include "core/thread.h"
#include "shared/core_rig.h"

#define CALLS 60

static struct core_rig r;
static uint64_t alice;

static int begin(void **state)
{
    (void)state;
    alice = core_rig_begin(&r, "");
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
    /* Nor by a person's approval of what asked before the key was taken. */
    j = (struct join){.name = "c", .machine = 3, .node = 3};
    assert_int_equal(core_rig_join(&r, &j, &call), REGISTER_URL);
    struct core_admin approve = {.op = ADMIN_REGISTER, .text = call.auth_id, .user_id = bob};
    j.key = of_alice;
    core_rig_node(&r, &j);
    assert_int_equal(core_rig_admin(&r, &approve), ERR_CONFLICT);
    assert_non_null(strstr(approve.call.err.message, "node key already in use by c"));
    core_admin_release(&approve);
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

static void run_expire(struct core_state *s, struct core_call *call)
{
    struct slot *slot = s->slots.items[0];

    slot->expired = true;
    slot_mark(s, slot, 0);
    slot_follow_expiry(s, slot);
    tx_answer_soon(s, call, 0);
}

static void run_recheck(struct core_state *s, struct core_call *call)
{
    timer_set(s, clock_mono_ms(), TIMER_EXPIRY, s->slots.items[0]);
    tx_answer_soon(s, call, 0);
}

static void in_core(void (*run)(struct core_state *s, struct core_call *call))
{
    struct core_call call = {0};
    struct core_rig_answer a;

    core_rig_expect(&a, &call);
    queue_post(&r.core->state.queue, &call, run);
    core_rig_await(&a, &call);
}

static bool is_online(const struct tailnet_snapshot *s, void *arg)
{
    const struct tailnet_node *n = snapshot_node_by_id(s, *(uint64_t *)arg);
    return !n->expired && n->live.online;
}

/* As after a clock that was ahead for a while. */
static void an_expiry_is_taken_back_when_the_clock_is(void **state)
{
    char *key = core_rig_key(&r, (struct core_admin){.user_id = alice});
    struct join j = {
        .key = key, .name = "a", .machine = 1, .node = 1, .expiry_ns = clock_wall_ns() + 3600 * NS_PER_SECOND};
    uint64_t id = core_rig_node(&r, &j);

    (void)state;
    (void)core_rig_online(&r, &j);
    in_core(run_expire);
    core_rig_until(&r, is_expired, &id);
    in_core(run_recheck);
    core_rig_until(&r, is_online, &id);
    free(key);
}

static void update(bool routes)
{
    struct core_map m = {.info = {.hostname = "router", .source = "192.0.2.1:1"}};

    memset(m.machine_key, 1, KEY_LEN);
    memset(m.node_key, 1, KEY_LEN);
    for (int i = 0; routes && i < 100; i++) {
        char text[24];
        snprintf(text, sizeof(text), "10.%d.0.0/16", i);
        struct prefix p = sample_prefix(text);
        prefixes_add(&m.info.routes, &p);
    }
    assert_int_equal(core_rig_map(r.core, &m), 0);
    prefixes_release(&m.info.routes);
}

static size_t count_events(const char *kind, char **detail)
{
    struct event **events = NULL;
    size_t count = 0, found = 0;
    struct err e;

    assert_int_equal(store_events(r.store.store, 0, 0, 0, 10000, &events, &count, NULL, &e), 0);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(events[i]->kind, kind) == 0) {
            found++;
            mem_replace(detail, events[i]->detail);
        }
        record_unref(events[i]);
    }
    free(events);
    return found;
}

/* One entry names all routes of an update; a client that changes its mind without end fills no journal. */
static void a_client_does_not_fill_the_journal(void **state)
{
    char *key = core_rig_key(&r, (struct core_admin){.user_id = alice}), *detail = NULL;

    (void)state;
    core_rig_node(&r, &(struct join){.key = key, .name = "router", .machine = 1, .node = 1});
    update(true);
    assert_int_equal(count_events("route.advertised", &detail), 1);
    assert_non_null(strstr(detail ? detail : "", "\"10.0.0.0/16\""));
    assert_non_null(strstr(detail ? detail : "", "\"10.99.0.0/16\""));
    for (int i = 0; i < 150; i++)
        update(i % 2 == 1);
    assert_in_range(count_events("route.advertised", &detail) + count_events("route.withdrawn", &detail), 40, 70);
    /* What an administrator does is told whatever the node did before. */
    struct core_admin a = {.op = ADMIN_NODE_RENAME, .id = 1, .name = "b"};
    assert_int_equal(core_rig_admin(&r, &a), 0);
    assert_int_equal(a.events.len, 1);
    core_admin_release(&a);
    free(detail);
    free(key);
}

static bool is_noted(const struct tailnet_snapshot *s, void *arg)
{
    const struct node *n = snapshot_node_by_id(s, *(uint64_t *)arg)->record;

    return n->expiry_ns && n->expiring_ns == n->expiry_ns;
}

/* Once for each end, whatever else happens to the node. */
static void the_last_day_of_a_key_is_said_once(void **state)
{
    char *key = core_rig_key(&r, (struct core_admin){.user_id = alice}), *detail = NULL;

    (void)state;
    uint64_t id = core_rig_node(&r, &(struct join){.key = key, .name = "a", .machine = 1, .node = 1});
    for (size_t i = 1; i <= 2; i++) {
        int64_t end = clock_wall_ns() + (int64_t)i * 3600 * NS_PER_SECOND;
        core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_EXPIRE, .id = id, .time_ns = end});
        core_rig_until(&r, is_noted, &id);
        core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_RENAME, .id = id, .name = i == 1 ? "b" : "c"});
        core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_EXPIRE, .id = id, .time_ns = end});
        assert_int_equal(count_events("node.expiring", &detail), i);
    }
    free(detail);
    free(key);
}

static void texts_are_cut_between_characters(void **state)
{
    static const struct {
        const char *text, *whole;
    } cases[] = {{"ab", "ab"},           {"", ""},
                 {"a\xc3", "a"},         {"a\xc3\xa4", "a\xc3\xa4"},
                 {"\xe2\x82", ""},       {"\xe2\x82\xac", "\xe2\x82\xac"},
                 {"x\xf0\x9f\x98", "x"}, {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"}};
    char name[256];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char text[16];
        snprintf(text, sizeof(text), "%s", cases[i].text);
        text_end_whole(text);
        assert_string_equal(text, cases[i].whole);
    }
    /* An entry of the journal whose sentence is longer than its place. */
    for (size_t shift = 0; shift < 3; shift++) {
        memset(name, 'n', sizeof(name));
        for (size_t i = shift; i + 3 <= 252; i += 3)
            memcpy(name + i, "\xe2\x82\xac", 3);
        name[252] = '\0';
        uint64_t id = core_rig_user(&r, name);
        memcpy(name, "m", 1);
        if (shift == 0)
            memcpy(name, "mmm", 3);
        core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_USER_RENAME, .id = id, .name = name});
    }
    struct event **events = NULL;
    size_t count = 0;
    assert_int_equal(store_events(r.store.store, 0, 0, 0, 100, &events, &count, NULL, NULL), 0);
    assert_true(count > 6);
    for (size_t i = 0; i < count; i++) {
        assert_true(str_utf8(events[i]->text, strlen(events[i]->text)));
        record_unref(events[i]);
    }
    free(events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_refused_write_refuses_nobody_else_s, begin, end),
        cmocka_unit_test_setup_teardown(a_foreign_node_key_reaches_no_store, begin, end),
        cmocka_unit_test_setup_teardown(a_node_has_one_timer_a_kind, begin, end),
        cmocka_unit_test_setup_teardown(an_expiry_is_taken_back_when_the_clock_is, begin, end),
        cmocka_unit_test_setup_teardown(a_client_does_not_fill_the_journal, begin, end),
        cmocka_unit_test_setup_teardown(the_last_day_of_a_key_is_said_once, begin, end),
        cmocka_unit_test_setup_teardown(texts_are_cut_between_characters, begin, end),
    };
    return cmocka_run_group_tests_name("core_commit", tests, NULL, NULL);
}

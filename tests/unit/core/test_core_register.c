/* SPDX-License-Identifier: BSD-3-Clause */
/* Who may register, as what, with which name and address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "shared/core_rig.h"

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

static char *key_of_alice(bool reusable)
{
    return core_rig_key(&r, (struct core_admin){.user_id = alice, .reusable = reusable});
}

static void refused(const struct join *j, const char *why)
{
    struct core_register call;

    assert_int_equal(core_rig_join(&r, j, &call), REGISTER_REFUSED);
    if (!strstr(call.call.err.message, why))
        fail_msg("'%s' does not say '%s'", call.call.err.message, why);
}

static void a_key_makes_a_node_with_name_and_addresses(void **state)
{
    const struct tailnet_snapshot *s;
    char text[PREFIX_TEXT_MAX], *key = key_of_alice(true);

    (void)state;
    uint64_t one = core_rig_node(&r, &(struct join){.key = key, .name = "Web Server.local", .machine = 1, .node = 1});
    uint64_t two = core_rig_node(&r, &(struct join){.key = key, .name = "web-server", .machine = 2, .node = 2});
    const struct tailnet_node *n = core_rig_look(&r, one, &s);
    assert_string_equal(n->record->given_name, "web-server");
    assert_string_equal(addr_format(&n->record->ipv4, text), "100.64.0.1");
    assert_int_equal(n->record->user_id, alice);
    assert_string_equal(n->user->name, "alice");
    n = snapshot_node_by_id(s, two);
    assert_string_equal(n->record->given_name, "web-server-1");
    assert_string_equal(addr_format(&n->record->ipv4, text), "100.64.0.2");
    tailnet_unpin(s);
    free(key);
}

static void a_key_is_used_once_and_a_container_restarts(void **state)
{
    char *key = key_of_alice(false);
    struct join first = {.key = key, .name = "c", .machine = 1, .node = 1};

    (void)state;
    uint64_t id = core_rig_node(&r, &first);
    assert_int_equal(core_rig_node(&r, &first), id);
    refused(&(struct join){.key = key, .name = "d", .machine = 2, .node = 2}, "authkey already used");
    refused(&(struct join){.key = "hskey-auth-0123456789ab-00", .name = "d", .machine = 2, .node = 2},
            "invalid pre auth key");
    refused(&(struct join){.key = key, .name = "thief", .machine = 2, .node = 1}, "another machine");
    free(key);
}

static void expired_and_revoked_keys_are_refused(void **state)
{
    char *old = core_rig_key(&r, (struct core_admin){.user_id = alice, .time_ns = 1}), *key = key_of_alice(true);

    (void)state;
    refused(&(struct join){.key = old, .name = "a", .machine = 1, .node = 1}, "authkey expired");
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_PREAUTHKEY_EXPIRE, .id = 2});
    refused(&(struct join){.key = key, .name = "a", .machine = 1, .node = 1}, "authkey");
    free(old);
    free(key);
}

static void a_tagged_key_makes_a_tagged_node(void **state)
{
    struct core_admin with = {.reusable = true};
    const struct tailnet_snapshot *s;

    (void)state;
    strs_push(&with.tags, "tag:web");
    char *key = core_rig_key(&r, with);
    uint64_t id = core_rig_node(&r, &(struct join){.key = key, .name = "a", .machine = 1, .node = 1});
    const struct tailnet_node *n = core_rig_look(&r, id, &s);
    assert_int_equal(n->record->user_id, 0);
    assert_int_equal(n->record->expiry_ns, 0);
    assert_true(strs_has(&n->record->tags, "tag:web"));
    tailnet_unpin(s);
    refused(&(struct join){.key = key, .name = "b", .machine = 2, .node = 2, .tag = "tag:db"}, "tag:db");
    free(key);
}

static void tag_owners_say_who_may_ask_for_a_tag(void **state)
{
    const struct tailnet_snapshot *s;
    uint64_t bob = core_rig_user(&r, "bob");
    char *of_alice = key_of_alice(true), *of_bob = core_rig_key(&r, (struct core_admin){.user_id = bob});

    (void)state;
    refused(&(struct join){.key = of_alice, .name = "a", .machine = 1, .node = 1, .tag = "tag:web"}, "tag:web");
    core_rig_admin_ok(&r,
                      (struct core_admin){.op = ADMIN_POLICY_SET,
                                          .text = "{\"tagOwners\":{\"tag:web\":[\"alice@\"]},"
                                                  "\"autoApprovers\":{\"routes\":{\"10.0.0.0/8\":[\"tag:web\"]}}}"});
    refused(&(struct join){.key = of_bob, .name = "b", .machine = 2, .node = 2, .tag = "tag:web"}, "tag:web");
    uint64_t id = core_rig_node(
        &r, &(struct join){
                .key = of_alice, .name = "a", .machine = 1, .node = 1, .tag = "tag:web", .route = "10.1.0.0/16"});
    const struct tailnet_node *n = core_rig_look(&r, id, &s);
    struct prefix p = sample_prefix("10.1.0.0/16");
    assert_true(strs_has(&n->record->tags, "tag:web"));
    assert_true(prefixes_has(&n->record->approved, &p)); /* in the first state that anybody sees */
    tailnet_unpin(s);
    free(of_alice);
    free(of_bob);
}

static void another_node_key_is_the_same_node(void **state)
{
    char *key = key_of_alice(true);
    struct core_register call;

    (void)state;
    uint64_t id = core_rig_node(&r, &(struct join){.key = key, .name = "a", .machine = 1, .node = 1});
    assert_int_equal(core_rig_node(&r, &(struct join){.key = key, .name = "a", .machine = 1, .node = 9}), id);
    assert_int_equal(core_rig_join(&r, &(struct join){.name = "a", .machine = 1, .node = 9}, &call), REGISTER_DONE);
    assert_int_equal(core_rig_join(&r, &(struct join){.name = "a", .machine = 1, .node = 1}, &call), REGISTER_URL);
    free(key);
}

static void a_logout_asks_for_another_login(void **state)
{
    char *key = key_of_alice(true);
    struct core_register call;
    struct join a = {.key = key, .name = "a", .machine = 1, .node = 1};
    const struct tailnet_snapshot *s;

    (void)state;
    uint64_t id = core_rig_node(&r, &a);
    a.key = NULL;
    a.expiry_ns = 1;
    assert_int_equal(core_rig_join(&r, &a, &call), REGISTER_EXPIRED);
    assert_true(core_rig_look(&r, id, &s)->record->logged_out);
    tailnet_unpin(s);
    a.expiry_ns = 0;
    assert_int_equal(core_rig_join(&r, &a, &call), REGISTER_EXPIRED);
    a.key = key;
    a.node = 2;
    assert_int_equal(core_rig_node(&r, &a), id);
    assert_false(core_rig_look(&r, id, &s)->record->logged_out);
    tailnet_unpin(s);
    free(key);
}

/* Its node was deleted meanwhile, say: nothing is made only to be logged out. */
static void a_logout_of_nobody_asks_for_nothing(void **state)
{
    char *key = key_of_alice(false);
    struct join a = {.key = key, .name = "a", .machine = 1, .node = 1, .expiry_ns = 1};
    struct core_register reply;

    (void)state;
    assert_int_equal(core_rig_join(&r, &a, &reply), REGISTER_EXPIRED);
    assert_int_equal(reply.node_id, 0);
    a.expiry_ns = 0;
    core_rig_node(&r, &a); /* the key was not used up */
    struct join b = {.name = "b", .machine = 2, .node = 2, .expiry_ns = 1};
    assert_int_equal(core_rig_join(&r, &b, &reply), REGISTER_EXPIRED);
    free(key);
}

static void a_key_may_be_shortened_and_not_extended(void **state)
{
    char *key = key_of_alice(true);
    struct join a = {.key = key, .name = "a", .machine = 1, .node = 1, .expiry_ns = clock_wall_ns() + 3600000000000};

    (void)state;
    core_rig_node(&r, &a);
    a.key = NULL;
    a.expiry_ns -= 1000000000;
    core_rig_node(&r, &a);
    a.expiry_ns += 2000000000;
    refused(&a, "extending key is not allowed");
    free(key);
}

/* ---- with a person ---- */

static void answered(struct core_call *call)
{
    sem_post(call->owner);
}

static void a_person_decides(void **state)
{
    struct core_register asked, waits = {.info = {.hostname = "laptop", .source = "192.0.2.1:1"}};
    struct join laptop = {.name = "laptop", .machine = 1, .node = 1};
    sem_t decided;

    (void)state;
    sem_init(&decided, 0, 0);
    assert_int_equal(core_rig_join(&r, &laptop, &asked), REGISTER_URL);
    struct core_register again;
    assert_int_equal(core_rig_join(&r, &laptop, &again), REGISTER_URL);
    assert_string_equal(again.auth_id, asked.auth_id);
    memset(waits.machine_key, 1, KEY_LEN);
    memset(waits.node_key, 1, KEY_LEN);
    waits.followup = asked.auth_id;
    waits.call.done = answered;
    waits.call.owner = &decided;
    core_register(r.core, &waits);
    struct core_admin nobody = {.op = ADMIN_REGISTER, .text = asked.auth_id, .name = "carol"};
    assert_int_equal(core_rig_admin(&r, &nobody), ERR_MISSING);
    core_admin_release(&nobody);
    core_rig_admin_ok(
        &r, (struct core_admin){.op = ADMIN_REGISTER, .text = asked.auth_id, .name = "alice", .dry_run = true});
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_REGISTER, .text = asked.auth_id, .name = "alice"});
    sem_wait(&decided);
    assert_int_equal(waits.result, REGISTER_DONE);
    assert_string_equal(waits.user->name, "alice");
    record_unref(waits.user);

    laptop.machine = laptop.node = 2;
    assert_int_equal(core_rig_join(&r, &laptop, &asked), REGISTER_URL);
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_AUTH_REJECT, .text = asked.auth_id});
    laptop.followup = asked.auth_id;
    assert_int_equal(core_rig_join(&r, &laptop, &again), REGISTER_URL);
    assert_string_not_equal(again.auth_id, asked.auth_id);

    waits = (struct core_register){.followup = again.auth_id, .info = waits.info};
    memset(waits.machine_key, 2, KEY_LEN);
    memset(waits.node_key, 2, KEY_LEN);
    waits.call.done = answered;
    waits.call.owner = &decided;
    core_cancel(r.core, core_register(r.core, &waits));
    sem_wait(&decided);
    assert_int_equal(waits.call.code, ERR_GONE);
    sem_destroy(&decided);
}

/* ---- addresses ---- */

static int begin_narrow(void **state)
{
    (void)state;
    alice = core_rig_begin(&r, "prefixes:\n  v4: 100.64.0.0/29\n  v6: fd7a:115c:a1e0::/48\n");
    return 0;
}

static int ask(unsigned machine, const char *source)
{
    struct core_register q = {.info = {.hostname = "x", .source = source}};

    memset(q.machine_key, (int)(machine >> 8) + 1, KEY_LEN);
    q.machine_key[0] = (uint8_t)machine;
    memcpy(q.node_key, q.machine_key, KEY_LEN);
    return core_rig_register(r.core, &q) == 0 && q.result == REGISTER_URL ? 0 : ERR_BUSY;
}

/* An IPv6 /64 is one subscriber: it does not fill the table for everybody else. */
static void registrations_that_wait_are_counted_by_source(void **state)
{
    char source[64];
    unsigned taken = 0;

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        snprintf(source, sizeof(source), "[2001:db8:0:1:%x::%x]:%u", i, i * 7, i + 1);
        taken += ask(100 + i, source) == 0;
    }
    assert_int_equal(taken, 64);
    assert_int_equal(ask(250, "[2001:db8:0:2::1]:1"), 0);
    assert_int_equal(ask(251, "192.0.2.7:1"), 0);
}

/* Nor does a site, which has 65,536 of them. */
static void and_by_site(void **state)
{
    char source[64];
    unsigned taken = 0;

    (void)state;
    for (unsigned i = 0; i < 400; i++) {
        snprintf(source, sizeof(source), "[2001:db8:1:%x::1]:%u", i, i + 1);
        taken += ask(i, source) == 0;
    }
    assert_int_equal(taken, 256); /* of 1,024 */
    assert_int_equal(ask(500, "[2001:db8:2::1]:1"), 0);
    assert_int_equal(ask(501, "192.0.2.7:1"), 0);
}

/* Whoever brings up a hundred machines behind one address, and approves them, waits for nobody. */
static void who_was_decided_upon_waits_no_more(void **state)
{
    (void)state;
    for (uint8_t i = 1; i <= 200; i++) {
        struct join j = {.name = "x", .machine = i, .node = i};
        struct core_register asked;
        enum register_result result = core_rig_join(&r, &j, &asked);
        if (result != REGISTER_URL)
            fail_msg("%u: %s", i, asked.call.err.message);
        core_rig_admin_ok(&r, (struct core_admin){.op = i % 2 ? ADMIN_REGISTER : ADMIN_AUTH_REJECT,
                                                  .text = asked.auth_id,
                                                  .name = i % 2 ? "alice" : NULL});
    }
}

static int begin_small(void **state)
{
    (void)state;
    alice = core_rig_begin(&r, "tuning:\n  register_cache_max_entries: 8\n");
    return 0;
}

/* Verdicts are kept for whoever comes late, within the bound. */
static void verdicts_are_kept_within_the_bound(void **state)
{
    struct join first = {.name = "x", .machine = 1, .node = 1}, last = {.name = "x", .machine = 30, .node = 30};
    struct core_register asked, again;
    char ids[31][AUTH_ID_LEN + 1];

    (void)state;
    for (uint8_t i = 1; i <= 30; i++) {
        struct join j = {.name = "x", .machine = i, .node = i};
        assert_int_equal(core_rig_join(&r, &j, &asked), REGISTER_URL);
        memcpy(ids[i], asked.auth_id, sizeof(ids[i]));
        core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_REGISTER, .text = ids[i], .name = "alice"});
    }
    last.followup = ids[30];
    assert_int_equal(core_rig_join(&r, &last, &again), REGISTER_DONE);
    first.followup = ids[1]; /* forgotten; its node is known all the same */
    assert_int_equal(core_rig_join(&r, &first, &again), REGISTER_DONE);
    for (uint8_t i = 100; i < 108; i++)
        assert_int_equal(ask(i, "192.0.2.7:1"), 0);
    assert_int_equal(ask(109, "192.0.2.7:1"), ERR_BUSY);
}

static void addresses_run_out_and_come_back_late(void **state)
{
    char *key = key_of_alice(true);
    uint64_t ids[16] = {0};
    uint8_t count = 0;
    const struct tailnet_snapshot *s;
    struct core_register call;

    (void)state;
    for (; count < 16; count++) {
        struct join j = {.key = key, .name = "a", .machine = (uint8_t)(count + 1), .node = (uint8_t)(count + 1)};
        if (core_rig_join(&r, &j, &call) != REGISTER_DONE)
            break;
        ids[count] = call.node_id;
    }
    assert_int_equal(count, 6); /* all but the two edges */
    assert_non_null(strstr(call.call.err.message, "no free address is left in 100.64.0.0/29"));
    struct addr second = core_rig_look(&r, ids[1], &s)->record->ipv4,
                fifth = snapshot_node_by_id(s, ids[4])->record->ipv4;
    tailnet_unpin(s);
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_DELETE, .id = ids[1]});
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_DELETE, .id = ids[4]});
    uint64_t x = core_rig_node(&r, &(struct join){.key = key, .name = "x", .machine = 50, .node = 50});
    struct addr got = core_rig_look(&r, x, &s)->record->ipv4; /* better a late neighbour's than none */
    assert_true(addr_eq(&got, &second) || addr_eq(&got, &fifth));
    tailnet_unpin(s);
    free(key);
}

static void a_freed_address_rests(void **state)
{
    char *key = key_of_alice(true);
    const struct tailnet_snapshot *s;
    struct addr last;

    (void)state;
    /* Of six addresses one is freed at once; five more fit before it is given out again. */
    uint64_t id = core_rig_node(&r, &(struct join){.key = key, .name = "a", .machine = 1, .node = 1});
    struct addr freed = core_rig_look(&r, id, &s)->record->ipv4;
    tailnet_unpin(s);
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_DELETE, .id = id});
    for (uint8_t i = 2; i < 8; i++) {
        id = core_rig_node(&r, &(struct join){.key = key, .name = "a", .machine = i, .node = i});
        last = core_rig_look(&r, id, &s)->record->ipv4;
        tailnet_unpin(s);
        assert_int_equal(addr_eq(&last, &freed), i == 7);
    }
    free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_key_makes_a_node_with_name_and_addresses, begin, end),
        cmocka_unit_test_setup_teardown(a_key_is_used_once_and_a_container_restarts, begin, end),
        cmocka_unit_test_setup_teardown(expired_and_revoked_keys_are_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_tagged_key_makes_a_tagged_node, begin, end),
        cmocka_unit_test_setup_teardown(tag_owners_say_who_may_ask_for_a_tag, begin, end),
        cmocka_unit_test_setup_teardown(another_node_key_is_the_same_node, begin, end),
        cmocka_unit_test_setup_teardown(a_logout_asks_for_another_login, begin, end),
        cmocka_unit_test_setup_teardown(a_logout_of_nobody_asks_for_nothing, begin, end),
        cmocka_unit_test_setup_teardown(a_key_may_be_shortened_and_not_extended, begin, end),
        cmocka_unit_test_setup_teardown(a_person_decides, begin, end),
        cmocka_unit_test_setup_teardown(registrations_that_wait_are_counted_by_source, begin, end),
        cmocka_unit_test_setup_teardown(and_by_site, begin, end),
        cmocka_unit_test_setup_teardown(who_was_decided_upon_waits_no_more, begin, end),
        cmocka_unit_test_setup_teardown(verdicts_are_kept_within_the_bound, begin_small, end),
        cmocka_unit_test_setup_teardown(addresses_run_out_and_come_back_late, begin_narrow, end),
        cmocka_unit_test_setup_teardown(a_freed_address_rests, begin_narrow, end),
    };
    return cmocka_run_group_tests_name("core_register", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What survives a restart of the daemon: whoever waits for a decision continues to wait, a login whose answer was lost
 * is repeated, and deleted nodes stay deleted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "shared/core_rig.h"

#define CHECK                                                                                                          \
    "{\"ssh\":[{\"action\":\"check\",\"checkPeriod\":\"1h\",\"src\":[\"alice@\"],\"dst\":[\"autogroup:self\"],"        \
    "\"users\":[\"root\"]}]}"

static struct core_rig r;

static int begin(void **state)
{
    (void)state;
    core_rig_begin(&r, "prefixes:\n  v4: 100.64.0.0/29\n");
    return 0;
}

static int end(void **state)
{
    (void)state;
    core_rig_end(&r);
    return 0;
}

static void restart(void)
{
    core_rig_stop(&r);
    core_rig_start(&r);
}

static size_t waiting(void)
{
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    size_t count = s->pending_count;

    tailnet_unpin(s);
    return count;
}

static bool is_listed(const char *auth_id)
{
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    bool is = snapshot_pending(s, auth_id) != NULL;

    tailnet_unpin(s);
    return is;
}

static void decide(enum admin_op op, const char *auth_id)
{
    core_rig_admin_ok(&r, (struct core_admin){.op = op, .text = auth_id, .name = "alice"});
}

/* ---- registrations ---- */

static const struct join laptop = {.name = "laptop", .machine = 7, .node = 8, .tag = NULL, .route = "10.0.0.0/24"};

static void a_link_goes_on(void **state)
{
    struct join waits = laptop;
    struct core_register asked, again, followup;
    struct core_rig_answer answer;

    (void)state;
    assert_int_equal(core_rig_join(&r, &laptop, &asked), REGISTER_URL);
    restart();
    assert_int_equal(waiting(), 1);
    assert_int_equal(core_rig_join(&r, &laptop, &again), REGISTER_URL);
    assert_string_equal(again.auth_id, asked.auth_id);
    waits.followup = asked.auth_id;
    followup = (struct core_register){.followup = asked.auth_id};
    memset(followup.machine_key, laptop.machine, KEY_LEN);
    memset(followup.node_key, laptop.node, KEY_LEN);
    core_rig_expect(&answer, &followup.call);
    core_register(r.core, &followup);
    decide(ADMIN_REGISTER, asked.auth_id);
    assert_int_equal(core_rig_await(&answer, &followup.call), 0);
    assert_int_equal(followup.result, REGISTER_DONE);
    record_unref(followup.user);
    const struct tailnet_snapshot *s;
    const struct tailnet_node *n = core_rig_look(&r, followup.node_id, &s);
    assert_string_equal(n->record->hostname, "laptop"); /* what it said first */
    assert_int_equal(n->record->available.len, 1);
    tailnet_unpin(s);
    restart();
    assert_int_equal(waiting(), 0);
    assert_int_equal(core_rig_join(&r, &waits, &again), REGISTER_DONE); /* the answer was lost */
}

/* What was decided stays decided: a rejected machine gets no node by asking after a restart. */
static void a_rejection_stays(void **state)
{
    struct join waits = laptop;
    struct core_register asked, again;

    (void)state;
    assert_int_equal(core_rig_join(&r, &laptop, &asked), REGISTER_URL);
    decide(ADMIN_AUTH_REJECT, asked.auth_id);
    restart();
    assert_int_equal(waiting(), 0);
    struct core_admin a = {.op = ADMIN_REGISTER, .text = asked.auth_id, .name = "alice"};
    assert_int_equal(core_rig_admin(&r, &a), ERR_MISSING);
    core_admin_release(&a);
    waits.followup = asked.auth_id;
    assert_int_equal(core_rig_join(&r, &waits, &again), REGISTER_URL);
    assert_string_not_equal(again.auth_id, asked.auth_id);
}

static void another_machine_takes_no_link_over(void **state)
{
    struct join thief = laptop;
    struct core_register asked, stolen;

    (void)state;
    assert_int_equal(core_rig_join(&r, &laptop, &asked), REGISTER_URL);
    restart();
    thief.machine = 9;
    thief.followup = asked.auth_id;
    assert_int_equal(core_rig_join(&r, &thief, &stolen), REGISTER_URL);
    assert_string_not_equal(stolen.auth_id, asked.auth_id);
}

/* In the database as well it ends when its time is over, and takes no place from then on. */
static void what_ended_meanwhile_is_gone(void **state)
{
    struct core_register asked, again;

    (void)state;
    r.config->tuning.register_cache_expiration = 1;
    assert_int_equal(core_rig_join(&r, &laptop, &asked), REGISTER_URL);
    core_rig_stop(&r);
    r.config->tuning.register_cache_expiration = (int64_t)900 * 1000000000;
    core_rig_start(&r);
    assert_int_equal(waiting(), 0);
    assert_int_equal(core_rig_join(&r, &laptop, &again), REGISTER_URL);
    assert_string_not_equal(again.auth_id, asked.auth_id);
    core_rig_stop(&r);
    struct store_image image;
    fixture_open(&r.store);
    fixture_load(r.store.store, &image);
    assert_int_equal(image.pending_count, 1);
    store_image_release(&image);
    core_rig_start(&r);
}

static enum register_result ask_from(const char *source, unsigned number)
{
    struct core_register q = {.info = {.hostname = "bot", .source = source}};

    memcpy(q.machine_key, &number, sizeof(number));
    memcpy(q.node_key, &number, sizeof(number));
    q.machine_key[31] = q.node_key[31] = 1;
    assert_int_equal(core_rig_register(r.core, &q), 0);
    return q.result;
}

/* Nobody gets more places by waiting for a restart. */
static void places_are_counted_over_a_restart(void **state)
{
    unsigned number = 0;

    (void)state;
    while (ask_from("192.0.2.1:1", number) == REGISTER_URL)
        number++;
    restart();
    assert_int_equal(waiting(), number);
    assert_int_equal(ask_from("192.0.2.1:2", 1000), REGISTER_REFUSED);
    assert_int_equal(ask_from("192.0.2.2:1", 1001), REGISTER_URL);
}

/* The store has something against one: nobody was told of its link, and others get theirs. */
static void a_link_that_is_not_stored_is_not_told(void **state)
{
    struct core_rig_answer answers[8];
    struct core_register calls[8];
    size_t told = 0;

    (void)state;
    core_rig_stop(&r);
    fixture_sql(r.store.path, "CREATE TRIGGER t BEFORE INSERT ON pending WHEN NEW.hostname='bad' BEGIN "
                              "SELECT RAISE(FAIL,'chosen'); END;");
    core_rig_start(&r);
    for (size_t i = 0; i < 8; i++) {
        calls[i] = (struct core_register){.info = {.hostname = i == 3 ? "bad" : "good", .source = ""}};
        memset(calls[i].machine_key, (int)i + 1, KEY_LEN);
        memset(calls[i].node_key, (int)i + 1, KEY_LEN);
        core_rig_expect(&answers[i], &calls[i].call);
        core_register(r.core, &calls[i]);
    }
    for (size_t i = 0; i < 8; i++)
        told += core_rig_await(&answers[i], &calls[i].call) == 0 && calls[i].result == REGISTER_URL;
    assert_int_equal(told, 7);
    assert_true(calls[3].call.code < 0);
    assert_int_equal(waiting(), 7);
    for (size_t i = 0; i < 8; i++)
        assert_true(i == 3 || is_listed(calls[i].auth_id));
}

/* ---- Tailscale SSH ---- */

static uint64_t one, two;

static void two_nodes(void)
{
    char *key = core_rig_key(&r, (struct core_admin){.user_id = 1, .reusable = true});

    one = core_rig_node(&r, &(struct join){.key = key, .name = "a", .machine = 1, .node = 1});
    two = core_rig_node(&r, &(struct join){.key = key, .name = "b", .machine = 2, .node = 2});
    free(key);
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_POLICY_SET, .text = CHECK});
}

static struct core_ssh ask_ssh(const char *auth_id)
{
    struct core_ssh q = {.source_id = one, .target_id = two, .user = "root", .auth_id = auth_id};

    assert_int_equal(core_rig_ssh(r.core, &q), 0);
    return q;
}

static void an_ssh_session_goes_on(void **state)
{
    struct core_rig_answer answer;

    (void)state;
    two_nodes();
    struct core_ssh q = ask_ssh(NULL), waits = {.source_id = one, .target_id = two, .user = "root"};
    assert_true(q.undecided);
    restart();
    waits.auth_id = q.new_auth_id;
    core_rig_expect(&answer, &waits.call);
    core_ssh(r.core, &waits);
    decide(ADMIN_AUTH_APPROVE, q.new_auth_id);
    assert_int_equal(core_rig_await(&answer, &waits.call), 0);
    assert_true(waits.accepted);
}

static void a_verdict_about_ssh_stays(void **state)
{
    (void)state;
    two_nodes();
    struct core_ssh q = ask_ssh(NULL);
    decide(ADMIN_AUTH_REJECT, q.new_auth_id);
    restart();
    struct core_ssh again = ask_ssh(q.new_auth_id);
    assert_false(again.accepted);
    assert_false(again.undecided);
    q = ask_ssh(NULL);
    assert_true(q.undecided);
    decide(ADMIN_AUTH_APPROVE, q.new_auth_id);
    restart();
    assert_true(ask_ssh(q.new_auth_id).accepted); /* the answer was lost */
    assert_true(ask_ssh(NULL).accepted);          /* for an hour */
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_POLICY_SET, .text = CHECK "// another\n"});
    restart();
    assert_true(ask_ssh(NULL).undecided);
}

/* A client that got 400 would repeat it for half an hour. */
static void a_question_that_is_gone_is_asked_anew(void **state)
{
    struct core_ssh q, again;

    (void)state;
    two_nodes();
    q = ask_ssh("hskey-authreq-0123456789abcdef01234567");
    assert_true(q.undecided);
    assert_string_not_equal(q.new_auth_id, "hskey-authreq-0123456789abcdef01234567");
    again = ask_ssh("hskey-authreq-0123456789abcdef01234568");
    assert_true(again.undecided);
    assert_string_equal(again.new_auth_id, q.new_auth_id); /* and put once */
    struct core_register asked;
    assert_int_equal(core_rig_join(&r, &laptop, &asked), REGISTER_URL);
    again = ask_ssh(asked.auth_id); /* a registration is no SSH session */
    assert_true(again.undecided);
    assert_string_equal(again.new_auth_id, q.new_auth_id);
}

/* ---- logins and deletions ---- */

static void a_lost_login_is_repeated_after_a_restart(void **state)
{
    char *key = core_rig_key(&r, (struct core_admin){.user_id = 1});
    struct join j = {.key = key, .name = "host", .machine = 50, .node = 51};
    struct core_register call;
    uint64_t id = core_rig_node(&r, &j);

    (void)state;
    restart();
    j.node = 52;
    assert_int_equal(core_rig_node(&r, &j), id);
    j.machine = 53; /* the key is that machine's alone */
    j.node = 54;
    assert_int_equal(core_rig_join(&r, &j, &call), REGISTER_REFUSED);
    assert_string_equal(call.call.err.message, "authkey already used");
    restart();
    core_rig_online(&r, &(struct join){.name = "host", .machine = 50, .node = 52});
    restart();
    j.machine = 50;
    assert_int_equal(core_rig_join(&r, &j, &call), REGISTER_REFUSED);
    assert_string_equal(call.call.err.message, "authkey already used");
    free(key);
}

static void a_deleted_node_stays_deleted(void **state)
{
    char *key = core_rig_key(&r, (struct core_admin){.user_id = 1, .reusable = true});
    uint64_t id = core_rig_node(&r, &(struct join){.key = key, .name = "a", .machine = 1, .node = 1});
    const struct tailnet_snapshot *s;
    struct addr freed = core_rig_look(&r, id, &s)->record->ipv4, last;
    struct core_map m = {0};

    (void)state;
    tailnet_unpin(s);
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_NODE_DELETE, .id = id});
    restart();
    memset(m.machine_key, 1, KEY_LEN);
    memset(m.node_key, 1, KEY_LEN);
    assert_int_equal(core_rig_map(r.core, &m), ERR_GONE);
    /* Of six addresses five more fit before the one that was freed is given out again. */
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
        cmocka_unit_test_setup_teardown(a_link_goes_on, begin, end),
        cmocka_unit_test_setup_teardown(a_rejection_stays, begin, end),
        cmocka_unit_test_setup_teardown(another_machine_takes_no_link_over, begin, end),
        cmocka_unit_test_setup_teardown(what_ended_meanwhile_is_gone, begin, end),
        cmocka_unit_test_setup_teardown(places_are_counted_over_a_restart, begin, end),
        cmocka_unit_test_setup_teardown(a_link_that_is_not_stored_is_not_told, begin, end),
        cmocka_unit_test_setup_teardown(an_ssh_session_goes_on, begin, end),
        cmocka_unit_test_setup_teardown(a_verdict_about_ssh_stays, begin, end),
        cmocka_unit_test_setup_teardown(a_question_that_is_gone_is_asked_anew, begin, end),
        cmocka_unit_test_setup_teardown(a_lost_login_is_repeated_after_a_restart, begin, end),
        cmocka_unit_test_setup_teardown(a_deleted_node_stays_deleted, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

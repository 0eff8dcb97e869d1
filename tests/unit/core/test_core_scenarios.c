/* SPDX-License-Identifier: BSD-3-Clause */
/* Scenarios of the reference on routes, by their numbers, in which the whole core decides: what autoApprovers approve
 * and keep, exit routes as a pair, overlapping streams. Elections alone are tested in test_routes.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "shared/core_rig.h"

enum { NODE_R1, NODE_R3, NODE_X1, NODE_C1, NODES };
static const char *const names[NODES] = {"R1", "R3", "X1", "C1"};
static const char *const tags[NODES] = {"tag:router", "tag:edge", "tag:exit", NULL};

static const struct {
    char letter;
    const char *prefix;
} letters[] = {{'P', "10.0.0.0/24"},   {'Q', "10.0.0.0/16"}, {'W', "10.0.0.0/8"},
               {'H', "10.0.0.128/25"}, {'E', "0.0.0.0/0"},   {'E', "::/0"}};

#define OWNERS       "\"tagOwners\":{\"tag:router\":[\"alice@\"],\"tag:edge\":[\"alice@\"],\"tag:exit\":[\"alice@\"]}"
#define PLAIN        "{" OWNERS "}"
#define ROUTES(what) "{" OWNERS ",\"autoApprovers\":{\"routes\":{" what "}}}"
#define ROUTERS      ROUTES("\"10.0.0.0/16\":[\"tag:router\"]") /* the policy of scenario 36 */

static struct core_rig r;
static char *key;
static uint64_t ids[NODES], session;

static void set_of(const char *text, struct prefixes *out)
{
    for (const char *c = text; *c; c++)
        for (size_t i = 0; i < ARRAY_LEN(letters); i++)
            if (letters[i].letter == *c) {
                struct prefix p = sample_prefix(letters[i].prefix);
                prefixes_add(out, &p);
            }
}

static void text_of(const struct prefixes *set, struct buf *out)
{
    size_t before = out->len;

    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        struct prefix p = sample_prefix(letters[i].prefix);
        if (prefixes_has(set, &p) && !str_eq(letters[i].prefix, "::/0"))
            buf_addf(out, "%s%c", out->len > before ? "," : "", letters[i].letter);
    }
    if (out->len == before)
        buf_adds(out, "-");
}

static void policy(const char *text)
{
    core_rig_admin_ok(&r, (struct core_admin){.op = ADMIN_POLICY_SET, .text = text});
}

static int begin(void **state)
{
    (void)state;
    uint64_t alice = core_rig_begin(&r, "");
    key = core_rig_key(&r, (struct core_admin){.user_id = alice, .reusable = true});
    policy(PLAIN);
    for (unsigned i = 0; i < NODES; i++) {
        const struct join j = {
            .key = key, .name = names[i], .machine = (uint8_t)(i + 1), .node = (uint8_t)(i + 1), .tag = tags[i]};
        ids[i] = core_rig_node(&r, &j);
        session = core_rig_online(&r, &j);
    }
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

static void advertise(int node, const char *what)
{
    struct core_map m = {.info = {.hostname = names[node], .cap_version = 131}};

    memset(m.machine_key, node + 1, KEY_LEN);
    memset(m.node_key, node + 1, KEY_LEN);
    set_of(what, &m.info.routes);
    assert_int_equal(core_rig_map(r.core, &m), 0);
    prefixes_release(&m.info.routes);
}

static void approve(int node, const char *what)
{
    struct core_admin a = {.op = ADMIN_NODE_ROUTES, .id = ids[node]};

    set_of(what, &a.prefixes);
    core_rig_admin_ok(&r, a);
}

static void tag(int node, const char *name)
{
    struct core_admin a = {.op = ADMIN_NODE_TAGS, .id = ids[node]};

    strs_push(&a.tags, name);
    core_rig_admin_ok(&r, a);
}

/* "available/approved/serving" */
static void expect(int node, const char *wanted)
{
    const struct tailnet_snapshot *s;
    const struct tailnet_node *n = core_rig_look(&r, ids[node], &s);
    struct buf is = BUF_INIT(0);
    struct prefixes served = {0};

    prefixes_copy(&served, &n->serving);
    if (node_is_exit(n->record))
        set_of("E", &served);
    text_of(&n->record->available, &is);
    buf_adds(&is, "/");
    text_of(&n->record->approved, &is);
    buf_adds(&is, "/");
    text_of(&served, &is);
    if (!str_eq(buf_text(&is), wanted))
        fail_msg("%s: wanted %s, is %s", names[node], wanted, buf_text(&is));
    prefixes_release(&served);
    buf_release(&is);
    tailnet_unpin(s);
}

static void what_the_policy_approves(void **state)
{
    static const struct {
        int number;
        const char *policy;
        int node;
        const char *advertised, *after;
    } cases[] = {
        {36, ROUTERS, NODE_R1, "P", "P/P/P"},
        {37, ROUTERS, NODE_R1, "W", "W/-/-"}, /* wider than what is named */
        {38, ROUTERS, NODE_R3, "P", "P/-/-"}, /* another tag */
        {39, ROUTES("\"10.0.0.0/24\":[\"alice@\"]"), NODE_C1, "P", "P/P/P"},
        {41, ROUTES("\"0.0.0.0/0\":[\"tag:exit\"]"), NODE_X1, "PE", "P,E/P/P"}, /* all subnets, but no exit */
        {42, "{" OWNERS ",\"autoApprovers\":{\"exitNode\":[\"tag:exit\"]}}", NODE_X1, "PE", "P,E/E/E"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("scenario %d\n", cases[i].number);
        policy(cases[i].policy);
        advertise(cases[i].node, cases[i].advertised);
        expect(cases[i].node, cases[i].after);
        policy(PLAIN);
        approve(cases[i].node, "");
        advertise(cases[i].node, "");
    }
}

/* Scenario 40. */
static void a_new_tag_takes_no_approval_and_gives_none(void **state)
{
    (void)state;
    policy(ROUTES("\"10.0.0.0/24\":[\"alice@\"]"));
    advertise(NODE_C1, "P");
    expect(NODE_C1, "P/P/P");
    tag(NODE_C1, "tag:edge");
    advertise(NODE_C1, "PH");
    expect(NODE_C1, "P,H/P/P");
}

/* Scenarios 43 to 46. */
static void approvals_outlive_the_approver_and_removals_the_policy(void **state)
{
    (void)state;
    policy(ROUTERS);
    advertise(NODE_R1, "P");
    policy(PLAIN); /* 43 */
    expect(NODE_R1, "P/P/P");
    advertise(NODE_R1, "P");
    expect(NODE_R1, "P/P/P");
    approve(NODE_R1, "");
    advertise(NODE_R1, "");

    advertise(NODE_R3, "P");
    expect(NODE_R3, "P/-/-");
    policy(ROUTES("\"10.0.0.0/16\":[\"tag:edge\"]")); /* 44 */
    expect(NODE_R3, "P/P/P");
    approve(NODE_R3, ""); /* 45 */
    expect(NODE_R3, "P/-/-");
    advertise(NODE_R3, "P");
    expect(NODE_R3, "P/-/-");
    policy(ROUTES("\"10.0.0.0/8\":[\"tag:edge\"]")); /* 46 */
    expect(NODE_R3, "P/-/-");
    approve(NODE_R3, "P");
    expect(NODE_R3, "P/P/P");
}

/* Scenario 47. */
static void a_tag_that_an_administrator_gives_approves_at_once(void **state)
{
    (void)state;
    policy(ROUTERS);
    advertise(NODE_C1, "P");
    expect(NODE_C1, "P/-/-");
    tag(NODE_C1, "tag:router");
    expect(NODE_C1, "P/P/P");
}

/* Scenario 48. */
static void an_approver_that_is_not_defined_refuses_the_policy(void **state)
{
    struct core_admin a = {.op = ADMIN_POLICY_SET, .text = ROUTES("\"10.0.0.0/16\":[\"tag:nobody\"]")};

    (void)state;
    policy(ROUTERS);
    assert_true(core_rig_admin(&r, &a) < 0);
    core_admin_release(&a);
    advertise(NODE_R1, "P");
    expect(NODE_R1, "P/P/P"); /* the old one is in force */
}

/* Scenarios 22 to 25: either family stands for both. */
static void exit_routes_are_approved_as_a_pair(void **state)
{
    static const char *const each[] = {"0.0.0.0/0", "::/0"};

    (void)state;
    advertise(NODE_X1, "E");
    expect(NODE_X1, "E/-/-");
    for (size_t i = 0; i < ARRAY_LEN(each); i++) {
        struct core_admin a = {.op = ADMIN_NODE_ROUTES, .id = ids[NODE_X1]};
        struct prefix p = sample_prefix(each[i]);
        const struct tailnet_snapshot *s;
        prefixes_add(&a.prefixes, &p);
        core_rig_admin_ok(&r, a);
        expect(NODE_X1, "E/E/E");
        assert_int_equal(core_rig_look(&r, ids[NODE_X1], &s)->record->approved.len, 2);
        tailnet_unpin(s);
        approve(NODE_X1, "");
        expect(NODE_X1, "E/-/-");
    }
}

/* Scenarios 17 and 21: the node was online all the time, so it serves all the time. */
static void a_second_stream_takes_over_from_the_first(void **state)
{
    const struct join j = {.key = key, .name = "C1", .machine = NODE_C1 + 1, .node = NODE_C1 + 1};
    const struct tailnet_snapshot *s;

    (void)state;
    advertise(NODE_C1, "P");
    approve(NODE_C1, "P");
    expect(NODE_C1, "P/P/P");
    const struct tailnet_node *n = core_rig_look(&r, ids[NODE_C1], &s);
    int64_t since = n->live.since_ns;
    tailnet_unpin(s);
    struct core_map m = {.stream = true, .info = {.hostname = j.name, .cap_version = 131}};
    memset(m.machine_key, j.machine, KEY_LEN);
    memset(m.node_key, j.node, KEY_LEN);
    set_of("P", &m.info.routes);
    assert_int_equal(core_rig_map(r.core, &m), 0);
    core_session_end(r.core, session, SESSION_CLOSED);
    advertise(NODE_R1, "Q"); /* something that is published later */
    expect(NODE_C1, "P/P/P");
    n = core_rig_look(&r, ids[NODE_C1], &s);
    assert_true(n->live.online);
    assert_int_equal(n->live.since_ns, since);
    tailnet_unpin(s);
    core_session_end(r.core, m.session, SESSION_SILENT); /* the last one */
    advertise(NODE_R1, "P");
    expect(NODE_C1, "P/P/-");
    prefixes_release(&m.info.routes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_the_policy_approves, begin, end),
        cmocka_unit_test_setup_teardown(a_new_tag_takes_no_approval_and_gives_none, begin, end),
        cmocka_unit_test_setup_teardown(approvals_outlive_the_approver_and_removals_the_policy, begin, end),
        cmocka_unit_test_setup_teardown(a_tag_that_an_administrator_gives_approves_at_once, begin, end),
        cmocka_unit_test_setup_teardown(an_approver_that_is_not_defined_refuses_the_policy, begin, end),
        cmocka_unit_test_setup_teardown(exit_routes_are_approved_as_a_pair, begin, end),
        cmocka_unit_test_setup_teardown(a_second_stream_takes_over_from_the_first, begin, end),
    };

    return cmocka_run_group_tests_name("core_scenarios", tests, NULL, NULL);
}

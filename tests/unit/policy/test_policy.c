/* SPDX-License-Identifier: BSD-3-Clause */
/* Policies over a small tailnet: the manual's examples, routes and failover, SSH, and explanations. Cases of the
 * recordings are in tests/vectors; parsing is tested in test_policy_text.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "policy/lang/hujson.h"
#include "policy/policy.h"
#include "shared/policy_fleet.h"
#include "json/json.h"

static void assert_filter(const struct policy_view *v, uint32_t slot, const char *want)
{
    struct buf out = {0};

    policy_filter(v, slot, &out);
    assert_string_equal(buf_text(&out), want);
    buf_release(&out);
}

#define EXITS "0.0.0.0/0 ::/0"

static void test_no_policy(void **unused)
{
    struct policy_fleet f;

    (void)unused;
    fleet_make(&f);
    struct policy_view *v = policy_view_new(NULL, &f.t, NULL);
    struct policy_parts parts = {0}, again = {0};
    struct buf out = {0};

    fleet_assert_routes(v, C1, R1, "10.0.0.0/24");
    fleet_assert_routes(v, C1, R2, "");
    fleet_assert_routes(v, R2, R1, "10.0.0.0/24");
    fleet_assert_routes(v, C2, X1, EXITS);
    assert_filter(v, C1, "[{\"SrcIPs\":[\"*\"],\"DstPorts\":[{\"IP\":\"*\",\"Ports\":{\"First\":0,\"Last\":65535}}]}]");
    assert_int_equal(policy_filter_delta(v, C1, NULL, &parts, &out), 1);
    assert_int_equal(policy_filter_delta(v, C1, &parts, &again, NULL), 0);
    assert_false(policy_approves(v, R1, &f.routes[R1][0]));
    policy_parts_release(&parts);
    policy_parts_release(&again);
    buf_release(&out);
    policy_view_free(v);
    v = fleet_view(&f, "{\"grants\":[]}");
    fleet_assert_routes(v, C1, C2, "no");
    fleet_assert_routes(v, C1, R1, "no");
    assert_filter(v, R1, "[]");
    policy_view_free(v);
}

/* The subnet but not the router; only one address of the client. */
static void test_behind_router(void **unused)
{
    struct policy_fleet f;

    (void)unused;
    fleet_make(&f);
    struct policy_view *v =
        fleet_view(&f, "{\"hosts\":{\"node\":\"100.64.0.5\",\"service\":\"10.0.0.1\"},"
                       "\"grants\":[{\"src\":[\"node\"],\"dst\":[\"service\"],\"ip\":[\"80,443\"]}]}");
    fleet_assert_routes(v, C1, R1, "10.0.0.0/24");
    fleet_assert_routes(v, R1, C1, "");
    fleet_assert_routes(v, C2, R1, "no");
    assert_filter(
        v, R1,
        "[{\"SrcIPs\":[\"100.64.0.5\"],\"DstPorts\":[{\"IP\":\"10.0.0.1\",\"Ports\":{\"First\":80,\"Last\":80}},{"
        "\"IP\":\"10.0.0.1\",\"Ports\":{\"First\":443,\"Last\":443}}]}]");
    assert_filter(v, C1, "[]");
    policy_view_free(v);
}

static void test_exits(void **unused)
{
    struct policy_fleet f;

    (void)unused;
    fleet_make(&f);
    struct policy_view *v = fleet_view(
        &f, "{" FLEET_TAGS "\"grants\":["
            "{\"src\":[\"alice@example.com\"],\"dst\":[\"autogroup:internet\"],\"via\":[\"tag:exit1\"],\"ip\":[\"*\"]},"
            "{\"src\":[\"bob@example.com\"],\"dst\":[\"autogroup:internet\"],\"via\":[\"tag:exit2\"],\"ip\":[\"*\"]},"
            "{\"src\":[\"bob@example.com\"],\"dst\":[\"alice@example.com\"],\"ip\":[\"22\"]}]}");
    fleet_assert_routes(v, C1, X1, EXITS);
    fleet_assert_routes(v, C1, X2, "no");
    fleet_assert_routes(v, C2, X2, EXITS);
    fleet_assert_routes(v, C2, X1, "no");
    fleet_assert_routes(v, C1, C2, "");
    policy_view_free(v);

    static const char old_form[] = "{\"hosts\":{\"exit1\":\"100.64.0.3/32\",\"exit2\":\"100.64.0.4/32\"},\"acls\":["
                                   "{\"action\":\"accept\",\"src\":[\"alice@example.com\"],\"dst\":[\"exit1:*\"]},"
                                   "{\"action\":\"accept\",\"src\":[\"bob@example.com\"],\"dst\":[\"exit2:%s\"]}]}";
    char *text = mem_format(old_form, "*");
    v = fleet_view(&f, text);
    struct policy_problems problems = {0};
    struct buf out = {0};
    fleet_assert_routes(v, C1, X1, EXITS);
    fleet_assert_routes(v, C1, X2, "no");
    fleet_assert_routes(v, C2, X2, EXITS);
    policy_filter(v, X1, &out);
    assert_non_null(strstr(buf_text(&out), "192.169.0.0-255.255.255.255"));
    assert_int_equal(policy_view_check(v, true, &problems), 0);
    assert_int_equal(problems.len, 2);
    assert_non_null(strstr(problems.items[0].text, "gives an exit node by its address"));
    policy_problems_release(&problems);
    buf_release(&out);
    policy_view_free(v);
    free(text);
    text = mem_format(old_form, "22");
    v = fleet_view(&f, text);
    fleet_assert_routes(v, C2, X2, "");
    policy_view_free(v);
    free(text);

    /* Beside the newer form it opens the device only, and says so. */
    v = fleet_view(
        &f, "{" FLEET_TAGS "\"grants\":["
            "{\"src\":[\"alice@example.com\"],\"dst\":[\"autogroup:internet\"],\"via\":[\"tag:exit1\"],\"ip\":[\"*\"]},"
            "{\"src\":[\"bob@example.com\"],\"dst\":[\"100.64.0.4\"],\"ip\":[\"*\"]}]}");
    fleet_assert_routes(v, C2, X2, "");
    assert_int_equal(policy_view_check(v, true, &problems), 0);
    assert_int_equal(problems.len, 1);
    assert_non_null(strstr(problems.items[0].text, "grant 2 names an exit node by its address: this opens the device"));
    policy_problems_release(&problems);
    policy_view_free(v);
}

static void put(struct policy_view *v, struct policy_fleet *f, uint32_t i, bool online, bool healthy)
{
    f->nodes[i].online = online;
    f->nodes[i].healthy = healthy;
    policy_view_put(v, &f->nodes[i]);
}

/* In a view that only compares, the oldest router of a via group serves that can. */
static void test_via_failover(void **unused)
{
    static const char text[] =
        "{" FLEET_TAGS "\"grants\":[{\"src\":[\"alice@example.com\"],\"dst\":[\"10.0.0.0/24\"],\"via\":["
        "\"tag:router\"],\"ip\":[\"*\"]}]}";
    struct policy_fleet f;

    (void)unused;
    fleet_make(&f);
    struct policy_view *v = fleet_view(&f, text);

    fleet_assert_routes(v, C1, R1, "10.0.0.0/24");
    fleet_assert_routes(v, C1, R2, "");
    put(v, &f, R1, false, false);
    fleet_assert_routes(v, C1, R2, "10.0.0.0/24");
    put(v, &f, R1, true, true);
    fleet_assert_routes(v, C1, R1, "10.0.0.0/24");
    put(v, &f, R1, true, false); /* online, but silent */
    fleet_assert_routes(v, C1, R2, "10.0.0.0/24");
    put(v, &f, R2, true, false);
    fleet_assert_routes(v, C1, R2, "");
    policy_view_free(v);
}

/* Where the owner of the view holds the elections, it serves who he says, offline or not, and a view that follows it
 * takes that over. */
static void test_via_as_told(void **unused)
{
    static const char text[] =
        "{" FLEET_TAGS "\"grants\":[{\"src\":[\"alice@example.com\"],\"dst\":[\"10.0.0.0/24\"],\"via\":["
        "\"tag:router\"],\"ip\":[\"*\"]}]}";
    struct prefix lan = fleet_prefix("10.0.0.0/24"), other = fleet_prefix("10.7.0.0/16");
    struct policy_fleet f;
    struct strs tags = {0};

    (void)unused;
    fleet_make(&f);
    struct policy_view *v = fleet_view(&f, text);
    assert_int_equal(policy_via_groups(v), 1);
    assert_string_equal(policy_via_group(v, 0, &tags), "tag:router");
    assert_int_equal(tags.len, 1);
    strs_release(&tags);
    assert_true(policy_via_concerns(v, 0, &lan));
    assert_false(policy_via_concerns(v, 0, &other));
    policy_via_direct(v);
    fleet_assert_routes(v, C1, R1, "");
    policy_via_serve(v, "tag:router", &lan, R2);
    policy_via_serve(v, "tag:other", &lan, R1); /* no such group */
    policy_via_serve(v, "tag:router", &other, R1);
    fleet_assert_routes(v, C1, R1, "");
    fleet_assert_routes(v, C1, R2, "10.0.0.0/24");
    put(v, &f, R2, false, false);
    fleet_assert_routes(v, C1, R2, "10.0.0.0/24");
    struct policy *p = fleet_policy(text);
    struct policy_view *next = policy_view_new(p, &f.t, v);
    fleet_assert_routes(next, C1, R2, "10.0.0.0/24");
    policy_view_free(next);
    policy_unref(p);
    policy_via_serve(v, "tag:router", &lan, POLICY_SLOT_NONE);
    fleet_assert_routes(v, C1, R2, "");
    policy_view_free(v);
}

static void test_approval_and_tags(void **unused)
{
    struct policy_fleet f;
    struct prefix inside = fleet_prefix("10.0.0.128/25"), wide = fleet_prefix("10.0.0.0/8"),
                  exit = fleet_prefix("0.0.0.0/0");

    (void)unused;
    fleet_make(&f);
    struct policy_view *v =
        fleet_view(&f, "{\"groups\":{\"group:net\":[\"bob@\"]},\"tagOwners\":{\"tag:router\":[\"group:"
                       "net\"],\"tag:exit1\":[\"tag:router\"],"
                       "\"tag:exit2\":[\"tag:exit2\"]},\"autoApprovers\":{\"routes\":{\"10.0.0.0/"
                       "16\":[\"tag:router\",\"alice@example.com\"],"
                       "\"0.0.0.0/0\":[\"tag:router\"]},\"exitNode\":[\"tag:exit1\"]}}");
    assert_true(policy_approves(v, R1, &inside));
    assert_true(policy_approves(v, C1, &inside));
    assert_false(policy_approves(v, C2, &inside));
    assert_true(policy_approves(v, R1, &wide));
    assert_false(policy_approves(v, C1, &wide));
    assert_false(policy_approves(v, R1, &exit));
    assert_true(policy_approves(v, X1, &exit));
    assert_true(policy_may_tag(v, 2, "tag:router"));
    assert_true(policy_may_tag(v, 2, "tag:exit1"));
    assert_false(policy_may_tag(v, 1, "tag:exit1"));
    assert_false(policy_may_tag(v, 2, "tag:exit2"));
    assert_false(policy_may_tag(v, 2, "tag:none"));
    policy_view_free(v);
}

static void test_ssh(void **unused)
{
    struct policy_fleet f;
    int64_t period = -1;

    (void)unused;
    fleet_make(&f);
    struct policy_view *v =
        fleet_view(&f, "{" FLEET_TAGS "\"ssh\":["
                       "{\"action\":\"accept\",\"src\":[\"autogroup:member\"],\"dst\":[\"tag:router\"]"
                       ",\"users\":[\"autogroup:nonroot\"]},"
                       "{\"action\":\"check\",\"checkPeriod\":\"1h\",\"src\":[\"alice@example.com\"],"
                       "\"dst\":[\"tag:router\"],\"users\":[\"root\"]},"
                       "{\"action\":\"accept\",\"src\":[\"bob@example.com\"],\"dst\":[\"tag:exit1\"],"
                       "\"users\":[\"localpart:*@example.com\"]}]}");
    assert_int_equal(policy_ssh_decide(v, C1, R1, "root", &period), POLICY_SSH_CHECK);
    assert_true(period == 3600 * NS_PER_SECOND);
    assert_int_equal(policy_ssh_decide(v, C1, R1, NULL, &period), POLICY_SSH_CHECK);
    assert_int_equal(policy_ssh_decide(v, C1, R1, "deploy", NULL), POLICY_SSH_ACCEPT);
    assert_int_equal(policy_ssh_decide(v, C2, R1, "root", NULL), POLICY_SSH_DENY);
    assert_int_equal(policy_ssh_decide(v, C2, R1, NULL, NULL), POLICY_SSH_DENY);
    assert_int_equal(policy_ssh_decide(v, C2, X1, "bob", NULL), POLICY_SSH_ACCEPT);
    assert_int_equal(policy_ssh_decide(v, C2, X1, "alice", NULL), POLICY_SSH_DENY);
    uint64_t before = policy_ssh_version(v, R1);
    struct policy_node another = f.nodes[C1];
    another.slot = 70;
    another.ipv4.bytes[3] = 99;
    policy_view_put(v, &another);
    assert_true(policy_ssh_version(v, R1) != before);
    assert_int_equal(policy_ssh_decide(v, 70, R1, "deploy", NULL), POLICY_SSH_ACCEPT);
    policy_view_free(v);
}

static void test_attributes(void **unused)
{
    struct policy_fleet f;
    struct strs attrs = {0};

    (void)unused;
    fleet_make(&f);
    struct policy_view *v =
        fleet_view(&f, "{\"randomizeClientPort\":true,\"nodeAttrs\":[{\"target\":[\"autogroup:owner\"],\"attr\":["
                       "\"disable-ipv4\",\"x?y=1\"]},{\"target\":[\"nobody@example.com\"],\"attr\":[\"z\"]}]}");
    policy_attrs(v, C1, &attrs);
    assert_int_equal(attrs.len, 3);
    assert_string_equal(attrs.items[2], "x?y=1");
    assert_true(policy_hides_ipv4(v, C2, C1));
    assert_true(policy_hides_ipv4(v, C1, C2));
    assert_false(policy_hides_ipv4(v, C2, R1));
    assert_false(policy_has_attr(v, C2, "z"));
    strs_release(&attrs);
    policy_view_free(v);
}

static void test_ambiguous_user(void **unused)
{
    static const struct policy_user twins[] = {{1, "a", "same@example.com", "", POLICY_OWNER, NULL, 0},
                                               {2, "b", "same@example.com", "", POLICY_MEMBER, NULL, 0}};
    struct policy_tailnet t = {.users = twins, .user_count = 2};
    struct policy *p =
        fleet_policy("{\"acls\":[{\"action\":\"accept\",\"src\":[\"same@example.com\"],\"dst\":[\"*:*\"]}]}");
    struct policy_view *v = policy_view_new(p, &t, NULL);
    struct policy_problems problems = {0};

    (void)unused;
    assert_int_equal(policy_view_check(v, true, &problems), ERR_INVALID);
    assert_non_null(
        strstr(problems.items[0].text, "multiple users found: token \"same@example.com\" found: [ 1: a, 2: b,  ]"));
    policy_problems_release(&problems);
    policy_view_free(v);
    policy_unref(p);
}

/* A list of many sources is told in parts; one more node changes one of them. */
static void test_parts(void **unused)
{
    struct policy_fleet f;
    struct policy_parts before = {0}, after = {0};
    struct buf out = {0};

    (void)unused;
    fleet_make(&f);
    struct policy_view *v = fleet_view(
        &f, "{" FLEET_TAGS
            "\"acls\":[{\"action\":\"accept\",\"src\":[\"autogroup:member\"],\"dst\":[\"tag:router:22\"]}]}");
    for (uint32_t i = 0; i < 1000; i++) {
        struct policy_node n = f.nodes[C1];
        n.slot = 100 + i;
        n.ipv4 = (struct addr){32, {100, 65, (uint8_t)(i / 250), (uint8_t)(i % 250)}};
        n.ipv6.bytes[13] = (uint8_t)(i / 250);
        n.ipv6.bytes[14] = (uint8_t)(i % 250);
        policy_view_put(v, &n);
    }
    size_t parts = policy_filter_delta(v, R1, NULL, &before, &out);
    assert_true(parts >= 1000 / 64);
    for (size_t i = 1; i < before.len; i++)
        assert_true(strcmp(before.items[i - 1].name, before.items[i].name) < 0);
    struct policy_node n = f.nodes[C2];
    n.slot = 99; /* beside the six of the fleet, far from full */
    n.ipv4.bytes[3] = 77;
    n.ipv6.bytes[15] = 77;
    policy_view_put(v, &n);
    buf_clear(&out);
    assert_int_equal(policy_filter_delta(v, R1, &before, &after, &out), 1);
    assert_non_null(strstr(buf_text(&out), "100.64.0.77"));
    policy_view_remove(v, 99);
    assert_int_equal(policy_filter_delta(v, R1, &after, &before, NULL), 1);
    policy_parts_release(&before);
    policy_parts_release(&after);
    buf_release(&out);
    policy_view_free(v);
}

/* ---- explanations and previews ---- */

static void assert_explained(const struct policy_view *v, const char *src, const char *dst, uint16_t port, bool want,
                             const char *words)
{
    struct buf out = {0};
    struct err e = {0};
    bool allowed = !want;

    if (policy_explain(v, src, dst, -1, port, &allowed, &out, &e) < 0)
        fail_msg("%s", e.message);
    if (allowed != want || !strstr(buf_text(&out), words))
        fail_msg("%s", buf_text(&out));
    buf_release(&out);
}

static void test_explain(void **unused)
{
    struct policy_fleet f;
    struct buf out = {0};
    struct err e;
    bool allowed;

    (void)unused;
    fleet_make(&f);
    struct policy_view *v =
        fleet_view(&f, "{" FLEET_TAGS "\"groups\":{\"group:g\":[\"alice@example.com\"]},\n\"acls\":[\n"
                       "{\"action\":\"accept\",\"src\":[\"group:g\"],\"dst\":[\"10.0.0.0/24:443\"]},\n"
                       "{\"action\":\"accept\",\"src\":[\"bob@example.com\"],\"dst\":[\"tag:router:22\"]}]}");
    assert_explained(v, "c1", "10.0.0.9", 443, true, "\"router\":\"r1\",\"route\":\"10.0.0.0/24\"");
    assert_explained(v, "alice", "10.0.0.9", 443, true, "acl 1 (line 3) lets group:g reach 10.0.0.0/24");
    assert_explained(v, "c1", "10.0.0.9", 80, false, "but not port 80");
    assert_explained(v, "c2", "10.0.0.9", 443, false, "the policy does not offer that route to the source");
    assert_explained(v, "bob@example.com", "tag:router", 22, true, "acl 2 (line 4)");
    assert_explained(v, "c1", "c2", 22, false, "do not see each other");
    assert_explained(v, "c1", "192.168.7.7", 22, false, "no router has an approved route to it");
    for (size_t i = 0; i < f.t.node_count; i++) {
        struct policy_node n = f.t.nodes[i];
        n.serving_count = 0;
        policy_view_put(v, &n);
    }
    assert_explained(v, "c1", "10.0.0.9", 443, false, "r1 routes 10.0.0.0/24, but nobody serves that route now");
    assert_int_equal(policy_explain(v, "c1", "nonsense", -1, 0, &allowed, &out, &e), ERR_MISSING);
    policy_view_free(v);
    v = policy_view_new(NULL, &f.t, NULL);
    assert_explained(v, "c1", "10.0.0.9", 443, true, "no policy is set");
    policy_view_free(v);
    buf_release(&out);
}

/* ---- the manual ---- */

static void test_manual(void **unused)
{
    FILE *file = fopen("man/headway-policy.5", "re");
    char line[1024];
    struct buf example = {0};
    struct policy_fleet f;
    bool inside = false;
    size_t count = 0;
    static const char *const server[] = {"tag:server"};

    (void)unused;
    assert_non_null(file);
    fleet_make(&f);
    f.nodes[R1].tags = server;
    while (fgets(line, sizeof(line), file)) {
        if (str_starts(line, ".Bd ")) {
            inside = true;
        } else if (inside && str_starts(line, ".Ed")) {
            struct policy_problems problems = {0};
            struct buf why = {0};
            struct policy_view *v = fleet_view(&f, buf_text(&example));
            if (policy_view_check(v, true, &problems) < 0) {
                policy_problems_text(&problems, &why);
                fail_msg("%s\n%s", buf_text(&why), buf_text(&example));
            }
            policy_problems_release(&problems);
            policy_view_free(v);
            buf_clear(&example);
            inside = false;
            count++;
        } else if (inside) {
            buf_adds(&example, line);
        }
    }
    fclose(file);
    buf_release(&example);
    assert_true(count >= 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_policy),
        cmocka_unit_test(test_behind_router),
        cmocka_unit_test(test_exits),
        cmocka_unit_test(test_via_failover),
        cmocka_unit_test(test_via_as_told),
        cmocka_unit_test(test_approval_and_tags),
        cmocka_unit_test(test_ssh),
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_ambiguous_user),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_explain),
        cmocka_unit_test(test_manual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

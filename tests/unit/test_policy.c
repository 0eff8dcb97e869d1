/* SPDX-License-Identifier: BSD-3-Clause */
/* Policies over a small tailnet: the manual's examples, routes and failover, SSH, explanations and previews. What
 * recordings cover is in tests/vectors, how a text is read in test_policy_text.c. */
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
#include "json/json.h"

/* ---- a small tailnet ---- */

static const struct policy_user users[] = {
    {1, "alice", "alice@example.com", "", POLICY_OWNER},
    {2, "bob", "bob@example.com", "", POLICY_MEMBER},
};

/* Routers r1 and r2 and exits x1 and x2 are tagged; c1 is alice's, c2 bob's. */
enum { R1, R2, X1, X2, C1, C2, COUNT };
struct fleet {
    struct policy_node nodes[COUNT];
    struct prefix routes[COUNT][2], serving[COUNT][1];
    struct policy_tailnet t;
};

static struct prefix prefix_of(const char *text)
{
    struct prefix p;

    assert_int_equal(prefix_parse(text, &p, NULL, NULL), 0);
    return p;
}

static void make_fleet(struct fleet *f)
{
    static const char *const names[COUNT] = {"r1", "r2", "x1", "x2", "c1", "c2"};
    static const char *const tags[COUNT] = {"tag:router", "tag:router", "tag:exit1", "tag:exit2", NULL, NULL};

    *f = (struct fleet){.t = {.users = users, .user_count = 2, .nodes = f->nodes, .node_count = COUNT}};
    for (uint32_t i = 0; i < COUNT; i++) {
        struct policy_node *n = &f->nodes[i];
        *n = (struct policy_node){
            .slot = i, .id = i + 1, .order = i + 1, .name = names[i], .online = true, .healthy = true};
        n->ipv4 = (struct addr){32, {100, 64, 0, (uint8_t)(i + 1)}};
        n->ipv6 = (struct addr){128, {0xfd, 0x7a, 0x11, 0x5c, 0xa1, 0xe0, [15] = (uint8_t)(i + 1)}};
        n->tags = &tags[i];
        n->tag_count = tags[i] ? 1 : 0;
        n->user_id = i == C1 ? 1 : 2;
        n->routes = f->routes[i];
        n->serving = f->serving[i];
        if (i <= R2) {
            f->routes[i][0] = prefix_of("10.0.0.0/24");
            f->serving[i][0] = f->routes[i][0];
            n->route_count = 1;
            n->serving_count = i == R1;
        } else if (i <= X2) {
            f->routes[i][0] = prefix_of("0.0.0.0/0");
            f->routes[i][1] = prefix_of("::/0");
            n->route_count = 2;
        }
    }
}

static struct policy *parse(const char *text)
{
    struct policy_problems problems = {0};
    struct buf out = {0};
    struct policy *p = NULL;

    if (policy_parse(text, strlen(text), &p, &problems) < 0) {
        policy_problems_text(&problems, &out);
        fail_msg("%s\n%s", buf_text(&out), text);
    }
    policy_problems_release(&problems);
    buf_release(&out);
    return p;
}

static struct policy_view *view_of(const struct fleet *f, const char *text)
{
    struct policy *p = parse(text);
    struct policy_view *v = policy_view_new(p, &f->t, NULL);

    policy_unref(p);
    return v;
}

static void assert_routes(const struct policy_view *v, uint32_t viewer, uint32_t peer, const char *want)
{
    struct prefixes shown = {0};
    struct buf out = {0};
    char text[PREFIX_TEXT_MAX];

    if (!policy_sees(v, viewer, peer))
        buf_adds(&out, "no");
    else
        policy_routes(v, viewer, peer, &shown);
    for (size_t i = 0; i < shown.len; i++)
        buf_addf(&out, "%s%s", i ? " " : "", prefix_format(&shown.items[i], text));
    assert_string_equal(buf_text(&out), want);
    prefixes_release(&shown);
    buf_release(&out);
}

static void assert_filter(const struct policy_view *v, uint32_t slot, const char *want)
{
    struct buf out = {0};

    policy_filter(v, slot, &out);
    assert_string_equal(buf_text(&out), want);
    buf_release(&out);
}

#define TAGS  "\"tagOwners\":{\"tag:router\":[],\"tag:exit1\":[],\"tag:exit2\":[]},"
#define EXITS "0.0.0.0/0 ::/0"

static void test_no_policy(void **unused)
{
    struct fleet f;

    (void)unused;
    make_fleet(&f);
    struct policy_view *v = policy_view_new(NULL, &f.t, NULL);
    struct policy_parts parts = {0}, again = {0};
    struct buf out = {0};

    assert_routes(v, C1, R1, "10.0.0.0/24");
    assert_routes(v, C1, R2, "");
    assert_routes(v, R2, R1, "10.0.0.0/24");
    assert_routes(v, C2, X1, EXITS);
    assert_filter(v, C1, "[{\"SrcIPs\":[\"*\"],\"DstPorts\":[{\"IP\":\"*\",\"Ports\":{\"First\":0,\"Last\":65535}}]}]");
    assert_int_equal(policy_filter_delta(v, C1, NULL, &parts, &out), 1);
    assert_int_equal(policy_filter_delta(v, C1, &parts, &again, NULL), 0);
    assert_false(policy_approves(v, R1, &f.routes[R1][0]));
    policy_parts_release(&parts);
    policy_parts_release(&again);
    buf_release(&out);
    policy_view_free(v);
    v = view_of(&f, "{\"grants\":[]}");
    assert_routes(v, C1, C2, "no");
    assert_routes(v, C1, R1, "no");
    assert_filter(v, R1, "[]");
    policy_view_free(v);
}

/* The subnet but not the router; only one address of the client. */
static void test_behind_router(void **unused)
{
    struct fleet f;

    (void)unused;
    make_fleet(&f);
    struct policy_view *v = view_of(&f, "{\"hosts\":{\"node\":\"100.64.0.5\",\"service\":\"10.0.0.1\"},"
                                        "\"grants\":[{\"src\":[\"node\"],\"dst\":[\"service\"],\"ip\":[\"80,443\"]}]}");
    assert_routes(v, C1, R1, "10.0.0.0/24");
    assert_routes(v, R1, C1, "");
    assert_routes(v, C2, R1, "no");
    assert_filter(
        v, R1,
        "[{\"SrcIPs\":[\"100.64.0.5\"],\"DstPorts\":[{\"IP\":\"10.0.0.1\",\"Ports\":{\"First\":80,\"Last\":80}},{"
        "\"IP\":\"10.0.0.1\",\"Ports\":{\"First\":443,\"Last\":443}}]}]");
    assert_filter(v, C1, "[]");
    policy_view_free(v);
}

static void test_exits(void **unused)
{
    struct fleet f;

    (void)unused;
    make_fleet(&f);
    struct policy_view *v = view_of(
        &f, "{" TAGS "\"grants\":["
            "{\"src\":[\"alice@example.com\"],\"dst\":[\"autogroup:internet\"],\"via\":[\"tag:exit1\"],\"ip\":[\"*\"]},"
            "{\"src\":[\"bob@example.com\"],\"dst\":[\"autogroup:internet\"],\"via\":[\"tag:exit2\"],\"ip\":[\"*\"]},"
            "{\"src\":[\"bob@example.com\"],\"dst\":[\"alice@example.com\"],\"ip\":[\"22\"]}]}");
    assert_routes(v, C1, X1, EXITS);
    assert_routes(v, C1, X2, "no");
    assert_routes(v, C2, X2, EXITS);
    assert_routes(v, C2, X1, "no");
    assert_routes(v, C1, C2, "");
    policy_view_free(v);

    static const char old_form[] = "{\"hosts\":{\"exit1\":\"100.64.0.3/32\",\"exit2\":\"100.64.0.4/32\"},\"acls\":["
                                   "{\"action\":\"accept\",\"src\":[\"alice@example.com\"],\"dst\":[\"exit1:*\"]},"
                                   "{\"action\":\"accept\",\"src\":[\"bob@example.com\"],\"dst\":[\"exit2:%s\"]}]}";
    char *text = mem_format(old_form, "*");
    v = view_of(&f, text);
    struct policy_problems problems = {0};
    struct buf out = {0};
    assert_routes(v, C1, X1, EXITS);
    assert_routes(v, C1, X2, "no");
    assert_routes(v, C2, X2, EXITS);
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
    v = view_of(&f, text);
    assert_routes(v, C2, X2, "");
    policy_view_free(v);
    free(text);
}

static void put(struct policy_view *v, struct fleet *f, uint32_t i, bool online, bool healthy)
{
    f->nodes[i].online = online;
    f->nodes[i].healthy = healthy;
    policy_view_put(v, &f->nodes[i]);
}

/* Routers of a via group take over from each other; whoever serves stays. */
static void test_via_failover(void **unused)
{
    static const char text[] =
        "{" TAGS "\"grants\":[{\"src\":[\"alice@example.com\"],\"dst\":[\"10.0.0.0/24\"],\"via\":["
        "\"tag:router\"],\"ip\":[\"*\"]}]}";
    struct fleet f;

    (void)unused;
    make_fleet(&f);
    struct policy_view *v = view_of(&f, text);

    size_t count;
    const struct policy_move *moves = policy_moves(v, &count); /* of the view's making */

    assert_int_equal(count, 1);
    assert_int_equal(moves[0].from, POLICY_SLOT_NONE);
    assert_int_equal(moves[0].to, R1);
    assert_routes(v, C1, R1, "10.0.0.0/24");
    assert_routes(v, C1, R2, "");
    assert_true(policy_steers(v, R1)); /* R2 could do it too */
    assert_false(policy_steers(v, R2));
    uint64_t steering = policy_steering_version(v);
    put(v, &f, R1, true, true);
    assert_true(policy_steering_version(v) == steering);
    put(v, &f, R1, false, false);
    assert_true(policy_steering_version(v) != steering);
    moves = policy_moves(v, &count);
    assert_int_equal(count, 1);
    assert_int_equal(moves[0].from, R1);
    assert_int_equal(moves[0].to, R2);
    assert_string_equal(moves[0].tags, "tag:router");
    (void)policy_moves(v, &count);
    assert_int_equal(count, 0);         /* each is told once */
    assert_false(policy_steers(v, R2)); /* nobody else is left */
    assert_routes(v, C1, R2, "10.0.0.0/24");
    put(v, &f, R1, true, true); /* back, but the other one serves */
    assert_routes(v, C1, R2, "10.0.0.0/24");
    struct policy *p = parse(text); /* a new policy does not move it either */
    struct policy_view *next = policy_view_new(p, &f.t, v);
    assert_routes(next, C1, R2, "10.0.0.0/24");
    policy_view_free(next);
    next = policy_view_new(p, &f.t, NULL); /* nor one that was compiled by itself */
    policy_view_succeed(next, v);
    assert_routes(next, C1, R2, "10.0.0.0/24");
    policy_unref(p);
    policy_view_free(next);
    put(v, &f, R2, true, false); /* online, but silent */
    assert_routes(v, C1, R1, "10.0.0.0/24");
    (void)policy_moves(v, &count);
    put(v, &f, R1, true, false);
    assert_routes(v, C1, R1, "10.0.0.0/24");
    put(v, &f, R1, false, false);
    put(v, &f, R2, false, false);
    assert_routes(v, C1, R2, "");
    policy_view_free(v);
}

static void test_approval_and_tags(void **unused)
{
    struct fleet f;
    struct prefix inside = prefix_of("10.0.0.128/25"), wide = prefix_of("10.0.0.0/8"), exit = prefix_of("0.0.0.0/0");

    (void)unused;
    make_fleet(&f);
    struct policy_view *v = view_of(&f, "{\"groups\":{\"group:net\":[\"bob@\"]},\"tagOwners\":{\"tag:router\":[\"group:"
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
    struct fleet f;
    int64_t period = -1;

    (void)unused;
    make_fleet(&f);
    struct policy_view *v = view_of(&f, "{" TAGS "\"ssh\":["
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
    struct fleet f;
    struct strs attrs = {0};

    (void)unused;
    make_fleet(&f);
    struct policy_view *v =
        view_of(&f, "{\"randomizeClientPort\":true,\"nodeAttrs\":[{\"target\":[\"autogroup:owner\"],\"attr\":["
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
    static const struct policy_user twins[] = {{1, "a", "same@example.com", "", POLICY_OWNER},
                                               {2, "b", "same@example.com", "", POLICY_MEMBER}};
    struct policy_tailnet t = {.users = twins, .user_count = 2};
    struct policy *p = parse("{\"acls\":[{\"action\":\"accept\",\"src\":[\"same@example.com\"],\"dst\":[\"*:*\"]}]}");
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
    struct fleet f;
    struct policy_parts before = {0}, after = {0};
    struct buf out = {0};

    (void)unused;
    make_fleet(&f);
    struct policy_view *v = view_of(
        &f, "{" TAGS "\"acls\":[{\"action\":\"accept\",\"src\":[\"autogroup:member\"],\"dst\":[\"tag:router:22\"]}]}");
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
    struct fleet f;
    struct buf out = {0};
    struct err e;
    bool allowed;

    (void)unused;
    make_fleet(&f);
    struct policy_view *v =
        view_of(&f, "{" TAGS "\"groups\":{\"group:g\":[\"alice@example.com\"]},\n\"acls\":[\n"
                    "{\"action\":\"accept\",\"src\":[\"group:g\"],\"dst\":[\"10.0.0.0/24:443\"]},\n"
                    "{\"action\":\"accept\",\"src\":[\"bob@example.com\"],\"dst\":[\"tag:router:22\"]}]}");
    assert_explained(v, "c1", "10.0.0.9", 443, true, "\"router\":\"r1\",\"route\":\"10.0.0.0/24\"");
    assert_explained(v, "alice", "10.0.0.9", 443, true, "acl 1 (line 3) lets group:g reach 10.0.0.0/24");
    assert_explained(v, "c1", "10.0.0.9", 80, false, "but not port 80");
    assert_explained(v, "c2", "10.0.0.9", 443, false, "the policy does not offer that route to the source");
    assert_explained(v, "bob@example.com", "tag:router", 22, true, "acl 2 (line 4)");
    assert_explained(v, "c1", "c2", 22, false, "do not see each other");
    assert_explained(v, "c1", "192.168.7.7", 22, false, "no router has an approved route to it");
    assert_int_equal(policy_explain(v, "c1", "nonsense", -1, 0, &allowed, &out, &e), ERR_MISSING);
    policy_view_free(v);
    v = policy_view_new(NULL, &f.t, NULL);
    assert_explained(v, "c1", "10.0.0.9", 443, true, "no policy is set");
    policy_view_free(v);
    buf_release(&out);
}

static void preview_text(const struct policy_view *before, const struct policy_view *after,
                         const struct policy_approvals *approvals, struct buf *out)
{
    struct json_out o = JSON_OUT(out);

    buf_clear(out);
    json_open(&o, '{');
    policy_preview(before, after, approvals, 100, &o);
    json_close(&o, '}');
}

static void test_preview(void **unused)
{
    struct fleet f;
    struct buf out = {0};

    (void)unused;
    make_fleet(&f);
    struct policy_view *before = view_of(
        &f, "{" TAGS "\"acls\":[{\"action\":\"accept\",\"src\":[\"alice@example.com\"],\"dst\":[\"10.0.0.0/24:443\"]},"
            "{\"action\":\"accept\",\"src\":[\"*\"],\"dst\":[\"tag:router:22\"]}]}");
    struct policy_view *after = view_of(
        &f, "{" TAGS "\"acls\":[{\"action\":\"accept\",\"src\":[\"bob@example.com\"],\"dst\":[\"10.0.0.0/24:443\"]},"
            "{\"action\":\"accept\",\"src\":[\"*\"],\"dst\":[\"tag:router:20-25\"]}]}");

    preview_text(before, before, NULL, &out);
    assert_string_equal(buf_text(&out),
                        "{\"totals\":{\"pairs_lost\":0,\"pairs_gained\":0,\"routes_hidden\":0,\"routes_shown\":0,"
                        "\"routes_approved\":0,\"rows\":0},\"rows\":[],\"routes\":[],\"viewers\":[],\"approvals\":[]}");
    preview_text(before, after, NULL, &out);
    json_t *got = NULL;
    assert_int_equal(json_read(buf_text(&out), out.len, SIZE_MAX, "preview", &got, NULL), 0);
    const json_t *rows = json_object_get(got, "rows"), *first = json_array_get(rows, 0);
    assert_string_equal(json_text(first, "kind", ""), "lost");
    assert_string_equal(json_string_value(json_array_get(json_object_get(first, "what"), 0)), "10.0.0.0/24 port 443");
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(json_object_get(first, "sources"), "names"), 0)), "c1");
    assert_non_null(strstr(buf_text(&out), "ports 20-25"));
    assert_non_null(strstr(buf_text(&out),
                           "{\"kind\":\"hidden\",\"router\":\"r1\",\"route\":\"10.0.0.0/24\",\"viewers\":{\"names\":["
                           "\"c1\"],\"count\":1}}"));
    assert_non_null(strstr(buf_text(&out), "\"viewers\":[{\"viewers\":{\"names\":[\"c1\"],\"count\":1},\"hidden\":1,"
                                           "\"shown\":0,\"routes\":[{\"kind\":\"hidden\",\"router\":\"r1\",\"route\":"
                                           "\"10.0.0.0/24\"}]}"));
    json_decref(got);
    buf_release(&out);
    policy_view_free(before);
    policy_view_free(after);
}

/* Viewers that lose the same share a row; a router is no viewer of its own route; approvals by who would see them. */
static void test_preview_routes(void **unused)
{
    struct fleet f;
    struct buf out = {0};
    struct policy_approval more[] = {{X1, prefix_of("10.7.0.0/16")}, {R1, prefix_of("10.8.0.0/16")}};
    struct policy_approvals approvals = {more, 2, 2};
    struct prefix routes[] = {prefix_of("10.0.0.0/24"), prefix_of("10.8.0.0/16")};

    (void)unused;
    make_fleet(&f);
    struct policy_view *before =
        view_of(&f, "{" TAGS "\"acls\":[{\"action\":\"accept\",\"src\":[\"*\"],\"dst\":[\"10.0.0.0/24:*\"]}]}");
    struct policy_view *after = view_of(
        &f, "{" TAGS "\"acls\":[{\"action\":\"accept\",\"src\":[\"bob@example.com\"],\"dst\":[\"10.8.0.0/16:*\"]}]}");
    f.nodes[R1].routes = f.nodes[R1].serving = routes;
    f.nodes[R1].route_count = f.nodes[R1].serving_count = 2;
    policy_view_put(after, &f.nodes[R1]);

    preview_text(before, after, &approvals, &out);
    assert_non_null(strstr(buf_text(&out), "\"routes_hidden\":5,\"routes_shown\":1,\"routes_approved\":2"));
    assert_non_null(strstr(buf_text(&out),
                           "{\"kind\":\"hidden\",\"router\":\"r1\",\"route\":\"10.0.0.0/24\",\"viewers\":{"
                           "\"names\":[\"r2\",\"x1\",\"x2\",\"c1\",\"c2\"],\"count\":5}}"));
    assert_non_null(
        strstr(buf_text(&out), "{\"viewers\":{\"names\":[\"r2\",\"x1\",\"x2\",\"c1\"],\"count\":4},\"hidden\":1"));
    assert_non_null(strstr(buf_text(&out), "{\"viewers\":{\"names\":[\"c2\"],\"count\":1},\"hidden\":1,\"shown\":1"));
    assert_non_null(strstr(buf_text(&out), "\"approvals\":[{\"router\":\"r1\",\"route\":\"10.8.0.0/16\",\"viewers\":1},"
                                           "{\"router\":\"x1\",\"route\":\"10.7.0.0/16\",\"viewers\":0}]"));
    buf_release(&out);
    policy_view_free(before);
    policy_view_free(after);
}

/* ---- the manual ---- */

static void test_manual(void **unused)
{
    FILE *file = fopen("man/headway-policy.5", "re");
    char line[1024];
    struct buf example = {0};
    struct fleet f;
    bool inside = false;
    size_t count = 0;
    static const char *const server[] = {"tag:server"};

    (void)unused;
    assert_non_null(file);
    make_fleet(&f);
    f.nodes[R1].tags = server;
    while (fgets(line, sizeof(line), file)) {
        if (str_starts(line, ".Bd ")) {
            inside = true;
        } else if (inside && str_starts(line, ".Ed")) {
            struct policy_problems problems = {0};
            struct buf why = {0};
            struct policy_view *v = view_of(&f, buf_text(&example));
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
        cmocka_unit_test(test_approval_and_tags),
        cmocka_unit_test(test_ssh),
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_ambiguous_user),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_explain),
        cmocka_unit_test(test_preview),
        cmocka_unit_test(test_preview_routes),
        cmocka_unit_test(test_manual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

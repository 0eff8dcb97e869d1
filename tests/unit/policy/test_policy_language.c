/* SPDX-License-Identifier: BSD-3-Clause */
/* What the language accepts and refuses, place by place, and the messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "policy/policy.h"

static const struct policy_user users[] = {{1, "odin", "odin@example.com", "", POLICY_OWNER, NULL, 0},
                                           {2, "freya", "freya@example.com", "", POLICY_ADMIN, NULL, 0},
                                           {3, "thor", "thor@example.org", "", POLICY_MEMBER, NULL, 0}};
static const char *const tag_r[] = {"tag:r"};

enum { ODIN, FREYA, THOR, ROUTER, NODES };
static const struct policy_node nodes[NODES] = {
    [ODIN] = {.slot = ODIN, .id = 1, .order = 1, .name = "o", .user_id = 1, .ipv4 = {32, {100, 64, 0, 1}}},
    [FREYA] = {.slot = FREYA, .id = 2, .order = 2, .name = "f", .user_id = 2, .ipv4 = {32, {100, 64, 0, 2}}},
    [THOR] = {.slot = THOR, .id = 3, .order = 3, .name = "t", .user_id = 3, .ipv4 = {32, {100, 64, 0, 3}}},
    [ROUTER] = {.slot = ROUTER,
                .id = 4,
                .order = 4,
                .name = "r",
                .tags = tag_r,
                .tag_count = 1,
                .ipv4 = {32, {100, 64, 0, 4}}},
};

/* The view of sections added to a few names; NULL: refused. *why holds the errors and, one a line, the warnings. */
static struct policy_view *load(const char *sections, struct buf *why)
{
    struct policy_tailnet t = {.users = users, .user_count = 3, .nodes = nodes, .node_count = NODES};
    struct policy_problems problems = {0};
    struct policy_view *v = NULL;
    struct policy *p = NULL;
    struct buf text = BUF_INIT(0);

    buf_addf(&text,
             "{\"hosts\":{\"h\":\"10.0.0.1\",\"net\":\"10.0.0.0/24\"},\"groups\":{\"group:g\":[\"odin@example.com\","
             "\"thor@example.org\"],\"group:e\":[]},\"tagOwners\":{\"tag:r\":[]%s",
             *sections == '+' ? sections + 1 : "}");
    if (*sections && *sections != '+')
        buf_addf(&text, ",%s", sections);
    buf_addc(&text, '}');
    if (policy_parse(text.data, text.len, &p, &problems) == 0) {
        v = policy_view_new(p, &t, NULL);
        if (policy_view_check(v, true, &problems) < 0) {
            policy_view_free(v);
            v = NULL;
        }
    }
    buf_clear(why);
    for (size_t i = 0; i < problems.len; i++)
        buf_addf(why, "%s\n", problems.items[i].text);
    policy_unref(p);
    policy_problems_release(&problems);
    buf_release(&text);
    return v;
}

struct row {
    const char *item;
    const char *message; /* NULL: taken */
};

/* Each item in place of the '%' of the frame. */
static void assert_rows(const char *frame, const struct row *rows, size_t count)
{
    const char *hole = strchr(frame, '%');
    struct buf sections = BUF_INIT(0), why = BUF_INIT(0);

    for (size_t i = 0; i < count; i++) {
        buf_clear(&sections);
        buf_add(&sections, frame, (size_t)(hole - frame));
        buf_adds(&sections, rows[i].item);
        buf_adds(&sections, hole + 1);
        struct policy_view *v = load(buf_text(&sections), &why);
        if (!v != !!rows[i].message || (rows[i].message && !strstr(buf_text(&why), rows[i].message)))
            fail_msg("%s: %s, %s", buf_text(&sections), v ? "taken" : "refused", buf_text(&why));
        policy_view_free(v);
    }
    buf_release(&sections);
    buf_release(&why);
}
#define ROWS(frame, rows) assert_rows(frame, rows, ARRAY_LEN(rows))

static void test_sources(void **unused)
{
    static const struct row rows[] = {
        {"*", NULL},
        {" h ", NULL},
        {"group:e", NULL},
        {"nobody-at-all", "host not defined in policy: \"nobody-at-all\""},
        {"group:x", "group not defined in policy: \"group:x\""},
        {"tag:x", "src=tag not found: \"tag:x\""},
        {"tag:", "src=tag not found: \"tag:\""},
        {"autogroup:members", NULL},
        {"autogroup:danger-all", NULL},
        {"autogroup:owner", NULL},
        {"autogroup:self", "\"autogroup:self\" not valid on the src side of a rule"},
        {"autogroup:internet", "autogroup:internet can only be used in ACL destinations"},
        {"autogroup:nonroot", "autogroup not supported for ACL sources: \"autogroup:nonroot\""},
        {"autogroup:x", "invalid autogroup: got \"autogroup:x\""},
        {"svc:x", "invalid alias format: \"svc:x\""},
        {"ipset:x", "invalid alias format: \"ipset:x\""},
        {"", "invalid alias format: \"\""},
    };

    (void)unused;
    ROWS("\"acls\":[{\"action\":\"accept\",\"src\":[\"%\"],\"dst\":[\"*:*\"]}]", rows);
    ROWS("\"grants\":[{\"src\":[\"%\"],\"dst\":[\"*\"],\"ip\":[\"*\"]}]", rows);
}

static void test_destinations(void **unused)
{
    static const struct row rows[] = {
        {"h:0-5", NULL},
        {"[fd00::1]:22", NULL},
        {"fd00::/64:22", NULL},
        {"[fd00::]/64:22", NULL},
        {"0.0.0.0/0:22", NULL},
        {"autogroup:internet:*", NULL},
        {"[10.0.0.1]:22", "square brackets are only valid around IPv6 addresses: \"[10.0.0.1]:22\""},
        {"h", "dst=\"h\": hostport must contain a colon"},
        {"h:", "input cannot end with a colon character"},
        {":22", "input cannot start with a colon character"},
        {"h:0", "port range \"0\": first port must be >0, or use '*' for wildcard"},
        {"h:9-1", "invalid port range: first port is greater than last port"},
        {"h:65536", "port number out of range"},
        {"h:-1", "invalid port range format"},
        {"h:1-2-3", "invalid port range format"},
        {"h:22,", "port range \"\": invalid first integer"},
        {"h:22, 80", "port range \" 80\": invalid first integer"},
        {"h:http", "dst=\"h:http\": port range \"http\": invalid first integer"},
        {"autogroup:self", "dst=\"autogroup:self\": port range \"self\": invalid first integer"},
        {"tag:x:22", "dst=\"tag:x\": tag not found: \"tag:x\""},
        {"autogroup:danger-all:22", "cannot use autogroup:danger-all as a dst"},
        {"autogroup:nonroot:22", "autogroup not supported for ACL destinations: \"autogroup:nonroot\""},
    };

    (void)unused;
    ROWS("\"acls\":[{\"action\":\"accept\",\"src\":[\"odin@example.com\"],\"dst\":[\"%\"]}]", rows);
}

static void test_protocols(void **unused)
{
    static const struct row grants[] = {
        {"tcp:80,443", NULL},
        {"47", NULL},
        {"47:*", NULL},
        {"tcp", "port range \"tcp\": invalid first integer"},
        {"tcp:80:90", "expected only one colon in Internet protocol and port type, got: [tcp 80 90](3)"},
        {"*:80", "proto name \"*\" not known"},
        {"06:80", "leading 0 not permitted in protocol number: \"06\""},
        {"256:*", "protocol number out of range (0-255): 256"},
        {"icmpv6:*", "invalid protocol number: \"icmpv6\" must be a known protocol name"},
        {"0", "port range \"0\": first port must be >0"},
        {"", "port range \"\": invalid first integer"},
    };
    static const struct row acls[] = {
        {"\"TCP\",\"dst\":[\"*:80\"]", NULL},
        {"\"132\",\"dst\":[\"*:80\"]", NULL},
        {"\"1\",\"dst\":[\"*:*\"]", NULL},
        {"\"1\",\"dst\":[\"*:80\"]", "protocol does not support specific ports: \"icmp\", only \"*\" is allowed"},
        {"\"99\",\"dst\":[\"*:80\"]", "protocol does not support specific ports: \"99\", only \"*\" is allowed"},
        {"\"*\",\"dst\":[\"*:*\"]", "proto name \"*\" not known"},
        {"\"0\",\"dst\":[\"*:*\"]", "leading 0 not permitted in protocol number: \"0\""},
    };

    (void)unused;
    ROWS("\"grants\":[{\"src\":[\"*\"],\"dst\":[\"*\"],\"ip\":[\"%\"]}]", grants);
    ROWS("\"acls\":[{\"action\":\"accept\",\"src\":[\"*\"],\"proto\":%}]", acls);
}

static void test_ssh_places(void **unused)
{
    static const struct row rows[] = {
        {"\"src\":[\"autogroup:member\"],\"dst\":[\"autogroup:member\"]", NULL},
        {"\"src\":[\"autogroup:tagged\"],\"dst\":[\" tag:r \"]", NULL},
        {"\"src\":[\"*\"],\"dst\":[\"tag:r\"]", "alias not supported for SSH source: a wildcard (\"*\"): use users,"},
        {"\"src\":[\"h\"],\"dst\":[\"tag:r\"]", "alias not supported for SSH source: a host name (\"h\")"},
        {"\"src\":[\"alice\"],\"dst\":[\"tag:r\"]", "(a user without an email address is \"alice@\")"},
        {"\"src\":[\"10.0.0.1\"],\"dst\":[\"tag:r\"]", "an address (\"10.0.0.1\")"},
        {"\"src\":[\"user:*@foreign.net\"],\"dst\":[\"tag:r\"]",
         "[ssh] foreign.net is not associated with this Tailnet"},
        {"\"src\":[\"group:g\"],\"dst\":[\"*\"]", "wildcard (*) is not supported as SSH destination"},
        {"\"src\":[\"group:g\"],\"dst\":[\"h\"]", "invalid dst \"h\": use tags, autogroup:self"},
        {"\"src\":[\"group:g\"],\"dst\":[\"alice\"]", "(a user without an email address is \"alice@\")"},
        {"\"src\":[\"group:g\"],\"dst\":[\"group:g\"]", "alias not supported for SSH destination"},
        {"\"src\":[\"tag:r\"],\"dst\":[\"autogroup:member\"]", "tags in SSH source cannot access autogroup:member"},
        {"\"src\":[\"tag:r\"],\"dst\":[\"autogroup:self\"]",
         "autogroup:self destination requires source to contain only"},
        {"\"src\":[\"group:g\"],\"dst\":[\"odin@example.com\"]", "user destination requires source to contain only"},
    };

    (void)unused;
    ROWS("\"ssh\":[{\"action\":\"accept\",\"users\":[\"root\"],%}]", rows);
}

/* Roles own tags and approve routes, as users and groups do. */
static void test_roles(void **unused)
{
    struct prefix p = {{32, {10, 1}}, 16}, all = {{32, {0}}, 0};
    struct buf why = BUF_INIT(0);
    struct policy_view *v =
        load("+,\"tag:a\":[\"autogroup:admin\"],\"tag:m\":[\"autogroup:members\"],\"tag:o\":[\"autogroup:owner\"],"
             "\"tag:n\":[\"autogroup:network-admin\"]},\"autoApprovers\":{\"routes\":{\"10.0.0.0/8\":["
             "\"autogroup:admin\"]},\"exitNode\":[\"autogroup:tagged\",\"autogroup:it-admin\"]}",
             &why);

    (void)unused;
    if (!v)
        fail_msg("%s", buf_text(&why));
    assert_non_null(strstr(buf_text(&why), "autogroup:network-admin matches nobody"));
    assert_true(policy_may_tag(v, 1, "tag:a"));
    assert_true(policy_may_tag(v, 2, "tag:a"));
    assert_false(policy_may_tag(v, 3, "tag:a"));
    assert_true(policy_may_tag(v, 3, "tag:m"));
    assert_false(policy_may_tag(v, 2, "tag:o"));
    assert_false(policy_may_tag(v, 1, "tag:n"));
    assert_false(policy_may_tag(v, 99, "tag:m")); /* nobody's number */
    assert_true(policy_approves(v, ODIN, &p));
    assert_true(policy_approves(v, FREYA, &p));
    assert_false(policy_approves(v, THOR, &p));
    assert_false(policy_approves(v, ROUTER, &p));
    assert_true(policy_approves(v, ROUTER, &all));
    assert_false(policy_approves(v, ODIN, &all));
    policy_view_free(v);

    /* A role that nobody has gives nothing away. */
    v = load("\"acls\":[{\"action\":\"accept\",\"src\":[\"autogroup:it-admin\"],\"dst\":[\"tag:r:22\"]}]", &why);
    assert_non_null(v);
    struct buf filter = BUF_INIT(0);
    policy_filter(v, ROUTER, &filter);
    assert_string_equal(buf_text(&filter), "[]");
    policy_view_free(v);
    assert_null(load("+,\"tag:a\":[\"autogroup:internet\"]}", &why));
    assert_non_null(strstr(buf_text(&why), "invalid owner format: \"autogroup:internet\""));
    assert_null(load("\"autoApprovers\":{\"exitNode\":[\"autogroup:self\"]}", &why));
    assert_non_null(strstr(buf_text(&why), "invalid auto approver format: \"autogroup:self\""));
    buf_release(&filter);
    buf_release(&why);
}

/* "*" is the service's ranges and what lies beside them: a pool within them says nothing new, and would let in again
 * what they leave out. */
static void test_pools(void **unused)
{
    static const char *const texts[] = {"100.64.0.0/10", "fd7a:115c:a1e0::/48", "198.18.0.0/15"};
    struct prefix pools[3];
    struct policy_tailnet t = {
        .users = users, .user_count = 3, .nodes = nodes, .node_count = NODES, .pools = pools, .pool_count = 3};
    struct policy_problems problems = {0};
    struct policy *p = NULL;
    struct buf out = BUF_INIT(0);

    (void)unused;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(prefix_parse(texts[i], &pools[i], NULL, NULL), 0);
    const char *text = "{\"acls\":[{\"action\":\"accept\",\"src\":[\"*\"],\"dst\":[\"*:*\"]}]}";
    assert_int_equal(policy_parse(text, strlen(text), &p, &problems), 0);
    struct policy_view *v = policy_view_new(p, &t, NULL);
    policy_filter(v, ODIN, &out);
    assert_non_null(strstr(out.data, "\"198.18.0.0/15\""));
    assert_non_null(strstr(out.data, "\"100.64.0.0-100.115.91.255\""));
    assert_null(strstr(out.data, "\"100.64.0.0/10\""));
    assert_string_equal(strstr(strstr(out.data, texts[1]) + 1, texts[1]) ? "twice" : "once", "once");
    policy_view_free(v);
    policy_unref(p);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sources),    cmocka_unit_test(test_destinations), cmocka_unit_test(test_protocols),
        cmocka_unit_test(test_ssh_places), cmocka_unit_test(test_roles),        cmocka_unit_test(test_pools),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

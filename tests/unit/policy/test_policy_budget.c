/* SPDX-License-Identifier: BSD-3-Clause */
/* The limits on compiling a policy for a tailnet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/policy.h"

#define NODES 10000

static struct policy_node nodes[NODES];
static const struct policy_tailnet tailnet = {.nodes = nodes, .node_count = NODES};

static int make_nodes(void **unused)
{
    (void)unused;
    for (uint32_t i = 0; i < NODES; i++) {
        nodes[i] = (struct policy_node){.slot = i, .id = i + 1, .order = i + 1, .name = "node", .online = true};
        nodes[i].ipv4 = (struct addr){.bits = 32, .bytes = {100, 64, (uint8_t)(i / 256), (uint8_t)i}};
    }
    return 0;
}

/* Each node by its address, so that no two are of one kind, and rules about all of them. */
static struct policy *parse(size_t rules)
{
    struct policy_problems problems = {0};
    struct policy *p = NULL;
    struct buf b = BUF_INIT(0);

    buf_adds(&b, "{\"acls\":[{\"action\":\"accept\",\"dst\":[\"100.100.0.1:1\"],\"src\":[\"100.64.0.0\"");
    for (unsigned i = 1; i < NODES; i++)
        buf_addf(&b, ",\"100.64.%u.%u\"", i / 256, i % 256);
    buf_adds(&b, "]}");
    for (size_t i = 0; i < rules; i++)
        buf_addf(&b, ",{\"action\":\"accept\",\"src\":[\"*\"],\"dst\":[\"*:%zu\"]}", i + 1);
    buf_adds(&b, "]}");
    if (policy_parse(buf_text(&b), b.len, &p, &problems) < 0)
        fail_msg("%s", problems.items[0].text);
    policy_problems_release(&problems);
    buf_release(&b);
    return p;
}

static void what_costs_too_much_is_refused_and_named(void **unused)
{
    struct policy_problems problems = {0};
    struct policy *p = parse(16000);

    (void)unused;
    assert_null(policy_view_bounded(p, &tailnet, NULL, &problems));
    assert_int_equal(problems.len, 1);
    assert_true(policy_problems_fatal(&problems));
    assert_non_null(strstr(problems.items[0].text, "16001 rules"));
    assert_non_null(strstr(problems.items[0].text, "kinds of nodes"));
    policy_problems_release(&problems);
    policy_unref(p);
}

static void what_does_not_is_compiled_whole(void **unused)
{
    struct policy_problems problems = {0};
    struct policy *p = parse(200);
    struct policy_view *v = policy_view_bounded(p, &tailnet, NULL, &problems);

    (void)unused;
    assert_non_null(v);
    assert_int_equal(problems.len, 0);
    for (uint32_t i = 0; i < NODES; i += 97)
        assert_true(policy_sees(v, i, (i + 1) % NODES));
    policy_view_free(v);
    policy_unref(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_costs_too_much_is_refused_and_named),
        cmocka_unit_test(what_does_not_is_compiled_whole),
    };
    return cmocka_run_group_tests_name("policy_budget", tests, make_nodes, NULL);
}

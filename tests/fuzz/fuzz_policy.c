/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as a policy; what is taken is compiled over a small tailnet,
 * written out, explained and compared. What is written is JSON. */
#include <stdint.h>
#include <stdlib.h>

#include "policy/policy.h"
#include "json/json.h"

static const struct policy_user users[] = {{1, "alice", "alice@example.com", "", POLICY_OWNER, NULL, 0},
                                           {2, "bob", "bob@example.com", "", POLICY_MEMBER, NULL, 0}};

static const struct policy_user renamed[] = {{1, "carol", "carol@example.com", "", POLICY_MEMBER, NULL, 0},
                                             {2, "alice", "alice@example.com", "", POLICY_ADMIN, NULL, 0}};

/* Clears what was read. */
static void expect_json(struct buf *out)
{
    json_t *value = NULL;

    if (!out->failed && json_read(buf_text(out), out->len, SIZE_MAX, "the result", &value, NULL) < 0)
        abort();
    json_decref(value);
    buf_clear(out);
}

static const char *const tag[] = {"tag:a"};
static const struct prefix net[] = {{{32, {10}}, 8}}, all[] = {{{32, {0}}, 0}, {{128, {0}}, 0}};

static void make_nodes(struct policy_node nodes[4])
{
    for (uint32_t i = 0; i < 4; i++) {
        nodes[i] =
            (struct policy_node){.slot = i, .id = i + 1, .order = i, .name = "n", .online = true, .healthy = true};
        nodes[i].ipv4 = (struct addr){32, {100, 64, 0, (uint8_t)(i + 1)}};
        nodes[i].ipv6 = (struct addr){128, {0xfd, 0x7a, 0x11, 0x5c, 0xa1, 0xe0, [15] = (uint8_t)i}};
        nodes[i].user_id = i + 1;
    }
    nodes[2].tags = nodes[3].tags = tag;
    nodes[2].tag_count = nodes[3].tag_count = 1;
    nodes[2].routes = nodes[2].serving = net;
    nodes[2].route_count = nodes[2].serving_count = 1;
    nodes[3].routes = all;
    nodes[3].route_count = 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct policy_node nodes[4] = {{0}};
    struct policy_problems problems = {0};
    struct policy_parts parts = {0}, now = {0};
    struct prefixes shown = {0};
    struct strs attrs = {0};
    struct buf out = BUF_INIT(8U << 20);
    struct json_out o = JSON_OUT(&out);
    struct policy *p = NULL;
    struct err e;
    bool allowed;

    make_nodes(nodes);
    struct policy_tailnet t = {.users = users, .user_count = 2, .nodes = nodes, .node_count = 4};
    if (size < 65536 && policy_parse((const char *)data, size, &p, &problems) == 0) {
        struct policy_view *v = policy_view_new(p, &t, NULL), *none = policy_view_new(NULL, &t, v);
        (void)!policy_view_check(v, true, &problems);
        for (uint32_t i = 0; i < 4; i++) {
            policy_filter(v, i, &out);
            expect_json(&out);
            policy_filter_delta(v, i, NULL, &parts, &out);
            expect_json(&out);
            policy_ssh(v, i, "https://x", &out);
            expect_json(&out);
            policy_attrs(v, i, &attrs);
            policy_routes(v, i, 3 - i, &shown);
        }
        if (policy_explain(v, "alice", "10.0.0.1", 6, 22, &allowed, &out, &e) == 0)
            expect_json(&out);
        json_open(&o, '{');
        policy_preview(v, none, NULL, 10, &o);
        json_close(&o, '}');
        expect_json(&out);
        policy_view_remove(v, 2);
        policy_view_put(v, &nodes[2]);
        (void)policy_view_set_users(v, users, 1); /* bob goes, and comes back as somebody else */
        (void)policy_view_set_users(v, renamed, 2);
        struct policy_view *next = policy_view_new(p, &t, NULL);
        policy_view_succeed(next, v);
        for (uint32_t i = 0; i < 4; i++) {
            policy_filter_delta(next, i, &parts, &now, &out);
            (void)policy_approves(next, i, net);
        }
        policy_view_free(next);
        policy_view_free(none);
        policy_view_free(v);
    }
    policy_unref(p);
    policy_problems_release(&problems);
    policy_parts_release(&parts);
    policy_parts_release(&now);
    prefixes_release(&shown);
    strs_release(&attrs);
    buf_release(&out);
    return 0;
}

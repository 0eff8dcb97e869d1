/* SPDX-License-Identifier: BSD-3-Clause */
#include "shared/policy_fleet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct policy_user users[] = {
    {1, "alice", "alice@example.com", "", POLICY_OWNER, NULL, 0},
    {2, "bob", "bob@example.com", "", POLICY_MEMBER, NULL, 0},
};

struct prefix fleet_prefix(const char *text)
{
    struct prefix p;

    assert_int_equal(prefix_parse(text, &p, NULL, NULL), 0);
    return p;
}

void fleet_make(struct policy_fleet *f)
{
    static const char *const names[FLEET_NODES] = {"r1", "r2", "x1", "x2", "c1", "c2"};
    static const char *const tags[FLEET_NODES] = {"tag:router", "tag:router", "tag:exit1", "tag:exit2", NULL, NULL};

    *f = (struct policy_fleet){.t = {.users = users, .user_count = 2, .nodes = f->nodes, .node_count = FLEET_NODES}};
    for (uint32_t i = 0; i < FLEET_NODES; i++) {
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
            f->routes[i][0] = fleet_prefix("10.0.0.0/24");
            f->serving[i][0] = f->routes[i][0];
            n->route_count = 1;
            n->serving_count = i == R1;
        } else if (i <= X2) {
            f->routes[i][0] = fleet_prefix("0.0.0.0/0");
            f->routes[i][1] = fleet_prefix("::/0");
            n->route_count = 2;
        }
    }
}

struct policy *fleet_policy(const char *text)
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

struct policy_view *fleet_view(const struct policy_fleet *f, const char *text)
{
    struct policy *p = fleet_policy(text);
    struct policy_view *v = policy_view_new(p, &f->t, NULL);

    policy_unref(p);
    return v;
}

void fleet_assert_routes(const struct policy_view *v, uint32_t viewer, uint32_t peer, const char *want)
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

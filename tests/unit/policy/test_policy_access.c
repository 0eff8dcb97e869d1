/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules only ever allow: which router serves a via group, what plain rules in addition to it change, what a capability
 * grants, what the section tests proves, and what an explanation omits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/array.h"
#include "policy/policy.h"
#include "shared/policy_fleet.h"
#include "json/json.h"

#define VIA "{\"src\":[\"alice@example.com\"],\"dst\":[\"10.0.0.0/24\"],\"ip\":[\"80\"],\"via\":[\"tag:exit1\"]}"

/* x1 is a router too, by a tag of its own; r1 is the primary. */
static void make_routers(struct policy_fleet *f)
{
    fleet_make(f);
    f->routes[X1][0] = fleet_prefix("10.0.0.0/24");
    f->nodes[X1].route_count = 1;
}

/* ---- who serves ---- */

static void test_oldest_serves(void **unused)
{
    static const uint32_t orders[][2] = {{R1, R2}, {R2, R1}};
    static const char text[] =
        "{" FLEET_TAGS "\"grants\":[{\"src\":[\"alice@example.com\"],\"dst\":[\"10.0.0.0/24\"],\"ip\":[\"*\"],"
        "\"via\":[\"tag:router\"]}]}";

    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct policy_fleet f;

        fleet_make(&f);
        f.t.node_count = 0;
        f.nodes[R1].order = 20; /* r2 is the older one */
        f.nodes[R2].order = 10;
        struct policy_view *v = fleet_view(&f, text);
        policy_view_put(v, &f.nodes[C1]);
        for (size_t k = 0; k < 2; k++)
            policy_view_put(v, &f.nodes[orders[i][k]]);
        fleet_assert_routes(v, C1, R2, "10.0.0.0/24");
        fleet_assert_routes(v, C1, R1, "");
        policy_view_free(v);

        f.t.node_count = FLEET_NODES; /* all at once */
        v = fleet_view(&f, text);
        fleet_assert_routes(v, C1, R2, "10.0.0.0/24");
        policy_view_free(v);
    }
}

/* ---- what each viewer sees ---- */

#define EXIT "0.0.0.0/0 ::/0"
#define LAN  "10.0.0.0/24"
#define VIA_EACH                                                                                                       \
    "{\"src\":[\"alice@example.com\"],\"dst\":[\"autogroup:internet\"],\"via\":[\"tag:exit1\"],\"ip\":[\"*\"]},"       \
    "{\"src\":[\"bob@example.com\"],\"dst\":[\"autogroup:internet\"],\"via\":[\"tag:exit2\"],\"ip\":[\"*\"]}"

/* By the numbers of the scenarios in the reference on routes. */
static void test_scenarios(void **unused)
{
    static const struct {
        int number;
        const char *grants; /* NULL: no policy */
        struct {
            uint32_t viewer, peer;
            const char *sees;
        } views[7];
    } cases[] = {
        {31,
         "{\"src\":[\"alice@example.com\"],\"dst\":[\"autogroup:internet\"],\"ip\":[\"*\"]}",
         {{C1, X1, EXIT}, {C1, X2, EXIT}, {C2, X1, "no"}, {C2, X2, "no"}, {X1, C1, ""}, {X1, X2, "no"}}},
        {32,
         "{\"src\":[\"alice@example.com\"],\"dst\":[\"tag:exit1\",\"tag:exit2\"],\"ip\":[\"22\"]}",
         {{C1, X1, ""}, {C1, X2, ""}}},
        {33, "", {{C1, X1, "no"}, {C1, R1, "no"}, {C1, C2, "no"}, {R1, R2, "no"}}},
        {34,
         "{\"src\":[\"alice@example.com\"],\"dst\":[\"*\"],\"ip\":[\"*\"]}",
         {{C1, X1, EXIT}, {C1, X2, EXIT}, {C1, R1, LAN}, {C1, C2, ""}, {C2, C1, ""}, {C2, X1, "no"}}},
        {35, NULL, {{X1, X2, EXIT}, {X2, X1, EXIT}}},
        {49, NULL, {{C1, R1, LAN}, {C1, R2, ""}, {R2, R1, LAN}}},
        {78,
         "{\"src\":[\"alice@example.com\"],\"dst\":[\"10.0.0.5/32\"],\"ip\":[\"443\"]}",
         {{C1, R1, LAN}, {C1, R2, ""}, {C2, R1, "no"}, {C2, R2, "no"}, {R1, C1, ""}, {R1, R2, "no"}}},
        {79,
         "{\"src\":[\"alice@example.com\"],\"dst\":[\"tag:router\"],\"ip\":[\"22\"]}",
         {{C1, R1, ""}, {C1, R2, ""}}},
        {83,
         "{\"src\":[\"*\"],\"dst\":[\"10.0.0.0/24\"],\"ip\":[\"443\"]}",
         {{C1, R1, LAN}, {C2, R1, LAN}, {C1, C2, "no"}}},
        {98,
         "{\"src\":[\"*\"],\"dst\":[\"autogroup:internet\"],\"ip\":[\"*\"]}",
         {{C1, X1, EXIT}, {C1, X2, EXIT}, {C1, R1, "no"}, {R1, X1, EXIT}, {X1, R1, LAN}, {X1, X2, EXIT}, {X1, C1, ""}}},
        {91, VIA_EACH, {{C1, X1, EXIT}, {C1, X2, "no"}, {C2, X2, EXIT}, {C2, X1, "no"}, {C1, C2, "no"}}},
        {92,
         VIA_EACH ",{\"src\":[\"bob@example.com\"],\"dst\":[\"alice@example.com\"],\"ip\":[\"22\"]}",
         {{C1, X1, EXIT}, {C1, X2, "no"}, {C2, X2, EXIT}, {C2, X1, "no"}, {C1, C2, ""}, {C2, C1, ""}}},
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct policy_fleet f;
        struct buf text = {0};

        print_message("scenario %d\n", cases[i].number);
        fleet_make(&f);
        if (cases[i].grants)
            buf_addf(&text, "{" FLEET_TAGS "\"grants\":[%s]}", cases[i].grants);
        struct policy_view *v = fleet_view(&f, buf_text(&text));
        for (size_t k = 0; k < ARRAY_LEN(cases[i].views) && cases[i].views[k].sees; k++)
            fleet_assert_routes(v, cases[i].views[k].viewer, cases[i].views[k].peer, cases[i].views[k].sees);
        policy_view_free(v);
        buf_release(&text);
    }
}

/* ---- with a third router ---- */

#define R3       X1 /* tagged tag:exit1 and no exit node: the edge of the scenarios */
#define TO_LAN   "\"dst\":[\"10.0.0.0/24\"]"
#define ALICE    "{\"src\":[\"alice@example.com\"],"
#define BOB      "{\"src\":[\"bob@example.com\"],"
#define EDGE     "\"via\":[\"tag:exit1\"],\"ip\":[\"*\"]}"
#define NEAR_LAN "10.9.0.0/16"
#define SITE_LAN "fd7a:115c:a1e0:b1a:0:13:ad2:7300/120"

/* What R3 advertises, blank between; R1 and R2 as they are, or one of them without a route. */
static void set_routers(struct policy_fleet *f, const char *edge, bool r1, bool r2, bool r1_offline)
{
    struct policy_node *n = &f->nodes[R3];

    n->route_count = 0;
    for (char text[64]; *edge; edge += strspn(edge, " ")) {
        size_t len = strcspn(edge, " ");
        memcpy(text, edge, len);
        text[len] = '\0';
        f->routes[R3][n->route_count++] = fleet_prefix(text);
        edge += len;
    }
    f->nodes[R1].route_count = r1;
    f->nodes[R2].route_count = r2;
    f->nodes[R1].serving_count = r1 && !r1_offline;
    f->nodes[R1].online = !r1_offline;
    if (r1_offline) {
        f->serving[R2][0] = f->routes[R2][0];
        f->nodes[R2].serving_count = 1;
    } else if (n->route_count && prefix_cmp(&f->routes[R3][0], &f->routes[R1][0]) != 0) {
        f->serving[R3][0] = f->routes[R3][0];
        n->serving_count = 1;
    }
}

/* Whose addresses the filter lets in: letters of c1 (a), c2 (b) and the network behind R1 (l). */
static void assert_filter(const struct policy_view *v, uint32_t slot, const char *want)
{
    static const struct {
        char letter;
        const char *text;
    } sources[] = {{'a', "\"100.64.0.5"}, {'b', "\"100.64.0.6"}, {'l', "\"SrcIPs\":[\"10.0.0.0/24"}};
    struct buf out = {0};
    char found[ARRAY_LEN(sources) + 1] = "";
    size_t len = 0;

    policy_filter(v, slot, &out);
    for (size_t i = 0; i < ARRAY_LEN(sources); i++)
        if (strstr(buf_text(&out), sources[i].text))
            found[len++] = sources[i].letter;
    found[len] = '\0';
    if (strcmp(found, want) != 0)
        fail_msg("filter of %u lets '%s' in, not '%s': %s", slot, found, want, buf_text(&out));
    buf_release(&out);
}

static const struct {
    int number;
    const char *edge; /* routes of R3 */
    bool no_r1, no_r2, r1_offline;
    const char *grants;
    const char *filters[3]; /* of R1, R2 and R3; NULL: whatever */
    struct {
        uint32_t viewer, peer;
        const char *sees;
    } views[7];
} with_edge[] = {
    {.number = 80,
     .edge = "",
     .grants = "{\"src\":[\"10.0.0.0/24\"],\"dst\":[\"tag:exit1\"],\"ip\":[\"*\"]}",
     .filters = {"", "", "l"},
     .views = {{R3, R1, LAN}, {R3, R2, ""}, {R1, R3, ""}, {R2, R3, ""}, {R2, R1, "no"}, {C1, R3, "no"}}},
    {.number = 81,
     .edge = "192.168.9.0/24",
     .no_r2 = true,
     .grants = "{\"src\":[\"10.0.0.0/24\"],\"dst\":[\"192.168.9.0/24\"],\"ip\":[\"*\"]}",
     .filters = {"", NULL, "l"},
     .views = {{R1, R3, "192.168.9.0/24"}, {R3, R1, LAN}, {C1, R1, "no"}, {C1, R3, "no"}}},
    {.number = 82,
     .edge = "",
     .no_r1 = true,
     .no_r2 = true,
     .grants = ALICE TO_LAN ",\"ip\":[\"*\"]}",
     .filters = {"", "", ""},
     .views = {{C1, R1, "no"}, {R1, C1, "no"}}},
    {.number = 84,
     .edge = LAN,
     .no_r2 = true,
     .grants = ALICE TO_LAN "," EDGE,
     .filters = {"", NULL, "a"},
     .views = {{C1, R3, LAN}, {C1, R1, "no"}, {C2, R1, "no"}, {C2, R3, "no"}, {R3, R1, "no"}}},
    {.number = 85,
     .edge = LAN,
     .no_r2 = true,
     .grants = ALICE TO_LAN "," EDGE "," BOB TO_LAN ",\"ip\":[\"*\"]}",
     .filters = {"b", NULL, NULL},
     .views = {{C1, R3, LAN}, {C1, R1, "no"}, {C2, R1, LAN}, {C2, R3, ""}}},
    {.number = 86,
     .edge = LAN,
     .no_r2 = true,
     .grants = ALICE TO_LAN "," EDGE "," ALICE TO_LAN ",\"ip\":[\"*\"]}",
     .views = {{C1, R1, LAN}, {C1, R3, ""}}},
    {.number = 87,
     .edge = LAN,
     .grants = ALICE TO_LAN ",\"via\":[\"tag:router\"],\"ip\":[\"*\"]}",
     .filters = {"a", "a", ""},
     .views = {{C1, R1, LAN}, {C1, R2, ""}, {C1, R3, "no"}}},
    {.number = 88,
     .edge = LAN,
     .r1_offline = true,
     .grants = ALICE TO_LAN ",\"via\":[\"tag:router\"],\"ip\":[\"*\"]}",
     .views = {{C1, R2, LAN}, {C1, R1, ""}, {C1, R3, "no"}}},
    {.number = 89,
     .edge = LAN " " NEAR_LAN,
     .no_r1 = true,
     .no_r2 = true,
     .grants = ALICE "\"dst\":[\"10.0.0.0/8\"]," EDGE,
     .filters = {"", "", "a"},
     .views = {{C1, R3, LAN " " NEAR_LAN}}},
    {.number = 90,
     .edge = LAN,
     .no_r1 = true,
     .no_r2 = true,
     .grants = ALICE "\"dst\":[\"172.16.0.0/12\"]," EDGE,
     .filters = {"", "", ""},
     .views = {{C1, R3, "no"}}},
    {.number = 97,
     .edge = SITE_LAN,
     .no_r1 = true,
     .no_r2 = true,
     .grants = ALICE "\"dst\":[\"fd7a:115c:a1e0:b1a::/64\"],\"via\":[\"tag:exit1\"],\"ip\":[\"tcp:3389\"]}",
     .filters = {"", "", "a"},
     .views = {{C1, R3, SITE_LAN}, {C2, R3, "no"}}},
};

static void test_scenarios_with_an_edge(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(with_edge); i++) {
        struct policy_fleet f;
        struct buf text = {0};

        print_message("scenario %d\n", with_edge[i].number);
        fleet_make(&f);
        set_routers(&f, with_edge[i].edge, !with_edge[i].no_r1, !with_edge[i].no_r2, with_edge[i].r1_offline);
        buf_addf(&text, "{" FLEET_TAGS "\"grants\":[%s]}", with_edge[i].grants);
        struct policy_view *v = fleet_view(&f, buf_text(&text));
        for (size_t k = 0; k < ARRAY_LEN(with_edge[i].views) && with_edge[i].views[k].sees; k++)
            fleet_assert_routes(v, with_edge[i].views[k].viewer, with_edge[i].views[k].peer,
                                with_edge[i].views[k].sees);
        for (uint32_t k = 0; k < 3; k++)
            if (with_edge[i].filters[k])
                assert_filter(v, k == 2 ? R3 : k, with_edge[i].filters[k]);
        policy_view_free(v);
        buf_release(&text);
    }
}

/* ---- rules beside a grant with via ---- */

static void test_nothing_is_taken(void **unused)
{
    static const struct {
        const char *added; /* rules beside the grant */
        const char *r1, *x1;
    } cases[] = {
        {"", "no", "10.0.0.0/24"},
        /* Not the prefix, or not all that the grant opens: alice stays where port 80 is. */
        {",{\"src\":[\"*\"],\"dst\":[\"*\"],\"ip\":[\"22\"]}", "", "10.0.0.0/24"},
        {",{\"src\":[\"*\"],\"dst\":[\"*\"],\"ip\":[\"*\"]}", "", "10.0.0.0/24"},
        {",{\"src\":[\"alice@example.com\"],\"dst\":[\"10.0.0.0/24\"],\"ip\":[\"22\"]}", "", "10.0.0.0/24"},
        {",{\"src\":[\"alice@example.com\"],\"dst\":[\"10.0.0.0/25\"],\"ip\":[\"*\"]}", "", "10.0.0.0/24"},
        {",{\"src\":[\"alice@example.com\"],\"dst\":[\"10.0.0.0/24\"],\"ip\":[\"tcp:*\"]}", "", "10.0.0.0/24"},
        {",{\"src\":[\"fd7a:115c:a1e0::5\"],\"dst\":[\"10.0.0.0/24\"],\"ip\":[\"*\"]}", "", "10.0.0.0/24"},
        /* All of it, by name: the primary serves. */
        {",{\"src\":[\"alice@example.com\"],\"dst\":[\"10.0.0.0/24\"],\"ip\":[\"80\"]}", "10.0.0.0/24", ""},
        {",{\"src\":[\"autogroup:member\"],\"dst\":[\"10.0.0.0/8\"],\"ip\":[\"1-79\",\"80-90\"]}", "10.0.0.0/24", ""},
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct policy_fleet f;
        struct buf text = {0};

        make_routers(&f);
        buf_addf(&text, "{" FLEET_TAGS "\"grants\":[" VIA "%s]}", cases[i].added);
        struct policy_view *v = fleet_view(&f, buf_text(&text));
        fleet_assert_routes(v, C1, R1, cases[i].r1);
        fleet_assert_routes(v, C1, X1, cases[i].x1);
        policy_view_free(v);
        buf_release(&text);
    }
}

/* A grant with via whose routers are away takes nothing from a plain rule. */
static void test_no_router_no_steering(void **unused)
{
    struct policy_fleet f;

    (void)unused;
    make_routers(&f);
    f.nodes[X1].online = f.nodes[X1].healthy = false;
    struct policy_view *v =
        fleet_view(&f, "{" FLEET_TAGS "\"grants\":[" VIA
                       ",{\"src\":[\"alice@example.com\"],\"dst\":[\"10.0.0.0/24\"],\"ip\":[\"22\"]}]}");
    fleet_assert_routes(v, C1, R1, "10.0.0.0/24");
    policy_view_free(v);
}

static void test_capability_offers_no_route(void **unused)
{
    struct policy_fleet f;

    (void)unused;
    fleet_make(&f);
    struct policy_view *v = fleet_view(
        &f, "{" FLEET_TAGS
            "\"grants\":[{\"src\":[\"alice@example.com\"],\"dst\":[\"*\"],\"app\":{\"example.com/cap/x\":[{}]}}]}");
    fleet_assert_routes(v, C1, R1, "");
    fleet_assert_routes(v, C1, X1, "");
    policy_view_free(v);
    v = fleet_view(&f, "{" FLEET_TAGS "\"grants\":[{\"src\":[\"alice@example.com\"],\"dst\":[\"10.0.0.0/24\"],"
                       "\"app\":{\"example.com/cap/x\":[{}]}}]}");
    fleet_assert_routes(v, C1, R1, "");
    policy_view_free(v);
    v = fleet_view(&f, "{" FLEET_TAGS "\"grants\":[{\"src\":[\"alice@example.com\"],\"dst\":[\"*\"],\"ip\":[\"22\"],"
                       "\"app\":{\"example.com/cap/x\":[{}]}}]}");
    fleet_assert_routes(v, C1, R1, "10.0.0.0/24");
    fleet_assert_routes(v, C1, X1, "0.0.0.0/0 ::/0");
    policy_view_free(v);
}

/* ---- the section tests ---- */

static void test_every_source(void **unused)
{
    static const struct {
        const char *rules, *test;
        bool ok;
    } cases[] = {
        /* Some sources get through. */
        {"alice@example.com", "\"src\":\"*\",\"accept\":[\"tag:router:22\"]", false},
        {"alice@example.com", "\"src\":\"*\",\"deny\":[\"tag:router:22\"]", false},
        {"alice@example.com", "\"src\":\"autogroup:member\",\"accept\":[\"tag:router:22\"]", false},
        {"alice@example.com", "\"src\":\"autogroup:member\",\"deny\":[\"tag:router:22\"]", false},
        {"alice@example.com", "\"src\":\"group:all\",\"accept\":[\"tag:router:22\"]", false},
        {"alice@example.com", "\"src\":\"group:all\",\"deny\":[\"tag:router:22\"]", false},
        {"100.64.0.5", "\"src\":\"alice@example.com\",\"accept\":[\"tag:router:22\"]", false}, /* one family */
        {"100.64.0.5", "\"src\":\"alice@example.com\",\"deny\":[\"tag:router:22\"]", false},
        {"100.64.0.5", "\"src\":\"100.64.0.0/29\",\"accept\":[\"tag:router:22\"]", false},
        {"100.64.0.5", "\"src\":\"100.64.0.0/29\",\"deny\":[\"tag:router:22\"]", false},
        {"*", "\"src\":\"autogroup:danger-all\",\"accept\":[\"tag:router:22\"]", false},
        /* All do, or none. */
        {"*", "\"src\":\"*\",\"accept\":[\"tag:router:22\"],\"deny\":[\"tag:router:23\"]", true},
        {"group:all", "\"src\":\"autogroup:member\",\"accept\":[\"tag:router:22\"]", true},
        {"100.64.0.0/28", "\"src\":\"100.64.0.0/29\",\"accept\":[\"tag:router:22\"]", true},
        {"alice@example.com", "\"src\":\"bob@example.com\",\"deny\":[\"tag:router:22\"]", true},
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct policy_problems problems = {0};
        struct policy_fleet f;
        struct buf text = {0};

        fleet_make(&f);
        buf_addf(&text,
                 "{" FLEET_TAGS "\"groups\":{\"group:all\":[\"alice@example.com\",\"bob@example.com\"]},"
                 "\"acls\":[{\"action\":\"accept\",\"src\":[\"%s\"],\"dst\":[\"tag:router:22\"]}],\"tests\":[{%s}]}",
                 cases[i].rules, cases[i].test);
        struct policy_view *v = fleet_view(&f, buf_text(&text));
        if ((policy_view_check(v, true, &problems) == 0) != cases[i].ok)
            fail_msg("%s: %s", buf_text(&text), cases[i].ok ? problems.items[0].text : "passes");
        policy_problems_release(&problems);
        policy_view_free(v);
        buf_release(&text);
    }
}

/* Rules with autogroup:self and via are rules too. */
static void test_all_rules_count(void **unused)
{
    static const char *const refused[] = {
        "\"acls\":[{\"action\":\"accept\",\"src\":[\"autogroup:member\"],\"dst\":[\"autogroup:self:22\"]}],"
        "\"tests\":[{\"src\":\"alice@example.com\",\"deny\":[\"100.64.0.5:22\"]}]",
        "\"grants\":[" VIA "],\"tests\":[{\"src\":\"alice@example.com\",\"deny\":[\"10.0.0.9:80\"]}]",
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct policy_problems problems = {0};
        struct policy_fleet f;
        struct buf text = {0};

        fleet_make(&f);
        buf_addf(&text, "{" FLEET_TAGS "%s}", refused[i]);
        struct policy_view *v = fleet_view(&f, buf_text(&text));
        assert_true(policy_view_check(v, true, &problems) < 0);
        assert_non_null(strstr(problems.items[0].text, "expected DENIED, got ALLOWED"));
        policy_problems_release(&problems);
        policy_view_free(v);
        buf_release(&text);
    }
}

/* Anybody with a key may ask for a check: it ends, and says why. */
static void test_budget(void **unused)
{
    struct policy_problems problems = {0};
    struct policy_fleet f;
    struct buf text = {0};

    (void)unused;
    fleet_make(&f);
    buf_adds(&text, "{" FLEET_TAGS "\"acls\":[");
    for (int i = 0; i < 16000; i++)
        buf_addf(&text, "%s{\"src\":[\"bob@example.com\"],\"dst\":[\"10.1.%d.%d:80\"]}", i ? "," : "", i / 250,
                 i % 250);
    buf_adds(&text, "],\"tests\":[");
    for (int i = 0; i < 10000; i++)
        buf_addf(&text, "%s{\"src\":\"alice@example.com\",\"deny\":[\"tag:router:22\"]}", i ? "," : "");
    buf_adds(&text, "]}");
    struct policy_view *v = fleet_view(&f, buf_text(&text));
    assert_true(policy_view_check(v, true, &problems) < 0);
    assert_int_equal(problems.len, 1);
    assert_non_null(strstr(problems.items[0].text, "the check stops here: the tests need more than"));
    assert_true(problems.items[0].line > 0);
    policy_problems_release(&problems);
    policy_view_free(v);

    /* A large policy that is meant well stays far below it. */
    buf_clear(&text);
    buf_adds(&text, "{" FLEET_TAGS "\"acls\":[{\"src\":[\"*\"],\"dst\":[\"*:*\"]}");
    for (int i = 0; i < 1500; i++)
        buf_addf(&text, ",{\"src\":[\"bob@example.com\"],\"dst\":[\"10.1.%d.%d:80\"]}", i / 250, i % 250);
    buf_adds(&text, "],\"tests\":[");
    for (int i = 0; i < 3000; i++)
        buf_addf(&text, "%s{\"src\":\"*\",\"accept\":[\"tag:router:22\"]}", i ? "," : "");
    buf_adds(&text, "]}");
    v = fleet_view(&f, buf_text(&text));
    assert_int_equal(policy_view_check(v, true, &problems), 0);
    policy_problems_release(&problems);
    policy_view_free(v);
    buf_release(&text);
}

/* ---- explanations ---- */

static bool explained(const struct policy_view *v, const char *src, const char *dst, const char *step)
{
    struct buf out = {0};
    struct err e;
    bool allowed = false;

    if (policy_explain(v, src, dst, 6, 22, &allowed, &out, &e) < 0)
        fail_msg("%s", e.message);
    if (step && !strstr(buf_text(&out), step))
        fail_msg("no \"%s\" in %s", step, buf_text(&out));
    buf_release(&out);
    return allowed;
}

static void test_explained_without_ipv4(void **unused)
{
    static const char *const targets[] = {"c1", "tag:router"};

    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        struct policy_fleet f;
        struct buf text = {0};

        fleet_make(&f);
        buf_addf(&text,
                 "{" FLEET_TAGS "\"acls\":[{\"action\":\"accept\",\"src\":[\"*\"],\"dst\":[\"*:*\"]}],"
                 "\"nodeAttrs\":[{\"target\":[\"%s\"],\"attr\":[\"disable-ipv4\"]}]}",
                 i ? "tag:router" : "alice@example.com");
        struct policy_view *v = fleet_view(&f, buf_text(&text));
        const char *gone = i ? "100.64.0.1" : "100.64.0.5";
        assert_false(explained(v, "c2", gone, "disable-ipv4"));
        assert_false(explained(v, gone, "100.64.0.6", "disable-ipv4"));
        assert_true(explained(v, "c2", i ? "fd7a:115c:a1e0::1" : "fd7a:115c:a1e0::5", NULL));
        assert_true(explained(v, "c2", targets[i], NULL)); /* by IPv6 */
        policy_view_free(v);
        buf_release(&text);
    }
}

/* A source behind a router needs the way back as well. */
static void test_explained_way_back(void **unused)
{
    struct policy_fleet f;

    (void)unused;
    fleet_make(&f);
    struct policy_view *v =
        fleet_view(&f, "{" FLEET_TAGS "\"acls\":[{\"action\":\"accept\",\"src\":[\"10.0.0.9\"],\"dst\":[\"*:22\"]}]}");
    assert_true(explained(v, "10.0.0.9", "c1", "10.0.0.9 is behind the router r1"));
    policy_view_free(v);
    f.nodes[R1].serving_count = 0; /* nobody is shown the way */
    v = fleet_view(&f, "{" FLEET_TAGS "\"acls\":[{\"action\":\"accept\",\"src\":[\"10.0.0.9\"],\"dst\":[\"*:22\"]}]}");
    assert_false(explained(v, "10.0.0.9", "c1", NULL));
    policy_view_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oldest_serves),
        cmocka_unit_test(test_scenarios),
        cmocka_unit_test(test_scenarios_with_an_edge),
        cmocka_unit_test(test_nothing_is_taken),
        cmocka_unit_test(test_no_router_no_steering),
        cmocka_unit_test(test_capability_offers_no_route),
        cmocka_unit_test(test_every_source),
        cmocka_unit_test(test_all_rules_count),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_explained_without_ipv4),
        cmocka_unit_test(test_explained_way_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

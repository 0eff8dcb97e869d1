/* SPDX-License-Identifier: BSD-3-Clause */
/* The API of routes over real sockets: priorities, draining, how a prefix is served. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/mem.h"
#include "shared/api_fixture.h"
#include "shared/core_rig.h"

static struct api_fixture f;

static int begin(void **state)
{
    (void)state;
    return api_setup(&f);
}

static int end(void **state)
{
    (void)state;
    return api_teardown(&f);
}

/* Two routers of a prefix, the second one serves. */
static void two_routers(void)
{
    static const char *const routes[] = {"10.0.0.0/8", NULL};
    uint64_t first, second;

    api_node(&f, "alice", "r1", routes, &first);
    api_node(&f, "alice", "r2", routes, &second);
    json_decref(api_expect(&f, 200, "POST", "/api/v1/node/1/approve_routes", "{\"routes\":[\"10.0.0.0/8\"]}"));
    json_decref(api_expect(&f, 200, "POST", "/api/v1/node/2/approve_routes", "{\"routes\":[\"10.0.0.0/8\"]}"));
    json_decref(api_expect(&f, 200, "POST", "/api/headway/prefixes/10.0.0.0%2F8/primary", "{\"node\":\"2\"}"));
}

static void whether_a_router_can_be_taken_away_is_told(void **state)
{
    json_t *j;

    (void)state;
    two_routers();
    j = api_expect(&f, 200, "GET", "/api/headway/nodes/2/drain", NULL);
    assert_string_equal(json_text(j, "text", ""),
                        "r2 is in service and serves 1 prefix; if it fails, r1 takes over 10.0.0.0/8");
    json_t *served = json_array_get(json_object_get(j, "serves"), 0);
    assert_string_equal(json_text(served, "prefix", ""), "10.0.0.0/8");
    assert_string_equal(json_text(served, "successorName", ""), "r1");
    json_decref(j);
    json_decref(api_expect(&f, 200, "POST", "/api/headway/nodes/2/drain", "{}"));
    j = api_expect(&f, 200, "GET", "/api/headway/nodes/2/drain", NULL);
    assert_int_equal(json_array_size(json_object_get(j, "serves")), 0);
    assert_false(json_is_true(json_object_get(j, "safe"))); /* nobody has asked the clients */
    assert_non_null(
        strstr(json_text(j, "text", ""), "is drained and serves no prefix; not confirmed by clients: packets"));
    assert_false(json_is_true(json_object_get(j, "asking")));
    json_decref(j);
    json_decref(api_expect(&f, 200, "POST", "/api/headway/nodes/1/drain", "{}"));
    j = api_expect(&f, 200, "GET", "/api/headway/nodes/1/drain", NULL);
    assert_non_null(strstr(json_text(j, "text", ""), "still serves 10.0.0.0/8: no other router can"));
    json_decref(j);
    json_decref(api_expect(&f, 200, "POST", "/api/headway/nodes/1/drain", "{\"drained\":false}"));
    json_decref(api_expect(&f, 404, "GET", "/api/headway/nodes/77/drain", NULL));
}

/* The only group of the prefix, also where nobody serves it; and how often the server's health names it. */
static void expect_group(const char *via, const char *primary, size_t complaints)
{
    json_t *j = api_expect(&f, 200, "GET", "/api/headway/prefixes/10.0.0.0%2F8", NULL);
    const json_t *groups = json_object_get(json_object_get(j, "prefix"), "groups");

    assert_int_equal(json_array_size(groups), 1);
    assert_string_equal(json_text(json_array_get(groups, 0), "via", ""), via);
    assert_string_equal(json_text(json_array_get(groups, 0), "primaryName", "-"), primary ? primary : "-");
    json_decref(j);
    j = api_expect(&f, 200, "GET", "/api/headway/health", NULL);
    const json_t *reasons = json_object_get(j, "reasons"), *r;
    size_t i, found = 0;
    json_array_foreach(reasons, i, r) found +=
        str_eq(json_text(r, "text", ""),
               "nobody serves 10.0.0.0/8 to those whom grants lead via tag:edge: no router with it can");
    assert_int_equal(found, complaints);
    json_decref(j);
}

/* A router that serves only for grants with via is no standby: it says so, and can be drained. */
static void who_serves_via_is_shown_as_serving(void **state)
{
    static const char policy[] =
        "{\"policy\":\"{\\\"tagOwners\\\":{\\\"tag:edge\\\":[\\\"alice@\\\"]},\\\"grants\\\":[{\\\"src\\\":[\\\"*\\\"],"
        "\\\"dst\\\":[\\\"10.0.0.0/8\\\"],\\\"via\\\":[\\\"tag:edge\\\"],\\\"ip\\\":[\\\"*\\\"]}]}\"}";

    (void)state;
    two_routers();
    json_decref(api_expect(&f, 200, "PUT", "/api/headway/policy", policy));
    expect_group("tag:edge", NULL, 1);
    json_decref(api_expect(&f, 200, "POST", "/api/headway/nodes/1/tags", "{\"tags\":[\"tag:edge\"]}"));
    expect_group("tag:edge", "r1", 0);
    json_t *j = api_expect(&f, 200, "GET", "/api/headway/routes", NULL);
    json_t *r1 = json_array_get(json_object_get(j, "routes"), 0);
    assert_string_equal(json_text(r1, "state", ""), "serving");
    assert_string_equal(json_text(r1, "via", ""), "tag:edge");
    assert_string_equal(json_text(r1, "primary", ""), "2");
    const json_t *moved;
    json_t *h = NULL;
    do { /* it is written behind */
        json_decref(h);
        h = api_expect(&f, 200, "GET", "/api/headway/prefixes/10.0.0.0%2F8/history", NULL);
        moved = json_array_get(json_object_get(h, "moves"), 0);
    } while (!str_eq(json_text(moved, "cause", ""), "has the tag now"));
    assert_string_equal(json_text(moved, "via", ""), "tag:edge");
    assert_true(json_is_null(json_object_get(json_array_get(json_object_get(h, "moves"), 1), "via")));
    json_decref(h);
    assert_string_equal(json_text(r1, "reason", ""), "elected via tag:edge; r2 serves everybody else");
    json_decref(j);
    j = api_expect(&f, 200, "GET", "/api/v1/node/1", NULL);
    json_t *serving = json_object_get(json_object_get(j, "node"), "subnetRoutes");
    assert_int_equal(json_array_size(serving), 1);
    json_decref(j);
    json_decref(api_expect(&f, 200, "POST", "/api/headway/nodes/1/drain", "{}"));
    j = api_expect(&f, 200, "GET", "/api/headway/nodes/1/drain", NULL);
    assert_non_null(strstr(json_text(j, "text", ""), "still serves 10.0.0.0/8 via tag:edge: no other router can"));
    json_decref(j);
    json_decref(api_expect(&f, 200, "POST", "/api/headway/nodes/2/tags", "{\"tags\":[\"tag:edge\"]}"));
    j = api_expect(&f, 200, "GET", "/api/headway/nodes/1/drain", NULL);
    assert_int_equal(json_array_size(json_object_get(j, "serves")), 0);
    json_decref(j);
    j = api_expect(&f, 200, "GET", "/api/headway/routes", NULL);
    json_t *r2 = json_array_get(json_object_get(j, "routes"), 1);
    assert_non_null(strstr(json_text(r2, "reason", ""), "; also for grants via tag:edge"));
    json_decref(j);
}

/* Scenarios 11 to 14 of the reference on routes: what may be approved, and how it is read. */
static void an_approval_is_read_strictly(void **state)
{
    static const char *const routes[] = {"10.0.0.0/24", NULL};
    static const struct {
        const char *routes;
        int status;
    } cases[] = {
        {"[\"10.0.0/24\"]", 400},                   /* 12 */
        {"[\"10.0.0.7/24\"]", 200},                 /* 11: masked, or it would never serve */
        {"[\"10.0.0.0/24\",\"10.0.0.0/24\"]", 200}, /* 14 */
        {"[\"10.0.0.0/24\",\"x\"]", 400},
    };
    uint64_t session;

    (void)state;
    api_node(&f, "alice", "r1", routes, &session);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *v1 = mem_format("{\"routes\":%s}", cases[i].routes),
             *own = mem_format("{\"approve\":%s}", cases[i].routes);
        json_decref(api_expect(&f, cases[i].status, "POST", "/api/v1/node/1/approve_routes", v1));
        json_decref(api_expect(&f, cases[i].status, "POST", "/api/headway/nodes/1/routes", own));
        json_t *j = api_expect(&f, 200, "GET", "/api/v1/node/1", NULL), *n = json_object_get(j, "node");
        assert_int_equal(json_array_size(json_object_get(n, "approvedRoutes")), i ? 1 : 0);
        assert_int_equal(json_array_size(json_object_get(n, "subnetRoutes")), i ? 1 : 0);
        json_decref(j);
        free(v1);
        free(own);
    }
    json_decref(
        api_expect(&f, 404, "POST", "/api/v1/node/99/approve_routes", "{\"routes\":[\"10.0.0.0/24\"]}")); /* 13 */
    json_decref(api_expect(&f, 404, "POST", "/api/headway/nodes/99/routes", "{\"approve\":[\"10.0.0.0/24\"]}"));
}

static void a_router_is_given_a_priority(void **state)
{
    json_t *j;

    (void)state;
    two_routers();
    j = api_expect(&f, 200, "POST", "/api/headway/nodes/2/priority", "{\"priority\":200}");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "result"), "priority")), 200);
    assert_string_equal(json_text(j, "text", ""), "r2 has the priority 200 now, not 100");
    json_t *inverse = json_object_get(j, "inverse");
    assert_string_equal(json_text(inverse, "path", ""), "/api/headway/nodes/2/priority");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(inverse, "body"), "priority")), 100);
    json_decref(j);
    json_decref(api_expect(&f, 400, "POST", "/api/headway/nodes/2/priority", "{\"priority\":1001}"));
    json_decref(api_expect(&f, 400, "POST", "/api/headway/nodes/2/priority", "{\"priority\":-1}"));
    json_decref(api_expect(&f, 400, "POST", "/api/headway/nodes/2/priority", "{\"priority\":\"high\"}"));
}

/* How the prefix is served, as its object says. */
static void expect_rule(const char *failback, bool keep, const char *hold_down, size_t own)
{
    json_t *j = api_expect(&f, 200, "GET", "/api/headway/prefixes/10.0.0.0%2F8", NULL),
           *p = json_object_get(j, "prefix");

    assert_string_equal(json_text(p, "failback", ""), failback);
    assert_int_equal(json_is_true(json_object_get(p, "keep")), keep);
    assert_string_equal(json_text(p, "holdDown", ""), hold_down);
    assert_string_equal(json_text(p, "failbackDelay", ""), "5m");
    assert_int_equal(json_array_size(json_object_get(p, "own")), own);
    json_decref(j);
}

static void a_probe_needs_a_host_behind_the_prefix(void **state)
{
    const char *path = "/api/headway/prefixes/10.0.0.0%2F8";

    (void)state;
    json_decref(api_expect(&f, 400, "POST", path, "{\"probe\":\"router\"}"));
    json_decref(api_expect(&f, 400, "POST", path, "{\"probe\":\"192.0.2.1\"}"));
    json_decref(api_expect(&f, 400, "POST", path, "{\"probe\":\"fd00::1\"}"));
    json_t *j = api_expect(&f, 200, "POST", path, "{\"probe\":\"10.0.0.7\"}");
    assert_string_equal(json_text(j, "text", ""), "10.0.0.0/8: probe of 10.0.0.7");
    assert_string_equal(json_text(json_object_get(j, "result"), "probe", ""), "10.0.0.7");
    char *undo = mem_format("/api/headway/undo/%s", json_text(j, "event", ""));
    json_decref(j);
    json_decref(api_expect(&f, 200, "POST", undo, NULL));
    free(undo);
    j = api_expect(&f, 200, "GET", path, NULL);
    assert_true(json_is_null(json_object_get(json_object_get(j, "prefix"), "probe")));
    json_decref(j);
}

/* The problem of the prefix with the code is there. */
static bool lists_problem(const json_t *list, const char *prefix, const char *code)
{
    json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        if (str_eq(json_text(item, "prefix", ""), prefix) && str_eq(json_text(item, "code", ""), code))
            return true;
    }
    return false;
}

static bool has_problem(const json_t *answer, const char *prefix, const char *code)
{
    return lists_problem(json_object_get(answer, "problems"), prefix, code);
}

/* As soon as it is approved, or would be; headscale's call answers as headscale does. */
static void an_approval_says_what_is_wrong_with_what_it_approves(void **state)
{
    static const char *const routes[] = {"127.0.0.0/8", "10.0.0.0/8", NULL};
    const char *body = "{\"approve\":[\"127.0.0.0/8\",\"192.168.0.0/24\"]}";
    uint64_t id;

    (void)state;
    api_node(&f, "alice", "r1", routes, &id);
    for (int dry = 1; dry >= 0; dry--) {
        json_t *j = api_expect(&f, 200, "POST",
                               dry ? "/api/headway/nodes/1/routes?dry_run=true" : "/api/headway/nodes/1/routes", body);
        json_t *warnings = json_object_get(j, "warnings");
        assert_true(lists_problem(warnings, "127.0.0.0/8", "special-range"));
        assert_true(lists_problem(warnings, "192.168.0.0/24", "not-advertised"));
        assert_false(lists_problem(warnings, "10.0.0.0/8", "no-survivor"));
        assert_int_equal(json_is_null(json_object_get(j, "event")), dry);
        json_decref(j);
    }
    json_t *all = api_expect(&f, 200, "GET", "/api/headway/routes/check?node=1", NULL);
    assert_true(has_problem(all, "192.168.0.0/24", "not-advertised"));
    json_decref(all);
    json_t *j = api_expect(&f, 200, "POST", "/api/headway/nodes/1/routes", "{\"revoke\":[\"127.0.0.0/8\"]}");
    assert_int_equal(json_array_size(json_object_get(j, "warnings")), 0);
    json_decref(j);
    j = api_expect(&f, 200, "POST", "/api/v1/node/1/approve_routes", "{\"routes\":[\"127.0.0.0/8\"]}");
    assert_int_equal(json_object_size(j), 1);
    json_decref(j);
}

static bool warns_of(const char *prefix, const char *code)
{
    json_t *j = api_expect(&f, 200, "GET", "/api/headway/routes/check", NULL);
    bool has = has_problem(j, prefix, code);

    json_decref(j);
    return has;
}

/* "r1 10.0.0.0/8 0.0.0.0/0 ::/0; r2 -": what is approved. */
static void expect_approved(const char *wanted)
{
    const struct tailnet_snapshot *s = tailnet_pin(f.tailnet);
    struct buf is = BUF_INIT(0);
    char text[PREFIX_TEXT_MAX];

    for (uint64_t id = 1; id <= 2 && snapshot_node_by_id(s, id); id++) {
        const struct node *n = snapshot_node_by_id(s, id)->record;
        buf_addf(&is, "%s%s", id == 1 ? "" : "; ", n->given_name);
        for (size_t i = 0; i < n->approved.len; i++)
            buf_addf(&is, " %s", prefix_format(&n->approved.items[i], text));
    }
    tailnet_unpin(s);
    assert_string_equal(buf_text(&is), wanted);
    buf_release(&is);
}

static char *edit_many(const char *query, const char *body, size_t events)
{
    char *path = mem_format("/api/headway/routes%s", query);
    json_t *j = api_expect(&f, 200, "POST", path, body);
    char *event = mem_strdup(json_text(j, "event", ""));

    assert_int_equal(json_array_size(json_object_get(j, "events")), events);
    json_decref(j);
    free(path);
    return event;
}

/* Routes of several nodes are one change, and one undo takes it back. */
static void many_routes_are_approved_as_one_change(void **state)
{
    static const char *const first[] = {"10.0.0.0/8", "0.0.0.0/0", "::/0", NULL}, *const second[] = {"10.0.0.0/8",
                                                                                                     "10.9.0.0/16",
                                                                                                     NULL};
    static const char *const wrong[] = {"{}",
                                        "{\"approve\":[]}",
                                        "{\"approve\":[\"1\"]}",
                                        "{\"approve\":[\"1 x\"]}",
                                        "{\"approve\":[\"x 10.0.0.0/8\"]}",
                                        "{\"approve\":\"1 10.0.0.0/8\"}",
                                        "{\"approve\":[\"1 10.0.0.0/8\"],\"revoke\":[\"1 10.0.0.0/8\"]}"};
    uint64_t session;

    (void)state;
    api_node(&f, "alice", "r1", first, &session);
    api_node(&f, "alice", "r2", second, &session);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        json_decref(api_expect(&f, 400, "POST", "/api/headway/routes", wrong[i]));
    json_decref(
        api_expect(&f, 404, "POST", "/api/headway/routes", "{\"approve\":[\"1 10.0.0.0/8\",\"9 10.0.0.0/8\"]}"));
    json_decref(api_expect(&f, 404, "POST", "/api/headway/routes",
                           "{\"approve\":[\"1 10.0.0.0/8\"],\"revoke\":[\"2 10.9.0.0/16\"]}"));
    expect_approved("r1; r2"); /* all or nothing */
    free(edit_many("?dry_run=true", "{\"pending\":true}", 0));
    expect_approved("r1; r2");
    char *event = edit_many("", "{\"pending\":true}", 2), *undo = mem_format("/api/headway/undo/%s", event);
    expect_approved("r1 0.0.0.0/0 10.0.0.0/8 ::/0; r2 10.0.0.0/8 10.9.0.0/16");
    free(edit_many("", "{\"pending\":true}", 0));
    json_decref(api_expect(&f, 200, "POST", undo, NULL));
    expect_approved("r1; r2");
    free(edit_many("", "{\"approve\":[\"1 10.0.0.0/8\",\"2 10.0.0.0/8\"]}", 2));
    free(edit_many("", "{\"approve\":[\"1 ::/0\"],\"revoke\":[\"2 10.0.0.0/8\"]}", 2));
    expect_approved("r1 0.0.0.0/0 10.0.0.0/8 ::/0; r2");
    free(edit_many("", "{\"pending\":true}", 1)); /* not what an administrator took away */
    expect_approved("r1 0.0.0.0/0 10.0.0.0/8 ::/0; r2 10.9.0.0/16");
    free(event);
    free(undo);
}

/* What others took away meanwhile is not in the way of taking back the rest. */
static void many_approvals_are_undone_after_other_changes(void **state)
{
    static const char *const lan[] = {"10.0.0.0/8", "10.9.0.0/16", NULL};
    uint64_t session;

    (void)state;
    api_node(&f, "alice", "r1", lan, &session);
    api_node(&f, "alice", "r2", lan, &session);
    char *event = edit_many("", "{\"pending\":true}", 2), *undo = mem_format("/api/headway/undo/%s", event);
    free(edit_many("", "{\"revoke\":[\"1 10.9.0.0/16\"]}", 1));
    json_decref(api_expect(&f, 200, "DELETE", "/api/headway/nodes/2", NULL));
    expect_approved("r1 10.0.0.0/8");
    json_decref(api_expect(&f, 200, "POST", undo, NULL));
    expect_approved("r1");
    json_decref(api_expect(&f, 409, "POST", undo, NULL));
    free(event);
    free(undo);
}

/* Traffic to a prefix that is kept goes nowhere else. */
static void what_covers_a_prefix_is_named_unless_it_is_kept(void **state)
{
    static const char *const wide[] = {"10.0.0.0/8", NULL}, *const narrow[] = {"10.1.0.0/16", NULL};
    uint64_t session;

    (void)state;
    api_node(&f, "alice", "r1", wide, &session);
    api_node(&f, "alice", "r2", narrow, &session);
    json_decref(api_expect(&f, 200, "POST", "/api/headway/nodes/1/routes", "{\"approve\":[\"10.0.0.0/8\"]}"));
    json_decref(api_expect(&f, 200, "POST", "/api/headway/nodes/2/routes", "{\"approve\":[\"10.1.0.0/16\"]}"));
    assert_true(warns_of("10.1.0.0/16", "covered"));
    json_decref(api_expect(&f, 200, "POST", "/api/headway/prefixes/10.1.0.0%2F16", "{\"keep\":true}"));
    assert_false(warns_of("10.1.0.0/16", "covered"));
}

static void go_offline(uint64_t session)
{
    core_session_end(f.core, session, SESSION_SILENT);
}

/* Whether the check of the prefix names the node so. */
static bool finds(const char *prefix, const char *node, const char *text)
{
    json_t *j = api_expect(&f, 200, "GET", "/api/headway/routes/check", NULL);
    const json_t *problems = json_object_get(j, "problems");
    bool is = false;

    for (size_t i = 0; i < json_array_size(problems); i++) {
        const json_t *p = json_array_get(problems, i);
        is = is || (str_eq(json_text(p, "prefix", ""), prefix) && str_eq(json_text(p, "name", ""), node) &&
                    json_is_true(json_object_get(p, "warning")) && strstr(json_text(p, "text", ""), text));
    }
    json_decref(j);
    return is;
}

static bool no_router_serves(const struct tailnet_snapshot *s, void *arg)
{
    (void)arg;
    return s->online_count == 0;
}

/* As long as another router could serve it, nothing is wrong with the prefix. */
static void a_prefix_whose_routers_are_all_away_is_named(void **state)
{
    static const char *const routes[] = {"10.0.0.0/8", NULL}, *const exits[] = {"0.0.0.0/0", "::/0", NULL};
    struct core_rig rig = {.tailnet = f.tailnet};
    uint64_t sessions[3];

    (void)state;
    api_node(&f, "alice", "r1", routes, &sessions[0]);
    api_node(&f, "alice", "r2", routes, &sessions[1]);
    api_node(&f, "alice", "x1", exits, &sessions[2]);
    for (int node = 1; node <= 2; node++) {
        char path[64];
        snprintf(path, sizeof(path), "/api/headway/nodes/%d/routes", node);
        json_decref(api_expect(&f, 200, "POST", path, "{\"approve\":[\"10.0.0.0/8\"]}"));
    }
    json_decref(api_expect(&f, 200, "POST", "/api/headway/nodes/3/routes", "{\"approve\":[\"0.0.0.0/0\"]}"));
    go_offline(sessions[0]);
    assert_false(finds("10.0.0.0/8", "r1", ""));
    assert_false(finds("10.0.0.0/8", "r2", ""));
    assert_false(finds("0.0.0.0/0", "x1", ""));
    go_offline(sessions[1]);
    go_offline(sessions[2]);
    core_rig_until(&rig, no_router_serves, NULL);
    for (int i = 1; i <= 2; i++)
        assert_true(finds("10.0.0.0/8", i == 1 ? "r1" : "r2", "nobody serves it: the node is offline"));
    assert_true(finds("0.0.0.0/0", "x1", "the node is offline, and no other exit node can be used"));
}

/* Before the approval, as after it. */
static void a_route_that_the_policy_gives_nobody_is_named_before_its_approval(void **state)
{
    static const char *const routes[] = {"10.0.0.0/8", "192.168.0.0/24", "0.0.0.0/0", "::/0", NULL};
    uint64_t session;

    (void)state;
    api_node(&f, "alice", "r1", routes, &session);
    api_node(&f, "alice", "pc", NULL, &session);
    assert_false(warns_of("10.0.0.0/8", "nobody-allowed")); /* there is no policy */
    assert_false(warns_of("0.0.0.0/0", "nobody-allowed"));
    json_decref(api_expect(&f, 200, "PUT", "/api/headway/policy",
                           "{\"policy\":\"{\\\"grants\\\":[{\\\"src\\\":[\\\"alice@\\\"],\\\"dst\\\":"
                           "[\\\"10.1.0.0/16\\\"],\\\"ip\\\":[\\\"*\\\"]}]}\"}"));
    for (int approved = 0; approved < 2; approved++) {
        assert_false(warns_of("10.0.0.0/8", "nobody-allowed"));
        assert_true(warns_of("192.168.0.0/24", "nobody-allowed"));
        assert_true(warns_of("0.0.0.0/0", "nobody-allowed"));
        assert_true(warns_of("10.0.0.0/8", "no-survivor") == approved);
        json_decref(api_expect(&f, 200, "POST", "/api/headway/nodes/1/routes",
                               "{\"approve\":[\"10.0.0.0/8\",\"192.168.0.0/24\",\"0.0.0.0/0\"]}"));
    }
}

/* The client of a node says where it can be reached. */
static void say_endpoint(uint64_t node, const char *address)
{
    const struct tailnet_snapshot *s = tailnet_pin(f.tailnet);
    const struct node *n = snapshot_node_by_id(s, node)->record;
    struct addr_port at;
    struct core_map map = {.info = {.hostname = n->hostname, .cap_version = 131},
                           .has_endpoints = true,
                           .endpoints = &at,
                           .endpoint_count = 1};

    assert_int_equal(addr_port_parse(address, &at, NULL), 0);
    memcpy(map.machine_key, n->machine_key, KEY_LEN);
    memcpy(map.node_key, n->node_key, KEY_LEN);
    tailnet_unpin(s);
    assert_int_equal(core_rig_map(f.core, &map), 0);
}

static int begin_with_target(void **state)
{
    (void)state;
    api_begin(
        &f, "node:\n  routes:\n    probe:\n      targets:\n        10.0.0.0/8: 10.0.0.7\n        fd00::/8: fd00::7\n");
    json_decref(api_expect(&f, 200, "POST", "/api/v1/user", "{\"name\":\"alice\"}"));
    return 0;
}

/* The target of the configuration holds where none is set; who takes over next is named. */
static void a_prefix_says_its_target_and_who_is_next(void **state)
{
    const char *path = "/api/headway/prefixes/10.0.0.0%2F8";

    (void)state;
    two_routers();
    json_t *j = api_expect(&f, 200, "GET", path, NULL), *p = json_object_get(j, "prefix");
    assert_string_equal(json_text(p, "probe", ""), "10.0.0.7");
    assert_string_equal(json_text(p, "primaryName", ""), "r2");
    assert_string_equal(json_text(p, "nextName", ""), "r1");
    json_decref(j);
    json_decref(api_expect(&f, 200, "POST", path, "{\"probe\":\"10.0.0.8\"}"));
    json_decref(api_expect(&f, 200, "POST", "/api/headway/nodes/1/drain", "{}"));
    j = api_expect(&f, 200, "GET", path, NULL);
    p = json_object_get(j, "prefix");
    assert_string_equal(json_text(p, "probe", ""), "10.0.0.8");
    assert_true(json_is_null(json_object_get(p, "next")));
    json_decref(j);
}

static int begin_with_relay(void **state)
{
    (void)state;
    api_begin(&f,
              "derp:\n  server:\n    enabled: true\n    stun_listen_addr: 127.0.0.1:1\n    private_key_path: d.key\n"
              "    ipv4: 198.51.100.1\n");
    json_decref(api_expect(&f, 200, "POST", "/api/v1/user", "{\"name\":\"alice\"}"));
    return 0;
}

/* A prefix around the server's own address, one around the network of another node, half an exit node. */
static void a_check_finds_what_a_route_would_take_along(void **state)
{
    static const char *const routes[] = {"198.51.100.0/24", "192.168.1.0/24", "0.0.0.0/0", NULL};
    uint64_t session;

    (void)state;
    api_node(&f, "alice", "r1", routes, &session);
    for (int i = 0; i < 7; i++) {
        char name[16], address[32];
        snprintf(name, sizeof(name), "pc%d", i);
        snprintf(address, sizeof(address), "192.168.1.%d:41641", 10 + i);
        say_endpoint(api_node(&f, "alice", name, NULL, &session), address);
    }
    json_decref(api_expect(&f, 200, "POST", "/api/headway/nodes/1/routes",
                           "{\"approve\":[\"198.51.100.0/24\",\"192.168.1.0/24\",\"0.0.0.0/0\"]}"));
    json_t *j = api_expect(&f, 200, "GET", "/api/headway/routes/check", NULL);
    assert_true(has_problem(j, "198.51.100.0/24", "covers-server"));
    assert_false(has_problem(j, "192.168.1.0/24", "covers-server"));
    assert_true(has_problem(j, "192.168.1.0/24", "own-network"));
    assert_false(has_problem(j, "198.51.100.0/24", "own-network"));
    assert_true(has_problem(j, "0.0.0.0/0", "one-family"));
    assert_false(has_problem(j, "0.0.0.0/0", "special-range"));
    char *text = json_compact(j);
    assert_non_null(strstr(text, "pc0 (192.168.1.10), pc1 (192.168.1.11), pc2 (192.168.1.12), pc3 (192.168.1.13), "
                                 "pc4 (192.168.1.14) and 2 more have an address in it: where one accepts the route, "
                                 "its own network is reached through r1"));
    free(text);
    json_decref(j);
    j = api_expect(&f, 200, "GET", "/api/headway/routes/check?prefix=0.0.0.0%2F0", NULL);
    assert_true(has_problem(j, "0.0.0.0/0", "one-family"));
    assert_false(has_problem(j, "192.168.1.0/24", "own-network"));
    json_decref(j);
}

static void a_check_says_what_is_wrong_with_routes(void **state)
{
    (void)state;
    json_t *all = api_expect(&f, 200, "GET", "/api/headway/routes/check", NULL);
    json_t *one = api_expect(&f, 200, "GET", "/api/headway/routes/check?prefix=10.0.0.0%2F8", NULL);
    json_t *none = api_expect(&f, 200, "GET", "/api/headway/routes/check?prefix=203.0.113.0%2F24", NULL);
    assert_true(json_array_size(json_object_get(all, "problems")) >= json_array_size(json_object_get(one, "problems")));
    assert_int_equal(json_array_size(json_object_get(none, "problems")), 0);
    assert_false(has_problem(one, "10.0.0.0/8", "special-range"));
    json_decref(all);
    json_decref(one);
    json_decref(none);
    json_decref(api_expect(&f, 400, "GET", "/api/headway/routes/check?prefix=10.0.0.0", NULL));
    json_decref(api_expect(&f, 400, "GET", "/api/headway/routes/check?node=x", NULL));
}

static void a_prefix_is_served_as_it_was_set(void **state)
{
    static const char *const wrong[] = {
        "{\"failback\":\"never\"}", "{\"keep\":\"yes\"}",     "{\"holdDown\":\"2h\"}",
        "{\"holdDown\":30}",        "{\"holdDown\":\"-1s\"}", "{\"reset\":[\"all\"]}",
        "{\"reset\":\"keep\"}",     "{\"priority\":3}",       "{\"keep\":true,\"reset\":[\"keep\"]}",
    };
    const char *path = "/api/headway/prefixes/10.0.0.0%2F8";

    (void)state;
    expect_rule("sticky", false, "30s", 0);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        json_decref(api_expect(&f, 400, "POST", path, wrong[i]));
    json_decref(api_expect(&f, 400, "POST", "/api/headway/prefixes/0.0.0.0%2F0", "{\"keep\":true}"));
    json_t *j = api_expect(&f, 200, "POST", "/api/headway/prefixes/10.0.0.0%2F8?dry_run=true", "{\"keep\":true}");
    assert_true(json_is_true(json_object_get(json_object_get(j, "result"), "keep")));
    json_decref(j);
    expect_rule("sticky", false, "30s", 0);
    j = api_expect(&f, 200, "POST", path, "{\"failback\":\"oldest\",\"keep\":true,\"holdDown\":\"1m30s\"}");
    assert_string_equal(json_text(j, "text", ""),
                        "10.0.0.0/8: failback oldest, kept while nobody can serve it, hold-down 1m30s");
    char *undo = mem_format("/api/headway/undo/%s", json_text(j, "event", ""));
    json_decref(j);
    expect_rule("oldest", true, "1m30s", 3);
    j = api_expect(&f, 200, "GET", "/api/headway/prefixes", NULL); /* no node routes it yet */
    const json_t *listed = json_object_get(j, "prefixes");
    assert_int_equal(json_array_size(listed), 1);
    assert_string_equal(json_text(json_array_get(listed, 0), "prefix", ""), "10.0.0.0/8");
    assert_string_equal(json_text(json_array_get(listed, 0), "failback", ""), "oldest");
    json_decref(j);
    j = api_expect(&f, 200, "POST", path, "{\"reset\":[\"holdDown\"]}");
    assert_string_equal(json_text(j, "text", ""), "10.0.0.0/8: hold-down 30s as configured");
    json_t *body = json_object_get(json_object_get(j, "inverse"), "body");
    assert_string_equal(json_text(body, "holdDown", ""), "1m30s");
    json_decref(j);
    expect_rule("oldest", true, "30s", 2);
    json_decref(api_expect(&f, 200, "POST", undo, NULL));
    free(undo);
    expect_rule("sticky", false, "30s", 0);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(whether_a_router_can_be_taken_away_is_told),
        CASE(who_serves_via_is_shown_as_serving),
        CASE(an_approval_is_read_strictly),
        CASE(a_router_is_given_a_priority),
        CASE(a_prefix_is_served_as_it_was_set),
        CASE(a_probe_needs_a_host_behind_the_prefix),
        CASE(what_covers_a_prefix_is_named_unless_it_is_kept),
        CASE(a_check_says_what_is_wrong_with_routes),
        cmocka_unit_test_setup_teardown(a_prefix_says_its_target_and_who_is_next, begin_with_target, end),
        cmocka_unit_test_setup_teardown(a_check_finds_what_a_route_would_take_along, begin_with_relay, end),
        CASE(an_approval_says_what_is_wrong_with_what_it_approves),
        CASE(a_route_that_the_policy_gives_nobody_is_named_before_its_approval),
        CASE(a_prefix_whose_routers_are_all_away_is_named),
        CASE(many_routes_are_approved_as_one_change),
        CASE(many_approvals_are_undone_after_other_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

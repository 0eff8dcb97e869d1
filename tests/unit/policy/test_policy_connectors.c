/* SPDX-License-Identifier: BSD-3-Clause */
/* App connectors in a policy: what is accepted, who sees whom, what connectors must let in, which routes are
 * approved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "shared/policy_fleet.h"

#define POLICY(entry)                                                                                                  \
    "{\n" FLEET_TAGS "\"acls\":[],\n\"nodeAttrs\":[{\"target\":[\"alice@example.com\"],\n\"app\":{"                    \
    "\"tailscale.com/app-connectors\":[\n" entry "]}}]}"
#define DOCS "{\"name\":\"docs\",\"connectors\":[\"tag:router\"],\"domains\":[\"Docs.Example.com\",\"*.example.org.\"]}"

static const struct {
    const char *entry, *message;
} refused[] = {
    {"{\"connectors\":[\"tag:roter\"],\"domains\":[\"a.b\"]}", "tag not found: \"tag:roter\" (did you mean "
                                                               "\"tag:router\"?) (line 5, column 16)"},
    {"{\"connectors\":[\"alice@example.com\"],\"domains\":[\"a.b\"]}", "neither a tag nor \"*\" (line 5, column 16)"},
    {"{\"domains\":[\"a.b\"]}", "an app needs connectors"},
    {"{\"connectors\":[\"tag:router\"]}", "an app needs domains or routes"},
    {"{\"connectors\":[\"tag:router\"],\n\"domains\":[\"a.b\",\n\"a..b\"]}", "\"a..b\" is no domain: it has an empty "
                                                                             "label (line 7, column 1)"},
    {"{\"connectors\":[\"tag:router\"],\"domains\":[\"*\"]}", "'*' may only stand for the first label"},
    {"{\"connectors\":[\"tag:router\"],\"domains\":[\"a.*.b\"]}", "'*' may only stand for the first label"},
    {"{\"connectors\":[\"tag:router\"],\"domains\":[\"192.0.2.1\"]}", "it is an address: put it into routes"},
    {"{\"connectors\":[\"tag:router\"],\"domains\":[\"https://a.b\"]}", "it has a character that no domain has"},
    {"{\"connectors\":[\"tag:router\"],\"domains\":[\"-a.b\"]}", "a label begins or ends with '-'"},
    {"{\"connectors\":[\"tag:router\"],\"domains\":[\"\"]}", "it is empty"},
    {"{\"connectors\":[\"tag:router\"],\"routes\":[\"0.0.0.0/0\"]}", "that is an exit node"},
    {"{\"connectors\":[\"tag:router\"],\"routes\":[\"a\"]}", "is not a prefix"},
    {"{\"conectors\":[\"tag:router\"]}", "unknown field: \"conectors\" (did you mean \"connectors\"?)"},
    {"7", "must be an object"},
};

static void what_is_no_app_is_refused_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct policy_problems problems = {0};
        struct buf text = BUF_INIT(0), said = BUF_INIT(0);
        struct policy *p = NULL;
        buf_adds(&text, POLICY("@"));
        char *at = strchr(strstr(text.data, "[\n"), '@');
        struct buf whole = BUF_INIT(0);
        buf_add(&whole, text.data, (size_t)(at - text.data));
        buf_adds(&whole, refused[i].entry);
        buf_adds(&whole, at + 1);
        assert_true(policy_parse(buf_text(&whole), whole.len, &p, &problems) < 0);
        policy_problems_text(&problems, &said);
        if (!strstr(buf_text(&said), refused[i].message))
            fail_msg("%s\n%s", refused[i].entry, buf_text(&said));
        policy_problems_release(&problems);
        buf_release(&text);
        buf_release(&whole);
        buf_release(&said);
    }
}

static void a_wildcard_of_a_top_domain_is_warned_of(void **state)
{
    static const char text[] = POLICY("{\"connectors\":[\"tag:router\"],\"domains\":[\"*.com\"]}");
    struct policy_problems problems = {0};
    struct policy *p = NULL;

    (void)state;
    assert_int_equal(policy_parse(text, strlen(text), &p, &problems), 0);
    assert_int_equal(problems.len, 1);
    assert_true(problems.items[0].warning);
    assert_int_equal(problems.items[0].line, 5);
    policy_problems_release(&problems);
    policy_unref(p);
}

/* r1 offers to be a connector and r2 does not; both have the tag. */
static struct policy_view *fleet_with_apps(struct policy_fleet *f, const char *text)
{
    fleet_make(f);
    f->nodes[R1].connector = true;
    return fleet_view(f, text);
}

static void targets_see_the_connectors_and_may_ask_them(void **state)
{
    struct policy_fleet f;
    struct policy_view *v = fleet_with_apps(&f, POLICY(DOCS));
    struct policy_parts parts = {0};
    struct buf filter = BUF_INIT(0), whole = BUF_INIT(0);

    (void)state;
    assert_int_equal(policy_connector_apps(v), 1);
    const struct policy_connector_app *app = policy_connector_app(v, 0);
    assert_string_equal(app->domains.items[0], "docs.example.com");
    assert_string_equal(app->domains.items[1], "*.example.org");
    assert_string_equal(app->json, "{\"name\":\"docs\",\"connectors\":[\"tag:router\"],\"domains\":[\"docs.example."
                                   "com\",\"*.example.org\"]}");
    assert_true(policy_app_has_connector(v, 0, R1));
    assert_false(policy_app_has_connector(v, 0, R2)); /* it offers nothing */
    assert_false(policy_app_has_connector(v, 0, C1));
    assert_true(policy_app_has_user(v, 0, C1));
    assert_false(policy_app_has_user(v, 0, C2));
    assert_true(policy_sees(v, C1, R1));
    assert_false(policy_sees(v, C2, R1));
    fleet_assert_routes(v, C1, R1, ""); /* the app alone opens no network */
    assert_int_equal(policy_filter_delta(v, R1, NULL, &parts, &filter), 1);
    assert_non_null(strstr(buf_text(&filter), "{\"IP\":\"0.0.0.0\",\"Ports\":{\"First\":53,\"Last\":53}}"));
    assert_non_null(strstr(buf_text(&filter), "\"100.64.0.5\""));
    assert_null(strstr(buf_text(&filter), "\"100.64.0.6\""));
    assert_null(strstr(buf_text(&filter), "\"IP\":\"100.64.0.1\"")); /* no port of its own */
    policy_filter(v, R1, &whole);
    assert_non_null(strstr(buf_text(&whole), "{\"IP\":\"0.0.0.0\",\"Ports\":{\"First\":53,\"Last\":53}}"));
    policy_parts_release(&parts);
    buf_release(&filter);
    buf_release(&whole);
    policy_view_free(v);
}

static bool approves(const struct policy_view *v, uint32_t slot, const char *route)
{
    struct prefix p = fleet_prefix(route);

    return policy_approves(v, slot, &p);
}

static void what_connectors_learn_is_approved(void **state)
{
    struct policy_fleet f;
    struct policy_view *v = fleet_with_apps(
        &f, POLICY("{\"connectors\":[\"tag:router\"],\"domains\":[\"a.b\"],\"routes\":[\"192.0.2.0/24\"]}"));

    (void)state;
    assert_true(approves(v, R1, "198.51.100.7/32"));
    assert_true(approves(v, R1, "2001:db8::7/128"));
    assert_true(approves(v, R1, "192.0.2.0/24"));
    assert_false(approves(v, R1, "192.0.2.0/25"));
    assert_false(approves(v, R1, "198.51.100.0/24"));
    assert_false(approves(v, R1, "100.64.0.5/32"));
    assert_false(approves(v, R1, "127.0.0.1/32"));
    assert_false(approves(v, R1, "fd7a:115c:a1e0::5/128"));
    assert_false(approves(v, R1, "0.0.0.0/0"));
    assert_false(approves(v, R2, "198.51.100.7/32"));
    assert_false(approves(v, C1, "198.51.100.7/32"));
    policy_view_free(v);
    /* routes alone: nothing is learned */
    v = fleet_with_apps(&f, POLICY("{\"connectors\":[\"tag:router\"],\"routes\":[\"192.0.2.0/24\"]}"));
    assert_true(approves(v, R1, "192.0.2.0/24"));
    assert_false(approves(v, R1, "198.51.100.7/32"));
    policy_view_free(v);
}

/* "*" shows no node that no other rule shows. */
static void any_node_can_be_a_connector(void **state)
{
    struct policy_fleet f;
    struct policy_view *v = fleet_with_apps(&f, POLICY("{\"connectors\":[\"*\"],\"domains\":[\"intranet\"]}"));

    (void)state;
    assert_true(policy_app_has_connector(v, 0, R1));
    assert_false(policy_app_has_connector(v, 0, C2));
    assert_false(policy_sees(v, C1, R1));
    policy_view_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_app_is_refused_with_its_place),
        cmocka_unit_test(a_wildcard_of_a_top_domain_is_warned_of),
        cmocka_unit_test(targets_see_the_connectors_and_may_ask_them),
        cmocka_unit_test(what_connectors_learn_is_approved),
        cmocka_unit_test(any_node_can_be_a_connector),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

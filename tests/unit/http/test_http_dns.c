/* SPDX-License-Identifier: BSD-3-Clause */
/* DNS settings that override the configuration: which takes precedence, how they are reset, what clients are sent, what
 * is refused; in both dialects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "shared/api_fixture.h"

#define V2 "/api/v2/tailnet/-/dns"

static struct api_fixture f;

static int begin(void **state)
{
    (void)state;
    api_begin(&f, "  nameservers:\n    global: [192.0.2.53]\n    split:\n      corp.example.com: [192.0.2.54]\n"
                  "  search_domains: [lab.example.com]\n");
    return 0;
}

static int end(void **state)
{
    (void)state;
    api_end(&f);
    return 0;
}

/* What is answered to GET, without what changes by itself; the caller's. */
static char *shown(const char *target)
{
    json_t *j = api_expect(&f, 200, "GET", target, NULL);

    json_object_del(j, "updatedAt");
    json_object_del(j, "configured");
    char *text = json_compact(j);
    json_decref(j);
    return text;
}

static void expect(const char *target, const char *wanted)
{
    char *text = shown(target);

    assert_string_equal(text, wanted);
    free(text);
}

static void expect_headway(const char *magic, const char *override, const char *servers, const char *split,
                           const char *search, const char *set, const char *version)
{
    char *wanted = mem_format("{\"baseDomain\":\"tail.example.com\",\"extraRecords\":0,\"extraRecordsPath\":\"\","
                              "\"magicDNS\":%s,\"nameservers\":%s,"
                              "\"overrideLocalDNS\":%s,\"searchDomains\":%s,\"set\":%s,\"splitDNS\":%s,\"version\":%s}",
                              magic, servers, override, search, set, split, version);

    expect("/api/headway/dns", wanted);
    free(wanted);
}

static void expect_configured(const char *version)
{
    expect_headway("true", "false", "[\"192.0.2.53\"]", "{\"corp.example.com\":[\"192.0.2.54\"]}",
                   "[\"lab.example.com\"]", "[]", version);
}

/* Part of what clients are told is there, or not. */
static void expect_told(const char *part, bool there)
{
    const struct tailnet_snapshot *s = tailnet_pin(f.tailnet);
    char *text = mem_strdup(s->settings->dns_json);

    tailnet_unpin(s);
    if (!strstr(text, part) == there)
        fail_msg("%s in %s", part, text);
    free(text);
}

static char *change(const char *body)
{
    json_t *j = api_expect(&f, 200, "POST", "/api/headway/dns", body);
    char *event = mem_strdup(json_text(j, "event", ""));

    json_decref(j);
    return event;
}

static void what_is_set_wins_member_by_member(void **state)
{
    (void)state;
    expect_configured("0");
    expect_told("\"FallbackResolvers\":[{\"Addr\":\"192.0.2.53\"}]", true);
    char *event = change("{\"nameservers\":[\"192.0.2.1\",\"https://dns.example.com/q\"],\"overrideLocalDNS\":true}");
    expect_headway("true", "true", "[\"192.0.2.1\",\"https://dns.example.com/q\"]",
                   "{\"corp.example.com\":[\"192.0.2.54\"]}", "[\"lab.example.com\"]",
                   "[\"overrideLocalDNS\",\"nameservers\"]", "1");
    expect_told("\"Resolvers\":[{\"Addr\":\"192.0.2.1\"},{\"Addr\":\"https://dns.example.com/q\"}]", true);
    expect_told("\"corp.example.com\":[{\"Addr\":\"192.0.2.54\"}]", true);

    char *second = change("{\"changeSplitDNS\":{\"Lab.Example.\":[\"192.0.2.9\"]},\"magicDNS\":false}");
    expect_headway("false", "true", "[\"192.0.2.1\",\"https://dns.example.com/q\"]",
                   "{\"corp.example.com\":[\"192.0.2.54\"],\"lab.example\":[\"192.0.2.9\"]}", "[\"lab.example.com\"]",
                   "[\"magicDNS\",\"overrideLocalDNS\",\"nameservers\",\"splitDNS\"]", "2");
    expect_told("\"Proxied\"", false);
    expect_told("\"lab.example\":[{\"Addr\":\"192.0.2.9\"}]", true);

    free(change("{\"changeSplitDNS\":{\"corp.example.com\":null}}"));
    expect_told("corp.example.com", false);
    free(change("{\"reset\":[\"splitDNS\",\"magicDNS\"]}"));
    expect_headway("true", "true", "[\"192.0.2.1\",\"https://dns.example.com/q\"]",
                   "{\"corp.example.com\":[\"192.0.2.54\"]}", "[\"lab.example.com\"]",
                   "[\"overrideLocalDNS\",\"nameservers\"]", "4");
    json_decref(api_expect(&f, 200, "DELETE", "/api/headway/dns", NULL));
    expect_configured("5");
    expect_told("\"FallbackResolvers\":[{\"Addr\":\"192.0.2.53\"}]", true);
    free(second);
    free(event);
}

static void a_change_is_undone(void **state)
{
    (void)state;
    free(change("{\"nameservers\":[\"192.0.2.1\"]}"));
    char *event =
        change("{\"nameservers\":[],\"splitDNS\":{\"a.example\":[\"192.0.2.2\",\"192.0.2.3\"],\"own.example\":[]},"
               "\"searchDomains\":[]}");
    expect_headway("true", "false", "[]", "{\"a.example\":[\"192.0.2.2\",\"192.0.2.3\"],\"own.example\":[]}", "[]",
                   "[\"nameservers\",\"splitDNS\",\"searchDomains\"]", "2");
    expect_told("Resolvers", false);
    expect_told("\"own.example\":[]", true);
    char *undo = mem_format("/api/headway/undo/%s", event);
    json_decref(api_expect(&f, 200, "POST", undo, NULL));
    expect_headway("true", "false", "[\"192.0.2.1\"]", "{\"corp.example.com\":[\"192.0.2.54\"]}",
                   "[\"lab.example.com\"]", "[\"nameservers\"]", "3");
    json_t *j = api_expect(&f, 409, "POST", undo, NULL);
    json_decref(j);
    j = api_expect(&f, 200, "GET", "/api/headway/events?kind=dns", NULL);
    assert_int_equal(json_array_size(json_object_get(j, "events")), 3); /* the undo is one, too */
    assert_non_null(strstr(json_text(json_array_get(json_object_get(j, "events"), 1), "text", ""),
                           "DNS: name servers none; split DNS a.example 192.0.2.2 192.0.2.3, own.example; search "
                           "domains none"));
    json_decref(j);
    free(undo);
    free(event);
}

static void expect_refused(const char *field, const char *words, const char *body)
{
    json_t *j = api_expect(&f, 400, "POST", "/api/headway/dns", body);

    assert_string_equal(api_text_in(j, "error", "field"), field);
    if (!strstr(api_text_in(j, "error", "message"), words))
        fail_msg("%s: %s", body, api_text_in(j, "error", "message"));
    json_decref(j);
}

static char *many(const char *member, size_t count)
{
    struct buf b = BUF_INIT(0);

    buf_addf(&b, "{\"%s\":[", member);
    for (size_t i = 0; i < count; i++)
        buf_addf(&b, "%s\"192.0.2.%zu\"", i ? "," : "", i + 1);
    buf_adds(&b, "]}");
    return buf_take(&b);
}

static void what_the_configuration_may_not_hold_is_refused(void **state)
{
    (void)state;
    expect_refused("nameservers", "'dns.example' is not an address", "{\"nameservers\":[\"dns.example\"]}");
    expect_refused("nameservers", "is not an address", "{\"nameservers\":[\"https://a b\"]}");
    expect_refused("nameservers", "list of texts", "{\"nameservers\":[1]}");
    expect_refused("searchDomains", "is not a domain name", "{\"searchDomains\":[\"a..b\"]}");
    expect_refused("splitDNS", "is not a domain name", "{\"splitDNS\":{\"a b\":[\"192.0.2.1\"]}}");
    expect_refused("splitDNS", "is not an address", "{\"splitDNS\":{\"a.example\":[\"192.0.2.1 192.0.2.2\"]}}");
    expect_refused("splitDNS", "a.example twice", "{\"splitDNS\":{\"a.example\":[\"192.0.2.1\"],\"A.example.\":[]}}");
    expect_refused("splitDNS", "is not a domain name", "{\"splitDNS\":{\"a.example..\":[]}}");
    expect_refused("splitDNS", "192.0.2.1 twice", "{\"splitDNS\":{\"a.example\":[\"192.0.2.1\",\"192.0.2.1\"]}}");
    expect_refused("searchDomains", "is not a domain name", "{\"searchDomains\":[\"a.example..\"]}");
    expect_refused("searchDomains", "a.example twice",
                   "{\"searchDomains\":[\"A.example\",\"b.example\",\"a.example.\"]}");
    expect_refused("nameservers", "192.0.2.1 twice", "{\"nameservers\":[\"192.0.2.1\",\"192.0.2.1\"]}");
    expect_refused("changeSplitDNS", "cannot both", "{\"splitDNS\":{},\"changeSplitDNS\":{}}");
    expect_refused("splitDNS", "is not an address", "{\"changeSplitDNS\":{\"a.example\":[\"nowhere\"]}}");
    expect_refused("overrideLocalDNS", "nameservers must be set", "{\"overrideLocalDNS\":true,\"nameservers\":[]}");
    expect_refused("reset", "cannot be reset", "{\"reset\":[\"baseDomain\"]}");
    expect_refused("reset", "at once", "{\"reset\":[\"magicDNS\"],\"magicDNS\":true}");
    char *body = many("nameservers", 65);
    expect_refused("nameservers", "more than 64", body);
    free(body);
    expect_configured("0");
}

static void domains_are_told_in_lower_case_without_the_last_dot(void **state)
{
    (void)state;
    free(change("{\"searchDomains\":[\"Lab.Example.\"],\"splitDNS\":{\"Corp.Example.\":[\"192.0.2.1\"]}}"));
    expect_headway("true", "false", "[\"192.0.2.53\"]", "{\"corp.example\":[\"192.0.2.1\"]}", "[\"lab.example\"]",
                   "[\"splitDNS\",\"searchDomains\"]", "1");
    expect_told("\"lab.example\"", true);
}

static void a_dry_run_and_another_version_change_nothing(void **state)
{
    json_t *j = api_expect(&f, 200, "POST", "/api/headway/dns?dry_run=true", "{\"nameservers\":[\"192.0.2.1\"]}");

    (void)state;
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(json_object_get(j, "result"), "nameservers"), 0)),
        "192.0.2.1");
    json_decref(j);
    expect_configured("0");
    free(change("{\"magicDNS\":false}"));
    int status = api_ask(&f,
                         &(struct api_call){.method = "POST",
                                            .target = "/api/headway/dns",
                                            .body = "{\"magicDNS\":true}",
                                            .headers = "If-Match: \"7\"\r\n"},
                         &j);
    assert_int_equal(status, 412);
    assert_true(json_is_false(json_object_get(json_object_get(j, "current"), "magicDNS")));
    json_decref(j);
    json_decref(api_expect(&f, 200, "POST", "/api/headway/dns", "{\"magicDNS\":false}")); /* nothing changes */
    expect_headway("false", "false", "[\"192.0.2.53\"]", "{\"corp.example.com\":[\"192.0.2.54\"]}",
                   "[\"lab.example.com\"]", "[\"magicDNS\"]", "1");
}

static void answers(const char *method, const char *target, const char *body, const char *wanted)
{
    json_t *j = api_expect(&f, 200, method, target, body);
    char *text = json_compact(j);

    assert_string_equal(text, wanted);
    free(text);
    json_decref(j);
}

static void tailscale_s_calls_set_it(void **state)
{
    (void)state;
    answers("POST", V2 "/nameservers", "{\"dns\":[\"192.0.2.1\"]}", "{\"dns\":[\"192.0.2.1\"],\"magicDNS\":true}");
    expect(V2 "/nameservers", "{\"dns\":[\"192.0.2.1\"]}");
    answers("POST", V2 "/nameservers", "{\"dns\":null}", "{\"dns\":[],\"magicDNS\":true}");
    answers("POST", V2 "/preferences", "{\"magicDNS\":false}", "{\"magicDNS\":false}");
    answers("POST", V2 "/searchpaths", "{\"searchPaths\":[\"a.example.\"]}", "{\"searchPaths\":[\"a.example\"]}");
    answers("PATCH", V2 "/split-dns", "{\"b.example\":[\"192.0.2.2\"],\"corp.example.com\":null}",
            "{\"b.example\":[\"192.0.2.2\"]}");
    answers("PATCH", V2 "/split-dns", "{\"c.example\":[\"192.0.2.3\"],\"B.example\":[]}",
            "{\"c.example\":[\"192.0.2.3\"]}");
    answers("PUT", V2 "/split-dns", "{\"d.example\":[\"192.0.2.4\"],\"e.example\":[]}",
            "{\"d.example\":[\"192.0.2.4\"]}");
    expect(V2 "/split-dns", "{\"d.example\":[\"192.0.2.4\"]}");
    answers("PUT", V2 "/split-dns", "{}", "{}");
    const char *all = "{\"nameservers\":[{\"address\":\"192.0.2.5\"}],\"preferences\":{\"magicDNS\":true,"
                      "\"overrideLocalDNS\":true},\"searchPaths\":[\"f.example\"],\"splitDNS\":{\"g.example\":["
                      "{\"address\":\"192.0.2.6\"}]}}";
    answers("POST", V2 "/configuration", all, all);
    expect(V2 "/configuration", all);
    expect_told("\"Resolvers\":[{\"Addr\":\"192.0.2.5\"}]", true);
    answers("POST", V2 "/configuration", "{}",
            "{\"nameservers\":[],\"preferences\":{\"magicDNS\":false,\"overrideLocalDNS\":false},\"searchPaths\":[],"
            "\"splitDNS\":{}}");
    json_decref(api_expect(&f, 400, "POST", V2 "/nameservers", "{}"));
    json_decref(api_expect(&f, 400, "POST", V2 "/preferences", "{\"magicDNS\":7}"));
    json_decref(api_expect(&f, 400, "PUT", V2 "/split-dns", "[]"));
    json_decref(api_expect(&f, 400, "PUT", V2 "/split-dns", NULL));
    json_decref(api_expect(&f, 400, "PATCH", V2 "/split-dns", "{\"a.example\":\"192.0.2.1\"}"));
    json_decref(api_expect(&f, 400, "POST", V2 "/configuration",
                           "{\"nameservers\":[{\"address\":\"192.0.2.5\",\"useWithExitNode\":true}]}"));
    json_decref(api_expect(&f, 400, "POST", V2 "/configuration", "{\"nameservers\":[{}]}"));
}

static void the_past_knows_it(void **state)
{
    json_t *then = api_expect(&f, 200, "GET", "/api/headway/state", NULL);
    char *at = mem_format("/api/headway/state?at=%s", json_text(then, "time", ""));

    (void)state;
    free(change("{\"nameservers\":[\"192.0.2.1\"]}"));
    json_t *now = api_expect(&f, 200, "GET", "/api/headway/state", NULL), *again = api_expect(&f, 200, "GET", at, NULL);
    json_t *before = json_object_get(then, "dns"), *after = json_object_get(now, "dns");
    assert_true(json_equal(before, json_object_get(again, "dns")));
    assert_string_equal(json_string_value(json_array_get(json_object_get(before, "nameservers"), 0)), "192.0.2.53");
    assert_string_equal(json_string_value(json_array_get(json_object_get(after, "nameservers"), 0)), "192.0.2.1");
    assert_string_equal(json_string_value(json_array_get(json_object_get(after, "set"), 0)), "nameservers");
    json_decref(again);
    json_decref(now);
    json_decref(then);
    free(at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_set_wins_member_by_member, begin, end),
        cmocka_unit_test_setup_teardown(a_change_is_undone, begin, end),
        cmocka_unit_test_setup_teardown(what_the_configuration_may_not_hold_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(domains_are_told_in_lower_case_without_the_last_dot, begin, end),
        cmocka_unit_test_setup_teardown(a_dry_run_and_another_version_change_nothing, begin, end),
        cmocka_unit_test_setup_teardown(tailscale_s_calls_set_it, begin, end),
        cmocka_unit_test_setup_teardown(the_past_knows_it, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What a change of the policy adds and removes is determined by what is reached, not by how it is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "policy/policy.h"
#include "shared/policy_fleet.h"
#include "json/json.h"

static void write_preview(const struct policy_view *before, const struct policy_view *after,
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
    struct policy_fleet f;
    struct buf out = {0};

    (void)unused;
    fleet_make(&f);
    struct policy_view *before = fleet_view(
        &f, "{" FLEET_TAGS
            "\"acls\":[{\"action\":\"accept\",\"src\":[\"alice@example.com\"],\"dst\":[\"10.0.0.0/24:443\"]},"
            "{\"action\":\"accept\",\"src\":[\"*\"],\"dst\":[\"tag:router:22\"]}]}");
    struct policy_view *after =
        fleet_view(&f, "{" FLEET_TAGS
                       "\"acls\":[{\"action\":\"accept\",\"src\":[\"bob@example.com\"],\"dst\":[\"10.0.0.0/24:443\"]},"
                       "{\"action\":\"accept\",\"src\":[\"*\"],\"dst\":[\"tag:router:20-25\"]}]}");

    write_preview(before, before, NULL, &out);
    assert_true(str_starts(buf_text(&out),
                           "{\"totals\":{\"pairs_lost\":0,\"pairs_gained\":0,\"routes_hidden\":0,\"routes_shown\":0,"
                           "\"routes_approved\":0,\"rows\":0},\"rows\":[],\"routes\":[],\"viewers\":[],\"approvals\":"
                           "[],\"ways\":[],\"cut_off\":[],\"cost\":{\"nodes\":6,\"online\":6,\"changed\":0,"
                           "\"filters\":0,\"peers\":0,\"bytes\":"));
    write_preview(before, after, NULL, &out);
    json_t *got = NULL;
    assert_int_equal(json_read(buf_text(&out), out.len, SIZE_MAX, "preview", &got, NULL), 0);
    const json_t *rows = json_object_get(got, "rows"), *first = json_array_get(rows, 0);
    assert_string_equal(json_text(first, "kind", ""), "lost");
    assert_string_equal(json_string_value(json_array_get(json_object_get(first, "what"), 0)), "10.0.0.0/24 port 443");
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(json_object_get(first, "sources"), "names"), 0)), "c1");
    assert_non_null(strstr(buf_text(&out), "[\"ports 20-21\",\"ports 23-25\"]"));
    /* The router itself is reached as before. */
    assert_string_equal(json_string_value(json_array_get(json_object_get(first, "kept"), 0)), "port 22");
    assert_non_null(strstr(buf_text(&out), "{\"kind\":\"gains\",\"route\":\"10.0.0.0/24\",\"exit\":false,"));
    write_preview(after, before, NULL, &out);
    assert_non_null(strstr(buf_text(&out), "\"what\":[\"ports 20-21\",\"ports 23-25\"],\"kept\":[\"port 22\"]"));
    write_preview(before, after, NULL, &out);
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
    struct policy_fleet f;
    struct buf out = {0};
    struct policy_approval more[] = {{X1, fleet_prefix("10.7.0.0/16")}, {R1, fleet_prefix("10.8.0.0/16")}};
    struct policy_approvals approvals = {more, 2, 2};
    struct prefix routes[] = {fleet_prefix("10.0.0.0/24"), fleet_prefix("10.8.0.0/16")};

    (void)unused;
    fleet_make(&f);
    struct policy_view *before = fleet_view(
        &f, "{" FLEET_TAGS "\"acls\":[{\"action\":\"accept\",\"src\":[\"*\"],\"dst\":[\"10.0.0.0/24:*\"]}]}");
    struct policy_view *after =
        fleet_view(&f, "{" FLEET_TAGS
                       "\"acls\":[{\"action\":\"accept\",\"src\":[\"bob@example.com\"],\"dst\":[\"10.8.0.0/16:*\"]}]}");
    f.nodes[R1].routes = f.nodes[R1].serving = routes;
    f.nodes[R1].route_count = f.nodes[R1].serving_count = 2;
    policy_view_put(after, &f.nodes[R1]);

    write_preview(before, after, &approvals, &out);
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

#define FROM_C1      "{\"src\":[\"alice@example.com\"],"
#define ACL(dst)     "{" FLEET_TAGS "\"acls\":[{\"action\":\"accept\",\"src\":[\"alice@example.com\"],\"dst\":[" dst "]}]}"
#define GRANT(rest)  "{" FLEET_TAGS "\"grants\":[" FROM_C1 rest "}]}"
#define SSH(entries) "{" FLEET_TAGS "\"acls\":[],\"ssh\":[" entries "]}"
#define SSH_C1(users)                                                                                                  \
    "{\"action\":\"accept\",\"src\":[\"alice@example.com\"],\"dst\":[\"tag:exit1\"],\"users\":[" users "]}"

/* "lost c1 -> x1: port 22; gained ...", rows by kind, sources and destinations. */
static char *rows_text(const json_t *preview)
{
    const json_t *row, *what;
    struct strs lines = {0};
    struct buf out = {0};
    size_t i, k;

    json_array_foreach(json_object_get(preview, "rows"), i, row)
    {
        struct buf line = {0};
        buf_addf(&line, "%s %s->%s:", json_text(row, "kind", ""),
                 json_string_value(json_array_get(json_object_get(json_object_get(row, "sources"), "names"), 0)),
                 json_string_value(json_array_get(json_object_get(json_object_get(row, "destinations"), "names"), 0)));
        json_array_foreach(json_object_get(row, "what"), k, what)
        {
            buf_addf(&line, "%s %s", k ? "," : "", json_string_value(what));
        }
        strs_push(&lines, buf_text(&line));
        buf_release(&line);
    }
    strs_sort(&lines);
    for (i = 0; i < lines.len; i++)
        buf_addf(&out, "%s%s", i ? "; " : "", lines.items[i]);
    strs_release(&lines);
    return buf_take(&out);
}

static const struct {
    const char *before, *after, *rows;
} reached[] = {
    /* The same, written otherwise. */
    {ACL("\"tag:exit1:80-81\""), ACL("\"tag:exit1:80,81\""), ""},
    {ACL("\"tag:exit1:80-90\""), ACL("\"tag:exit1:85-90\",\"tag:exit1:80-84\""), ""},
    {ACL("\"tag:exit1:22\""),
     GRANT("\"dst\":[\"tag:exit1\"],\"ip\":[\"tcp:22\",\"udp:22\",\"icmp:*\",\"ipv6-icmp:*\"]"), ""},
    {ACL("\"10.0.0.0/24:443\""), ACL("\"10.0.0.0/25:443\",\"10.0.0.128/25:443\""), ""},
    {ACL("\"10.0.0.0/24:443\""), ACL("\"10.0.0.0/16:443\""), ""}, /* nobody routes the rest */
    {ACL("\"tag:exit1:22\""), ACL("\"100.64.0.3:22\",\"fd7a:115c:a1e0::3:22\""), ""},
    {GRANT("\"dst\":[\"tag:exit1\"],\"app\":{\"a.b/c\":[{\"x\":1,\"y\":2},{\"z\":3}]}"),
     GRANT("\"dst\":[\"tag:exit1\"],\"app\":{\"a.b/c\":[{\"z\":3},{\"y\":2,\"x\":1}]}"), ""},
    {SSH(SSH_C1("\"root\",\"bob\"")), SSH(SSH_C1("\"bob\"") "," SSH_C1("\"root\"")), ""},
    {SSH(SSH_C1("\"autogroup:nonroot\"")), SSH(SSH_C1("\"autogroup:nonroot\",\"bob\"")), ""},
    /* What differs is named, and nothing else. */
    {ACL("\"tag:exit1:1-1000\""), ACL("\"tag:exit1:22\""), "lost c1->x1: ports 1-21, ports 23-1000"},
    {ACL("\"tag:exit1:22\""), GRANT("\"dst\":[\"tag:exit1\"],\"ip\":[\"tcp:22\"]"), "lost c1->x1: icmp, udp port 22"},
    {ACL("\"tag:exit1:22\""), ACL("\"100.64.0.3:22\""), "lost c1->x1: IPv6 port 22"},
    {ACL("\"tag:exit1:22\""),
     "{" FLEET_TAGS "\"acls\":[{\"action\":\"accept\",\"src\":[\"100.64.0.5\"],\"dst\":[\"tag:exit1:22\"]}]}",
     "lost c1->x1: IPv6 port 22"},
    {ACL("\"tag:exit1:22\""),
     "{" FLEET_TAGS "\"acls\":[{\"action\":\"accept\",\"src\":[\"alice@example.com\"],\"dst\":[\"tag:exit1:22\"]}],"
     "\"nodeAttrs\":[{\"target\":[\"*\"],\"attr\":[\"disable-ipv4\"]}]}",
     "lost c1->x1: IPv4 port 22"},
    {ACL("\"10.0.0.0/24:443\""), ACL("\"10.0.0.0/25:443\""), "lost c1->r1: 10.0.0.128/25 port 443"},
    {ACL("\"autogroup:internet:*\""), ACL("\"tag:exit1:*\""),
     "gained c1->x1: all ports; lost c1->x1: autogroup:internet all ports"},
    {GRANT("\"dst\":[\"tag:exit1\"],\"app\":{\"a.b/c\":[{\"role\":\"reader\"}]}"),
     GRANT("\"dst\":[\"tag:exit1\"],\"app\":{\"a.b/c\":[{\"role\":\"admin\"}]}"),
     "gained c1->x1: cap a.b/c {\"role\":\"admin\"}; lost c1->x1: cap a.b/c {\"role\":\"reader\"}"},
    {SSH(SSH_C1("\"autogroup:nonroot\"")), SSH(SSH_C1("\"autogroup:nonroot\",\"root\"")), "gained c1->x1: ssh as root"},
    {SSH(SSH_C1("\"bob\"")), SSH(""), "lost c1->x1: ssh as bob"},
    {SSH(""), SSH("{\"action\":\"check\",\"src\":[\"bob@example.com\"],\"dst\":[\"tag:exit1\"],\"users\":[\"root\"]}"),
     "gained c2->x1: ssh as root after a check every 720 min"},
};

static void test_what_is_reached(void **unused)
{

    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(reached); i++) {
        struct policy_fleet f;
        struct buf out = {0};
        json_t *got = NULL;

        fleet_make(&f);
        struct policy_view *before = fleet_view(&f, reached[i].before), *after = fleet_view(&f, reached[i].after);
        write_preview(before, after, NULL, &out);
        assert_int_equal(json_read(buf_text(&out), out.len, SIZE_MAX, "preview", &got, NULL), 0);
        char *rows = rows_text(got);
        if (strcmp(rows, reached[i].rows) != 0)
            fail_msg("%s\n%s\nwant %s\ngot  %s", reached[i].before, reached[i].after, reached[i].rows, rows);
        free(rows);
        json_decref(got);
        buf_release(&out);
        policy_view_free(before);
        policy_view_free(after);
    }
}

/* Devices of one user are a destination of their own. */
static void test_ssh_to_oneself(void **unused)
{
    struct policy_fleet f;
    struct buf out = {0};

    (void)unused;
    fleet_make(&f);
    f.nodes[C2].user_id = 1; /* alice has both */
    struct policy_view *before = fleet_view(&f, SSH("")),
                       *after = fleet_view(&f, SSH("{\"action\":\"accept\",\"src\":[\"autogroup:member\"],\"dst\":["
                                                   "\"autogroup:self\"],\"users\":[\"root\"]}"));
    write_preview(before, after, NULL, &out);
    assert_non_null(strstr(buf_text(&out), "\"pairs_lost\":0,\"pairs_gained\":2"));
    policy_view_free(before);
    policy_view_free(after);
    f.nodes[C2].user_id = 2;
    before = fleet_view(&f, SSH(""));
    after = fleet_view(&f, SSH("{\"action\":\"accept\",\"src\":[\"autogroup:member\"],\"dst\":[\"autogroup:self\"],"
                               "\"users\":[\"root\"]}"));
    write_preview(before, after, NULL, &out);
    assert_non_null(strstr(buf_text(&out), "\"pairs_lost\":0,\"pairs_gained\":0"));
    policy_view_free(before);
    policy_view_free(after);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_preview),
        cmocka_unit_test(test_preview_routes),
        cmocka_unit_test(test_what_is_reached),
        cmocka_unit_test(test_ssh_to_oneself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

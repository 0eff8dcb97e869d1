/* SPDX-License-Identifier: BSD-3-Clause */
/* From a target to a route, and from a body to arguments: what is accepted, what is refused, and the messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/pages/html.h"
#include "api/pages/tables.h"
#include "api/request/args.h"
#include "api/request/reply.h"
#include "api/resources/tables.h"
#include "base/array.h"
#include "http/server.h"

static const struct http_table *const tables[] = {
    &users_table,         &v2_users_table,    &keys_table,        &v2_devices_table, &v2_acl_table,  &v2_settings_table,
    &oauth_clients_table, &oauth_token_table, &preauthkeys_table, &apikeys_table,    &nodes_table,   &routes_table,
    &pending_table,       &policy_table,      &explain_table,     &journal_table,    &server_table,  &health_table,
    &snapshot_table,      &docs_table,        &pages_table,       &devices_table,    &metrics_table, &debug_table,
};
static struct api api;
static struct http http;
static struct http_request asked = {.http = &http};
static struct arena arena = ARENA_INIT(0);

static const struct http_route *find(const char *method, const char *path, enum http_listener listener)
{
    asked.listener = listener;
    http_find(&asked, method, path);
    return asked.route;
}

static void paths_are_cut_before_they_are_unescaped(void **state)
{
    (void)state;
    const struct http_route *r = find("POST", "/api/headway/prefixes/10.0.0.0%2F8/primary", HTTP_UNIX);
    assert_non_null(r);
    assert_string_equal(r->path, "/api/headway/prefixes/{prefix}/primary");
    assert_string_equal(asked.params[0], "10.0.0.0/8");
    assert_null(find("POST", "/api/headway/prefixes/10.0.0.0/8/primary", HTTP_UNIX));
    r = find("POST", "/api/v1/user/7/rename/caf%C3%A9%20x", HTTP_PUBLIC);
    assert_non_null(r);
    assert_string_equal(asked.params[0], "7");
    assert_string_equal(asked.params[1], "caf\xc3\xa9 x");
}

static void literal_segments_win_over_parameters(void **state)
{
    (void)state;
    assert_string_equal(find("POST", "/api/v1/node/register", HTTP_UNIX)->path, "/api/v1/node/register");
    assert_string_equal(find("POST", "/api/v1/preauthkey/expire", HTTP_UNIX)->path, "/api/v1/preauthkey/expire");
    assert_string_equal(find("GET", "/api/v1/node/7", HTTP_UNIX)->path, "/api/v1/node/{nodeId}");
    assert_string_equal(find("HEAD", "/health", HTTP_METRICS)->path, "/health");
}

static void what_does_not_fit_is_not_found(void **state)
{
    static const char *const bad[] = {"/api/v1/node/",
                                      "/api/v1/node/7/",
                                      "//api/v1/node",
                                      "/api/v1//node",
                                      "/api/v1/node/7/rename/",
                                      "/api/v1/node/7/rename/a/b",
                                      "/API/v1/node",
                                      "/api/v1/../v1/node",
                                      "",
                                      "*",
                                      "api/v1/node",
                                      "http://x/api/v1/node",
                                      "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_null(find("GET", bad[i], HTTP_UNIX));
        assert_string_equal(asked.allow, "");
        assert_false(asked.malformed);
    }
}

static void a_wrong_method_is_told_the_right_ones(void **state)
{
    (void)state;
    assert_null(find("PATCH", "/api/v1/user", HTTP_UNIX));
    assert_string_equal(asked.allow, "GET, HEAD, POST");
    assert_null(find("GET", "/api/v1/preauthkey/expire", HTTP_UNIX));
    assert_string_equal(asked.allow, "POST");
    assert_null(find("get", "/api/v1/user", HTTP_UNIX));
    assert_string_equal(asked.allow, "GET, HEAD, POST");
}

static void each_door_has_its_paths(void **state)
{
    (void)state;
    assert_null(find("GET", "/metrics", HTTP_PUBLIC));
    assert_null(find("GET", "/metrics", HTTP_UNIX));
    assert_non_null(find("GET", "/metrics", HTTP_METRICS));
    assert_null(find("GET", "/debug/overview", HTTP_PUBLIC));
    assert_null(find("GET", "/api/v1/user", HTTP_METRICS));
    assert_null(find("POST", "/api/headway/backup", HTTP_PUBLIC));
    assert_string_equal(asked.allow, "");
    assert_non_null(find("POST", "/api/headway/backup", HTTP_UNIX));
    assert_null(find("GET", "/key", HTTP_UNIX));
}

static void malformed_escapes_are_refused(void **state)
{
    static const char *const bad[] = {"/register/%",    "/register/%4",     "/register/%zz",      "/register/%00",
                                      "/register/a%ff", "/register/%c3%28", "/register/%ed%a0%80"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_null(find("GET", bad[i], HTTP_PUBLIC));
        assert_true(asked.malformed);
    }
}

/* No entry hides a later one, every entry can be reached by its own pattern, and says what it is for. */
static void the_table_is_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < endpoint_count(&api); i++) {
        const struct api_endpoint *e = endpoint_at(&api, i);
        assert_non_null(e->run);
        assert_true(e->help && *e->help);
        assert_true(e->need != NEED_NOTHING || e->dialect == DIALECT_TEXT || strstr(e->http.path, "docs") ||
                    strstr(e->http.path, "openapi") || strstr(e->http.path, "oauth/token"));
        assert_true(str_eq(e->http.method, "GET") ? e->need != NEED_ADMIN : true);
        for (unsigned listener = 1; listener <= HTTP_METRICS; listener <<= 1)
            if (e->http.listeners & listener)
                assert_ptr_equal(find(e->http.method, e->http.path, (enum http_listener)listener), &e->http);
    }
}

static void queries_are_read_whole_or_refused(void **state)
{
    struct http_pair out[HTTP_QUERY_MAX];
    struct err e;
    size_t count;
    char many[HTTP_QUERY_MAX * 8];

    (void)state;
    assert_int_equal(http_query(&arena, "a=1&b=x%20y+z&c&=d&&e=%26", out, &count, &e), 0);
    assert_int_equal(count, 5);
    assert_string_equal(out[1].value, "x y z");
    assert_string_equal(out[2].value, "");
    assert_string_equal(out[3].name, "");
    assert_string_equal(out[4].value, "&");
    assert_int_equal(http_query(&arena, "", out, &count, &e), 0);
    assert_int_equal(count, 0);
    assert_int_equal(http_query(&arena, "a=1&a=2", out, &count, &e), ERR_INVALID);
    assert_string_equal(e.field, "a");
    assert_int_equal(http_query(&arena, "a=%", out, &count, &e), ERR_INVALID);
    assert_int_equal(http_query(&arena, "a=%00", out, &count, &e), ERR_INVALID);
    many[0] = '\0';
    for (int i = 0; i <= HTTP_QUERY_MAX; i++)
        snprintf(many + strlen(many), sizeof(many) - strlen(many), "k%d=&", i);
    assert_int_equal(http_query(&arena, many, out, &count, &e), ERR_INVALID);
}

/* ---- arguments ---- */

static struct rest_request request(const struct api_endpoint *endpoint, const char *body)
{
    struct rest_request r = {.endpoint = endpoint};

    if (body)
        assert_int_equal(json_read(body, strlen(body), HTTP_BODY_MAX, "body", &r.json, NULL), 0);
    return r;
}

static void done_with(struct rest_request *r)
{
    json_decref(r->json);
    arena_release(&r->http.arena);
}

static const struct api_endpoint v1 = {.dialect = DIALECT_V1},
                                 headway = {.dialect = DIALECT_HEADWAY, .body = "name:text tags:text[]"};

static void v1_takes_what_headscale_s_releases_took(void **state)
{
    struct rest_request r =
        request(&v1, "{\"acl_tags\":[\"tag:a\"],\"Reusable\":true,\"ephemeral\":\"true\",\"user\":7,"
                     "\"nothing\":{}}");
    bool reusable = false, ephemeral = false, given;
    const char *user = NULL, *absent = "kept";
    struct strs tags = {0};
    uint64_t id = 0;

    (void)state;
    assert_int_equal(arg_texts(&r, "aclTags", &tags, &given), 0);
    assert_true(given);
    assert_int_equal(tags.len, 1);
    assert_int_equal(arg_bool(&r, "reusable", &reusable), 0);
    assert_int_equal(arg_bool(&r, "ephemeral", &ephemeral), 0);
    assert_true(reusable && ephemeral);
    assert_int_equal(arg_text(&r, "user", &user), 0);
    assert_string_equal(user, "7");
    assert_int_equal(arg_id(&r, "user", &id), 0);
    assert_int_equal(id, 7);
    assert_int_equal(arg_text(&r, "displayName", &absent), 0);
    assert_string_equal(absent, "kept");
    strs_release(&tags);
    done_with(&r);
}

static void headway_takes_what_the_table_says(void **state)
{
    struct rest_request good = request(&headway, "{\"name\":\"x\",\"tags\":[]}"),
                        bad = request(&headway, "{\"name\":\"x\",\"tag\":1}");
    struct rest_request snake = request(&headway, "{\"Name\":\"x\"}"), number = request(&headway, "{\"name\":7}");
    const char *name = NULL;

    (void)state;
    assert_int_equal(args_known(&good, headway.body), 0);
    assert_int_equal(args_known(&bad, headway.body), ERR_INVALID);
    assert_string_equal(bad.err.field, "tag");
    assert_non_null(strstr(bad.err.message, "name tags"));
    assert_int_equal(args_known(&snake, headway.body), ERR_INVALID);
    assert_int_equal(args_known(&good, NULL), ERR_INVALID);
    assert_int_equal(arg_text(&number, "name", &name), ERR_INVALID);
    done_with(&good);
    done_with(&bad);
    done_with(&snake);
    done_with(&number);
}

static void wrong_kinds_name_the_argument(void **state)
{
    struct rest_request r =
        request(&v1, "{\"b\":5,\"t\":[1],\"p\":[\"banana\"],\"i\":\"-1\",\"j\":{},\"e\":\"soon\",\"f\":5,"
                     "\"u\":[\"a\\u0007\"]}");
    struct strs texts = {0};
    struct prefixes prefixes = {0};
    const char *text = NULL;
    uint64_t id;
    int64_t when;
    bool flag, given;

    (void)state;
    assert_int_equal(arg_bool(&r, "b", &flag), ERR_INVALID);
    assert_string_equal(r.err.field, "b");
    assert_int_equal(arg_texts(&r, "t", &texts, &given), ERR_INVALID);
    assert_int_equal(arg_texts(&r, "u", &texts, &given), ERR_INVALID);
    assert_int_equal(arg_prefixes(&r, "p", &prefixes, &given), ERR_INVALID);
    assert_string_equal(r.err.field, "p");
    assert_non_null(strstr(r.err.message, "banana"));
    assert_int_equal(arg_id(&r, "i", &id), ERR_INVALID);
    assert_int_equal(arg_id(&r, "j", &id), ERR_INVALID);
    assert_int_equal(arg_time(&r, "e", &when), ERR_INVALID);
    assert_int_equal(arg_time(&r, "f", &when), ERR_INVALID);
    assert_int_equal(arg_text(&r, "j", &text), ERR_INVALID);
    strs_release(&texts);
    prefixes_release(&prefixes);
    done_with(&r);
}

static void an_error_of_v1_speaks_both_generations(void **state)
{
    struct err e = {.code = ERR_MISSING, .field = "id", .message = "node not found: \"7\""};
    struct buf b = BUF_INIT(0);

    (void)state;
    error_write(&b, DIALECT_V1, 404, &e, NULL, NULL);
    assert_string_equal(buf_text(&b), "{\"code\":5,\"message\":\"node not found: \\\"7\\\"\",\"details\":[],"
                                      "\"title\":\"Not Found\",\"status\":404,\"detail\":\"node not found: \\\"7\\\"\","
                                      "\"errors\":[{\"message\":\"node not found: \\\"7\\\"\",\"location\":\"id\"}]}");
    buf_clear(&b);
    error_write(&b, DIALECT_HEADWAY, 412, &e, NULL, "{\"version\":3}");
    assert_string_equal(buf_text(&b), "{\"error\":{\"code\":\"missing\",\"message\":\"node not found: \\\"7\\\"\","
                                      "\"field\":\"id\"},\"current\":{\"version\":3}}");
    buf_release(&b);
}

static void html_is_escaped(void **state)
{
    struct buf b = BUF_INIT(0);

    (void)state;
    html_escape(&b, "<a href=\"x\">'&'</a>");
    assert_string_equal(buf_text(&b), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
    buf_release(&b);
}

static int release_arena(void **state)
{
    (void)state;
    arena_release(&arena);
    arena_release(&asked.arena);
    return 0;
}

int main(void)
{
    http.with.tables = api.tables = tables;
    http.with.table_count = api.table_count = ARRAY_LEN(tables);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(paths_are_cut_before_they_are_unescaped, release_arena),
        cmocka_unit_test_teardown(literal_segments_win_over_parameters, release_arena),
        cmocka_unit_test_teardown(what_does_not_fit_is_not_found, release_arena),
        cmocka_unit_test_teardown(a_wrong_method_is_told_the_right_ones, release_arena),
        cmocka_unit_test_teardown(each_door_has_its_paths, release_arena),
        cmocka_unit_test_teardown(malformed_escapes_are_refused, release_arena),
        cmocka_unit_test_teardown(the_table_is_sound, release_arena),
        cmocka_unit_test_teardown(queries_are_read_whole_or_refused, release_arena),
        cmocka_unit_test(v1_takes_what_headscale_s_releases_took),
        cmocka_unit_test(headway_takes_what_the_table_says),
        cmocka_unit_test(wrong_kinds_name_the_argument),
        cmocka_unit_test(an_error_of_v1_speaks_both_generations),
        cmocka_unit_test(html_is_escaped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

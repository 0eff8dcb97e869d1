/* SPDX-License-Identifier: BSD-3-Clause */
/* The file of DNS records: what it may contain, and how a change of it reaches the DNS configuration of clients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "base/array.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/extra_records.h"
#include "shared/core_rig.h"
#include "json/json.h"

static void records_are_read_as_the_reference_server_reads_them(void **state)
{
    static const struct {
        const char *text, *json; /* json NULL: refused */
        size_t left_out;
    } cases[] = {
        {"[]", "[]", 0},
        {"[{\"name\":\"a.example.com\",\"type\":\"A\",\"value\":\"100.64.0.9\"}]",
         "[{\"Name\":\"a.example.com\",\"Type\":\"A\",\"Value\":\"100.64.0.9\"}]", 0},
        {"[{\"Name\":\"a\",\"Value\":\"10.0.0.1\"},{\"name\":\"a\",\"type\":\"AAAA\",\"value\":\"fd7a::1\"}]",
         "[{\"Name\":\"a\",\"Type\":\"A\",\"Value\":\"10.0.0.1\"},{\"Name\":\"a\",\"Type\":\"AAAA\",\"Value\":\"fd7a::"
         "1\"}]",
         0},
        {"[{\"name\":\"a\",\"value\":\"10.0.0.1\"},{\"name\":\"a\",\"value\":\"10.0.0.1\"}]",
         "[{\"Name\":\"a\",\"Type\":\"A\",\"Value\":\"10.0.0.1\"}]", 0},
        {"[{\"name\":\"DB.Lab.test\",\"value\":\"10.0.0.1\"},{\"name\":\"db.lab.test\",\"value\":\"10.0.0.1\"}]",
         "[{\"Name\":\"db.lab.test\",\"Type\":\"A\",\"Value\":\"10.0.0.1\"}]", 0},
        {"{}", NULL, 0},
        {"[{\"na", NULL, 0},
        /* one that clients cannot use takes no other with it */
        {"[5]", "[]", 1},
        {"[{\"name\":\"\",\"value\":\"10.0.0.1\"}]", "[]", 1},
        {"[{\"name\":\"a\",\"type\":\"CNAME\",\"value\":\"b\"},{\"name\":\"b\",\"value\":\"10.0.0.1\"}]",
         "[{\"Name\":\"b\",\"Type\":\"A\",\"Value\":\"10.0.0.1\"}]", 1},
        {"[{\"name\":\"a\",\"type\":\"A\",\"value\":\"fd7a::1\"}]", "[]", 1},
        {"[{\"name\":\"a\\u001b\",\"value\":\"10.0.0.1\"}]", "[]", 1},
        {"[{\"name\":\"*.lab.test\",\"value\":\"10.0.0.1\"}]", "[]", 1},
        {"[{\"name\":\"a\",\"value\":5}]", "[]", 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *json = NULL;
        struct strs left_out = {0};
        struct err e = {0};
        int rc = extra_records_parse(cases[i].text, strlen(cases[i].text), &json, &left_out, &e);
        assert_int_equal(rc == 0, cases[i].json != NULL);
        if (cases[i].json)
            assert_string_equal(json, cases[i].json);
        else
            assert_true(*e.message != '\0');
        assert_int_equal(left_out.len, cases[i].left_out);
        for (size_t k = 0; k < left_out.len; k++)
            assert_non_null(strstr(left_out.items[k], " is left out: "));
        strs_release(&left_out);
        free(json);
    }
}

static void what_is_left_out_is_named_with_its_line(void **state)
{
    static const char text[] = "[\n  {\"name\": \"a,]\\\"[\", \"value\": \"10.0.0.1\"},\n\n  5,\n"
                               "  {\"name\": \"b\", \"value\": \"10.0.0.1\"},  {\"name\":\n \"*.lab.test\", "
                               "\"value\": \"10.0.0.1\"}\n]\n";
    static const char *const expected[] = {":2: ", ":4: ", ":5: "};
    struct strs left_out = {0};
    char *json = NULL;
    struct err e;

    (void)state;
    assert_int_equal(extra_records_parse(text, sizeof(text) - 1, &json, &left_out, &e), 0);
    assert_int_equal(left_out.len, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        assert_true(str_starts(left_out.items[i], expected[i]));
    assert_non_null(strstr(left_out.items[2], "*.lab.test"));
    strs_release(&left_out);
    free(json);
}

static void put_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static bool says(const struct tailnet_snapshot *s, void *arg)
{
    return strstr(s->settings->dns_json, arg) != NULL;
}

static void a_change_of_the_file_reaches_the_clients(void **state)
{
    struct core_rig r;
    char path[] = "/tmp/hwrecords-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    put_file(path, "[{\"name\":\"one.example.com\",\"type\":\"A\",\"value\":\"100.64.0.9\"}]");
    char *extra = mem_format("  extra_records_path: %s\n", path), *fresh = mem_format("%s.new", path);
    log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
    core_rig_prepare(&r, extra);
    core_rig_start(&r);
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    assert_true(says(s, (char *)(uintptr_t) "\"ExtraRecords\":[{\"Name\":\"one.example.com\""));
    tailnet_unpin(s);
    put_file(path, "[{\"name\":\"second.example.com\",\"type\":\"A\",\"value\":\"100.64.0.9\"}]");
    core_rig_until(&r, says, (char *)(uintptr_t) "second.example.com");
    put_file(path, "[{\"na");
    put_file(fresh, "[{\"name\":\"three.example.com\",\"type\":\"AAAA\",\"value\":\"fd7a::1\"}]");
    assert_int_equal(rename(fresh, path), 0);
    core_rig_until(&r, says, (char *)(uintptr_t) "three.example.com");
    core_rig_end(&r);
    unlink(path);
    free(fresh);
    free(extra);
}

static json_t *dns_of(const char *extra, bool all)
{
    struct core_rig r;
    struct err e;
    json_t *dns = NULL;

    core_rig_prepare(&r, extra);
    r.config->dns.override_local_dns = all;
    core_rig_start(&r);
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);
    const char *text = s->settings->dns_json;
    if (json_read(text, strlen(text), strlen(text), "DNS", &dns, &e) < 0)
        fail_msg("%s", e.message);
    tailnet_unpin(s);
    core_rig_end(&r);
    return dns;
}

static bool has_route(const json_t *dns, const char *domain)
{
    const json_t *route = json_object_get(json_object_get(dns, "Routes"), domain);

    return json_is_array(route) && json_array_size(route) == 0;
}

static const char *name_of(const json_t *dns, size_t i)
{
    return json_string_value(json_object_get(json_array_get(json_object_get(dns, "ExtraRecords"), i), "Name"));
}

/* A client compares names byte by byte with what it is asked in lower case; and where its system splits DNS it is asked
 * for the domains of Routes alone. */
static void records_are_found_whatever_their_case_and_domain(void **state)
{
    static const char records[] = "  extra_records:\n"
                                  "    - {name: DB.Lab.test, type: A, value: 10.0.0.1}\n"
                                  "    - {name: db.lab.test, type: AAAA, value: 'fd7a::1'}\n"
                                  "    - {name: Grafana.tail.Example.com, type: A, value: 10.0.0.2}\n"
                                  "    - {name: a.Corp.test, type: A, value: 10.0.0.3}\n";
    char *split = mem_format("%s  nameservers:\n    split:\n      Corp.test: [10.9.9.9]\n", records);
    char *all = mem_format("%s  nameservers:\n    global: [9.9.9.9]\n", records);
    json_t *dns;

    (void)state;
    dns = dns_of(split, false);
    assert_string_equal(name_of(dns, 0), "db.lab.test");
    assert_string_equal(name_of(dns, 2), "grafana.tail.example.com");
    assert_string_equal(name_of(dns, 3), "a.corp.test");
    assert_true(has_route(dns, "db.lab.test"));
    assert_false(has_route(dns, "grafana.tail.example.com")); /* MagicDNS is asked for it */
    assert_false(has_route(dns, "a.corp.test"));              /* so is the client, for corp.test */
    assert_int_equal(json_array_size(json_object_get(json_object_get(dns, "Routes"), "corp.test")), 1);
    json_decref(dns);
    /* Every question comes to the client. */
    dns = dns_of(all, true);
    assert_false(has_route(dns, "db.lab.test"));
    json_decref(dns);
    free(split);
    free(all);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_read_as_the_reference_server_reads_them),
        cmocka_unit_test(what_is_left_out_is_named_with_its_line),
        cmocka_unit_test(a_change_of_the_file_reaches_the_clients),
        cmocka_unit_test(records_are_found_whatever_their_case_and_domain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

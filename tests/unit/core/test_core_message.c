/* SPDX-License-Identifier: BSD-3-Clause */
/* The administrator's message to the users of all clients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "shared/core_rig.h"
#include "json/json.h"

static struct core_rig r;

static int begin(void **state)
{
    (void)state;
    core_rig_prepare(&r, "");
    core_rig_start(&r);
    return 0;
}

static int end(void **state)
{
    (void)state;
    core_rig_end(&r);
    return 0;
}

static void assert_told(const char *text, const char *url, enum message_severity severity)
{
    const struct tailnet_snapshot *s = tailnet_pin(r.tailnet);

    assert_non_null(s->message);
    assert_string_equal(s->message->text, text);
    assert_string_equal(s->message->url, url);
    assert_int_equal(s->message->severity, severity);
    tailnet_unpin(s);
}

static int set(struct core_admin *a)
{
    a->op = ADMIN_SERVER_MESSAGE;
    a->actor = "ana";
    return core_rig_admin(&r, a);
}

static void it_is_set_changed_and_taken_back(void **state)
{
    struct core_admin a = {.text = "Maintenance at six", .severity = "high", .url = "https://example.com/m"};

    (void)state;
    assert_int_equal(set(&a), 0);
    assert_told("Maintenance at six", "https://example.com/m", SEVERITY_HIGH);
    assert_int_equal(a.events.len, 1);
    assert_string_equal(a.events.items[0]->kind, "server.message");
    assert_string_equal(a.events.items[0]->actor, "ana");
    core_admin_release(&a);

    a = (struct core_admin){.text = ""};
    assert_int_equal(set(&a), 0);
    assert_told("", "", SEVERITY_MEDIUM);
    assert_non_null(strstr(a.inverse, "\"operation\":\"server.message\""));
    assert_non_null(strstr(a.inverse, "\"severity\":\"high\""));

    /* The inverse brings the message back as it was. */
    json_t *fields;
    struct core_admin back = {0};
    assert_int_equal(json_read(a.inverse, strlen(a.inverse), 4096, "inverse", &fields, NULL), 0);
    assert_int_equal(core_operation_read(fields, &back, NULL), 0);
    assert_int_equal(core_rig_admin(&r, &back), 0);
    assert_told("Maintenance at six", "https://example.com/m", SEVERITY_HIGH);
    core_admin_release(&back);
    json_decref(fields);
    core_admin_release(&a);
}

static void nothing_to_take_back_is_no_change(void **state)
{
    struct core_admin a = {.text = ""};

    (void)state;
    assert_int_equal(set(&a), 0);
    assert_int_equal(a.events.len, 0);
    core_admin_release(&a);
}

static void it_survives_a_restart(void **state)
{
    struct core_admin a = {.text = "The server moves on Friday", .severity = "low"};

    (void)state;
    assert_int_equal(set(&a), 0);
    core_admin_release(&a);
    core_rig_stop(&r);
    core_rig_start(&r);
    assert_told("The server moves on Friday", "", SEVERITY_LOW);
}

static void what_clients_cannot_show_is_refused(void **state)
{
    static char long_text[502];
    memset(long_text, 'x', 501);
    const struct {
        struct core_admin ask;
        const char *field;
    } cases[] = {
        {{.text = long_text}, "text"},
        {{.text = "a\nb"}, "text"},
        {{.text = "a\x1b[2J"}, "text"},
        {{.text = "a", .severity = "urgent"}, "severity"},
        {{.text = "a", .url = "ftp://example.com/"}, "url"},
        {{.text = "a", .url = "https://"}, "url"},
        {{.text = "a", .url = "https:///path"}, "url"},
        {{.text = "a", .url = "javascript:alert(1)"}, "url"},
        {{.text = "a", .url = "https://example.com/a b"}, "url"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct core_admin a = cases[i].ask;
        assert_int_equal(set(&a), ERR_INVALID);
        assert_string_equal(a.call.err.field, cases[i].field);
        core_admin_release(&a);
    }
    struct core_admin a = {.text = "a", .url = "http://10.0.0.1/x"}; /* as clients reach this server by http */
    assert_int_equal(set(&a), 0);
    core_admin_release(&a);
}

static void a_page_by_http_is_refused_where_clients_come_by_https(void **state)
{
    struct core_admin a = {.text = "a", .url = "http://10.0.0.1/x"};

    (void)state;
    core_rig_prepare(&r, "");
    free(r.config->server_url);
    r.config->server_url = strdup("https://headway.example.com");
    core_rig_start(&r);
    assert_int_equal(set(&a), ERR_INVALID);
    core_admin_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_set_changed_and_taken_back, begin, end),
        cmocka_unit_test_setup_teardown(nothing_to_take_back_is_no_change, begin, end),
        cmocka_unit_test_setup_teardown(it_survives_a_restart, begin, end),
        cmocka_unit_test_setup_teardown(what_clients_cannot_show_is_refused, begin, end),
        cmocka_unit_test_teardown(a_page_by_http_is_refused_where_clients_come_by_https, end),
    };
    return cmocka_run_group_tests_name("core_message", tests, NULL, NULL);
}

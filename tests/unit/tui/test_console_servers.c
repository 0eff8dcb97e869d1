/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of servers, and what is forgotten when changing to another one. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/mem.h"
#include "console/net/servers.h"
#include "shared/console_rig.h"

static void a_list_is_read(void **state)
{
    struct servers s = {0};
    struct err e = {0};

    (void)state;
    assert_int_equal(servers_parse("# mine\n\nhome /run/headway/headway.sock\n"
                                   "  work https://hw.example.com key-file=work.key  # the office\n"
                                   "lab https://lab.example.com:8443 insecure key-file=/etc/lab.key",
                                   "/srv/alice", &s, &e),
                     0);
    assert_int_equal(s.len, 3);
    assert_string_equal(s.items[0].socket, "/run/headway/headway.sock");
    assert_null(s.items[0].address);
    assert_string_equal(s.items[1].address, "https://hw.example.com");
    assert_string_equal(s.items[1].key_file, "/srv/alice/work.key");
    assert_false(s.items[1].insecure);
    assert_string_equal(s.items[2].key_file, "/etc/lab.key");
    assert_true(s.items[2].insecure);
    servers_release(&s);
    assert_int_equal(servers_load("/nonexistent/servers", &s, &e), 0);
    assert_int_equal(s.len, 0);
}

static void a_bad_line_is_named(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"home", "line 1: 'home' has no address"},
        {"\nwork https://hw.example.com", "line 2: 'work' needs a key"},
        {"a /x colour=red", "'colour=red' is not known"},
        {"a /x key-file=", "'key-file=' is not known"},
        {"a /x\na /y", "line 2: 'a' is listed twice"},
        {"a-name-that-is-longer-than-any-name-has-to-be /x", "at most 40 bytes"},
        {"a /x \x1b[31m", "not text"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct servers s = {0};
        struct err e = {0};

        assert_int_equal(servers_parse(cases[i].text, "/", &s, &e), ERR_INVALID);
        if (!strstr(e.message, cases[i].message))
            fail_msg("'%s' is not '%s'", e.message, cases[i].message);
        servers_release(&s);
    }
}

static void a_key_that_others_may_read_is_refused(void **state)
{
    char path[] = "/tmp/headway-server-key-XXXXXX", *key = NULL;
    struct server_entry s = {.name = path, .address = path, .key_file = path};
    struct client_options options = {0};
    struct err e = {0};
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "hskey-api-x\nmore\n", 17), 17);
    close(fd);
    assert_int_equal(server_options(&s, &options, &key, &e), 0);
    assert_string_equal(options.api_key, "hskey-api-x");
    free(key);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(server_options(&s, &options, &key, &e), ERR_DENIED);
    assert_non_null(strstr(e.message, "chmod 600"));
    unlink(path);
    assert_int_equal(server_options(&s, &options, &key, &e), ERR_MISSING);
    assert_null(key);
}

static void going_to_another_server_forgets_the_first(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 0);
    rig_keys(&r, ":server<Enter>");
    assert_true(rig_shows(&r, "has no other server"));
    strs_push(&r.app.servers, "local");
    strs_push(&r.app.servers, "office");
    rig_keys(&r, "<Esc>/nas<Enter>a");
    rig_keys(&r, ":server office<Enter>");
    assert_false(r.app.want_server); /* a change is on its way */
    rig_answer(&r, 0, 200, "{\"event\":\"1.41\",\"inverse\":{\"method\":\"POST\"},\"result\":null}");
    rig_keys(&r, "5");
    rig_draw(&r, 24, 80);
    rig_keys(&r, ":server<Enter>off<Enter>");
    assert_true(r.app.want_server);
    assert_int_equal(r.app.server, 1);
    app_reset(&r.app);
    assert_string_equal(r.app.place.view->name, "nodes");
    assert_int_equal(r.app.model.tables[ROW_NODE].rows.len, 0);
    assert_int_equal(r.app.undos.len, 0);
    assert_true(rig_shows(&r, "CONNECTING"));
    assert_true(rig_shows(&r, "office"));
    rig_json(&r, "{\"node\":{\"id\":\"1\",\"givenName\":\"of-the-office\",\"online\":true}}");
    assert_true(rig_shows(&r, "of-the-office"));
    app_connection(&r.app, CONN_LIVE, "", 0);
    rig_keys(&r, "j.");
    assert_true(rig_shows(&r, "there is no change to repeat yet"));
    rig_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_read),
        cmocka_unit_test(a_bad_line_is_named),
        cmocka_unit_test(a_key_that_others_may_read_is_refused),
        cmocka_unit_test(going_to_another_server_forgets_the_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

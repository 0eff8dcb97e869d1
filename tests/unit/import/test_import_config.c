/* SPDX-License-Identifier: BSD-3-Clause */
/* The import of headscale's configuration and of the files that belong to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "import/import.h"
#include "shared/import/headscale_db.h"
#include "shared/import/import_rig.h"
#include "shared/store_fixture.h"

static void the_configuration_is_carried_over(void **state)
{
    struct import_rig *v = *state;
    struct config *c;
    struct err e;

    headscale_db_make(v->database, 29);
    import_rig_config(
        v, "unix_socket: /nowhere/hs.sock\npolicy: {mode: database}\nderp: {urls: ['https://a.example/x']}\n");
    import_rig_must_run(v);
    assert_int_equal(config_load(v->to, &c, NULL, &e), 0);
    assert_string_equal(c->server_url, "http://10.0.0.1:8080");
    assert_string_equal(c->dns.base_domain, "tail.example.com");
    assert_string_equal(c->database.sqlite_path, v->taken);
    assert_false(c->derp.server.enabled);
    assert_int_equal(c->derp.urls.len, 1);
    assert_null(strstr(c->unix_socket, "hs.sock"));
    config_unref(c);
    assert_int_equal(config_load(v->config, &c, NULL, &e), 0);
    char *advice = import_advice(c);
    import_rig_must_say(advice, "headwayd import --config");
    free(advice);
    config_unref(c);
}

/* headscale's relay shares the port of server_url: who let in only that one has a relay after the move too. */
static void the_relay_stays_at_its_port(void **state)
{
    struct import_rig *v = *state;
    struct config *c;
    struct err e;

    headscale_db_make(v->database, 29);
    import_rig_config(v, "tls_cert_path: c.pem\ntls_key_path: k.pem\nderp: {server: {enabled: true}}\n");
    import_rig_must_run(v);
    import_rig_must_say(v->out, "changed  configuration derp.server.advertise_port");
    assert_int_equal(config_load(v->to, &c, NULL, &e), 0);
    assert_true(c->derp.server.enabled);
    assert_int_equal(c->derp.server.advertise_port, 8080);
    config_unref(c);
}

/* headscale got its certificates from Let's Encrypt: headway goes on with them, in a folder of its own. */
static void certificates_of_the_cache_are_taken(void **state)
{
    static const char *const names[] = {"hs.example.org", "acme_account+key"};
    struct import_rig *v = *state;
    struct config *c;
    struct err e;

    headscale_db_make(v->database, 29);
    for (size_t i = 0; i < 2; i++) {
        char *file = mem_format("%s/%s", v->folder, names[i]);
        import_rig_write(file, names[i], 0600);
        free(file);
    }
    import_rig_config(v, "tls_letsencrypt_hostname: hs.example.org\ntls_letsencrypt_cache_dir: .\n");
    import_rig_must_run(v);
    import_rig_must_say(v->out, "headscale's and its account are copied");
    assert_int_equal(config_load(v->to, &c, NULL, &e), 0);
    assert_string_equal(c->acme.hostname, "hs.example.org");
    assert_string_equal(c->tls_cert_path, "");
    for (size_t i = 0; i < 2; i++) {
        char *file = mem_format("%s/%s", c->acme.cache_dir, names[i]);
        struct buf text = BUF_INIT(0);
        assert_int_equal(file_read(file, FILE_SECRET, &text, &e), 0);
        assert_string_equal(buf_text(&text), names[i]);
        buf_release(&text);
        remove(file);
        free(file);
    }
    rmdir(c->acme.cache_dir);
    config_unref(c);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, import_rig_setup, import_rig_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(the_configuration_is_carried_over),
        CASE(the_relay_stays_at_its_port),
        CASE(certificates_of_the_cache_are_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Configurations in TOML and JSON, in the environment, and in YAML with the usual mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "config/config.h"

static struct config *parse(const char *name, const char *text)
{
    struct config *c = NULL;
    struct err e = {0};

    if (config_parse(text, strlen(text), name, &c, NULL, &e) < 0)
        fail_msg("%s", e.message);
    return c;
}

/* The first mistake, the caller's. */
static char *refused(const char *name, const char *text, size_t len)
{
    struct config *c = NULL;
    struct err e = {0};

    if (config_parse(text, len, name, &c, NULL, &e) == 0)
        fail_msg("accepted as %s: %.200s", name, text);
    return mem_strdup(e.message);
}

static void wants(const char *name, const char *text, size_t len, const char *wanted)
{
    char *said = refused(name, text, len);

    if (!strstr(said, wanted))
        fail_msg("%s: %.100s\n  wanted %s\n  said   %s", name, text, wanted, said);
    free(said);
}

static void check_all(const struct config *c)
{
    assert_string_equal(c->server_url, "https://hw.example.com");
    assert_int_equal(c->unix_socket_permission, 0750);
    assert_int_equal(c->node.expiry, 180 * 86400 * NS_PER_SECOND);
    assert_string_equal(c->noise.private_key_path, "/etc/headway/noise.key");
    assert_true(c->derp.server.enabled);
    assert_int_equal(c->derp.server.region_id, 1000);
    assert_string_equal(c->derp.server.region_name, "Überall \xf0\x9f\x98\x80 \"here\"");
    assert_int_equal(c->derp.urls.len, 2);
    assert_string_equal(c->derp.urls.items[1], "https://b.example.com/map");
    assert_int_equal(c->trusted_proxies.len, 2);
    assert_int_equal(c->dns.split.len, 1);
    assert_string_equal(c->dns.split.items[0].domain, "corp.example.com");
    assert_int_equal(c->dns.split.items[0].servers.len, 2);
    assert_int_equal(c->dns.extra_records.len, 2);
    assert_string_equal(c->dns.extra_records.items[1].value, "fd7a::5");
    assert_int_equal(c->oidc.flat.extra_params.len, 1);
    assert_string_equal(c->oidc.flat.extra_params.items[0].value, "7");
}

static void toml_loads(void **state)
{
    struct config *c = parse("/etc/headway/config.toml",
                             "\xef\xbb\xbf# with everything\r\n"
                             "server_url = 'https://hw.example.com/'\r\n"
                             "unix_socket_permission = 0o750\n"
                             "trusted_proxies = [ \"127.0.0.0/8\", # this machine\n  \"::1/128\",\n]\n"
                             "noise.private_key_path = \"noise.key\"\n"
                             "node = { expiry = \"180d\" }\n"
                             "[derp]\nurls = [\"https://a.example.com/map\", 'https://b.example.com/map']\n"
                             "[derp.server]\nenabled = true\nregion_id = 1_000\n"
                             "region_name = \"\"\"\nÜberall \\U0001F600 \\\n    \"here\\\"\"\"\"\n"
                             "[dns.nameservers.split]\n\"corp.example.com\" = [\"10.0.0.53\", \"10.0.0.54\"]\n"
                             "[[dns.extra_records]]\nname = \"a.example.com\"\ntype = \"A\"\nvalue = \"100.64.0.3\"\n"
                             "[[dns.extra_records]]\nname = \"a.example.com\"\ntype = \"AAAA\"\nvalue = \"fd7a::5\"\n"
                             "[oidc.extra_params]\nlevel = 0x7\n");

    (void)state;
    check_all(c);
    config_unref(c);
}

static void json_loads_too(void **state)
{
    struct config *c = parse(
        "/etc/headway/config.JSON",
        "{\n\t\"server_url\": \"https:\\/\\/hw.example.com\", \"unix_socket_permission\": \"0750\",\r\n"
        "\t\"trusted_proxies\": [\"127.0.0.0/8\", \"::1/128\"], \"noise\": {\"private_key_path\": \"noise.key\"},\n"
        "\t\"node\": {\"expiry\": \"180d\"},\n"
        "\t\"derp\": {\"urls\": [\"https://a.example.com/map\", \"https://b.example.com/map\"],\n"
        "\t\"server\": {\"enabled\": true, \"region_id\": 1000,\n"
        "\t\"region_name\": \"\\u00dcberall \\ud83d\\ude00 \\\"here\\\"\", \"ipv4\": null}},\n"
        "\t\"dns\": {\"nameservers\": {\"split\": {\"corp.example.com\": [\"10.0.0.53\", \"10.0.0.54\"]}},\n"
        "\t\"extra_records\": [{\"name\": \"a.example.com\", \"type\": \"A\", \"value\": \"100.64.0.3\"},\n"
        "\t{\"name\": \"a.example.com\", \"type\": \"AAAA\", \"value\": \"fd7a::5\"}]},\n"
        "\t\"oidc\": {\"extra_params\": {\"level\": 7}}\n}\n");

    (void)state;
    check_all(c);
    config_unref(c);
    c = parse("config.json", " \n");
    assert_string_equal(c->listen_addr, "0.0.0.0:8080");
    config_unref(c);
    c = parse("config.toml", "");
    assert_string_equal(c->listen_addr, "0.0.0.0:8080");
    config_unref(c);
}

/* File, line, key and what would be right. */
static void mistakes_are_named_in_each_language(void **state)
{
    static const struct {
        const char *name, *text, *wanted;
    } all[] = {
        {"c.toml", "server_url: http://h\n", "c.toml:1: '=' is missing behind a key"},
        {"c.toml", "\nlisten_addr = 0.0.0.0:80\n", "c.toml:2: '0.0.0.0:80' is no value of TOML: texts need quotes"},
        {"c.toml", "listen_addr =\n", "c.toml:1: a value is missing"},
        {"c.toml", "[dns]\nmagic_dns = maybe\n", "c.toml:2: 'maybe' is no value of TOML"},
        {"c.toml", "[dns]\nmagic_dns = \"maybe\"\n", "c.toml:2: dns.magic_dns: 'maybe' is not true or false"},
        {"c.toml", "[dns]\n\n[log]\nlevl = \"info\"\n", "c.toml:4: log.levl: unknown key, did you mean log.level?"},
        {"c.toml", "[dns]\n[log]\n[dns]\n", "c.toml:3: 'dns' stands here twice"},
        {"c.toml", "[log]\nlevel = 'info'\nlevel = 'warn'\n", "c.toml:3: 'level' stands here twice"},
        {"c.toml", "log = {level = 'info'}\n[log]\nformat = 'json'\n", "c.toml:2: 'log' stands here twice"},
        {"c.toml", "log = {level = 'info'}\n[log.x]\n", "c.toml:2: 'log' has a value already"},
        {"c.toml", "[a.b]\n[a]\nb.c = 1\n", "c.toml:3: 'b' is a table with a header of its own"},
        {"c.toml", "log.level = 'info' # a\nlog = 1\n", "c.toml:2: 'log' stands here twice"},
        {"c.toml", "[dns\n", "c.toml:1: ] is missing behind the name of a table"},
        {"c.toml", "a = [1, 2\nb = 3\n", "c.toml:2: a list needs ',' between its members"},
        {"c.toml", "a = \"x\nb = 1\n", "c.toml:1: a text in \" is not closed on its line"},
        {"c.toml", "a = 1\nb = '''x\ny\n", "c.toml:2: a text in ''' is not closed"},
        {"c.toml", "a = \"C:\\path\"\n", "c.toml:1: a backslash in a text in double quotes begins an escape"},
        {"c.toml", "a = \"\\ud800\"\n", "c.toml:1: \\ud800 is no character"},
        {"c.toml", "a = 1 b = 2\n", "c.toml:1: something stands behind the end of the statement"},
        {"c.toml", "a = 'x'\xff\n", "c.toml:1: this is no UTF-8 text"},
        {"c.toml", "a = 010\n", "c.toml:1: '010' is no value of TOML"},
        {"c.toml", "a = 9223372036854775808x\n", "is no value of TOML"},
        {"c.toml", "\"a\"b = 1\n", "c.toml:1: '=' is missing behind a key"},
        {"c.json", "{\"log\": {\"level\": \"info\",}}", "c.json: the file is not valid JSON: line 1, column"},
        {"c.json", "{\n\n\"log\": {\n\"level\": \"loud\"}}", "c.json:4: log.level: 'loud' is not one of trace"},
        {"c.json", "{\"dns\": {\n\"base_domian\": 1, \"x:y\": 2}}",
         "c.json:2: dns.base_domian: unknown key, did you mean"},
        {"c.json", "{\"log\": {\"level\": \"info\", \"level\": \"warn\"}}", "duplicate"},
        {"c.json", "[1]", "the file must hold keys and values"},
        {"c.json", "server_url: http://h", "c.json: the file is not valid JSON: line 1"},
        {"c.yaml", "dns:\n\tmagic_dns: true\n", "c.yaml:2: the line is indented by a tab: YAML takes blanks only"},
        {"c.yaml", "log:\n  level: info\n\n  \tformat: json\n", "c.yaml:4: the line is indented by a tab"},
        {"c.yaml", "server_url=http://h:1\n", "c.yaml:1: the file must hold keys and values"},
        {"c.yaml", "server_url: http://h:1\nlog: {level: info\n", "c.yaml:"},
        {"c.yaml", "a: &a {magic_dns: true}\ndns:\n  <<: *a\n", "c.yaml:1: a: unknown key"},
        {"c.yaml", "dns: &d\n  nameservers: *d\n", "c.yaml:2: dns.nameservers.nameservers: unknown key"},
        {"c.yaml", "log:\n  level: [info]\n", "c.yaml:2: log.level must be one value, not a list or a map"},
        {"c.yaml", "derp:\n  urls: {a: b}\n", "c.yaml:2: derp.urls must be a list"},
        {"c.yaml", "unix_socket: \"a\\0b\"\n", "c.yaml:1: unix_socket: this is not a value that the key can have"},
        {"c.yaml", "unix_socket: a\xff\n", "c.yaml:1: "},
        {"c.yaml", "server_url: https://h.example.com/headscale\n",
         "c.yaml:1: server_url must be scheme, host and port"},
        {"c.yaml", "server_url: https://h.example.com?x=1\n", "c.yaml:1: server_url must be scheme, host and port"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        wants(all[i].name, all[i].text, strlen(all[i].text), all[i].wanted);
    wants("c.toml", "a = 'x\0y'\n", 10, "c.toml:1: this is no UTF-8 text");
}

static void other_ends_of_lines_and_marks_load(void **state)
{
    struct config *c = parse("c.yml", "\xef\xbb\xbfserver_url: http://h:1\r\nlog:\r\n  level: warn\r\n");

    (void)state;
    assert_string_equal(c->log.level, "warn");
    config_unref(c);
    c = parse("c.yaml", "");
    config_unref(c);
}

static void repeat(struct buf *out, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++)
        buf_adds(out, text);
}

/* What is short in the file must not be long in memory. */
static void aliases_and_depth_are_bounded(void **state)
{
    struct buf text = BUF_INIT(0);

    (void)state;
    buf_adds(&text, "unix_socket: &a ");
    repeat(&text, "x", 100000);
    buf_adds(&text, "\nderp:\n  urls: [*a");
    repeat(&text, ",*a", 10000);
    buf_adds(&text, "]\n");
    struct strs problems = {0};
    struct config *c = NULL;
    assert_int_equal(config_parse(text.data, text.len, "c.yaml", &c, &problems, NULL), ERR_INVALID);
    assert_true(strs_has(&problems, "c.yaml:3: derp.urls: too long: all values together have more than 8388608 bytes"));
    strs_release(&problems);
    buf_release(&text);

    static const char *const deep[][2] = {{"c.yaml", "["}, {"c.json", "["}, {"c.toml", "a=["}, {"c.toml", "a={b="}};
    for (size_t i = 0; i < ARRAY_LEN(deep); i++) {
        text = (struct buf)BUF_INIT(0);
        buf_adds(&text, deep[i][1]);
        repeat(&text, i == 3 ? "{b=" : "[", 200000);
        wants(deep[i][0], text.data, text.len, "nested more than");
        buf_release(&text);
    }
    text = (struct buf)BUF_INIT(0);
    buf_adds(&text, "a = [");
    repeat(&text, "1,", 600000);
    buf_adds(&text, "]\n");
    wants("c.toml", text.data, text.len, "c.toml:1: more than 500000 values");
    text.data[0] = ' ', text.data[2] = ' ';
    text.len -= 3; /* the last comma and the bracket */
    buf_adds(&text, "]");
    wants("c.json", text.data, text.len, "more than 500000 values");
    buf_release(&text);
    text = (struct buf)BUF_INIT(0);
    repeat(&text, "# much ado\n", 400000);
    wants("c.yaml", text.data, text.len, "c.yaml: the file has more than 4194304 bytes");
    buf_release(&text);
}

static void every_kind_of_value_comes_from_the_environment(void **state)
{
    static const char *const variables[][2] = {
        {"HEADWAY_TRUSTED_PROXIES", "10.0.0.0/8\t192.168.0.0/16"},
        {"HEADSCALE_DERP_URLS", "[\"https://a.example.com/1\", \"https://b.example.com/2\"]"},
        {"HEADWAY_OIDC_EXTRA_PARAMS", "{\"domain_hint\": \"example.com\", \"level\": 3, \"on\": true}"},
        {"HEADWAY_DNS_EXTRA_RECORDS", "[{\"name\": \"a.example.com\", \"value\": \"100.64.0.3\"}]"},
        {"HEADWAY_NODE_ROUTES_PROBE_TARGETS", "{\"10.0.0.0/8\": \"10.0.0.1\"}"},
        {"HEADSCALE_UNIX_SOCKET_PERMISSION", "0o700"},
        {"HEADSCALE_EPHEMERAL_NODE_INACTIVITY_TIMEOUT", "45m"},
        {"HEADSCALE_TUNING_BATCH_CHANGE_DELAY", "1s"},
        {"HEADSCALE_DNS_USE_USERNAME_IN_MAGIC_DNS", "false"},
        {"HEADWAY_PORT", "tcp://10.0.0.1:8080"},
        {"HEADWAY_SERVICE_HOST", "10.0.0.1"},
        {"HEADSCALE_DOMAIN", "what compose files use"},
        {"HEADSCALE_DEBUG_DUMP_CONFIG", "1"},
        {"HEADSCALE_LOG_LEVL", "debug"},
    };
    static const char *const notes[] = {
        "HEADSCALE_LOG_LEVL in the environment names no key, did you mean HEADSCALE_LOG_LEVEL?",
        "HEADSCALE_DNS_USE_USERNAME_IN_MAGIC_DNS: dns.use_username_in_magic_dns is ignored and can be removed: the "
        "names "
        "of nodes are NAME.BASE_DOMAIN",
        "without effect here, and may stay: tuning.batch_change_delay",
    };
    struct config *c;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        setenv(variables[i][0], variables[i][1], 1);
    c = parse("c.yaml", "server_url: http://h:1\n");
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        unsetenv(variables[i][0]);
    assert_int_equal(c->trusted_proxies.len, 2);
    assert_int_equal(c->derp.urls.len, 2);
    assert_string_equal(c->derp.urls.items[1], "https://b.example.com/2");
    assert_int_equal(c->oidc.flat.extra_params.len, 3);
    assert_string_equal(c->oidc.flat.extra_params.items[1].value, "3");
    assert_string_equal(c->dns.extra_records.items[0].type, "A");
    assert_string_equal(c->node.probe.targets.items[0].value, "10.0.0.1");
    assert_int_equal(c->unix_socket_permission, 0700);
    assert_int_equal(c->node.ephemeral_inactivity_timeout, 45 * 60 * NS_PER_SECOND);
    for (size_t i = 0; i < ARRAY_LEN(notes); i++)
        if (!strs_has(&c->notes, notes[i]))
            fail_msg("no note: %s", notes[i]);
    for (size_t i = 0; i < c->notes.len; i++)
        assert_false(str_starts(c->notes.items[i], "HEADWAY_"));
    config_unref(c);
}

static void bad_variables_are_named(void **state)
{
    static const char *const bad[][3] = {
        {"HEADWAY_DERP_SERVER_ENABLED", "maybe",
         "HEADWAY_DERP_SERVER_ENABLED: derp.server.enabled: 'maybe' is not true"},
        {"HEADSCALE_TRUSTED_PROXIES", "10.0.0.0/8,::1/128",
         "HEADSCALE_TRUSTED_PROXIES: trusted_proxies[0] \"10.0.0.0/8,"},
        {"HEADWAY_OIDC_EXTRA_PARAMS", "{\"a\": {}}",
         "HEADWAY_OIDC_EXTRA_PARAMS: oidc.extra_params: '{\"a\": {}}' is not"},
        {"HEADWAY_OIDC_EXTRA_PARAMS", "a=b", "HEADWAY_OIDC_EXTRA_PARAMS: oidc.extra_params is not valid JSON"},
        {"HEADWAY_DNS_EXTRA_RECORDS", "[1]",
         "HEADWAY_DNS_EXTRA_RECORDS: dns.extra_records: '[1]' is not a JSON list of"},
        {"HEADWAY_DNS_EXTRA_RECORDS", "{}", "HEADWAY_DNS_EXTRA_RECORDS: dns.extra_records: '{}' is not a JSON list of"},
        {"HEADWAY_DERP_PATHS", "[\"a\", [\"b\"]]",
         "HEADWAY_DERP_PATHS: derp.paths: '[\"a\", [\"b\"]]' is not a JSON list"},
        {"HEADSCALE_ACL_POLICY_PATH", "/p", "HEADSCALE_ACL_POLICY_PATH: The \"acl_policy_path\" configuration key has"},
        {"HEADSCALE_EPHEMERAL_NODE_INACTIVITY_TIMEOUT", "soon", "HEADSCALE_EPHEMERAL_NODE_INACTIVITY_TIMEOUT: "},
        {"HEADWAY_SERVER_URL", "http://h/x", "HEADWAY_SERVER_URL: server_url must be scheme, host and port"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        setenv(bad[i][0], bad[i][1], 1);
        char *said = refused("c.yaml", "log: {level: info}\n", 19);
        if (!str_starts(said, bad[i][2]))
            fail_msg("%s=%s\n  wanted %s\n  said   %s", bad[i][0], bad[i][1], bad[i][2], said);
        free(said);
        unsetenv(bad[i][0]);
    }
}

static void what_says_what_holds_anyway_stops_nothing(void **state)
{
    struct config *c = parse("c.yaml", "server_url: http://h:1\ndns:\n  use_username_in_magic_dns: false\n"
                                       "oidc: {strip_email_domain: false, map_legacy_users: false}\n");

    (void)state;
    assert_true(strs_has(&c->notes,
                         "c.yaml:3: dns.use_username_in_magic_dns is ignored and can be removed: the names of "
                         "nodes are NAME.BASE_DOMAIN"));
    config_unref(c);
    static const char text[] = "dns:\n  use_username_in_magic_dns: true\n";
    wants("c.yaml", text, strlen(text),
          "c.yaml:2: The \"dns.use_username_in_magic_dns\" configuration key has been removed. Remove it: the names of "
          "nodes are NAME.BASE_DOMAIN");
}

/* As headscale's reader has it: what a map gives itself counts before what is merged, the first of several maps before
 * those behind it. */
static void merge_keys_are_followed(void **state)
{
    static const char text[] = "x-server: &server {enabled: true, region_id: 901, region_name: one}\n"
                               "x-more: &more\n"
                               "  region_name: two\n"
                               "  region_code: more\n"
                               "derp:\n"
                               "  server: {<<: [*server, *more], Region_ID: 902}\n"
                               "dns:\n"
                               "  nameservers:\n"
                               "    split: {<<: &split {a.example.com: [10.0.0.1]}, b.example.com: [10.0.0.2]}\n"
                               "  extra_records:\n"
                               "    - &record {name: a.example.com, type: A, value: 100.64.0.3}\n"
                               "    - {<<: *record, name: b.example.com}\n"
                               "<<: {server_url: http://h:1}\n";
    struct config *c = parse("c.yaml", text);

    (void)state;
    assert_true(c->derp.server.enabled);
    assert_int_equal(c->derp.server.region_id, 902);
    assert_string_equal(c->derp.server.region_name, "one");
    assert_string_equal(c->derp.server.region_code, "more");
    assert_int_equal(c->dns.split.len, 2);
    assert_int_equal(c->dns.extra_records.len, 2);
    assert_string_equal(c->dns.extra_records.items[1].name, "b.example.com");
    assert_string_equal(c->dns.extra_records.items[1].value, "100.64.0.3");
    assert_string_equal(c->server_url, "http://h:1");
    config_unref(c);
}

/* Each map merges the one before it and adds a key: the last would have a number of them that is the square. */
static void merges_are_bounded(void **state)
{
    struct buf text = BUF_INIT(0);

    (void)state;
    buf_adds(&text, "x-a: {<<: &m0 {k0: 1");
    for (int i = 1; i < 3000; i++)
        buf_addf(&text, ", k%d: 1", i);
    buf_adds(&text, "}}\n");
    for (int i = 1; i < 3000; i++)
        buf_addf(&text, "x-m%d: {<<: *m0}\n", i);
    wants("c.yaml", buf_text(&text), text.len, "c.yaml:1: <<: too many keys are merged");
    buf_clear(&text);
    buf_adds(&text, "x-0: &m0 {a: 1}\n");
    for (int i = 1; i < 40; i++)
        buf_addf(&text, "x-%d: &m%d {<<: *m%d}\n", i, i, i - 1);
    struct config *c = parse("c.yaml", buf_text(&text));
    config_unref(c);
    buf_clear(&text);
    for (int i = 0; i < 40; i++)
        buf_adds(&text, "{<<: ");
    buf_adds(&text, "{}");
    for (int i = 0; i < 40; i++)
        buf_adds(&text, "}");
    wants("c.yaml", buf_text(&text), text.len, "c.yaml:1: <<: nested too deep");
    buf_release(&text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(toml_loads),
        cmocka_unit_test(json_loads_too),
        cmocka_unit_test(mistakes_are_named_in_each_language),
        cmocka_unit_test(other_ends_of_lines_and_marks_load),
        cmocka_unit_test(aliases_and_depth_are_bounded),
        cmocka_unit_test(merge_keys_are_followed),
        cmocka_unit_test(merges_are_bounded),
        cmocka_unit_test(every_kind_of_value_comes_from_the_environment),
        cmocka_unit_test(bad_variables_are_named),
        cmocka_unit_test(what_says_what_holds_anyway_stops_nothing),
    };

    setenv("STATE_DIRECTORY", "/tmp/state/headway", 1);
    setenv("RUNTIME_DIRECTORY", "/tmp/state/headway", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

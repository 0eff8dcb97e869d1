/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration: each mistake has a small file in tests/unit/common/config, whose first line contains the expected
 * message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <dirent.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "config/config.h"
#include "shared/config_pages.h"
#include "shared/files.h"
#include "json/json.h"

#define BAD_DIR "tests/unit/common/config"

static struct config *parse(const char *text)
{
    struct config *c = NULL;
    struct err e = {0};

    if (config_parse(text, strlen(text), "/etc/headway/config.yaml", &c, NULL, &e) < 0)
        fail_msg("%s", e.message);
    return c;
}

static void each_mistake_is_named(void **state)
{
    struct dirent *entry;
    DIR *dir = opendir(BAD_DIR);
    int seen = 0;

    (void)state;
    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        if (!str_ends(entry->d_name, ".yaml"))
            continue;
        char *path = mem_format("%s/%s", BAD_DIR, entry->d_name);
        char *text = file_text(path);
        struct config *c = NULL;
        struct err e = {0};
        assert_true(str_starts(text, "# wants: "));
        char *wants = mem_strndup(text + 9, strcspn(text + 9, "\n"));
        if (config_parse(text, strlen(text), entry->d_name, &c, NULL, &e) == 0)
            fail_msg("%s: was accepted", path);
        if (!str_starts(e.message, wants))
            fail_msg("%s:\n  wanted %s\n  said   %s", path, wants, e.message);
        free(wants);
        free(text);
        free(path);
        seen++;
    }
    closedir(dir);
    assert_true(seen > 40);
}

static void all_mistakes_are_listed(void **state)
{
    static const char text[] = "listn_addr: x\ndns:\n  magic_dns: maybe\n  base_domian: y\n";
    struct strs problems = {0};
    struct config *c = NULL;
    struct err e;

    (void)state;
    assert_int_equal(config_parse(text, strlen(text), "c.yaml", &c, &problems, &e), ERR_INVALID);
    assert_int_equal(problems.len, 3);
    assert_string_equal(problems.items[0], "c.yaml:1: listn_addr: unknown key, did you mean listen_addr?");
    assert_string_equal(problems.items[2], "c.yaml:4: dns.base_domian: unknown key, did you mean dns.base_domain?");
    assert_true(str_ends(e.message, "(and 2 more)"));
    strs_release(&problems);
}

static void nothing_gives_a_working_start(void **state)
{
    struct config *c = parse("");

    (void)state;
    assert_string_equal(c->listen_addr, "0.0.0.0:8080");
    assert_true(str_starts(c->server_url, "http://") && str_ends(c->server_url, ":8080"));
    assert_string_equal(c->unix_socket, "/tmp/state/headway/headway.sock");
    assert_string_equal(c->database.sqlite_path, "/tmp/state/headway/db.sqlite");
    assert_string_equal(c->noise.private_key_path, "/tmp/state/headway/noise_private.key");
    assert_string_equal(c->dns.base_domain, "headway.internal");
    assert_false(c->dns.override_local_dns);
    assert_true(c->derp.server.enabled);
    assert_int_equal(c->prefixes.v4.bits, 10);
    assert_int_equal(c->prefixes.v6.bits, 48);
    assert_int_equal(c->node.ha.ping_interval, NS_PER_SECOND);
    assert_int_equal(c->node.ha.ping_timeout, 1800 * 1000000);
    assert_int_equal(c->unix_socket_permission, 0770);
    assert_false(config_policy_is_file(c));
    config_unref(c);
}

static void headscale_s_file_loads(void **state)
{
    struct config *c = parse("Server_URL: https://hw.example.com/\n"
                             "ephemeral_node_inactivity_timeout: 30m\n"
                             "oidc: {expiry: 180d}\n"
                             "noise: {private_key_path: noise.key}\n"
                             "unix_socket_permission: 0o750\n"
                             "randomize_client_port: true\n"
                             "grpc_listen_addr: 127.0.0.1:50443\n"
                             "derp: {server: {ipv4: }, paths: [], urls: [https://derp.example.com/map]}\n"
                             "policy: {mode: file, path: acl.hujson}\n"
                             "prefixes: {v4: 100.64.0.0/10}\n"
                             "dns_config: {magic_dns: true}\n"
                             "dns:\n"
                             "  nameservers: {global: [1.1.1.1], split: {Corp.Example.com: [10.0.0.53, 10.0.0.54]}}\n"
                             "  extra_records: [{name: a.example.com, type: A, value: 100.64.0.3}]\n"
                             "  extra_records_path:\n");

    (void)state;
    assert_string_equal(c->server_url, "https://hw.example.com");
    assert_int_equal(c->node.ephemeral_inactivity_timeout, 1800 * NS_PER_SECOND);
    assert_int_equal(c->node.expiry, 180 * 86400 * NS_PER_SECOND);
    assert_string_equal(c->noise.private_key_path, "/etc/headway/noise.key");
    assert_int_equal(c->unix_socket_permission, 0750);
    assert_true(c->randomize_client_port);
    assert_true(config_policy_is_file(c));
    assert_string_equal(c->policy.path, "/etc/headway/acl.hujson");
    assert_int_equal(c->prefixes.v6.addr.bits, 0);
    assert_true(c->dns.override_local_dns);
    assert_string_equal(c->dns.split.items[0].domain, "corp.example.com");
    assert_string_equal(c->dns.split.items[0].servers.items[1], "10.0.0.54");
    assert_string_equal(c->dns.extra_records.items[0].value, "100.64.0.3");
    assert_int_equal(c->derp.urls.len, 1);
    assert_int_equal(c->notes.len, 2);
    assert_string_equal(c->notes.items[0],
                        "/etc/headway/config.yaml:11: dns_config.magic_dns is ignored, use dns.magic_dns");
    assert_string_equal(c->notes.items[1], "without effect here, and may stay: grpc_listen_addr");
    config_unref(c);
}

/* Written by people who leave a key there for later. */
static void empty_values_load(void **state)
{
    static const char text[] = "server_url: http://h:1\n"
                               "metrics_listen_addr: ''\n"
                               "unix_socket_permission: ''\n"
                               "tls_cert_path: ''\ntls_key_path:\n"
                               "trusted_proxies: ''\n"
                               "prefixes: {v4: 100.64.0.0/10, v6: '', allocation: ''}\n"
                               "derp: {server: {enabled: '', region_id: '', region_code: '', ipv4: '', ipv6: ''},\n"
                               "       urls: [''], paths: [''], auto_update_enabled: '', update_frequency: ''}\n"
                               "node: {expiry: '', ephemeral: {inactivity_timeout: ''}, routes: ''}\n"
                               "ephemeral_node_inactivity_timeout: ''\n"
                               "database: {type: '', postgres: {port: '', ssl: ''}, gorm: []}\n"
                               "tls_letsencrypt_hostname: ''\ntls_letsencrypt_challenge_type: ''\n"
                               "log: {level: '', format: ''}\n"
                               "policy: {mode: '', path: ''}\n"
                               "dns: {magic_dns: '', override_local_dns: '', nameservers: {global: '', split: ''},\n"
                               "      search_domains: [''], extra_records: '', extra_records_path: ''}\n"
                               "oidc: {issuer: '', scope: '', extra_params: {domain_hint: }, pkce: {method: ''}}\n"
                               "logtail: ''\n"
                               "cli: {timeout: '', insecure: ''}\n"
                               "tuning: {batcher_workers: ''}\n";
    struct config *c = parse(text);

    (void)state;
    assert_int_equal(c->prefixes.v6.addr.bits, 0);
    assert_int_equal(c->prefixes.v4.bits, 10);
    assert_int_equal(c->unix_socket_permission, 0770);
    assert_true(c->derp.server.enabled && c->dns.magic_dns);
    assert_int_equal(c->derp.urls.len, 0);
    assert_string_equal(c->log.level, "info");
    assert_int_equal(c->node.ephemeral_inactivity_timeout, 120 * NS_PER_SECOND);
    assert_string_equal(c->oidc.flat.extra_params.items[0].value, "");
    config_unref(c);
    c = parse("prefixes: {v6: ''}\n");
    assert_int_equal(c->prefixes.v4.bits, 10);
    assert_int_equal(c->prefixes.v6.addr.bits, 0);
    config_unref(c);
}

static void what_cannot_be_used_is_left_out_and_named(void **state)
{
    static const char text[] = "server_url: http://h:1\n"
                               "dns:\n"
                               "  nameservers:\n"
                               "    global:\n"
                               "      - 1.1.1.1\n"
                               "      - resolver.example.com\n"
                               "      - https://dns.example.com/query\n"
                               "    split: {123: [10.0.0.53, nowhere], corp.test: [nowhere], lab.test: }\n"
                               "  search_domains: [lab.test, 'not a domain']\n"
                               "  extra_records:\n"
                               "    - {name: www.lab.test, type: CNAME, value: lab.test}\n"
                               "    - {name: 123, type: A, value: 100.64.0.3}\n"
                               "    - {name: '*.lab.test', value: 100.64.0.3}\n"
                               "    - {name: v6.lab.test, type: AAAA, value: 100.64.0.3, ttl: 5}\n";
    static const char *const notes[] = {
        "/etc/headway/config.yaml:6: dns.nameservers.global[1]: 'resolver.example.com' is not an address or an https "
        "URL: it is left out",
        "/etc/headway/config.yaml:8: dns.nameservers.split.123[1]: 'nowhere' is not an address or an https URL: it is "
        "left out",
        "/etc/headway/config.yaml:8: dns.nameservers.split.corp.test[0]: 'nowhere' is not an address or an https URL: "
        "it is left out",
        "/etc/headway/config.yaml:9: dns.search_domains[1]: 'not a domain' is not a domain name: it is left out",
        "/etc/headway/config.yaml:11: dns.extra_records[0]: www.lab.test CNAME lab.test is left out: clients know A "
        "and AAAA only",
        "/etc/headway/config.yaml:13: dns.extra_records[2]: *.lab.test A 100.64.0.3 is left out: its name is no domain "
        "name",
        "/etc/headway/config.yaml:14: dns.extra_records[3]: v6.lab.test AAAA 100.64.0.3 is left out: a record has a "
        "name, a type and a value only",
    };
    struct config *c = parse(text);

    (void)state;
    assert_int_equal(c->notes.len, ARRAY_LEN(notes));
    for (size_t i = 0; i < ARRAY_LEN(notes); i++)
        assert_string_equal(c->notes.items[i], notes[i]);
    assert_int_equal(c->dns.global.len, 2);
    assert_int_equal(c->dns.split.len, 2);
    assert_string_equal(c->dns.split.items[0].domain, "123");
    assert_int_equal(c->dns.split.items[0].servers.len, 1);
    assert_string_equal(c->dns.split.items[1].domain, "lab.test");
    assert_int_equal(c->dns.search_domains.len, 1);
    assert_int_equal(c->dns.extra_records.len, 1);
    assert_string_equal(c->dns.extra_records.items[0].name, "123");
    config_unref(c);
    setenv("HEADWAY_DNS_NAMESERVERS_GLOBAL", "1.1.1.1 nowhere", 1);
    c = parse("server_url: http://h:1\n");
    assert_true(strs_has(&c->notes, "HEADWAY_DNS_NAMESERVERS_GLOBAL: dns.nameservers.global[1]: 'nowhere' is not an "
                                    "address or an https URL: it is left out"));
    config_unref(c);
    unsetenv("HEADWAY_DNS_NAMESERVERS_GLOBAL");
}

static void what_is_named_twice_counts_once(void **state)
{
    struct config *c = parse("server_url: http://h:1\n"
                             "dns:\n"
                             "  base_domain: tail.example.com\n"
                             "  nameservers:\n"
                             "    global: [10.0.0.1, 10.0.0.2, 10.0.0.1]\n"
                             "    split: {corp.test: [10.0.0.53, 10.0.0.53], Corp.test.: [10.0.0.54]}\n"
                             "  search_domains: [lab.test, LAB.test.]\n");
    static const char *const notes[] = {"global[2]: '10.0.0.1' is named twice",
                                        "corp.test[1]: '10.0.0.53' is named twice", "'Corp.test.' is named twice",
                                        "search_domains[1]: 'lab.test' is named twice"};

    (void)state;
    assert_int_equal(c->notes.len, ARRAY_LEN(notes));
    for (size_t i = 0; i < ARRAY_LEN(notes); i++)
        assert_non_null(strstr(c->notes.items[i], notes[i]));
    assert_int_equal(c->dns.global.len, 2);
    assert_int_equal(c->dns.split.len, 1);
    assert_int_equal(c->dns.split.items[0].servers.len, 1);
    assert_int_equal(c->dns.search_domains.len, 1);
    config_unref(c);
}

static void a_name_may_end_in_the_dot_of_the_root(void **state)
{
    struct config *c = parse("server_url: http://h:1\n"
                             "dns:\n"
                             "  base_domain: Tail.example.com.\n"
                             "  nameservers: {split: {corp.test.: [10.0.0.53]}}\n"
                             "  search_domains: [Lab.test.]\n"
                             "  extra_records: [{name: WWW.Lab.test., type: A, value: 100.64.0.3}]\n");

    (void)state;
    assert_int_equal(c->notes.len, 0);
    assert_string_equal(c->dns.base_domain, "tail.example.com");
    assert_string_equal(c->dns.split.items[0].domain, "corp.test");
    assert_string_equal(c->dns.search_domains.items[0], "lab.test");
    assert_string_equal(c->dns.extra_records.items[0].name, "www.lab.test");
    config_unref(c);
    static const struct {
        const char *text, *what;
    } bad[] = {
        {"server_url: https://hs.tail.example.com\ndns: {base_domain: tail.example.com.}\n", "part of base_domain"},
        {"server_url: https://h\ndns: {base_domain: tail..}\n", "is not a domain name"},
        {"server_url: https://h\ntls_letsencrypt_hostname: vpn.example..\n", "is not a host name"},
        {"server_url: https://h\ndns: {base_domain: .}\n", "is not a domain name"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e = {0};
        c = NULL;
        assert_true(config_parse(bad[i].text, strlen(bad[i].text), "/etc/headway/config.yaml", &c, NULL, &e) < 0);
        if (!strstr(e.message, bad[i].what))
            fail_msg("%s: %s", bad[i].text, e.message);
    }
}

static void a_broken_rule_names_its_line(void **state)
{
    static const char text[] = "server_url: http://h:1\ntls_cert_path: /a\n\ntls_letsencrypt_hostname: h.example\n";
    struct strs problems = {0};
    struct config *c = NULL;
    struct err e;

    (void)state;
    assert_int_equal(config_parse(text, strlen(text), "c.yaml", &c, &problems, &e), ERR_INVALID);
    assert_true(str_starts(problems.items[0], "c.yaml:4: set either tls_letsencrypt_hostname or"));
    strs_release(&problems);
}

static void a_probe_target_stands_behind_its_prefix(void **state)
{
    static const char *const wrong[] = {"10.0.0.0/8: 192.0.2.1", "10.0.0.0/8: router", "0.0.0.0/0: 192.0.2.1",
                                        "office: 10.0.0.1", "fd00::/8: 10.0.0.1"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        char *text = mem_format("server_url: http://h:1\ndns: {base_domain: a.example.com, override_local_dns: false}\n"
                                "node: {routes: {probe: {targets: {\"%.*s\": %s}}}}\n",
                                (int)(strstr(wrong[i], ": ") - wrong[i]), wrong[i], strstr(wrong[i], ": ") + 2);
        struct strs problems = {0};
        struct config *c = NULL;
        assert_int_equal(config_parse(text, strlen(text), "c.yaml", &c, &problems, NULL), ERR_INVALID);
        assert_int_equal(problems.len, 1);
        assert_non_null(strstr(problems.items[0], "node.routes.probe.targets: '"));
        strs_release(&problems);
        free(text);
    }
}

/* More old keys than any table of fixed size. */
static void every_old_key_is_seen(void **state)
{
    struct strs problems = {0};
    struct config *c = NULL;
    struct err e;
    static const char text[] = "acl_policy_path: /a\noidc: {strip_email_domain: true, map_legacy_users: true}\n"
                               "dns_config: {use_username_in_magic_dns: true, extra_records: []}\n"
                               "dns: {use_username_in_magic_dns: true}\n";

    (void)state;
    assert_int_equal(config_parse(text, strlen(text), "c.yaml", &c, &problems, &e), ERR_INVALID);
    assert_int_equal(problems.len, 6);
    strs_release(&problems);
}

static void what_needs_a_restart_waits_for_it_whole(void **state)
{
    struct config *was = parse("server_url: http://h:1\ndns: {base_domain: Old.Example.COM}\nlog: {level: info}\n"
                               "oidc: {extra_params: {a: b}}\n");
    struct config *fresh =
        parse("server_url: http://h:2\ndns: {base_domain: new.example.com, search_domains: [x.test]}\n"
              "log: {level: debug}\nprefixes: {v4: 100.65.0.0/16}\ndatabase: {sqlite: {path: /n/db}}\n");
    struct strs live = {0}, restart = {0};

    (void)state;
    config_keep_until_restart(was, fresh);
    assert_string_equal(fresh->dns.base_domain, "old.example.com");
    assert_string_equal(fresh->server_url, "http://h:1");
    assert_string_equal(fresh->state_dir, was->state_dir);
    assert_int_equal(fresh->prefixes.v4.bits, 10);
    assert_string_equal(fresh->oidc.flat.extra_params.items[0].value, "b");
    assert_string_equal(fresh->log.level, "debug");
    assert_int_equal(fresh->dns.search_domains.len, 1);
    config_diff(was, fresh, &live, &restart);
    assert_int_equal(restart.len, 0);
    strs_release(&live);
    strs_release(&restart);
    config_unref(was);
    config_unref(fresh);
}

static void the_working_directory_is_not_searched(void **state)
{
    char dir[] = "/tmp/headway-config.XXXXXX", before[4096];
    struct config *c = NULL;
    struct err e;

    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(dir), 0);
    assert_int_equal(file_replace("config.yaml", "listen_addr: nonsense\n", 22, 0600, &e), 0);
    setenv("HOME", dir, 1);
    unsetenv("HEADWAY_CONFIG");
    unsetenv("HEADSCALE_CONFIG");
    int r = config_load(NULL, &c, NULL, &e);
    unlink("config.yaml");
    assert_int_equal(chdir(before), 0);
    rmdir(dir);
    assert_int_equal(r, 0);
    assert_true(!str_ends(c->file, "config.yaml") || str_starts(c->file, "/etc/"));
    config_unref(c);
}

/* Whoever only wants to reach the daemon gets what could be read, and the mistake. */
static void a_client_gets_what_is_right_of_a_wrong_file(void **state)
{
    char path[] = "/tmp/headway-config.XXXXXX";
    static const char text[] = "unix_socket: /here/headway.sock\nlog:\n  level: loud\ncli:\n  timeout: soon\n";
    int fd = mkstemp(path);
    struct config *c = NULL;
    struct err e;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    assert_int_equal(config_load_for_client(path, &c, &e), ERR_INVALID);
    assert_non_null(strstr(e.message, "log.level"));
    assert_string_equal(c->unix_socket, "/here/headway.sock");
    assert_int_equal(c->cli.timeout, INT64_C(5000000000));
    assert_true(strs_has(&c->given, "unix_socket"));
    config_unref(c);
    unlink(path);
    assert_int_equal(config_load_for_client(path, &c, &e), ERR_MISSING);
    assert_true(*c->unix_socket != '\0');
    config_unref(c);
}

static void a_removed_key_may_stand_beside_its_successor(void **state)
{
    struct config *c = parse("server_url: http://h:1\nacl_policy_path: /old\npolicy: {path: /new}\n"
                             "dns_config: {extra_records: []}\ndns: {extra_records: []}\n");

    (void)state;
    assert_string_equal(c->policy.path, "/new");
    assert_true(strs_has(&c->notes, "/etc/headway/config.yaml:2: acl_policy_path is ignored, policy.path is given"));
    assert_true(strs_has(
        &c->notes, "/etc/headway/config.yaml:4: dns_config.extra_records is ignored, dns.extra_records is given"));
    config_unref(c);
}

static void providers_take_the_keys_of_a_single_one(void **state)
{
    static const char text[] =
        "server_url: http://h:1\n"
        "oidc:\n"
        "  issuer: https://id.example.com\n"
        "  client_id: a\n"
        "  client_secret: b\n"
        "  providers:\n"
        "    - {name: corp, issuer: 'https://corp.example.com/x', client_id: c, client_secret: hidden-one,\n"
        "       allowed_groups: ['Domain Users', eng], extra_params: {hint: x}, pkce: {enabled: true},\n"
        "       email_verified_required: if-present, refresh_interval: 4h}\n";
    struct config *c = parse(text), *again;
    const struct config_provider *p;
    struct buf told = BUF_INIT(0), written = BUF_INIT(0);
    struct json_out o = JSON_OUT(&told);

    (void)state;
    assert_string_equal(config_provider(c, 0)->name, "default");
    p = config_provider(c, 1);
    assert_string_equal(p->name, "corp");
    assert_string_equal(p->allowed_groups.items[0], "Domain Users");
    assert_string_equal(p->extra_params.items[0].value, "x");
    assert_string_equal(p->scope.items[2], "email"); /* a default */
    assert_string_equal(p->email_verified_required, "if-present");
    assert_true(p->pkce_enabled && p->refresh_interval == 4 * 3600 * NS_PER_SECOND);
    assert_null(config_provider(c, 2));
    config_describe(c, &o);
    assert_non_null(strstr(buf_text(&told), "\"name\":\"corp\""));
    assert_null(strstr(buf_text(&told), "hidden-one"));
    config_write(c, NULL, 0, &written);
    again = parse(buf_text(&written));
    assert_string_equal(config_provider(again, 1)->client_secret, "hidden-one");
    assert_string_equal(config_provider(again, 1)->allowed_groups.items[0], "Domain Users");
    config_unref(again);
    config_unref(c);
    buf_release(&told);
    buf_release(&written);
}

/* Each has a thread of its own. */
static void there_may_be_many_providers_but_not_any_number(void **state)
{
    (void)state;
    for (size_t count = 64; count <= 65; count++) {
        struct buf text = BUF_INIT(0);
        struct config *c = NULL;
        struct err e = {0};
        buf_adds(&text, "server_url: http://h:1\noidc:\n  providers:\n");
        for (size_t i = 0; i < count; i++)
            buf_addf(&text, "    - {name: p%zu, issuer: 'https://p%zu.example.com', client_id: c, client_secret: s}\n",
                     i, i);
        int rc = config_parse(buf_text(&text), text.len, "config.yaml", &c, NULL, &e);
        assert_int_equal(rc, count > 64 ? ERR_INVALID : 0);
        assert_true(rc == 0 || strstr(e.message, "more than 64"));
        config_unref(c);
        buf_release(&text);
    }
}

static void the_environment_wins(void **state)
{
    struct config *c;

    (void)state;
    setenv("HEADSCALE_LISTEN_ADDR", "127.0.0.1:1", 1);
    setenv("HEADSCALE_DNS_BASE_DOMAIN", "scale.example.com", 1);
    setenv("HEADWAY_DNS_BASE_DOMAIN", "way.example.com", 1);
    setenv("HEADWAY_DERP_URLS", "https://a.example.com https://b.example.com", 1);
    setenv("HEADWAY_DNS_NAMESERVERS_SPLIT", "{\"example.com\": [\"10.0.0.1\"]}", 1);
    setenv("HEADWAY_LOG_LEVEL", "", 1);
    c = parse("listen_addr: 0.0.0.0:2\nlog: {level: warn}\n");
    assert_string_equal(c->listen_addr, "127.0.0.1:1");
    assert_string_equal(c->dns.base_domain, "way.example.com");
    assert_int_equal(c->derp.urls.len, 2);
    assert_string_equal(c->dns.split.items[0].servers.items[0], "10.0.0.1");
    assert_string_equal(c->log.level, "warn");
    config_unref(c);
    unsetenv("HEADSCALE_LISTEN_ADDR");
    unsetenv("HEADSCALE_DNS_BASE_DOMAIN");
    unsetenv("HEADWAY_DERP_URLS");
    unsetenv("HEADWAY_DNS_NAMESERVERS_SPLIT");
    setenv("HEADWAY_DNS_BASEDOMAIN", "typo.example.com", 1);
    c = parse("server_url: http://h:1\n");
    assert_true(strs_has(
        &c->notes, "HEADWAY_DNS_BASEDOMAIN in the environment names no key, did you mean HEADWAY_DNS_BASE_DOMAIN?"));
    config_unref(c);
    unsetenv("HEADWAY_DNS_BASEDOMAIN");
    setenv("HEADWAY_DNS_BASE_DOMAIN", "not a name", 1);
    struct err e;
    assert_int_equal(config_parse("", 0, "", &c, NULL, &e), ERR_INVALID);
    assert_string_equal(e.field, "dns.base_domain");
    unsetenv("HEADWAY_DNS_BASE_DOMAIN");
}

/* Whatever is wrong with a variable, what the file says stays: the command line goes on with it. */
static void a_bad_variable_leaves_the_files_value(void **state)
{
    static const char text[] = "unix_socket: /run/a.sock\ndatabase: {sqlite: {path: /srv/db.sqlite}}\n"
                               "cli: {address: https://a.example.com}\nprefixes: {v4: 100.64.0.0/16}\n"
                               "dns: {nameservers: {split: {a.test: [10.0.0.1]}}}\n";
    static const char *const variables[] = {"HEADWAY_UNIX_SOCKET", "HEADWAY_DATABASE_SQLITE_PATH",
                                            "HEADWAY_CLI_ADDRESS", "HEADWAY_PREFIXES_V4",
                                            "HEADWAY_DNS_NAMESERVERS_SPLIT"};
    char path[] = "/tmp/headway-config.XXXXXX";
    int fd = mkstemp(path);
    struct config *c = NULL;
    struct err e;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        setenv(variables[i], "\033[31m", 1);
    assert_int_equal(config_load_for_client(path, &c, &e), ERR_INVALID);
    assert_string_equal(c->unix_socket, "/run/a.sock");
    assert_string_equal(c->database.sqlite_path, "/srv/db.sqlite");
    assert_string_equal(c->state_dir, "/srv");
    assert_string_equal(c->cli.address, "https://a.example.com");
    assert_int_equal(c->prefixes.v4.bits, 16);
    assert_int_equal(c->dns.split.len, 1);
    config_unref(c);
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        unsetenv(variables[i]);
    unlink(path);
}

static void a_reload_says_what_changed(void **state)
{
    struct config *was = parse("server_url: http://h:1\nlog: {level: info}\n");
    struct config *is = parse("server_url: http://h:1\nlog: {level: debug}\nlisten_addr: 0.0.0.0:9\n"
                              "dns: {extra_records: [{name: a.b, type: A, value: 100.64.0.3}]}\n");
    struct strs live = {0}, restart = {0};

    (void)state;
    config_diff(was, was, &live, &restart);
    assert_int_equal(live.len + restart.len, 0);
    config_diff(was, is, &live, &restart);
    assert_int_equal(live.len, 2);
    assert_true(strs_has(&live, "log.level") && strs_has(&live, "dns.extra_records"));
    assert_int_equal(restart.len, 1);
    assert_string_equal(restart.items[0], "listen_addr");
    strs_release(&live);
    strs_release(&restart);
    config_unref(was);
    config_unref(is);
}

static void a_check_finds_what_is_missing(void **state)
{
    struct strs problems = {0};
    struct config *c = parse("tls_cert_path: /nowhere/cert.pem\ntls_key_path: /nowhere/key.pem\n"
                             "unix_socket: /dev/null\ndatabase: {sqlite: {path: /tmp/db/}}\n");
    static const char *const expected[] = {
        ":1: tls_cert_path: cannot read /nowhere/cert.pem: No such file or directory",
        ":2: tls_key_path: cannot read /nowhere/key.pem: No such file or directory",
        ":4: database.sqlite.path: /tmp/db/ names a directory, a file is needed",
        ":3: unix_socket: /dev/null exists and is no socket"};
    struct err e;

    (void)state;
    assert_int_equal(config_check(c, false, &problems, &e), ERR_INVALID);
    assert_int_equal(problems.len, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        assert_true(str_ends(problems.items[i], expected[i]));
    strs_release(&problems);
    config_unref(c);
    c = parse("");
    assert_int_equal(config_check(c, false, NULL, &e), 0);
    config_unref(c);
}

static void a_listen_address_is_read(void **state)
{
    struct config_listen l;

    (void)state;
    assert_int_equal(config_listen_parse("[::1]:443", "f", &l, NULL), 0);
    assert_string_equal(l.host, "::1");
    assert_int_equal(l.port, 443);
    assert_int_equal(config_listen_parse(":http", "f", &l, NULL), 0);
    assert_string_equal(l.host, "");
    assert_int_equal(l.port, 80);
    assert_int_equal(config_listen_parse("[::1:443", "f", &l, NULL), ERR_INVALID);
    assert_int_equal(config_listen_parse("]:443", "f", &l, NULL), 0);
}

static void yaml_becomes_json(void **state)
{
    static const char text[] =
        "regions:\n  900:\n    regionid: 900\n    regioncode: \"001\"\n    nodes: [a, true, ~]\n";
    static const char cycle[] = "&a [*a]",
                      bomb[] = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                               "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                               "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
                               "g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: [*g,*g,*g,*g,*g,*g,*g,*g,*g,*g]\n";
    struct buf json = BUF_INIT(0);
    struct err e;

    (void)state;
    assert_int_equal(config_yaml_json(text, strlen(text), &json, &e), 0);
    assert_string_equal(
        buf_text(&json),
        "{\"regions\":{\"900\":{\"regionid\":900,\"regioncode\":\"001\",\"nodes\":[\"a\",true,null]}}}");
    assert_int_not_equal(config_yaml_json(cycle, strlen(cycle), &json, &e), 0);
    assert_int_equal(config_yaml_json(bomb, strlen(bomb), &json, &e), ERR_TOOBIG);
    buf_release(&json);
}

static void the_example_is_current_and_loads(void **state)
{
    struct buf text = BUF_INIT(0);
    struct config *c = NULL;
    struct err e;

    (void)state;
    config_example(&text);
    file_must_hold("server/dist/config.yaml", buf_text(&text));
    if (config_parse(text.data, text.len, "", &c, NULL, &e) < 0)
        fail_msg("%s", e.message);
    config_unref(c);
    /* with every example in force it must load as well */
    char *whole = mem_strdup(buf_text(&text)), *out = whole;
    for (const char *at = text.data; *at;) {
        size_t n = strcspn(at, "\n"), blank = strspn(at, " ");
        bool example = at[blank] == '#' && at[blank + 1] != ' ';
        for (size_t i = 0; i < n; i++)
            if (!(example && i == blank))
                *out++ = at[i];
        *out++ = '\n';
        at += n + (at[n] == '\n');
    }
    *out = '\0';
    if (config_parse(whole, strlen(whole), "", &c, NULL, &e) < 0)
        fail_msg("%s", e.message);
    assert_string_equal(c->dns.base_domain, "example.com");
    config_unref(c);
    free(whole);
    buf_release(&text);
}

static void the_manual_is_current(void **state)
{
    struct buf keys = BUF_INIT(0);

    (void)state;
    config_manual(&keys);
    file_must_hold_part("man/headway.yaml.5", buf_text(&keys));
    buf_release(&keys);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_is_named),
        cmocka_unit_test(all_mistakes_are_listed),
        cmocka_unit_test(nothing_gives_a_working_start),
        cmocka_unit_test(headscale_s_file_loads),
        cmocka_unit_test(empty_values_load),
        cmocka_unit_test(what_cannot_be_used_is_left_out_and_named),
        cmocka_unit_test(what_is_named_twice_counts_once),
        cmocka_unit_test(a_name_may_end_in_the_dot_of_the_root),
        cmocka_unit_test(a_broken_rule_names_its_line),
        cmocka_unit_test(a_probe_target_stands_behind_its_prefix),
        cmocka_unit_test(every_old_key_is_seen),
        cmocka_unit_test(what_needs_a_restart_waits_for_it_whole),
        cmocka_unit_test(the_working_directory_is_not_searched),
        cmocka_unit_test(a_client_gets_what_is_right_of_a_wrong_file),
        cmocka_unit_test(a_removed_key_may_stand_beside_its_successor),
        cmocka_unit_test(providers_take_the_keys_of_a_single_one),
        cmocka_unit_test(there_may_be_many_providers_but_not_any_number),
        cmocka_unit_test(the_environment_wins),
        cmocka_unit_test(a_bad_variable_leaves_the_files_value),
        cmocka_unit_test(a_reload_says_what_changed),
        cmocka_unit_test(a_check_finds_what_is_missing),
        cmocka_unit_test(a_listen_address_is_read),
        cmocka_unit_test(yaml_becomes_json),
        cmocka_unit_test(the_example_is_current_and_loads),
        cmocka_unit_test(the_manual_is_current),
    };

    setenv("STATE_DIRECTORY", "/tmp/state/headway", 1);
    setenv("RUNTIME_DIRECTORY", "/tmp/state/headway", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

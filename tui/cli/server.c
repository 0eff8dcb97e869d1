/* SPDX-License-Identifier: BSD-3-Clause */
/* The daemon as a whole: starting it, its health, its configuration, backups, and messages to all clients. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "config/config.h"
#include "crypto/crypto.h"
#include "model/api_health.h"

/* Runs headwayd from the directory of this program, ../sbin beside it, or PATH. It gets this program's name as argv[0],
 * so that tools looking for "headscale serve" find it. */
static void become_daemon(const struct cli *c, const char *command)
{
    const char *config = flags_text(&c->flags, "config");
    char self[PATH_MAX], name[] = "headwayd", flag[] = "-c";
    char *as = mem_strdup(program_is_headscale() ? "headscale" : name), *file = mem_strdup(config),
         *what = mem_strdup(command);
    char *argv[] = {as, what, *config ? flag : NULL, file, NULL};
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    const char *dirs[] = {"headwayd", "../sbin/headwayd"};

    self[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(self, '/');
    for (size_t i = 0; slash && i < 2; i++) {
        char *path = mem_format("%.*s/%s", (int)(slash - self), self, dirs[i]);
        execv(path, argv);
        free(path);
    }
    execvp(name, argv);
    int why = errno;
    free(as);
    free(file);
    free(what);
    errno = why;
}

static int serve(struct cli *c)
{
    become_daemon(c, "serve");
    return cli_failf(c, "cannot start headwayd: %s: is it installed?", strerror(errno));
}

/* The daemon's own test knows most. If it is not installed, this program checks what it can. */
static int configtest(struct cli *c)
{
    become_daemon(c, "configtest");
    const char *path = flags_text(&c->flags, "config");
    struct strs problems = {0};
    struct config *config = NULL;
    struct err e = {0};
    int r = config_load(*path ? path : NULL, &config, &problems, &e);

    if (r == 0)
        r = config_check(config, false, &problems, &e);
    if (r < 0 && problems.len == 0)
        strs_push(&problems, e.message);
    for (size_t i = 0; i < problems.len; i++)
        output_error(&c->out, problems.items[i]);
    for (size_t i = 0; config && i < config->notes.len; i++)
        cli_note(c, "Note", config->notes.items[i]);
    if (r == 0 && c->out.terminal)
        fputs("configuration is valid\n", c->out.out);
    strs_release(&problems);
    config_unref(config);
    return r < 0 ? 1 : 0;
}

static void print_reasons(const struct cli *c, const struct api_health *h)
{
    for (size_t i = 0; i < h->reasons.len; i++) {
        const struct api_health_reason *r = api_at(&h->reasons, struct api_health_reason, i);
        fprintf(c->out.out, "%s: %s\n", r->severity == WEIGHT_ALARM ? "alarm" : "warning", r->text);
    }
    if (h->count > h->reasons.len)
        fprintf(c->out.out, "and %llu more\n", (unsigned long long)(h->count - h->reasons.len));
}

static void print_certificate(const struct cli *c, const struct api_certificate *of)
{
    char ends[TIME_TEXT_MAX], renews[TIME_TEXT_MAX];

    if (!of->ends_ns)
        return; /* a reason names it */
    fprintf(c->out.out, "certificate: %s, until %s%s%s\n", of->name, time_format(of->ends_ns, ends),
            of->automatic ? ", renewed from " : "", of->automatic ? time_format(of->renews_ns, renews) : "");
}

/* headscale prints an empty line if all is well. */
static int health(struct cli *c)
{
    json_t *answer = cli_call(c, "GET", NULL, "/api/headway/health");
    struct api_health h;

    if (!answer)
        return 1;
    if (api_read(&api_health_shape, answer, &h, API_FOR_TERMINAL, NULL) < 0)
        return cli_done(c, answer, "", NULL, &api_health_shape);
    bool database = h.database, list = c->out.form == OUTPUT_HUMAN && (h.count || h.certificate);
    if (list)
        print_reasons(c, &h);
    if (list && h.certificate)
        print_certificate(c, h.certificate);
    api_release(&api_health_shape, &h);
    if (list)
        json_decref(answer);
    int r = list ? 0 : cli_done(c, answer, "", NULL, &api_health_shape);
    return r || database ? r : 1;
}

static int version(struct cli *c)
{
    struct buf text = BUF_INIT(0);
    struct json_out o = JSON_OUT(&text);
    struct api_version v;
    json_t *value = NULL;
    int r = 0;

    api_version_fill(&v);
    if (c->out.form == OUTPUT_HUMAN) {
        if (program_is_headscale())
            fprintf(c->out.out, "headscale version %s\ncommit: headway %s\nbuild time: %s\nbuilt with: C %s/%s\n\n",
                    v.version, v.headway, v.build_time, v.go.os, v.go.arch);
        else
            fprintf(c->out.out, "headway version %s (answers as headscale %s)\n", v.headway, v.version);
        return 0;
    }
    api_write(&o, &api_version_shape, &v, API_V1);
    if (json_read(buf_text(&text), text.len, text.len, "the version", &value, NULL) == 0)
        r = cli_done(c, value, "", NULL, NULL);
    buf_release(&text);
    return r;
}

/* headscale writes a file beside its configuration; headway's command does not need one. */
static int dump_config(struct cli *c)
{
    const char *path = flags_text(&c->flags, "config");
    struct buf text = BUF_INIT(0);
    struct json_out o = JSON_OUT(&text);
    struct config *config = NULL;
    json_t *value = NULL;
    struct err e = {0};

    if (config_load(*path ? path : NULL, &config, NULL, &e) < 0)
        return cli_fail(c, &e);
    config_describe(config, &o);
    int r = json_read_large(buf_text(&text), text.len, text.len, "the configuration", &value, &e);
    if (r == 0)
        output_value(&c->out, value, NULL);
    json_decref(value);
    buf_release(&text);
    config_unref(config);
    return r < 0 ? cli_fail(c, &e) : 0;
}

static int mock_oidc(struct cli *c)
{
    return cli_failf(c, "mockoidc is a part of headscale's own tests, and there is none here: test with the OpenID "
                        "provider that you will use");
}

static int generate_private_key(struct cli *c)
{
    uint8_t key[32];
    struct buf text = BUF_INIT(0);
    json_t *value;

    random_bytes(key, sizeof(key));
    key[0] &= 248; /* clamped as X25519 requires of private keys */
    key[31] = (uint8_t)((key[31] & 127) | 64);
    buf_adds(&text, "privkey:");
    crypto_hex(&text, key, sizeof(key));
    value = json_pack("{s:s}", "private_key", buf_text(&text));
    cli_done(c, value, buf_text(&text), NULL, NULL);
    buf_release(&text);
    return 0;
}

/* The daemon writes the file, on its own machine. */
static int backup(struct cli *c)
{
    const char *name = c->args->items[0];
    char cwd[PATH_MAX], line[PATH_MAX + 128], *path;
    struct api_backup b;
    json_t *answer;

    if (*name == '/')
        path = mem_strdup(name);
    else if (getcwd(cwd, sizeof(cwd)))
        path = mem_format("%s/%s", cwd, name);
    else
        return cli_failf(c, "cannot tell the working directory: give an absolute path");
    answer = cli_call(c, "POST", json_pack("{s:s}", "path", path), "/api/headway/backup");
    free(path);
    if (!answer)
        return 1;
    snprintf(line, sizeof(line), "Backup written to %s", name);
    if (api_read(&api_backup_shape, json_object_get(answer, "result"), &b, API_FOR_TERMINAL, NULL) == 0) {
        snprintf(line, sizeof(line), "Backup written to %s (%llu bytes)", b.path, (unsigned long long)b.bytes);
        api_release(&api_backup_shape, &b);
    }
    return cli_done(c, answer, line, "result", NULL);
}

static int relay_status(struct cli *c)
{
    json_t *answer = cli_call(c, "GET", NULL, "/api/headway/relay/status");

    if (!answer)
        return 1;
    output_value(&c->out, answer, NULL);
    json_decref(answer);
    return 0;
}

static int message(struct cli *c)
{
    bool off = flags_switch(&c->flags, "off");
    const char *text = c->args->len ? c->args->items[0] : "";
    struct api_message now;
    json_t *body, *answer;

    if (off && *text)
        return cli_failf(c, "give a text or --off, not both");
    if (!off && !*text) {
        answer = cli_call(c, "GET", NULL, "/api/headway/message");
        if (!answer)
            return 1;
        if (api_read(&api_message_shape, answer, &now, API_FOR_TERMINAL, NULL) < 0)
            return cli_done(c, answer, "", NULL, NULL);
        char *line = *now.text ? mem_format("%s: %s", message_severity_name(now.severity), now.text)
                               : mem_strdup("There is no message");
        int r = cli_done(c, answer, line, NULL, NULL);
        free(line);
        api_release(&api_message_shape, &now);
        return r;
    }
    body = json_pack("{s:s}", "text", text);
    if (flags_given(&c->flags, "severity"))
        json_object_set_new(body, "severity", json_string(flags_text(&c->flags, "severity")));
    if (flags_given(&c->flags, "url"))
        json_object_set_new(body, "url", json_string(flags_text(&c->flags, "url")));
    return cli_done(c, cli_call(c, "PUT", body, "/api/headway/message"), off ? "Message taken back" : "Message set",
                    "result", NULL);
}

/* ---- DNS ---- */

static bool is_set(const struct api_dns *d, const char *member)
{
    bool set = false;

    for (size_t i = 0; i < d->set.len; i++)
        set = set || str_eq(d->set.items[i], member);
    return set;
}

static void add_row(struct text_table *t, const struct api_dns *d, const char *what, const char *member,
                    const char *value)
{
    table_text(t, what, COLOR_PLAIN);
    table_text(t, value, COLOR_PLAIN);
    table_text(t, is_set(d, member) ? "set" : "configured", COLOR_PLAIN);
}

static void add_list(struct text_table *t, const struct api_dns *d, const char *what, const char *member,
                     const struct strs *list)
{
    table_text(t, what, COLOR_PLAIN);
    if (list->len)
        table_texts(t, list);
    else
        table_text(t, "none", COLOR_PLAIN);
    table_text(t, is_set(d, member) ? "set" : "configured", COLOR_PLAIN);
}

static void add_split(struct text_table *t, const struct api_dns *d, const json_t *split)
{
    const char *domain;
    json_t *servers;

    if (!json_object_size(split))
        add_row(t, d, "Split DNS", "splitDNS", "none");
    json_object_foreach((json_t *)(uintptr_t)split, domain, servers)
    {
        struct buf line = BUF_INIT(0);
        buf_addf(&line, "%s:%s", domain, json_array_size(servers) ? "" : " answered by the clients themselves");
        for (size_t i = 0; i < json_array_size(servers); i++) {
            const char *server = json_string_value(json_array_get(servers, i));
            buf_addf(&line, " %s", server ? server : "?");
        }
        add_row(t, d, "Split DNS", "splitDNS", buf_text(&line));
        buf_release(&line);
    }
}

static int dns_show(struct cli *c)
{
    static const char *const heads[] = {"DNS", "Value", "By"};
    json_t *answer = cli_call(c, "GET", NULL, "/api/headway/dns");
    struct text_table t;
    struct api_dns d;

    if (!answer)
        return 1;
    if (c->out.form != OUTPUT_HUMAN || api_read(&api_dns_shape, answer, &d, API_FOR_TERMINAL, NULL) < 0)
        return cli_done(c, answer, "", NULL, NULL);
    table_init(&t, heads, ARRAY_LEN(heads));
    add_row(&t, &d, "MagicDNS", "magicDNS", d.now.magic_dns ? d.base_domain : "off");
    add_row(&t, &d, "Override local DNS", "overrideLocalDNS", d.now.override_local ? "on" : "off");
    add_list(&t, &d, "Name servers", "nameservers", &d.now.nameservers);
    add_split(&t, &d, json_object_get(answer, "splitDNS"));
    add_list(&t, &d, "Search domains", "searchDomains", &d.now.search);
    char records[32];
    snprintf(records, sizeof(records), "%llu", (unsigned long long)d.extra_records);
    add_row(&t, &d, "Extra records", "extraRecords",
            *d.extra_records_path ? d.extra_records_path
            : d.extra_records     ? records
                                  : "none");
    table_print(&t, &c->out);
    table_release(&t);
    api_release(&api_dns_shape, &d);
    json_decref(answer);
    return 0;
}

static int dns_change(struct cli *c, json_t *body, const char *line)
{
    return cli_changed(
        c, cli_call(c, "POST", body, "/api/headway/dns%s", flags_switch(&c->flags, "dry-run") ? "?dry_run=true" : ""),
        line);
}

static int dns_set(struct cli *c)
{
    static const struct {
        const char *flag, *member;
        bool list;
    } settings[] = {{"magic-dns", "magicDNS", false},
                    {"override-local-dns", "overrideLocalDNS", false},
                    {"nameservers", "nameservers", true},
                    {"search-domains", "searchDomains", true}};
    json_t *body = json_object();

    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        if (!flags_given(&c->flags, settings[i].flag))
            continue;
        json_object_set_new(body, settings[i].member,
                            settings[i].list ? cli_json_list(flags_list(&c->flags, settings[i].flag))
                                             : json_boolean(str_eq(flags_text(&c->flags, settings[i].flag), "on")));
    }
    if (json_object_size(body))
        return dns_change(c, body, "DNS set");
    json_decref(body);
    return cli_failf(c, "nothing to set: give --magic-dns, --override-local-dns, --nameservers or --search-domains");
}

static int dns_split(struct cli *c)
{
    json_t *servers = json_array();

    for (size_t i = 1; i < c->args->len; i++)
        json_array_append_new(servers, json_string(c->args->items[i]));
    return dns_change(c, json_pack("{s:{s:o}}", "changeSplitDNS", c->args->items[0], servers),
                      c->args->len > 1 ? "Split DNS set" : "Split DNS removed");
}

static int dns_reset(struct cli *c)
{
    static const struct {
        const char *word, *member;
    } members[] = {{"magic-dns", "magicDNS"},
                   {"override-local-dns", "overrideLocalDNS"},
                   {"nameservers", "nameservers"},
                   {"split", "splitDNS"},
                   {"search-domains", "searchDomains"}};
    json_t *list = json_array();

    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (!c->args->len)
            json_array_append_new(list, json_string(members[i].member));
    for (size_t i = 0; i < c->args->len; i++) {
        size_t at = 0;
        while (at < ARRAY_LEN(members) && !str_eq(members[at].word, c->args->items[i]))
            at++;
        if (at == ARRAY_LEN(members)) {
            json_decref(list);
            return cli_failf(
                c, "'%s' is no member: name magic-dns, override-local-dns, nameservers, split or search-domains",
                c->args->items[i]);
        }
        json_array_append_new(list, json_string(members[at].member));
    }
    return dns_change(c, json_pack("{s:o}", "reset", list), "DNS reset");
}

static int create_node(struct cli *c)
{
    struct api_user user;
    json_t *body;

    if (!cli_find_user(c, flags_text(&c->flags, "user"), &user))
        return 1;
    body = json_pack("{s:s, s:s, s:s, s:o}", "user", user.name, "key", flags_text(&c->flags, "key"), "name",
                     flags_text(&c->flags, "name"), "routes", cli_json_list(flags_list(&c->flags, "route")));
    api_release(&api_user_shape, &user);
    return cli_done(c, cli_call(c, "POST", body, "/api/v1/debug/node"), "Node created", "node", &api_node_shape);
}

static int manual(struct cli *c)
{
    struct buf text = BUF_INIT(0);

    cli_write_manual(&text);
    fputs(buf_text(&text), c->out.out);
    buf_release(&text);
    return 0;
}

static int completion(struct cli *c)
{
    struct buf text = BUF_INIT(0);

    if (!cli_write_completion(c->args->items[0], &text))
        return cli_failf(c, "no completion for '%s': bash, zsh or fish", c->args->items[0]);
    fputs(buf_text(&text), c->out.out);
    buf_release(&text);
    return 0;
}

/* clang-format off */
static const struct flag create_node_flags[] = {
    {"name", 0, FLAG_TEXT, FLAG_REQUIRED, .value = "NAME", .help = "host name"},
    {"user", 'u', FLAG_TEXT, FLAG_REQUIRED, .value = "NAME", .help = "owner"},
    {"key", 'k', FLAG_TEXT, FLAG_REQUIRED, .value = "ID", .help = "registration id"},
    {"route", 'r', FLAG_LIST, .value = "PREFIXES", .help = "advertised routes"}, FLAGS_END};


static const struct flag completion_flags[] = {
    {"no-descriptions", 0, FLAG_SWITCH, FLAG_HIDDEN, .help = "ignored"}, FLAGS_END};

#define DRY {"dry-run", 0, FLAG_SWITCH, .help = "report what would change, and change nothing"}
static const struct flag dns_flags[] = {
    {"magic-dns", 0, FLAG_TEXT, .value = "WORD", .help = "whether nodes have names: on or off", .words = "on|off"},
    {"override-local-dns", 0, FLAG_TEXT, .value = "WORD", .help = "whether clients use the name servers for all names, instead of those of their network: on or off", .words = "on|off"},
    {"nameservers", 0, FLAG_LIST, .value = "SERVERS", .help = "name servers for all names: addresses or https URLs; empty: none"},
    {"search-domains", 0, FLAG_LIST, .value = "DOMAINS", .help = "further search domains; empty: none"},
    DRY, FLAGS_END};
static const struct flag dns_dry_flags[] = {DRY, FLAGS_END};

static const struct flag message_flags[] = {
    {"severity", 0, FLAG_TEXT, .value = "WORD", .help = "low, medium or high (default medium)", .words = "low|medium|high"},
    {"url", 0, FLAG_TEXT, .value = "URL", .help = "page that says more"},
    {"off", 0, FLAG_SWITCH, .help = "take the message back"}, FLAGS_END};

const struct command server_commands[] = {
    {"serve", NULL, NULL, NULL, "Start the daemon, headwayd", .bits = CMD_BARE, .run = serve},
    {"configtest", NULL, NULL, NULL, "Check the configuration", .bits = CMD_BARE, .run = configtest},
    {"dump-config", "dumpConfig", NULL, NULL, "Print the configuration in force, without its secrets", .bits = CMD_BARE, .run = dump_config},
    {"mockoidc", NULL, NULL, NULL, "A part of headscale's tests, which headway has not", .bits = CMD_BARE | CMD_HIDDEN, .run = mock_oidc},
    {"health", NULL, NULL, NULL, "Check that the daemon and its database work, and what is not well", .run = health},
    {"backup", NULL, "FILE", NULL, "Back up the state of the running daemon to a file on its machine", .run = backup},
    {"relay", NULL, .bits = CMD_GROUP, .brief = "Inspect the built-in relay"},
    {"relay status", NULL, NULL, NULL, "Show the relay and its connections", .run = relay_status},
    {"server", NULL, .bits = CMD_GROUP, .brief = "Tell the users of all clients something"},
    {"server message", NULL, "[TEXT]", message_flags, "Set, take back or show the message that all clients display", .run = message},
    {"dns", NULL, .bits = CMD_GROUP, .brief = "Manage what clients are told of DNS"},
    {"dns show", NULL, NULL, NULL, "Show what clients are told of DNS, and where that comes from", .run = dns_show},
    {"dns set", NULL, NULL, dns_flags, "Set members of DNS in place of the configuration",
     .text = "Set members of DNS in place of the configuration. What is set holds, whatever the configuration says, until it is reset; members that are not named stay as they are. All clients are told at once", .run = dns_set},
    {"dns split", NULL, "DOMAIN [SERVER...]", dns_dry_flags, "Set the name servers of one domain",
     .text = "Set the name servers of one domain: addresses or https URLs. Without any the domain is removed. The others stay as they are, and from now on the configuration no longer says which there are", .run = dns_split},
    {"dns reset", NULL, "[MEMBER...]", dns_dry_flags, "Let the configuration hold again",
     .text = "Let the configuration hold again for members of DNS: magic-dns, override-local-dns, nameservers, split, search-domains; without any, for all of it", .words = "magic-dns|override-local-dns|nameservers|split|search-domains", .run = dns_reset},
    {"generate", "gen", .bits = CMD_GROUP, .brief = "Generate keys"},
    {"generate private-key", NULL, NULL, NULL, "Generate a private key and print it", .bits = CMD_BARE, .run = generate_private_key},
    {"debug", NULL, .bits = CMD_GROUP | CMD_HIDDEN, .brief = "Commands for testing"},
    {"debug create-node", NULL, NULL, create_node_flags, "Create a pending registration", .bits = CMD_HIDDEN, .run = create_node},
    {"debug manual", NULL, NULL, NULL, "Print the part of headway(1) that is made from the tables of commands", .bits = CMD_BARE | CMD_HIDDEN, .run = manual},
    {"completion", NULL, "SHELL", completion_flags, "Print the completion script for bash, zsh or fish", .words = "bash|zsh|fish", .bits = CMD_BARE, .run = completion},
    {"help", NULL, "[COMMAND...]", NULL, "Print help for a command", .bits = CMD_BARE, .run = cli_help},
    {"version", NULL, NULL, NULL, "Print the version", .bits = CMD_BARE, .run = version},
    {0}};
/* clang-format on */

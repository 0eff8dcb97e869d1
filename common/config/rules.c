/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules that involve several keys, and notes about the chosen values. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "config/keys.h"
#include "net/prefixes.h"

#define PROVIDERS_MAX 64                   /* each has its own thread for logins */
#define EPHEMERAL_MIN (65 * NS_PER_SECOND) /* a healthy client can be silent for up to a minute */

static void note(struct config *c, const char *format, ...) PRINTF_LIKE(2, 3);
static void note(struct config *c, const char *format, ...)
{
    struct buf text = BUF_INIT(4096);
    char line[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    buf_adds(&text, line);
    strs_push(&c->notes, buf_text(&text));
    buf_release(&text);
}

/* The host of a URL: "::1" for "http://[::1]:80/x". */
static void url_host(const char *url, char *out, size_t size)
{
    const char *at = strstr(url, "://");
    size_t n;

    at = at ? at + 3 : url;
    if (*at == '[') {
        at++;
        n = strcspn(at, "]");
    } else {
        n = strcspn(at, ":/?#");
    }
    char *host = mem_strndup(at, n);
    str_copy(out, size, host);
    free(host);
}

static void rule_url(struct config *c, rule_fail fail, void *arg)
{
    char host[256];
    const char *base = c->dns.base_domain;
    size_t n, m = strlen(base);

    if (!*c->server_url) {
        fail(arg, "server_url", "server_url must start with https:// or http://");
        return;
    }
    url_host(c->server_url, host, sizeof(host));
    n = strlen(host);
    if (strpbrk(strstr(c->server_url, "://") + 3, "/?#"))
        fail(arg, "server_url",
             "server_url must be scheme, host and port without a path, not '%s': clients ask for /key and /ts2021 at "
             "the "
             "root of the host, so no proxy can offer headway below a path; give it a host name or a port of its own",
             c->server_url);
    if (m && strcasecmp(host, base) == 0)
        fail(arg, "server_url",
             "server_url cannot use the same domain as base_domain (%s): the server could become unreachable", base);
    else if (m && n > m && host[n - m - 1] == '.' && strcasecmp(host + n - m, base) == 0)
        fail(arg, "server_url", "server_url cannot be part of base_domain (%s): the server could become unreachable",
             base);
}

bool config_is_domain(const char *text)
{
    size_t label = 0;

    for (const char *at = text; *at; at++) {
        if (*at == '.' ? label == 0 : !(isalnum((unsigned char)*at) || *at == '-' || *at == '_'))
            return false;
        if (*at == '.' && !at[1])
            break;
        label = *at == '.' ? 0 : label + 1;
        if (label > 63)
            return false;
    }
    return label > 0 && strlen(text) < 200;
}

bool config_overrides_dns(const struct config *c)
{
    return c->dns.override_local_dns || !config_given(c, "dns.override_local_dns");
}

void config_domain_normal(char *name)
{
    size_t len = strlen(name);

    for (char *at = name; *at; at++) /* clients before 1.103 resolve no name in capitals */
        *at = (char)tolower((unsigned char)*at);
    if (len > 1 && name[len - 1] == '.')
        name[len - 1] = '\0';
}

static void rule_dns(struct config *c, rule_fail fail, void *arg)
{
    if (c->dns.magic_dns && !*c->dns.base_domain)
        fail(arg, "dns.base_domain", "dns.base_domain must be set when using MagicDNS (dns.magic_dns)");
    if (*c->dns.base_domain && !config_is_domain(c->dns.base_domain))
        fail(arg, "dns.base_domain", "dns.base_domain: '%.60s' is not a domain name", c->dns.base_domain);
    config_domain_normal(c->dns.base_domain);
    if (c->dns.override_local_dns && c->dns.global.len == 0) {
        if (config_given(c, "dns.override_local_dns"))
            fail(arg, "dns.override_local_dns",
                 "dns.nameservers.global must be set when dns.override_local_dns is true");
        c->dns.override_local_dns = false;
    }
    if (c->dns.extra_records.len && *c->dns.extra_records_path)
        fail(arg, "dns.extra_records", "dns.extra_records and dns.extra_records_path cannot both be set");
}

static void rule_prefixes(struct config *c, rule_fail fail, void *arg)
{
    bool v4 = config_given(c, "prefixes.v4"), v6 = config_given(c, "prefixes.v6");
    struct prefix cgnat, ula;

    if (v4 && !v6 && c->prefixes.v4.addr.bits)
        c->prefixes.v6 = (struct prefix){0};
    if (v6 && !v4 && c->prefixes.v6.addr.bits)
        c->prefixes.v4 = (struct prefix){0};
    if (c->prefixes.v4.addr.bits == 0 && c->prefixes.v6.addr.bits == 0)
        fail(arg, "prefixes", "prefixes: set at least one of prefixes.v4 and prefixes.v6");
    if (prefix_parse("100.64.0.0/10", &cgnat, NULL, NULL) < 0 ||
        prefix_parse("fd7a:115c:a1e0::/48", &ula, NULL, NULL) < 0)
        return;
    if (c->prefixes.v4.addr.bits && !prefix_covers(&cgnat, &c->prefixes.v4))
        note(c, "prefixes.v4 is not in 100.64.0.0/10: official clients may not treat these addresses as Tailscale's");
    if (c->prefixes.v6.addr.bits && !prefix_covers(&ula, &c->prefixes.v6))
        note(c, "prefixes.v6 is not in fd7a:115c:a1e0::/48: official clients may not treat these addresses as "
                "Tailscale's");
}

static void rule_tls(struct config *c, rule_fail fail, void *arg)
{
    if (*c->acme.hostname && (*c->tls_cert_path || *c->tls_key_path))
        fail(arg, "tls_letsencrypt_hostname",
             "set either tls_letsencrypt_hostname or tls_cert_path/tls_key_path, not both");
    if (!*c->tls_cert_path != !*c->tls_key_path)
        fail(arg, *c->tls_cert_path ? "tls_cert_path" : "tls_key_path",
             "tls_cert_path and tls_key_path must be set together");
}

bool config_acme_listens(const struct config *c)
{
    return *c->acme.hostname && strcasecmp(c->acme.challenge_type, "HTTP-01") == 0;
}

bool config_serves_tls(const struct config *c)
{
    return *c->tls_cert_path || *c->acme.hostname;
}

static bool is_email(const char *text)
{
    const char *at = strchr(text, '@');

    return at && at > text && *text != '-' && at[1] && !strchr(at + 1, '@') && !strpbrk(text, " \t,;<>\"\\") &&
           strlen(text) < 200;
}

/* The name becomes part of file names and an argument of a program. */
static void rule_acme(struct config *c, rule_fail fail, void *arg)
{
    char *name = c->acme.hostname, host[256];
    struct addr a;

    bool domain = config_is_domain(name);
    config_domain_normal(name);
    if (*c->acme.email && !is_email(c->acme.email))
        fail(arg, "acme_email", "acme_email: '%.80s' is not an e-mail address", c->acme.email);
    if (!*name)
        return;
    if (addr_parse(name, &a, NULL) == 0 || !domain || strchr("-.", *name) || strchr(name, '_')) {
        fail(arg, "tls_letsencrypt_hostname",
             "tls_letsencrypt_hostname: '%.80s' is not a host name: certificates are issued for names such as "
             "vpn.example.com",
             name);
        return;
    }
    if (!str_starts(c->acme.url, "https://"))
        fail(arg, "acme_url", "acme_url must start with https://");
    if (strcasecmp(c->acme.challenge_type, "HTTP-01") == 0 && !*c->acme.listen)
        fail(arg, "tls_letsencrypt_listen", "tls_letsencrypt_listen must name a port for HTTP-01, such as :http");
    if (!str_starts(c->server_url, "https://"))
        note(c, "server_url does not start with https://, though the server has a certificate");
    url_host(c->server_url, host, sizeof(host));
    if (strcasecmp(host, name) != 0)
        note(c, "tls_letsencrypt_hostname is not the host of server_url: clients will not accept the certificate");
}

static bool is_ipv6(const char *host)
{
    return strchr(host, ':') != NULL;
}

/* Do two listeners exclude each other? */
static bool listeners_collide(const char *a, const char *b)
{
    struct config_listen x, y;

    if (!*a || !*b || config_listen_parse(a, "", &x, NULL) < 0 || config_listen_parse(b, "", &y, NULL) < 0 ||
        x.port != y.port)
        return false;
    if (!*x.host || !*y.host || str_eq(x.host, y.host))
        return true;
    bool any = str_eq(x.host, "0.0.0.0") || str_eq(y.host, "0.0.0.0") || str_eq(x.host, "::") || str_eq(y.host, "::");
    return any && is_ipv6(x.host) == is_ipv6(y.host);
}

static void rule_listen(struct config *c, rule_fail fail, void *arg)
{
    const struct {
        const char *key, *address;
    } all[] = {{"listen_addr", c->listen_addr},
               {"metrics_listen_addr", c->metrics_listen_addr},
               {"derp.server.listen_addr", c->derp.server.enabled ? c->derp.server.listen_addr : ""},
               {"tls_letsencrypt_listen", config_acme_listens(c) ? c->acme.listen : ""}};

    if (!*c->listen_addr)
        fail(arg, "listen_addr", "listen_addr must name an address and a port, such as 0.0.0.0:8080");
    for (size_t i = 1; i < ARRAY_LEN(all); i++)
        for (size_t k = 0; k < i; k++)
            if (listeners_collide(all[k].address, all[i].address))
                fail(arg, all[i].key, "%s must differ from %s (%s)", all[i].key, all[k].key, all[k].address);
    if (!*c->unix_socket || strlen(c->unix_socket) > 107)
        fail(arg, "unix_socket", "unix_socket must be a path of 1 to 107 bytes, not '%.120s'", c->unix_socket);
}

static void rule_files(struct config *c, rule_fail fail, void *arg)
{
    const struct {
        const char *key, *path;
    } files[] = {{"noise.private_key_path", c->noise.private_key_path},
                 {"derp.server.private_key_path", c->derp.server.private_key_path},
                 {"database.sqlite.path", c->database.sqlite_path},
                 {"unix_socket", c->unix_socket}};

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        if (!*files[i].path && files[i].path != c->unix_socket)
            fail(arg, files[i].key, "%s must name a file; without the key there is a default", files[i].key);
        for (size_t k = 0; *files[i].path && k < i; k++)
            if (str_eq(files[i].path, files[k].path))
                fail(arg, files[i].key, "%s must differ from %s (%s)", files[i].key, files[k].key, files[k].path);
    }
}

static void rule_derp(struct config *c, rule_fail fail, void *arg)
{
    if (c->derp.server.enabled && !*c->derp.server.stun_listen_addr)
        fail(arg, "derp.server.stun_listen_addr",
             "derp.server.stun_listen_addr must be set if derp.server.enabled is true");
    if (c->derp.server.enabled && !*c->derp.server.listen_addr)
        fail(arg, "derp.server.listen_addr", "derp.server.listen_addr must be set if derp.server.enabled is true");
    if (c->derp.server.enabled && !c->derp.server.automatically_add_embedded_derp_region && c->derp.paths.len == 0)
        fail(arg, "derp.server.automatically_add_embedded_derp_region",
             "derp.server.automatically_add_embedded_derp_region is false: derp.paths must name a file that "
             "contains the built-in region");
}

static void rule_times(struct config *c, rule_fail fail, void *arg)
{
    char a[TIME_TEXT_MAX], b[TIME_TEXT_MAX];

    if (c->node.ephemeral_inactivity_timeout <= EPHEMERAL_MIN)
        fail(arg, "node.ephemeral.inactivity_timeout", "node.ephemeral.inactivity_timeout (%s) must be more than 1m5s",
             duration_format(c->node.ephemeral_inactivity_timeout, a));
    if (c->node.ha.ping_interval && c->node.ha.ping_interval < NS_PER_SECOND / 10)
        fail(arg, "node.routes.ha.ping_interval",
             "node.routes.ha.ping_interval (%s) must be at least 100ms, or 0 to disable PINGs",
             duration_format(c->node.ha.ping_interval, a));
    if (c->node.ha.ping_timeout <= c->node.ha.ping_interval)
        fail(arg, "node.routes.ha.ping_timeout",
             "node.routes.ha.ping_timeout (%s) must be more than node.routes.ha.ping_interval (%s)",
             duration_format(c->node.ha.ping_timeout, a), duration_format(c->node.ha.ping_interval, b));
    if (c->node.probe.health_interval && c->node.probe.health_interval < 10 * NS_PER_SECOND)
        fail(arg, "node.routes.probe.health_interval",
             "node.routes.probe.health_interval (%s) must be at least 10s, or 0",
             duration_format(c->node.probe.health_interval, a));
    if (c->node.ha.probe_interval == 0)
        return;
    if (c->node.ha.probe_interval < 2 * NS_PER_SECOND)
        fail(arg, "node.routes.ha.probe_interval",
             "node.routes.ha.probe_interval (%s) must be at least 2s, or 0 to disable probes",
             duration_format(c->node.ha.probe_interval, a));
    else if (c->node.ha.probe_timeout >= c->node.ha.probe_interval)
        fail(arg, "node.routes.ha.probe_timeout",
             "node.routes.ha.probe_timeout (%s) must be less than node.routes.ha.probe_interval (%s)",
             duration_format(c->node.ha.probe_timeout, a), duration_format(c->node.ha.probe_interval, b));
}

static void rule_probes(struct config *c, rule_fail fail, void *arg)
{
    for (size_t i = 0; i < c->node.probe.targets.len; i++) {
        const struct config_pair *pair = &c->node.probe.targets.items[i];
        struct prefix p;
        struct addr a;
        if (prefix_parse_route(pair->name, &p, NULL) < 0 || prefix_is_exit(&p))
            fail(arg, "node.routes.probe.targets", "node.routes.probe.targets: '%s' is not a prefix such as 10.0.0.0/8",
                 pair->name);
        else if (addr_parse(pair->value, &a, NULL) < 0 || !prefix_covers(&p, &(struct prefix){a, a.bits}))
            fail(arg, "node.routes.probe.targets", "node.routes.probe.targets: '%s' is not an address in %s",
                 pair->value, pair->name);
    }
}

/* The key of a provider's member, for messages. */
static char *provider_says(const struct config *c, const struct config_provider *p, const char *member)
{
    return p == &c->oidc.flat ? mem_format("oidc.%s", member)
                              : mem_format("oidc.providers[%zu].%s", (size_t)(p - c->oidc.providers.items), member);
}

static bool is_provider_name(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= 32 &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == len;
}

static const char *provider_fault(const struct config *c, const struct config_provider *p, const char **member)
{
    const struct config_provider *other;

    *member = "name";
    if (!is_provider_name(p->name))
        return "must be at most 32 letters, digits, '-' and '_'";
    for (size_t i = 0; (other = config_provider(c, i)) && other != p; i++)
        if (strcasecmp(other->name, p->name) == 0)
            return "is another provider's too";
    *member = "issuer";
    if (!*p->issuer)
        return "is missing";
    if (strpbrk(p->issuer, "?#"))
        return "must be a URL without a query";
    if (strchr(p->issuer, '{') || str_ends(p->issuer, "/common/v2.0") || str_ends(p->issuer, "/organizations/v2.0"))
        return "is that of all tenants together, whose tokens carry other issuers: put the id of your tenant in its "
               "place";
    return NULL;
}

static void rule_provider(struct config *c, const struct config_provider *p, rule_fail fail, void *arg)
{
    const char *key = p == &c->oidc.flat ? NULL : "oidc.providers", *member, *fault = provider_fault(c, p, &member);
    char *name = provider_says(c, p, ""), *named = provider_says(c, p, member);

    if (fault)
        fail(arg, key ? key : str_eq(member, "name") ? "oidc.name" : "oidc.issuer", "%s %s", named, fault);
    if (*p->client_secret && *p->client_secret_path)
        fail(arg, key ? key : "oidc.client_secret", "%sclient_secret and %sclient_secret_path cannot both be set", name,
             name);
    if (*p->issuer && !*p->client_id)
        fail(arg, key ? key : "oidc.issuer", "%sclient_id is required when %sissuer is set", name, name);
    if (*p->issuer && !*p->client_secret && !*p->client_secret_path)
        fail(arg, key ? key : "oidc.issuer", "%sclient_secret or %sclient_secret_path is required when %sissuer is set",
             name, name, name);
    if (*p->issuer && !strs_has(&p->scope, "openid"))
        fail(arg, key ? key : "oidc.scope", "%sscope must hold openid", name);
    if (p->refresh_interval && p->refresh_interval < 10 * NS_PER_SECOND)
        fail(arg, key ? key : "oidc.refresh_interval", "%srefresh_interval must be at least 10s, or 0", name);
    if (str_starts(p->issuer, "http://"))
        note(c, "%sissuer is plain http: whoever is between this server and the provider can log in as anybody", name);
    if (p->use_expiry_from_token)
        note(c, "%suse_expiry_from_token: logins end with the provider's tokens, often after some minutes", name);
    if (*p->issuer && (str_eq(p->subject_claim, "email") || str_eq(p->subject_claim, "upn") ||
                       str_eq(p->subject_claim, "preferred_username")))
        note(c, "%ssubject_claim %s: who is given a name that somebody else had is that user", name, p->subject_claim);
    if (config_provider(c, 1) && *p->issuer && !p->allowed_domains.len && !p->allowed_users.len)
        note(c, "%sallowed_domains is empty: of several providers, this one may vouch for mail addresses of any domain",
             name);
    free(name);
    free(named);
}

static void rule_oidc(struct config *c, rule_fail fail, void *arg)
{
    const struct config_provider *p;

    if (!*c->oidc.flat.issuer && *c->oidc.flat.client_secret && *c->oidc.flat.client_secret_path)
        fail(arg, "oidc.client_secret", "oidc.client_secret and oidc.client_secret_path cannot both be set");
    if (c->oidc.providers.len > PROVIDERS_MAX)
        fail(arg, "oidc.providers", "oidc.providers: %zu providers are more than %d", c->oidc.providers.len,
             PROVIDERS_MAX);
    for (size_t i = 0; (p = config_provider(c, i)); i++)
        rule_provider(c, p, fail, arg);
}

bool config_is_postgres(const struct config *c)
{
    return strcasecmp(c->database.type, "postgres") == 0;
}

const char *config_sslmode(const struct config *c)
{
    const char *ssl = c->database.postgres.ssl;

    if (!*ssl || strcasecmp(ssl, "false") == 0 || str_eq(ssl, "0"))
        return "disable";
    return strcasecmp(ssl, "true") == 0 || str_eq(ssl, "1") ? "" : ssl;
}

static void rule_postgres(struct config *c, rule_fail fail, void *arg)
{
    static const char *const modes[] = {"", "disable", "allow", "prefer", "require", "verify-ca", "verify-full", NULL};
    const char *mode = config_sslmode(c);
    size_t i = 0;

    while (modes[i] && !str_eq(modes[i], mode))
        i++;
    if (!modes[i])
        fail(arg, "database.postgres.ssl",
             "database.postgres.ssl: '%.40s' is none of true, false, disable, allow, prefer, require, verify-ca, "
             "verify-full",
             c->database.postgres.ssl);
    if (c->database.postgres.max_open_conns < 3)
        fail(arg, "database.postgres.max_open_conns", "database.postgres.max_open_conns: headway needs at least 3");
}

static void rule_database(struct config *c, rule_fail fail, void *arg)
{
    if (config_is_postgres(c))
        rule_postgres(c, fail, arg);
    if (!c->database.write_ahead_log)
        note(c, "database.sqlite.write_ahead_log: false has no effect: the write-ahead log is always used");
}

void rules_apply(struct config *c, rule_fail fail, void *arg)
{
    static void (*const rules[])(struct config *, rule_fail, void *) = {
        rule_dns,   rule_url,  rule_prefixes, rule_tls,    rule_acme, rule_listen,
        rule_files, rule_derp, rule_times,    rule_probes, rule_oidc, rule_database};

    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        rules[i](c, fail, arg);
    if (!config_given(c, "server_url"))
        note(c, "server_url is not set: clients will use %s", c->server_url);
}

/* ---- what a start would stumble over ---- */

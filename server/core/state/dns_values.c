/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/state/dns_values.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"

#define SERVERS_MAX 64    /* per list */
#define DOMAINS_MAX 256   /* with servers of their own, or to search */
#define BYTES_MAX   32768 /* per member: every client is sent all of it */

static void add_split(const struct config_split *s, struct strs *out)
{
    struct buf entry = BUF_INIT(0);

    buf_adds(&entry, s->domain);
    for (size_t i = 0; i < s->servers.len; i++)
        buf_addf(&entry, " %s", s->servers.items[i]);
    strs_push(out, buf_text(&entry));
    buf_release(&entry);
}

void core_dns_values(const struct config *c, const struct dns_settings *own, struct dns_values *out)
{
    strs_copy(&out->nameservers, &c->dns.global);
    strs_copy(&out->search, &c->dns.search_domains);
    strs_release(&out->split);
    for (size_t i = 0; i < c->dns.split.len; i++)
        add_split(&c->dns.split.items[i], &out->split);
    out->magic_dns = c->dns.magic_dns;
    out->override_local = config_overrides_dns(c);
    if (own)
        dns_values_apply(out, &own->values, own->set);
    out->magic_dns = out->magic_dns && *c->dns.base_domain;
    out->override_local = out->override_local && out->nameservers.len;
}

static int check_size(const struct strs *list, size_t max, const char *field, struct err *e)
{
    size_t bytes = 0;

    for (size_t i = 0; i < list->len; i++)
        bytes += strlen(list->items[i]);
    if (list->len > max)
        return err_field(e, ERR_INVALID, field, "%s has %zu entries, more than %zu", field, list->len, max);
    if (bytes > BYTES_MAX)
        return err_field(e, ERR_INVALID, field, "%s is longer than %d bytes", field, BYTES_MAX);
    return 0;
}

static int check_server(const char *text, const char *field, struct err *e)
{
    return config_is_nameserver(text)
               ? 0
               : err_field(e, ERR_INVALID, field, "%s: '%.60s' is not an address or an https URL", field, text);
}

static int check_domain(const char *text, const char *field, struct err *e)
{
    return config_is_domain(text) ? 0
                                  : err_field(e, ERR_INVALID, field, "%s: '%.60s' is not a domain name", field, text);
}

/* All are right, and none is there twice. */
static int check_each(const struct strs *list, int (*check)(const char *text, const char *field, struct err *e),
                      const char *field, struct err *e)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < list->len; i++) {
        rc = check(list->items[i], field, e);
        for (size_t k = 0; rc == 0 && k < i; k++)
            if (str_eq(list->items[k], list->items[i]))
                rc = err_field(e, ERR_INVALID, field, "%s names %.60s twice", field, list->items[i]);
    }
    return rc;
}

static bool is_domain_of(const char *entry, const char *domain)
{
    size_t len = strlen(domain);

    return strncmp(entry, domain, len) == 0 && (entry[len] == ' ' || !entry[len]);
}

static int check_entry(const struct strs *split, size_t at, struct err *e)
{
    const char *rest = split->items[at];
    char *domain = dns_split_word(&rest), *server = NULL;
    int rc = check_domain(domain ? domain : "", "splitDNS", e);
    struct strs servers = {0};

    for (size_t i = 0; rc == 0 && i < at; i++)
        if (is_domain_of(split->items[i], domain))
            rc = err_field(e, ERR_INVALID, "splitDNS", "splitDNS names %.60s twice", domain);
    while ((server = dns_split_word(&rest))) {
        strs_push(&servers, server);
        free(server);
    }
    if (rc == 0 && servers.len > SERVERS_MAX)
        rc = err_field(e, ERR_INVALID, "splitDNS", "splitDNS: %.60s has more than %d servers", domain, SERVERS_MAX);
    if (rc == 0)
        rc = check_each(&servers, check_server, "splitDNS", e);
    strs_release(&servers);
    free(domain);
    return rc;
}

int dns_check(const struct config *c, const struct dns_values *v, unsigned which, const struct dns_values *effective,
              struct err *e)
{
    int rc = 0;

    if (which & DNS_NAMESERVERS)
        rc = check_size(&v->nameservers, SERVERS_MAX, "nameservers", e);
    if (rc == 0 && which & DNS_NAMESERVERS)
        rc = check_each(&v->nameservers, check_server, "nameservers", e);
    if (rc == 0 && which & DNS_SEARCH)
        rc = check_size(&v->search, DOMAINS_MAX, "searchDomains", e);
    if (rc == 0 && which & DNS_SEARCH)
        rc = check_each(&v->search, check_domain, "searchDomains", e);
    if (rc == 0 && which & DNS_SPLIT)
        rc = check_size(&v->split, DOMAINS_MAX, "splitDNS", e);
    for (size_t i = 0; rc == 0 && which & DNS_SPLIT && i < v->split.len; i++)
        rc = check_entry(&v->split, i, e);
    if (rc == 0 && which & DNS_OVERRIDE_LOCAL && v->override_local && !effective->override_local)
        rc = err_field(e, ERR_INVALID, "overrideLocalDNS",
                       "nameservers must be set when overrideLocalDNS is true: there would be none for all names");
    if (rc == 0 && which & DNS_MAGIC && v->magic_dns && !*c->dns.base_domain)
        rc = err_field(e, ERR_INVALID, "magicDNS", "dns.base_domain must be configured when using MagicDNS");
    return rc;
}

void dns_split_change(struct strs *split, const struct strs *changes)
{
    struct strs next = {0};

    for (size_t i = 0; i < split->len; i++) {
        bool changed = false;
        for (size_t k = 0; k < changes->len && !changed; k++) {
            char *domain = mem_strndup(changes->items[k], strcspn(changes->items[k], " "));
            changed = is_domain_of(split->items[i], domain);
            free(domain);
        }
        if (!changed)
            strs_push(&next, split->items[i]);
    }
    for (size_t k = 0; k < changes->len; k++)
        if (strchr(changes->items[k], ' '))
            strs_push(&next, changes->items[k]);
    strs_release(split);
    *split = next;
}

static const struct {
    const char *name, *words; /* in /api/headway, in the journal */
    enum dns_member member;
} members[] = {
    {"magicDNS", "MagicDNS", DNS_MAGIC},
    {"overrideLocalDNS", "override of local DNS", DNS_OVERRIDE_LOCAL},
    {"nameservers", "name servers", DNS_NAMESERVERS},
    {"splitDNS", "split DNS", DNS_SPLIT},
    {"searchDomains", "search domains", DNS_SEARCH},
};

const char *core_dns_member(size_t i, unsigned *member)
{
    if (i >= ARRAY_LEN(members))
        return NULL;
    *member = (unsigned)members[i].member;
    return members[i].name;
}

const char *dns_member_words(size_t i)
{
    return members[i].words;
}

/* ---- as JSON ---- */

static void put_texts(struct json_out *o, const char *name, const struct strs *texts)
{
    json_key(o, name);
    json_open(o, '[');
    for (size_t i = 0; i < texts->len; i++)
        json_str(o, texts->items[i]);
    json_close(o, ']');
}

static void put_members(struct json_out *o, const char *name, unsigned which)
{
    json_key(o, name);
    json_open(o, '[');
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (which & (unsigned)members[i].member)
            json_str(o, members[i].name);
    json_close(o, ']');
}

void core_dns_write(struct json_out *o, const struct core_admin *a)
{
    if (a->given & DNS_MAGIC)
        json_put_bool(o, "magicDNS", a->dns.magic_dns);
    if (a->given & DNS_OVERRIDE_LOCAL)
        json_put_bool(o, "overrideLocalDNS", a->dns.override_local);
    if (a->given & DNS_NAMESERVERS)
        put_texts(o, "nameservers", &a->dns.nameservers);
    if (a->given & DNS_SPLIT) {
        json_key(o, "splitDNS");
        dns_split_write(o, &a->dns.split, json_str);
    }
    if (a->given & DNS_SEARCH)
        put_texts(o, "searchDomains", &a->dns.search);
    if (a->reset)
        put_members(o, "reset", a->reset);
}

void core_dns_image(const struct config *c, const struct dns_settings *own, struct buf *out)
{
    struct core_admin shown = {.given = DNS_MEMBERS};
    struct json_out o = JSON_OUT(out);

    core_dns_values(c, own, &shown.dns);
    json_open(&o, '{');
    core_dns_write(&o, &shown);
    put_members(&o, "set", own ? own->set : 0);
    json_close(&o, '}');
    dns_values_release(&shown.dns);
}

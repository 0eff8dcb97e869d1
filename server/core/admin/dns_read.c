/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads administrators' DNS settings. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/admin/reset.h"
#include "core/state/dns_values.h"

static int get_bool(const json_t *object, const char *name, enum dns_member member, bool *value, struct core_admin *out,
                    struct err *e)
{
    if (json_get_bool(object, name, value, e) < 0)
        return ERR_INVALID;
    if (json_is_boolean(json_object_get(object, name)))
        out->given |= (unsigned)member;
    return 0;
}

static int add_texts(const json_t *list, const char *name, struct strs *out, struct err *e)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text || strlen(text) != json_string_length(json_array_get(list, i)))
            return err_field(e, ERR_INVALID, name, "%s must be a list of texts", name);
        strs_push(out, text);
    }
    return 0;
}

static int get_texts(const json_t *object, const char *name, enum dns_member member, struct strs *texts,
                     struct core_admin *out, struct err *e)
{
    json_t *list = NULL;

    if (json_get_array(object, name, &list, e) < 0)
        return ERR_INVALID;
    if (!list)
        return 0;
    out->given |= (unsigned)member;
    return add_texts(list, name, texts, e);
}

/* In the form of the configuration: lower case, without the root's dot. Invalid domains are refused later. */
static void put_domain(struct buf *entry, const char *name)
{
    char *domain = mem_strdup(name);

    if (config_is_domain(domain))
        config_domain_normal(domain);
    buf_adds(entry, domain);
    free(domain);
}

/* Blanks separate the words of an entry. */
static int add_entry(const char *domain, const json_t *servers, const char *name, struct strs *out, struct err *e)
{
    struct buf entry = BUF_INIT(0);
    struct strs texts = {0};
    int rc = json_is_array(servers) || json_is_null(servers)
                 ? add_texts(servers, name, &texts, e)
                 : err_field(e, ERR_INVALID, name, "%s.%.60s must be a list of name servers", name, domain);

    if (rc == 0 && (!*domain || strpbrk(domain, " \t")))
        rc = err_field(e, ERR_INVALID, name, "%s: '%.60s' is not a domain name", name, domain);
    put_domain(&entry, domain);
    for (size_t i = 0; rc == 0 && i < texts.len; i++)
        if (!*texts.items[i] || strpbrk(texts.items[i], " \t"))
            rc = err_field(e, ERR_INVALID, name, "%s.%.60s: '%.60s' is not an address or an https URL", name, domain,
                           texts.items[i]);
        else
            buf_addf(&entry, " %s", texts.items[i]);
    if (rc == 0)
        strs_push(out, buf_text(&entry));
    strs_release(&texts);
    buf_release(&entry);
    return rc;
}

int core_dns_split_read(const json_t *object, const char *name, struct strs *out, struct err *e)
{
    const char *domain;
    json_t *servers;
    int rc = 0;

    if (!json_is_object(object))
        return err_field(e, ERR_INVALID, name, "%s must be an object: name servers by domain", name);
    json_object_foreach((json_t *)(uintptr_t)object, domain, servers)
    {
        if (rc == 0)
            rc = add_entry(domain, servers, name, out, e);
    }
    return rc;
}

static int get_split(const json_t *object, struct core_admin *out, struct err *e)
{
    const json_t *whole = json_object_get(object, "splitDNS"), *some = json_object_get(object, "changeSplitDNS");
    bool has_whole = whole && !json_is_null(whole), has_some = some && !json_is_null(some);

    if (has_whole && has_some)
        return err_field(e, ERR_INVALID, "changeSplitDNS", "splitDNS and changeSplitDNS cannot both be given");
    if (!has_whole && !has_some)
        return 0;
    out->given |= DNS_SPLIT;
    out->flag = has_some;
    return core_dns_split_read(has_some ? some : whole, has_some ? "changeSplitDNS" : "splitDNS", &out->dns.split, e);
}

int core_dns_read(const json_t *object, struct core_admin *out, struct err *e)
{
    int rc = get_bool(object, "magicDNS", DNS_MAGIC, &out->dns.magic_dns, out, e);

    if (rc == 0)
        rc = get_bool(object, "overrideLocalDNS", DNS_OVERRIDE_LOCAL, &out->dns.override_local, out, e);
    if (rc == 0)
        rc = get_texts(object, "nameservers", DNS_NAMESERVERS, &out->dns.nameservers, out, e);
    if (rc == 0)
        rc = get_texts(object, "searchDomains", DNS_SEARCH, &out->dns.search, out, e);
    if (rc == 0)
        rc = get_split(object, out, e);
    return rc == 0 ? admin_get_reset(object, core_dns_member, out, e) : rc;
}

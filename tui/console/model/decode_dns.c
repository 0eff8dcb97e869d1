/* SPDX-License-Identifier: BSD-3-Clause */
/* What clients are told of DNS: a row for each member, and one for each domain of split DNS. */
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/mem.h"
#include "console/model/decode.h"
#include "model/api_health.h"
#include "json/json.h"

static void add(struct model_delta *out, const struct api_dns *d, const struct m_dns *like)
{
    struct m_dns *row = (struct m_dns *)row_dns(like);

    row->order = (unsigned)out->rows.len;
    row->updated_ns = d->updated_ns;
    row->version = d->version;
    vec_push(&out->rows, &row->row);
}

static char *joined(const struct strs *texts)
{
    struct buf b = BUF_INIT(0);

    for (size_t i = 0; i < texts->len; i++)
        buf_addf(&b, "%s%s", i ? " " : "", texts->items[i]);
    return buf_take(&b);
}

static bool is_set(const struct api_dns *d, const char *member)
{
    return strs_has(&d->set, member);
}

static void add_switch(struct model_delta *out, const struct api_dns *d, const char *member, const char *label,
                       bool now, bool configured)
{
    add(out, d,
        &(struct m_dns){.member = member,
                        .label = label,
                        .value = now ? "on" : "off",
                        .configured = configured ? "on" : "off",
                        .set = is_set(d, member)});
}

static void add_texts(struct model_delta *out, const struct api_dns *d, const char *member, const char *label,
                      const struct strs *now, const struct strs *configured)
{
    char *value = joined(now), *was = joined(configured);

    add(out, d,
        &(struct m_dns){.member = member, .label = label, .value = value, .configured = was, .set = is_set(d, member)});
    free(value);
    free(was);
}

/* ---- split DNS: its names are not safe to print yet ---- */

static char *safe_names(const json_t *split)
{
    struct buf b = BUF_INIT(0);
    const char *domain;
    json_t *servers;

    json_object_foreach((json_t *)(uintptr_t)split, domain, servers)
    {
        if (b.len)
            buf_addc(&b, ' ');
        str_safe(&b, domain, strlen(domain));
    }
    return buf_take(&b);
}

static char *safe_servers(const json_t *servers)
{
    struct buf b = BUF_INIT(0);
    const json_t *server;
    size_t i;

    json_array_foreach(servers, i, server)
    {
        const char *text = json_is_string(server) ? json_string_value(server) : "?";

        if (i)
            buf_addc(&b, ' ');
        str_safe(&b, text, strlen(text));
    }
    return buf_take(&b);
}

static void add_domain(struct model_delta *out, const struct api_dns *d, const char *domain, const json_t *servers,
                       const json_t *configured)
{
    struct buf name = BUF_INIT(0);
    char *value = safe_servers(servers), *was = configured ? safe_servers(configured) : NULL;

    str_safe(&name, domain, strlen(domain));
    add(out, d,
        &(struct m_dns){.member = "splitDNS",
                        .label = "split DNS",
                        .domain = name.data,
                        .value = value,
                        .configured = was,
                        .set = is_set(d, "splitDNS")});
    buf_release(&name);
    free(value);
    free(was);
}

static void add_split(struct model_delta *out, const struct api_dns *d, const json_t *now, const json_t *configured)
{
    char *names = safe_names(now), *was = safe_names(configured);
    const char *domain;
    json_t *servers;

    add(out, d,
        &(struct m_dns){.member = "splitDNS",
                        .label = "split DNS",
                        .value = names,
                        .configured = was,
                        .set = is_set(d, "splitDNS")});
    json_object_foreach((json_t *)(uintptr_t)now, domain, servers)
    {
        if (*domain)
            add_domain(out, d, domain, servers, json_object_get(configured, domain));
    }
    free(names);
    free(was);
}

static void add_fixed(struct model_delta *out, const struct api_dns *d)
{
    char records[64];

    add(out, d,
        &(struct m_dns){.member = "baseDomain",
                        .label = "base domain",
                        .value = d->base_domain,
                        .configured = d->base_domain,
                        .fixed = true});
    snprintf(records, sizeof(records), "%llu record%s", (unsigned long long)d->extra_records,
             d->extra_records == 1 ? "" : "s");
    char *value = *d->extra_records_path ? mem_format("the file %s", d->extra_records_path)
                                         : mem_strdup(d->extra_records ? records : "");
    add(out, d,
        &(struct m_dns){
            .member = "extraRecords", .label = "extra records", .value = value, .configured = value, .fixed = true});
    free(value);
}

int decode_dns(const json_t *root, struct model_delta *out, struct err *e)
{
    struct api_dns d;

    *out = (struct model_delta){0};
    if (api_read(&api_dns_shape, root, &d, API_FOR_TERMINAL, e) < 0)
        return ERR_INVALID;
    add_switch(out, &d, "magicDNS", "MagicDNS", d.now.magic_dns, d.configured.magic_dns);
    add_switch(out, &d, "overrideLocalDNS", "override local DNS", d.now.override_local, d.configured.override_local);
    add_texts(out, &d, "nameservers", "name servers", &d.now.nameservers, &d.configured.nameservers);
    add_texts(out, &d, "searchDomains", "search domains", &d.now.search, &d.configured.search);
    add_split(out, &d, json_object_get(root, "splitDNS"),
              json_object_get(json_object_get(root, "configured"), "splitDNS"));
    add_fixed(out, &d);
    api_release(&api_dns_shape, &d);
    out->whole = 1U << ROW_DNS;
    return 0;
}

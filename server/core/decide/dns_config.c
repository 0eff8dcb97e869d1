/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of tailcfg.DNSConfig that is the same for all nodes. */
#include "core/decide/dns_config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/mem.h"
#include "json/json.h"

/* Clients ask for names in lower case and compare byte by byte. */
static char *lower(const char *name)
{
    char *text = mem_strdup(name);

    for (char *c = text; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return text;
}

static void put_list(struct json_out *o, const char *key, const struct strs *servers)
{
    json_key(o, key);
    json_open(o, '[');
    for (size_t i = 0; i < servers->len; i++) {
        json_open(o, '{');
        json_put_str(o, "Addr", servers->items[i]);
        json_close(o, '}');
    }
    json_close(o, ']');
}

/* Clients answer the reverse zones of the address prefixes themselves: sent as an empty list, not null, which a client
 * would lose when it copies its configuration (tailcfg.DNSConfig.Routes). */
static void put_reverse_v4(struct json_out *o, const struct prefix *p)
{
    unsigned whole = (p->bits + 7U) / 8U;
    char zone[64];

    if (!p->addr.bits || whole == 0 || whole > 3)
        return;
    unsigned free_bits = whole * 8U - p->bits, last = p->addr.bytes[whole - 1];
    for (unsigned i = 0; i < 1U << free_bits; i++) {
        size_t n = (size_t)snprintf(zone, sizeof(zone), "%u.", last + i);
        for (unsigned k = whole - 1; k-- > 0;)
            n += (size_t)snprintf(zone + n, sizeof(zone) - n, "%u.", p->addr.bytes[k]);
        snprintf(zone + n, sizeof(zone) - n, "in-addr.arpa");
        json_key(o, zone);
        json_raw(o, "[]", 2);
    }
}

static void put_reverse_v6(struct json_out *o, const struct prefix *p)
{
    struct buf zone = BUF_INIT(256);

    if (!p->addr.bits || p->bits % 4 != 0)
        return;
    for (unsigned nibble = p->bits / 4U; nibble-- > 0;)
        buf_addf(&zone, "%x.", p->addr.bytes[nibble / 2] >> (nibble % 2 ? 0 : 4) & 15);
    buf_adds(&zone, "ip6.arpa");
    json_key(o, buf_text(&zone));
    json_raw(o, "[]", 2);
    buf_release(&zone);
}

/* ---- records ---- */

/* "DB.lab.test." becomes db.lab.test. */
static char *record_name(const char *name)
{
    char *text = lower(name);
    size_t len = strlen(text);

    if (len > 1 && text[len - 1] == '.')
        text[len - 1] = '\0';
    return text;
}

static void put_record(struct json_out *o, const char *name, const char *type, const char *value)
{
    char *text = record_name(name);

    json_open(o, '{');
    json_put_str(o, "Name", text);
    json_put_str(o, "Type", type);
    json_put_str(o, "Value", value);
    json_close(o, '}');
    free(text);
}

static bool is_within(const char *name, const char *domain)
{
    size_t n = strlen(name), d = strlen(domain);

    return d > 0 && n >= d && strcasecmp(name + n - d, domain) == 0 && (n == d || name[n - d - 1] == '.');
}

/* Whether another setting routes queries for the name to the client's resolver. */
static bool is_routed(const struct config *c, const struct dns_values *v, const char *name)
{
    bool routed = v->override_local || (v->magic_dns && is_within(name, c->dns.base_domain));

    for (size_t i = 0; i < v->split.len && !routed; i++) {
        const char *rest = v->split.items[i];
        char *domain = dns_split_word(&rest);
        routed = domain && is_within(name, domain);
        free(domain);
    }
    return routed;
}

static void put_route(struct json_out *o, const struct config *c, const struct dns_values *v, const char *name,
                      struct strs *done)
{
    char *text = record_name(name);

    if (!is_routed(c, v, text) && !strs_has(done, text)) {
        strs_push(done, text);
        json_key(o, text);
        json_raw(o, "[]", 2);
    }
    free(text);
}

/* If the client's system sends it only some domains, a record's name must be among them: with an empty list of servers
 * the client answers itself (ipn/ipnlocal/dns.go, dnsConfigForNetmap). */
static void put_record_routes(struct json_out *o, const struct config *c, const struct dns_values *v,
                              const json_t *records)
{
    struct strs done = {0};
    const json_t *record;
    size_t i;

    for (i = 0; i < c->dns.extra_records.len; i++)
        put_route(o, c, v, c->dns.extra_records.items[i].name, &done);
    json_array_foreach(records, i, record)
        put_route(o, c, v, json_string_value(json_object_get(record, "Name")), &done);
    strs_release(&done);
}

static void put_records(struct json_out *o, const struct config *c, const json_t *records)
{
    const json_t *record;
    size_t i;

    if (!c->dns.extra_records.len && !records)
        return;
    json_key(o, "ExtraRecords");
    json_open(o, '[');
    for (i = 0; i < c->dns.extra_records.len; i++) {
        const struct config_record *r = &c->dns.extra_records.items[i];
        put_record(o, r->name, r->type, r->value);
    }
    json_array_foreach(records, i, record) put_record(o, json_string_value(json_object_get(record, "Name")),
                                                      json_string_value(json_object_get(record, "Type")),
                                                      json_string_value(json_object_get(record, "Value")));
    json_close(o, ']');
}

static void put_domains(struct json_out *o, const struct config *c, const struct dns_values *v)
{
    json_key(o, "Domains");
    json_open(o, '[');
    for (size_t i = 0; i <= v->search.len; i++) {
        char *domain = lower(i ? v->search.items[i - 1] : c->dns.base_domain);
        if (*domain)
            json_str(o, domain);
        free(domain);
    }
    json_close(o, ']');
}

/* An entry of dns_values.split. */
static void put_split(struct json_out *o, const char *entry)
{
    char *word = dns_split_word(&entry), *domain = lower(word ? word : "");
    struct strs servers = {0};

    free(word);
    while ((word = dns_split_word(&entry))) {
        strs_push(&servers, word);
        free(word);
    }
    put_list(o, domain, &servers);
    strs_release(&servers);
    free(domain);
}

char *dns_config_json(const struct config *c, const struct dns_values *v, const char *records)
{
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);
    json_t *list = NULL;

    if (records && !c->dns.extra_records.len &&
        json_read_large(records, strlen(records), strlen(records), "records", &list, NULL) < 0)
        list = NULL; /* extra_records_parse made it, so it is valid */
    json_open(&o, '{');
    if (v->nameservers.len)
        put_list(&o, v->override_local ? "Resolvers" : "FallbackResolvers", &v->nameservers);
    json_key(&o, "Routes");
    json_open(&o, '{');
    for (size_t i = 0; i < v->split.len; i++)
        put_split(&o, v->split.items[i]);
    if (v->magic_dns) {
        put_reverse_v4(&o, &c->prefixes.v4);
        put_reverse_v6(&o, &c->prefixes.v6);
    }
    put_record_routes(&o, c, v, list);
    json_close(&o, '}');
    put_domains(&o, c, v);
    if (v->magic_dns)
        json_put_bool(&o, "Proxied", true);
    put_records(&o, c, list);
    json_close(&o, '}');
    json_decref(list);
    return buf_take(&b);
}

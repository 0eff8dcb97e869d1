/* SPDX-License-Identifier: BSD-3-Clause */
/* A node's own DNS configuration. NextDNS resolvers are told the asking device and its profile (node attributes
 * "nextdns:PROFILE" and "nextdns:no-device-info"), as in headscale: hscontrol/mapper/mapper.go, generateDNSConfig. */
#include "netmap/dns.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/array.h"
#include "netmap/connectors.h"

#define NEXTDNS     "https://dns.nextdns.io"
#define ATTRIBUTE   "nextdns:"
#define NO_DEVICE   "no-device-info"
#define PROFILE_MAX 64

bool dns_is_own(const struct netmap_access *a)
{
    return connectors_exist(a) || strstr(a->snapshot->settings->dns_json, NEXTDNS) != NULL;
}

static bool is_nextdns(const char *address)
{
    char after;

    if (!str_starts(address, NEXTDNS))
        return false;
    after = address[sizeof(NEXTDNS) - 1];
    return after == '\0' || after == '/' || after == '?';
}

static bool is_profile(const char *text)
{
    size_t len = strlen(text);

    for (const char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
            return false;
    return len > 0 && len <= PROFILE_MAX && !str_eq(text, NO_DEVICE);
}

struct device {
    char profile[PROFILE_MAX + 1]; /* "": the resolver's own */
    bool shown;
    const struct tailnet_node *node;
};

/* Attributes are sorted: of several profiles the first one applies. */
static void read_attributes(const struct netmap_access *a, const struct tailnet_node *node, struct device *d)
{
    struct strs attrs = {0};

    *d = (struct device){.shown = true, .node = node};
    if (a->view)
        policy_attrs(a->view, node->slot, &attrs);
    for (size_t i = 0; i < attrs.len; i++) {
        const char *value = attrs.items[i] + sizeof(ATTRIBUTE) - 1;
        if (!str_starts(attrs.items[i], ATTRIBUTE))
            continue;
        if (str_eq(value, NO_DEVICE))
            d->shown = false;
        else if (!*d->profile && is_profile(value))
            str_copy(d->profile, sizeof(d->profile), value);
    }
    strs_release(&attrs);
}

/* Go's url.QueryEscape */
static void add_escaped(struct buf *out, const char *text)
{
    for (const char *c = text; *c; c++)
        if (isalnum((unsigned char)*c) || strchr("-_.~", *c))
            buf_addc(out, *c);
        else if (*c == ' ')
            buf_addc(out, '+');
        else
            buf_addf(out, "%%%02X", (unsigned char)*c);
}

static void add_pair(struct strs *pairs, const char *name, const char *value)
{
    struct buf b = BUF_INIT(0);

    buf_addf(&b, "%s=", name);
    add_escaped(&b, value);
    strs_push(pairs, buf_text(&b));
    buf_release(&b);
}

/* The parameters already in the address, except those about the device. */
static void add_present(struct strs *pairs, const char *query)
{
    static const char *const own[] = {"device_ip=", "device_model=", "device_name="};

    while (*query) {
        size_t len = strcspn(query, "&");
        bool replaced = len == 0;
        for (size_t i = 0; i < ARRAY_LEN(own); i++)
            replaced = replaced || strncmp(query, own[i], strlen(own[i])) == 0;
        if (!replaced) {
            char *pair = mem_strndup(query, len);
            strs_push(pairs, pair);
            free(pair);
        }
        query += len + (query[len] == '&');
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_device(struct buf *address, const char *query, const struct device *d)
{
    const struct node *n = d->node->record;
    char ip[PREFIX_TEXT_MAX];
    struct strs pairs = {0};

    add_present(&pairs, query);
    if (n->ipv4.bits || n->ipv6.bits)
        add_pair(&pairs, "device_ip", addr_format(n->ipv4.bits ? &n->ipv4 : &n->ipv6, ip));
    add_pair(&pairs, "device_model", n->os);
    add_pair(&pairs, "device_name", n->hostname);
    qsort(pairs.items, pairs.len, sizeof(*pairs.items), by_text);
    for (size_t i = 0; i < pairs.len; i++)
        buf_addf(address, "%c%s", i ? '&' : '?', pairs.items[i]);
    strs_release(&pairs);
}

static void rewrite(json_t *resolver, const struct device *d)
{
    const char *address = json_string_value(json_object_get(resolver, "Addr")), *query;
    struct buf b = BUF_INIT(0);

    if (!address || !is_nextdns(address))
        return;
    query = strchr(address, '?');
    if (*d->profile)
        buf_addf(&b, "%s/%s", NEXTDNS, d->profile);
    else
        buf_add(&b, address, query ? (size_t)(query - address) : strlen(address));
    query = query && !*d->profile ? query + 1 : "";
    if (d->shown)
        add_device(&b, query, d);
    else if (*query)
        buf_addf(&b, "?%s", query);
    json_object_set_new(resolver, "Addr", json_string(buf_text(&b)));
    buf_release(&b);
}

static void rewrite_list(json_t *list, const struct device *d)
{
    json_t *resolver;
    size_t i;

    json_array_foreach(list, i, resolver) rewrite(resolver, d);
}

static void add_connectors(const struct netmap_access *a, const struct tailnet_node *node, json_t *config)
{
    json_t *routes = json_object_get(config, "Routes");

    if (!connectors_exist(a))
        return;
    if (!json_is_object(routes))
        json_object_set_new(config, "Routes", routes = json_object());
    connectors_add_routes(a, node, routes);
    if (!json_object_size(routes))
        json_object_del(config, "Routes");
}

void dns_put_own(struct json_out *o, const struct netmap_access *a, const struct tailnet_node *node)
{
    const char *text = a->snapshot->settings->dns_json, *domain;
    json_t *config = NULL, *list;
    struct device d;

    json_key(o, "DNSConfig");
    if (json_read_large(text, strlen(text), strlen(text), "DNS configuration", &config, NULL) < 0) {
        json_raw(o, text, strlen(text));
        return;
    }
    read_attributes(a, node, &d);
    rewrite_list(json_object_get(config, "Resolvers"), &d);
    rewrite_list(json_object_get(config, "FallbackResolvers"), &d);
    json_object_foreach(json_object_get(config, "Routes"), domain, list) rewrite_list(list, &d);
    add_connectors(a, node, config);
    char *own = json_compact(config);
    json_raw(o, own, strlen(own));
    free(own);
    json_decref(config);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What comes from the configuration and is the same for everybody. */
#include <stdio.h>

#include "core/decide/settings.h"
#include "core/state/journal.h"
#include "core/state/slots.h"
#include "core/state/state.h"
#include "json/json.h"

static void put_resolvers(struct json_out *o, const char *key, const struct strs *servers)
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

/* Reverse zones of the address prefixes are answered by the client itself: an empty list, not null, which a client
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

static char *dns_json(const struct config *c, const char *records)
{
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);

    json_open(&o, '{');
    if (c->dns.global.len)
        put_resolvers(&o, c->dns.override_local_dns ? "Resolvers" : "FallbackResolvers", &c->dns.global);
    json_key(&o, "Routes");
    json_open(&o, '{');
    for (size_t i = 0; i < c->dns.split.len; i++)
        put_resolvers(&o, c->dns.split.items[i].domain, &c->dns.split.items[i].servers);
    if (c->dns.magic_dns) {
        put_reverse_v4(&o, &c->prefixes.v4);
        put_reverse_v6(&o, &c->prefixes.v6);
    }
    json_close(&o, '}');
    json_key(&o, "Domains");
    json_open(&o, '[');
    if (*c->dns.base_domain)
        json_str(&o, c->dns.base_domain);
    for (size_t i = 0; i < c->dns.search_domains.len; i++)
        json_str(&o, c->dns.search_domains.items[i]);
    json_close(&o, ']');
    if (c->dns.magic_dns)
        json_put_bool(&o, "Proxied", true);
    if (c->dns.extra_records.len) {
        json_key(&o, "ExtraRecords");
        json_open(&o, '[');
        for (size_t i = 0; i < c->dns.extra_records.len; i++) {
            const struct config_record *r = &c->dns.extra_records.items[i];
            json_open(&o, '{');
            json_put_str(&o, "Name", r->name);
            json_put_str(&o, "Type", r->type);
            json_put_str(&o, "Value", r->value);
            json_close(&o, '}');
        }
        json_close(&o, ']');
    } else if (records) {
        json_key(&o, "ExtraRecords");
        json_raw(&o, records, strlen(records));
    }
    json_close(&o, '}');
    return buf_take(&b);
}

static char *host_of(const char *url)
{
    const char *start = strstr(url, "://");

    start = start ? start + 3 : url;
    size_t len = *start == '[' ? strcspn(start, "]") + 1 : strcspn(start, ":/");
    return mem_strndup(start, len);
}

void settings_from_config(struct core_state *s)
{
    struct tailnet_settings *old = s->settings, *t = old ? settings_edit(old) : settings_new();
    const struct config *c = s->config;

    mem_replace(&t->server_url, c->server_url);
    free(t->domain);
    t->domain = host_of(c->server_url);
    mem_replace(&t->base_domain, c->dns.base_domain);
    free(t->dns_json);
    t->dns_json = dns_json(c, s->records);
    t->taildrop = c->taildrop;
    t->randomize_client_port = c->randomize_client_port;
    t->logtail = c->logtail;
    t->auto_update = c->auto_update;
    t->strict_relay = !c->derp.server.legacy_clients;
    if (!old || old->strict_relay != t->strict_relay)
        s->tailnet_dirty |= CHANGE_DERP;
    if (!old || !str_eq(old->dns_json, t->dns_json) || !str_eq(old->domain, t->domain) || old->logtail != t->logtail)
        s->tailnet_dirty |= CHANGE_DNS;
    if (old && (!str_eq(old->server_url, t->server_url) || old->taildrop != t->taildrop ||
                old->randomize_client_port != t->randomize_client_port || old->auto_update != t->auto_update))
        s->tailnet_dirty |= CHANGE_POLICY; /* what each node is told of itself */
    for (size_t i = 0; old && i < s->slots.len && !str_eq(old->base_domain, t->base_domain); i++)
        if (s->slots.items[i]->published)
            slot_mark(s, s->slots.items[i], CHANGE_WHOLE | CHANGE_SELF); /* it has another name */
    settings_unref(old);
    s->settings = t;
}

void settings_reload(struct core_state *s, const struct config *config)
{
    const struct config *old = s->config;

    s->config = config_ref(config);
    settings_from_config(s);
    config_unref(old);
    journal(s, &(struct event_note){.id = EVENT_CONFIG_RELOADED, .actor = "server", .object = "server"},
            "The configuration was read again");
}

void settings_set_derp(struct core_state *s, const char *json)
{
    if (str_eq(s->settings->derp_json, json))
        return;
    mem_replace(&s->settings->derp_json, json);
    s->tailnet_dirty |= CHANGE_DERP;
}

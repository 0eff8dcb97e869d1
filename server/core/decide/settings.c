/* SPDX-License-Identifier: BSD-3-Clause */
/* Settings from the configuration, or set in its place, that are the same for everyone. */
#include "core/decide/settings.h"
#include "core/decide/dns_config.h"
#include "core/state/journal.h"
#include "core/state/prefixes.h"
#include "core/state/slots.h"
#include "core/state/state.h"

static char *host_of(const char *url)
{
    const char *start = strstr(url, "://");

    start = start ? start + 3 : url;
    size_t len = *start == '[' ? strcspn(start, "]") + 1 : strcspn(start, ":/");
    return mem_strndup(start, len);
}

/* The configuration was checked: each can be parsed. */
static void set_probes(struct tailnet_settings *t, const struct config_pairs *targets)
{
    free(t->probes);
    t->probes = targets->len ? mem_alloc(targets->len * sizeof(*t->probes)) : NULL;
    t->probe_count = 0;
    for (size_t i = 0; i < targets->len; i++) {
        struct probe_target *p = &t->probes[t->probe_count];
        if (prefix_parse_route(targets->items[i].name, &p->prefix, NULL) == 0 &&
            addr_parse(targets->items[i].value, &p->target, NULL) == 0)
            t->probe_count++;
    }
}

static void set_dns(struct core_state *s, struct tailnet_settings *t)
{
    struct dns_values values = {0};

    core_dns_values(s->config, s->dns_published, &values);
    t->dns_json = dns_config_json(s->config, &values, s->records);
    record_unref(t->dns_own);
    t->dns_own = record_ref(s->dns_published);
    dns_values_release(&values);
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
    set_dns(s, t);
    t->taildrop = c->taildrop;
    t->randomize_client_port = c->randomize_client_port;
    t->logtail = c->logtail;
    t->auto_update = c->auto_update;
    t->routing = prefix_rule_configured(c);
    set_probes(t, &c->node.probe.targets);
    s->settings_dirty = true;
    t->strict_relay = !c->derp.server.legacy_clients;
    if (!old || old->strict_relay != t->strict_relay)
        s->tailnet_dirty |= CHANGE_DERP;
    if (!old || !str_eq(old->dns_json, t->dns_json) || !str_eq(old->domain, t->domain) || old->logtail != t->logtail)
        s->tailnet_dirty |= CHANGE_DNS;
    if (old && (!str_eq(old->server_url, t->server_url) || old->taildrop != t->taildrop ||
                old->randomize_client_port != t->randomize_client_port || old->auto_update != t->auto_update))
        s->tailnet_dirty |= CHANGE_POLICY; /* part of what each node is sent about itself */
    for (size_t i = 0; old && i < s->slots.len && !str_eq(old->base_domain, t->base_domain); i++)
        if (s->slots.items[i]->published)
            slot_mark(s, s->slots.items[i], CHANGE_WHOLE | CHANGE_SELF); /* its name has changed */
    settings_unref(old);
    s->settings = t;
}

void settings_reload(struct core_state *s, const struct config *config)
{
    const struct config *old = s->config;

    s->config = config_ref(config);
    settings_from_config(s);
    prefix_settings_reload(s);
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

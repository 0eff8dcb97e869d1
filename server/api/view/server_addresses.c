/* SPDX-License-Identifier: BSD-3-Clause */
/* The addresses at which clients find this server and its relay: what the host of server_url resolves to, and those
 * that derp.server names. */
#include "api/view/server_addresses.h"

#include <netdb.h>
#include <stdlib.h>

#include "net/sockaddr.h"

#define KEPT_MS (10 * 60 * 1000)

static void add(struct server_addresses *out, const struct addr *a)
{
    if (!a->bits || addr_is_loopback(a) || out->len == ARRAY_LEN(out->items))
        return;
    for (size_t i = 0; i < out->len; i++)
        if (addr_eq(&out->items[i], a))
            return;
    out->items[out->len++] = *a;
}

static void add_text(struct server_addresses *out, const char *text)
{
    struct addr a;

    if (text && addr_parse(text, &a, NULL) == 0)
        add(out, &a);
}

static void resolve(struct server_addresses *out, const char *host)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;

    if (getaddrinfo(host, NULL, &hints, &found) != 0)
        return;
    for (const struct addrinfo *at = found; at; at = at->ai_next) {
        union address from = {0};
        struct addr_port a = {0};
        if (at->ai_addrlen > sizeof(from))
            continue;
        memcpy(&from, at->ai_addr, at->ai_addrlen);
        from_sockaddr(&from, &a);
        add(out, &a.addr);
    }
    freeaddrinfo(found);
}

/* "[2001:db8::1]" without its brackets; caller frees. */
static char *bare_host(const char *domain)
{
    return *domain == '[' ? mem_strndup(domain + 1, strcspn(domain + 1, "]")) : mem_strdup(domain);
}

static void put_configured(struct api *api, struct server_addresses *out)
{
    const struct config *c = api_config(api);

    if (c->derp.server.enabled) {
        add_text(out, c->derp.server.ipv4);
        add_text(out, c->derp.server.ipv6);
    }
    config_unref(c);
}

void server_addresses_get(struct api *api, const struct tailnet_snapshot *s, bool may_wait,
                          struct server_addresses *out)
{
    int64_t now = clock_mono_ms();
    char *host = bare_host(s->settings ? s->settings->domain : "");

    pthread_mutex_lock(&api->lock);
    bool known = api->resolved.host && str_eq(api->resolved.host, host) && now - api->resolved.at_ms < KEPT_MS;
    *out = api->resolved.addresses;
    pthread_mutex_unlock(&api->lock);
    if (!known) {
        *out = (struct server_addresses){0};
        add_text(out, host);
        if (may_wait && !out->len && *host)
            resolve(out, host);
    }
    if (!known && may_wait) {
        pthread_mutex_lock(&api->lock);
        mem_replace(&api->resolved.host, host);
        api->resolved.addresses = *out;
        api->resolved.at_ms = now;
        pthread_mutex_unlock(&api->lock);
    }
    put_configured(api, out);
    free(host);
}

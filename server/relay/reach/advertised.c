/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/reach/advertised.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "relay/relay.h"

/* Splits server_url. */
static char *split_url(const char *url, unsigned *port)
{
    const char *start = strstr(url, "://");
    uint64_t number = 0;

    start = start ? start + 3 : url;
    bool bracket = *start == '[';
    size_t len = strcspn(start + bracket, bracket ? "]" : ":/");
    const char *rest = start + bracket + len + (bracket && start[1 + len] == ']');
    if (*rest == ':') {
        char *digits = mem_strndup(rest + 1, strcspn(rest + 1, "/"));
        if (str_u64(digits, 1, 65535, &number, "server_url", NULL) < 0)
            number = 0;
        free(digits);
    }
    *port = number ? (unsigned)number : str_starts(url, "https://") ? 443 : 80;
    return mem_strndup(start + bracket, len);
}

unsigned relay_url_port(const struct config *c)
{
    unsigned port;

    free(split_url(c->server_url, &port));
    return port;
}

void relay_advertised_read(const struct config *c, unsigned listening, struct relay_advertised *out)
{
    bool https = str_starts(c->server_url, "https://"), here = config_serves_tls(c);
    unsigned given = (unsigned)c->derp.server.advertise_port, url_port;
    struct config_listen listen = {0};

    *out = (struct relay_advertised){.host = split_url(c->server_url, &url_port)};
    if (!listening && config_listen_parse(c->derp.server.listen_addr, "derp.server.listen_addr", &listen, NULL) == 0)
        listening = listen.port;
    out->by_proxy = https && !here && (!given || given == url_port);
    out->port = given ? given : out->by_proxy ? url_port : listening;
}

const char *relay_certificate_name(const struct config *c)
{
    return *c->tls_cert_path ? c->tls_cert_path : c->acme.hostname;
}

void relay_advertised_release(struct relay_advertised *a)
{
    free(a->host);
    a->host = NULL;
}

void relay_requirements(const struct config *c, struct strs *out)
{
    struct config_listen stun = {0};
    struct relay_advertised a;

    if (!c->derp.server.enabled || !c->derp.server.automatically_add_embedded_derp_region)
        return;
    relay_advertised_read(c, 0, &a);
    char *text =
        a.by_proxy ? mem_format("clients reach the relay at %s, TCP port %u: the proxy there must pass /derp on, with "
                                "its Upgrade header, as it passes /ts2021",
                                a.host, a.port)
                   : mem_format("clients reach the relay at %s, TCP port %u: it must be open to them", a.host, a.port);
    strs_push(out, text);
    free(text);
    if (config_listen_parse(c->derp.server.stun_listen_addr, "derp.server.stun_listen_addr", &stun, NULL) == 0) {
        text = mem_format("clients find their own address at %s, UDP port %u (STUN): it must be open to them", a.host,
                          (unsigned)stun.port);
        strs_push(out, text);
        free(text);
    }
    relay_advertised_release(&a);
}

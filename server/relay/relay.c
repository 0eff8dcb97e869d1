/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/relay.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "relay/stun.h"
#include "json/json.h"

struct relay {
    struct relay_options options;
    struct stun *stun; /* NULL: off, or the port was taken */
};

/* The host of the server's own URL, without brackets and port. */
static char *own_host(const struct config *c)
{
    const char *start = strstr(c->server_url, "://");

    start = start ? start + 3 : c->server_url;
    if (*start == '[')
        return mem_strndup(start + 1, strcspn(start + 1, "]"));
    return mem_strndup(start, strcspn(start, ":/"));
}

static void tell_map(const struct relay *r, const struct config *c)
{
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);
    char *host = own_host(c), region[24];
    struct addr a;

    json_open(&o, '{');
    json_key(&o, "Regions");
    json_open(&o, '{');
    if (c->derp.server.enabled) {
        snprintf(region, sizeof(region), "%lld", (long long)c->derp.server.region_id);
        json_key(&o, region);
        json_open(&o, '{');
        json_put_i64(&o, "RegionID", c->derp.server.region_id);
        json_put_str(&o, "RegionCode", c->derp.server.region_code);
        json_put_str(&o, "RegionName", c->derp.server.region_name);
        json_key(&o, "Nodes");
        json_open(&o, '[');
        json_open(&o, '{');
        json_put_str(&o, "Name", region);
        json_put_i64(&o, "RegionID", c->derp.server.region_id);
        json_put_str(&o, "HostName", host);
        if (addr_parse(host, &a, NULL) == 0)
            json_put_str(&o, a.bits == 32 ? "IPv4" : "IPv6", host);
        json_put_i64(&o, "STUNPort", r->stun ? (int64_t)stun_port(r->stun) : -1);
        json_close(&o, '}');
        json_close(&o, ']');
        json_close(&o, '}');
    }
    json_close(&o, '}');
    json_close(&o, '}');
    core_set_derp(r->options.core, buf_text(&b));
    buf_release(&b);
    free(host);
}

/* A port that is taken costs the relay, not the daemon: it is said, and clients are told the truth. */
static void start_stun(struct relay *r, const struct config *c)
{
    struct err e = {0};

    if (!c->derp.server.enabled)
        return;
    r->stun = stun_new(loops_at(r->options.loops, 0), c->derp.server.stun_listen_addr, &e);
    if (!r->stun)
        log_error("relay", "no STUN: %s", e.message);
}

int relay_start(const struct relay_options *options, struct relay **out, struct err *e)
{
    struct relay *r = mem_alloc(sizeof(*r));

    (void)e;
    r->options = *options;
    start_stun(r, options->config);
    tell_map(r, options->config);
    *out = r;
    return 0;
}

void relay_reload(struct relay *r, const struct config *config)
{
    tell_map(r, config);
}

void relay_stop(struct relay *r)
{
    if (!r)
        return;
    stun_free(r->stun);
    free(r);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/relay.h"

#include <stdlib.h>

#include "base/mem.h"
#include "json/json.h"

struct relay {
    struct relay_options options;
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

static void tell_map(const struct config *c, struct core *core)
{
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);
    struct config_listen stun = {.port = 3478};
    char *host = own_host(c), region[24];
    struct addr a;

    if (config_listen_parse(c->derp.server.stun_listen_addr, "derp.server.stun_listen_addr", &stun, NULL) < 0)
        stun.port = 3478;
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
        json_put_u64(&o, "STUNPort", stun.port);
        json_close(&o, '}');
        json_close(&o, ']');
        json_close(&o, '}');
    }
    json_close(&o, '}');
    json_close(&o, '}');
    core_set_derp(core, buf_text(&b));
    buf_release(&b);
    free(host);
}

int relay_start(const struct relay_options *options, struct relay **out, struct err *e)
{
    struct relay *r = mem_alloc(sizeof(*r));

    (void)e;
    r->options = *options;
    tell_map(options->config, options->core);
    *out = r;
    return 0;
}

void relay_reload(struct relay *r, const struct config *config)
{
    tell_map(config, r->options.core);
}

void relay_stop(struct relay *r)
{
    free(r);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/map.h"

#include <string.h>

#include "base/str.h"
#include "relay/reach/advertised.h"

/* "none" keeps a client from asking DNS for an address of a family that the relay lacks. */
static void put_address(struct json_out *o, const char *key, const char *configured, const char *host, uint8_t bits)
{
    struct addr a;

    if (*configured)
        json_put_str(o, key, configured);
    else if (addr_parse(host, &a, NULL) == 0)
        json_put_str(o, key, a.bits == bits ? host : "none");
}

static void put_node(const struct relay *r, const struct config *c, struct json_out *o, const char *name)
{
    struct addr a;
    struct relay_advertised where;
    bool literal = *c->derp.server.ipv4 || *c->derp.server.ipv6 || addr_parse(r->host, &a, NULL) == 0;
    struct buf pin = BUF_INIT(0);

    relay_advertised_read(c, r->front ? front_port(r->front, 0) : 0, &where);
    bool pinned = r->own.pem && !where.by_proxy; /* a proxy presents its own certificate, for server_url's name */

    json_open(o, '{');
    json_put_str(o, "Name", name);
    json_put_i64(o, "RegionID", c->derp.server.region_id);
    json_put_str(o, "HostName", pinned && literal ? r->own.is.name : r->host);
    if (pinned) {
        buf_adds(&pin, "sha256-raw:");
        crypto_hex(&pin, r->own.is.sha256, sizeof(r->own.is.sha256));
        json_put_str(o, "CertName", buf_text(&pin));
        buf_release(&pin);
    }
    if (literal) {
        put_address(o, "IPv4", c->derp.server.ipv4, *c->derp.server.ipv6 ? "::" : r->host, 32);
        put_address(o, "IPv6", c->derp.server.ipv6, *c->derp.server.ipv4 ? "0.0.0.0" : r->host, 128);
    }
    json_put_i64(o, "STUNPort", r->stun ? (int64_t)stun_port(r->stun) : -1);
    if (r->front)
        json_put_u64(o, "DERPPort", where.port);
    else
        json_put_bool(o, "STUNOnly", true);
    json_close(o, '}');
    relay_advertised_release(&where);
}

void relay_region(const struct relay *r, const struct config *c, struct buf *out)
{
    struct json_out o = JSON_OUT(out);
    char region[24];

    if (!c->derp.server.enabled || !c->derp.server.automatically_add_embedded_derp_region || (!r->stun && !r->front))
        return;
    snprintf(region, sizeof(region), "%lld", (long long)c->derp.server.region_id);
    json_key(&o, region);
    json_open(&o, '{');
    json_put_i64(&o, "RegionID", c->derp.server.region_id);
    json_put_str(&o, "RegionCode", c->derp.server.region_code);
    json_put_str(&o, "RegionName", c->derp.server.region_name);
    json_key(&o, "Nodes");
    json_open(&o, '[');
    put_node(r, c, &o, region);
    json_close(&o, ']');
    json_close(&o, '}');
}

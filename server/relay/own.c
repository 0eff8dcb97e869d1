/* SPDX-License-Identifier: BSD-3-Clause */
/* The relay's own certificate and the region it puts into the map. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "crypto/crypto.h"
#include "relay/private.h"

#define VALID_DAYS 1825
#define RENEW_DAYS 365
#define PEM_MAX    16384

static char *read_pem(const char *path, struct crypto_certificate *out)
{
    struct buf pem = BUF_INIT(PEM_MAX);

    if (file_read(path, FILE_ANY, &pem, NULL) == 0 && crypto_certificate_read(buf_text(&pem), out, NULL) == 0)
        return buf_take(&pem);
    buf_release(&pem);
    return NULL;
}

static int make(const char *path, const char *host, struct own_certificate *c, struct err *e)
{
    char tag[9], name[32];
    const char *names[] = {name, host};
    struct buf pem = BUF_INIT(0);

    crypto_random_hex(tag, 4);
    snprintf(name, sizeof(name), "r-%s.relay.invalid", tag);
    crypto_certificate_make(names, 2, VALID_DAYS, &pem);
    int rc = file_replace(path, pem.data, pem.len, 0600, e);
    if (rc == 0)
        rc = crypto_certificate_read(buf_text(&pem), &c->is, e);
    c->pem = buf_take(&pem);
    if (rc == 0)
        log_info("relay", "made a certificate for %s, kept in %s", name, path);
    return rc;
}

int own_certificate_load(const char *dir, const char *host, struct own_certificate *out, struct err *e)
{
    char *path = mem_format("%s/relay.pem", dir), *old_path = mem_format("%s/relay-old.pem", dir);
    int64_t now = clock_wall_ns() / NS_PER_SECOND;
    int rc = 0;

    *out = (struct own_certificate){0};
    if (mkdir(dir, 0750) < 0 && errno != EEXIST)
        rc = err_set(e, ERR_IO, "cannot make the directory %s: %s", dir, strerror(errno));
    out->pem = read_pem(path, &out->is);
    if (rc == 0 && (!out->pem || out->is.ends - now < RENEW_DAYS * INT64_C(86400) || !str_starts(out->is.name, "r-") ||
                    !crypto_certificate_names(out->pem, host))) {
        if (out->pem && rename(path, old_path) < 0)
            log_warn("relay", "cannot keep the certificate before: %s", strerror(errno));
        free(out->pem);
        rc = make(path, host, out, e);
    }
    out->old_pem = rc == 0 ? read_pem(old_path, &out->old) : NULL;
    if (out->old_pem && out->old.ends < now) {
        free(out->old_pem);
        out->old_pem = NULL;
    }
    free(path);
    free(old_path);
    return rc;
}

void own_certificate_release(struct own_certificate *c)
{
    if (c->pem)
        crypto_wipe(c->pem, strlen(c->pem));
    if (c->old_pem)
        crypto_wipe(c->old_pem, strlen(c->old_pem));
    free(c->pem);
    free(c->old_pem);
    *c = (struct own_certificate){0};
}

/* ---- The region ---- */

/* "none" keeps a client from asking DNS for an address of a family that is not there. */
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
    bool literal = *c->derp.server.ipv4 || *c->derp.server.ipv6 || addr_parse(r->host, &a, NULL) == 0;
    struct buf pin = BUF_INIT(0);

    json_open(o, '{');
    json_put_str(o, "Name", name);
    json_put_i64(o, "RegionID", c->derp.server.region_id);
    json_put_str(o, "HostName", r->own.pem && literal ? r->own.is.name : r->host);
    if (r->own.pem) {
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
        json_put_u64(o, "DERPPort", front_port(r->front, 0));
    else
        json_put_bool(o, "STUNOnly", true);
    json_close(o, '}');
}

void own_region(const struct relay *r, const struct config *c, struct buf *out)
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

/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/relay.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "relay/map.h"
#include "relay/paths.h"
#include "relay/reach/advertised.h"
#include "relay/renew.h"
#include "relay/state.h"

static char *own_host(const struct config *c)
{
    struct relay_advertised where;

    relay_advertised_read(c, 0, &where);
    return where.host;
}

static void accept_here(void *arg, struct stream *stream, const struct head *head)
{
    relay_answer(arg, stream, head);
}

/* A server reached over IPv6 listens for it, even if the configuration has its default, all IPv4 addresses. */
static char *listen_at(const struct relay *r, const struct config *c)
{
    const char *text = c->derp.server.listen_addr;
    struct addr a;
    bool ipv6 = *c->derp.server.ipv6 || (addr_parse(r->host, &a, NULL) == 0 && a.bits == 128);

    return mem_strdup(ipv6 && str_starts(text, "0.0.0.0:") ? text + strlen("0.0.0.0") : text);
}

static bool is_known(void *arg, const struct addr *from)
{
    const struct relay_options *o = &((struct relay *)arg)->options;

    return o->known && o->known(o->arg, from);
}

static int start_derp(struct relay *r, const struct config *c, struct err *e)
{
    struct front_options options = {.loops = r->options.loops, .arg = r, .relay = accept_here, .known = is_known};

    if (*c->tls_cert_path) {
        options.cert_path = c->tls_cert_path;
        options.key_path = c->tls_key_path;
    } else if (r->options.tls) {
        options.tls = r->options.tls;
    } else {
        int rc = own_certificate_load(c->state_dir, r->host, &r->own, e);
        if (rc < 0)
            return rc;
        r->tls = loop_tls_new_pem(r->own.pem, r->own.pem, e);
        if (!r->tls)
            return (int)e->code;
        if ((rc = relay_add_certificate(r, r->tls, e)) < 0)
            return rc;
        options.tls = r->tls;
    }
    char *listen = listen_at(r, c);
    strs_push(&options.listen, listen);
    free(listen);
    r->front = front_new(&options, e);
    strs_release(&options.listen);
    return r->front ? 0 : (int)e->code;
}

static void start_ports(struct relay *r, const struct config *c)
{
    struct err e = {0};

    r->stun = stun_new(loops_at(r->options.loops, 0), c->derp.server.stun_listen_addr, &e);
    if (!r->stun)
        log_error("relay", "no STUN: %s", e.message);
    if (start_derp(r, c, &e) < 0)
        log_error("relay", "no relay (derp.server.listen_addr): %s", e.message);
    else
        log_info("relay", "the relay serves on %s, %s", c->derp.server.listen_addr,
                 r->own.pem ? "with a certificate of its own" : relay_certificate_name(c));
}

static void published(void *arg)
{
    hub_audit(arg);
}

int relay_start(const struct relay_options *options, struct relay **out, struct err *e)
{
    const struct config *c = options->config;
    struct relay *r = mem_alloc(sizeof(*r));
    struct relay_keys keys;

    if (sodium_init() < 0) {
        free(r);
        return err_set(e, ERR_INTERNAL, "libsodium cannot be used");
    }
    r->options = *options;
    r->options.config = config_ref(c);
    r->host = own_host(c);
    memcpy(keys.private_key, options->private_key, RELAY_KEY_LEN);
    memcpy(keys.public_key, options->public_key, RELAY_KEY_LEN);
    pthread_mutex_init(&r->lock, NULL);
    hub_init(&r->hub, &keys, options->tailnet, loops_at(options->loops, 0), c->derp.server.verify_clients);
    sodium_memzero(&keys, sizeof(keys));
    sodium_memzero(r->options.private_key, sizeof(r->options.private_key));
    r->hub.known = options->known;
    r->hub.known_arg = options->arg;
    hub_set_rate(&r->hub, c->derp.server.rate, c->derp.server.burst);
    tailnet_subscribe(options->tailnet, published, &r->hub);
    if (c->derp.server.enabled)
        start_ports(r, c);
    r->map = relay_map_new(r, c);
    *out = r;
    return 0;
}

void relay_reload(struct relay *r, const struct config *config)
{
    hub_set_rate(&r->hub, config->derp.server.rate, config->derp.server.burst);
    struct err e = {0};
    if (r->front && front_reload(r->front, &e) < 0)
        log_error("relay", "the certificate in use stays: %s", e.message);
    relay_map_reload(r->map, config);
}

static void nothing(struct loop *l, void *arg)
{
    (void)l;
    (void)arg;
}

void relay_stop(struct relay *r)
{
    if (!r)
        return;
    tailnet_unsubscribe(r->options.tailnet, published, &r->hub);
    relay_map_free(r->map);
    front_free(r->front);
    hub_end(&r->hub);
    stun_free(r->stun);
    /* Two rounds through all loops: the first completes what was posted to them, the second what that posted. */
    for (unsigned i = 0; i < 2; i++)
        loops_run(r->options.loops, nothing, NULL);
    hub_release(&r->hub);
    loop_tls_free(r->tls);
    loop_tls_free(r->other_tls);
    own_certificate_release(&r->own);
    pthread_mutex_destroy(&r->lock);
    config_unref(r->options.config);
    free(r->host);
    sodium_memzero(&r->hub.keys, sizeof(r->hub.keys));
    free(r);
}

void relay_accept(struct relay *r, struct stream *stream, const struct head *head)
{
    relay_answer(r, stream, head);
}

int relay_add_certificate(struct relay *r, struct loop_tls *tls, struct err *e)
{
    pthread_mutex_lock(&r->lock);
    int rc = relay_add_names(r, tls, e);
    if (rc == 0 && tls != r->tls && !r->other_tls)
        r->other_tls = loop_tls_ref(tls);
    pthread_mutex_unlock(&r->lock);
    return rc;
}

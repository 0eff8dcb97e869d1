/* SPDX-License-Identifier: BSD-3-Clause */
/* The relay's status report. */
#include <stdio.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/str.h"
#include "crypto/crypto.h"
#include "metrics/metrics.h"
#include "relay/state.h"

#define SHOWN_MAX 10000 /* connections */

static const char *const reasons[DROP_REASONS] = {"unknown_dest", "gone_disconnected", "queue_head", "write_error"};

static void put_link(const struct relay *r, const struct tailnet_snapshot *s, const struct relay_link *l,
                     struct json_out *o)
{
    char text[ADDR_PORT_TEXT_MAX];
    uint32_t slot = tailnet_find_key(r->options.tailnet, l->key);
    const struct tailnet_node *n = slot == TAILNET_SLOT_NONE ? NULL : snapshot_node(s, slot);
    struct buf key = BUF_INIT(0);

    buf_adds(&key, "nodekey:");
    crypto_hex(&key, l->key, RELAY_KEY_LEN);
    json_open(o, '{');
    if (n) {
        json_put_id(o, "nodeId", n->record->r.id);
        json_put_str(o, "name", n->record->given_name);
    }
    json_put_str(o, "nodeKey", buf_text(&key));
    json_put_str(o, "source", addr_port_format(&l->from, text));
    json_put_time(o, "since", l->since_ns);
    json_put_bool(o, "home", l->preferred);
    json_put_u64(o, "bytesIn", l->bytes_in);
    json_put_u64(o, "bytesOut", l->bytes_out);
    json_put_u64(o, "packetsIn", l->packets_in);
    json_put_u64(o, "packetsOut", l->packets_out);
    json_put_u64(o, "dropped", l->dropped);
    json_close(o, '}');
    buf_release(&key);
}

static void put_connections(struct relay *r, struct json_out *o)
{
    const struct tailnet_snapshot *s = tailnet_pin(r->options.tailnet);
    unsigned shown = 0;

    json_key(o, "connections");
    json_open(o, '[');
    pthread_rwlock_rdlock(&r->hub.lock);
    for (struct map_entry *m = map_first(&r->hub.peers); m && shown < SHOWN_MAX; m = map_next(&r->hub.peers, m)) {
        struct relay_peer *p = m->value;
        for (size_t i = 0; i < p->links.len; i++, shown++)
            put_link(r, s, p->links.items[i], o);
    }
    pthread_rwlock_unlock(&r->hub.lock);
    json_close(o, ']');
    tailnet_unpin(s);
}

static size_t connected(struct relay *r)
{
    pthread_rwlock_rdlock(&r->hub.lock);
    size_t n = r->hub.peers.len;
    pthread_rwlock_unlock(&r->hub.lock);
    return n;
}

static void put_check(struct json_out *o, const char *key, bool done, bool good, const char *why)
{
    json_key(o, key);
    json_open(o, '{');
    if (done)
        json_put_bool(o, "reached", good);
    if (done && !good)
        json_put_str(o, "error", why);
    json_close(o, '}');
}

/* Where clients are told to find it, what must be open for that, and whether it was reachable from here. */
static void put_reach(struct relay *r, struct json_out *o)
{
    struct relay_advertised where;
    struct strs needs = {0};

    relay_advertised_read(r->options.config, r->front ? front_port(r->front, 0) : 0, &where);
    relay_requirements(r->options.config, &needs);
    json_put_str(o, "advertisedHost", where.host);
    json_put_u64(o, "advertisedPort", where.port);
    json_put_bool(o, "behindProxy", where.by_proxy);
    json_key(o, "needs");
    json_open(o, '[');
    for (size_t i = 0; i < needs.len; i++)
        json_str(o, needs.items[i]);
    json_close(o, ']');
    pthread_mutex_lock(&r->lock);
    struct relay_check c = r->check;
    pthread_mutex_unlock(&r->lock);
    put_check(o, "derpFromHere", c.done, c.derp, c.derp_why);
    put_check(o, "stunFromHere", c.done, c.stun, c.stun_why);
    strs_release(&needs);
    relay_advertised_release(&where);
}

void relay_status(struct relay *r, struct json_out *o)
{
    const struct config *c = r->options.config;
    struct hub_counters *n = &r->hub.counters;
    struct stun_counters stun = {0};

    if (r->stun)
        stun_count(r->stun, &stun);
    json_open(o, '{');
    json_put_bool(o, "enabled", c->derp.server.enabled);
    json_put_i64(o, "regionId", c->derp.server.region_id);
    json_put_u64(o, "port", r->front ? front_port(r->front, 0) : 0);
    json_put_u64(o, "stunPort", r->stun ? stun_port(r->stun) : 0);
    put_reach(r, o);
    pthread_mutex_lock(&r->lock);
    json_put_str(o, "certificate", r->own.pem ? r->own.is.name : relay_certificate_name(c));
    json_put_time(o, "certificateEnds", r->own.is.ends * NS_PER_SECOND);
    pthread_mutex_unlock(&r->lock);
    json_put_u64(o, "bytesIn", n->bytes_in);
    json_put_u64(o, "bytesOut", n->bytes_out);
    json_put_u64(o, "packetsIn", n->packets_in);
    json_put_u64(o, "packetsOut", n->packets_out);
    json_put_u64(o, "logins", n->logins);
    json_put_u64(o, "refused", n->refused);
    json_put_u64(o, "slowed", n->slowed);
    json_key(o, "dropped");
    json_open(o, '{');
    for (unsigned i = 0; i < DROP_REASONS; i++)
        json_put_u64(o, reasons[i], n->dropped[i][0] + n->dropped[i][1]);
    json_close(o, '}');
    json_key(o, "stun");
    json_open(o, '{');
    json_put_u64(o, "answered", stun.answered);
    json_put_u64(o, "refused", stun.refused);
    json_put_u64(o, "limited", stun.limited);
    json_close(o, '}');
    put_connections(r, o);
    json_close(o, '}');
}

bool relay_trouble(struct relay *r, char *why, size_t max)
{
    pthread_mutex_lock(&r->lock);
    struct relay_check c = r->check;
    pthread_mutex_unlock(&r->lock);
    if (!c.done || (c.derp && c.stun))
        return false;
    if (c.derp)
        snprintf(why, max, "STUN does not answer from here: %s", c.stun_why);
    else
        snprintf(why, max, "it is not reached from here: %s", c.derp_why);
    text_end_whole(why);
    return true;
}

void relay_metrics(struct relay *r, struct buf *out)
{
    static const char dropped[] = "headway_relay_dropped_packets_total";
    struct hub_counters *n = &r->hub.counters;
    struct stun_counters stun = {0};

    if (r->stun)
        stun_count(r->stun, &stun);
    const struct {
        const char *name, *kind, *help;
        uint64_t value;
    } figures[] = {
        {"headway_relay_clients", "gauge", "Clients that are connected to the relay", connected(r)},
        {"headway_relay_received_bytes_total", "counter", "Bytes that clients sent to the relay", n->bytes_in},
        {"headway_relay_sent_bytes_total", "counter", "Bytes that the relay sent to clients", n->bytes_out},
        {"headway_relay_received_packets_total", "counter", "Packets that clients sent to the relay", n->packets_in},
        {"headway_relay_sent_packets_total", "counter", "Packets that the relay sent to clients", n->packets_out},
        {"headway_relay_logins_total", "counter", "Clients that logged in to the relay", n->logins},
        {"headway_relay_refused_total", "counter", "Clients that the relay refused", n->refused},
        {"headway_relay_slowed_total", "counter", "Times that a client was over its rate", n->slowed},
        {"headway_relay_stun_answers_total", "counter", "STUN requests that were answered", stun.answered},
        {"headway_relay_stun_limited_total", "counter", "STUN requests over the limit of their source", stun.limited},
    };
    for (size_t i = 0; i < ARRAY_LEN(figures); i++)
        metrics_put(out, figures[i].name, figures[i].kind, figures[i].help, figures[i].value);
    metrics_head(out, dropped, "counter", "Packets that the relay dropped");
    for (unsigned i = 0; i < DROP_REASONS; i++)
        for (unsigned disco = 0; disco < 2; disco++)
            buf_addf(out, "%s{reason=\"%s\",kind=\"%s\"} %llu\n", dropped, reasons[i], disco ? "disco" : "other",
                     (unsigned long long)n->dropped[i][disco]);
}

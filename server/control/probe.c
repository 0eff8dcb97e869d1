/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/probe.h"

#include "base/array.h"
#include "base/log.h"
#include "base/random.h"
#include "crypto/crypto.h"
#include "netmap/netmap.h"

#define RISE          3    /* consecutive answers that make an unhealthy client healthy again */
#define RISE_EVERY_MS 1000 /* between these probes */

static void on_timer(struct loop_timer *t);

static void wait_for(struct probe *p, int64_t ms)
{
    p->state = PROBE_IDLE;
    p->secret = 0;
    loop_timer_set(p->rpc->loop, &p->timer, ms, on_timer);
}

static void wait_interval(struct probe *p)
{
    wait_for(p,
             p->unhealthy ? RISE_EVERY_MS : p->interval_ms - (int64_t)random_below((uint64_t)p->interval_ms / 10 + 1));
}

static void judge(struct probe *p, bool unhealthy)
{
    if (p->unhealthy == unhealthy)
        return;
    p->unhealthy = unhealthy;
    core_session_health(p->control->options.core, p->session, !unhealthy, unhealthy ? p->missed_ms : 0);
}

/* One miss on a stream that never answered is forgiven: a client that has just connected is busy. */
static void missed(struct probe *p)
{
    bool forgiven = !p->answered && !p->missed;

    if (!p->missed)
        p->missed_ms = p->asked_ms;
    p->missed = true;
    p->row = 0;
    if (!forgiven)
        judge(p, true);
    wait_interval(p);
}

static void on_timer(struct loop_timer *t)
{
    struct probe *p = CONTAINER_OF(t, struct probe, timer);

    if (p->state == PROBE_OUT) {
        missed(p);
    } else {
        p->state = PROBE_DUE;
        rpc_stream_ready(p->rpc);
    }
}

void probe_init(struct probe *p, struct control *control, struct rpc *rpc, uint64_t session)
{
    *p = (struct probe){.control = control, .rpc = rpc, .session = session};
}

void probe_set(struct probe *p, int64_t interval_ms, int64_t timeout_ms)
{
    bool was_on = p->interval_ms != 0;

    p->interval_ms = interval_ms;
    p->timeout_ms = timeout_ms;
    if (interval_ms && !was_on) {
        wait_for(p, interval_ms / 2 + (int64_t)random_below((uint64_t)interval_ms / 2 + 1));
    } else if (!interval_ms && was_on) {
        judge(p, false);
        probe_stop(p);
    }
}

void probe_stop(struct probe *p)
{
    loop_timer_stop(p->rpc->loop, &p->timer);
    p->state = PROBE_IDLE;
    p->secret = 0;
}

bool probe_ask(struct probe *p, struct rpc_bytes *out, bool zstd)
{
    struct buf url = BUF_INIT(0);
    struct netmap_message m = {0};
    struct probe_id id;

    if (p->state != PROBE_DUE || p->secret)
        return false;
    while (!p->secret)
        random_bytes(&p->secret, sizeof(p->secret));
    id = (struct probe_id){loop_index(p->rpc->loop), p->session, p->secret};
    buf_adds(&url, "https://unused/machine/ping-response?id=");
    crypto_hex(&url, &id, sizeof(id));
    netmap_ping(p->control->options.netmap, &(struct netmap_ping){.url = buf_text(&url)}, zstd, &m);
    buf_release(&url);
    for (size_t i = 0; i < m.len; i++)
        rpc_bytes_add(out, chunk_ref(m.items[i]));
    netmap_message_release(&m);
    return true;
}

void probe_written(struct probe *p)
{
    if (p->state != PROBE_DUE || !p->secret)
        return;
    p->state = PROBE_OUT;
    p->asked_ms = loop_now(p->rpc->loop);
    loop_timer_set(p->rpc->loop, &p->timer, p->timeout_ms, on_timer);
}

void probe_answered(struct probe *p, uint64_t secret)
{
    if (!p->secret || p->secret != secret)
        return;
    log_debug("control", "%s answers the probe", rpc_conn_peer_text(p->rpc->conn));
    p->answered = true;
    p->missed = false;
    if (p->unhealthy && ++p->row >= RISE)
        judge(p, false);
    wait_interval(p);
}

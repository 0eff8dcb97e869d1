/* SPDX-License-Identifier: BSD-3-Clause */
/* Detects dead clients. An HTTP/2 PING inside Noise is answered by the client's process itself, whatever proxies are in
 * between, and any other byte from it proves as much. */
#include "rpc/ping.h"

#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"

#define INTERVAL_MS    30000
#define TIMEOUT_MS     15000
#define SLOT_MS        20 /* deadlines of different connections within a slot share a turn of the loop */
#define SLOT_MAX_MS    100
#define EARLIER_ONE_IN 8
#define EXTRA_MAX_US   20000000

static void due(struct loop_timer *timer);

static struct rpc_conn *owner(struct loop_timer *timer)
{
    return CONTAINER_OF(timer, struct rpc_conn, ping.timer);
}

static void set_deadline(struct rpc_conn *c, int64_t when)
{
    when = (when / SLOT_MS + 1) * SLOT_MS;
    loop_timer_set(c->loop, &c->ping.timer, when - loop_now(c->loop), due);
}

/* PINGs are sent in batches: their answers then arrive in batches too, and a loop with a thousand routers wakes twenty
 * times a second instead of two thousand times. Ten batches per interval, to spread them over it. */
static unsigned slot_ms(const struct rpc_ping *p)
{
    unsigned slot = p->interval_ms / 10;

    return slot > SLOT_MAX_MS ? SLOT_MAX_MS : slot ? slot : 1;
}

/* Good enough to spread PINGs, without a system call each time. */
static unsigned dice(struct rpc_ping *p, unsigned below)
{
    p->dice = p->dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return below ? (unsigned)((p->dice >> 33) % below) : 0;
}

/* At the beginning of a slot, sometimes up to a tenth of the interval earlier: connections that were all written to at
 * once, and therefore answered at once, do not stay in step. */
static void wait_interval(struct rpc_conn *c)
{
    struct rpc_ping *p = &c->ping;
    unsigned slot = slot_ms(p), most = p->interval_ms / 10 / slot;
    int64_t when = (p->last_heard + p->interval_ms) / slot - (dice(p, EARLIER_ONE_IN) ? 0 : 1 + dice(p, most));

    p->state = PING_IDLE;
    loop_timer_set(c->loop, &p->timer, when * slot - loop_now(c->loop), due);
}

/* The longest round trip, in us, that those so far explain: the mean and four times the spread, as TCP computes a
 * retransmission. */
static int64_t explained_us(const struct rpc_ping *p)
{
    if (p->srtt_us < 0)
        return 0;
    int64_t us = p->srtt_us + 4 * p->spread_us;
    return us < EXTRA_MAX_US ? us : EXTRA_MAX_US;
}

/* In ms after the PING: when to suspect the connection, and when to give it up. */
static int64_t suspect_after(const struct rpc_ping *p)
{
    return p->timeout_ms / 3 + explained_us(p) / 1000;
}

static int64_t dead_after(const struct rpc_ping *p)
{
    return p->timeout_ms + explained_us(p) / 1000;
}

static void send_ping(struct rpc_conn *c)
{
    struct rpc_ping *p = &c->ping;
    uint8_t opaque[8];

    p->sent_us = clock_mono_us();
    memcpy(opaque, &p->sent_us, sizeof(opaque));
    p->state = PING_OUT;
    if (nghttp2_submit_ping(c->h2, NGHTTP2_FLAG_NONE, opaque) < 0) {
        conn_end(c, RPC_GONE, NULL);
        return;
    }
    p->unanswered++;
    count_add(&c->server->pings, 1);
    conn_touch(c);
    set_deadline(c, loop_now(c->loop) + suspect_after(p));
}

/* us: -1 if no answer came. */
static void measured(struct rpc_conn *c, int64_t us)
{
    const struct rpc_server_options *o = &c->server->options;

    if (c->ping.owner && o->measured)
        o->measured(o->arg, c->ping.owner, us);
}

static void due(struct loop_timer *timer)
{
    struct rpc_conn *c = owner(timer);
    struct rpc_ping *p = &c->ping;

    if (c->closing)
        return;
    if (p->state != PING_IDLE) {
        /* A loop that was delayed may not have read everything that arrived in time. Bytes set the timer again. */
        p->read_now(c);
        if (c->closing || p->state == PING_IDLE)
            return;
    }
    if (p->state == PING_IDLE) {
        int64_t next = p->last_heard + p->interval_ms - p->interval_ms / 10 - slot_ms(p);
        if (loop_now(c->loop) < next)
            wait_interval(c);
        else
            send_ping(c);
    } else if (p->state == PING_OUT) {
        /* In two parts: if the whole process was stopped for longer than the first, the second is left for answers that
         * are still on their way. */
        p->state = PING_SUSPECT;
        set_deadline(c, loop_now(c->loop) + dead_after(p) - suspect_after(p));
    } else {
        count_add(&c->server->dead, 1);
        measured(c, -1);
        log_info("control", "connection from %s is dead: nothing heard for %lld ms", c->peer,
                 (long long)(loop_now(c->loop) - p->last_heard));
        conn_end(c, RPC_DEAD, NULL);
    }
}

void ping_start(struct rpc_conn *c, void (*read_now)(struct rpc_conn *c))
{
    struct rpc_ping *p = &c->ping;

    p->read_now = read_now;
    p->srtt_us = -1;
    random_bytes(&p->dice, sizeof(p->dice));
    p->last_heard = loop_now(c->loop);
    rpc_conn_set_ping(c, INTERVAL_MS, TIMEOUT_MS);
}

void rpc_conn_set_ping(struct rpc_conn *c, unsigned interval_ms, unsigned timeout_ms)
{
    struct rpc_ping *p = &c->ping;

    if (c->closing || (p->interval_ms == interval_ms && p->timeout_ms == timeout_ms))
        return;
    p->interval_ms = interval_ms;
    p->timeout_ms = timeout_ms ? timeout_ms : 1;
    if (!interval_ms) {
        p->state = PING_IDLE;
        loop_timer_stop(c->loop, &p->timer);
        return;
    }
    /* An outstanding PING keeps the limits it was sent under. */
    if (p->state == PING_IDLE)
        set_deadline(c, loop_now(c->loop) + dice(p, p->interval_ms));
}

void ping_heard(struct rpc_conn *c)
{
    struct rpc_ping *p = &c->ping;

    p->last_heard = loop_now(c->loop);
    if (p->state != PING_IDLE)
        wait_interval(c);
}

bool ping_is_expected(struct rpc_conn *c)
{
    if (!c->ping.unanswered)
        return false;
    c->ping.unanswered--;
    return true;
}

void ping_answered(struct rpc_conn *c, const uint8_t opaque[8])
{
    struct rpc_ping *p = &c->ping;
    int64_t rtt;

    if (!p->sent_us || memcmp(opaque, &p->sent_us, sizeof(p->sent_us)) != 0)
        return;
    rtt = clock_mono_us() - p->sent_us;
    measured(c, rtt);
    if (p->srtt_us < 0) {
        p->srtt_us = rtt;
        p->spread_us = rtt / 2;
    } else {
        int64_t off = rtt > p->srtt_us ? rtt - p->srtt_us : p->srtt_us - rtt;
        p->spread_us += (off - p->spread_us) / 4;
        p->srtt_us += (rtt - p->srtt_us) / 8;
    }
}

void rpc_conn_set_owner(struct rpc_conn *c, uint64_t owner)
{
    c->ping.owner = owner;
}

int64_t rpc_conn_heard_ms(const struct rpc_conn *c)
{
    return c->ping.last_heard;
}

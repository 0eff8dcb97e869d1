/* SPDX-License-Identifier: BSD-3-Clause */
/* Handles what a client sends: its login, and packets for others. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "relay/derp/link.h"

#define LOGIN_MS   10000
#define KEEP_MS    50000 /* by default nginx closes connections that are silent for 60 s */
#define READ_MAX   (64 * 1024)
#define UNSENT_MAX (128 * 1024)
#define GONE_BURST 3

/* From 10,000 packets per second on, a read of fewer than 24 packets makes the loop sleep 50 us. */
#define FLOW_US        2000
#define FLOW_PACKETS   20
#define ENOUGH_PACKETS 24
#define GATHER_US      50

static void keep_alive(struct loop_timer *timer)
{
    struct relay_link *l = CONTAINER_OF(timer, struct relay_link, timer);

    link_tell(l, FRAME_KEEP_ALIVE, NULL, 0);
    loop_timer_set(l->loop, timer, KEEP_MS + (int64_t)(l->id % 5000), keep_alive);
}

static int do_login(struct relay_link *l, const uint8_t *payload, size_t len, struct err *e)
{
    struct relay_hub *h = l->hub;
    const uint8_t *key = login_key(payload, len);
    struct buf info = BUF_INIT(0);
    struct derp_login login;

    if (!key || !hub_allows(h, key)) {
        atomic_fetch_add(&h->counters.refused, 1);
        return err_set(e, ERR_DENIED, "not a node of this tailnet");
    }
    int rc = login_open(&h->keys, payload, len, &login, e);
    if (rc == 0)
        rc = frame_put_server_info(&info, &h->keys, login.key, atomic_load(&h->rate), atomic_load(&h->burst), e);
    if (rc == 0) {
        memcpy(l->key, login.key, RELAY_KEY_LEN);
        l->state = LINK_READY;
        hub_login(h, l);
        atomic_fetch_add(&h->counters.logins, 1);
        loop_timer_stop(l->loop, &l->timer);
        loop_timer_set(l->loop, &l->timer, KEEP_MS + (int64_t)random_below(5000), keep_alive);
        link_tell(l, FRAME_SERVER_INFO, info.data + FRAME_HEADER, info.len - FRAME_HEADER);
        /* It may have been removed between the check and its registration in the hub, unnoticed by any audit. */
        if (!hub_allows(h, l->key))
            rc = err_set(e, ERR_DENIED, "not a node of this tailnet any more");
    }
    buf_release(&info);
    return rc;
}

static void tell_not_here(struct relay_link *l, const uint8_t *key)
{
    uint8_t payload[RELAY_KEY_LEN + 1];
    int64_t now = loop_now(l->loop);

    if (now - l->gone_at >= 1000) {
        int64_t more = (now - l->gone_at) / 1000 + l->gone_left;
        l->gone_left = more > GONE_BURST ? GONE_BURST : (unsigned)more;
        l->gone_at = now;
    }
    if (!l->gone_left)
        return;
    l->gone_left--;
    memcpy(payload, key, RELAY_KEY_LEN);
    payload[RELAY_KEY_LEN] = GONE_NOT_HERE;
    link_tell(l, FRAME_PEER_GONE, payload, sizeof(payload));
}

/* Consecutive packets for one receiver, converted in place in the read buffer. */
struct packet_run {
    struct relay_link *to; /* referenced; NULL: none */
    uint8_t *start;
    size_t len;
    unsigned count;
    bool disco;
};

static void end_run(struct relay_link *l, struct packet_run *r)
{
    if (!r->to)
        return;
    uint8_t key[RELAY_KEY_LEN];
    memcpy(key, r->to->key, sizeof(key));
    bool sent = link_hand_over(r->to, r->start, r->len, r->count) || link_send(r->to, r->start, r->len, r->disco);
    link_unref(r->to);
    r->to = NULL;
    if (sent)
        return;
    hub_dropped(l->hub, DROP_GONE, r->disco, r->count);
    if (r->disco && l->state == LINK_READY)
        tell_not_here(l, key);
}

/* SendPacket and RecvPacket have the same length. */
static void do_send(struct relay_link *l, uint8_t *frame, size_t len, struct packet_run *r)
{
    const uint8_t *packet = frame + FRAME_HEADER + RELAY_KEY_LEN;
    uint8_t key[RELAY_KEY_LEN];
    bool disco = frame_is_disco(packet, len - FRAME_HEADER - RELAY_KEY_LEN);

    memcpy(key, frame + FRAME_HEADER, RELAY_KEY_LEN);
    atomic_fetch_add(&l->packets_in, 1);
    struct relay_link *to = hub_route(l->hub, l, key);
    frame[0] = FRAME_RECV;
    memcpy(frame + FRAME_HEADER, l->key, RELAY_KEY_LEN);
    if (to && r->to == to && r->disco == disco && r->start + r->len == frame) {
        r->len += len;
        r->count++;
        return;
    }
    end_run(l, r);
    if (to) {
        *r = (struct packet_run){link_ref(to), frame, len, 1, disco};
        return;
    }
    hub_dropped(l->hub, DROP_UNKNOWN, disco, 1);
    if (disco)
        tell_not_here(l, key);
}

static int do_frame(struct relay_link *l, uint8_t *frame, const struct derp_frame *f, struct packet_run *r,
                    struct err *e)
{
    uint8_t *payload = frame + FRAME_HEADER;

    if (l->state == LINK_LOGIN)
        return f->type == FRAME_CLIENT_INFO ? do_login(l, payload, f->len, e)
                                            : err_set(e, ERR_INVALID, "a frame of type %02x before a login", f->type);
    if (f->type == FRAME_SEND)
        do_send(l, frame, FRAME_HEADER + f->len, r);
    else if (f->type == FRAME_NOTE_PREFERRED)
        atomic_store(&l->preferred, payload[0] == 1);
    else if (f->type == FRAME_PING)
        link_pong(l, payload);
    return 0;
}

/* Consumes whole frames from the front; returns the number of bytes, or an error. */
static long take_frames(struct relay_link *l, uint8_t *in, size_t len, struct packet_run *r, struct err *e)
{
    size_t at = 0;

    while (at < len && l->state != LINK_CLOSED) {
        struct derp_frame f;
        if (l->skip) {
            size_t n = l->skip < len - at ? l->skip : len - at;
            l->skip -= (uint32_t)n;
            at += n;
            continue;
        }
        int rc = frame_read(in + at, len - at, &f, e);
        if (rc < 0)
            return rc;
        if (rc == 0)
            break;
        if (f.discard && l->state == LINK_LOGIN)
            return err_set(e, ERR_INVALID, "a frame of type %02x before a login", f.type);
        if (f.discard) {
            l->skip = f.len;
            at += FRAME_HEADER;
            continue;
        }
        if (len - at < FRAME_HEADER + f.len)
            break;
        if ((rc = do_frame(l, in + at, &f, r, e)) < 0)
            return rc;
        at += FRAME_HEADER + f.len;
    }
    return (long)at;
}

/* A turn of the loop for each of many packets would cost more than the packets: when they arrive quickly but one by
 * one, they are left to accumulate, like a network card's interrupt moderation. */
static void moderate(struct relay_link *l, unsigned packets)
{
    static _Thread_local struct {
        int64_t since_us;
        unsigned packets;
        bool quick;
    } flow;
    int64_t now = clock_mono_us(), passed = now - flow.since_us;

    flow.packets += packets;
    if (passed >= FLOW_US) {
        flow.quick = passed < 4 * FLOW_US && flow.packets > FLOW_PACKETS;
        flow.since_us = now;
        flow.packets = 0;
    }
    if (flow.quick && packets < ENOUGH_PACKETS)
        loop_gather(l->loop, GATHER_US);
}

static long do_frames(struct relay_link *l, uint8_t *in, size_t len, struct err *e)
{
    struct packet_run r = {0};
    unsigned long long before = l->packets_in;
    long done = take_frames(l, in, len, &r, e);

    end_run(l, &r);
    unsigned packets = (unsigned)(l->packets_in - before);
    atomic_fetch_add(&l->hub->counters.packets_in, packets);
    if (packets)
        moderate(l, packets);
    return done;
}

static void thaw(struct loop_timer *timer)
{
    struct relay_link *l = CONTAINER_OF(timer, struct relay_link, thaw);

    stream_pause(l->stream, false);
}

/* A client over its rate is not read for a while: TCP slows it down and nothing is dropped (as in the reference
 * implementation). One read may overdraw the bucket. */
static void charge(struct relay_link *l, size_t bytes)
{
    int64_t rate = atomic_load(&l->hub->rate), burst = atomic_load(&l->hub->burst), now = clock_mono_us();

    if (rate <= 0)
        return;
    int64_t passed = now - l->bucket_us;
    int64_t more = passed > 1000000000 ? burst : (int64_t)((double)passed * (double)rate / 1e6);
    l->bucket = more > burst - l->bucket ? burst : l->bucket + more;
    l->bucket_us = now;
    l->bucket -= (int64_t)bytes;
    if (l->bucket >= 0)
        return;
    atomic_fetch_add(&l->hub->counters.slowed, 1);
    stream_pause(l->stream, true);
    loop_timer_set(l->loop, &l->thaw, -l->bucket * 1000 / rate + 1, thaw);
}

static void readable(struct stream *s, void *arg)
{
    struct relay_link *l = arg;
    uint8_t *in = loop_scratch_in(l->loop);
    size_t old = l->partial.len;
    struct err e = {0};
    /* A frame has up to 64 KiB and its header; half of one may be buffered already. */
    long n = stream_read(s, in + old, old < READ_MAX ? READ_MAX - old : LOOP_SCRATCH - old, &e);

    if (n == 0)
        return;
    if (n < 0) {
        log_debug("relay", "connection ended: %s", e.message);
        link_close(l);
        return;
    }
    atomic_fetch_add(&l->bytes_in, (unsigned long long)n);
    atomic_fetch_add(&l->hub->counters.bytes_in, (unsigned long long)n);
    link_ref(l);
    if (old)
        memcpy(in, l->partial.data, old);
    if (l->state == LINK_READY)
        hub_active(l->hub, l);
    long done = do_frames(l, in, old + (size_t)n, &e);
    buf_release(&l->partial);
    if (done < 0)
        link_close_because(l, e.message);
    else if (l->state != LINK_CLOSED && (size_t)done < old + (size_t)n)
        buf_add(&l->partial, in + done, old + (size_t)n - (size_t)done);
    if (l->state == LINK_READY)
        charge(l, (size_t)n);
    link_unref(l);
}

static void writable(struct stream *s, void *arg)
{
    struct relay_link *l = arg;

    (void)s;
    link_run_flush(&l->flush);
}

static void no_login(struct loop_timer *timer)
{
    link_close_because(CONTAINER_OF(timer, struct relay_link, timer), "no login within 10 s");
}

bool link_open(struct relay_hub *h, struct stream *stream, const char *answer)
{
    static const struct stream_handler handler = {readable, writable};
    struct relay_link *l;
    enum login_pool pool;

    if (!hub_enter(h, &stream_peer(stream)->addr, &pool))
        return false;
    l = mem_alloc(sizeof(*l));

    l->pool = pool;
    l->flush.run = link_run_flush;
    l->mail.run = link_run_mail;
    atomic_init(&l->refs, 1);
    l->hub = h;
    l->loop = stream_loop(stream);
    l->stream = stream;
    l->from = *stream_peer(stream);
    l->since_ns = clock_wall_ns();
    l->gone_left = GONE_BURST;
    l->gone_at = loop_now(l->loop);
    l->bucket = atomic_load(&h->burst);
    l->bucket_us = clock_mono_us();
    pthread_mutex_init(&l->lock, NULL);
    atomic_fetch_add(&h->counters.accepted, 1);
    hub_add(h, l);
    stream_set_unsent_limit(stream, UNSENT_MAX);
    stream_set_user_timeout(stream, 15000);
    stream_set_keepalive(stream, 600, 30, 3);
    loop_timer_set(l->loop, &l->timer, LOGIN_MS, no_login);
    buf_adds(&l->control, answer);
    frame_put_server_key(&l->control, &h->keys);
    stream_handle(stream, &handler, l);
    loop_defer(l->loop, &l->flush);
    if (atomic_load(&h->stopping))
        link_kick(l);
    return true;
}

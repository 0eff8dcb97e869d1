/* SPDX-License-Identifier: BSD-3-Clause */
/* Records in, HTTP/2 out. */
#include "rpc/conn_io.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "rpc/call.h"
#include "rpc/http2.h"
#include "rpc/ping.h"

#define FLUSH_ROUNDS 16 /* before others have their turn */
#define UNSENT_LIMIT (64 * 1024)
#define FLUSH_BYTES  (64 * 1024) /* per round: bytes that a socket does not take are kept, for each slow client */

static void conn_flush(struct loop_task *task);
static void conn_read(struct rpc_conn *c);

static void readable(struct stream *s, void *arg)
{
    (void)s;
    conn_read(arg);
}

static void writable(struct stream *s, void *arg)
{
    (void)s;
    conn_touch(arg);
}

static const struct stream_handler handler = {readable, writable};

struct rpc_conn *conn_new(struct rpc_server *s, struct stream *stream, const struct noise_handshake *hs,
                          const struct noise_keys *keys, enum rpc_standing standing, void *lead, size_t lead_len)
{
    struct rpc_conn *c = mem_alloc(sizeof(*c));
    struct rpc_conn **list = &s->conns[loop_index(stream_loop(stream))];

    c->server = s;
    c->loop = stream_loop(stream);
    c->stream = stream;
    memcpy(c->machine_key, hs->machine_key, sizeof(c->machine_key));
    c->version = (uint16_t)hs->version;
    c->standing = standing;
    c->from = stream_peer(stream)->addr;
    addr_port_format(stream_peer(stream), c->peer);
    noise_reader_init(&c->in, keys->to_server);
    noise_writer_init(&c->out, keys->to_client);
    c->lead = lead;
    c->lead_len = lead_len;
    c->flush.run = conn_flush;
    c->opened = c->idle_since = loop_now(c->loop);
    flood_init(&c->flood, loop_now(c->loop));
    c->next = *list;
    if (c->next)
        c->next->prev = c;
    *list = c;
    atomic_fetch_add(&s->connections, 1);
    stream_handle(stream, &handler, c);
    stream_set_unsent_limit(stream, UNSENT_LIMIT);
    rpc_conn_set_user_timeout(c, 90000);
    ping_start(c, conn_read);
    conn_watch_deadlines(c);
    if (http2_start(c) < 0)
        conn_end(c, RPC_SHUTDOWN, "HTTP/2 cannot be started");
    conn_touch(c);
    return c;
}

static void conn_destroy(struct rpc_conn *c)
{
    struct rpc_server *s = c->server;

    c->closing = true;
    call_end_all(c);
    loop_undefer(c->loop, &c->flush);
    loop_timer_stop(c->loop, &c->ping.timer);
    loop_timer_stop(c->loop, &c->deadline);
    if (c->prev)
        c->prev->next = c->next;
    else
        s->conns[loop_index(c->loop)] = c->next;
    if (c->next)
        c->next->prev = c->prev;
    limits_leave(s->limits, c->standing, &c->from);
    if (c->proved)
        limits_leave_machine(s->limits, c->machine_key);
    nghttp2_session_del(c->h2);
    noise_reader_release(&c->in);
    noise_writer_release(&c->out);
    stream_shutdown(c->stream);
    stream_close(c->stream);
    free(c->held);
    free(c->lead);
    free(c->unsent);
    free(c);
    atomic_fetch_sub(&s->connections, 1);
}

/* ---- In ---- */

/* Keeps the beginning of a record for the next read: one record at most, and nothing while the client is idle. */
static void hold(struct rpc_conn *c, const uint8_t *rest, size_t len)
{
    free(c->held);
    c->held = len ? mem_dup(rest, len) : NULL;
    c->held_len = len;
}

static void conn_read(struct rpc_conn *c)
{
    uint8_t *in = loop_scratch_in(c->loop), *plain;
    size_t at = 0, plain_len;
    struct err e;

    if (c->closing)
        return;
    long n = stream_read(c->stream, in + c->held_len, LOOP_SCRATCH - c->held_len, &e);
    if (n < 0)
        conn_end(c, RPC_GONE, NULL);
    if (n <= 0)
        return;
    count_add(&c->server->bytes_in, (uint64_t)n);
    ping_heard(c);
    if (c->held_len)
        memcpy(in, c->held, c->held_len);
    size_t len = c->held_len + (size_t)n;
    while (!c->closing) {
        long taken = noise_reader_open(&c->in, in + at, len - at, &plain, &plain_len, &e);
        if (taken < 0)
            conn_abuse(c, e.message);
        if (taken <= 0)
            break;
        at += (size_t)taken;
        conn_prove(c);
        if (!c->closing)
            http2_feed(c, plain, plain_len);
    }
    hold(c, in + at, len - at);
    /* An acknowledgement of a PING, for instance, needs no write. */
    if (c->h2 && (nghttp2_session_want_write(c->h2) || !nghttp2_session_want_read(c->h2)))
        conn_touch(c);
}

/* ---- Out ---- */

/* Seals pending output into the loop's buffer; returns its length. */
static size_t produce(struct rpc_conn *c, uint8_t *out)
{
    size_t lead = c->lead_len;

    if (lead) {
        const struct buf *early = &c->server->early;
        memcpy(out, c->lead, lead);
        free(c->lead);
        c->lead = NULL;
        c->lead_len = 0;
        noise_writer_begin(&c->out, out + lead, FLUSH_BYTES);
        if (!stream_is_websocket(c->stream)) /* tailscale control/controlhttp/controlhttpserver */
            noise_writer_add(&c->out, early->data, early->len);
    } else {
        noise_writer_begin(&c->out, out, FLUSH_BYTES);
    }
    http2_produce(c);
    return lead + noise_writer_end(&c->out);
}

/* Writes, and keeps what the socket does not take. Bytes cannot be sealed again: the record counter has advanced. */
static bool write_all(struct rpc_conn *c, const uint8_t *bytes, size_t len)
{
    long n = stream_write(c->stream, bytes, len, NULL);

    if (n < 0) {
        conn_end(c, RPC_GONE, NULL);
        return false;
    }
    count_add(&c->server->bytes_out, (uint64_t)n);
    flood_sent(&c->flood, (size_t)n);
    if ((size_t)n == len)
        return true;
    c->unsent = mem_dup(bytes + n, len - (size_t)n);
    c->unsent_len = len - (size_t)n;
    c->unsent_at = 0;
    return false;
}

/* Continues with bytes that the socket did not take before; false while it still does not. */
static bool write_unsent(struct rpc_conn *c)
{
    if (!c->unsent)
        return true;
    long n = stream_write(c->stream, c->unsent + c->unsent_at, c->unsent_len - c->unsent_at, NULL);
    if (n < 0) {
        conn_end(c, RPC_GONE, NULL);
        return false;
    }
    count_add(&c->server->bytes_out, (uint64_t)n);
    flood_sent(&c->flood, (size_t)n);
    /* A full socket takes more only if the client reads: the PING is queued behind all of that. */
    if (n)
        ping_heard(c);
    c->unsent_at += (size_t)n;
    if (c->unsent_at < c->unsent_len)
        return false;
    free(c->unsent);
    c->unsent = NULL;
    return true;
}

/* Returns true if there is more to write than one turn should. */
static bool write_rounds(struct rpc_conn *c)
{
    uint8_t *out = loop_scratch_out(c->loop);

    if (!write_unsent(c))
        return false;
    for (unsigned round = 0; round < FLUSH_ROUNDS; round++) {
        call_written_all(c);
        call_pull_all(c);
        size_t len = produce(c, out);
        if (!len)
            return false;
        if (!write_all(c, out, len))
            return false;
    }
    return true;
}

static void conn_flush(struct loop_task *task)
{
    struct rpc_conn *c = CONTAINER_OF(task, struct rpc_conn, flush);
    bool more = c->h2 && write_rounds(c);

    call_finish_all(c);
    if (!c->closing && c->h2 && !nghttp2_session_want_read(c->h2) && !nghttp2_session_want_write(c->h2) && !c->unsent)
        conn_end(c, RPC_GONE, c->complaint ? nghttp2_strerror(c->complaint) : NULL);
    if (c->closing)
        conn_destroy(c);
    else if (more)
        conn_touch(c);
}

void conn_close_now(struct rpc_conn *c)
{
    rpc_conn_close(c);
    loop_undefer(c->loop, &c->flush);
    conn_flush(&c->flush);
}

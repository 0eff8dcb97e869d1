/* SPDX-License-Identifier: BSD-3-Clause */
#include "rpc/conn.h"

#include <assert.h>

#include "base/array.h"
#include "base/log.h"

void conn_touch(struct rpc_conn *c)
{
    loop_defer(c->loop, &c->flush);
}

void conn_end(struct rpc_conn *c, enum rpc_end why, const char *reason)
{
    static struct log_limit limit;

    if (c->closing)
        return;
    if (reason)
        log_limited(&limit, 30, LOG_LEVEL_INFO, "control", "connection from %s closed: %s", c->peer, reason);
    c->closing = true;
    c->why = why;
    conn_touch(c);
}

void conn_abuse(struct rpc_conn *c, const char *what)
{
    static struct log_limit limit;

    if (c->closing)
        return;
    log_limited(&limit, 30, LOG_LEVEL_WARN, "control", "connection from %s closed for abuse: %s", c->peer, what);
    if (c->h2)
        nghttp2_session_terminate_session(c->h2, NGHTTP2_ENHANCE_YOUR_CALM);
    conn_end(c, RPC_GONE, NULL);
}

static void stranger_due(struct loop_timer *timer)
{
    struct rpc_conn *c = CONTAINER_OF(timer, struct rpc_conn, stranger_timer);
    int64_t idle = loop_now(c->loop) - c->idle_since;

    if (c->standing != RPC_STRANGER)
        return;
    if (!c->call_count && idle >= CONN_STRANGER_MS)
        conn_end(c, RPC_SHUTDOWN, NULL);
    else
        loop_timer_set(c->loop, timer, c->call_count ? CONN_STRANGER_MS : CONN_STRANGER_MS - idle, stranger_due);
}

void conn_watch_stranger(struct rpc_conn *c)
{
    c->idle_since = loop_now(c->loop);
    loop_timer_set(c->loop, &c->stranger_timer, CONN_STRANGER_MS, stranger_due);
}

void conn_call_opened(struct rpc_conn *c)
{
    c->call_count++;
}

void conn_call_closed(struct rpc_conn *c)
{
    assert(c->call_count);
    if (--c->call_count == 0)
        c->idle_since = loop_now(c->loop);
}

void rpc_conn_set_standing(struct rpc_conn *c, enum rpc_standing standing)
{
    if (c->standing == standing)
        return;
    /* Who may no longer wait, or may not wait because too many do, is a stranger beyond the bound: it stays counted,
     * and its 30 seconds begin. */
    if (!limits_enter(c->server->limits, standing, &c->from)) {
        if (c->standing == RPC_STRANGER)
            return;
        conn_end(c, RPC_SHUTDOWN, "too many connections of unknown machines");
        return;
    }
    limits_leave(c->server->limits, c->standing, &c->from);
    c->standing = standing;
    if (standing == RPC_STRANGER)
        conn_watch_stranger(c);
    else
        loop_timer_stop(c->loop, &c->stranger_timer);
}

/* ---- For handlers ---- */

const uint8_t *rpc_conn_machine_key(const struct rpc_conn *c)
{
    return c->machine_key;
}

unsigned rpc_conn_version(const struct rpc_conn *c)
{
    return c->version;
}

const struct addr_port *rpc_conn_peer(const struct rpc_conn *c)
{
    return stream_peer(c->stream);
}

const char *rpc_conn_peer_text(const struct rpc_conn *c)
{
    return c->peer;
}

void rpc_conn_set_user_timeout(struct rpc_conn *c, unsigned ms)
{
    stream_set_user_timeout(c->stream, ms);
}

void rpc_conn_close(struct rpc_conn *c)
{
    if (c->closing)
        return;
    if (c->h2)
        nghttp2_session_terminate_session(c->h2, NGHTTP2_NO_ERROR);
    conn_end(c, RPC_SHUTDOWN, NULL);
}

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

/* ---- Deadlines ---- */

#define LOOK_MS          2000
#define LARGE_BODY_TIMES 4 /* times as long: the bound for requests whose larger body is accepted */

static bool is_unknown(const struct rpc_conn *c)
{
    return c->standing == RPC_STRANGER || c->standing == RPC_CLAIMED;
}

/* Which time limit it has exceeded, as a sentence; NULL: none. *more: a deadline is still to come. */
static const char *overdue(const struct rpc_conn *c, bool *more)
{
    const struct rpc_times *times = &c->server->options.times;
    int64_t now = loop_now(c->loop);

    *more = !c->proved || is_unknown(c);
    if (!c->proved && now - c->opened >= times->prove_ms)
        return "no record followed the handshake";
    if (is_unknown(c) && !c->call_count && now - c->idle_since >= times->idle_ms)
        return "a machine without a node asks for nothing";
    for (const struct rpc_call *call = c->calls; call; call = call->next) {
        *more |= call->state == CALL_READING;
        if (call->state == CALL_READING &&
            now - call->began >= times->request_ms * (call->body_max ? LARGE_BODY_TIMES : 1))
            return "a request does not become whole";
        if (is_unknown(c) && call->state != CALL_STREAMING && now - call->began >= times->call_ms)
            return "a machine without a node does not read its answer";
    }
    return NULL;
}

static void look_at_deadlines(struct loop_timer *timer)
{
    struct rpc_conn *c = CONTAINER_OF(timer, struct rpc_conn, deadline);
    bool more;
    const char *what = overdue(c, &more);

    if (what)
        conn_end(c, RPC_SHUTDOWN, what);
    else if (more)
        conn_watch_deadlines(c);
}

void conn_watch_deadlines(struct rpc_conn *c)
{
    unsigned tenth = c->server->options.times.prove_ms / 10;

    if (!loop_timer_is_set(&c->deadline))
        loop_timer_set(c->loop, &c->deadline, tenth < LOOK_MS ? tenth : LOOK_MS, look_at_deadlines);
}

void conn_call_opened(struct rpc_conn *c, struct rpc_call *call)
{
    call->began = loop_now(c->loop);
    c->call_count++;
    conn_watch_deadlines(c);
}

void conn_call_closed(struct rpc_conn *c)
{
    assert(c->call_count);
    if (--c->call_count == 0)
        c->idle_since = loop_now(c->loop);
}

/* ---- Standing ---- */

void conn_prove(struct rpc_conn *c)
{
    if (c->proved)
        return;
    c->proved = limits_enter_machine(c->server->limits, c->machine_key);
    if (!c->proved)
        conn_end(c, RPC_SHUTDOWN, "too many connections of this machine");
    else if (c->standing == RPC_CLAIMED)
        rpc_conn_set_standing(c, RPC_KNOWN);
}

void rpc_conn_set_standing(struct rpc_conn *c, enum rpc_standing standing)
{
    if (c->standing == standing)
        return;
    if (!limits_enter(c->server->limits, standing, &c->from)) {
        /* Too many wait already: it keeps its standing and that standing's time limits. A known or waiting connection
         * that becomes a stranger has no place. */
        if (standing == RPC_STRANGER)
            conn_end(c, RPC_SHUTDOWN, "too many connections of unknown machines");
        return;
    }
    limits_leave(c->server->limits, c->standing, &c->from);
    if (standing == RPC_KNOWN)
        proved_add(c->server->proved, &c->from);
    c->standing = standing;
    c->idle_since = loop_now(c->loop);
    conn_watch_deadlines(c);
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

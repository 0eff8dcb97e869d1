/* SPDX-License-Identifier: BSD-3-Clause */
#include "rpc/call.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

/* ---- Bytes of an answer ---- */

void rpc_bytes_add(struct rpc_bytes *out, struct chunk *c)
{
    if (!c->len) {
        chunk_unref(c);
        return;
    }
    vec_push(&out->chunks, c);
    out->available += c->len;
}

void rpc_bytes_copy(struct rpc_bytes *out, const void *bytes, size_t len)
{
    rpc_bytes_add(out, chunk_new(bytes, len));
}

void bytes_release(struct rpc_bytes *b)
{
    for (size_t i = b->first; i < b->chunks.len; i++)
        chunk_unref(b->chunks.items[i]);
    vec_release(&b->chunks);
    b->first = b->offset = b->available = 0;
}

/* ---- The life of a call ---- */

struct rpc_call *call_new(struct rpc_conn *c, int32_t stream_id)
{
    struct rpc_call *call = mem_alloc(sizeof(*call));

    call->rpc.conn = c;
    call->rpc.loop = c->loop;
    call->stream_id = stream_id;
    call->next = c->calls;
    c->calls = call;
    conn_call_opened(c, call);
    return call;
}

static void drop_body(struct rpc_call *call)
{
    if (!call->body_max)
        call->rpc.conn->bodies -= call->body.len;
    /* It may hold an auth key. */
    if (call->body.data)
        crypto_wipe(call->body.data, call->body.cap);
    buf_release(&call->body);
    call->rpc.body = NULL;
    call->rpc.body_len = 0;
}

void call_overflow(struct rpc_call *call)
{
    drop_body(call);
    call->state = CALL_OPEN;
    call->handled = true;
    call->route->handler(&call->rpc, call->rpc.conn->server->options.arg);
}

void rpc_drop_body(struct rpc *rpc)
{
    drop_body((struct rpc_call *)rpc);
}

/* Notifies the handler, and frees the call, which must be in no list any more. */
static void finish(struct rpc_call *call, enum rpc_end why)
{
    struct rpc_conn *c = call->rpc.conn;

    if (call->handled && call->rpc.on_close)
        call->rpc.on_close(&call->rpc, why);
    drop_body(call);
    bytes_release(&call->out);
    free(call->method);
    free(call->path);
    free(call->authority);
    free(call->content_type);
    free(call);
    conn_call_closed(c);
}

void call_finish_all(struct rpc_conn *c)
{
    struct rpc_call **at = &c->calls;

    while (*at) {
        struct rpc_call *call = *at;
        if (call->closed && (call->why != RPC_DONE || !c->unsent)) {
            *at = call->next;
            finish(call, call->why);
        } else {
            at = &call->next;
        }
    }
}

void call_end_all(struct rpc_conn *c)
{
    while (c->calls) {
        struct rpc_call *call = c->calls;
        c->calls = call->next;
        finish(call, call->closed ? call->why : c->why);
    }
}

static void find_route(struct rpc_call *call, const struct rpc_server_options *o)
{
    const struct rpc *rpc = &call->rpc;

    for (size_t i = 0; i < o->route_count && !call->route; i++) {
        const struct rpc_route *r = &o->routes[i];
        if (!(r->prefix ? str_starts(rpc->path, r->path) : str_eq(rpc->path, r->path)))
            continue;
        call->path_known = true;
        if (!r->method || str_eq(rpc->method, r->method))
            call->route = r;
    }
}

void call_head(struct rpc_call *call)
{
    struct rpc *rpc = &call->rpc;
    const struct rpc_server_options *o = &rpc->conn->server->options;

    char *mark = call->path ? strchr(call->path, '?') : NULL;
    if (mark)
        *mark = '\0';
    rpc->method = call->method ? call->method : "";
    rpc->path = call->path ? call->path : "";
    rpc->query = mark ? mark + 1 : "";
    rpc->authority = call->authority ? call->authority : "";
    rpc->content_type = call->content_type ? call->content_type : "";
    find_route(call, o);
    if (call->route && o->body_max)
        call->body_max = o->body_max(rpc, o->arg);
}

void call_dispatch(struct rpc_call *call)
{
    struct rpc *rpc = &call->rpc;
    struct rpc_server *s = rpc->conn->server;

    call->state = CALL_OPEN;
    rpc->body = (const uint8_t *)buf_text(&call->body);
    rpc->body_len = call->body.len;
    count_add(&s->calls, 1);
    if (rpc->conn->standing != RPC_KNOWN && rpc->conn->call_count > CONN_CALLS_UNKNOWN) {
        call_refuse(call, 429, "too many calls at a time");
        return;
    }
    if (call->route) {
        call->handled = true;
        call->route->handler(rpc, s->options.arg);
    } else if (call->path_known) {
        rpc_reply_text(rpc, 405, "method not allowed\n");
    } else {
        rpc_reply_text(rpc, 404, "not found\n");
    }
}

/* ---- Answers ---- */

static ssize_t read_body(nghttp2_session *h2, int32_t stream_id, uint8_t *to, size_t len, uint32_t *flags,
                         nghttp2_data_source *source, void *arg)
{
    struct rpc_call *call = source->ptr;
    size_t n = call->out.available < len ? call->out.available : len;

    (void)h2;
    (void)stream_id;
    (void)to;
    (void)arg;
    if (!n && !call->ended)
        return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (call->ended && n == call->out.available)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

struct response_fields {
    nghttp2_nv items[4];
    size_t count;
    char status[8], length[24], retry[16];
};

static void add_field(struct response_fields *h, const char *name, const char *value)
{
    h->items[h->count++] = (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
                                        strlen(value), NGHTTP2_NV_FLAG_NONE};
}

/* length -1: unknown. Returns false if the answer comes too late, because the call or its connection has ended. */
static bool send_head(struct rpc_call *call, int status, const char *content_type, long long length, bool body)
{
    struct rpc_conn *c = call->rpc.conn;
    nghttp2_data_provider provider = {.source.ptr = call, .read_callback = read_body};
    struct response_fields h = {0};

    assert(call->state <= CALL_OPEN);
    if (call->closed || c->closing) {
        call->state = CALL_ANSWERED;
        return false;
    }
    snprintf(h.status, sizeof(h.status), "%d", status);
    add_field(&h, ":status", h.status);
    if (content_type)
        add_field(&h, "content-type", content_type);
    if (length >= 0 && status != 204) {
        snprintf(h.length, sizeof(h.length), "%lld", length);
        add_field(&h, "content-length", h.length);
    }
    if (call->retry_after) {
        snprintf(h.retry, sizeof(h.retry), "%u", call->retry_after);
        add_field(&h, "retry-after", h.retry);
    }
    if (nghttp2_submit_response(c->h2, call->stream_id, h.items, h.count, body ? &provider : NULL) < 0) {
        conn_end(c, RPC_GONE, "an answer cannot be sent");
        return false;
    }
    conn_touch(c);
    return true;
}

void rpc_reply(struct rpc *rpc, int status, const char *content_type, const void *bytes, size_t len)
{
    struct rpc_call *call = (struct rpc_call *)rpc;
    bool body = len && (!call->method || !str_eq(call->method, "HEAD"));

    call->ended = true;
    if (!send_head(call, status, content_type, (long long)len, body))
        return;
    call->state = CALL_ANSWERED;
    call->announce = true;
    if (body)
        rpc_bytes_copy(&call->out, bytes, len);
}

void rpc_reply_text(struct rpc *rpc, int status, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    rpc_reply(rpc, status, "text/plain; charset=utf-8", text,
              n < 0                      ? 0
              : (size_t)n < sizeof(text) ? (size_t)n
                                         : sizeof(text) - 1);
}

void rpc_retry_after(struct rpc *rpc, unsigned seconds)
{
    ((struct rpc_call *)rpc)->retry_after = seconds;
}

void call_refuse(struct rpc_call *call, int status, const char *text)
{
    static struct log_limit limit;

    log_limited(&limit, 10, LOG_LEVEL_WARN, "control", "request from %s refused: %s", call->rpc.conn->peer, text);
    drop_body(call);
    rpc_reply_text(&call->rpc, status, "%s\n", text);
}

/* ---- Streams ---- */

void rpc_stream_start(struct rpc *rpc, int status, const char *content_type, rpc_pull *pull)
{
    struct rpc_call *call = (struct rpc_call *)rpc;

    if (!send_head(call, status, content_type, -1, true))
        return;
    call->state = CALL_STREAMING;
    call->pull = pull;
}

void rpc_stream_ready(struct rpc *rpc)
{
    struct rpc_call *call = (struct rpc_call *)rpc;

    call->ready = true;
    conn_touch(rpc->conn);
}

void rpc_stream_end(struct rpc *rpc)
{
    struct rpc_call *call = (struct rpc_call *)rpc;

    if (call->ended || call->state != CALL_STREAMING || call->closed || rpc->conn->closing)
        return;
    call->ended = true;
    nghttp2_session_resume_data(rpc->conn->h2, call->stream_id);
    conn_touch(rpc->conn);
}

void call_pull_all(struct rpc_conn *c)
{
    for (struct rpc_call *call = c->calls; call && !c->closing; call = call->next) {
        if (call->state != CALL_STREAMING || !call->ready || call->closed || call->ended || call->out.available)
            continue;
        call->ready = false;
        call->pull(&call->rpc, &call->out);
        if (!call->out.available)
            continue;
        call->ready = call->announce = true; /* pulled again once this has been written */
        nghttp2_session_resume_data(c->h2, call->stream_id);
    }
}

void call_written_all(struct rpc_conn *c)
{
    for (struct rpc_call *call = c->calls; call; call = call->next) {
        if (call->state >= CALL_ANSWERED)
            drop_body(call);
        if (!call->announce || call->out.available)
            continue;
        call->announce = false;
        if (call->handled && !c->closing && call->rpc.on_written)
            call->rpc.on_written(&call->rpc);
    }
}

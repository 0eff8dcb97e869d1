/* SPDX-License-Identifier: BSD-3-Clause */
/* HTTP/2 by nghttp2: frames become calls, answers become frames. Bodies of answers are never copied: nghttp2 makes the
 * frame header, and the bytes go from the shared chunk through the cipher into the buffer that is written. */
#include "rpc/http2.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "rpc/call.h"
#include "rpc/ping.h"

static struct rpc_call *stream_call(nghttp2_session *h2, int32_t stream_id)
{
    return nghttp2_session_get_stream_user_data(h2, stream_id);
}

/* ---- In ---- */

/* The allowance that a frame is charged to; false: none. */
static bool flood_kind_of(struct rpc_conn *c, unsigned type, unsigned flags, size_t len, enum flood_kind *kind)
{
    *kind = FLOOD_CONTROL;
    switch (type) {
    case NGHTTP2_DATA:
        return len == 0 && !(flags & NGHTTP2_FLAG_END_STREAM);
    case NGHTTP2_HEADERS:
        *kind = FLOOD_REQUEST;
        return true;
    case NGHTTP2_RST_STREAM:
        *kind = FLOOD_RESET;
        return true;
    case NGHTTP2_WINDOW_UPDATE:
        *kind = FLOOD_WINDOW;
        return true;
    case NGHTTP2_PING:
        return !(flags & NGHTTP2_FLAG_ACK) || !ping_is_expected(c);
    case NGHTTP2_PRIORITY:
    case NGHTTP2_SETTINGS:
    case NGHTTP2_PUSH_PROMISE:
    case NGHTTP2_GOAWAY:
    case NGHTTP2_CONTINUATION:
        return true;
    default:
        *kind = FLOOD_UNKNOWN;
        return true;
    }
}

/* Parses frame boundaries itself, ahead of nghttp2, which does not report every frame (not those of unknown type). */
static bool afford_frames(struct rpc_conn *c, const uint8_t *bytes, size_t len)
{
    struct frame_cursor *f = &c->frames;

    while (len) {
        if (f->skip) {
            size_t n = f->skip < len ? f->skip : len;
            f->skip -= (uint32_t)n;
            bytes += n;
            len -= n;
            continue;
        }
        f->head[f->head_len++] = *bytes++;
        len--;
        if (f->head_len < sizeof(f->head))
            continue;
        enum flood_kind kind;
        f->head_len = 0;
        f->skip = (uint32_t)f->head[0] << 16 | (uint32_t)f->head[1] << 8 | f->head[2];
        if (flood_kind_of(c, f->head[3], f->head[4], f->skip, &kind) &&
            !flood_spend(&c->flood, kind, loop_now(c->loop))) {
            conn_abuse(c, flood_name(kind));
            return false;
        }
    }
    return true;
}

static int on_begin_headers(nghttp2_session *h2, const nghttp2_frame *frame, void *arg)
{
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        struct rpc_call *call = call_new(arg, frame->hd.stream_id);
        nghttp2_session_set_stream_user_data(h2, frame->hd.stream_id, call);
    }
    return 0;
}

static int on_header(nghttp2_session *h2, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                     const uint8_t *value, size_t value_len, uint8_t flags, void *arg)
{
    struct rpc_conn *c = arg;
    struct rpc_call *call = stream_call(h2, frame->hd.stream_id);

    (void)flags;
    if (!call)
        return 0;
    call->headers += name_len + value_len + 32;
    if (call->headers > CONN_HEADERS_MAX) {
        conn_abuse(c, "the headers of a request are too large");
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    const struct {
        const char *name;
        char **to;
    } wanted[] = {{":method", &call->method},
                  {":path", &call->path},
                  {":authority", &call->authority},
                  {"content-type", &call->content_type}};
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        if (strlen(wanted[i].name) == name_len && memcmp(wanted[i].name, name, name_len) == 0 && !*wanted[i].to)
            *wanted[i].to = mem_strndup((const char *)value, value_len);
    return 0;
}

static int on_data(nghttp2_session *h2, uint8_t flags, int32_t stream_id, const uint8_t *bytes, size_t len, void *arg)
{
    struct rpc_conn *c = arg;
    struct rpc_call *call = stream_call(h2, stream_id);

    (void)flags;
    if (!call || call->state != CALL_READING) {
        c->ignored += len;
        if (c->ignored <= CONN_IGNORED_MAX)
            return 0;
        conn_abuse(c, "bodies that nobody asked for");
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (call->body_max) {
        if (call->body.len + len > call->body_max)
            call_overflow(call);
        else
            buf_add(&call->body, bytes, len);
        return 0;
    }
    if (c->bodies + len > (c->standing == RPC_KNOWN ? CONN_BODIES_MAX : CONN_BODIES_UNKNOWN)) {
        call_refuse(call, 413,
                    c->standing == RPC_KNOWN ? "the request bodies on this connection exceed 1 MiB"
                                             : "the request bodies of a machine without a node exceed 128 KiB");
        return 0;
    }
    c->bodies += len;
    buf_add(&call->body, bytes, len);
    return 0;
}

static int on_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *arg)
{
    struct rpc_conn *c = arg;

    if (frame->hd.type == NGHTTP2_PING && frame->hd.flags & NGHTTP2_FLAG_ACK)
        ping_answered(c, frame->ping.opaque_data);
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    struct rpc_call *call = stream_call(h2, frame->hd.stream_id);
    if (!call || call->state != CALL_READING)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        call_head(call);
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        call_dispatch(call);
    return 0;
}

static int on_invalid_frame(nghttp2_session *h2, const nghttp2_frame *frame, int error, void *arg)
{
    struct rpc_conn *c = arg;

    (void)h2;
    (void)frame;
    c->complaint = error;
    return 0;
}

static int on_stream_close(nghttp2_session *h2, int32_t stream_id, uint32_t error, void *arg)
{
    struct rpc_call *call = stream_call(h2, stream_id);

    if (!call)
        return 0;
    call->closed = true;
    call->why = error == NGHTTP2_NO_ERROR && call->ended && !call->out.available ? RPC_DONE : RPC_RESET;
    conn_touch(arg);
    return 0;
}

void http2_feed(struct rpc_conn *c, const uint8_t *bytes, size_t len)
{
    if (!len || !afford_frames(c, bytes, len))
        return;
    ssize_t n = nghttp2_session_mem_recv(c->h2, bytes, len);
    if (n < 0)
        conn_abuse(c, nghttp2_strerror((int)n));
}

/* ---- Out ---- */

/* The header of a DATA frame without padding. nghttp2's own (head) may be gone by a second attempt: its buffer is
 * shared by all connections of the loop. */
static void data_head(const nghttp2_frame *frame, size_t len, uint8_t out[9])
{
    uint32_t id = (uint32_t)frame->hd.stream_id;
    const uint8_t head[9] = {(uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len,
                             NGHTTP2_DATA,         frame->hd.flags,     (uint8_t)(id >> 24),
                             (uint8_t)(id >> 16),  (uint8_t)(id >> 8),  (uint8_t)id};

    memcpy(out, head, sizeof(head));
}

static int send_data(nghttp2_session *h2, nghttp2_frame *frame, const uint8_t *head, size_t len,
                     nghttp2_data_source *source, void *arg)
{
    struct rpc_conn *c = arg;
    struct rpc_call *call = source->ptr;
    struct rpc_bytes *out = &call->out;
    uint8_t own_head[9];

    (void)h2;
    (void)head;
    /* After this one nghttp2 may emit one more frame of any kind, without asking. */
    if (noise_writer_room(&c->out) < 9 + len + CONN_FRAME_MAX)
        return NGHTTP2_ERR_WOULDBLOCK;
    data_head(frame, len, own_head);
    noise_writer_add(&c->out, own_head, sizeof(own_head));
    out->available -= len;
    while (len) {
        struct chunk *chunk = out->chunks.items[out->first];
        size_t n = chunk->len - out->offset < len ? chunk->len - out->offset : len;
        noise_writer_add(&c->out, chunk->data + out->offset, n);
        len -= n;
        out->offset += n;
        if (out->offset == chunk->len) {
            chunk_unref(chunk);
            out->first++;
            out->offset = 0;
        }
    }
    if (!out->available)
        bytes_release(out);
    return 0;
}

void http2_produce(struct rpc_conn *c)
{
    const uint8_t *bytes;
    ssize_t n;

    while (noise_writer_room(&c->out) >= CONN_FRAME_MAX && (n = nghttp2_session_mem_send(c->h2, &bytes)) != 0) {
        if (n < 0) {
            conn_end(c, RPC_GONE, nghttp2_strerror((int)n));
            return;
        }
        noise_writer_add(&c->out, bytes, (size_t)n);
    }
}

/* ---- Memory ---- */

/* A session holds a buffer for one frame of the largest size. It uses it only within one call of
 * nghttp2_session_mem_send, whose result is sealed at once, so one buffer serves all connections of a loop. (send_data
 * handles the exception, a DATA frame that is tried again.) */
#define FRAME_BUFFER_MIN  12000
#define FRAME_BUFFER_SIZE 20000

static uint8_t **shared_buffer(struct rpc_conn *c)
{
    return &c->server->frame_buffers[loop_index(c->loop)];
}

static void *h2_malloc(size_t size, void *arg)
{
    struct rpc_conn *c = arg;
    uint8_t **buffer = shared_buffer(c);

    if (c->has_frame_buffer || size < FRAME_BUFFER_MIN || size > FRAME_BUFFER_SIZE)
        return malloc(size);
    if (!*buffer)
        *buffer = malloc(FRAME_BUFFER_SIZE);
    c->has_frame_buffer = *buffer != NULL;
    return *buffer;
}

static void h2_free(void *block, void *arg)
{
    struct rpc_conn *c = arg;

    if (block && block == *shared_buffer(c))
        c->has_frame_buffer = false;
    else
        free(block);
}

static void *h2_calloc(size_t n, size_t size, void *arg)
{
    (void)arg;
    return calloc(n, size);
}

static void *h2_realloc(void *block, size_t size, void *arg)
{
    struct rpc_conn *c = arg;

    if (!block)
        return h2_malloc(size, arg);
    if (block != *shared_buffer(c))
        return realloc(block, size);
    void *fresh = malloc(size);
    if (fresh) {
        memcpy(fresh, block, size < FRAME_BUFFER_SIZE ? size : FRAME_BUFFER_SIZE);
        h2_free(block, arg);
    }
    return fresh;
}

/* ---- Setting up ---- */

int http2_server_init(struct rpc_server *s, struct err *e)
{
    if (nghttp2_session_callbacks_new(&s->callbacks) < 0 || nghttp2_option_new(&s->h2_options) < 0)
        return err_set(e, ERR_INTERNAL, "nghttp2 cannot be used");
    nghttp2_session_callbacks_set_on_begin_headers_callback(s->callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(s->callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(s->callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(s->callbacks, on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(s->callbacks, on_invalid_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(s->callbacks, on_stream_close);
    nghttp2_session_callbacks_set_send_data_callback(s->callbacks, send_data);
    /* Small sessions: no table for the few headers, no memory of closed streams, few answers waiting to be written. */
    nghttp2_option_set_max_deflate_dynamic_table_size(s->h2_options, 0);
    nghttp2_option_set_no_closed_streams(s->h2_options, 1);
    nghttp2_option_set_max_reserved_remote_streams(s->h2_options, 0);
    nghttp2_option_set_max_outbound_ack(s->h2_options, 200);
    nghttp2_option_set_max_send_header_block_length(s->h2_options, 4096);
    return 0;
}

int http2_start(struct rpc_conn *c)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, CONN_STREAMS_MAX},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, CONN_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, CONN_HEADERS_MAX},
    };

    nghttp2_mem mem = {c, h2_malloc, h2_free, h2_calloc, h2_realloc};

    c->frames.skip = NGHTTP2_CLIENT_MAGIC_LEN;
    if (nghttp2_session_server_new3(&c->h2, c->server->callbacks, c, c->server->h2_options, &mem) < 0)
        return ERR_INTERNAL;
    return nghttp2_submit_settings(c->h2, NGHTTP2_FLAG_NONE, settings, ARRAY_LEN(settings));
}

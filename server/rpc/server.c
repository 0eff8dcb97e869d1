/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks the POST to /ts2021; starts and ends all connections. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "crypto/crypto.h"
#include "net/head.h"
#include "net/url.h"
#include "rpc/conn_io.h"
#include "rpc/handshake.h"
#include "rpc/http2.h"
#include "rpc/queue.h"

static const char upgrade[] = "tailscale-control-protocol"; /* also the protocol of a WebSocket */
#define INITIATION_MAX (NOISE_INITIATION_LEN + 64)

static const char handshake_field[] = "X-Tailscale-Handshake";

/* The challenge with which clients up to v1.88 could prove a node key in a header. headway never asks for that proof,
 * so one challenge serves all connections; a fresh one for each would cost as much as the rest of the answer. */
static void make_early(struct buf *early)
{
    uint8_t private_key[CRYPTO_KEY_LEN], public_key[CRYPTO_KEY_LEN];
    struct buf json = BUF_INIT(0);

    crypto_x25519_generate(private_key, public_key);
    crypto_wipe(private_key, sizeof(private_key));
    buf_adds(&json, "{\"nodeKeyChallenge\":\"chalpub:");
    crypto_hex(&json, public_key, sizeof(public_key));
    buf_adds(&json, "\"}");
    buf_adds(early, "\xff\xff\xffTS");
    buf_add(early, (uint8_t[]){0, 0, 0, (uint8_t)json.len}, 4); /* big-endian */
    buf_add(early, json.data, json.len);
    buf_release(&json);
}

static void fill_times(struct rpc_times *t)
{
    t->prove_ms = t->prove_ms ? t->prove_ms : 10000;
    t->request_ms = t->request_ms ? t->request_ms : 30000;
    t->idle_ms = t->idle_ms ? t->idle_ms : 30000;
    t->call_ms = t->call_ms ? t->call_ms : 60000;
}

struct rpc_server *rpc_server_new(const struct rpc_server_options *options, struct err *e)
{
    struct rpc_server *s = mem_alloc(sizeof(*s));

    s->options = *options;
    fill_times(&s->options.times);
    s->limits = limits_new();
    s->proved = proved_new();
    s->conns = mem_alloc(loops_count(options->loops) * sizeof(struct rpc_conn *));
    s->frame_buffers = mem_alloc(loops_count(options->loops) * sizeof(uint8_t *));
    s->queues = mem_alloc(loops_count(options->loops) * sizeof(*s->queues));
    noise_server_init(&s->noise, options->private_key);
    crypto_wipe(s->options.private_key, sizeof(s->options.private_key));
    make_early(&s->early);
    if (http2_server_init(s, e) < 0) {
        rpc_server_free(s);
        return NULL;
    }
    return s;
}

static void close_all(struct loop *l, void *arg)
{
    struct rpc_server *s = arg;
    struct rpc_conn **list = &s->conns[loop_index(l)];

    queue_end(&s->queues[loop_index(l)]);
    while (*list)
        conn_close_now(*list);
}

void rpc_server_free(struct rpc_server *s)
{
    if (!s)
        return;
    unsigned count = loops_count(s->options.loops);

    atomic_store(&s->stopping, true);
    if (s->h2_options)
        loops_run(s->options.loops, close_all, s);
    nghttp2_session_callbacks_del(s->callbacks);
    nghttp2_option_del(s->h2_options);
    noise_server_release(&s->noise);
    limits_free(s->limits);
    proved_free(s->proved);
    buf_release(&s->early);
    for (unsigned i = 0; i < count; i++)
        free(s->frame_buffers[i]);
    free(s->frame_buffers);
    free(s->queues);
    free(s->conns);
    free(s);
}

/* ---- Accepting ---- */

static void refuse(struct stream *stream, const char *status, const char *text)
{
    struct buf out = BUF_INIT(0);

    buf_addf(&out,
             "HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n"
             "Connection: close\r\n\r\n%s\n",
             status, strlen(text) + 1, text);
    stream_write(stream, out.data, out.len, NULL);
    buf_release(&out);
    stream_shutdown(stream);
    stream_close(stream);
}

/* Reasons to refuse the request by its header; NULL: none. */
static const char *check_head(const struct head *head, const char **status)
{
    const char *length = head_get(head, "Content-Length");

    *status = "400 Bad Request";
    if (!str_eq(head->method, "POST")) {
        *status = "405 Method Not Allowed";
        return "This address takes POST.";
    }
    if (!head_has_word(head, "Upgrade", upgrade))
        return "No \"Upgrade: tailscale-control-protocol\" arrived. A proxy in between may have to be told to pass it "
               "on.";
    /* "Connection: upgrade" is not required: nginx, configured as headscale's documentation says, sends keep-alive, and
     * passes on the 101 all the same. */
    if (head_get(head, "Transfer-Encoding") || (length && !str_eq(length, "0")))
        return "This request takes no body.";
    return NULL;
}

static void handshake(struct rpc_server *s, struct stream *stream, const uint8_t *message, size_t len)
{
    static struct log_limit limit;
    char peer[ADDR_PORT_TEXT_MAX];
    struct noise_handshake hs;
    enum rpc_standing standing;
    struct err e;

    if (noise_read_initiation(&s->noise, message, len, &hs, &e) < 0) {
        count_add(&s->handshakes_failed, 1);
        log_limited(&limit, 10, LOG_LEVEL_INFO, "control", "handshake from %s refused: %s",
                    addr_port_format(stream_peer(stream), peer), e.message);
        handshake_refuse(stream, e.message);
        return;
    }
    if (handshake_admit(s, &hs, &stream_peer(stream)->addr, &standing))
        handshake_finish(s, stream, &hs, standing);
    else if (!queue_add(s, stream, &hs))
        handshake_refuse_full(stream);
    crypto_wipe(&hs, sizeof(hs));
}

static void accept_post(struct rpc_server *s, struct stream *stream, const struct head *head)
{
    const char *status, *why = check_head(head, &status), *text = head_get(head, handshake_field);
    uint8_t message[INITIATION_MAX];
    long len;

    if (why)
        refuse(stream, status, why);
    else if (!text || (len = crypto_unbase64(text, strlen(text), message, sizeof(message))) < 0)
        refuse(stream, status, "The X-Tailscale-Handshake header is missing or not base64.");
    else
        handshake(s, stream, message, (size_t)len);
}

/* Clients in browsers, which cannot set header fields (tailscale control/controlhttp/client_js.go). */
static void accept_websocket(struct rpc_server *s, struct stream *stream, const struct head *head)
{
    struct arena arena = ARENA_INIT(HEAD_MAX * 4);
    const char *text = url_parameter(&arena, head->query, handshake_field);
    uint8_t message[INITIATION_MAX];
    long len = text ? crypto_unbase64(text, strlen(text), message, sizeof(message)) : -1;
    struct err e;
    int code = 0;

    arena_release(&arena);
    if (len < 0)
        refuse(stream, "400 Bad Request", "The parameter X-Tailscale-Handshake is missing or not base64.");
    else if ((code = stream_upgrade_websocket(stream, head, upgrade, &e)) == ERR_GONE)
        stream_close(stream);
    else if (code < 0)
        refuse(stream, "400 Bad Request", e.message);
    else
        handshake(s, stream, message, (size_t)len);
}

void rpc_server_accept(struct rpc_server *s, struct stream *stream, const struct head *head)
{
    if (atomic_load(&s->stopping))
        stream_close(stream);
    else if (head_has_word(head, "Upgrade", "websocket"))
        accept_websocket(s, stream, head);
    else
        accept_post(s, stream, head);
}

bool rpc_server_is_proved(struct rpc_server *s, const struct addr *from)
{
    return proved_has(s->proved, from);
}

void rpc_server_counts(struct rpc_server *s, struct rpc_counts *out)
{
    *out = (struct rpc_counts){
        .connections = atomic_load(&s->connections),
        .handshakes = atomic_load(&s->handshakes),
        .handshakes_failed = atomic_load(&s->handshakes_failed),
        .calls = atomic_load(&s->calls),
        .bytes_in = atomic_load(&s->bytes_in),
        .bytes_out = atomic_load(&s->bytes_out),
        .pings = atomic_load(&s->pings),
        .dead = atomic_load(&s->dead),
    };
    limits_count(s->limits, out);
}

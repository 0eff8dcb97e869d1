/* SPDX-License-Identifier: BSD-3-Clause */
/* What a client with a finished handshake can send: HTTP/2 of any kind, into calls and streams. The loop's thread does
 * not run; the test is the loop. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "rpc/conn_io.h"
#include "rpc/http2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void echo(struct rpc *rpc, void *arg)
{
    (void)arg;
    rpc_reply(rpc, 200, "application/json", rpc->body, rpc->body_len);
}

static void pull(struct rpc *rpc, struct rpc_bytes *out)
{
    unsigned left = (unsigned)(uintptr_t)rpc->user;

    if (left) {
        rpc_bytes_copy(out, "message", 7);
        rpc->user = (void *)(uintptr_t)(left - 1);
    } else {
        rpc_stream_end(rpc);
    }
}

static void talk(struct rpc *rpc, void *arg)
{
    (void)arg;
    rpc->user = (void *)(uintptr_t)3;
    rpc_stream_start(rpc, 200, NULL, pull);
    rpc_stream_ready(rpc);
}

static void wait_without_end(struct rpc *rpc, void *arg)
{
    (void)rpc;
    (void)arg;
}

static const struct rpc_route routes[] = {
    {"POST", "/e", true, echo}, {"GET", "/t", true, talk}, {NULL, "/w", true, wait_without_end}};

static bool knows(void *arg, const uint8_t key[CRYPTO_KEY_LEN])
{
    (void)arg;
    (void)key;
    return true;
}

static struct rpc_server *server(struct loops **loops)
{
    static struct loops *all;
    static struct rpc_server *made;
    struct rpc_server_options o = {.routes = routes, .route_count = 3, .knows = knows, .private_key = {8, [31] = 64}};

    if (!made) {
        log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
        o.loops = all = loops_new(1, NULL);
        made = rpc_server_new(&o, NULL);
    }
    *loops = all;
    return made;
}

/* The first byte says how the rest is cut into reads. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct noise_handshake hs = {.version = 131};
    struct noise_keys keys = {0};
    struct loops *loops;
    struct rpc_server *s = server(&loops);
    int pair[2];

    if (size < 2 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
        return 0;
    struct stream *stream = stream_new(loops_at(loops, 0), pair[0], NULL, &(struct addr_port){0}, NULL);
    struct rpc_conn *c = conn_new(s, stream, &hs, &keys, RPC_KNOWN, mem_strdup("x"), 1);
    http2_feed(c, (const uint8_t *)NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN);
    size_t step = data[0] ? data[0] : size;
    for (size_t at = 1; at < size && s->conns[0] && !c->closing; at += step) {
        http2_feed(c, data + at, step < size - at ? step : size - at);
        if (data[0] & 1) {
            loop_undefer(c->loop, &c->flush);
            c->flush.run(&c->flush); /* may be its end */
        }
    }
    if (s->conns[0])
        conn_close_now(c);
    struct rpc_counts counts;
    rpc_server_counts(s, &counts);
    if (counts.connections)
        __builtin_trap();
    close(pair[1]);
    return 0;
}

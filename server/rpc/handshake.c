/* SPDX-License-Identifier: BSD-3-Clause */
#include "rpc/handshake.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "rpc/conn_io.h"

static const char switching[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: tailscale-control-protocol\r\n"
                                "Connection: upgrade\r\n\r\n";
#define SWITCHING_LEN (sizeof(switching) - 1)

void handshake_refuse(struct stream *stream, const char *text)
{
    struct buf out = BUF_INIT(0);
    size_t len = strlen(text);

    if (!stream_is_websocket(stream))
        buf_add(&out, switching, SWITCHING_LEN);
    buf_add(&out, (uint8_t[]){NOISE_ERROR, (uint8_t)(len >> 8), (uint8_t)len}, NOISE_HEAD_LEN);
    buf_adds(&out, text);
    stream_write(stream, out.data, out.len, NULL);
    buf_release(&out);
    stream_shutdown(stream);
    stream_close(stream);
}

bool handshake_admit(struct rpc_server *s, const struct noise_handshake *hs, const struct addr *from,
                     enum rpc_standing *standing)
{
    *standing = s->options.knows(s->options.arg, hs->machine_key) ? RPC_CLAIMED : RPC_STRANGER;
    return limits_enter(s->limits, *standing, from);
}

void handshake_refuse_full(struct stream *stream)
{
    static struct log_limit limit;
    char peer[ADDR_PORT_TEXT_MAX];

    log_limited(&limit, 10, LOG_LEVEL_WARN, "control", "connection from %s refused: too many like it",
                addr_port_format(stream_peer(stream), peer));
    handshake_refuse(stream, "too many connections of unknown machines; try again later");
}

void handshake_finish(struct rpc_server *s, struct stream *stream, struct noise_handshake *hs,
                      enum rpc_standing standing)
{
    struct noise_keys keys;
    uint8_t public_key[NOISE_KEY_LEN];
    struct crypto_dh *ephemeral = crypto_dh_generate(public_key);
    size_t head_len = stream_is_websocket(stream) ? 0 : SWITCHING_LEN;
    uint8_t *lead = mem_resize(NULL, 1, SWITCHING_LEN + NOISE_RESPONSE_LEN);

    memcpy(lead, switching, head_len);
    int rc = noise_write_response(hs, ephemeral, public_key, lead + head_len, &keys);
    crypto_dh_free(ephemeral);
    if (rc < 0) {
        /* It proved a machine key of small order: a forgery that identifies no machine. */
        count_add(&s->handshakes_failed, 1);
        limits_leave(s->limits, standing, &stream_peer(stream)->addr);
        free(lead);
        stream_close(stream);
        return;
    }
    count_add(&s->handshakes, 1);
    conn_new(s, stream, hs, &keys, standing, lead, head_len + NOISE_RESPONSE_LEN);
    crypto_wipe(&keys, sizeof(keys));
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "loop/websocket.h"

#include <string.h>

#include "base/str.h"
#include "crypto/crypto.h"

#define KEY_LEN 16 /* of Sec-WebSocket-Key, decoded */

enum websocket_opcode { OP_MORE, OP_TEXT, OP_BINARY, OP_CLOSE = 8, OP_PING, OP_PONG };

#define IS_CONTROL(opcode) ((opcode) >= OP_CLOSE)

/* Section 7.4.1. */
enum websocket_code { CODE_NORMAL = 1000, CODE_PROTOCOL = 1002, CODE_NOT_BINARY = 1003 };

/* ---- Out ---- */

static void put_frame(struct websocket *w, enum websocket_opcode opcode, const void *bytes, size_t len)
{
    uint8_t head[4] = {(uint8_t)(0x80 | opcode), (uint8_t)len, (uint8_t)(len >> 8), (uint8_t)len};
    bool is_short = len <= WEBSOCKET_CONTROL_MAX;

    if (!is_short)
        head[1] = 126;
    buf_add(&w->out, head, is_short ? 2 : 4);
    buf_add(&w->out, bytes, len);
}

void websocket_put(struct websocket *w, const void *bytes, size_t len)
{
    put_frame(w, OP_BINARY, bytes, len);
}

void websocket_put_close(struct websocket *w, unsigned code)
{
    if (!w->close_sent)
        put_frame(w, OP_CLOSE, (uint8_t[]){(uint8_t)(code >> 8), (uint8_t)code}, 2);
    w->close_sent = true;
}

/* At most one pong waits, for the newest ping, however many pings a client sends that reads nothing. */
static void put_pong(struct websocket *w)
{
    if (!w->pong_waits || w->out.len || w->close_sent)
        return;
    put_frame(w, OP_PONG, w->pong, w->pong_len);
    w->pong_waits = false;
}

bool websocket_sent(struct websocket *w, size_t len)
{
    w->sent += len;
    if (w->sent < w->out.len)
        return true;
    buf_release(&w->out);
    w->sent = 0;
    put_pong(w);
    return w->out.len > 0;
}

void websocket_release(struct websocket *w)
{
    buf_release(&w->out);
}

/* ---- In ---- */

static void fail(struct websocket *w, enum websocket_code code, const char *why)
{
    w->ended = why;
    websocket_put_close(w, code);
}

/* The first two bytes have arrived. */
static void check_head(struct websocket *w)
{
    unsigned opcode = w->head[0] & 0x0f, len = w->head[1] & 0x7f;
    bool fin = w->head[0] & 0x80;

    if (w->head[0] & 0x70)
        fail(w, CODE_PROTOCOL, "a WebSocket frame with an extension that was not agreed on");
    else if (!(w->head[1] & 0x80))
        fail(w, CODE_PROTOCOL, "a WebSocket frame without a mask");
    else if (opcode == OP_TEXT)
        fail(w, CODE_NOT_BINARY, "a WebSocket message of text");
    else if (IS_CONTROL(opcode) && (!fin || len > WEBSOCKET_CONTROL_MAX || opcode > OP_PONG))
        fail(w, CODE_PROTOCOL, "a WebSocket frame that the protocol does not know");
    else if (!IS_CONTROL(opcode) && opcode != (w->in_message ? OP_MORE : OP_BINARY))
        fail(w, CODE_PROTOCOL, "WebSocket frames out of order");
}

/* Number of length bytes that follow the first seven bits. */
static unsigned length_digits(const struct websocket *w)
{
    unsigned len = w->head[1] & 0x7f;

    return len == 126 ? 2 : len == 127 ? 8 : 0;
}

static unsigned head_size(const struct websocket *w)
{
    return w->head_len < 2 ? 2 : 2 + length_digits(w) + (unsigned)sizeof(w->mask);
}

static void begin_frame(struct websocket *w)
{
    unsigned digits = length_digits(w);

    w->left = digits ? 0 : w->head[1] & 0x7f;
    for (unsigned i = 0; i < digits; i++)
        w->left = w->left << 8 | w->head[2 + i];
    if (w->left >> 63) {
        fail(w, CODE_PROTOCOL, "a WebSocket frame longer than any");
        return;
    }
    memcpy(w->mask, w->head + 2 + digits, sizeof(w->mask));
    w->opcode = w->head[0] & 0x0f;
    w->fin = w->head[0] & 0x80;
    w->head_len = w->masked = 0;
    w->in_frame = true;
}

static void end_frame(struct websocket *w)
{
    w->in_frame = false;
    if (w->opcode == OP_PING) {
        memcpy(w->pong, w->control, w->control_len);
        w->pong_len = w->control_len;
        w->pong_waits = true;
        put_pong(w);
    } else if (w->opcode == OP_CLOSE) {
        fail(w, CODE_NORMAL, "the peer closed the connection");
    } else if (!IS_CONTROL(w->opcode)) {
        w->in_message = !w->fin;
    }
    w->control_len = 0;
}

static size_t take_payload(struct websocket *w, const uint8_t *from, size_t len, uint8_t *to)
{
    size_t n = w->left < len ? (size_t)w->left : len;

    for (size_t i = 0; i < n; i++)
        to[i] = from[i] ^ w->mask[w->masked++ % sizeof(w->mask)];
    w->left -= n;
    return n;
}

static void take_head_byte(struct websocket *w, uint8_t byte)
{
    w->head[w->head_len++] = byte;
    if (w->head_len == 2)
        check_head(w);
    if (!w->ended && w->head_len == head_size(w))
        begin_frame(w);
}

size_t websocket_take(struct websocket *w, uint8_t *bytes, size_t len)
{
    size_t at = 0, got = 0;

    while (at < len && !w->ended) {
        if (!w->in_frame) {
            take_head_byte(w, bytes[at++]);
        } else if (IS_CONTROL(w->opcode)) {
            size_t n = take_payload(w, bytes + at, len - at, w->control + w->control_len);
            w->control_len += (unsigned)n;
            at += n;
        } else {
            size_t n = take_payload(w, bytes + at, len - at, bytes + got);
            got += n;
            at += n;
        }
        if (w->in_frame && !w->left)
            end_frame(w);
    }
    return got;
}

/* ---- The upgrade ---- */

/* Sec-WebSocket-Accept, section 4.2.2. */
static bool put_accept(struct buf *out, const char *key)
{
    struct buf text = BUF_INIT(0);
    uint8_t digest[CRYPTO_SHA1_LEN];

    buf_addf(&text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    bool ok = crypto_sha1(text.data, text.len, digest);
    buf_release(&text);
    crypto_base64(out, digest, ok ? sizeof(digest) : 0);
    return ok;
}

int websocket_answer(const struct head *h, const char *protocol, struct buf *out, struct err *e)
{
    const char *key = head_get(h, "Sec-WebSocket-Key"), *version = head_get(h, "Sec-WebSocket-Version");
    uint8_t decoded[KEY_LEN];

    if (!str_eq(h->method, "GET"))
        return err_set(e, ERR_INVALID, "a WebSocket begins with GET, not %.20s", h->method);
    /* "Connection: upgrade" is not required: some proxies send keep-alive to the server and still forward the 101. */
    if (!version || !str_eq(version, "13"))
        return err_set(e, ERR_INVALID, "Sec-WebSocket-Version must be 13");
    if (!key || crypto_unbase64(key, strlen(key), decoded, sizeof(decoded)) != KEY_LEN)
        return err_set(e, ERR_INVALID, "Sec-WebSocket-Key is missing, or is not 16 bytes in base64");
    buf_addf(out,
             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Protocol: %s\r\nSec-WebSocket-Accept: ",
             protocol);
    bool ok = put_accept(out, key);
    buf_adds(out, "\r\n\r\n");
    return ok ? 0 : err_set(e, ERR_UNSUPPORTED, "a WebSocket needs SHA-1, which this server's OpenSSL does not offer");
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "shared/client/websocket_bridge.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/head.h"

#define PIECE 3000

struct websocket_bridge {
    int listener;
    uint16_t to;
    pthread_t thread;
    atomic_bool stop;
    atomic_uint pongs;
    unsigned frames;
};

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static bool send_all(int fd, const void *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = send(fd, (const char *)bytes + at, len - at, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

static bool send_frame(struct websocket_bridge *b, int fd, uint8_t first, const uint8_t *bytes, size_t len)
{
    uint8_t frame[PIECE + 14], mask[4] = {(uint8_t)(b->frames * 7), 1, (uint8_t)b->frames, 0xff};
    size_t at = 0;

    frame[at++] = first;
    frame[at++] = (uint8_t)(0x80 | (len < 126 ? len : 126));
    if (len >= 126) {
        frame[at++] = (uint8_t)(len >> 8);
        frame[at++] = (uint8_t)len;
    }
    memcpy(frame + at, mask, 4);
    at += 4;
    for (size_t i = 0; i < len; i++)
        frame[at++] = bytes[i] ^ mask[i % 4];
    b->frames++;
    return send_all(fd, frame, at);
}

/* A message in two frames, with a ping between them. */
static bool to_server(struct websocket_bridge *b, int fd, const uint8_t *bytes, size_t len)
{
    size_t half = len / 2;

    return send_frame(b, fd, 0x02, bytes, half) && send_frame(b, fd, 0x89, (const uint8_t *)"there?", 6) &&
           send_frame(b, fd, 0x80, bytes + half, len - half);
}

/* Consumes complete frames of the server from the front of held. */
static bool to_client(struct websocket_bridge *b, struct buf *held, int fd)
{
    const uint8_t *bytes = (const uint8_t *)held->data;
    size_t at = 0;

    while (held->len - at >= 2) {
        size_t len = bytes[at + 1] & 0x7f, head = len == 126 ? 4 : 2;
        if (bytes[at + 1] & 0x80 || len == 127 || held->len - at < head)
            break;
        if (head == 4)
            len = (size_t)bytes[at + 2] << 8 | bytes[at + 3];
        if (held->len - at < head + len)
            break;
        if ((bytes[at] & 0x0f) == 10)
            atomic_fetch_add(&b->pongs, 1);
        else if (bytes[at] != 0x82 || !send_all(fd, bytes + at + head, len))
            return false;
        at += head + len;
    }
    if (at)
        memmove(held->data, held->data + at, held->len - at);
    held->len -= at;
    return true;
}

static void copy_both_ways(struct websocket_bridge *b, int client, int server)
{
    struct buf held = BUF_INIT(0);
    uint8_t piece[PIECE];
    bool open = true;

    while (open && !atomic_load(&b->stop)) {
        struct pollfd fds[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
        ssize_t n = 0;
        if (poll(fds, 2, 50) <= 0)
            continue;
        if (fds[0].revents)
            open =
                (n = recv(client, piece, 1 + b->frames * 101 % PIECE, 0)) > 0 && to_server(b, server, piece, (size_t)n);
        if (open && fds[1].revents) {
            open = (n = recv(server, piece, sizeof(piece), 0)) > 0;
            if (open)
                buf_add(&held, piece, (size_t)n);
            open = open && to_client(b, &held, client);
        }
    }
    buf_release(&held);
}

/* Reads a head for which the other side waits, so nothing follows it. */
static bool read_head(int fd, char out[HEAD_MAX])
{
    size_t len = 0;

    while (len < HEAD_MAX - 1) {
        if (recv(fd, out + len, 1, 0) != 1)
            return false;
        out[++len] = '\0';
        if (len >= 4 && memcmp(out + len - 4, "\r\n\r\n", 4) == 0)
            return true;
    }
    return false;
}

static bool upgrade(int client, int server)
{
    static const char switching[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: tailscale-control-protocol\r\n"
                                    "Connection: upgrade\r\n\r\n";
    char head[HEAD_MAX], *value;
    struct buf b = BUF_INIT(0);

    if (!read_head(client, head) || !(value = strstr(head, "X-Tailscale-Handshake: ")))
        return false;
    value += strlen("X-Tailscale-Handshake: ");
    buf_adds(&b, "GET /ts2021?X-Tailscale-Handshake=");
    for (; *value && *value != '\r'; value++)
        buf_addf(&b, strchr("+/=", *value) ? "%%%02X" : "%c", (unsigned char)*value);
    buf_adds(&b, " HTTP/1.1\r\nHost: test\r\nOrigin: https://elsewhere.test\r\nConnection: keep-alive, Upgrade\r\n"
                 "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                 "Sec-WebSocket-Protocol: tailscale-control-protocol\r\n\r\n");
    bool ok = send_all(server, b.data, b.len) && read_head(server, head) && strstr(head, "HTTP/1.1 101 ") == head &&
              strcasestr(head, "Sec-WebSocket-Protocol: tailscale-control-protocol\r\n") &&
              strcasestr(head, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") &&
              send_all(client, switching, sizeof(switching) - 1);
    buf_release(&b);
    return ok;
}

static void *run(void *arg)
{
    struct websocket_bridge *b = arg;
    const struct sockaddr_in to = loopback(b->to);

    while (!atomic_load(&b->stop)) {
        struct pollfd fd = {b->listener, POLLIN, 0};
        if (poll(&fd, 1, 50) <= 0)
            continue;
        int client = accept(b->listener, NULL, NULL), server = socket(AF_INET, SOCK_STREAM, 0);
        if (client >= 0 && server >= 0 && connect(server, (const struct sockaddr *)&to, sizeof(to)) == 0 &&
            upgrade(client, server))
            copy_both_ways(b, client, server);
        close(client);
        close(server);
    }
    return NULL;
}

struct websocket_bridge *websocket_bridge_new(uint16_t to)
{
    struct websocket_bridge *b = mem_alloc(sizeof(*b));
    struct sockaddr_in any = loopback(0);

    b->to = to;
    b->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(b->listener, (const struct sockaddr *)&any, sizeof(any)) < 0 || listen(b->listener, 8) < 0 ||
        pthread_create(&b->thread, NULL, run, b) != 0) {
        perror("websocket bridge");
        abort();
    }
    return b;
}

uint16_t websocket_bridge_port(const struct websocket_bridge *b)
{
    struct sockaddr_in at = {0};
    socklen_t len = sizeof(at);

    return getsockname(b->listener, (struct sockaddr *)&at, &len) < 0 ? 0 : ntohs(at.sin_port);
}

unsigned websocket_bridge_pongs(struct websocket_bridge *b)
{
    return atomic_load(&b->pongs);
}

void websocket_bridge_free(struct websocket_bridge *b)
{
    atomic_store(&b->stop, true);
    pthread_join(b->thread, NULL);
    close(b->listener);
    free(b);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* From an accepted socket to the one who serves it. A plain head is only peeked at, so that the socket can be handed on
 * as if nobody had touched it. */
#include "front/conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/log.h"
#include "base/mem.h"
#include "front/destination.h"
#include "front/limits.h"
#include "front/pump.h"
#include "net/forwarded.h"

/* ---- Deciding ---- */

/* Frees the struct, not the connection. */
static void conn_free(struct front_conn *c)
{
    unsigned i = loop_index(c->loop);

    loop_timer_stop(c->loop, &c->timer);
    if (c->watched)
        loop_unwatch(c->loop, &c->watch);
    *(c->prev ? &c->prev->next : &c->front->conns[i]) = c->next;
    *(c->next ? &c->next->prev : &c->front->oldest[i]) = c->prev;
    limits_leave_head(c->front, &c->peer.addr);
    buf_release(&c->head);
    free(c);
}

void conn_close(struct front_conn *c)
{
    struct stream *stream = c->stream;
    int fd = c->fd;

    conn_free(c); /* a descriptor is watched no more before it is closed: its number may be another's at once */
    if (stream)
        stream_close(stream);
    else
        close(fd);
}

static void refuse(struct front_conn *c, const struct err *e)
{
    static struct log_sources sources;
    char peer[ADDR_PORT_TEXT_MAX], text[400];
    bool big = e->code == ERR_TOOBIG;
    int n =
        snprintf(text, sizeof(text),
                 "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s\n",
                 big ? "431 Request Header Fields Too Large" : "400 Bad Request", strlen(e->message) + 1, e->message);

    log_from(&sources, c->peer.addr.bytes, addr_source_len(&c->peer.addr), 10, LOG_LEVEL_INFO, "front",
             "request from %s refused: %s", addr_port_format(&c->peer, peer), e->message);
    if (c->stream) {
        stream_write(c->stream, text, (size_t)n, NULL);
        stream_shutdown(c->stream);
    } else {
        ssize_t sent = send(c->fd, text, (size_t)n, MSG_NOSIGNAL);
        (void)sent;
        shutdown(c->fd, SHUT_WR);
    }
    conn_close(c);
}

/* ---- Plain ---- */

/* Reads the head for good this time: the stream begins after it. */
static bool swallow(int fd, uint8_t *scratch, size_t len)
{
    return recv(fd, scratch, len, 0) == (ssize_t)len;
}

/* What is not for a client's room goes through a pump, which looks at the heads that follow. */
static void hand_to_http(struct front *f, struct stream *s, bool tls)
{
    struct addr_port peer = *stream_peer(s);
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) {
        log_error("front", "cannot make a local socket: %s", strerror(errno));
        stream_close(s);
        return;
    }
    pump_start(f, s, pair[0], tls);
    f->o.other(f->o.arg, pair[1], &peer, tls);
}

static void plain_decide(struct front_conn *c, struct head *h, size_t len)
{
    struct front *f = c->front;
    struct loop *l = c->loop;
    struct addr_port peer = c->peer;
    int fd = c->fd;
    bool control, client = destination_is_client(f, h, &control);

    conn_free(c);
    if (client && !swallow(fd, loop_scratch_in(l), len)) {
        close(fd);
    } else {
        struct stream *s = stream_new(l, fd, NULL, &peer, NULL);
        if (s && client)
            destination_hand_on(f, s, h, control);
        else if (s)
            hand_to_http(f, s, false);
    }
    head_release(h);
}

static void plain_try(struct front_conn *c)
{
    uint8_t *scratch = loop_scratch_in(c->loop);
    ssize_t n = recv(c->fd, scratch, HEAD_MAX, MSG_PEEK);
    struct head h;
    struct err e = {0};

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        conn_close(c);
        return;
    }
    long len = head_parse(scratch, (size_t)n, &h, &e);
    if (len < 0)
        refuse(c, &e);
    else if (len > 0)
        plain_decide(c, &h, (size_t)len);
}

static void plain_ready(struct loop_watch *w, uint32_t events)
{
    (void)events;
    plain_try(CONTAINER_OF(w, struct front_conn, watch));
}

static void plain_start(struct front_conn *c)
{
    /* Edge-triggered: bytes that are peeked at stay, and would be reported without end. */
    c->watch = (struct loop_watch){.fd = c->fd, .ready = plain_ready};
    if (loop_watch(c->loop, &c->watch, EPOLLIN | EPOLLRDHUP | EPOLLET, NULL) < 0) {
        conn_close(c);
        return;
    }
    c->watched = true;
    plain_try(c);
}

/* ---- TLS ---- */

static void tls_decide(struct front_conn *c, struct head *h, size_t len)
{
    struct front *f = c->front;
    struct stream *s = c->stream;
    struct buf bytes = c->head;
    bool control;

    c->head = (struct buf){0};
    conn_free(c);
    if (destination_is_client(f, h, &control)) {
        stream_unread(s, bytes.data + len, bytes.len - len);
        destination_hand_on(f, s, h, control);
    } else {
        stream_unread(s, bytes.data, bytes.len);
        hand_to_http(f, s, true);
    }
    head_release(h);
    buf_release(&bytes);
}

static void tls_readable(struct stream *s, void *arg)
{
    struct front_conn *c = arg;
    uint8_t *scratch = loop_scratch_in(c->loop);
    struct head h;
    struct err e = {0};
    long n = stream_read(s, scratch, HEAD_MAX, &e);

    if (n < 0) {
        log_debug("front", "connection closed before a request: %s", e.message);
        conn_close(c);
    }
    if (n <= 0)
        return;
    buf_add(&c->head, scratch, (size_t)n);
    long len = head_parse(c->head.data, c->head.len, &h, &e);
    if (len < 0)
        refuse(c, &e);
    else if (len > 0)
        tls_decide(c, &h, (size_t)len);
}

static void tls_start(struct front_conn *c)
{
    static const struct stream_handler handler = {tls_readable, NULL};

    c->stream = stream_new(c->loop, c->fd, c->front->tls, &c->peer, NULL);
    c->fd = -1;
    if (c->stream)
        stream_handle(c->stream, &handler, c);
    else
        conn_free(c);
}

/* ---- Both ---- */

static void too_late(struct loop_timer *timer)
{
    static struct log_sources sources;
    struct front_conn *c = CONTAINER_OF(timer, struct front_conn, timer);
    char peer[ADDR_PORT_TEXT_MAX];

    log_from(&sources, c->peer.addr.bytes, addr_source_len(&c->peer.addr), 10, LOG_LEVEL_INFO, "front",
             "connection from %s closed: no request within %u ms", addr_port_format(&c->peer, peer),
             c->front->o.head_ms);
    conn_close(c);
}

static void conn_start(struct loop_task *task)
{
    struct front_conn *c = (struct front_conn *)task;
    struct front_conn **list = &c->front->conns[loop_index(c->loop)];

    c->next = *list;
    *(c->next ? &c->next->prev : &c->front->oldest[loop_index(c->loop)]) = c;
    *list = c;
    if (c->instead && c->next)
        conn_close(c->front->oldest[loop_index(c->loop)]);
    if (atomic_load(&c->front->stopping)) {
        conn_close(c);
        return;
    }
    loop_timer_set(c->loop, &c->timer, c->front->o.head_ms, too_late);
    if (c->front->tls)
        tls_start(c);
    else
        plain_start(c);
}

void conn_open(struct front *f, struct loop *l, int fd, const struct addr_port *peer, bool instead)
{
    struct front_conn *c = mem_alloc(sizeof(*c));

    c->task.run = conn_start;
    c->front = f;
    c->loop = l;
    c->fd = fd;
    c->peer = *peer;
    c->instead = instead;
    loop_post_task(l, &c->task);
}

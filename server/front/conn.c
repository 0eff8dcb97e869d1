/* SPDX-License-Identifier: BSD-3-Clause */
/* Takes an accepted socket to the room that serves it. A plain head is only peeked at, so that the socket can be handed
 * on untouched. */
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
#include "front/framing.h"
#include "front/limits.h"
#include "front/pump.h"
#include "front/refusal.h"
#include "net/forwarded.h"

#define BRIEF 5 /* divides the time for a head when files are short */

/* ---- Deciding ---- */

/* Frees the struct, but does not close the connection. */
static void conn_free(struct front_conn *c)
{
    loop_timer_stop(c->loop, &c->timer);
    if (c->watched)
        loop_unwatch(c->loop, &c->watch);
    struct front_conns *list = &c->front->conns[loop_index(c->loop)][c->terms.known];
    *(c->prev ? &c->prev->next : &list->newest) = c->next;
    *(c->next ? &c->next->prev : &list->oldest) = c->prev;
    limits_leave_head(c->front, &c->peer.addr, c->terms.known);
    buf_release(&c->head);
    free(c);
}

void conn_close(struct front_conn *c)
{
    struct stream *stream = c->stream;
    int fd = c->fd;

    conn_free(c); /* stop watching a descriptor before it is closed: its number may be reused at once */
    if (stream)
        stream_close(stream);
    else
        close(fd);
}

static void refuse(struct front_conn *c, const char *status, const char *why)
{
    struct buf text = BUF_INIT(0);

    refusal_put(&text, status, why);
    refusal_log(&c->peer, why);
    if (c->stream) {
        stream_write(c->stream, text.data, text.len, NULL);
        stream_shutdown(c->stream);
    } else {
        ssize_t sent = send(c->fd, text.data, text.len, MSG_NOSIGNAL);
        (void)sent;
        shutdown(c->fd, SHUT_WR);
    }
    buf_release(&text);
    conn_close(c);
}

static void refuse_head(struct front_conn *c, const struct err *e)
{
    refuse(c, refusal_status(e), e->message);
}

/* The length of the head at the start of the bytes; 0: incomplete; negative: the connection is gone. */
static long read_head(struct front_conn *c, const void *bytes, size_t len, struct head *h)
{
    struct framing framing;
    struct err e = {0};
    long whole = head_parse(bytes, len, h, &e);

    if (whole > 0 && framing_begin(&framing, h, &e) < 0) {
        head_release(h);
        whole = -1;
    }
    if (whole < 0)
        refuse_head(c, &e);
    return whole;
}

/* When files are short: false, and the connection is gone. */
static bool may_stay(struct front_conn *c, const struct head *h, bool client)
{
    if (!c->terms.few_files || c->terms.known || (!client && destination_is_reserved(c->front, h)))
        return true;
    refuse(c, "503 Service Unavailable", "the server has too many connections; try again later");
    return false;
}

/* ---- Plain ---- */

/* Really reads the head this time: the stream begins after it. */
static bool swallow(int fd, uint8_t *scratch, size_t len)
{
    return recv(fd, scratch, len, 0) == (ssize_t)len;
}

/* Requests that are not for a client's room go through a pump, which reads the heads that follow. */
static void hand_to_http(struct front *f, struct stream *s, const struct head *h, bool tls)
{
    static struct log_limit limit;
    struct addr_port peer = *stream_peer(s);
    bool reserved = destination_is_reserved(f, h);
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) {
        log_limited(&limit, 1, LOG_LEVEL_ERROR, "front", "cannot make a local socket: %s", strerror(errno));
        stream_close(s);
        return;
    }
    if (limits_files_left(f, pair[1]) >= (reserved ? FILES_NONE : FILES_LAST)) {
        close(pair[0]);
        close(pair[1]);
        stream_close(s);
        return;
    }
    pump_start(f, s, pair[0], tls);
    f->o.other(f->o.arg, pair[1], &peer, reserved);
}

static void plain_decide(struct front_conn *c, struct head *h, size_t len)
{
    struct front *f = c->front;
    struct loop *l = c->loop;
    struct addr_port peer = c->peer;
    int fd = c->fd;
    bool control, client = destination_is_client(f, h, &control);

    if (!may_stay(c, h, client)) {
        head_release(h);
        return;
    }
    conn_free(c);
    if (client && !swallow(fd, loop_scratch_in(l), len)) {
        close(fd);
    } else {
        struct stream *s = stream_new(l, fd, NULL, &peer, NULL);
        if (s && client)
            destination_hand_on(f, s, h, control);
        else if (s)
            hand_to_http(f, s, h, false);
    }
    head_release(h);
}

static void plain_try(struct front_conn *c)
{
    uint8_t *scratch = loop_scratch_in(c->loop);
    ssize_t n = recv(c->fd, scratch, HEAD_MAX, MSG_PEEK);
    struct head h;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        conn_close(c);
        return;
    }
    long len = read_head(c, scratch, (size_t)n, &h);
    if (len > 0)
        plain_decide(c, &h, (size_t)len);
}

static void plain_ready(struct loop_watch *w, uint32_t events)
{
    (void)events;
    plain_try(CONTAINER_OF(w, struct front_conn, watch));
}

static void plain_start(struct front_conn *c)
{
    /* Edge-triggered: bytes that are only peeked at stay, and would be reported endlessly. */
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
    bool control, client = destination_is_client(f, h, &control);

    if (!may_stay(c, h, client)) {
        head_release(h);
        return;
    }
    struct buf bytes = c->head;
    c->head = (struct buf){0};
    conn_free(c);
    if (client) {
        stream_unread(s, bytes.data + len, bytes.len - len);
        destination_hand_on(f, s, h, control);
    } else {
        stream_unread(s, bytes.data, bytes.len);
        hand_to_http(f, s, h, true);
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
    long len = read_head(c, c->head.data, c->head.len, &h);
    if (len > 0)
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
             "connection from %s closed: no request in time", addr_port_format(&c->peer, peer));
    conn_close(c);
}

static void conn_start(struct loop_task *task)
{
    struct front_conn *c = (struct front_conn *)task;
    struct front_conns *list = &c->front->conns[loop_index(c->loop)][c->terms.known];

    c->next = list->newest;
    *(c->next ? &c->next->prev : &list->oldest) = c;
    list->newest = c;
    if (c->terms.instead && c->next)
        conn_close(list->oldest);
    if (atomic_load(&c->front->stopping)) {
        conn_close(c);
        return;
    }
    loop_timer_set(c->loop, &c->timer, c->front->o.head_ms / (c->terms.few_files ? BRIEF : 1), too_late);
    if (c->front->tls)
        tls_start(c);
    else
        plain_start(c);
}

void conn_open(struct front *f, struct loop *l, int fd, const struct addr_port *peer, const struct conn_terms *terms)
{
    struct front_conn *c = mem_alloc(sizeof(*c));

    c->task.run = conn_start;
    c->front = f;
    c->loop = l;
    c->fd = fd;
    c->peer = *peer;
    c->terms = *terms;
    loop_post_task(l, &c->task);
}

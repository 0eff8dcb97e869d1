/* SPDX-License-Identifier: BSD-3-Clause */
/* From an accepted socket to the one who serves it. A plain head is only peeked at, so that the socket can be handed on
 * as if nobody had touched it. */
#include "front/door.h"

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

/* ---- Counts ---- */

static size_t address_len(const struct addr *from)
{
    return from->bits == 128 ? 8 : 4; /* an IPv6 /64 is one subscriber */
}

static bool is_trusted(const struct front *f, const struct addr *a)
{
    struct prefix whole = {*a, a->bits};

    for (size_t i = 0; i < f->o.trusted_proxies.len; i++)
        if (prefix_covers(&f->o.trusted_proxies.items[i], &whole))
            return true;
    return false;
}

bool doors_enter(struct front *f, const struct addr *from)
{
    size_t len = address_len(from);
    unsigned each = is_trusted(f, from) ? f->max : f->max / 2;

    pthread_mutex_lock(&f->lock);
    uintptr_t n = (uintptr_t)map_get(&f->by_address, from->bytes, len);
    bool in = f->count < f->max && n < each;
    if (in) {
        f->count++;
        map_put(&f->by_address, from->bytes, len, (void *)(n + 1));
    }
    pthread_mutex_unlock(&f->lock);
    return in;
}

void doors_leave(struct front *f, const struct addr *from)
{
    size_t len = address_len(from);

    pthread_mutex_lock(&f->lock);
    uintptr_t n = (uintptr_t)map_get(&f->by_address, from->bytes, len);
    f->count--;
    if (n > 1)
        map_put(&f->by_address, from->bytes, len, (void *)(n - 1));
    else
        map_del(&f->by_address, from->bytes, len);
    pthread_mutex_unlock(&f->lock);
}

/* ---- Deciding ---- */

/* Frees the door, not the connection. */
static void door_free(struct door *d)
{
    loop_timer_stop(d->loop, &d->timer);
    if (d->watched)
        loop_unwatch(d->loop, &d->watch);
    if (d->prev)
        d->prev->next = d->next;
    else
        d->front->doors[loop_index(d->loop)] = d->next;
    if (d->next)
        d->next->prev = d->prev;
    doors_leave(d->front, &d->peer.addr);
    buf_release(&d->head);
    free(d);
}

void door_close(struct door *d)
{
    if (d->stream)
        stream_close(d->stream);
    else
        close(d->fd);
    door_free(d);
}

static void refuse(struct door *d, const struct err *e)
{
    static struct log_sources sources;
    char peer[ADDR_PORT_TEXT_MAX], text[400];
    bool big = e->code == ERR_TOOBIG;
    int n =
        snprintf(text, sizeof(text),
                 "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s\n",
                 big ? "431 Request Header Fields Too Large" : "400 Bad Request", strlen(e->message) + 1, e->message);

    log_from(&sources, d->peer.addr.bytes, address_len(&d->peer.addr), 10, LOG_LEVEL_INFO, "front",
             "request from %s refused: %s", addr_port_format(&d->peer, peer), e->message);
    if (d->stream) {
        stream_write(d->stream, text, (size_t)n, NULL);
        stream_shutdown(d->stream);
    } else {
        ssize_t sent = send(d->fd, text, (size_t)n, MSG_NOSIGNAL);
        (void)sent;
        shutdown(d->fd, SHUT_WR);
    }
    door_close(d);
}

/* Who is behind trusted proxies: each appends whom it saw, so the list is read from its end for as long as the one who
 * wrote it is trusted. */
static void believe_proxy(const struct front *f, struct stream *s, const struct head *h)
{
    struct addr_port peer = *stream_peer(s);
    const char *list = head_get(h, "X-Forwarded-For");
    char text[PREFIX_TEXT_MAX];

    for (size_t end = list ? strlen(list) : 0; end;) {
        if (!is_trusted(f, &peer.addr))
            break;
        size_t start = end;
        while (start && list[start - 1] != ',')
            start--;
        size_t from = start;
        while (from < end && list[from] == ' ')
            from++;
        struct addr next;
        if (end - from >= sizeof(text))
            break;
        memcpy(text, list + from, end - from);
        text[end - from] = '\0';
        if (addr_parse(text, &next, NULL) < 0)
            break;
        peer = (struct addr_port){.addr = next};
        end = start ? start - 1 : 0;
    }
    stream_set_peer(s, &peer);
}

static bool is_relay_path(const char *path)
{
    return str_eq(path, "/derp") || str_starts(path, "/derp/") || str_eq(path, "/generate_204") ||
           str_eq(path, "/bootstrap-dns");
}

static bool is_client(const struct front *f, const struct head *h, bool *control)
{
    *control = f->o.control && str_eq(h->path, "/ts2021");
    return *control || (f->o.relay && (!f->o.other || is_relay_path(h->path)));
}

static void hand_to_client_room(struct front *f, struct stream *s, const struct head *h, bool control)
{
    believe_proxy(f, s, h);
    (control ? f->o.control : f->o.relay)(f->o.arg, s, h);
}

/* ---- Plain ---- */

/* Reads the head for good this time: the stream begins after it. */
static bool swallow(int fd, uint8_t *scratch, size_t len)
{
    return recv(fd, scratch, len, 0) == (ssize_t)len;
}

static void plain_decide(struct door *d, struct head *h, size_t len)
{
    struct front *f = d->front;
    struct loop *l = d->loop;
    struct addr_port peer = d->peer;
    int fd = d->fd;
    bool control;

    door_free(d);
    if (!is_client(f, h, &control)) {
        f->o.other(f->o.arg, fd, &peer, false);
    } else if (!swallow(fd, loop_scratch_in(l), len)) {
        close(fd);
    } else {
        struct stream *s = stream_new(l, fd, NULL, &peer, NULL);
        if (s)
            hand_to_client_room(f, s, h, control);
    }
    head_release(h);
}

static void plain_try(struct door *d)
{
    uint8_t *scratch = loop_scratch_in(d->loop);
    ssize_t n = recv(d->fd, scratch, HEAD_MAX, MSG_PEEK);
    struct head h;
    struct err e = {0};

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        door_close(d);
        return;
    }
    long len = head_parse(scratch, (size_t)n, &h, &e);
    if (len < 0)
        refuse(d, &e);
    else if (len > 0)
        plain_decide(d, &h, (size_t)len);
}

static void plain_ready(struct loop_watch *w, uint32_t events)
{
    (void)events;
    plain_try(CONTAINER_OF(w, struct door, watch));
}

static void plain_start(struct door *d)
{
    /* Edge-triggered: bytes that are peeked at stay, and would be reported without end. */
    d->watch = (struct loop_watch){.fd = d->fd, .ready = plain_ready};
    if (loop_watch(d->loop, &d->watch, EPOLLIN | EPOLLRDHUP | EPOLLET, NULL) < 0) {
        door_close(d);
        return;
    }
    d->watched = true;
    plain_try(d);
}

/* ---- TLS ---- */

static void tls_hand_on(struct front *f, struct stream *s, const struct buf *bytes)
{
    struct addr_port peer = *stream_peer(s);
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) {
        log_error("front", "cannot make a local socket: %s", strerror(errno));
        stream_close(s);
        return;
    }
    stream_unread(s, bytes->data, bytes->len);
    pump_start(f, s, pair[0]);
    f->o.other(f->o.arg, pair[1], &peer, true);
}

static void tls_decide(struct door *d, struct head *h, size_t len)
{
    struct front *f = d->front;
    struct stream *s = d->stream;
    struct buf bytes = d->head;
    bool control;

    d->head = (struct buf){0};
    door_free(d);
    if (is_client(f, h, &control)) {
        stream_unread(s, bytes.data + len, bytes.len - len);
        hand_to_client_room(f, s, h, control);
    } else {
        tls_hand_on(f, s, &bytes);
    }
    head_release(h);
    buf_release(&bytes);
}

static void tls_readable(struct stream *s, void *arg)
{
    struct door *d = arg;
    uint8_t *scratch = loop_scratch_in(d->loop);
    struct head h;
    struct err e = {0};
    long n = stream_read(s, scratch, HEAD_MAX, &e);

    if (n < 0) {
        log_debug("front", "connection closed before a request: %s", e.message);
        door_close(d);
    }
    if (n <= 0)
        return;
    buf_add(&d->head, scratch, (size_t)n);
    long len = head_parse(d->head.data, d->head.len, &h, &e);
    if (len < 0)
        refuse(d, &e);
    else if (len > 0)
        tls_decide(d, &h, (size_t)len);
}

static void tls_start(struct door *d)
{
    static const struct stream_handler handler = {tls_readable, NULL};

    d->stream = stream_new(d->loop, d->fd, d->front->tls, &d->peer, NULL);
    d->fd = -1;
    if (d->stream)
        stream_handle(d->stream, &handler, d);
    else
        door_free(d);
}

/* ---- Both ---- */

static void too_late(struct loop_timer *timer)
{
    static struct log_sources sources;
    struct door *d = CONTAINER_OF(timer, struct door, timer);
    char peer[ADDR_PORT_TEXT_MAX];

    log_from(&sources, d->peer.addr.bytes, address_len(&d->peer.addr), 10, LOG_LEVEL_INFO, "front",
             "connection from %s closed: no request within %u ms", addr_port_format(&d->peer, peer),
             d->front->o.head_ms);
    door_close(d);
}

static void door_start(struct loop_task *task)
{
    struct door *d = (struct door *)task;
    struct door **list = &d->front->doors[loop_index(d->loop)];

    d->next = *list;
    if (d->next)
        d->next->prev = d;
    *list = d;
    if (atomic_load(&d->front->stopping)) {
        door_close(d);
        return;
    }
    loop_timer_set(d->loop, &d->timer, d->front->o.head_ms, too_late);
    if (d->front->tls)
        tls_start(d);
    else
        plain_start(d);
}

void door_open(struct front *f, struct loop *l, int fd, const struct addr_port *peer)
{
    struct door *d = mem_alloc(sizeof(*d));

    d->task.run = door_start;
    d->front = f;
    d->loop = l;
    d->fd = fd;
    d->peer = *peer;
    loop_post_task(l, &d->task);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Byte streams over a socket. TLS is why reading and writing have states here: either may have to wait for the other
 * direction, and a record may be read from the socket before the owner asks for its bytes. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/array.h"
#include "base/mem.h"
#include "loop/websocket.h"
#include "loop/wire.h"

struct stream {
    struct loop_watch watch; /* first */
    struct loop_task again;  /* calls readable again: there are bytes that the kernel does not know of */
    struct loop *loop;
    SSL *ssl; /* NULL: plain */
    struct loop_wire wire;
    struct loop_tls *tls;
    struct websocket *websocket; /* NULL: plain bytes */
    const struct stream_handler *handler;
    void *arg;
    uint8_t *unread; /* bytes put back */
    size_t unread_len;
    struct addr_port peer;
    uint32_t events;        /* as registered with the kernel */
    bool paused;            /* the owner does not want to read */
    bool blocked;           /* the owner waits to write */
    bool read_needs_output; /* TLS */
    bool write_needs_input; /* TLS */
    bool busy;              /* in a callback, whose caller frees the struct */
    bool closed;            /* during that callback */
};

#define TLS_WRITE ((size_t)64 * 1024) /* per operation */

static void stream_ready(struct loop_watch *w, uint32_t events);
static long websocket_flush(struct stream *s, struct err *e);
static void read_again(struct loop_task *task);

static void update_events(struct stream *s)
{
    uint32_t want =
        (s->paused && !s->write_needs_input ? 0U : (uint32_t)EPOLLIN) |
        ((s->blocked && !s->write_needs_input) || s->read_needs_output || s->wire.unsent ? (uint32_t)EPOLLOUT : 0U);

    if (want == s->events)
        return;
    /* The kernel reports a hang-up whatever was requested: a stream that wants nothing must not be registered at
     * all. */
    if (!want)
        loop_unwatch(s->loop, &s->watch);
    else if (s->events)
        loop_rewatch(s->loop, &s->watch, want);
    else if (loop_watch(s->loop, &s->watch, want, NULL) < 0)
        want = 0; /* out of kernel memory: retried at the next change */
    s->events = want;
}

struct stream *stream_new(struct loop *l, int fd, struct loop_tls *tls, const struct addr_port *peer, struct err *e)
{
    static const int on = 1;
    struct stream *s = mem_alloc(sizeof(*s));

    s->watch = (struct loop_watch){.fd = fd, .ready = stream_ready};
    s->again.run = read_again;
    s->loop = l;
    s->peer = *peer;
    s->events = EPOLLIN;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* a socketpair has no such option; that is no error */
    s->wire = (struct loop_wire){.loop = l, .fd = fd};
    if (tls && !(s->ssl = loop_tls_session(tls, &s->wire, e)))
        goto fail;
    if (loop_watch(l, &s->watch, s->events, e) < 0)
        goto fail;
    s->tls = loop_tls_ref(tls);
    return s;
fail:
    SSL_free(s->ssl);
    close(fd);
    free(s);
    return NULL;
}

static void stream_free(struct stream *s)
{
    loop_undefer(s->loop, &s->again);
    loop_unwatch(s->loop, &s->watch);
    SSL_free(s->ssl);
    loop_wire_release(&s->wire);
    close(s->watch.fd);
    loop_tls_unref(s->tls);
    if (s->websocket)
        websocket_release(s->websocket);
    free(s->websocket);
    free(s->unread);
    if (s->busy)
        s->closed = true;
    else
        free(s);
}

void stream_close(struct stream *s)
{
    if (s)
        stream_free(s);
}

void stream_handle(struct stream *s, const struct stream_handler *handler, void *arg)
{
    s->handler = handler;
    s->arg = arg;
    if (s->unread_len || s->ssl)
        loop_defer(s->loop, &s->again);
}

struct loop *stream_loop(const struct stream *s)
{
    return s->loop;
}

const struct addr_port *stream_peer(const struct stream *s)
{
    return &s->peer;
}

void stream_set_peer(struct stream *s, const struct addr_port *peer)
{
    s->peer = *peer;
}

/* ---- Events ---- */

/* There are bytes that the kernel does not know of. */
static bool has_bytes(const struct stream *s)
{
    return s->unread_len || (s->ssl && (s->wire.kept || SSL_pending(s->ssl) > 0)) ||
           (s->websocket && s->websocket->ended);
}

/* Calls the owner; false if that closed the stream, which is then freed. */
static bool tell(struct stream *s, void (*callback)(struct stream *s, void *arg))
{
    s->busy = true;
    callback(s, s->arg);
    s->busy = false;
    if (s->closed) {
        free(s);
        return false;
    }
    return true;
}

static bool tell_readable(struct stream *s)
{
    if (!tell(s, s->handler->readable))
        return false;
    if (!s->paused && has_bytes(s))
        loop_defer(s->loop, &s->again);
    return true;
}

static void read_again(struct loop_task *task)
{
    struct stream *s = CONTAINER_OF(task, struct stream, again);

    if (!s->paused && s->handler)
        tell_readable(s);
}

static void stream_ready(struct loop_watch *w, uint32_t events)
{
    struct stream *s = (struct stream *)w;
    bool broken = events & (EPOLLHUP | EPOLLERR), in = broken || events & EPOLLIN, out = broken || events & EPOLLOUT;

    if (!s->handler)
        return;
    out = out && loop_wire_flush(&s->wire);
    bool write = s->blocked && (s->write_needs_input ? in : out) && websocket_flush(s, NULL) <= 0;
    bool read = (in && !s->paused) || (out && s->read_needs_output);
    if (read) {
        s->read_needs_output = false;
        if (!tell_readable(s))
            return;
    }
    if (write) {
        s->blocked = s->write_needs_input = false;
        if (s->handler->writable && !tell(s, s->handler->writable))
            return;
    }
    update_events(s);
}

/* ---- Reading ---- */

static long tls_result(struct stream *s, int rc, bool reading, struct err *e)
{
    int why = SSL_get_error(s->ssl, rc);

    switch (why) {
    case SSL_ERROR_WANT_READ:
        s->write_needs_input = !reading;
        return 0;
    case SSL_ERROR_WANT_WRITE:
        s->read_needs_output = reading;
        return 0;
    case SSL_ERROR_ZERO_RETURN:
        return err_set(e, ERR_GONE, "the peer closed the connection");
    case SSL_ERROR_SYSCALL:
        return err_set(e, ERR_GONE, "the peer closed the connection: %s", errno ? strerror(errno) : "end of input");
    default:
        return err_set(e, ERR_IO, "TLS: %s", loop_tls_reason());
    }
}

static long tls_read(struct stream *s, uint8_t *out, size_t max, struct err *e)
{
    size_t got = 0, n = 0;
    long result = 0;
    int rc = 1;

    ERR_clear_error();
    loop_wire_begin(&s->wire);
    while (got < max && (rc = SSL_read_ex(s->ssl, out + got, max - got, &n)) == 1)
        got += n;
    if (rc != 1)
        result = tls_result(s, rc, true, got ? NULL : e);
    if (loop_tls_is_challenge(s->ssl)) { /* no further data is exchanged, whatever came with the handshake */
        SSL_shutdown(s->ssl);
        got = 0;
        result = err_set(e, ERR_GONE, "an authority's challenge was answered");
    }
    loop_wire_end(&s->wire);
    SSL_free_buffers(s->ssl);
    if (rc != 1)
        update_events(s);
    /* Data before the end is returned first; the next call reports the end again. */
    return got ? (long)got : result;
}

static long socket_read(struct stream *s, void *out, size_t max, struct err *e)
{
    if (s->ssl)
        return tls_read(s, out, max, e);
    ssize_t n = recv(s->watch.fd, out, max, 0);
    if (n > 0)
        return n;
    if (n == 0)
        return err_set(e, ERR_GONE, "the peer closed the connection");
    if (errno == EAGAIN || errno == EINTR)
        return 0;
    return err_set(e, errno == ECONNRESET || errno == ETIMEDOUT ? ERR_GONE : ERR_IO, "%s", strerror(errno));
}

static long websocket_read(struct stream *s, uint8_t *out, size_t max, struct err *e)
{
    struct websocket *w = s->websocket;

    if (w->ended)
        return err_set(e, ERR_GONE, "%s", w->ended);
    long n = socket_read(s, out, max, e);
    if (n <= 0)
        return n;
    size_t got = websocket_take(w, out, (size_t)n);
    if (w->out.len)
        (void)websocket_flush(s, NULL); /* an error is reported by the next call */
    return got || !w->ended ? (long)got : err_set(e, ERR_GONE, "%s", w->ended);
}

long stream_read(struct stream *s, void *out, size_t max, struct err *e)
{
    if (s->unread_len) {
        size_t n = s->unread_len < max ? s->unread_len : max;
        memcpy(out, s->unread, n);
        memmove(s->unread, s->unread + n, s->unread_len - n);
        s->unread_len -= n;
        if (!s->unread_len) {
            free(s->unread);
            s->unread = NULL;
        }
        return (long)n;
    }
    return s->websocket ? websocket_read(s, out, max, e) : socket_read(s, out, max, e);
}

void stream_unread(struct stream *s, const void *bytes, size_t len)
{
    if (!len)
        return;
    uint8_t *all = mem_resize(NULL, 1, len + s->unread_len);
    memcpy(all, bytes, len);
    if (s->unread_len)
        memcpy(all + len, s->unread, s->unread_len);
    free(s->unread);
    s->unread = all;
    s->unread_len += len;
}

/* ---- Writing ---- */

/* As much as one operation takes. */
static long tls_write_some(struct stream *s, const uint8_t *bytes, size_t len, struct err *e)
{
    size_t sent = 0, n = 0;
    long result = 0;
    int rc = 1;

    ERR_clear_error();
    loop_wire_begin(&s->wire);
    while (sent < len && (rc = SSL_write_ex(s->ssl, bytes + sent, len - sent, &n)) == 1)
        sent += n;
    if (rc != 1)
        result = tls_result(s, rc, false, e);
    loop_wire_end(&s->wire);
    SSL_free_buffers(s->ssl);
    return result < 0 ? result : (long)sent;
}

static long tls_write(struct stream *s, const uint8_t *bytes, size_t len, struct err *e)
{
    size_t sent = 0;

    while (sent < len && loop_wire_flush(&s->wire)) {
        size_t some = len - sent < TLS_WRITE ? len - sent : TLS_WRITE;
        long n = tls_write_some(s, bytes + sent, some, e);
        if (n < 0)
            return n;
        sent += (size_t)n;
        if ((size_t)n < some)
            break;
    }
    return (long)sent;
}

static long socket_write(struct stream *s, const void *bytes, size_t len, struct err *e)
{
    if (s->ssl)
        return tls_write(s, bytes, len, e);
    ssize_t n = send(s->watch.fd, bytes, len, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    return n < 0 ? err_set(e, ERR_GONE, "%s", strerror(errno)) : n;
}

static bool has_unsent(const struct stream *s)
{
    return s->wire.unsent || (s->websocket && s->websocket->out.len);
}

/* 0: the kernel, or TLS, has all frames; 1: some remain; or a negative error. */
static long websocket_flush(struct stream *s, struct err *e)
{
    struct websocket *w = s->websocket;
    long n = 1;

    while (w && w->out.len && n > 0) {
        n = socket_write(s, w->out.data + w->sent, w->out.len - w->sent, e);
        if (n > 0 && !websocket_sent(w, (size_t)n))
            break;
    }
    if (w && w->out.len) {
        s->blocked = true;
        update_events(s);
    }
    return n < 0 ? n : w && w->out.len;
}

static long websocket_write(struct stream *s, const uint8_t *bytes, size_t len, struct err *e)
{
    size_t taken = 0;
    long rc = websocket_flush(s, e);

    while (rc == 0 && taken < len) {
        size_t piece = len - taken < WEBSOCKET_PIECE ? len - taken : WEBSOCKET_PIECE;
        websocket_put(s->websocket, bytes + taken, piece);
        taken += piece;
        rc = websocket_flush(s, e);
    }
    return rc < 0 ? rc : (long)taken;
}

long stream_write(struct stream *s, const void *bytes, size_t len, struct err *e)
{
    if (!len)
        return 0;
    long n = s->websocket ? websocket_write(s, bytes, len, e) : socket_write(s, bytes, len, e);
    if (n < 0)
        return n;
    s->blocked = (size_t)n < len || has_unsent(s);
    update_events(s);
    return n;
}

bool stream_is_sent(const struct stream *s)
{
    return !has_unsent(s);
}

int stream_upgrade_websocket(struct stream *s, const struct head *h, const char *protocol, struct err *e)
{
    struct buf answer = BUF_INIT(0);
    int code = websocket_answer(h, protocol, &answer, e);

    /* It fits into a new socket's buffer, or this is no real client. */
    if (code == 0 && stream_write(s, answer.data, answer.len, e) != (long)answer.len)
        code = err_set(e, ERR_GONE, "the client took no answer");
    buf_release(&answer);
    if (code < 0)
        return code;
    s->websocket = mem_alloc(sizeof(*s->websocket));
    if (s->unread_len)
        s->unread_len = websocket_take(s->websocket, s->unread, s->unread_len);
    return 0;
}

bool stream_is_websocket(const struct stream *s)
{
    return s->websocket;
}

void stream_pause(struct stream *s, bool paused)
{
    if (s->paused == paused)
        return;
    s->paused = paused;
    update_events(s);
    if (!paused && has_bytes(s))
        loop_defer(s->loop, &s->again);
}

void stream_shutdown(struct stream *s)
{
    if (s->websocket) {
        websocket_put_close(s->websocket, WEBSOCKET_GOING_AWAY);
        (void)websocket_flush(s, NULL);
    }
    if (s->ssl) {
        ERR_clear_error();
        loop_wire_flush(&s->wire);
        loop_wire_begin(&s->wire);
        SSL_shutdown(s->ssl);
        loop_wire_end(&s->wire);
    }
    shutdown(s->watch.fd, SHUT_WR);
}

/* ---- Options ---- */

static void set_option(struct stream *s, int level, int name, int value)
{
    setsockopt(s->watch.fd, level, name, &value, sizeof(value));
}

void stream_set_user_timeout(struct stream *s, unsigned ms)
{
    set_option(s, IPPROTO_TCP, TCP_USER_TIMEOUT, ms < INT32_MAX ? (int)ms : INT32_MAX);
}

void stream_set_keepalive(struct stream *s, int idle_s, int interval_s, int count)
{
    set_option(s, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(s, IPPROTO_TCP, TCP_KEEPIDLE, idle_s);
    set_option(s, IPPROTO_TCP, TCP_KEEPINTVL, interval_s);
    set_option(s, IPPROTO_TCP, TCP_KEEPCNT, count);
}

void stream_set_unsent_limit(struct stream *s, unsigned bytes)
{
    set_option(s, IPPROTO_TCP, TCP_NOTSENT_LOWAT, (int)bytes);
}

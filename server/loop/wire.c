/* SPDX-License-Identifier: BSD-3-Clause */
/* Between TLS and its socket: one large receive and one large send per operation, in the loop's memory, instead of
 * three small ones per record. A connection keeps only what an operation leaves over. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/bio.h>

#include "base/mem.h"
#include "loop/state.h"
#include "loop/wire.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static BIO_METHOD *method;

/* ---- Reading ---- */

static int receive(struct loop_wire *w)
{
    if (w->tried)
        return -1;
    w->tried = true;
    ssize_t n = recv(w->fd, loop_scratch_raw(w->loop), LOOP_RAW, 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? -1 : -2;
    w->eof = n == 0;
    w->at = loop_scratch_raw(w->loop);
    w->len = (size_t)n;
    return n > 0 ? 1 : 0;
}

static int take(BIO *bio, char *out, size_t max, size_t *taken)
{
    struct loop_wire *w = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    *taken = 0;
    if (!w->len) {
        int rc = receive(w);
        if (rc == -1)
            BIO_set_retry_read(bio);
        if (rc <= 0)
            return 0;
    }
    size_t n = max < w->len ? max : w->len;
    memcpy(out, w->at, n);
    w->at += n;
    w->len -= n;
    *taken = n;
    return 1;
}

static void keep_unread(struct loop_wire *w)
{
    uint8_t *kept = w->kept;

    if (kept && w->len && w->at >= kept && w->at < kept + w->kept_len) {
        w->kept_at = w->kept_len - w->len;
    } else {
        w->kept = w->len ? mem_dup(w->at, w->len) : NULL;
        w->kept_len = w->len;
        w->kept_at = 0;
        free(kept);
    }
    w->at = NULL;
    w->len = 0;
}

/* ---- Writing ---- */

/* Sends what the socket takes and returns its length; an error is reported by the next call in either direction. */
static size_t transmit(struct loop_wire *w, const uint8_t *bytes, size_t len)
{
    size_t sent = 0;

    while (sent < len) {
        ssize_t n = send(w->fd, bytes + sent, len - sent, MSG_NOSIGNAL);
        if (n <= 0) {
            w->broken = n < 0 && errno != EAGAIN && errno != EINTR;
            break;
        }
        sent += (size_t)n;
    }
    return sent;
}

static int give(BIO *bio, const char *in, size_t len, size_t *given)
{
    struct loop_wire *w = BIO_get_data(bio);
    uint8_t *out = loop_scratch_sealed(w->loop);

    BIO_clear_retry_flags(bio);
    *given = 0;
    if (w->broken)
        return 0;
    if (w->unsent || w->out_len + len > LOOP_SEALED) {
        BIO_set_retry_write(bio);
        return 0;
    }
    memcpy(out + w->out_len, in, len);
    w->out_len += len;
    *given = len;
    return 1;
}

bool loop_wire_flush(struct loop_wire *w)
{
    if (!w->unsent)
        return true;
    w->unsent_at += transmit(w, w->unsent + w->unsent_at, w->unsent_len - w->unsent_at);
    if (w->unsent_at < w->unsent_len && !w->broken)
        return false;
    free(w->unsent);
    w->unsent = NULL;
    return true;
}

/* ---- An operation ---- */

static long control(BIO *bio, int command, long number, void *pointer)
{
    struct loop_wire *w = BIO_get_data(bio);

    (void)number;
    (void)pointer;
    switch (command) {
    case BIO_CTRL_EOF:
        return w->eof;
    case BIO_CTRL_FLUSH:
        return 1;
    default:
        return 0;
    }
}

static int created(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static void make_method(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
    if (!method || !BIO_meth_set_read_ex(method, take) || !BIO_meth_set_write_ex(method, give) ||
        !BIO_meth_set_ctrl(method, control) || !BIO_meth_set_create(method, created)) {
        BIO_meth_free(method);
        method = NULL;
    }
}

BIO *loop_wire_bio(struct loop_wire *w)
{
    pthread_once(&once, make_method);
    BIO *bio = method ? BIO_new(method) : NULL;
    if (bio)
        BIO_set_data(bio, w);
    return bio;
}

void loop_wire_begin(struct loop_wire *w)
{
    w->tried = false;
    w->at = w->kept + w->kept_at;
    w->len = w->kept_len - w->kept_at;
    w->out_len = 0;
    errno = 0;
}

void loop_wire_end(struct loop_wire *w)
{
    const uint8_t *out = loop_scratch_sealed(w->loop);

    keep_unread(w);
    if (!w->out_len)
        return;
    size_t sent = transmit(w, out, w->out_len);
    if (sent < w->out_len && !w->broken) {
        w->unsent_len = w->out_len - sent;
        w->unsent = mem_dup(out + sent, w->unsent_len);
        w->unsent_at = 0;
    }
    w->out_len = 0;
}

void loop_wire_release(struct loop_wire *w)
{
    free(w->kept);
    free(w->unsent);
    w->kept = w->unsent = NULL;
}

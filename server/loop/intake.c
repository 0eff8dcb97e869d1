/* SPDX-License-Identifier: BSD-3-Clause */
/* Where TLS reads from: one large receive for each operation, into memory of the loop's, instead of two small ones for
 * each record. Only what an operation leaves over is kept by the connection. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/bio.h>

#include "base/mem.h"
#include "loop/internal.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static BIO_METHOD *method;

static int receive(struct loop_intake *in)
{
    if (in->tried)
        return -1;
    in->tried = true;
    ssize_t n = recv(in->fd, loop_scratch_raw(in->loop), LOOP_RAW, 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? -1 : -2;
    in->eof = n == 0;
    in->at = loop_scratch_raw(in->loop);
    in->len = (size_t)n;
    return n > 0 ? 1 : 0;
}

static int take(BIO *bio, char *out, size_t max, size_t *taken)
{
    struct loop_intake *in = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    *taken = 0;
    if (!in->len) {
        int rc = receive(in);
        if (rc == -1)
            BIO_set_retry_read(bio);
        if (rc <= 0)
            return 0;
    }
    size_t n = max < in->len ? max : in->len;
    memcpy(out, in->at, n);
    in->at += n;
    in->len -= n;
    *taken = n;
    return 1;
}

static long control(BIO *bio, int command, long number, void *pointer)
{
    struct loop_intake *in = BIO_get_data(bio);

    (void)number;
    (void)pointer;
    return command == BIO_CTRL_EOF ? in->eof : 0;
}

static int created(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static void make_method(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "intake");
    if (!method || !BIO_meth_set_read_ex(method, take) || !BIO_meth_set_ctrl(method, control) ||
        !BIO_meth_set_create(method, created)) {
        BIO_meth_free(method);
        method = NULL;
    }
}

BIO *loop_intake_bio(struct loop_intake *in)
{
    pthread_once(&once, make_method);
    BIO *bio = method ? BIO_new(method) : NULL;
    if (bio)
        BIO_set_data(bio, in);
    return bio;
}

void loop_intake_begin(struct loop_intake *in)
{
    in->tried = false;
    in->at = in->kept + in->kept_at;
    in->len = in->kept_len - in->kept_at;
    errno = 0;
}

void loop_intake_end(struct loop_intake *in)
{
    uint8_t *kept = in->kept;

    if (kept && in->len && in->at >= kept && in->at < kept + in->kept_len) {
        in->kept_at = in->kept_len - in->len;
    } else {
        in->kept = in->len ? mem_dup(in->at, in->len) : NULL;
        in->kept_len = in->len;
        in->kept_at = 0;
        free(kept);
    }
    in->at = NULL;
    in->len = 0;
}

void loop_intake_release(struct loop_intake *in)
{
    free(in->kept);
    in->kept = NULL;
}

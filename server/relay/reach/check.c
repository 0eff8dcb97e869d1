/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/reach/check.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/str.h"
#include "client/client.h"
#include "relay/reach/stun.h"

#define PATIENCE_MS 3000
#define SLICE_MS    200 /* between checks of stop */
#define ANSWER_MAX  65536

struct attempt {
    const char *host;
    unsigned port;
    bool (*stop)(void *arg);
    void *arg;
};

/* Waits for events on a socket; false: there were none. */
static bool wait_for(const struct attempt *t, int fd, short events)
{
    int64_t until = clock_mono_ms() + PATIENCE_MS;
    struct pollfd p = {.fd = fd, .events = events};

    while (clock_mono_ms() < until && !t->stop(t->arg))
        if (poll(&p, 1, SLICE_MS) > 0)
            return true;
    return false;
}

static int connect_to(const struct attempt *t, int type, struct err *e)
{
    struct addrinfo hints = {.ai_socktype = type}, *found = NULL;
    char port[8];
    int fd = -1;

    snprintf(port, sizeof(port), "%u", t->port);
    int code = getaddrinfo(t->host, port, &hints, &found);
    if (code != 0)
        return err_set(e, ERR_IO, "%.100s has no address: %s", t->host, gai_strerror(code));
    err_set(e, ERR_IO, "nothing answers there");
    for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next) {
        int why = 0;
        socklen_t len = sizeof(why);
        fd = socket(at->ai_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) < 0 && errno != EINPROGRESS)
            why = errno;
        if (fd >= 0 && !why && (!wait_for(t, fd, POLLOUT) || getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &len) < 0))
            why = ETIMEDOUT;
        if (fd >= 0 && why) {
            err_set(e, ERR_IO, "%s", strerrordesc_np(why));
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

/* Behind a proxy the full path is tested, with a certificate that clients must trust. */
static int try_derp(const struct attempt *t, bool by_proxy, struct err *e)
{
    struct buf answer = BUF_INIT(ANSWER_MAX);
    bool bracket = strchr(t->host, ':') != NULL;

    if (!by_proxy) {
        int fd = connect_to(t, SOCK_STREAM, e);
        if (fd < 0)
            return ERR_IO;
        close(fd);
        return 0;
    }
    char *url = mem_format("https://%s%s%s:%u/derp/probe", bracket ? "[" : "", t->host, bracket ? "]" : "", t->port);
    int code = client_fetch(url, PATIENCE_MS, t->stop, t->arg, &answer, e);
    free(url);
    buf_release(&answer);
    return code;
}

static int try_stun(const struct attempt *t, struct err *e)
{
    uint8_t request[STUN_REQUEST_LEN], answer[512];
    int fd = connect_to(t, SOCK_DGRAM, e);
    ssize_t n = -1;

    if (fd < 0)
        return ERR_IO;
    stun_request(request);
    if (send(fd, request, sizeof(request), 0) == (ssize_t)sizeof(request) && wait_for(t, fd, POLLIN))
        n = recv(fd, answer, sizeof(answer), 0);
    close(fd);
    bool good = n >= 20 && memcmp(answer + 8, request + 8, 12) == 0;
    return good ? 0 : err_set(e, ERR_IO, "no answer");
}

void relay_check_run(const struct relay_advertised *a, unsigned stun_port, bool (*stop)(void *arg), void *arg,
                     struct relay_check *out)
{
    struct attempt t = {a->host, a->port, stop, arg};
    struct err e = {0};

    *out = (struct relay_check){.derp = true, .stun = true};
    if (try_derp(&t, a->by_proxy, &e) < 0) {
        out->derp = false;
        str_copy(out->derp_why, sizeof(out->derp_why), e.message);
    }
    t.port = stun_port;
    if (stun_port && try_stun(&t, &e) < 0) {
        out->stun = false;
        str_copy(out->stun_why, sizeof(out->stun_why), e.message);
    }
    out->done = !stop(arg);
}

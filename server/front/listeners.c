/* SPDX-License-Identifier: BSD-3-Clause */
/* Listeners, and what happens when descriptors run out. */
#include "front/front.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "front/conn.h"
#include "front/limits.h"
#include "front/pump.h"
#include "front/sockets.h"

#define HEAD_MS  10000
#define STALL_MS 30000
/* Upper bound, besides a quarter of the files that may be open; each IPv4 address or IPv6 /64 may have a quarter of the
 * result. This many because a whole tailnet may reconnect at once, and from one address if it is behind one. */
#define FRONT_CONNS_MAX 32768

#define ENDINGS_MAX  1024 /* per loop: clients that are given time to read the end of an answer */
#define ACCEPT_BATCH 64   /* per turn: connected clients get their turn too */
#define PAUSE_MS     200
#define BRIEF_MS     10 /* when only the last files are left: by then those to be closed are gone */
/* A connection keeps its place for about this long at least, however many come after it: time to send its request, over
 * TLS too. Meanwhile the others wait in the kernel's queue, as does what they send. */
#define PLACE_MS  100
#define LOOK_MS   10000
#define ENDING_MS 2000 /* for the last answers, checked at this interval: */
#define ENDED_MS  5

/* ---- Accepting ---- */

static void listen_for(struct front *f, uint32_t events)
{
    for (size_t i = 0; i < f->listener_count; i++)
        loop_rewatch(loops_at(f->o.loops, 0), &f->listeners[i].watch, events);
}

static void resume(struct loop_timer *timer)
{
    listen_for(CONTAINER_OF(timer, struct front, resume), EPOLLIN);
}

static void pause_accepting(struct front *f, unsigned ms)
{
    struct loop *l = loops_at(f->o.loops, 0);

    f->replaced = 0;
    listen_for(f, 0);
    loop_timer_stop(l, &f->resume); /* another listener may have set it in this turn */
    loop_timer_set(l, &f->resume, ms, resume);
}

/* Out of descriptors: the spare one is used to accept the pending connection and close it, so that its client notices,
 * and the rest stays in the kernel's queue for a moment. Otherwise the loop would spin on a listener it cannot accept
 * from. */
static void out_of_files(struct front *f, int listener)
{
    static struct log_limit limit;

    log_limited(&limit, 1, LOG_LEVEL_ERROR, "front", "no more connections can be accepted: %s", strerror(errno));
    if (f->spare >= 0) {
        close(f->spare);
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            close(fd);
        f->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    pause_accepting(f, PAUSE_MS);
}

static bool must_pause(struct front *f, bool files_are_few)
{
    return files_are_few || f->replaced * PLACE_MS >= f->max * BRIEF_MS;
}

static void accept_one(struct front *f, int fd, const union address *from)
{
    static struct log_limit limit;
    char text[ADDR_PORT_TEXT_MAX];
    struct addr_port peer;

    from_sockaddr(from, &peer);
    bool known = f->o.known && f->o.known(f->o.arg, &peer.addr);
    enum files_left files = limits_files_left(f, fd);
    enum head_place place = files == FILES_NONE ? HEAD_NO_PLACE : limits_enter_head(f, &peer.addr, known);
    if (place != HEAD_NO_PLACE) {
        f->replaced += place == HEAD_PLACE_OF;
        conn_open(f, loops_next(f->o.loops), fd, &peer,
                  &(struct conn_terms){.instead = place == HEAD_PLACE_OF || files == FILES_LAST,
                                       .known = known,
                                       .few_files = files != FILES_MANY});
        return;
    }
    log_limited(&limit, 5, LOG_LEVEL_WARN, "front", "connection from %s refused: too many %s",
                addr_port_format(&peer, text), files == FILES_NONE ? "files are open" : "without a request");
    close(fd);
}

static void listener_ready(struct loop_watch *w, uint32_t events)
{
    struct front_listener *l = (struct front_listener *)w;

    (void)events;
    /* Connections that have no place yet wait in the kernel's queue: others are about to be closed for them. */
    for (unsigned i = 0; i < ACCEPT_BATCH && limits_may_accept(l->front); i++) {
        union address from = {0};
        socklen_t len = sizeof(from);
        int fd = accept4(w->fd, &from.any, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            bool few = limits_files_left(l->front, fd) >= FILES_LAST;
            accept_one(l->front, fd, &from);
            if (must_pause(l->front, few)) {
                pause_accepting(l->front, BRIEF_MS);
                return;
            }
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            out_of_files(l->front, w->fd);
            return;
        } else if (errno == EAGAIN || errno == EINTR) {
            return;
        }
        /* any other error concerns that connection alone, which is gone already */
    }
}

/* ---- Starting and stopping ---- */

static void look_at_certificate(struct loop_timer *timer)
{
    struct front *f = CONTAINER_OF(timer, struct front, look);
    struct err e;

    if (front_reload(f, &e) < 0)
        log_error("front", "the certificate in use stays: %s", e.message);
    loop_timer_set(loops_at(f->o.loops, 0), timer, LOOK_MS, look_at_certificate);
}

int front_reload(struct front *f, struct err *e)
{
    int rc = f->tls ? loop_tls_refresh(f->tls, e) : 0;

    if (rc > 0)
        log_info("front", "certificate loaded from %s", f->o.cert_path);
    return rc < 0 ? rc : 0;
}

static void start(void *arg)
{
    struct front *f = arg;
    struct loop *l = loops_at(f->o.loops, 0);
    struct err e;

    for (size_t i = 0; i < f->listener_count; i++)
        if (loop_watch(l, &f->listeners[i].watch, EPOLLIN, &e) < 0)
            log_error("front", "cannot accept connections: %s", e.message);
    if (f->own_tls)
        loop_timer_set(l, &f->look, LOOK_MS, look_at_certificate);
}

static void release(struct front *f)
{
    for (size_t i = 0; i < f->listener_count; i++)
        listen_close(f->listeners[i].watch.fd);
    if (f->spare >= 0)
        close(f->spare);
    if (f->own_tls)
        loop_tls_free(f->tls);
    map_release(&f->by_address);
    pthread_mutex_destroy(&f->lock);
    strs_release(&f->o.listen);
    prefixes_release(&f->o.trusted_proxies);
    free(f->listeners);
    free(f->conns);
    free(f->pumps);
    free(f);
}

static int set_up(struct front *f, const struct front_options *options, struct err *e)
{
    if (options->cert_path) {
        f->tls = loop_tls_new(options->cert_path, options->key_path, e);
        if (!f->tls)
            return ERR_INVALID;
        f->own_tls = true;
    }
    for (size_t i = 0; i < f->o.listen.len; i++) {
        int fd = listen_open(f->o.listen.items[i], e);
        if (fd < 0)
            return fd;
        f->listeners[f->listener_count++] =
            (struct front_listener){.watch = {.fd = fd, .ready = listener_ready}, .front = f, .port = listen_port(fd)};
    }
    return 0;
}

struct front *front_new(const struct front_options *options, struct err *e)
{
    struct front *f = mem_alloc(sizeof(*f));
    unsigned loops = loops_count(options->loops);

    f->o = *options;
    f->o.listen = (struct strs){0};
    f->o.trusted_proxies = (struct prefixes){0};
    strs_copy(&f->o.listen, &options->listen);
    prefixes_copy(&f->o.trusted_proxies, &options->trusted_proxies);
    f->tls = options->tls;
    if (!f->o.head_ms)
        f->o.head_ms = HEAD_MS;
    f->listeners = mem_alloc((options->listen.len + 1) * sizeof(*f->listeners));
    f->conns = mem_alloc(loops * sizeof(*f->conns));
    f->pumps = mem_alloc(loops * sizeof(*f->pumps));
    f->endings_max = 1 + file_share(ENDINGS_MAX, 16 * loops);
    if (!f->o.stall_ms)
        f->o.stall_ms = STALL_MS;
    f->max = f->o.heads_max ? f->o.heads_max : file_share(FRONT_CONNS_MAX, 4);
    f->files = file_share(UINT_MAX, 1);
    f->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    pthread_mutex_init(&f->lock, NULL);
    if (set_up(f, options, e) < 0) {
        release(f);
        return NULL;
    }
    loop_post(loops_at(options->loops, 0), start, f);
    return f;
}

unsigned front_port(const struct front *f, size_t i)
{
    return f->listeners[i].port;
}

struct loop_tls *front_tls(struct front *f)
{
    return f->tls;
}

static void stop_listening(struct loop *l, void *arg)
{
    struct front *f = arg;

    for (size_t i = 0; i < f->listener_count; i++)
        loop_unwatch(l, &f->listeners[i].watch);
    loop_timer_stop(l, &f->resume);
    loop_timer_stop(l, &f->look);
}

static void close_conns(struct loop *l, void *arg)
{
    struct front *f = arg;
    unsigned i = loop_index(l);

    for (unsigned known = 0; known < 2; known++)
        while (f->conns[i][known].newest)
            conn_close(f->conns[i][known].newest);
}

void front_stop(struct front *f)
{
    if (!f || atomic_exchange(&f->stopping, true))
        return;
    /* Stop accepting first; connections on their way to a loop were posted before, and are closed on arrival. */
    loop_run(loops_at(f->o.loops, 0), stop_listening, f);
    loops_run(f->o.loops, close_conns, f);
}

struct pump_count {
    struct front *front;
    unsigned count;
};

static void count_pumps(struct loop *l, void *arg)
{
    struct pump_count *c = arg;

    c->count += pumps_unsent(c->front, l);
}

/* The HTTP server has closed its end of each pump, which ends once the client has received everything. */
static void wait_for_pumps(struct front *f)
{
    int64_t until = clock_mono_ms() + ENDING_MS;
    struct pump_count now;

    do {
        now = (struct pump_count){f, 0};
        loops_run(f->o.loops, count_pumps, &now);
    } while (now.count && clock_mono_ms() < until && poll(NULL, 0, ENDED_MS) == 0);
}

static void close_pumps(struct loop *l, void *arg)
{
    struct front *f = arg;

    for (unsigned ending = 0; ending < 2; ending++)
        while (f->pumps[loop_index(l)][ending].newest)
            pump_close(f->pumps[loop_index(l)][ending].newest);
}

void front_free(struct front *f)
{
    if (!f)
        return;
    front_stop(f);
    if (f->o.other)
        wait_for_pumps(f);
    loops_run(f->o.loops, close_pumps, f);
    release(f);
}

unsigned long front_raise_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 1024;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

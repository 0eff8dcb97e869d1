/* SPDX-License-Identifier: BSD-3-Clause */
#include "http/endless.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mem.h"

#define PIECE 16384
#define TURN  64 /* events per turn */

struct endless_answer {
    struct http_endless *all;
    struct http_source *source;
    struct MHD_Connection *connection;
    uint64_t id; /* never reused, unlike descriptors */
    int fd;
    bool suspended, gone; /* guarded by the lock */
};

struct http_endless {
    int epoll_fd, wake_fd;
    pthread_mutex_t lock; /* guards what follows; taken inside the locks of sources */
    struct map answers;   /* by id */
    uint64_t next_id;     /* 0 is the wakeup's */
};

int http_endless_new(struct http_endless **out, struct err *e)
{
    struct http_endless *all = mem_alloc(sizeof(*all));
    struct epoll_event wake = {.events = EPOLLIN, .data.u64 = 0};

    pthread_mutex_init(&all->lock, NULL);
    all->next_id = 1;
    all->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    all->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (all->epoll_fd < 0 || all->wake_fd < 0 || epoll_ctl(all->epoll_fd, EPOLL_CTL_ADD, all->wake_fd, &wake) < 0) {
        int code = err_set(e, ERR_UNAVAILABLE, "epoll: %s", strerrordesc_np(errno));
        http_endless_free(all);
        return code;
    }
    *out = all;
    return 0;
}

void http_endless_free(struct http_endless *all)
{
    if (!all)
        return;
    if (all->epoll_fd >= 0)
        close(all->epoll_fd);
    if (all->wake_fd >= 0)
        close(all->wake_fd);
    map_release(&all->answers);
    pthread_mutex_destroy(&all->lock);
    free(all);
}

/* ---- Watching ---- */

/* Call with the lock held. */
static void go_on(struct endless_answer *a)
{
    if (!a->suspended)
        return;
    a->suspended = false;
    MHD_resume_connection(a->connection);
}

void http_endless_look(struct http_endless *all, int wait_ms)
{
    struct epoll_event events[TURN];
    int count = epoll_wait(all->epoll_fd, events, TURN, wait_ms);
    uint64_t ignored;

    if (count <= 0)
        return;
    pthread_mutex_lock(&all->lock);
    for (int i = 0; i < count; i++) {
        struct endless_answer *a = map_getu(&all->answers, events[i].data.u64);
        if (a) {
            a->gone = true;
            go_on(a);
        } else if (!events[i].data.u64) {
            (void)!read(all->wake_fd, &ignored, sizeof(ignored));
        }
    }
    pthread_mutex_unlock(&all->lock);
}

void http_endless_wake(struct http_endless *all)
{
    uint64_t one = 1;

    (void)!write(all->wake_fd, &one, sizeof(one));
}

/* ---- One answer ---- */

static void answer_resume(void *arg)
{
    struct endless_answer *a = arg;

    pthread_mutex_lock(&a->all->lock);
    go_on(a);
    pthread_mutex_unlock(&a->all->lock);
}

/* The descriptor is this connection's for as long as the source waits. */
static bool answer_gone(void *arg)
{
    struct endless_answer *a = arg;
    struct pollfd p = {.fd = a->fd, .events = POLLRDHUP};

    return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

static void answer_wait(void *arg)
{
    struct endless_answer *a = arg;

    pthread_mutex_lock(&a->all->lock);
    if (!a->gone) {
        a->suspended = true;
        MHD_suspend_connection(a->connection);
    }
    pthread_mutex_unlock(&a->all->lock);
}

static ssize_t answer_read(void *arg, uint64_t position, char *bytes, size_t max)
{
    struct endless_answer *a = arg;

    (void)position;
    pthread_mutex_lock(&a->all->lock);
    bool gone = a->gone;
    pthread_mutex_unlock(&a->all->lock);
    if (gone)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    long n = a->source->take(a->source, bytes, max, answer_wait);
    return n < 0 ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)n;
}

/* libmicrohttpd releases the answer before it closes the socket: the descriptor is still this connection's. */
static void answer_over(void *arg)
{
    struct endless_answer *a = arg;

    pthread_mutex_lock(&a->all->lock);
    map_delu(&a->all->answers, a->id);
    epoll_ctl(a->all->epoll_fd, EPOLL_CTL_DEL, a->fd, NULL);
    pthread_mutex_unlock(&a->all->lock);
    a->source->closed(a->source);
    free(a);
}

struct MHD_Response *http_endless_response(struct http_endless *all, struct http_source *source,
                                           struct MHD_Connection *c)
{
    struct endless_answer *a = mem_alloc(sizeof(*a));
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE, answer_read, a, answer_over);

    if (!response) {
        free(a);
        return NULL;
    }
    a->all = all;
    a->source = source;
    a->connection = c;
    a->fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    source->attach(source, answer_resume, answer_gone, a);
    pthread_mutex_lock(&all->lock);
    a->id = all->next_id++;
    map_putu(&all->answers, a->id, a);
    /* If the kernel has no memory for it, the end is noticed with the next bytes. */
    (void)epoll_ctl(all->epoll_fd, EPOLL_CTL_ADD, a->fd,
                    &(struct epoll_event){.events = EPOLLRDHUP | EPOLLONESHOT, .data.u64 = a->id});
    pthread_mutex_unlock(&all->lock);
    return response;
}

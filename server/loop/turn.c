/* SPDX-License-Identifier: BSD-3-Clause */
/* The turn of a loop, its mailbox and its descriptors. */
#include "loop/loop.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/state.h"

struct loops {
    unsigned count;
    atomic_uint next;
    struct loop *items;
};

static _Thread_local struct loop *here;

void loop_ring_init(struct loop_task *head)
{
    head->next = head->prev = head;
}

bool loop_ring_is_empty(const struct loop_task *head)
{
    return head->next == head;
}

void loop_ring_add(struct loop_task *head, struct loop_task *task)
{
    task->next = head;
    task->prev = head->prev;
    head->prev->next = task;
    head->prev = task;
}

void loop_ring_del(struct loop_task *task)
{
    task->next->prev = task->prev;
    task->prev->next = task->next;
    task->next = task->prev = NULL;
}

void loop_ring_move(struct loop_task *from, struct loop_task *to)
{
    loop_ring_init(to);
    if (loop_ring_is_empty(from))
        return;
    to->next = from->next;
    to->prev = from->prev;
    to->next->prev = to->prev->next = to;
    loop_ring_init(from);
}

/* ---- The mailbox ---- */

static void ring_bell(struct loop *l)
{
    uint64_t one = 1;
    ssize_t n = write(l->mailbox.fd, &one, sizeof(one));

    (void)n; /* fails only if it is signalled already */
}

bool loop_post_task(struct loop *l, struct loop_task *task)
{
    bool ring = false;

    pthread_mutex_lock(&l->lock);
    bool added = task->next == NULL;
    if (added) {
        loop_ring_add(&l->posted, task);
        ring = !l->rung;
        l->rung = true;
    }
    pthread_mutex_unlock(&l->lock);
    if (ring)
        ring_bell(l);
    return added;
}

struct loop_call {
    struct loop_task task; /* first */
    void (*run)(void *arg);
    void *arg;
};

static void run_call(struct loop_task *task)
{
    struct loop_call *call = (struct loop_call *)task;
    void (*run)(void *arg) = call->run;
    void *arg = call->arg;

    free(call);
    run(arg);
}

void loop_post(struct loop *l, void (*run)(void *arg), void *arg)
{
    struct loop_call *call = mem_alloc(sizeof(*call));

    *call = (struct loop_call){.task.run = run_call, .run = run, .arg = arg};
    loop_post_task(l, &call->task);
}

struct loop_wait {
    struct loop *loop;
    void (*run)(struct loop *l, void *arg);
    void *arg;
    sem_t done;
};

static void run_wait(void *arg)
{
    struct loop_wait *w = arg;

    w->run(w->loop, w->arg);
    sem_post(&w->done);
}

void loop_run(struct loop *l, void (*run)(struct loop *l, void *arg), void *arg)
{
    struct loop_wait w = {.loop = l, .run = run, .arg = arg};

    sem_init(&w.done, 0, 0);
    loop_post(l, run_wait, &w);
    while (sem_wait(&w.done) < 0)
        ;
    sem_destroy(&w.done);
}

static void mailbox_ready(struct loop_watch *w, uint32_t events)
{
    struct loop *l = here;
    uint64_t n;
    ssize_t got = read(w->fd, &n, sizeof(n));

    (void)events;
    (void)got;
    l->mail = true;
}

/* Runs what was posted so far, not what is posted meanwhile: a task that posts itself again must not block the rest. A
 * task counts as not queued before it runs, so that it may post itself. */
static void run_posted(struct loop *l)
{
    struct loop_task batch;

    pthread_mutex_lock(&l->lock);
    loop_ring_move(&l->posted, &batch);
    l->rung = false;
    while (!loop_ring_is_empty(&batch)) {
        struct loop_task *task = batch.next;
        loop_ring_del(task);
        pthread_mutex_unlock(&l->lock);
        task->run(task);
        pthread_mutex_lock(&l->lock);
    }
    pthread_mutex_unlock(&l->lock);
}

static bool has_posted(struct loop *l)
{
    pthread_mutex_lock(&l->lock);
    bool some = !loop_ring_is_empty(&l->posted);
    pthread_mutex_unlock(&l->lock);
    return some;
}

/* ---- Deferred tasks ---- */

void loop_defer(struct loop *l, struct loop_task *task)
{
    if (!task->next)
        loop_ring_add(&l->deferred, task);
}

void loop_undefer(struct loop *l, struct loop_task *task)
{
    (void)l;
    if (task->next)
        loop_ring_del(task);
}

static void run_deferred(struct loop *l)
{
    struct loop_task batch;

    loop_ring_move(&l->deferred, &batch);
    while (!loop_ring_is_empty(&batch)) {
        struct loop_task *task = batch.next;
        loop_ring_del(task);
        task->run(task);
    }
}

/* ---- Descriptors ---- */

int loop_watch(struct loop *l, struct loop_watch *w, uint32_t events, struct err *e)
{
    struct epoll_event ev = {.events = events, .data.ptr = w};

    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, w->fd, &ev) < 0)
        return err_set(e, ERR_IO, "cannot watch a descriptor: %s", strerror(errno));
    return 0;
}

void loop_rewatch(struct loop *l, struct loop_watch *w, uint32_t events)
{
    struct epoll_event ev = {.events = events, .data.ptr = w};

    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, w->fd, &ev) < 0)
        log_error("loop", "cannot watch a descriptor for other events: %s", strerror(errno));
}

void loop_unwatch(struct loop *l, struct loop_watch *w)
{
    epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
    for (int i = l->event_at; i < l->event_count; i++)
        if (l->events[i].data.ptr == w)
            l->events[i].data.ptr = NULL;
}

/* ---- The turn ---- */

void loop_gather(struct loop *l, unsigned us)
{
    l->gather_us = us < LOOP_GATHER_US ? us : LOOP_GATHER_US;
}

static void gather(struct loop *l)
{
    struct timespec pause = {.tv_nsec = (long)l->gather_us * 1000};

    l->gather_us = 0;
    nanosleep(&pause, NULL);
}

static void turn(struct loop *l)
{
    if (l->gather_us)
        gather(l);
    int wait = loop_ring_is_empty(&l->deferred) ? loop_timers_wait(l) : 0;
    int n = epoll_wait(l->epoll_fd, l->events, LOOP_EVENTS, wait);

    l->now = clock_mono_ms();
    l->event_count = n > 0 ? n : 0;
    for (l->event_at = 0; l->event_at < l->event_count;) {
        struct epoll_event *ev = &l->events[l->event_at++];
        struct loop_watch *w = ev->data.ptr;
        if (w)
            w->ready(w, ev->events);
    }
    if (l->mail) {
        l->mail = false;
        run_posted(l);
    }
    loop_timers_run(l);
    run_deferred(l);
}

static void *thread_main(void *arg)
{
    struct loop *l = arg;

    here = l;
    l->now = clock_mono_ms();
    prctl(PR_SET_TIMERSLACK, 10000UL); /* ns: for the sleep of gather */
    while (!atomic_load(&l->stop))
        turn(l);
    while (has_posted(l) || !loop_ring_is_empty(&l->deferred)) {
        run_posted(l);
        run_deferred(l);
    }
    return NULL;
}

bool loop_is_here(const struct loop *l)
{
    return here == l;
}

int64_t loop_now(const struct loop *l)
{
    return l->now;
}

unsigned loop_index(const struct loop *l)
{
    return l->index;
}

uint8_t *loop_scratch_in(struct loop *l)
{
    return l->scratch;
}

uint8_t *loop_scratch_out(struct loop *l)
{
    return l->scratch + LOOP_SCRATCH;
}

uint8_t *loop_scratch_raw(struct loop *l)
{
    return l->scratch + (size_t)2 * LOOP_SCRATCH;
}

uint8_t *loop_scratch_sealed(struct loop *l)
{
    return loop_scratch_raw(l) + LOOP_RAW;
}

/* ---- All loops ---- */

static int loop_setup(struct loop *l, struct loops *owner, unsigned index, struct err *e)
{
    l->owner = owner;
    l->index = index;
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    l->mailbox = (struct loop_watch){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .ready = mailbox_ready};
    l->now = clock_mono_ms();
    l->scratch = mem_resize(NULL, 1, (size_t)2 * LOOP_SCRATCH + LOOP_RAW + LOOP_SEALED);
    loop_ring_init(&l->deferred);
    loop_ring_init(&l->posted);
    pthread_mutex_init(&l->lock, NULL);
    if (l->epoll_fd < 0 || l->mailbox.fd < 0)
        return err_set(e, ERR_IO, "cannot make an event loop: %s", strerror(errno));
    return loop_watch(l, &l->mailbox, EPOLLIN, e);
}

struct loops *loops_new(unsigned count, struct err *e)
{
    struct loops *ls = mem_alloc(sizeof(*ls));
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    /* OpenSSL writes to sockets without MSG_NOSIGNAL. */
    signal(SIGPIPE, SIG_IGN);
    if (!count)
        count = processors > 0 ? (unsigned)processors : 1;
    ls->items = mem_alloc(count * sizeof(*ls->items));
    for (unsigned i = 0; i < count; i++) {
        ls->count++;
        if (loop_setup(&ls->items[i], ls, i, e) < 0) {
            loops_free(ls);
            return NULL;
        }
    }
    return ls;
}

int loops_start(struct loops *ls, struct err *e)
{
    int rc = 0;

    for (unsigned i = 0; i < ls->count && rc == 0; i++)
        rc = thread_start(&ls->items[i].thread, "loop", thread_main, &ls->items[i], e);
    return rc;
}

void loops_stop(struct loops *ls)
{
    for (unsigned i = 0; i < ls->count; i++)
        if (ls->items[i].thread.runs) {
            atomic_store(&ls->items[i].stop, true);
            ring_bell(&ls->items[i]);
        }
    for (unsigned i = 0; i < ls->count; i++)
        thread_join(&ls->items[i].thread);
}

void loops_free(struct loops *ls)
{
    if (!ls)
        return;
    loops_stop(ls);
    for (unsigned i = 0; i < ls->count; i++) {
        struct loop *l = &ls->items[i];
        here = l;
        while (has_posted(l))
            run_posted(l);
        here = NULL;
        if (l->epoll_fd >= 0)
            close(l->epoll_fd);
        if (l->mailbox.fd >= 0)
            close(l->mailbox.fd);
        pthread_mutex_destroy(&l->lock);
        free(l->timers.items);
        free(l->scratch);
    }
    free(ls->items);
    free(ls);
}

unsigned loops_count(const struct loops *ls)
{
    return ls->count;
}

struct loop *loops_at(struct loops *ls, unsigned i)
{
    return &ls->items[i];
}

void loops_run(struct loops *ls, void (*run)(struct loop *l, void *arg), void *arg)
{
    for (unsigned i = 0; i < ls->count; i++)
        loop_run(&ls->items[i], run, arg);
}

struct loop *loops_next(struct loops *ls)
{
    return &ls->items[atomic_fetch_add(&ls->next, 1) % ls->count];
}

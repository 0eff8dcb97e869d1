/* SPDX-License-Identifier: BSD-3-Clause */
/* Loops: posts from other threads, timers in order, streams with back-pressure, plain and TLS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "loop/loop.h"

static struct loops *loops;

static int start(void **state)
{
    (void)state;
    loops = loops_new(2, NULL);
    return loops ? loops_start(loops, NULL) : -1;
}

static int stop(void **state)
{
    (void)state;
    loops_free(loops);
    return 0;
}

/* ---- Posts ---- */

static unsigned order[1000], ordered;
static sem_t done;

static void note(void *arg)
{
    assert_true(loop_is_here(loops_at(loops, 0)));
    order[ordered++] = (unsigned)(uintptr_t)arg;
    if (ordered == 1000)
        sem_post(&done);
}

static void posts_arrive_in_order_on_their_thread(void **state)
{
    (void)state;
    sem_init(&done, 0, 0);
    for (uintptr_t i = 0; i < 1000; i++)
        loop_post(loops_at(loops, 0), note, (void *)i);
    sem_wait(&done);
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(order[i], i);
}

struct counter {
    struct loop_task task;
    unsigned runs;
};

static void count_run(struct loop_task *task)
{
    ((struct counter *)task)->runs++;
}

static void hold(void *arg)
{
    sem_t *both = arg;

    sem_post(&both[0]);
    sem_wait(&both[1]);
}

static void ring(void *arg)
{
    sem_post(arg);
}

static void a_task_that_waits_is_not_queued_twice(void **state)
{
    struct counter c = {.task.run = count_run};
    sem_t both[2];

    (void)state;
    sem_init(&both[0], 0, 0);
    sem_init(&both[1], 0, 0);
    loop_post(loops_at(loops, 1), hold, both);
    sem_wait(&both[0]); /* the loop stands still now */
    assert_true(loop_post_task(loops_at(loops, 1), &c.task));
    assert_false(loop_post_task(loops_at(loops, 1), &c.task));
    sem_post(&both[1]);
    loop_post(loops_at(loops, 1), ring, &both[0]);
    sem_wait(&both[0]);
    assert_int_equal(c.runs, 1);
    assert_true(loop_post_task(loops_at(loops, 1), &c.task));
    loop_post(loops_at(loops, 1), ring, &both[0]);
    sem_wait(&both[0]);
    assert_int_equal(c.runs, 2);
}

/* ---- Timers ---- */

#define TIMERS 200
static struct loop_timer timers[TIMERS];
static int64_t last_due;
static unsigned fired;

static void fire(struct loop_timer *t)
{
    assert_true(t->due >= last_due);
    assert_int_equal((t - timers) % 3, 0); /* the others were stopped */
    last_due = t->due;
    if (++fired == (TIMERS + 2) / 3)
        sem_post(&done);
}

static void set_timers(void *arg)
{
    struct loop *l = arg;

    for (unsigned i = 0; i < TIMERS; i++)
        loop_timer_set(l, &timers[i], (i * 7919) % 50, fire);
    for (unsigned i = 0; i < TIMERS; i++)
        if (i % 3)
            loop_timer_stop(l, &timers[i]);
        else if (i % 2)
            loop_timer_set(l, &timers[i], (i * 31) % 40, fire); /* moved */
}

static void timers_fire_in_order_and_stopped_ones_do_not(void **state)
{
    (void)state;
    loop_post(loops_at(loops, 0), set_timers, loops_at(loops, 0));
    sem_wait(&done);
    assert_int_equal(fired, (TIMERS + 2) / 3);
}

/* ---- Streams ---- */

#define TOTAL (3 * 1024 * 1024)

struct echo {
    int fd;
    struct stream *stream;
    uint8_t held[4096]; /* read and not yet written */
    size_t held_len;
    struct loop_tls *tls;
    sem_t closed;
};

static void echo_flush(struct echo *x)
{
    long n = stream_write(x->stream, x->held, x->held_len, NULL);

    assert_true(n >= 0);
    memmove(x->held, x->held + n, x->held_len - (size_t)n);
    x->held_len -= (size_t)n;
    stream_pause(x->stream, x->held_len > 0);
}

static void echo_readable(struct stream *s, void *arg)
{
    struct echo *x = arg;
    struct err e;
    long n = stream_read(s, x->held, sizeof(x->held), &e);

    if (n < 0) {
        assert_int_equal(n, ERR_GONE);
        stream_close(s);
        sem_post(&x->closed);
        return;
    }
    x->held_len = (size_t)n;
    echo_flush(x);
}

static void echo_writable(struct stream *s, void *arg)
{
    (void)s;
    echo_flush(arg);
}

static void echo_open(void *arg)
{
    static const struct stream_handler handler = {echo_readable, echo_writable};
    struct echo *x = arg;

    x->stream = stream_new(loops_at(loops, 0), x->fd, x->tls, &(struct addr_port){0}, NULL);
    assert_non_null(x->stream);
    stream_unread(x->stream, "first", 5);
    stream_handle(x->stream, &handler, x);
}

static void *send_all(void *arg)
{
    uint8_t *bytes = mem_alloc(TOTAL);

    for (size_t i = 0; i < TOTAL; i++)
        bytes[i] = (uint8_t)(i * 31 >> 3);
    for (size_t at = 0; at < TOTAL;) {
        ssize_t n = write(*(int *)arg, bytes + at, TOTAL - at);
        assert_true(n > 0);
        at += (size_t)n;
    }
    free(bytes);
    return NULL;
}

static void read_exactly(int fd, uint8_t *out, size_t len)
{
    while (len) {
        ssize_t n = read(fd, out, len);
        assert_true(n > 0);
        out += n;
        len -= (size_t)n;
    }
}

static void a_stream_echoes_more_than_its_socket_holds(void **state)
{
    struct echo x = {0};
    int pair[2];
    pthread_t sender;
    uint8_t *got = mem_alloc(TOTAL);

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    sem_init(&x.closed, 0, 0);
    x.fd = pair[0];
    loop_post(loops_at(loops, 0), echo_open, &x);
    read_exactly(pair[1], got, 5);
    assert_memory_equal(got, "first", 5);
    pthread_create(&sender, NULL, send_all, &pair[1]);
    read_exactly(pair[1], got, TOTAL);
    pthread_join(sender, NULL);
    for (size_t i = 0; i < TOTAL; i++)
        if (got[i] != (uint8_t)(i * 31 >> 3))
            fail_msg("byte %zu differs", i);
    close(pair[1]);
    sem_wait(&x.closed);
    free(got);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_arrive_in_order_on_their_thread),
        cmocka_unit_test(a_task_that_waits_is_not_queued_twice),
        cmocka_unit_test(timers_fire_in_order_and_stopped_ones_do_not),
        cmocka_unit_test(a_stream_echoes_more_than_its_socket_holds),
    };

    return cmocka_run_group_tests(tests, start, stop);
}

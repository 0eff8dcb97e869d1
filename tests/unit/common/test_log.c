/* SPDX-License-Identifier: BSD-3-Clause */
/* The log is written by its own thread: a reader that stops reading blocks nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"

#define LINES 40000 /* of 60 bytes and more: more than a pipe and the queue take */

static void *read_all(void *arg)
{
    int fd = *(int *)arg;
    struct buf *all = NULL;
    static struct buf got;
    char piece[65536];
    ssize_t n;

    while ((n = read(fd, piece, sizeof(piece))) > 0)
        buf_add(&got, piece, (size_t)n);
    all = &got;
    return all;
}

static void a_reader_that_stops_holds_nobody_up(void **state)
{
    int ends[2], before = dup(STDERR_FILENO);
    pthread_t reader;
    void *result;
    struct err e;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    log_setup(LOG_LEVEL_INFO, LOG_TEXT);
    assert_int_equal(log_start(&e), 0);
    for (unsigned i = 0; i < LINES; i++) /* nobody reads: without the thread this never ends */
        log_info("test", "line %u of many, with some more words to make it long", i);
    pthread_create(&reader, NULL, read_all, &ends[0]);
    log_info("test", "%s", "the reader is back");
    log_end();
    dup2(before, STDERR_FILENO);
    close(before);
    pthread_join(reader, &result);
    struct buf *got = result;
    assert_non_null(strstr(buf_text(got), "line 0 of many"));
    assert_non_null(strstr(buf_text(got), "lines were left out: nobody read them"));
    assert_null(strstr(buf_text(got), "line 39999 of many"));
    buf_release(got);
    close(ends[0]);
}

/* Also while lines are written, as a reload does it. */
static void *set_up_again(void *arg)
{
    for (unsigned i = 0; i < 2000; i++)
        log_setup(LOG_LEVEL_ERROR, i % 2 ? LOG_JSON : LOG_TEXT);
    return arg;
}

static void it_is_set_up_while_others_write(void **state)
{
    pthread_t other;

    (void)state;
    pthread_create(&other, NULL, set_up_again, NULL);
    for (unsigned i = 0; i < 2000; i++)
        log_info("test", "line %u", i);
    pthread_join(other, NULL);
    log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_that_stops_holds_nobody_up),
        cmocka_unit_test(it_is_set_up_while_others_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What is remembered of streams that took over from each other ends with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/takeover.h"

static void nothing_is_remembered_of_streams_that_are_long_over(void **state)
{
    const struct addr_port here = {.addr = {.bits = 32, .bytes = {192, 0, 2, 1}}, .port = 1};
    struct control c = {0};
    struct stream_ref loser;

    (void)state;
    pthread_mutex_init(&c.lock, NULL);
    /* closed before its first map was written */
    for (uint64_t node = 1; node <= 1000; node++) {
        assert_int_equal(takeover_begin(&c, node, &(struct stream_ref){NULL, node}, &here, 1000), 0);
        takeover_release(&c, node, node, 1000);
    }
    assert_int_equal(c.streams.len, 0);
    /* one took the other over, and both are gone */
    for (uint64_t node = 1; node <= 1000; node++) {
        takeover_begin(&c, node, &(struct stream_ref){NULL, 1}, &here, 2000);
        assert_true(takeover_claim(&c, node, 1, NULL, &loser));
        takeover_begin(&c, node, &(struct stream_ref){NULL, 2}, &here, 2000);
        assert_true(takeover_claim(&c, node, 2, NULL, &loser));
        assert_int_equal(loser.number, 1);
        assert_int_equal(takeover_stream(&c, node).number, 2);
        takeover_release(&c, node, 1, 2000);
        takeover_release(&c, node, 2, 2000);
        assert_int_equal(takeover_stream(&c, node).number, 0);
    }
    assert_int_equal(c.streams.len, 1000);
    takeover_begin(&c, 5000, &(struct stream_ref){NULL, 3}, &here, 200000);
    assert_int_equal(c.streams.len, 1);
    takeover_release_all(&c);
    pthread_mutex_destroy(&c.lock);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_remembered_of_streams_that_are_long_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls, streams and liveness of the lower half of control, with a real client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sched.h>

#include "base/clock.h"
#include "base/mem.h"
#include "rpc/conn.h"
#include "shared/control_rig.h"

/* ---- Calls ---- */

static void a_call_is_answered(void **state)
{
    struct rig_client c;

    (void)state;
    rig_client_connect(&c);
    rig_client_call(&c, "POST", "/machine/echo?a=b&c", "hello", 5);
    assert_int_equal(c.status, 200);
    assert_string_equal(buf_text(&c.answer), "hello");
    assert_string_equal(rig.path, "/machine/echo");
    assert_string_equal(rig.query, "a=b&c");
    assert_string_equal(rig.method, "POST");
    rig_wait(&rig.closed);
    assert_int_equal(rig.why, RPC_DONE);
    rig_client_call(&c, "HEAD", "/machine/echo", NULL, 0);
    assert_int_equal(c.status, 200);
    assert_int_equal(c.answer.len, 0);
    rig_client_call(&c, "PATCH", "/machine/busy/x", "{}", 2);
    assert_int_equal(c.status, 429);
    rig_client_call(&c, "GET", "/machine/echo", NULL, 0);
    assert_int_equal(c.status, 405);
    rig_client_call(&c, "POST", "/machine/nothing", NULL, 0);
    assert_int_equal(c.status, 404);
    rig_client_call(&c, "GET", "/metrics", NULL, 0);
    assert_int_equal(c.status, 404);
    rig_client_disconnect(&c);
}

static void bodies_up_to_the_bound_pass_and_larger_ones_do_not(void **state)
{
    size_t len = 1024 * 1024;
    char *body = mem_alloc(len + 1);
    struct rig_client c;

    (void)state;
    memset(body, 'x', len + 1);
    rig_client_connect(&c);
    rig_client_call(&c, "POST", "/machine/echo", body, len);
    assert_int_equal(c.status, 200);
    assert_int_equal(c.answer.len, len);
    assert_memory_equal(c.answer.data, body, len);
    rig_client_call(&c, "POST", "/machine/echo", body, len + 1);
    assert_int_equal(c.status, 413);
    rig_client_call(&c, "POST", "/machine/echo", "again", 5); /* the connection lives on */
    assert_int_equal(c.status, 200);
    rig_client_disconnect(&c);
    free(body);
}

/* ---- Streams ---- */

static void a_stream_is_pulled_and_told_when_it_is_written(void **state)
{
    struct rig_client c;

    (void)state;
    rig_client_connect(&c);
    rig_client_stream(&c, "/machine/talk?3,100,e");
    rig_wait(&c.ended);
    assert_int_equal(c.status, 200);
    assert_int_equal(c.error, 0);
    assert_int_equal(c.messages, 3);
    for (unsigned i = 0; i < 3; i++)
        rig_wait(&rig.written);
    rig_wait(&rig.closed);
    assert_int_equal(rig.why, RPC_DONE);
    assert_int_equal(rig.pulls, 4);
    rig_client_disconnect(&c);
}

static void large_messages_arrive_whole_and_calls_pass_between(void **state)
{
    struct rig_client c;

    (void)state;
    rig_client_connect(&c);
    rig_client_stream(&c, "/machine/talk?3,9000000,x"); /* more than the client's window of 4 MiB */
    rig_wait(&c.replied);
    rig_wait(&c.replied);
    rig_wait(&c.replied);
    assert_int_equal(c.bytes, 27000000);
    rig_client_call(&c, "POST", "/machine/echo", "hello", 5);
    assert_int_equal(c.status, 200);
    rig_client_disconnect(&c);
}

static void reset(void *arg)
{
    struct rig_client *c = arg;

    ts_client_reset(c->ts, c->stream);
}

static void a_reset_stream_and_a_closed_connection_are_told_apart(void **state)
{
    struct rig_client c;

    (void)state;
    rig_client_connect(&c);
    rig_client_stream(&c, "/machine/talk?1,10");
    rig_wait(&c.replied);
    loop_post(c.o.loop, reset, &c);
    rig_wait(&rig.closed);
    assert_int_equal(rig.why, RPC_RESET);
    rig_client_stream(&c, "/machine/talk?1,10");
    rig_wait(&c.replied);
    struct rpc *rpc = rig.stream;
    loop_post(rpc->loop, rig_more, rpc); /* something to say later */
    rig_wait(&c.replied);
    rig_client_disconnect(&c);
    rig_wait(&rig.closed);
    assert_int_equal(rig.why, RPC_GONE);
}

static void set_paused(void *arg)
{
    struct rig_client *c = arg;

    ts_client_pause(c->ts, true);
    sem_post(&c->replied);
}

static void set_reading(void *arg)
{
    ts_client_pause(((struct rig_client *)arg)->ts, false);
}

/* 4,000 messages of 64 KiB would be 250 MiB: the server must stop asking for them while nobody reads. */
static void a_slow_reader_holds_one_answer_and_no_queue(void **state)
{
    struct rig_client c, other;

    (void)state;
    rig_client_connect(&c);
    loop_post(c.o.loop, set_paused, &c);
    rig_wait(&c.replied);
    rig_client_stream(&c, "/machine/talk?4000,65536");
    rig_client_connect(&other); /* it is served meanwhile */
    for (unsigned i = 0; i < 50; i++)
        rig_client_call(&other, "POST", "/machine/echo", "x", 1);
    unsigned pulls = rig.pulls;
    assert_true(pulls < 400);
    for (unsigned i = 0; i < 50; i++)
        rig_client_call(&other, "POST", "/machine/echo", "x", 1);
    assert_true(rig.pulls < 400);
    loop_post(c.o.loop, set_reading, &c);
    for (unsigned i = 0; i < 4000; i++)
        rig_wait(&c.replied);
    assert_int_equal(c.messages, 4000);
    rig_client_disconnect(&c);
    rig_client_disconnect(&other);
}

/* ---- Liveness ---- */

static void set_ping(void *arg)
{
    struct rpc *rpc = arg;

    rpc_conn_set_ping(rpc->conn, 20, 120);
}

static void own_first(void *arg)
{
    rpc_conn_set_owner(((struct rpc *)arg)->conn, 1);
}

static void own_second(void *arg)
{
    rpc_conn_set_owner(((struct rpc *)arg)->conn, 2);
}

struct rtt {
    struct rpc *rpc;
    int64_t us;
    sem_t known;
};

static void read_rtt(void *arg)
{
    struct rtt *r = arg;

    r->us = r->rpc->conn->ping.srtt_us;
    sem_post(&r->known);
}

static void a_client_that_answers_stays_and_one_that_does_not_is_dead(void **state)
{
    struct rig_client good, bad;

    (void)state;
    rig_client_connect(&good);
    rig_client_stream(&good, "/machine/talk?1,10");
    rig_wait(&good.replied);
    struct rpc *good_rpc = rig.stream;
    struct loop *good_loop = good_rpc->loop;
    loop_post(good_loop, own_first, good_rpc);
    loop_post(good_loop, set_ping, good_rpc);
    rig_client_init(&bad);
    bad.o.answer_no_ping = true;
    rig_client_dial(&bad);
    rig_wait(&bad.open);
    rig_client_stream(&bad, "/machine/talk?1,10");
    rig_wait(&bad.replied);
    struct rpc *rpc = rig.stream;
    loop_post(rpc->loop, own_second, rpc);
    loop_post(rpc->loop, set_ping, rpc);
    rig_wait(&rig.closed);
    assert_int_equal(rig.why, RPC_DEAD);
    rig_wait(&bad.closed);
    rig_client_call(&good, "POST", "/machine/echo", "hello", 5);
    assert_int_equal(good.status, 200);
    struct rtt rtt = {.rpc = good_rpc}; /* the call is its loop's, which ends it once the client has gone */
    sem_init(&rtt.known, 0, 0);
    loop_post(good_loop, read_rtt, &rtt);
    rig_wait(&rtt.known);
    assert_true(rtt.us > 0);
    struct rpc_counts counts;
    rpc_server_counts(rig.server, &counts);
    assert_true(counts.pings > 2);
    assert_true(rig.answered > 0);
    assert_int_equal(rig.lost, 1);
    rig_client_disconnect(&good);
    buf_release(&bad.answer);
}

static void set_no_ping(void *arg)
{
    struct rpc *rpc = arg;

    rpc_conn_set_ping(rpc->conn, 0, 120);
}

static struct rpc *start_mute(struct rig_client *c)
{
    rig_client_init(c);
    c->o.answer_no_ping = true;
    rig_client_dial(c);
    rig_wait(&c->open);
    rig_client_stream(c, "/machine/talk?1,10");
    rig_wait(&c->replied);
    return rig.stream;
}

/* Another one that is pinged is found dead meanwhile; this one is as soon as it is pinged. */
static void who_is_not_pinged_is_never_dead(void **state)
{
    struct rig_client off, on;

    (void)state;
    struct rpc *quiet = start_mute(&off);
    loop_post(quiet->loop, set_no_ping, quiet);
    struct rpc *watched = start_mute(&on);
    loop_post(watched->loop, set_ping, watched);
    rig_wait(&rig.closed);
    assert_int_equal(rig.why, RPC_DEAD);
    rig_wait(&on.closed);
    rig_client_call(&off, "POST", "/machine/echo", "hello", 5);
    assert_int_equal(off.status, 200);
    struct rpc_counts counts;
    rpc_server_counts(rig.server, &counts);
    uint64_t dead = counts.dead;
    loop_post(quiet->loop, set_ping, quiet);
    rig_wait(&off.closed);
    rpc_server_counts(rig.server, &counts);
    assert_int_equal(counts.dead, dead + 1);
    buf_release(&on.answer);
    buf_release(&off.answer);
}

static void set_slow_ping(void *arg)
{
    struct rpc *rpc = arg;

    rpc_conn_set_ping(rpc->conn, 200, 1000);
}

/* Until a count of the server is at least that much. */
static void reach(uint64_t pings, uint64_t bytes_out)
{
    int64_t until = clock_mono_ms() + RIG_WAIT_SECONDS * 1000;
    struct rpc_counts counts;

    do {
        if (sem_trywait(&rig.closed) == 0 || clock_mono_ms() > until)
            fail_msg("the server gave it up");
        sched_yield();
        rpc_server_counts(rig.server, &counts);
    } while (counts.pings < pings || counts.bytes_out < bytes_out);
}

/* It has the PING in its queue, behind all that it has not read yet. */
static void a_client_that_is_slow_to_read_is_not_dead(void **state)
{
    struct rpc_counts counts;
    struct rig_client c;

    (void)state;
    rig_client_init(&c);
    c.o.answer_no_ping = true;
    c.o.receive_buffer = 16384;
    rig_client_dial(&c);
    rig_wait(&c.open);
    loop_post(c.o.loop, set_paused, &c);
    rig_wait(&c.replied);
    /* Less than what makes it open its window again, which would be a sign of life. */
    rig_client_stream(&c, "/machine/talk?1,2000000");
    while (!rig.stream)
        sched_yield();
    loop_post(((struct rpc *)rig.stream)->loop, set_slow_ping, rig.stream);
    rpc_server_counts(rig.server, &counts);
    reach(counts.pings + 1, 0);
    rpc_server_counts(rig.server, &counts);
    loop_post(c.o.loop, set_reading, &c);
    reach(0, counts.bytes_out + 1);
    loop_post(c.o.loop, set_paused, &c);
    rig_wait(&c.replied);
    reach(counts.pings + 1, 0); /* the next one, instead of the end after the first */
    rig_client_disconnect(&c);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_call_is_answered, rig_before, rig_after),
        cmocka_unit_test_setup_teardown(bodies_up_to_the_bound_pass_and_larger_ones_do_not, rig_before, rig_after),
        cmocka_unit_test_setup_teardown(a_stream_is_pulled_and_told_when_it_is_written, rig_before, rig_after),
        cmocka_unit_test_setup_teardown(large_messages_arrive_whole_and_calls_pass_between, rig_before, rig_after),
        cmocka_unit_test_setup_teardown(a_reset_stream_and_a_closed_connection_are_told_apart, rig_before, rig_after),
        cmocka_unit_test_setup_teardown(a_slow_reader_holds_one_answer_and_no_queue, rig_before, rig_after),
        cmocka_unit_test_setup_teardown(a_client_that_is_slow_to_read_is_not_dead, rig_before, rig_after),
        cmocka_unit_test_setup_teardown(who_is_not_pinged_is_never_dead, rig_before, rig_after),
        cmocka_unit_test_setup_teardown(a_client_that_answers_stays_and_one_that_does_not_is_dead, rig_before,
                                        rig_after),
    };

    return cmocka_run_group_tests(tests, rig_set_up, rig_tear_down);
}

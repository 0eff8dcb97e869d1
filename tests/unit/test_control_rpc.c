/* SPDX-License-Identifier: BSD-3-Clause */
/* The lower half of control with a real client at its door: calls, streams, bounds, liveness, hostile bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "control/rpc.h"
#include "front/front.h"
#include "shared/ts_client.h"

#define WAIT_SECONDS 20

static struct loops *loops;
static struct rpc_server *server;
static struct front *front;
static uint8_t server_public[32];
static atomic_bool everybody_is_known;

/* ---- What the server's handlers saw ---- */

static struct seen {
    sem_t closed, written, suspect, alive;
    _Atomic(struct rpc *) open; /* the latest stream */
    _Atomic enum rpc_end why;
    atomic_uint pulls;
    char path[256], query[256], method[16];
    size_t body_len;
} seen;

static void wait_for(sem_t *s)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_SECONDS;
    if (sem_timedwait(s, &until) < 0)
        fail_msg("nothing happened for %d s", WAIT_SECONDS);
}

static void on_close(struct rpc *rpc, enum rpc_end why)
{
    seen.why = why;
    atomic_store(&seen.open, NULL);
    free(rpc->user);
    sem_post(&seen.closed);
}

static void echo(struct rpc *rpc, void *arg)
{
    (void)arg;
    snprintf(seen.path, sizeof(seen.path), "%s", rpc->path);
    snprintf(seen.query, sizeof(seen.query), "%s", rpc->query);
    snprintf(seen.method, sizeof(seen.method), "%s", rpc->method);
    seen.body_len = rpc->body_len;
    assert_int_equal(rpc->body[rpc->body_len], 0);
    rpc->on_close = on_close;
    rpc_reply(rpc, 200, "application/json", rpc->body, rpc->body_len);
}

static void busy(struct rpc *rpc, void *arg)
{
    (void)arg;
    rpc_retry_after(rpc, 7);
    rpc_reply_text(rpc, 429, "later\n");
}

/* A stream says as many messages of a size as its query asks for, one a pull. */
struct talk {
    unsigned left;
    size_t size;
    bool end;
};

static void talk_pull(struct rpc *rpc, struct rpc_bytes *out)
{
    struct talk *t = rpc->user;
    uint8_t length[4];

    seen.pulls++;
    if (!t->left) {
        if (t->end)
            rpc_stream_end(rpc);
        return;
    }
    t->left--;
    for (unsigned i = 0; i < 4; i++)
        length[i] = (uint8_t)(t->size >> 8 * i);
    struct chunk *c = chunk_alloc(t->size);
    for (size_t i = 0; i < t->size; i++)
        c->data[i] = (uint8_t)i;
    rpc_bytes_copy(out, length, 4);
    rpc_bytes_add(out, c);
}

static void on_written(struct rpc *rpc)
{
    assert_true(rpc_stream_is_idle(rpc));
    sem_post(&seen.written);
}

static void on_health(struct rpc *rpc, enum rpc_health health)
{
    (void)rpc;
    sem_post(health == RPC_SUSPECT ? &seen.suspect : &seen.alive);
}

static void talk(struct rpc *rpc, void *arg)
{
    struct talk *t = mem_alloc(sizeof(*t));
    char end = 0;

    (void)arg;
    assert_true(sscanf(rpc->query, "%u,%zu,%c", &t->left, &t->size, &end) >= 2);
    t->end = end == 'e';
    rpc->user = t;
    rpc->on_close = on_close;
    rpc->on_written = on_written;
    rpc->on_health = on_health;
    rpc_stream_start(rpc, 200, "application/octet-stream", talk_pull);
    rpc_stream_ready(rpc);
    atomic_store(&seen.open, rpc);
}

static const struct rpc_route routes[] = {
    {"POST", "/machine/echo", false, echo},
    {"HEAD", "/machine/echo", false, echo},
    {"POST", "/machine/talk", false, talk},
    {NULL, "/machine/busy/", true, busy},
};

static bool knows(void *arg, const uint8_t key[CONTROL_KEY_LEN])
{
    (void)arg;
    (void)key;
    return everybody_is_known;
}

/* ---- Front ---- */

static void to_control(void *arg, struct stream *s, const struct head *h)
{
    (void)arg;
    rpc_server_accept(server, s, h);
}

static void to_nobody(void *arg, int fd, const struct addr_port *peer, bool tls)
{
    (void)arg;
    (void)peer;
    (void)tls;
    close(fd);
}

static int set_up(void **state)
{
    struct rpc_server_options options = {
        .routes = routes, .route_count = sizeof(routes) / sizeof(*routes), .knows = knows};
    struct front_options front_options = {.control = to_control, .other = to_nobody};
    struct err e;

    (void)state;
    log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
    loops = loops_new(2, &e);
    assert_int_equal(loops_start(loops, &e), 0);
    options.loops = front_options.loops = loops;
    crypto_x25519_generate(options.private_key, server_public);
    server = rpc_server_new(&options, &e);
    strs_push(&front_options.listen, "127.0.0.1:0");
    front = front_new(&front_options, &e);
    strs_release(&front_options.listen);
    assert_non_null(front);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    front_free(front);
    rpc_server_free(server);
    loops_free(loops);
    return 0;
}

static int before(void **state)
{
    (void)state;
    sem_init(&seen.closed, 0, 0);
    sem_init(&seen.written, 0, 0);
    sem_init(&seen.suspect, 0, 0);
    sem_init(&seen.alive, 0, 0);
    seen.pulls = 0;
    everybody_is_known = true;
    return 0;
}

/* What a test left behind ends with it. */
static int after(void **state)
{
    struct rpc_counts counts;

    (void)state;
    do {
        rpc_server_counts(server, &counts);
        sched_yield();
    } while (counts.connections);
    return 0;
}

/* ---- A client, driven from the test's thread ---- */

struct client {
    struct ts_client_options o;
    struct ts_client *ts;
    sem_t open, closed, replied, ended;
    const char *why;
    int status;
    uint32_t error;
    struct buf answer;
    unsigned messages;
    size_t bytes;
    int32_t stream;
    const char *method, *path, *body;
    size_t body_len;
};

static void client_open(struct ts_client *ts, void *arg)
{
    (void)ts;
    sem_post(&((struct client *)arg)->open);
}

static void client_closed(struct ts_client *ts, void *arg, const char *why)
{
    struct client *c = arg;

    (void)ts;
    c->ts = NULL;
    c->why = why;
    sem_post(&c->closed);
}

static void dial(void *arg)
{
    struct client *c = arg;

    c->ts = ts_client_open(&c->o, NULL);
    assert_non_null(c->ts);
}

static void client_init(struct client *c)
{
    *c = (struct client){.answer = BUF_INIT(0)};
    sem_init(&c->open, 0, 0);
    sem_init(&c->closed, 0, 0);
    sem_init(&c->replied, 0, 0);
    sem_init(&c->ended, 0, 0);
    c->o = (struct ts_client_options){
        .loop = loops_at(loops, 1), .arg = c, .on_open = client_open, .on_close = client_closed};
    assert_int_equal(addr_port_parse("127.0.0.1:1", &c->o.server, NULL), 0);
    c->o.server.port = (uint16_t)front_port(front, 0);
    memcpy(c->o.server_public, server_public, 32);
    random_bytes(c->o.machine_private, 32);
}

static void client_dial(struct client *c)
{
    loop_post(c->o.loop, dial, c);
}

static void connect_client(struct client *c)
{
    client_init(c);
    client_dial(c);
    wait_for(&c->open);
}

static void hang_up(void *arg)
{
    struct client *c = arg;

    ts_client_close(c->ts);
    sem_post(&c->closed);
}

static void disconnect(struct client *c)
{
    loop_post(c->o.loop, hang_up, c);
    wait_for(&c->closed);
    buf_release(&c->answer);
}

static void got_reply(void *arg, int status, const uint8_t *bytes, size_t len)
{
    struct client *c = arg;

    c->status = status;
    buf_clear(&c->answer);
    buf_add(&c->answer, bytes, len);
    sem_post(&c->replied);
}

static void send_call(void *arg)
{
    struct client *c = arg;

    ts_client_call(c->ts, c->method, c->path, c->body, c->body_len, got_reply, c);
}

static void call(struct client *c, const char *method, const char *path, const char *body, size_t len)
{
    c->method = method;
    c->path = path;
    c->body = body;
    c->body_len = len;
    loop_post(c->o.loop, send_call, c);
    wait_for(&c->replied);
}

static void got_part(void *arg, const uint8_t *bytes, size_t len, size_t at, size_t total)
{
    struct client *c = arg;

    for (size_t i = 0; i < len; i++)
        if (bytes[i] != (uint8_t)(at + i))
            fail_msg("byte %zu of a message is wrong", at + i);
    c->bytes += len;
    if (at + len == total) {
        c->messages++;
        sem_post(&c->replied);
    }
}

static void got_end(void *arg, int status, uint32_t error)
{
    struct client *c = arg;

    c->status = status;
    c->error = error;
    sem_post(&c->ended);
}

static void send_stream(void *arg)
{
    static const struct ts_stream_handler handler = {got_part, got_end};
    struct client *c = arg;

    c->stream = ts_client_stream(c->ts, c->path, "{}", 2, &handler, c);
}

static void stream(struct client *c, const char *path)
{
    c->path = path;
    loop_post(c->o.loop, send_stream, c);
}

static void more(void *arg)
{
    struct rpc *rpc = arg;

    ((struct talk *)rpc->user)->left++;
    rpc_stream_ready(rpc);
}

/* ---- Calls ---- */

static void a_call_is_answered(void **state)
{
    struct client c;

    (void)state;
    connect_client(&c);
    call(&c, "POST", "/machine/echo?a=b&c", "hello", 5);
    assert_int_equal(c.status, 200);
    assert_string_equal(buf_text(&c.answer), "hello");
    assert_string_equal(seen.path, "/machine/echo");
    assert_string_equal(seen.query, "a=b&c");
    assert_string_equal(seen.method, "POST");
    wait_for(&seen.closed);
    assert_int_equal(seen.why, RPC_DONE);
    call(&c, "HEAD", "/machine/echo", NULL, 0);
    assert_int_equal(c.status, 200);
    assert_int_equal(c.answer.len, 0);
    call(&c, "PATCH", "/machine/busy/x", "{}", 2);
    assert_int_equal(c.status, 429);
    call(&c, "GET", "/machine/echo", NULL, 0);
    assert_int_equal(c.status, 405);
    call(&c, "POST", "/machine/nothing", NULL, 0);
    assert_int_equal(c.status, 404);
    call(&c, "GET", "/metrics", NULL, 0);
    assert_int_equal(c.status, 404);
    disconnect(&c);
}

static void bodies_up_to_the_bound_pass_and_larger_ones_do_not(void **state)
{
    size_t len = 1024 * 1024;
    char *body = mem_alloc(len + 1);
    struct client c;

    (void)state;
    memset(body, 'x', len + 1);
    connect_client(&c);
    call(&c, "POST", "/machine/echo", body, len);
    assert_int_equal(c.status, 200);
    assert_int_equal(c.answer.len, len);
    assert_memory_equal(c.answer.data, body, len);
    call(&c, "POST", "/machine/echo", body, len + 1);
    assert_int_equal(c.status, 413);
    call(&c, "POST", "/machine/echo", "again", 5); /* the connection lives on */
    assert_int_equal(c.status, 200);
    disconnect(&c);
    free(body);
}

/* ---- Streams ---- */

static void a_stream_is_pulled_and_told_when_it_is_written(void **state)
{
    struct client c;

    (void)state;
    connect_client(&c);
    stream(&c, "/machine/talk?3,100,e");
    wait_for(&c.ended);
    assert_int_equal(c.status, 200);
    assert_int_equal(c.error, 0);
    assert_int_equal(c.messages, 3);
    for (unsigned i = 0; i < 3; i++)
        wait_for(&seen.written);
    wait_for(&seen.closed);
    assert_int_equal(seen.why, RPC_DONE);
    assert_int_equal(seen.pulls, 4);
    disconnect(&c);
}

static void large_messages_arrive_whole_and_calls_pass_between(void **state)
{
    struct client c;

    (void)state;
    connect_client(&c);
    stream(&c, "/machine/talk?3,9000000,x"); /* more than the client's window of 4 MiB */
    wait_for(&c.replied);
    wait_for(&c.replied);
    wait_for(&c.replied);
    assert_int_equal(c.bytes, 27000000);
    call(&c, "POST", "/machine/echo", "hello", 5);
    assert_int_equal(c.status, 200);
    disconnect(&c);
}

static void reset(void *arg)
{
    struct client *c = arg;

    ts_client_reset(c->ts, c->stream);
}

static void a_reset_stream_and_a_closed_connection_are_told_apart(void **state)
{
    struct client c;

    (void)state;
    connect_client(&c);
    stream(&c, "/machine/talk?1,10");
    wait_for(&c.replied);
    loop_post(c.o.loop, reset, &c);
    wait_for(&seen.closed);
    assert_int_equal(seen.why, RPC_RESET);
    stream(&c, "/machine/talk?1,10");
    wait_for(&c.replied);
    struct rpc *rpc = seen.open;
    loop_post(rpc->loop, more, rpc); /* something to say later */
    wait_for(&c.replied);
    disconnect(&c);
    wait_for(&seen.closed);
    assert_int_equal(seen.why, RPC_GONE);
}

static void set_paused(void *arg)
{
    struct client *c = arg;

    ts_client_pause(c->ts, true);
    sem_post(&c->replied);
}

static void set_reading(void *arg)
{
    ts_client_pause(((struct client *)arg)->ts, false);
}

/* 4,000 messages of 64 KiB would be 250 MiB: the server must stop asking for them while nobody reads. */
static void a_slow_reader_holds_one_answer_and_no_queue(void **state)
{
    struct client c, other;

    (void)state;
    connect_client(&c);
    loop_post(c.o.loop, set_paused, &c);
    wait_for(&c.replied);
    stream(&c, "/machine/talk?4000,65536");
    connect_client(&other); /* it is served meanwhile */
    for (unsigned i = 0; i < 50; i++)
        call(&other, "POST", "/machine/echo", "x", 1);
    unsigned pulls = seen.pulls;
    assert_true(pulls < 400);
    for (unsigned i = 0; i < 50; i++)
        call(&other, "POST", "/machine/echo", "x", 1);
    assert_true(seen.pulls < 400);
    loop_post(c.o.loop, set_reading, &c);
    for (unsigned i = 0; i < 4000; i++)
        wait_for(&c.replied);
    assert_int_equal(c.messages, 4000);
    disconnect(&c);
    disconnect(&other);
}

/* ---- Liveness ---- */

static void set_ping(void *arg)
{
    struct rpc *rpc = arg;

    rpc_conn_set_ping(rpc->conn, 20, 120);
}

static void a_client_that_answers_stays_and_one_that_does_not_is_dead(void **state)
{
    struct client good, bad;

    (void)state;
    connect_client(&good);
    stream(&good, "/machine/talk?1,10");
    wait_for(&good.replied);
    struct rpc *good_rpc = seen.open;
    loop_post(good_rpc->loop, set_ping, good_rpc);
    client_init(&bad);
    bad.o.answer_no_ping = true;
    client_dial(&bad);
    wait_for(&bad.open);
    stream(&bad, "/machine/talk?1,10");
    wait_for(&bad.replied);
    struct rpc *rpc = seen.open;
    int64_t since = clock_mono_ms();
    loop_post(rpc->loop, set_ping, rpc);
    wait_for(&seen.suspect);
    wait_for(&seen.closed);
    assert_int_equal(seen.why, RPC_DEAD);
    assert_true(clock_mono_ms() - since >= 120);
    wait_for(&bad.closed);
    call(&good, "POST", "/machine/echo", "hello", 5);
    assert_int_equal(good.status, 200);
    assert_true(rpc_conn_rtt_us(good_rpc->conn) > 0);
    assert_true(rpc_conn_rtt_us(good_rpc->conn) < 120000);
    struct rpc_counts counts;
    rpc_server_counts(server, &counts);
    assert_true(counts.pings > 2);
    disconnect(&good);
    buf_release(&bad.answer);
}

/* ---- Bounds ---- */

static void strangers_are_bounded_by_address_and_make_room_when_they_leave(void **state)
{
    enum { MANY = 64 };
    struct client *c = mem_alloc((MANY + 2) * sizeof(*c));

    (void)state;
    everybody_is_known = false;
    for (unsigned i = 0; i < MANY; i++)
        connect_client(&c[i]);
    client_init(&c[MANY]);
    client_dial(&c[MANY]);
    wait_for(&c[MANY].closed);
    assert_string_equal(c[MANY].why, "the server refused the handshake");
    struct rpc_counts counts;
    rpc_server_counts(server, &counts);
    assert_int_equal(counts.strangers, MANY);
    client_init(&c[MANY + 1]); /* from another address */
    assert_int_equal(addr_parse("127.0.0.2", &c[MANY + 1].o.source, NULL), 0);
    client_dial(&c[MANY + 1]);
    wait_for(&c[MANY + 1].open);
    for (unsigned i = 0; i < MANY; i++)
        disconnect(&c[i]);
    disconnect(&c[MANY + 1]);
    do {
        rpc_server_counts(server, &counts);
    } while (counts.connections);
    assert_int_equal(counts.strangers, 0);
    connect_client(&c[0]);
    disconnect(&c[0]);
    free(c);
}

static void a_wrong_server_key_is_refused(void **state)
{
    struct client c;

    (void)state;
    client_init(&c);
    c.o.server_public[3] ^= 1;
    client_dial(&c);
    wait_for(&c.closed);
    assert_string_equal(c.why, "the server refused the handshake");
}

/* ---- Hostile bytes inside the tunnel ---- */

struct attack {
    struct client *client;
    struct buf bytes;
    bool raw;
};

static void strike(void *arg)
{
    struct attack *a = arg;

    if (a->client->ts)
        (a->raw ? ts_client_inject_raw : ts_client_inject)(a->client->ts, a->bytes.data, a->bytes.len);
}

static void frame(struct buf *b, unsigned type, unsigned flags, uint32_t stream_id, const void *payload, size_t len)
{
    buf_add(b,
            (uint8_t[]){(uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len, (uint8_t)type, (uint8_t)flags,
                        (uint8_t)(stream_id >> 24), (uint8_t)(stream_id >> 16), (uint8_t)(stream_id >> 8),
                        (uint8_t)stream_id},
            9);
    if (len)
        buf_add(b, payload, len);
}

/* POST, https, /x as HPACK has them. */
static const char request[] = "\x83\x87\x04\x02/x";

static void rapid_reset(struct buf *b)
{
    for (uint32_t id = 1; id < 20000; id += 2) {
        frame(b, 1, 4, id, request, sizeof(request) - 1);
        frame(b, 3, 0, id, "\0\0\0\x08", 4);
    }
}

static void settings_flood(struct buf *b)
{
    for (unsigned i = 0; i < 10000; i++)
        frame(b, 4, 0, 0, NULL, 0);
}

static void ping_flood(struct buf *b)
{
    for (unsigned i = 0; i < 10000; i++)
        frame(b, 6, 0, 0, "12345678", 8);
}

static void ping_ack_flood(struct buf *b)
{
    for (unsigned i = 0; i < 10000; i++)
        frame(b, 6, 1, 0, "12345678", 8);
}

static void window_flood(struct buf *b)
{
    for (unsigned i = 0; i < 10000; i++)
        frame(b, 8, 0, 0, "\0\0\0\x01", 4);
}

static void continuation_flood(struct buf *b)
{
    frame(b, 1, 0, 1, request, sizeof(request) - 1);
    for (unsigned i = 0; i < 10000; i++)
        frame(b, 9, 0, 1, NULL, 0);
}

static void empty_data_flood(struct buf *b)
{
    frame(b, 1, 4, 1, request, sizeof(request) - 1);
    for (unsigned i = 0; i < 10000; i++)
        frame(b, 0, 0, 1, NULL, 0);
}

static void unknown_flood(struct buf *b)
{
    for (unsigned i = 0; i < 10000; i++)
        frame(b, 77, 0, 0, "x", 1);
}

/* One entry of 3 KB in the table, then 16,000 references to it at a byte each: 48 MB of headers. */
static void hpack_bomb(struct buf *b)
{
    struct buf block = BUF_INIT(0);

    buf_add(&block, request, sizeof(request) - 1);
    buf_add(&block,
            "\x40\x01"
            "a"
            "\x7f\xb9\x16",
            6); /* a new entry with a value of 3,000 bytes */
    for (unsigned i = 0; i < 3000; i++)
        buf_addc(&block, 'v');
    for (unsigned i = 0; i < 12000; i++)
        buf_addc(&block, (char)0xbe);
    frame(b, 1, 5, 1, block.data, block.len);
    buf_release(&block);
}

static void too_many_streams(struct buf *b)
{
    for (uint32_t id = 1; id < 2001; id += 2)
        frame(b, 1, 4, id, request, sizeof(request) - 1);
}

static void too_large_frame(struct buf *b)
{
    char *payload = mem_alloc(100000);

    frame(b, 0, 0, 1, payload, 100000);
    free(payload);
}

static void garbage(struct buf *b)
{
    for (unsigned i = 0; i < 50000; i++)
        buf_addc(b, (char)(i * 167 >> 3));
}

static void endless_body(struct buf *b)
{
    char *payload = mem_alloc(16384);

    frame(b, 1, 4, 1, request, sizeof(request) - 1);
    for (unsigned i = 0; i < 1000; i++)
        frame(b, 0, 0, 1, payload, 16384);
    free(payload);
}

static void abuse_ends_the_connection_and_disturbs_nobody(void **state)
{
    static const struct {
        const char *name;
        void (*make)(struct buf *b);
        bool raw;
    } attacks[] = {
        {"rapid reset", rapid_reset, false},
        {"SETTINGS flood", settings_flood, false},
        {"PING flood", ping_flood, false},
        {"PING ACK flood", ping_ack_flood, false},
        {"WINDOW_UPDATE flood", window_flood, false},
        {"CONTINUATION flood", continuation_flood, false},
        {"empty DATA flood", empty_data_flood, false},
        {"unknown frames", unknown_flood, false},
        {"HPACK bomb", hpack_bomb, false},
        {"too many streams", too_many_streams, false},
        {"too large a frame", too_large_frame, false},
        {"garbage in the tunnel", garbage, false},
        {"garbage on the socket", garbage, true},
        {"an endless body", endless_body, false},
    };
    struct client good;

    (void)state;
    connect_client(&good);
    for (size_t i = 0; i < sizeof(attacks) / sizeof(*attacks); i++) {
        struct client bad;
        connect_client(&bad);
        struct attack a = {&bad, BUF_INIT(0), attacks[i].raw};
        attacks[i].make(&a.bytes);
        loop_post(bad.o.loop, strike, &a);
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += WAIT_SECONDS;
        if (sem_timedwait(&bad.closed, &until) < 0)
            fail_msg("%s: the connection lives", attacks[i].name);
        call(&good, "POST", "/machine/echo", "hello", 5);
        assert_int_equal(good.status, 200);
        buf_release(&a.bytes);
        buf_release(&bad.answer);
    }
    disconnect(&good);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_call_is_answered, before, after),
        cmocka_unit_test_setup_teardown(bodies_up_to_the_bound_pass_and_larger_ones_do_not, before, after),
        cmocka_unit_test_setup_teardown(a_stream_is_pulled_and_told_when_it_is_written, before, after),
        cmocka_unit_test_setup_teardown(large_messages_arrive_whole_and_calls_pass_between, before, after),
        cmocka_unit_test_setup_teardown(a_reset_stream_and_a_closed_connection_are_told_apart, before, after),
        cmocka_unit_test_setup_teardown(a_slow_reader_holds_one_answer_and_no_queue, before, after),
        cmocka_unit_test_setup_teardown(a_client_that_answers_stays_and_one_that_does_not_is_dead, before, after),
        cmocka_unit_test_setup_teardown(a_wrong_server_key_is_refused, before, after),
        cmocka_unit_test_setup_teardown(strangers_are_bounded_by_address_and_make_room_when_they_leave, before, after),
        cmocka_unit_test_setup_teardown(abuse_ends_the_connection_and_disturbs_nobody, before, after),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

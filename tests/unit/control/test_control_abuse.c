/* SPDX-License-Identifier: BSD-3-Clause */
/* What unknown and hostile clients may cost: limits hold, the connection ends, and no other client is affected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/log.h"
#include "base/mem.h"
#include "shared/control_rig.h"

/* ---- Bounds ---- */

static void dial_from(struct rig_client *c, const char *head)
{
    rig_client_init(c);
    c->o.head = head;
    rig_client_dial(c);
}

static bool is_proved(const char *where)
{
    struct addr a;

    assert_int_equal(addr_parse(where, &a, NULL), 0);
    return rpc_server_is_proved(rig.server, &a);
}

static void wait_for_arriving(unsigned n)
{
    struct rpc_counts counts;
    time_t until = time(NULL) + RIG_WAIT_SECONDS;

    do {
        rpc_server_counts(rig.server, &counts);
        if (time(NULL) > until)
            fail_msg("%u wait for a place, not %u", counts.queued, n);
        sched_yield();
    } while (counts.queued != n);
}

static void strangers_beyond_the_bound_of_an_address_wait_for_a_place(void **state)
{
    static const char office[] = "X-Forwarded-For: 198.18.0.1\r\n", home[] = "X-Forwarded-For: 198.18.0.2\r\n";
    enum { MANY = 64, EXTRA = 3 };
    struct rig_client *c = mem_alloc((MANY + EXTRA + 1) * sizeof(*c)), *other = &c[MANY + EXTRA];
    struct rpc_counts counts;

    (void)state;
    rig.all_known = false;
    for (unsigned i = 0; i < MANY; i++) {
        dial_from(&c[i], office);
        rig_wait(&c[i].open);
    }
    for (unsigned i = MANY; i < MANY + EXTRA; i++) {
        dial_from(&c[i], office);
        wait_for_arriving(i - MANY + 1);
    }
    rpc_server_counts(rig.server, &counts);
    assert_int_equal(counts.strangers, MANY);
    dial_from(other, home);
    rig_wait(&other->open);
    assert_false(is_proved("198.18.0.2"));
    /* One gives up, the others get the places of those who leave. */
    rig_client_disconnect(&c[MANY + 1]);
    wait_for_arriving(2);
    rig_client_disconnect(&c[0]);
    wait_for_arriving(1);
    rig_wait(&c[MANY].open);
    for (unsigned i = 1; i <= MANY; i++)
        rig_client_disconnect(&c[i]);
    rig_wait(&c[MANY + 2].open);
    rig_client_disconnect(&c[MANY + 2]);
    rig_client_disconnect(other);
    do {
        rpc_server_counts(rig.server, &counts);
    } while (counts.connections);
    assert_int_equal(counts.strangers, 0);
    free(c);
}

/* A load generator, or a proxy that nobody named as one. */
static void strangers_of_this_machine_are_not_bounded_by_their_address(void **state)
{
    enum { MANY = 200 };
    struct rig_client *c = mem_alloc(MANY * sizeof(*c));

    (void)state;
    rig.all_known = false;
    for (unsigned i = 0; i < MANY; i++)
        dial_from(&c[i], NULL);
    for (unsigned i = 0; i < MANY; i++)
        rig_wait(&c[i].open);
    for (unsigned i = 0; i < MANY; i++)
        rig_client_disconnect(&c[i]);
    free(c);
}

/* ---- A handshake that somebody recorded ---- */

/* The upgrade with that initiation, from an address; returns the socket once the server has answered. */
static int replay(const char *head, const struct buf *initiation)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)front_port(rig.front, 0)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct buf request = BUF_INIT(0);
    char answer[256];

    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    buf_addf(&request,
             "POST /ts2021 HTTP/1.1\r\nHost: x\r\nUpgrade: tailscale-control-protocol\r\nConnection: upgrade\r\n"
             "%sX-Tailscale-Handshake: %s\r\n\r\n",
             head, buf_text((struct buf *)(uintptr_t)initiation));
    assert_int_equal(send(fd, request.data, request.len, MSG_NOSIGNAL), request.len);
    assert_true(recv(fd, answer, sizeof(answer), 0) > 0);
    assert_memory_equal(answer, "HTTP/1.1 101 ", 13);
    buf_release(&request);
    return fd;
}

static void a_replayed_handshake_takes_no_place_of_its_machine(void **state)
{
    enum { MANY = 100 };
    uint8_t message[NOISE_INITIATION_LEN];
    struct buf initiation = BUF_INIT(0);
    struct ts_noise noise;
    struct rig_client c;
    int fds[MANY];

    (void)state;
    rig_client_init(&c);
    ts_noise_begin(&noise, TS_VERSION, c.o.machine_private, rig.public_key, NULL, message);
    ts_noise_release(&noise);
    crypto_base64(&initiation, message, sizeof(message));
    for (unsigned i = 0; i < MANY; i++)
        fds[i] = replay("X-Forwarded-For: 198.18.0.3\r\n", &initiation);
    c.o.head = "X-Forwarded-For: 198.18.0.4\r\n";
    rig_client_dial(&c);
    rig_wait(&c.open);
    rig_client_call(&c, "POST", "/machine/echo", "hello", 5);
    assert_int_equal(c.status, 200);
    assert_true(is_proved("198.18.0.4"));
    assert_false(is_proved("198.18.0.3"));
    rig_client_disconnect(&c);
    for (unsigned i = 0; i < MANY; i++)
        close(fds[i]);
    buf_release(&initiation);
}

static void a_wrong_server_key_is_refused(void **state)
{
    struct rig_client c;

    (void)state;
    rig_client_init(&c);
    c.o.server_public[3] ^= 1;
    rig_client_dial(&c);
    rig_wait(&c.closed);
    assert_string_equal(c.why, "the server refused the handshake");
}

/* ---- Hostile bytes inside the tunnel ---- */

struct attack {
    struct rig_client *client;
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

/* RFC 9113, 5.5: frames of unknown types are ignored. */
static void frames_of_unknown_types_are_ignored(void **state)
{
    struct rig_client c;
    struct attack a = {&c, BUF_INIT(0), false};

    (void)state;
    rig_client_connect(&c);
    for (unsigned i = 0; i < 2000; i++)
        frame(&a.bytes, 16 + i % 200, 0, 0, "x", 1);
    loop_post(c.o.loop, strike, &a);
    rig_client_call(&c, "POST", "/machine/echo", "hello", 5);
    assert_int_equal(c.status, 200);
    rig_client_disconnect(&c);
    buf_release(&a.bytes);
}

static void a_machine_without_a_node_sends_small_requests_only(void **state)
{
    enum { SIZE = 300 * 1024 };
    char *body = mem_alloc(SIZE);
    struct rig_client c;

    (void)state;
    rig.all_known = false;
    memset(body, 'x', SIZE);
    rig_client_connect(&c);
    rig_client_call(&c, "POST", "/machine/echo", body, SIZE);
    assert_int_equal(c.status, 413);
    rig_client_call(&c, "POST", "/machine/echo", body, 60 * 1024);
    assert_int_equal(c.status, 200);
    rig_client_disconnect(&c);
    free(body);
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
    struct rig_client good;

    (void)state;
    rig_client_connect(&good);
    for (size_t i = 0; i < ARRAY_LEN(attacks); i++) {
        struct rig_client bad;
        rig_client_connect(&bad);
        struct attack a = {&bad, BUF_INIT(0), attacks[i].raw};
        attacks[i].make(&a.bytes);
        loop_post(bad.o.loop, strike, &a);
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += RIG_WAIT_SECONDS;
        if (sem_timedwait(&bad.closed, &until) < 0)
            fail_msg("%s: the connection lives", attacks[i].name);
        rig_client_call(&good, "POST", "/machine/echo", "hello", 5);
        assert_int_equal(good.status, 200);
        buf_release(&a.bytes);
        buf_release(&bad.answer);
    }
    rig_client_disconnect(&good);
}

static void a_body_that_is_too_large_is_refused_and_logged_with_the_address(void **state)
{
    enum { SIZE = 2 * 1024 * 1024 };
    char *body = mem_alloc(SIZE), said[4096] = "";
    FILE *log = tmpfile();
    int before = dup(STDERR_FILENO);
    struct rig_client c;

    (void)state;
    assert_non_null(log);
    memset(body, 'x', SIZE);
    rig_client_connect(&c);
    dup2(fileno(log), STDERR_FILENO);
    log_setup(LOG_LEVEL_WARN, LOG_TEXT);
    rig_client_call(&c, "POST", "/machine/echo", body, SIZE);
    log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
    dup2(before, STDERR_FILENO);
    close(before);
    assert_int_equal(c.status, 413);
    rewind(log);
    said[fread(said, 1, sizeof(said) - 1, log)] = '\0';
    fclose(log);
    if (!strstr(said, "request from 127.0.0.1:") || !strstr(said, "exceed 1 MiB"))
        fail_msg("the log says '%s'", said);
    rig_client_disconnect(&c);
    free(body);
}

static int set_up_behind_a_proxy(void **state)
{
    struct prefix here;

    assert_int_equal(prefix_parse("127.0.0.1/32", &here, NULL, NULL), 0);
    prefixes_add(&rig.trusted_proxies, &here);
    return rig_set_up(state);
}

static int tear_down(void **state)
{
    prefixes_release(&rig.trusted_proxies);
    return rig_tear_down(state);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(strangers_beyond_the_bound_of_an_address_wait_for_a_place, rig_before,
                                        rig_after),
        cmocka_unit_test_setup_teardown(strangers_of_this_machine_are_not_bounded_by_their_address, rig_before,
                                        rig_after),
        cmocka_unit_test_setup_teardown(a_replayed_handshake_takes_no_place_of_its_machine, rig_before, rig_after),
        cmocka_unit_test_setup_teardown(frames_of_unknown_types_are_ignored, rig_before, rig_after),
        cmocka_unit_test_setup_teardown(a_machine_without_a_node_sends_small_requests_only, rig_before, rig_after),
        cmocka_unit_test_setup_teardown(a_wrong_server_key_is_refused, rig_before, rig_after),
        cmocka_unit_test_setup_teardown(a_body_that_is_too_large_is_refused_and_logged_with_the_address, rig_before,
                                        rig_after),
        cmocka_unit_test_setup_teardown(abuse_ends_the_connection_and_disturbs_nobody, rig_before, rig_after),
    };

    return cmocka_run_group_tests(tests, set_up_behind_a_proxy, tear_down);
}

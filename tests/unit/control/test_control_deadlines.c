/* SPDX-License-Identifier: BSD-3-Clause */
/* No client holds a connection forever by not finishing what it began. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "shared/control_rig.h"

static void inject(void *arg)
{
    /* HEADERS of POST https /x with END_HEADERS, without END_STREAM */
    static const uint8_t headers[] = {0, 0, 6, 1, 4, 0, 0, 0, 1, 0x83, 0x87, 0x04, 0x02, '/', 'x'};
    struct rig_client *c = arg;

    ts_client_inject(c->ts, headers, sizeof(headers));
}

static void a_request_that_does_not_become_whole_ends_the_connection(void **state)
{
    static const bool known[] = {true, false};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        struct rig_client c;
        rig.all_known = known[i];
        rig_client_connect(&c);
        loop_post(c.o.loop, inject, &c);
        rig_wait(&c.closed);
        buf_release(&c.answer);
    }
}

static void a_machine_without_a_node_that_asks_for_nothing_is_closed(void **state)
{
    struct rig_client c;

    (void)state;
    rig.all_known = false;
    rig_client_connect(&c);
    rig_wait(&c.closed);
    buf_release(&c.answer);
}

/* Also of a machine that owns a node: anybody can replay its handshake. */
static void a_handshake_without_a_record_is_closed(void **state)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)front_port(rig.front, 0)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    uint8_t message[NOISE_INITIATION_LEN], private_key[NOISE_KEY_LEN] = {8, [31] = 64};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct buf request = BUF_INIT(0);
    struct timeval patience = {.tv_sec = RIG_WAIT_SECONDS};
    struct ts_noise noise;
    char answer[256];
    ssize_t n;

    (void)state;
    ts_noise_begin(&noise, TS_VERSION, private_key, rig.public_key, NULL, message);
    ts_noise_release(&noise);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    buf_adds(&request, "POST /ts2021 HTTP/1.1\r\nUpgrade: tailscale-control-protocol\r\nConnection: upgrade\r\n"
                       "X-Tailscale-Handshake: ");
    crypto_base64(&request, message, sizeof(message));
    buf_adds(&request, "\r\n\r\n");
    assert_int_equal(send(fd, request.data, request.len, MSG_NOSIGNAL), request.len);
    while ((n = recv(fd, answer, sizeof(answer), 0)) > 0)
        ;
    assert_int_equal(n, 0); /* the end, not the end of patience */
    close(fd);
    buf_release(&request);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_that_does_not_become_whole_ends_the_connection, rig_before,
                                        rig_after),
        cmocka_unit_test_setup_teardown(a_machine_without_a_node_that_asks_for_nothing_is_closed, rig_before,
                                        rig_after),
        cmocka_unit_test_setup_teardown(a_handshake_without_a_record_is_closed, rig_before, rig_after),
    };

    rig.times = (struct rpc_times){.prove_ms = 1000, .request_ms = 1000, .idle_ms = 1000, .call_ms = 1000};
    return cmocka_run_group_tests(tests, rig_set_up, rig_tear_down);
}

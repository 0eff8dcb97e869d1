/* SPDX-License-Identifier: BSD-3-Clause */
/* STUN: the bytes of Tailscale's net/stun, requests without an answer, and the socket for both families. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "crypto/crypto.h"
#include "relay/reach/stun.h"

#define QUESTION "000100142112a442000102030405060708090a0b802200087461696c6e6f6465802800048aabad90"

static uint8_t question[40];

static void check_answer(const char *from, const char *hex)
{
    struct addr_port a;
    uint8_t out[STUN_ANSWER_MAX], want[STUN_ANSWER_MAX];
    size_t len = strlen(hex) / 2;

    assert_int_equal(addr_port_parse(from, &a, NULL), 0);
    assert_true(crypto_unhex(hex, len * 2, want, len));
    assert_int_equal(stun_answer(question, sizeof(question), &a, out), len);
    assert_memory_equal(out, want, len);
}

static void test_vectors(void **state)
{
    (void)state;
    check_answer("192.0.2.1:41641", "0101000c2112a442000102030405060708090a0b00200008000183bbe112a643");
    check_answer("[2001:db8::1]:41641",
                 "010100182112a442000102030405060708090a0b00200014000283bb0113a9fa000102030405060708090a0a");
}

static void test_no_answer(void **state)
{
    struct addr_port a = {.addr.bits = 32};
    uint8_t out[STUN_ANSWER_MAX], copy[600] = {0};

    (void)state;
    for (size_t len = 0; len < sizeof(question); len++)
        assert_int_equal(stun_answer(question, len, &a, out), 0);
    /* Every bit of it counts but the length field, which the reference does not read (its check sum does). */
    for (size_t i = 0; i < sizeof(question) * 8; i++) {
        memcpy(copy, question, sizeof(question));
        copy[i / 8] ^= (uint8_t)(1U << i % 8);
        assert_int_equal(stun_answer(copy, sizeof(question), &a, out), 0);
    }
    memcpy(copy, question, sizeof(question));
    assert_int_equal(stun_answer(copy, sizeof(question) + 4, &a, out), 0);
    assert_int_equal(stun_answer(copy, sizeof(copy), &a, out), 0);
}

static unsigned ask(int family, unsigned port, unsigned times)
{
    struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 in6 = {
        .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct timeval wait = {.tv_sec = 5};
    uint8_t out[100];
    int fd = socket(family, SOCK_DGRAM, 0);
    unsigned got = 0;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    if (connect(fd, family == AF_INET ? (struct sockaddr *)&in : (struct sockaddr *)&in6,
                family == AF_INET ? sizeof(in) : sizeof(in6)) == 0) {
        for (unsigned i = 0; i < times; i++) {
            if (send(fd, question, sizeof(question), 0) != (ssize_t)sizeof(question))
                break;
            if (recv(fd, out, sizeof(out), i >= 500 ? MSG_DONTWAIT : 0) == (family == AF_INET ? 32 : 44))
                got++;
        }
    }
    close(fd);
    return got;
}

static void test_socket(void **state)
{
    struct err e = {0};
    struct loops *loops = loops_new(1, &e);
    struct stun_counters n;

    (void)state;
    assert_int_equal(loops_start(loops, &e), 0);
    struct stun *s = stun_new(loops_at(loops, 0), ":0", &e);
    assert_non_null(s);
    assert_int_equal(ask(AF_INET, stun_port(s), 1), 1);
    assert_int_equal(ask(AF_INET6, stun_port(s), 1), 1);
    /* A flood from one address is not answered in full; another address is (its question may find the socket's buffer
     * full: clients ask three times, too). */
    ask(AF_INET, stun_port(s), 5000);
    assert_true(ask(AF_INET6, stun_port(s), 3) > 0);
    stun_count(s, &n);
    assert_true(n.limited > 0 && n.answered >= 500 && n.answered < 4000);
    char taken[32];
    snprintf(taken, sizeof(taken), ":%u", stun_port(s));
    assert_null(stun_new(loops_at(loops, 0), taken, &e));
    assert_non_null(strstr(e.message, "stun_listen_addr"));
    stun_free(s);
    loops_free(loops);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_no_answer),
        cmocka_unit_test(test_socket),
    };

    if (!crypto_unhex(QUESTION, 80, question, sizeof(question)))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

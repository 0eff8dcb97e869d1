/* SPDX-License-Identifier: BSD-3-Clause */
/* Where clients are told to find the relay, which ports it needs, and whether it can be reached from here. */
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
#include "relay/reach/advertised.h"
#include "relay/reach/check.h"
#include "relay/reach/stun.h"
#include "relay/relay.h"

static struct config config(const char *url, const char *certificate, int64_t told)
{
    struct config c = {.server_url = (char *)(uintptr_t)url,
                       .tls_cert_path = (char *)(uintptr_t)certificate,
                       .acme = {.hostname = (char *)(uintptr_t) ""}};

    c.derp.server.enabled = c.derp.server.automatically_add_embedded_derp_region = true;
    c.derp.server.listen_addr = (char *)(uintptr_t) "0.0.0.0:8443";
    c.derp.server.stun_listen_addr = (char *)(uintptr_t) ":3478";
    c.derp.server.advertise_port = told;
    return c;
}

static void behind_a_proxy_the_relay_is_where_the_server_is(void **state)
{
    static const struct {
        const char *url, *certificate;
        int64_t told;
        const char *host;
        unsigned port;
        bool by_proxy;
    } cases[] = {
        {"https://hw.example.com", "", 0, "hw.example.com", 443, true},
        {"https://hw.example.com:8000/", "", 0, "hw.example.com", 8000, true},
        {"https://[2001:db8::1]/x", "", 0, "2001:db8::1", 443, true},
        {"https://[2001:db8::1]:444", "", 0, "2001:db8::1", 444, true},
        {"https://hw.example.com", "/etc/cert.pem", 0, "hw.example.com", 8443, false},
        {"http://192.0.2.1:8080", "", 0, "192.0.2.1", 8443, false},
        {"https://hw.example.com", "", 8443, "hw.example.com", 8443, false},
        {"https://hw.example.com", "", 443, "hw.example.com", 443, true},
        {"http://192.0.2.1:8080", "", 9000, "192.0.2.1", 9000, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct config c = config(cases[i].url, cases[i].certificate, cases[i].told);
        struct relay_advertised a;
        struct strs needs = {0};
        relay_advertised_read(&c, 0, &a);
        assert_string_equal(a.host, cases[i].host);
        assert_int_equal(a.port, cases[i].port);
        assert_int_equal(a.by_proxy, cases[i].by_proxy);
        relay_requirements(&c, &needs);
        assert_int_equal(needs.len, 2);
        assert_int_equal(strstr(needs.items[0], "/derp") != NULL, cases[i].by_proxy);
        assert_non_null(strstr(needs.items[1], "UDP port 3478"));
        strs_release(&needs);
        relay_advertised_release(&a);
    }
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

static void what_answers_is_told_from_what_does_not(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    struct relay_advertised where = {.host = (char[]){"127.0.0.1"}};
    struct loops *loops = loops_new(1, NULL);
    struct relay_check found;
    struct err e;

    (void)state;
    assert_int_equal(loops_start(loops, &e), 0);
    struct stun *stun = stun_new(loops_at(loops, 0), "127.0.0.1:0", &e);
    assert_non_null(stun);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    where.port = ntohs(at.sin_port);
    relay_check_run(&where, stun_port(stun), never, NULL, &found); /* bound, and nobody listens */
    assert_true(found.done && !found.derp && found.stun);
    assert_string_equal(found.derp_why, "Connection refused");
    assert_int_equal(listen(fd, 4), 0);
    unsigned gone = stun_port(stun);
    stun_free(stun);
    relay_check_run(&where, gone, never, NULL, &found);
    assert_true(found.done && found.derp && !found.stun);
    close(fd);
    loops_free(loops);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(behind_a_proxy_the_relay_is_where_the_server_is),
        cmocka_unit_test(what_answers_is_told_from_what_does_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Who may request what on which listener, and the treatment of clients that send nonsense, too much, or leave. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/mem.h"
#include "model/api.h"
#include "shared/api_fixture.h"

static struct api_fixture f;
static char early_socket[sizeof(f.socket)];

static int begin(void **state)
{
    (void)state;
    return api_setup(&f);
}

static int end(void **state)
{
    (void)state;
    return api_teardown(&f);
}

static char *make_key(const char *body)
{
    json_t *j = api_expect(&f, 200, "POST", "/api/headway/apikeys", body);
    char *header = mem_format("Authorization: Bearer %s\r\n", api_text_in(j, "result", "key"));

    json_decref(j);
    return header;
}

static int ask_public(const char *method, const char *target, const char *headers, const char *body)
{
    return api_ask(
        &f,
        &(struct api_call){.method = method, .target = target, .headers = headers, .body = body, .public_door = true},
        NULL);
}

static void strangers_need_a_key(void **state)
{
    char *key = make_key("{\"description\":\"script\"}");

    (void)state;
    assert_int_equal(ask_public("GET", "/api/v1/user", NULL, NULL), 401);
    assert_int_equal(ask_public("GET", "/api/v1/nothing", NULL, NULL), 401);
    assert_int_equal(ask_public("GET", "/api/headway/snapshot", "Authorization: Bearer hskey-api-x\r\n", NULL), 401);
    assert_int_equal(ask_public("GET", "/api/v1/user", key, NULL), 200);
    assert_int_equal(ask_public("GET", "/api/v1/nothing", key, NULL), 404);
    assert_int_equal(ask_public("POST", "/api/headway/backup", key, "{\"path\":\"/tmp/x\"}"), 404);
    json_decref(api_expect(&f, 200, "POST", "/api/v1/apikey/expire", "{\"id\":\"1\"}"));
    assert_int_equal(ask_public("GET", "/api/v1/user", key, NULL), 401);
    free(key);
}

static void a_read_only_key_reads_and_tries(void **state)
{
    char *key = make_key("{\"readOnly\":true}");

    (void)state;
    assert_int_equal(ask_public("GET", "/api/headway/snapshot", key, NULL), 200);
    assert_int_equal(ask_public("POST", "/api/v1/user", key, "{\"name\":\"bob\"}"), 403);
    assert_int_equal(ask_public("POST", "/api/headway/users", key, "{\"name\":\"bob\"}"), 403);
    assert_int_equal(ask_public("POST", "/api/headway/users?dry_run=true", key, "{\"name\":\"bob\"}"), 200);
    assert_int_equal(ask_public("DELETE", "/api/v1/user/1", key, NULL), 403);
    free(key);
}

static void the_public_pages_answer(void **state)
{
    struct api_call call = {.method = "GET", .target = "/key?v=142", .public_door = true};
    json_t *j;

    (void)state;
    assert_int_equal(api_ask(&f, &call, &j), 200);
    assert_true(str_starts(json_text(j, "publicKey", ""), "mkey:010203"));
    json_decref(j);
    assert_int_equal(ask_public("GET", "/key", NULL, NULL), 400);
    assert_int_equal(ask_public("GET", "/key?v=x", NULL, NULL), 400);
    assert_int_equal(ask_public("GET", "/health", NULL, NULL), 200);
    assert_int_equal(ask_public("HEAD", "/health", NULL, NULL), 200);
    assert_int_equal(ask_public("GET", "/version", NULL, NULL), 200);
    assert_int_equal(ask_public("GET", "/robots.txt", NULL, NULL), 200);
    assert_int_equal(ask_public("GET", "/register/hskey-authreq-0123456789abcdef01234567", NULL, NULL), 200);
    assert_int_equal(ask_public("GET", "/register/%3Cscript%3E", NULL, NULL), 400);
    assert_int_equal(ask_public("POST", "/verify", NULL, "{\"NodePublic\":\"nodekey:00\"}"), 400);
    assert_int_equal(ask_public("GET", "/metrics", NULL, NULL), 404);
    assert_int_equal(ask_public("GET", "/api/v1/openapi.json", NULL, NULL), 200);
    assert_int_equal(ask_public("GET", "/api/v1/docs", NULL, NULL), 200);
}

/* ---- hostile ---- */

static int raw(const char *text, size_t len)
{
    struct buf body = BUF_INIT(0);
    int fd = api_connect(&f, true), status;

    api_send(fd, text, len);
    status = api_answer(fd, NULL, &body);
    close(fd);
    buf_release(&body);
    return status;
}

static void too_much_is_refused(void **state)
{
    size_t huge = 2 << 20;
    char *long_target = mem_alloc(20000), *body = mem_alloc(huge + 200);
    int n;

    (void)state;
    n = snprintf(body, 200, "POST /verify HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", huge);
    memset(body + n, 'a', huge);
    assert_int_equal(raw(body, (size_t)n + huge), 413);
    n = snprintf(body, 200, "POST /verify HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n", huge);
    memset(body + n, 'a', huge);
    memcpy(body + (size_t)n + huge, "\r\n0\r\n\r\n", 7);
    assert_int_equal(raw(body, (size_t)n + huge + 7), 413);
    n = snprintf(long_target, 20000, "GET /");
    memset(long_target + n, 'a', 12000);
    memcpy(long_target + n + 12000, " HTTP/1.1\r\nHost: x\r\n\r\n", 23);
    assert_true(raw(long_target, (size_t)n + 12000 + 22) >= 400);
    free(body);
    free(long_target);
    json_decref(api_expect(&f, 200, "GET", "/api/v1/user", NULL));
}

static void nonsense_disturbs_nobody(void **state)
{
    static const char *const halves[] = {"", "GET", "\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nX: ",
                                         "POST /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"};
    static const char *const texts[] = {
        "GET / HTTP/9.9\r\n\r\n",
        "GET  /  HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /api/v1/user HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST /api/v1/user HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST /api/v1/user HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET /\x01\x02 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /api/v1/user HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\n\r\n",
        "AVERYLONGMETHODNAMETHATNOBODYKNOWS / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /register/%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(halves); i++) {
        int fd = api_connect(&f, true);
        api_send(fd, halves[i], strlen(halves[i]));
        close(fd);
    }
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        int status = raw(texts[i], strlen(texts[i]));
        assert_true(status == 0 || status >= 400);
    }
    json_decref(api_expect(&f, 400, "POST", "/api/v1/user", "[1]"));
    json_decref(api_expect(&f, 400, "POST", "/api/v1/user", "{\"name\":"));
    json_decref(api_expect(&f, 400, "POST", "/api/v1/user", "{\"name\":\"a\",\"name\":\"b\"}"));
    json_decref(api_expect(&f, 400, "POST", "/api/v1/user", "{\"name\":\"\\u001b[31mred\"}"));
    json_decref(api_expect(&f, 400, "POST", "/api/v1/user", "{}"));
    json_t *j = api_expect(&f, 200, "GET", "/api/v1/user", NULL);
    assert_int_equal(json_array_size(json_object_get(j, "users")), 1);
    json_decref(j);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, begin, end)

/* Asks as soon as anybody listens, which is before the start is over. */
static void *ask_early(void *status)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct buf body = BUF_INIT(0);
    static const char text[] = "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    (void)str_copy(addr.sun_path, sizeof(addr.sun_path), early_socket);
    for (;;) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0) {
            api_send(fd, text, strlen(text));
            *(int *)status = api_answer(fd, NULL, &body);
            buf_release(&body);
            return NULL;
        }
        close(fd);
        sched_yield();
    }
}

static void whoever_asks_during_the_start_is_answered(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        struct api_fixture early;
        pthread_t asker;
        int status = 0;

        api_prepare(&early, "");
        (void)str_copy(early_socket, sizeof(early_socket), early.socket);
        assert_int_equal(pthread_create(&asker, NULL, ask_early, &status), 0);
        api_go(&early);
        pthread_join(asker, NULL);
        assert_int_equal(status, 200);
        api_end(&early);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(strangers_need_a_key),     CASE(a_read_only_key_reads_and_tries),
        CASE(the_public_pages_answer),  CASE(too_much_is_refused),
        CASE(nonsense_disturbs_nobody), cmocka_unit_test(whoever_asks_during_the_start_is_answered),
    };
    return cmocka_run_group_tests_name("http_doors", tests, NULL, NULL);
}

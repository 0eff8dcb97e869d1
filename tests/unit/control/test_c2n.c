/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests to clients: who may answer which, only once and in time, and what counts as an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "control/c2n/answer.h"
#include "control/control.h"
#include "shared/daemon_fixture.h"

struct asked {
    bool done;
    int code, status;
    struct buf body;
};

static void on_answer(void *arg, const struct control_answer *answer)
{
    struct asked *a = arg;

    a->code = answer->code;
    a->status = answer->status;
    buf_clear(&a->body);
    buf_add(&a->body, answer->body, answer->len);
    assert_int_equal(answer->body[answer->len], 0);
    test_daemon_set(&a->done);
}

static int ask(struct test_client *c, struct asked *a, const struct control_question *how)
{
    struct control_question q = *how;

    a->done = false;
    q.node_id = test_client_id(c);
    q.done = on_answer;
    q.arg = a;
    return control_ask(test_daemon.control, &q, NULL);
}

static void start(struct test_client *c, const char *name)
{
    test_client_start(c, name);
    test_client_join(c);
    test_client_poll(c, "");
    json_decref(test_client_hear(c));
}

/* The next question, and the path of its URL. */
static json_t *hear_question(struct test_client *c, char path[128])
{
    for (;;) {
        json_t *m = test_client_hear(c), *ping = json_incref(json_object_get(m, "PingRequest"));
        json_decref(m);
        if (!ping)
            continue;
        const char *url = json_text(ping, "URL", "");
        assert_true(str_starts(url, "https://unused/machine/c2n/"));
        assert_true(json_is_true(json_object_get(ping, "URLIsNoise")));
        assert_true(str_copy(path, 128, url + strlen("https://unused")));
        return ping;
    }
}

static int answer(struct test_client *c, const char *path, const char *text)
{
    return test_client_call(c, "POST", path, mem_strdup(text));
}

static void a_client_is_asked_and_answers_once(void **state)
{
    static struct test_client a, b;
    struct asked asked = {0};
    char path[128];
    uint8_t bytes[512];

    (void)state;
    start(&a, "a");
    start(&b, "b");
    assert_int_equal(ask(&a, &asked, &(struct control_question){.path = "/echo?x=1", .body = "hello", .body_len = 5}),
                     0);
    json_t *ping = hear_question(&a, path);
    assert_string_equal(json_text(ping, "Types", ""), "c2n");
    const char *payload = json_text(ping, "Payload", "");
    long len = crypto_unbase64(payload, strlen(payload), bytes, sizeof(bytes) - 1);
    assert_true(len > 0);
    bytes[len] = '\0';
    assert_true(str_starts((char *)bytes, "POST /echo?x=1 HTTP/1.1\r\n"));
    assert_non_null(strstr((char *)bytes, "\r\nC2n-Handler-Timeout: 10000ms\r\n"));
    assert_true(str_ends((char *)bytes, "\r\n\r\nhello"));
    json_decref(ping);

    assert_int_equal(answer(&b, path, "HTTP/1.1 200 OK\r\n\r\nnot mine"), 404);
    assert_false(asked.done);
    assert_int_equal(answer(&a, "/machine/c2n/00112233445566778899aabbccddeeff", "HTTP/1.1 200 OK\r\n\r\n"), 404);
    assert_int_equal(answer(&a, path, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"), 200);
    assert_true(asked.done);
    assert_int_equal(asked.code, 0);
    assert_int_equal(asked.status, 200);
    assert_string_equal(buf_text(&asked.body), "hello");
    assert_int_equal(answer(&a, path, "HTTP/1.1 200 OK\r\n\r\nagain"), 404);
    assert_string_equal(buf_text(&asked.body), "hello");
    buf_release(&asked.body);
    test_client_leave(&a);
    test_client_leave(&b);
}

static void a_ping_names_its_target(void **state)
{
    static struct test_client a;
    struct control_question q = {.ping = "ICMP"};
    struct asked asked = {0};
    char path[128];

    (void)state;
    start(&a, "a");
    assert_int_equal(addr_parse("10.0.0.7", &q.target, NULL), 0);
    assert_int_equal(ask(&a, &asked, &q), 0);
    json_t *ping = hear_question(&a, path);
    assert_string_equal(json_text(ping, "Types", ""), "ICMP");
    assert_string_equal(json_text(ping, "IP", ""), "10.0.0.7");
    assert_null(json_object_get(ping, "Payload"));
    json_decref(ping);
    assert_int_equal(answer(&a, path, "{\"IP\":\"10.0.0.7\"}"), 200);
    assert_int_equal(asked.code, 0);
    assert_string_equal(buf_text(&asked.body), "{\"IP\":\"10.0.0.7\"}");
    buf_release(&asked.body);
    test_client_leave(&a);
}

static void silence_is_an_answer_too(void **state)
{
    static struct test_client a;
    struct asked asked = {0};
    char path[128];

    (void)state;
    start(&a, "a");
    assert_int_equal(ask(&a, &asked, &(struct control_question){.path = "/debug/health", .timeout_ms = 300}), 0);
    json_decref(hear_question(&a, path));
    DAEMON_WAIT(asked.done);
    assert_int_equal(asked.code, ERR_TIMEOUT);
    assert_int_equal(answer(&a, path, "HTTP/1.1 200 OK\r\n\r\nlate"), 404);
    buf_release(&asked.body);
    test_client_leave(&a);
}

static void only_so_many_are_open(void **state)
{
    static struct test_client a;
    struct asked asked[5] = {0};
    const struct control_question q = {.path = "/debug/health", .timeout_ms = 500};
    struct err e;

    (void)state;
    start(&a, "a");
    for (int i = 0; i < 4; i++)
        assert_int_equal(ask(&a, &asked[i], &q), 0);
    assert_int_equal(ask(&a, &asked[4], &q), ERR_BUSY);
    for (int i = 0; i < 4; i++)
        DAEMON_WAIT(asked[i].done);
    assert_false(asked[4].done);
    assert_int_equal(ask(&a, &asked[4], &q), 0);
    DAEMON_WAIT(asked[4].done);
    assert_int_equal(
        control_ask(test_daemon.control, &(struct control_question){.node_id = 99999, .path = "/echo"}, &e),
        ERR_MISSING);
    assert_int_equal(ask(&a, &asked[0], &(struct control_question){.path = "/echo HTTP/1.1\r\nX: y"}), ERR_INVALID);
    assert_int_equal(ask(&a, &asked[0], &(struct control_question){.ping = "loud"}), ERR_INVALID);
    assert_int_equal(ask(&a, &asked[0], &(struct control_question){.path = "/echo", .max = CONTROL_ANSWER_MAX + 1}),
                     ERR_INVALID);
    for (size_t i = 0; i < ARRAY_LEN(asked); i++)
        buf_release(&asked[i].body);
    test_client_leave(&a);
}

/* One administrator leaves places for the others, and for the server's own probes. */
static void an_administrator_has_so_many_open(void **state)
{
    static struct test_client clients[3];
    struct asked asked[11] = {0};
    const struct control_question his = {.path = "/debug/netmap", .timeout_ms = 500, .actor = "ann"},
                                  hers = {.path = "/debug/netmap", .timeout_ms = 500, .actor = "eve"},
                                  own = {.path = "/debug/health", .timeout_ms = 500};

    (void)state;
    for (int i = 0; i < 3; i++)
        start(&clients[i], i == 0 ? "a" : i == 1 ? "b" : "c");
    for (int i = 0; i < 8; i++)
        assert_int_equal(ask(&clients[i % 3], &asked[i], &his), 0);
    assert_int_equal(ask(&clients[2], &asked[8], &his), ERR_BUSY);
    assert_int_equal(ask(&clients[2], &asked[8], &hers), 0);
    assert_int_equal(ask(&clients[2], &asked[9], &own), 0);
    for (int i = 0; i < 10; i++)
        DAEMON_WAIT(asked[i].done);
    assert_int_equal(ask(&clients[2], &asked[10], &his), 0);
    DAEMON_WAIT(asked[10].done);
    for (size_t i = 0; i < ARRAY_LEN(asked); i++)
        buf_release(&asked[i].body);
    for (int i = 0; i < 3; i++)
        test_client_leave(&clients[i]);
}

static void who_is_not_connected_is_not_asked(void **state)
{
    static struct test_client a;
    struct asked asked = {0};

    (void)state;
    test_client_start(&a, "a");
    test_client_join(&a);
    assert_int_equal(ask(&a, &asked, &(struct control_question){.path = "/echo"}), ERR_GONE);
    test_client_leave(&a);
}

static char *large(size_t len)
{
    static const char head[] = "HTTP/1.1 200 OK\r\n\r\n";
    char *text = mem_resize(NULL, len + sizeof(head), 1);

    memset(text, 'x', len + sizeof(head));
    memcpy(text, head, sizeof(head) - 1);
    text[len + sizeof(head) - 1] = '\0';
    return text;
}

static void an_answer_has_a_largest_size(void **state)
{
    static struct test_client a;
    struct asked asked = {0};
    const size_t most = CONTROL_ANSWER_MAX - 100;
    char path[128];

    (void)state;
    start(&a, "a");
    const struct control_question q = {.path = "/debug/netmap", .max = CONTROL_ANSWER_MAX};
    assert_int_equal(ask(&a, &asked, &q), 0);
    json_decref(hear_question(&a, path));
    assert_int_equal(test_client_call(&a, "POST", path, large(most)), 200);
    assert_int_equal(asked.code, 0);
    assert_int_equal(asked.body.len, most);
    assert_int_equal(ask(&a, &asked, &q), 0);
    json_decref(hear_question(&a, path));
    test_client_call(&a, "POST", path, large(CONTROL_ANSWER_MAX));
    assert_true(asked.done);
    assert_int_equal(asked.code, ERR_TOOBIG);
    /* the connection lives on */
    assert_int_equal(ask(&a, &asked, &(struct control_question){.path = "/echo"}), 0);
    json_decref(hear_question(&a, path));
    assert_int_equal(answer(&a, path, "HTTP/1.1 200 OK\r\n\r\n"), 200);
    assert_int_equal(asked.code, 0);
    buf_release(&asked.body);
    test_client_leave(&a);
}

static bool noted;

static void hear_event(void *arg, const struct event *e)
{
    (void)arg;
    if (str_eq(e->kind, "node.asked") && str_eq(e->actor, "alice") && strstr(e->text, "/debug/netmap"))
        test_daemon_set(&noted);
}

static void hear_nothing(void *arg, uint64_t node_id)
{
    (void)arg;
    (void)node_id;
}

static void the_journal_names_the_administrator_who_asked(void **state)
{
    static struct test_client a;
    struct asked asked = {0};
    char path[128];

    (void)state;
    core_listen(test_daemon.core,
                &(struct core_listener){.event = hear_event, .volatile_change = hear_nothing, .arg = &noted});
    start(&a, "a");
    assert_int_equal(ask(&a, &asked, &(struct control_question){.path = "/debug/netmap", .actor = "alice"}), 0);
    json_decref(hear_question(&a, path));
    assert_int_equal(answer(&a, path, "HTTP/1.1 400 Bad Request\r\nContent-Length: 17\r\n\r\nunknown c2n path\n"), 200);
    assert_int_equal(asked.code, ERR_UNSUPPORTED);
    DAEMON_WAIT(noted);
    core_unlisten(test_daemon.core, &noted);
    buf_release(&asked.body);
    test_client_leave(&a);
}

static void what_is_no_response_is_refused(void **state)
{
    static const struct {
        const char *text;
        int code, status;
        const char *body;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\n\r\n", 0, 200, ""},
        {"HTTP/1.0 404 Not Found\nContent-Type: x\n\nno", 0, 404, "no"},
        {"HTTP/1.1 200\r\n\r\nx", 0, 200, "x"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 0, 200, "hi"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi", ERR_INVALID, 0, ""},
        {"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nhi", ERR_INVALID, 0, ""},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", ERR_INVALID, 0, ""},
        {"HTTP/1.1 200 OK\r\nA: b\r\n", ERR_INVALID, 0, ""},
        {"HTTP/2.0 200 OK\r\n\r\n", ERR_INVALID, 0, ""},
        {"HTTP/1.1 2x0 OK\r\n\r\n", ERR_INVALID, 0, ""},
        {"HTTP/1.1 20", ERR_INVALID, 0, ""},
        {"", ERR_INVALID, 0, ""},
        {"HTTP/1.1 400 Bad Request\r\n\r\nunknown c2n path\n", ERR_UNSUPPORTED, 400, "unknown c2n path\n"},
        {"HTTP/1.1 405 Method Not Allowed\r\n\r\nbad method\n", 0, 405, "bad method\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct control_answer a;
        char *copy = mem_strdup(cases[i].text); /* so that a sanitizer sees its end */
        c2n_answer_read(copy, strlen(copy), &a);
        if (a.code != cases[i].code || a.status != cases[i].status)
            fail_msg("case %zu: code %d, status %d", i, a.code, a.status);
        assert_int_equal(a.len, strlen(cases[i].body));
        assert_memory_equal(a.body, cases[i].body, a.len);
        free(copy);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_is_asked_and_answers_once),
        cmocka_unit_test(a_ping_names_its_target),
        cmocka_unit_test(silence_is_an_answer_too),
        cmocka_unit_test(only_so_many_are_open),
        cmocka_unit_test(an_administrator_has_so_many_open),
        cmocka_unit_test(who_is_not_connected_is_not_asked),
        cmocka_unit_test(an_answer_has_a_largest_size),
        cmocka_unit_test(the_journal_names_the_administrator_who_asked),
        cmocka_unit_test(what_is_no_response_is_refused),
    };

    return cmocka_run_group_tests(tests, test_daemon_set_up, test_daemon_tear_down);
}

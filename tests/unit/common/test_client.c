/* SPDX-License-Identifier: BSD-3-Clause */
/* The API client against a server that answers from a script, over a Unix socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "client/client.h"

#define HANG "HANG" /* interrupts the client that asks, and answers nothing until it goes away */

/* Each connection gets the next answer of the script and is closed; the requests are kept. */
struct server {
    char path[108];
    int listener;
    pthread_t thread;
    const char *const *script;
    size_t count;
    struct strs requests;
    struct client *_Atomic interrupted; /* for HANG */
};

static char *read_request(int fd)
{
    struct buf text = BUF_INIT(65536);
    char piece[4096];
    size_t length = 0;

    for (;;) {
        const char *head = strstr(buf_text(&text), "\r\n\r\n");
        if (head) {
            const char *at = strcasestr(buf_text(&text), "content-length: ");
            length = at ? strtoul(at + 16, NULL, 10) : 0;
            if (strlen(head + 4) >= length)
                break;
        }
        ssize_t n = read(fd, piece, sizeof(piece));
        if (n <= 0)
            break;
        buf_add(&text, piece, (size_t)n);
    }
    return buf_take(&text);
}

static void *serve(void *arg)
{
    struct server *s = arg;

    for (size_t i = 0; i < s->count; i++) {
        int fd = accept(s->listener, NULL, NULL);
        if (fd < 0)
            break;
        char *request = read_request(fd), byte;
        strs_push(&s->requests, request);
        free(request);
        if (str_eq(s->script[i], HANG)) {
            client_abort(s->interrupted);
            while (read(fd, &byte, 1) > 0)
                ;
        } else if (*s->script[i] && write(fd, s->script[i], strlen(s->script[i])) < 0)
            perror("write");
        close(fd);
    }
    return NULL;
}

static void server_start(struct server *s, const char *const *script, size_t count)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const char *dir = getenv("TMPDIR");

    *s = (struct server){.script = script, .count = count};
    snprintf(s->path, sizeof(s->path), "%s/headway-client-%d.sock", dir ? dir : "/tmp", (int)getpid());
    unlink(s->path);
    str_copy(at.sun_path, sizeof(at.sun_path), s->path);
    s->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(s->listener, 8), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_stop(struct server *s)
{
    pthread_join(s->thread, NULL);
    close(s->listener);
    unlink(s->path);
    strs_release(&s->requests);
}

static struct client *client_for(const struct server *s)
{
    struct client_options options = {.socket = s->path, .timeout_ms = 5000};
    struct client *c = NULL;
    struct err e;

    assert_int_equal(client_new(&options, &c, &e), 0);
    return c;
}

static void answers_and_errors_are_read(void **state)
{
    static const char *const script[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n{\"id\":\"3\"",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n{\"id\":\"3\"}",
        "HTTP/1.1 412 X\r\nConnection: close\r\n\r\n{\"error\":{\"code\":\"precondition\",\"message\":\"it is at "
        "version 4\",\"field\":\"version\"},\"current\":{\"version\":4}}",
        "HTTP/1.1 400 X\r\nConnection: close\r\n\r\n{\"code\":3,\"message\":\"m\",\"detail\":\"setting "
        "tags\",\"errors\":"
        "[{\"message\":\"tag must start with the string 'tag:'\"}]}",
        "HTTP/1.1 404 X\r\nConnection: close\r\n\r\n{\"code\":5,\"message\":\"node not found\",\"details\":[]}",
        "HTTP/1.1 502 X\r\nConnection: close\r\n\r\n<html>",
    };
    struct server s;
    server_start(&s, script, 6);
    struct client *c = client_for(&s);
    json_t *out = NULL, *body = json_pack("{s:s}", "b", "\"");
    struct err e = {0};

    (void)state;
    assert_int_equal(client_json(c, "GET", "/api/v1/node/3", NULL, &out, &e), ERR_INVALID);
    assert_int_equal(client_json(c, "POST", "/api/v1/node/3?x=%2F", body, &out, &e), 0);
    assert_string_equal(json_text(out, "id", ""), "3");
    json_decref(out);
    json_decref(body);
    struct client_call call = {.method = "DELETE", .path = "/api/headway/nodes/3", .if_match = "3"};
    assert_int_equal(client_call(c, &call, &e), ERR_PRECONDITION);
    assert_int_equal(call.status, 412);
    assert_string_equal(e.message, "it is at version 4");
    assert_string_equal(e.field, "version");
    assert_non_null(json_object_get(call.json, "current"));
    json_decref(call.json);
    assert_int_equal(client_json(c, "POST", "/x", NULL, &out, &e), ERR_INVALID);
    assert_string_equal(e.message, "setting tags: tag must start with the string 'tag:'");
    assert_int_equal(client_json(c, "GET", "/x", NULL, &out, &e), ERR_MISSING);
    assert_string_equal(e.message, "node not found");
    assert_int_equal(client_json(c, "GET", "/x", NULL, &out, &e), ERR_INTERNAL);
    assert_string_equal(e.message, "unexpected response status: 502");
    client_free(c);
    pthread_join(s.thread, NULL);
    assert_true(str_starts(s.requests.items[1], "POST /api/v1/node/3?x=%2F HTTP/1.1\r\n"));
    assert_true(str_ends(s.requests.items[1], "{\"b\":\"\\\"\"}"));
    assert_non_null(strstr(s.requests.items[2], "If-Match: \"3\"\r\n"));
    close(s.listener);
    unlink(s.path);
    strs_release(&s.requests);
}

static char *key_of(const char *request)
{
    const char *at = strstr(request, "Idempotency-Key: ");

    return at ? mem_strndup(at, strcspn(at, "\r")) : NULL;
}

/* A change whose connection breaks is sent again, as the same one; a question is not. */
static void a_change_is_repeated(void **state)
{
    static const char *const script[] = {"",
                                         "",
                                         "HTTP/1.1 429 X\r\nConnection: close\r\n\r\n{}",
                                         "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}",
                                         "HTTP/1.1 429 X\r\nConnection: close\r\n\r\n{}",
                                         ""};
    struct server s;
    server_start(&s, script, 6);
    struct client *c = client_for(&s);
    struct err e = {0};

    (void)state;
    assert_int_equal(client_json(c, "POST", "/x", NULL, NULL, &e), 0);
    assert_int_equal(client_json(c, "POST", "/x", NULL, NULL, &e), ERR_BUSY); /* it was refused, and is not made */
    assert_int_equal(client_json(c, "GET", "/x", NULL, NULL, &e), ERR_UNAVAILABLE);
    client_free(c);
    pthread_join(s.thread, NULL);
    assert_int_equal(s.requests.len, 6);
    char *first = key_of(s.requests.items[0]), *other = key_of(s.requests.items[4]);
    assert_non_null(first);
    assert_true(strlen(first) >= strlen("Idempotency-Key: ") + 34);
    for (size_t i = 1; i < 4; i++) {
        char *key = key_of(s.requests.items[i]);
        assert_string_equal(key, first);
        free(key);
    }
    assert_string_not_equal(other, first);
    assert_null(key_of(s.requests.items[5]));
    free(first);
    free(other);
    close(s.listener);
    unlink(s.path);
    strs_release(&s.requests);
}

static void a_change_in_doubt_is_said_to_be(void **state)
{
    static const char *const script[] = {""};
    struct server s;
    server_start(&s, script, 1);
    struct client_options options = {.socket = s.path, .timeout_ms = 300};
    struct client *c = NULL;
    struct err e = {0};

    (void)state;
    assert_int_equal(client_new(&options, &c, &e), 0);
    assert_int_equal(client_json(c, "DELETE", "/x", NULL, NULL, &e), ERR_UNAVAILABLE);
    assert_non_null(strstr(e.message, "whether the change was made is not known"));
    client_free(c);
    server_stop(&s);
}

static void nobody_there_is_said(void **state)
{
    struct client_options options = {.socket = "/nowhere/headway.sock"}, remote = {.address = "headway.example.com"};
    struct client *c = NULL;
    struct err e = {0};

    (void)state;
    assert_int_equal(client_new(&options, &c, &e), 0);
    assert_int_equal(client_json(c, "GET", "/x", NULL, NULL, &e), ERR_UNAVAILABLE);
    assert_non_null(strstr(e.message, "no daemon at /nowhere/headway.sock"));
    client_free(c);
    assert_int_equal(client_new(&remote, &c, &e), ERR_INVALID);
    assert_string_equal(e.field, "api_key");
    remote.api_key = "k";
    assert_int_equal(client_new(&remote, &c, &e), 0);
    assert_string_equal(client_target(c), "https://headway.example.com");
    client_free(c);
    remote.address = "https://user@host/path";
    assert_int_equal(client_new(&remote, &c, &e), ERR_INVALID);
}

struct watch {
    struct buf seen;
    int stop_after, breaks;
};

static int on_event(void *arg, const char *name, const char *id, const char *data, size_t len)
{
    struct watch *w = arg;

    buf_addf(&w->seen, "%s %s %.*s;", name, id, (int)len, data);
    return --w->stop_after == 0 ? 42 : 0;
}

static void on_state(void *arg, const struct err *why, int64_t delay_ms)
{
    struct watch *w = arg;

    (void)delay_ms;
    w->breaks += why != NULL;
}

static void a_broken_stream_goes_on(void **state)
{
    static const char *const script[] = {
        ("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n: hello\n\n"
         "id: 1.8\nevent: journal\ndata: a\ndata: b\n\nevent: volatile\ndata: v\n\nid: 1.9\nevent: journal\ndata: lo"),
        "HTTP/1.1 503 X\r\nConnection: close\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nid: 1.9\nevent: journal\ndata: c\n\n",
        "HTTP/1.1 410 X\r\nConnection: close\r\n\r\n{\"error\":{\"code\":\"gone\",\"message\":\"not known\"}}",
    };
    struct server s;
    struct watch w = {.seen = BUF_INIT(0)};
    struct client_stream stream = {.event = on_event, .state = on_state, .arg = &w};
    struct err e = {0};

    (void)state;
    server_start(&s, script, 4);
    struct client *c = client_for(&s);
    assert_int_equal(client_follow(c, "/api/headway/events", "1.7", &stream, &e), ERR_GONE);
    assert_string_equal(e.message, "not known");
    assert_string_equal(buf_text(&w.seen), "journal 1.8 a\nb;volatile 1.8 v;journal 1.9 c;");
    assert_int_equal(w.breaks, 3);
    client_free(c);
    pthread_join(s.thread, NULL);
    assert_true(str_starts(s.requests.items[0], "GET /api/headway/events?follow=1&since=1.7 "));
    assert_true(str_starts(s.requests.items[1], "GET /api/headway/events?follow=1&since=1.8 "));
    assert_true(str_starts(s.requests.items[3], "GET /api/headway/events?follow=1&since=1.9 "));
    close(s.listener);
    unlink(s.path);
    strs_release(&s.requests);
    buf_release(&w.seen);
}

static void a_callback_ends_the_stream(void **state)
{
    static const char *const script[] = {
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\ndata: a\n\ndata: b\n\ndata: c\n\n"};
    struct server s;
    struct watch w = {.seen = BUF_INIT(0), .stop_after = 2};
    struct client_stream stream = {.event = on_event, .arg = &w};
    struct err e = {0};

    (void)state;
    server_start(&s, script, 1);
    struct client *c = client_for(&s);
    assert_int_equal(client_follow(c, "/e?x=1", "", &stream, &e), 42);
    assert_string_equal(buf_text(&w.seen), "message  a;message  b;");
    client_free(c);
    server_stop(&s);
    buf_release(&w.seen);
}

static void another_thread_can_interrupt(void **state)
{
    static const char *const script[] = {HANG, HANG, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}"};
    struct server s;
    struct watch w = {.seen = BUF_INIT(0)};
    struct client_stream stream = {.event = on_event, .arg = &w};
    struct err e = {0};

    (void)state;
    server_start(&s, script, 3);
    struct client *c = client_for(&s);
    s.interrupted = c;
    assert_int_equal(client_follow(c, "/e", "", &stream, &e), ERR_BUSY);
    assert_int_equal(client_json(c, "GET", "/x", NULL, NULL, &e), ERR_BUSY);
    client_resume(c);
    assert_int_equal(client_json(c, "GET", "/x", NULL, NULL, &e), ERR_BUSY);
    client_resume(c);
    assert_int_equal(client_json(c, "GET", "/x", NULL, NULL, &e), 0);
    client_free(c);
    server_stop(&s);
    buf_release(&w.seen);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_and_errors_are_read),  cmocka_unit_test(nobody_there_is_said),
        cmocka_unit_test(a_change_is_repeated),         cmocka_unit_test(a_change_in_doubt_is_said_to_be),
        cmocka_unit_test(a_broken_stream_goes_on),      cmocka_unit_test(a_callback_ends_the_stream),
        cmocka_unit_test(another_thread_can_interrupt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* WebSocket: frames in pieces of any size, and the control protocol inside them, as browsers use it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/mem.h"
#include "loop/websocket.h"
#include "shared/client/websocket_bridge.h"
#include "shared/control_rig.h"

#define BYTES(text) (text), sizeof(text) - 1

/* ---- Frames ---- */

/* Masked with zeros, so that the payload can be read. */
static const struct frames_case {
    const char *name, *bytes;
    size_t len;
    const char *carried, *answered;
    size_t answered_len;
    bool ends;
} frames_cases[] = {
    {"one message", BYTES("\x82\x85\0\0\0\0hello"), "hello", BYTES(""), false},
    {"an empty message", BYTES("\x82\x80\0\0\0\0\x82\x81\0\0\0\0a"), "a", BYTES(""), false},
    {"in two frames", BYTES("\x02\x83\0\0\0\0hel\x80\x82\0\0\0\0lo"), "hello", BYTES(""), false},
    {"a ping between", BYTES("\x02\x83\0\0\0\0hel\x89\x81\0\0\0\0?\x80\x82\0\0\0\0lo"), "hello", BYTES("\x8a\x01?"),
     false},
    {"of two pings the newest is answered last", BYTES("\x89\x81\0\0\0\0a\x89\x81\0\0\0\0b\x89\x81\0\0\0\0c"), "",
     BYTES("\x8a\x01"
           "a"),
     false},
    {"a pong", BYTES("\x8a\x81\0\0\0\0p\x82\x81\0\0\0\0a"), "a", BYTES(""), false},
    {"masked",
     BYTES("\x82\x83\x01\x02\x03\x04"
           "\x60\x60\x60"),
     "abc", BYTES(""), false},
    {"a length of 16 bits", BYTES("\x82\xfe\0\x03\0\0\0\0abc"), "abc", BYTES(""), false},
    {"a length of 64 bits", BYTES("\x82\xff\0\0\0\0\0\0\0\x03\0\0\0\0abc"), "abc", BYTES(""), false},
    {"closed", BYTES("\x82\x81\0\0\0\0a\x88\x82\0\0\0\0\x03\xe8more"), "a", BYTES("\x88\x02\x03\xe8"), true},
    {"closed without a word", BYTES("\x88\x80\0\0\0\0"), "", BYTES("\x88\x02\x03\xe8"), true},
    {"text", BYTES("\x81\x81\0\0\0\0a"), "", BYTES("\x88\x02\x03\xeb"), true},
    {"no mask",
     BYTES("\x82\x01"
           "a"),
     "", BYTES("\x88\x02\x03\xea"), true},
    {"a bit of an extension", BYTES("\xc2\x81\0\0\0\0a"), "", BYTES("\x88\x02\x03\xea"), true},
    {"a kind that is reserved", BYTES("\x83\x81\0\0\0\0a"), "", BYTES("\x88\x02\x03\xea"), true},
    {"a control frame that is reserved", BYTES("\x8b\x81\0\0\0\0a"), "", BYTES("\x88\x02\x03\xea"), true},
    {"more of nothing", BYTES("\x80\x81\0\0\0\0a"), "", BYTES("\x88\x02\x03\xea"), true},
    {"a message within a message", BYTES("\x02\x81\0\0\0\0a\x82\x81\0\0\0\0b"), "a", BYTES("\x88\x02\x03\xea"), true},
    {"a ping in pieces", BYTES("\x09\x81\0\0\0\0a"), "", BYTES("\x88\x02\x03\xea"), true},
    {"a long ping", BYTES("\x89\xfe\0\x7e\0\0\0\0"), "", BYTES("\x88\x02\x03\xea"), true},
    {"longer than any", BYTES("\x82\xff\xff\0\0\0\0\0\0\0\0\0\0\0"), "", BYTES("\x88\x02\x03\xea"), true},
};

static void try_frames(const struct frames_case *c, size_t piece)
{
    struct websocket w = {0};
    struct buf carried = BUF_INIT(0);

    for (size_t at = 0; at < c->len; at += piece) {
        size_t n = c->len - at < piece ? c->len - at : piece;
        uint8_t *bytes = mem_dup(c->bytes + at, n);
        buf_add(&carried, bytes, websocket_take(&w, bytes, n));
        free(bytes);
    }
    if (strcmp(buf_text(&carried), c->carried) != 0 || w.out.len != c->answered_len ||
        memcmp(buf_text(&w.out), c->answered, w.out.len) != 0 || (w.ended != NULL) != c->ends)
        fail_msg("%s, in pieces of %zu: '%s', %zu bytes of answer, %s", c->name, piece, buf_text(&carried), w.out.len,
                 w.ended ? w.ended : "open");
    buf_release(&carried);
    websocket_release(&w);
}

static void frames_are_taken_in_any_pieces(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(frames_cases); i++)
        for (size_t piece = 1; piece <= frames_cases[i].len; piece++)
            try_frames(&frames_cases[i], piece);
}

/* However many come of a client that reads nothing. */
static void one_pong_waits(void **state)
{
    struct websocket w = {0};

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        uint8_t ping[] = {0x89, 0x81, 0, 0, 0, 0, (uint8_t)('a' + i % 26)};
        assert_int_equal(websocket_take(&w, ping, sizeof(ping)), 0);
    }
    assert_int_equal(w.out.len, 3);
    assert_true(websocket_sent(&w, 3));
    assert_memory_equal(w.out.data, "\x8a\x01l", 3); /* the newest */
    assert_false(websocket_sent(&w, 3));
    websocket_release(&w);
}

/* ---- With clients ---- */

static void calls_and_streams_pass(void **state)
{
    struct websocket_bridge *b = websocket_bridge_new((uint16_t)front_port(rig.front, 0));
    size_t len = (size_t)300 * 1024;
    char *body = mem_alloc(len);
    struct rig_client c;

    (void)state;
    for (size_t i = 0; i < len; i++)
        body[i] = (char)('a' + i % 23);
    rig_client_init(&c);
    c.o.server.port = websocket_bridge_port(b);
    rig_client_dial(&c);
    rig_wait(&c.open);
    rig_client_call(&c, "POST", "/machine/echo?a=b&c", "hello", 5);
    assert_int_equal(c.status, 200);
    assert_string_equal(buf_text(&c.answer), "hello");
    rig_client_call(&c, "POST", "/machine/echo", body, len);
    assert_int_equal(c.status, 200);
    assert_int_equal(c.answer.len, len);
    assert_memory_equal(c.answer.data, body, len);
    rig_client_stream(&c, "/machine/talk?3,900000,x");
    for (int i = 0; i < 3; i++)
        rig_wait(&c.replied);
    assert_int_equal(c.bytes, 2700000);
    assert_true(websocket_bridge_pongs(b) > 0);
    rig_client_disconnect(&c);
    websocket_bridge_free(b);
    free(body);
}

/* Nothing that is sent is lost or doubled where the client takes little at a time. */
static void a_slow_reader_gets_all(void **state)
{
    struct websocket_bridge *b = websocket_bridge_new((uint16_t)front_port(rig.front, 0));
    struct rig_client c;

    (void)state;
    rig_client_init(&c);
    c.o.server.port = websocket_bridge_port(b);
    c.o.receive_buffer = 65536;
    rig_client_dial(&c);
    rig_wait(&c.open);
    rig_client_stream(&c, "/machine/talk?3,9000000,x"); /* more than all sockets between take */
    for (int i = 0; i < 3; i++)
        rig_wait(&c.replied);
    assert_int_equal(c.bytes, 27000000);
    rig_client_disconnect(&c);
    websocket_bridge_free(b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_taken_in_any_pieces),
        cmocka_unit_test(one_pong_waits),
        cmocka_unit_test_setup_teardown(calls_and_streams_pass, rig_before, rig_after),
        cmocka_unit_test_setup_teardown(a_slow_reader_gets_all, rig_before, rig_after),
    };

    return cmocka_run_group_tests(tests, rig_set_up, rig_tear_down);
}

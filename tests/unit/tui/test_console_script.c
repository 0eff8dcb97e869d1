/* SPDX-License-Identifier: BSD-3-Clause */
/* Scripts, recordings, and screens as text with colours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "console/screen/key.h"
#include "console/screen/screen_text.h"
#include "console/script/recording.h"
#include "console/script/script.h"

static void steps_are_read(void **state)
{
    struct script s = {0};
    struct err e = {0};

    (void)state;
    assert_int_equal(script_parse("# a comment\n\n:nodes tag:web\ntry :approve x\nkeys jj<Enter>\r\nsize 100x30\n"
                                  "expect 3 nodes\nrefuse gw\nwait LIVE\nplay\nplay 3\npass 90s",
                                  &s, &e),
                     0);
    assert_int_equal(s.len, 10);
    assert_int_equal(s.items[0].verb, SCRIPT_COMMAND);
    assert_int_equal(s.items[0].line, 3);
    assert_string_equal(s.items[0].text, "nodes tag:web");
    assert_int_equal(s.items[1].verb, SCRIPT_TRY);
    assert_string_equal(s.items[1].text, "approve x");
    assert_string_equal(s.items[2].text, "jj<Enter>");
    assert_int_equal(s.items[3].cols, 100);
    assert_int_equal(s.items[3].rows, 30);
    assert_string_equal(s.items[4].text, "3 nodes");
    assert_int_equal(s.items[7].number, 0);
    assert_int_equal(s.items[8].number, 3);
    assert_int_equal(s.items[9].number, INT64_C(90000000000));
    assert_true(script_plays(&s));
    script_release(&s);
}

static void a_bad_step_is_named_by_its_line(void **state)
{
    static const struct {
        const char *text, *error;
    } bad[] = {
        {":nodes\nnodes", "line 2: a step is"},
        {":", "line 1: a command begins with ':'"},
        {"try nodes", "line 1: a command begins with ':'"},
        {"keys <Entr>", "line 1: there is no key <Entr>"},
        {"\n\nsize 80", "line 3: a size is COLSxROWS"},
        {"size 0x24", "line 1: a size is"},
        {"size 80x1001", "line 1: a size is"},
        {"size 99999999999x24", "line 1: a size is"},
        {"expect", "line 1: which text?"},
        {"play all", "line 1: play"},
        {"pass 5", "line 1: pass"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct script s = {0};
        struct err e = {0};

        assert_int_equal(script_parse(bad[i].text, &s, &e), ERR_INVALID);
        if (!str_starts(e.message, bad[i].error))
            fail_msg("'%s': %s", bad[i].text, e.message);
        script_release(&s);
    }
}

/* Reads a recording from a file of the test's own. */
static int read_text(const char *text, struct recording *r, struct err *e)
{
    char path[] = "/tmp/headway-recording.XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(file_write_fd(fd, text, strlen(text)), 0);
    close(fd);
    int result = recording_read(path, r, e);
    unlink(path);
    return result;
}

static void a_recording_is_played_in_order(void **state)
{
    struct recording r = {0};
    struct recording_step step;
    struct err e = {0};
    int status = 0;

    (void)state;
    assert_int_equal(
        read_text("# made up\n{\"actor\":\"ana\",\"scope\":\"read\"}\n"
                  "{\"time\":\"2026-03-03T14:03:00Z\",\"nodes\":[{\"id\":\"1\",\"givenName\":\"gw\"}]}\n"
                  "{\"path\":\"/api/x\",\"answer\":{\"a\":1}}\n{\"path\":\"/api/x\",\"method\":\"POST\",\"status\":412,"
                  "\"answer\":{}}\n{\"events\":[]}\n\n{\"node\":{\"id\":\"1\",\"givenName\":\"gw\",\"online\":true}}\n",
                  &r, &e),
        0);
    assert_false(recording_has_event(&r));
    assert_int_equal(recording_play(&r, &step, &e), 0);
    assert_int_equal(step.kind, PLAYED_IDENTITY);
    assert_string_equal(step.actor, "ana");
    assert_true(step.read_only);
    free(step.actor);
    assert_int_equal(recording_play(&r, &step, &e), 0);
    assert_int_equal(step.kind, PLAYED_DELTA);
    assert_true(step.delta.ends);
    assert_int_equal(step.time_ns, INT64_C(1772546580000000000));
    delta_release(&step.delta);
    assert_int_equal(recording_play(&r, &step, &e), 0); /* the page of events: answers are not played */
    assert_int_equal(step.kind, PLAYED_DELTA);
    delta_release(&step.delta);
    assert_true(recording_has_event(&r));
    assert_int_equal(recording_play(&r, &step, &e), 0);
    assert_int_equal(step.delta.rows.len, 1);
    delta_release(&step.delta);
    assert_int_equal(recording_play(&r, &step, &e), 0);
    assert_int_equal(step.kind, PLAYED_NOTHING);

    const json_t *answer = recording_answer(&r, "GET", "/api/x", &status);
    assert_non_null(json_object_get(answer, "a"));
    assert_int_equal(status, 200);
    assert_non_null(recording_answer(&r, "POST", "/api/x", &status));
    assert_int_equal(status, 412);
    assert_null(recording_answer(&r, "GET", "/api/y", &status));
    recording_release(&r);
}

static void a_bad_recording_is_named_by_its_line(void **state)
{
    struct recording r = {0};
    struct err e = {0};

    (void)state;
    assert_int_equal(read_text("{}\n{\"a\":}\n", &r, &e), ERR_INVALID);
    assert_non_null(strstr(e.message, "line 2 of the recording"));
    recording_release(&r);
    assert_int_equal(read_text("[1]\n", &r, &e), ERR_INVALID);
    assert_string_equal(e.message, "line 1 of the recording is no object");
    recording_release(&r);
    assert_int_equal(recording_read("/nonexistent/recording", &r, &e), ERR_MISSING);
}

static void colours_become_sequences_and_nothing_else_does(void **state)
{
    static const struct {
        enum depth depth;
        const char *text;
    } expected[] = {
        {DEPTH_TRUE, "\033[0;38;2;86;211;100mup down \033[0mx\n\033[0;1;38;2;121;192;255;48;2;15;37;64m> \033[0m\n"},
        {DEPTH_16, "\033[0;92mup down \033[0mx\n\033[0;1;7m> \033[0m\n"},
        {DEPTH_8, "\033[0;32mup down \033[0mx\n\033[0;1;7m> \033[0m\n"},
        {DEPTH_MONO, "up down x\n\033[0;1;7m> \033[0m\n"},
    };
    struct canvas c = {0};
    struct buf out = BUF_INIT(0);

    (void)state;
    canvas_start(&c, 2, 12);
    canvas_text(&c, 0, 0, 12, ROLE_OK, "up down");
    canvas_text(&c, 0, 8, 4, ROLE_TEXT, "x");
    canvas_text(&c, 1, 0, 2, ROLE_CURSOR, "> ");
    canvas_flag(&c, (struct rect){1, 0, 1, 2}, CANVAS_SELECTED);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        buf_clear(&out);
        screen_ansi(&c, THEME_DEFAULT, expected[i].depth, &out);
        assert_string_equal(buf_text(&out), expected[i].text);
    }
    buf_clear(&out);
    screen_text(&c, &out);
    assert_string_equal(buf_text(&out), "up down x\n>\n");
    buf_release(&out);
    canvas_release(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_read),
        cmocka_unit_test(a_bad_step_is_named_by_its_line),
        cmocka_unit_test(a_recording_is_played_in_order),
        cmocka_unit_test(a_bad_recording_is_named_by_its_line),
        cmocka_unit_test(colours_become_sequences_and_nothing_else_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

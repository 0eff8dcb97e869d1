/* SPDX-License-Identifier: BSD-3-Clause */
/* The policy editor: its buffer compared with plain text under random edits, keys, columns of cells, colours,
 * differences, drafts, and the thread that checks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <locale.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/text_diff.h"
#include "console/policy/policy_checker.h"
#include "console/screen/key.h"
#include "console/screen/screen_text.h"
#include "console/text/draft.h"
#include "console/text/editor.h"
#include "shared/console_rig.h"

static uint64_t seed;

static size_t below(size_t n)
{
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    return (size_t)(seed >> 33) % n;
}

static void holds(const struct textbuf *t, const char *expected)
{
    size_t len;
    char *text = textbuf_copy(t, &len);

    assert_int_equal(len, strlen(expected));
    assert_string_equal(text, expected);
    assert_int_equal(t->bytes, len);
    assert_true(textbuf_equals(t, expected, len));
    free(text);
}

static struct text_pos place(const char *text, size_t offset)
{
    struct text_pos at = {0, 0};

    for (size_t i = 0; i < offset; i++)
        at = text[i] == '\n' ? (struct text_pos){at.line + 1, 0} : (struct text_pos){at.line, at.at + 1};
    return at;
}

/* One random edit, of the buffer and of the plain text. */
static char *edit_both(struct textbuf *t, char *text)
{
    static const char *const pieces[] = {"", "a", "\n", "{\n\t\"x\": 1,\n}", "\n\n\n", "words and words", "\xc3\xa4"};
    size_t len = strlen(text), from = below(len + 1), to = from + below(len - from + 1);
    const char *piece = pieces[below(ARRAY_LEN(pieces))];
    struct text_pos end;

    if (to - from > 40)
        to = from + 40;
    char *fresh = mem_format("%.*s%s%s", (int)from, text, piece, text + to);
    if (below(3) == 0)
        textbuf_break(t);
    assert_true(textbuf_replace(t, place(text, from), place(text, to), piece, strlen(piece), &end));
    struct text_pos expected = place(fresh, from + strlen(piece));
    assert_int_equal(end.line, expected.line);
    assert_int_equal(end.at, expected.at);
    free(text);
    return fresh;
}

static void random_edits_are_those_of_a_plain_text(void **state)
{
    (void)state;
    for (seed = 1; seed < 40; seed++) {
        struct textbuf t;
        uint64_t start = seed;
        char *text = mem_strdup(""), *versions[200];

        textbuf_init(&t);
        for (size_t i = 0; i < 200; i++) {
            versions[i] = mem_strdup(text);
            text = edit_both(&t, text);
            holds(&t, text);
        }
        /* All the way back, group by group, through texts that were there; and all the way forth. */
        struct text_pos at;
        size_t i = 200;
        while (textbuf_undo(&t, &at)) {
            size_t len;
            char *now = textbuf_copy(&t, &len);

            assert_true(at.line < t.lines.len && at.at <= t.lines.items[at.line].len);
            while (i > 0 && !str_eq(versions[i - 1], now))
                i--;
            assert_true(i > 0);
            free(now);
        }
        holds(&t, "");
        while (textbuf_redo(&t, &at))
            continue;
        holds(&t, text);
        for (i = 0; i < 200; i++)
            free(versions[i]);
        free(text);
        textbuf_release(&t);
        seed = start;
    }
}

static void a_text_has_an_end(void **state)
{
    struct textbuf t;
    char *big = mem_alloc(TEXTBUF_MAX + 1);

    (void)state;
    memset(big, 'x', TEXTBUF_MAX);
    textbuf_init(&t);
    assert_true(textbuf_replace(&t, (struct text_pos){0, 0}, (struct text_pos){0, 0}, big, TEXTBUF_MAX, NULL));
    assert_false(textbuf_replace(&t, (struct text_pos){0, 0}, (struct text_pos){0, 0}, "y", 1, NULL));
    assert_true(textbuf_replace(&t, (struct text_pos){0, 0}, (struct text_pos){0, 1}, "y", 1, NULL));
    assert_int_equal(t.bytes, TEXTBUF_MAX);
    textbuf_release(&t);
    free(big);
}

static void press(struct editor *e, const char *script)
{
    struct key_script keys = {0};

    assert_int_equal(keys_parse(script, &keys, NULL), 0);
    for (size_t i = 0; i < keys.len; i++) {
        bool full = false;

        if (keys.items[i] == CK_CTRL('z'))
            editor_undo(e);
        else if (keys.items[i] == CK_CTRL('y'))
            editor_redo(e);
        else
            assert_true(editor_key(e, keys.items[i], &full));
        assert_false(full);
        assert_true(e->at.line < e->text.lines.len && e->at.at <= e->text.lines.items[e->at.line].len);
    }
    vec_release(&keys);
}

static const struct {
    const char *before, *keys, *after;
    size_t line, column; /* of the cursor afterwards, from 1; column in cells */
} typing[] = {
    {"", "abc", "abc", 1, 4},
    {"", "ab<Enter>cd", "ab\ncd", 2, 3},
    {"", "  {<Enter>x", "  {\n  x", 2, 4}, /* the indent goes on */
    {"abc", "<End><Backspace>x", "abx", 1, 4},
    {"ab\ncd", "<Down><Backspace>", "abcd", 1, 3},
    {"ab\ncd", "<End><Del>", "abcd", 1, 3},
    {"ab\ncd", "<End><Right>x", "ab\nxcd", 2, 2},
    {"ab\ncd", "<Down><Left>x", "abx\ncd", 1, 4},
    {"long line\nx\nlong line", "<End><Down><Down>!", "long line\nx\nlong line!", 3, 11}, /* the column is kept */
    {"\xe6\x9d\xb1\xe4\xba\xac\nabcdef", "<Right><Down>|", "\xe6\x9d\xb1\xe4\xba\xac\nab|cdef", 2, 4}, /* by cells */
    {"\xe6\x9d\xb1\xe4\xba\xac", "<End><Backspace>", "\xe6\x9d\xb1", 1, 3},
    {"\ta", "<Right>x", "\txa", 1, 6},
    {"\ta", "<End><Enter><Tab>b", "\ta\n\t\tb", 2, 10},
    {"a", "<End><Tab>b", "a b", 1, 4},
    {"one two", "<End><Ctrl-W>", "one ", 1, 5},
    {"one, two", "<Ctrl-Right>|", "one, |two", 1, 7},
    {"one, two", "<End><Ctrl-Left><Ctrl-Left>|", "|one, two", 1, 2},
    {"one two\nx", "<Ctrl-K>", "\nx", 1, 1},
    {"one two\nx", "<Ctrl-K><Ctrl-K>", "x", 1, 1},
    {"  a", "<Home>x", "  xa", 1, 4},
    {"  a", "<Home><Home>x", "x  a", 1, 2},
    {"a\nb\nc", "<Ctrl-End>x<Ctrl-Home>y", "ya\nb\ncx", 1, 2},
    {"", "one two<Ctrl-Z>", "one ", 1, 5}, /* a word at once */
    {"", "one two<Ctrl-Z><Ctrl-Z>", "", 1, 1},
    {"", "one two<Ctrl-Z><Ctrl-Z><Ctrl-Y>", "one ", 1, 5},
    {"abc", "<End><Backspace><Backspace><Ctrl-Z>", "abc", 1, 4},
    {"", "a<Ctrl-Z>b<Ctrl-Y>", "b", 1, 2}, /* what was taken back is gone when something else is typed */
    {"", "\xc3\xa4\xf0\x9f\x98\x80<Backspace>", "\xc3\xa4", 1, 2},
};

static void keys_do_what_they_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(typing); i++) {
        struct editor e;
        size_t len;

        editor_init(&e);
        editor_load(&e, typing[i].before, strlen(typing[i].before));
        press(&e, typing[i].keys);
        char *now = textbuf_copy(&e.text, &len);
        if (!str_eq(now, typing[i].after) || e.at.line + 1 != typing[i].line ||
            editor_column(&e) + 1 != typing[i].column)
            fail_msg("'%s' with %s: '%s' at %zu:%zu, not '%s' at %zu:%zu", typing[i].before, typing[i].keys, now,
                     e.at.line + 1, editor_column(&e) + 1, typing[i].after, typing[i].line, typing[i].column);
        free(now);
        editor_release(&e);
    }
}

static void a_paste_is_one_step_and_harmless(void **state)
{
    static const char pasted[] = "{\r\n\t\"a\": 1,\r}\x1b[31m\x07";
    struct editor e;

    (void)state;
    editor_init(&e);
    press(&e, "  x");
    assert_true(editor_paste(&e, pasted, sizeof(pasted) - 1));
    holds(&e.text, "  x{\n\t\"a\": 1,\n}[31m");
    press(&e, "y<Ctrl-Z><Ctrl-Z>");
    holds(&e.text, "  x");
    editor_release(&e);
}

static void finding_goes_around(void **state)
{
    static const char text[] = "tag:web\ntag:db Tag:db\n";
    struct editor e;

    (void)state;
    editor_init(&e);
    editor_load(&e, text, sizeof(text) - 1);
    assert_true(editor_find(&e, "tag:db", false));
    assert_int_equal(e.at.line * 100 + e.at.at, 100);
    assert_true(editor_find(&e, e.find, false));
    assert_int_equal(e.at.line * 100 + e.at.at, 107); /* small letters find large ones */
    assert_true(editor_find(&e, e.find, false));
    assert_int_equal(e.at.line * 100 + e.at.at, 100);
    assert_true(editor_find(&e, e.find, true));
    assert_int_equal(e.at.line * 100 + e.at.at, 107);
    assert_true(editor_find(&e, "Tag", false));
    assert_int_equal(e.at.line * 100 + e.at.at, 107);
    assert_false(editor_find(&e, "nowhere", true));
    editor_release(&e);
}

static char *roles_of(const char *line, bool open)
{
    static const char letters[ROLE_COUNT] = {
        [ROLE_CODE_KEY] = 'k',    [ROLE_CODE_STRING] = 's',  [ROLE_CODE_NAME] = 'n',
        [ROLE_CODE_NUMBER] = '1', [ROLE_CODE_COMMENT] = 'c', [ROLE_CODE_ERROR] = 'E',
    };
    size_t len = strlen(line);
    unsigned char *roles = mem_alloc(len + 1);
    char *out = mem_alloc(len + 1);

    highlight_line(line, len, open, roles);
    for (size_t i = 0; i < len; i++)
        out[i] = letters[roles[i]] ? letters[roles[i]] : '.';
    free(roles);
    return out;
}

static void colours_follow_the_language(void **state)
{
    static const struct {
        const char *line, *roles;
        bool open;
    } lines[] = {
        {"\"a\": \"b\", // c", "kkk..sss..cccc", false},
        {"[\"tag:db\", \"10.0.0.1/8\"]", ".nnnnnnnn..nnnnnnnnnnnn.", false},
        {"/* a */ 1 /* b", "ccccccc.1.cccc", false},
        {"b */ true, nul", "cccc.1111..EEE", true},
        {"still open", "cccccccccc", true},
        {"\"no end", "EEEEEEE", false},
        {"\"\\\"\" : 1", "kkkk...1", false},
        {"\"// none\"", "sssssssss", false},
        {"@", "E", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        char *roles = roles_of(lines[i].line, lines[i].open);

        assert_string_equal(roles, lines[i].roles);
        free(roles);
    }
}

static void open_comments_are_followed_through_edits(void **state)
{
    struct editor e;

    (void)state;
    editor_init(&e);
    editor_load(&e, "a\nb\nc\nd", 7);
    assert_false(highlight_open(&e.colours, &e.text, 3));
    press(&e, "/*");
    assert_true(highlight_open(&e.colours, &e.text, 3));
    press(&e, "<Down><Down>*/");
    assert_true(highlight_open(&e.colours, &e.text, 2));
    assert_false(highlight_open(&e.colours, &e.text, 3));
    press(&e, "<Up><Enter>");
    assert_true(highlight_open(&e.colours, &e.text, 3));
    assert_false(highlight_open(&e.colours, &e.text, 4));
    editor_release(&e);
}

static void what_is_not_seen_is_shown_as_something(void **state)
{
    static const char evil[] = "a\x1b[31m\xe2\x80\xae\xc2\x9b\xe2\x80\x8b"
                               "b\r";
    struct canvas c = {0};
    struct editor e;
    struct buf out = BUF_INIT(0);

    (void)state;
    editor_init(&e);
    editor_load(&e, evil, sizeof(evil) - 1);
    canvas_start(&c, 2, 40);
    editor_draw(&e, &c, (struct rect){0, 0, 2, 40}, true, NULL, NULL);
    screen_text(&c, &out);
    assert_non_null(strstr(out.data, "a^[[31m???b^M"));
    for (int i = 0; i < 80; i++)
        assert_true(c.cells[i].text[0] == 0 || (c.cells[i].text[0] >= 0x20 && c.cells[i].text[0] != 0x202e));
    buf_release(&out);
    canvas_release(&c);
    editor_release(&e);
}

static void the_cursor_is_where_it_is_drawn(void **state)
{
    struct canvas c = {0};
    struct editor e;

    (void)state;
    editor_init(&e);
    for (int i = 0; i < 300; i++)
        press(&e, i % 10 == 9 ? "\xe6\x9d\xb1" : "x");
    for (int i = 0; i < 300; i++) {
        canvas_start(&c, 3, 30);
        editor_draw(&e, &c, (struct rect){0, 0, 3, 30}, true, NULL, NULL);
        assert_true(c.cursor_shown && c.cursor_row == 0 && c.cursor_col >= 5 && c.cursor_col < 30);
        press(&e, "<Left>");
    }
    canvas_release(&c);
    editor_release(&e);
}

/* A difference is right when the old text and what it says give the new one. */
static void differences_lead_from_one_text_to_the_other(void **state)
{
    (void)state;
    for (seed = 100; seed < 400; seed++) {
        uint64_t start = seed;
        struct buf a = BUF_INIT(0), b = BUF_INIT(0);
        struct diff d;
        size_t gone = 0, came = 0, old = 1, fresh = 1;

        for (size_t i = below(30); i-- > 0;)
            buf_addf(&a, "line %zu\n", below(6));
        for (size_t i = below(30); i-- > 0;)
            buf_addf(&b, "line %zu\n", below(6));
        textdiff(buf_text(&a), a.len, buf_text(&b), b.len, &d);
        for (size_t i = 0; i < d.len; i++) {
            const struct diff_line *l = &d.items[i];

            if (l->sign == '@')
                continue;
            gone += l->sign == '-';
            came += l->sign == '+';
            if (l->old)
                assert_true(l->old >= old);
            if (l->fresh)
                assert_true(l->fresh >= fresh);
            if (l->sign == ' ') /* as far behind as there were changes before */
                assert_int_equal(l->old + came, l->fresh + gone);
            old = l->old ? l->old + 1 : old;
            fresh = l->fresh ? l->fresh + 1 : fresh;
        }
        assert_int_equal(gone, d.gone);
        assert_int_equal(came, d.came);
        size_t lines_a = 0, lines_b = 0;
        for (size_t i = 0; i < a.len; i++)
            lines_a += a.data[i] == '\n';
        for (size_t i = 0; i < b.len; i++)
            lines_b += b.data[i] == '\n';
        assert_int_equal(lines_a - gone, lines_b - came);
        vec_release(&d);
        buf_release(&a);
        buf_release(&b);
        seed = start;
    }
}

static void one_changed_line_is_one_difference(void **state)
{
    static const char old[] = "1\n2\n3\n4\n5\n6\n7\n8\n9\n", fresh[] = "1\n2\n3\n4\nfive\n6\n7\n8\n9\n";
    struct diff d;

    (void)state;
    textdiff(old, sizeof(old) - 1, fresh, sizeof(fresh) - 1, &d);
    assert_int_equal(d.gone, 1);
    assert_int_equal(d.came, 1);
    assert_int_equal(d.len, 10); /* both, three around them on each side, and a sign where lines are left out */
    assert_int_equal(d.items[0].sign, '@');
    vec_release(&d);
    textdiff("", 0, "a", 1, &d);
    assert_int_equal(d.came, 1);
    vec_release(&d);
    textdiff("same", 4, "same", 4, &d);
    assert_int_equal(d.gone + d.came, 0);
    vec_release(&d);
}

static void drafts_outlive_their_console(void **state)
{
    char dir[] = "/tmp/headway-draft-XXXXXX";
    struct drafts found = {0};
    struct err e;
    struct stat s;
    int status;

    (void)state;
    assert_non_null(mkdtemp(dir));
    char *state_dir = mem_format("%s/deep/er", dir), *own = draft_path(state_dir);
    pid_t child = fork();
    if (child == 0) {
        char *path = draft_path(state_dir);
        int r = draft_write(path, "http://127.0.0.1", 7, "{\"acls\": []}\n", 13, &e);

        free(path);
        _exit(r == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(draft_write(own, "x", 1, "mine", 4, &e), 0);
    drafts_find(state_dir, &found);
    assert_int_equal(found.len, 1); /* not the one of this process */
    assert_string_equal(found.items[0].text, "{\"acls\": []}\n");
    assert_string_equal(found.items[0].server, "http://127.0.0.1");
    assert_int_equal(found.items[0].version, 7);
    assert_int_equal(stat(found.items[0].path, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);
    draft_remove(found.items[0].path);
    draft_remove(own);
    assert_int_equal(rmdir(state_dir), 0); /* nothing else is left */
    draft_release(&found.items[0]);
    vec_release(&found);
    free(own);
    free(state_dir);
    state_dir = mem_format("%s/deep", dir);
    rmdir(state_dir);
    rmdir(dir);
    free(state_dir);
}

static void damaged_drafts_are_none(void **state)
{
    static const char *const bad[] = {"",
                                      "headway policy draft 1 ",
                                      "headway policy draft 1 x y\ntext",
                                      "headway policy draft 1 7\n",
                                      "headway policy draft 1 7 s\n\xff",
                                      "headway policy draft 2 7 s\ntext"};
    struct draft_parts parts;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(draft_parse(bad[i], strlen(bad[i]), &parts));
    assert_true(draft_parse("headway policy draft 1 7 s\n", 27, &parts));
    assert_int_equal(parts.len, 0);
}

/* The thread: of what is sent it looks at the newest text, and taking a draft away costs no check. */
static void the_checker_looks_at_the_newest_text(void **state)
{
    char dir[] = "/tmp/headway-check-XXXXXX";
    struct check_result result = {0};
    struct stat s;

    (void)state;
    assert_non_null(mkdtemp(dir));
    char *path = draft_path(dir);
    struct checker *c = checker_start();
    for (uint64_t serial = 1; serial <= 50; serial++) {
        struct check_job job = {.serial = serial,
                                .text = mem_strdup(serial == 50 ? "{\n  x" : "{}"),
                                .draft = mem_strdup(path),
                                .server = mem_strdup("s"),
                                .version = 1};

        job.len = strlen(job.text);
        checker_send(c, &job);
        assert_null(job.text);
    }
    struct check_job removal = {.draft = mem_strdup(path), .remove = true};
    checker_send(c, &removal);
    while (result.serial != 50) {
        struct pollfd fd = {.fd = checker_fd(c), .events = POLLIN};

        check_result_release(&result);
        assert_int_equal(poll(&fd, 1, 20000), 1);
        checker_take(c, &result);
    }
    assert_true(policy_problems_fatal(&result.problems));
    assert_int_equal(result.problems.items[0].line, 2);
    checker_stop(c);
    assert_int_not_equal(stat(path, &s), 0);
    check_result_release(&result);
    free(path);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_edits_are_those_of_a_plain_text),
        cmocka_unit_test(a_text_has_an_end),
        cmocka_unit_test(keys_do_what_they_say),
        cmocka_unit_test(a_paste_is_one_step_and_harmless),
        cmocka_unit_test(finding_goes_around),
        cmocka_unit_test(colours_follow_the_language),
        cmocka_unit_test(open_comments_are_followed_through_edits),
        cmocka_unit_test(what_is_not_seen_is_shown_as_something),
        cmocka_unit_test(the_cursor_is_where_it_is_drawn),
        cmocka_unit_test(differences_lead_from_one_text_to_the_other),
        cmocka_unit_test(one_changed_line_is_one_difference),
        cmocka_unit_test(drafts_outlive_their_console),
        cmocka_unit_test(damaged_drafts_are_none),
        cmocka_unit_test(the_checker_looks_at_the_newest_text),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}

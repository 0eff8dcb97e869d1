/* SPDX-License-Identifier: BSD-3-Clause */
/* The whole table of commands, tables on terminals of any width, output formats. The commands themselves are tested in
 * tests/cli. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "cli/command.h"
#include "cli/output.h"
#include "shared/files.h"

static void names_are_clear(void **state)
{
    size_t count = 0;

    (void)state;
    for (const struct command *c = command_next(NULL); c; c = command_next(c)) {
        count++;
        const char *word = command_word(c);
        assert_non_null(c->brief);
        assert_true((c->bits & CMD_GROUP) ? !c->run : !!c->run);
        /* the group above exists, and finds it */
        char parent[64];
        size_t len = (size_t)(word - c->name);
        str_copy(parent, len ? len : 1, c->name);
        const struct command *group = len ? command_find(NULL, parent) : NULL;
        assert_true(!len || (group && (group->bits & CMD_GROUP)));
        assert_ptr_equal(command_find(group, word), c);
        /* no word of it means another command beside it */
        for (const struct command *d = command_next(c); d; d = command_next(d)) {
            if (!command_is_below(d, group))
                continue;
            for (const char *at = d->aliases; at && *at; at += strcspn(at, "|"), at += *at == '|') {
                char alias[64];
                str_copy(alias, strcspn(at, "|") + 1, at);
                assert_ptr_equal(command_find(group, alias), d);
            }
        }
        /* letters and names of its flags are its own */
        for (const struct flag *f = c->flags; f && f->kind != FLAG_NONE; f++) {
            assert_non_null(f->help);
            for (const struct flag *g = f + 1; g->kind != FLAG_NONE; g++)
                assert_true(!str_eq(f->name, g->name) && (!f->letter || f->letter != g->letter));
            for (const struct flag *g = global_flags; g->kind != FLAG_NONE; g++)
                assert_true(!str_eq(f->name, g->name) && (!f->letter || f->letter != g->letter));
        }
    }
    assert_true(count > 50);
}

static void help_shows_every_flag(void **state)
{
    (void)state;
    for (const struct command *c = command_next(NULL); c; c = command_next(c)) {
        struct buf help = BUF_INIT(0);
        command_help(c, &help);
        for (const struct flag *f = c->flags; f && f->kind != FLAG_NONE; f++)
            assert_true((f->bits & FLAG_HIDDEN) || strstr(buf_text(&help), f->name));
        buf_release(&help);
    }
}

static void the_manual_is_current(void **state)
{
    struct buf text = BUF_INIT(0);

    (void)state;
    cli_write_manual(&text);
    file_must_hold_part("man/headway.1", buf_text(&text));
    buf_release(&text);
}

static void each_shell_knows_every_command(void **state)
{
    static const char *const shells[] = {"bash", "zsh", "fish"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct buf text = BUF_INIT(0);
        assert_true(cli_write_completion(shells[i], &text));
        for (const struct command *c = command_next(NULL); c; c = command_next(c)) {
            struct buf name = BUF_INIT(0);
            buf_addf(&name, "\"%s\"", c->name);
            assert_non_null(strstr(buf_text(&text), buf_text(&name)));
            buf_release(&name);
            for (const struct flag *f = c->flags; f && f->kind != FLAG_NONE; f++)
                assert_true((f->bits & FLAG_HIDDEN) || strstr(buf_text(&text), f->name));
        }
        buf_release(&text);
    }
}

static void add_prefix(struct prefixes *set, const char *text)
{
    struct prefix p;

    assert_int_equal(prefix_parse(text, &p, NULL, NULL), 0);
    prefixes_add(set, &p);
}

/* The caller frees the text. */
static char *printed(const struct text_table *t, size_t columns, bool terminal, bool color)
{
    struct output o = {.terminal = terminal, .columns = columns, .color = color};
    char *text = NULL;
    size_t len = 0;

    o.out = open_memstream(&text, &len);
    assert_non_null(o.out);
    table_print(t, &o);
    fclose(o.out);
    return text;
}

static void assert_prints(const struct text_table *t, size_t columns, const char *wanted)
{
    char *text = printed(t, columns, columns != 0, false);

    assert_string_equal(text, wanted);
    free(text);
}

static void a_table_fits_its_terminal(void **state)
{
    static const char *const heads[] = {"ID", "Approved", "Reason"};
    struct prefixes two = {0}, none = {0};
    struct text_table t;
    char *text;

    (void)state;
    add_prefix(&two, "10.0.0.0/8");
    add_prefix(&two, "192.168.0.0/24");
    table_init(&t, heads, 3);
    table_text(&t, "1", COLOR_GOOD);
    table_prefixes(&t, &two);
    table_text(&t, "advertised, but nobody approved it", COLOR_PLAIN);
    table_text(&t, "22\x1b[2J", COLOR_PLAIN);
    table_prefixes(&t, &none);
    table_text(&t, "", COLOR_PLAIN);
    assert_prints(&t, 0,
                  "ID        | Approved                   | Reason\n"
                  "1         | 10.0.0.0/8, 192.168.0.0/24 | advertised, but nobody approved it\n"
                  "22\\x1b[2J |                            |\n");
    assert_prints(&t, 70,
                  "ID        | Approved       | Reason\n"
                  "1         | 10.0.0.0/8     | advertised, but nobody approved it\n"
                  "          | 192.168.0.0/24 |\n"
                  "22\\x1b[2J |                |\n"
                  "\n");
    assert_prints(&t, 50,
                  "ID        | Approved       | Reason\n"
                  "1         | 10.0.0.0/8     | advertised, but\n"
                  "          | 192.168.0.0/24 | nobody approved it\n"
                  "22\\x1b[2J |                |\n"
                  "\n");
    assert_prints(&t, 40,
                  "ID        1\n"
                  "Approved  10.0.0.0/8, 192.168.0.0/24\n"
                  "Reason    advertised, but nobody\n"
                  "          approved it\n"
                  "\n"
                  "ID        22\\x1b[2J\n"
                  "Approved\n"
                  "Reason\n"
                  "\n");
    text = printed(&t, 0, false, true);
    assert_true(str_starts(text, "\033[96mID\033[0m        \033[90m|\033[0m \033[96mApproved\033[0m"));
    assert_non_null(strstr(text, "\033[92m1\033[0m "));
    free(text);
    table_release(&t);
    prefixes_release(&two);
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    static const char *const heads[] = {"ID", "Hostname", "Name", "Tags", "Expiration"};
    struct strs tags = {0};
    struct text_table t;

    (void)state;
    strs_push(&tags, "tag:a-rather-long-name-of-a-tag");
    strs_push(&tags, "tag:b");
    table_init(&t, heads, 5);
    for (int i = 0; i < 3; i++) {
        table_number(&t, 12345);
        table_text(&t, "some host with a long name and more of it", COLOR_PLAIN);
        table_text(&t, "averylongnamethatcannotbebrokenatanyblankwhatsoever", COLOR_PLAIN);
        table_texts(&t, &tags);
        table_text(&t, "2026-07-20 00:00:00", COLOR_BAD);
    }
    for (size_t columns = 30; columns < 180; columns++) {
        char *text = printed(&t, columns, true, false);
        for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
            if (strcspn(line, "\n") > columns)
                fail_msg("%zu columns: %.*s", columns, (int)strcspn(line, "\n"), line);
        free(text);
    }
    table_release(&t);
    strs_release(&tags);
}

static void assert_written(enum output_form form, const json_t *value, const char *wanted)
{
    struct buf text = BUF_INIT(0);

    output_write(&text, form, false, value, NULL);
    assert_string_equal(buf_text(&text), wanted);
    buf_release(&text);
}

static void yaml_keeps_types_and_names(void **state)
{
    json_t *value = json_pack("{s:s, s:s, s:s, s:s, s:i, s:b, s:n, s:[{s:[]}]}", "aB", "12", "b", "true", "c",
                              "100.64.0.1", "d", "x: <y>\n", "e", 3, "f", 1, "g", "h", "z");

    (void)state;
    assert_written(OUTPUT_YAML, value,
                   "aB: \"12\"\nb: \"true\"\nc: \"100.64.0.1\"\nd: \"x: <y>\\n\"\ne: 3\nf: true\ng: null\n"
                   "h:\n    - z: []\n\n");
    assert_written(OUTPUT_HUMAN, value,
                   "aB: 12\nb: true\nc: 100.64.0.1\nd: x: <y>\\x0a\ne: 3\nf: true\ng: null\n"
                   "h:\n    - z: []\n");
    json_decref(value);
}

/* JSON's escapes mean the same to a program and nothing to a terminal. */
static void no_form_steers_a_terminal(void **state)
{
    json_t *value = json_pack("{s:s}", "name",
                              "a\x1b[2J\xc2\x9b"
                              "1m\xe2\x80\xae"
                              "b\x7f\xc3\xa9 \xe6\x9d\xb1");

    (void)state;
    assert_written(OUTPUT_JSON_LINE, value, "{\"name\":\"a\\u001b[2J\\u009b1m\\u202eb\\u007f\u00e9 \u6771\"}\n");
    assert_written(OUTPUT_YAML, value, "name: \"a\\u001b[2J\\u009b1m\\u202eb\\u007f\u00e9 \u6771\"\n\n");
    json_decref(value);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_clear),
        cmocka_unit_test(help_shows_every_flag),
        cmocka_unit_test(the_manual_is_current),
        cmocka_unit_test(each_shell_knows_every_command),
        cmocka_unit_test(a_table_fits_its_terminal),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(yaml_keeps_types_and_names),
        cmocka_unit_test(no_form_steers_a_terminal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

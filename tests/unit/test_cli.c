/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of commands as a whole, tables on terminals of any width, output forms. What commands do is in tests/cli.
 */
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

static char *printed(size_t columns, bool terminal, bool color)
{
    static const char *const heads[] = {"ID", "Approved", "Serving"};
    struct output o = {.terminal = terminal, .columns = columns, .color = color};
    json_t *routes = json_pack("[s, s]", "10.0.0.0/8", "192.168.0.0/24"), *one = json_pack("[s]", "::/0");
    struct table t;
    char *text = NULL;
    size_t len = 0;

    o.out = open_memstream(&text, &len);
    assert_non_null(o.out);
    table_init(&t, heads, 3);
    table_cell(&t, "1", CELL_GOOD);
    table_list(&t, routes);
    table_list(&t, NULL);
    table_cell(&t, "22\x1b[2J", CELL_PLAIN);
    table_list(&t, NULL);
    table_list(&t, one);
    table_print(&t, &o);
    table_release(&t);
    json_decref(routes);
    json_decref(one);
    fclose(o.out);
    return text;
}

static void a_table_fits_its_terminal(void **state)
{
    (void)state;
    char *text = printed(0, false, false);
    assert_string_equal(text, "ID        | Approved                   | Serving\n"
                              "1         | 10.0.0.0/8, 192.168.0.0/24 |\n"
                              "22\\x1b[2J |                            | ::/0\n");
    free(text);
    text = printed(30, true, false);
    assert_string_equal(text, "ID        | Approved       | Serving\n"
                              "1         | 10.0.0.0/8     |\n"
                              "          | 192.168.0.0/24 |\n"
                              "22\\x1b[2J |                | ::/0\n"
                              "\n");
    free(text);
    text = printed(0, false, true);
    assert_true(str_starts(text, "\033[96mID\033[0m        \033[90m|\033[0m \033[96mApproved\033[0m"));
    assert_non_null(strstr(text, "\033[92m1\033[0m "));
    free(text);
}

static void yaml_keeps_types(void **state)
{
    json_t *value = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:[{s:[]}]}", "a", "12", "b", "true", "c",
                              "100.64.0.1", "d", "x: y", "e", "2026-01-02T03:04:05Z", "f", "a\nb", "g", 3, "h", "z");
    struct buf text = BUF_INIT(0);

    (void)state;
    output_write(&text, OUTPUT_YAML, false, value, SHAPE_PLAIN);
    assert_string_equal(buf_text(&text), "a: \"12\"\nb: \"true\"\nc: 100.64.0.1\nd: \"x: y\"\ne: 2026-01-02T03:04:05Z\n"
                                         "f: \"a\\nb\"\ng: 3\nh:\n    - z: []\n\n");
    buf_release(&text);
    json_decref(value);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_clear),           cmocka_unit_test(help_shows_every_flag),
        cmocka_unit_test(the_manual_is_current),     cmocka_unit_test(each_shell_knows_every_command),
        cmocka_unit_test(a_table_fits_its_terminal), cmocka_unit_test(yaml_keeps_types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* The keys and commands in man/headway-console.1 are those of the tables. UPDATE=1 writes them to the page, for
 * review. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "console/app/dispatch.h"
#include "console/application.h"

#define PAGE "man/headway-console.1"

static bool add_macro_key(const char *name, void *arg)
{
    struct buf *out = arg;

    /* In mdoc a backslash is written \e, and punctuation on its own would not be set as a word. */
    const char *between = out->data[out->len - 1] == ' ' ? "" : ", ";
    buf_addf(out, "%s%s%s", between, strlen(name) == 1 && ispunct((unsigned char)*name) ? "\\&" : "",
             str_eq(name, "\\") ? "\\e" : name);
    return false;
}

static void manual_item(const struct console_command *c, struct buf *out)
{
    buf_adds(out, ".It Sy ");
    if (*c->keys)
        keys_each(c->keys, add_macro_key, out);
    else
        buf_addf(out, "\\&:%s", c->name);
    buf_addf(out, "\n%s%s.\n", c->help,
             c->risk == RISK_TYPE  ? " (asks, and a word has to be typed)"
             : c->risk == RISK_ASK ? " (asks first)"
                                   : "");
}

static bool belongs(const struct console_command *c, unsigned where)
{
    return where ? (c->where & where) && !command_is_everywhere(c) : command_is_everywhere(c);
}

/* where 0: everywhere. Nothing is written where no command belongs there. */
static void manual_section(const struct command_list *all, const char *title, unsigned where, struct buf *out)
{
    size_t count = 0;

    for (size_t i = 0; i < all->len; i++) {
        if (!belongs(all->items[i], where))
            continue;
        if (!count++)
            buf_addf(out, ".Ss %s\n.Bl -tag -width Ds -compact\n", title);
        manual_item(all->items[i], out);
    }
    if (count)
        buf_adds(out, ".El\n");
}

static void write_tables(const struct console_tables *tables, struct buf *out)
{
    struct command_list all = {0};

    commands_collect(tables, &all);
    buf_adds(out, ".Sh KEYS\n");
    manual_section(&all, "Everywhere", 0, out);
    for (size_t i = 0; i < tables->view_count; i++)
        for (int k = 0; k < VIEW_SECTIONS_MAX && tables->views[i]->sections[k].title; k++)
            manual_section(&all, tables->views[i]->sections[k].title, tables->views[i]->sections[k].where, out);
    buf_adds(
        out,
        ".Sh COMMANDS\nA colon opens the prompt; the right arrow takes what is suggested, Tab goes through all that "
        "could come next.\nA beginning of a name that is unique is enough.\nA command for the selected row also "
        "takes the name of a row,\n.Ql :approve NAME PREFIX ,\nfrom any view; a name with\n.Ql *\nmeans all "
        "rows of the list that are called like that.\nA view takes a filter:\n.Ql :nodes @prod tag:web .\n"
        ".Bl -tag -width Ds -compact\n");
    for (size_t i = 0; i < all.len; i++)
        buf_addf(out, ".It Ic %s%s%s\n%s.\n", all.items[i]->name, all.items[i]->args ? " " : "",
                 all.items[i]->args ? all.items[i]->args : "", all.items[i]->help);
    buf_adds(out, ".El\n");
    vec_release(&all);
}

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "re");
    struct buf b = BUF_INIT(0);
    char piece[4096];
    size_t n;

    while (f && (n = fread(piece, 1, sizeof(piece), f)) > 0)
        buf_add(&b, piece, n);
    if (f)
        fclose(f);
    return buf_take(&b);
}

static void write_page(const char *before, const char *tables, const char *after)
{
    FILE *f = fopen(PAGE, "we");

    if (!f || fprintf(f, "%s%s%s", before, tables, after) < 0 || fclose(f) != 0)
        fail_msg(PAGE " cannot be written");
}

static void the_page_has_the_tables(void **state)
{
    struct buf out = BUF_INIT(0);
    char *page = read_file(PAGE);

    (void)state;
    write_tables(&console_tables, &out);
    if (!strstr(page, out.data)) {
        char *keys = strstr(page, ".Sh KEYS\n"), *end = keys ? strstr(strstr(keys, ".Sh COMMANDS\n"), ".El\n") : NULL;

        if (end && getenv("UPDATE")) {
            *keys = '\0';
            write_page(page, out.data, end + 4);
        }
        fail_msg(PAGE " differs from the tables of commands");
    }
    buf_release(&out);
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_page_has_the_tables)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

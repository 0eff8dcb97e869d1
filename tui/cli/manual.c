/* SPDX-License-Identifier: BSD-3-Clause */
/* The middle of the manual, generated from the tables of commands and flags. */
#include "cli/cli.h"
#include "cli/command.h"
#include "usage/mdoc.h"

static void sentence(struct buf *out, const char *text, const char *more)
{
    struct buf whole = BUF_INIT(0);

    buf_addf(&whole, "%s%s.", text, more);
    mdoc_text(out, buf_text(&whole));
    buf_release(&whole);
}

static void write_flags(const struct flag *flags, struct buf *out)
{
    buf_adds(out, ".Bl -tag -width Ds\n");
    for (const struct flag *flag = flags; flag->kind != FLAG_NONE; flag++) {
        struct buf more = BUF_INIT(0);
        if (flag->bits & FLAG_HIDDEN)
            continue;
        buf_adds(out, ".It");
        if (flag->letter)
            buf_addf(out, " Fl %c ,", flag->letter);
        buf_addf(out, " Fl \\-%s", flag->name);
        if (flag->kind != FLAG_SWITCH)
            buf_addf(out, " Ar %s", flag->value);
        buf_addc(out, '\n');
        if (flag->bits & FLAG_REQUIRED)
            buf_adds(&more, " (required)");
        else if (flag->fallback && *flag->fallback)
            buf_addf(&more, " (default: %s)", flag->fallback);
        sentence(out, flag->help, buf_text(&more));
        buf_release(&more);
    }
    buf_adds(out, ".El\n");
}

static void write_aliases(const struct command *c, struct buf *out)
{
    if (!c->aliases)
        return;
    buf_adds(out, "Aliases:\n");
    for (const char *at = c->aliases; *at; at += strcspn(at, "|"), at += *at == '|') {
        size_t n = strcspn(at, "|");
        buf_addf(out, ".Cm %.*s%s\n", (int)n, at, at[n] ? " ," : " .");
    }
}

static void write_command(const struct command *c, struct buf *out)
{
    buf_addf(out, ".It Cm %s", c->name);
    for (const char *at = c->args; at && *at; at += strcspn(at, " "), at += strspn(at, " ")) {
        size_t n = strcspn(at, " ");
        if (at[0] == '[' && at[n - 1] == ']')
            buf_addf(out, " Op Ar %.*s", (int)n - 2, at + 1);
        else
            buf_addf(out, " Ar %.*s", (int)n, at);
    }
    buf_addc(out, '\n');
    sentence(out, c->text ? c->text : c->brief, "");
    if (c->deprecated)
        buf_addf(out, "Deprecated; use\n.Ic headway %s .\n", c->deprecated);
    write_aliases(c, out);
    if (flags_any_shown(c->flags))
        write_flags(c->flags, out);
}

static void write_below(const struct command *parent, struct buf *out)
{
    buf_adds(out, ".Bl -tag -width Ds\n");
    for (const struct command *c = command_next(NULL); c; c = command_next(c))
        if (command_is_below(c, parent) && !(c->bits & (CMD_HIDDEN | CMD_GROUP)))
            write_command(c, out);
    buf_adds(out, ".El\n");
}

void cli_write_manual(struct buf *out)
{
    buf_adds(out, ".Sh COMMANDS\n");
    for (const struct command *c = command_next(NULL); c; c = command_next(c)) {
        if (!(c->bits & CMD_GROUP) || (c->bits & CMD_HIDDEN))
            continue;
        buf_addf(out, ".Ss %s\n", c->name);
        sentence(out, c->brief, "");
        write_aliases(c, out);
        write_below(c, out);
    }
    buf_adds(out, ".Ss Other commands\n");
    write_below(NULL, out);
    buf_adds(out, ".Sh GLOBAL FLAGS\n");
    write_flags(global_flags, out);
    buf_adds(out, ".Sh CONSOLE FLAGS\n");
    write_flags(console_flags, out);
}
